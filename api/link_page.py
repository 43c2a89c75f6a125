"""The acknowledgement page as HTML: one document, no script, nothing loaded from anywhere. Pure.

It may be looked at by anybody who is near the phone: line, kind and severity, never who called.
"""

from enum import Enum
from html import escape

from workflows.messages import EscalationView
from workflows.values import Severity


class Offered(Enum):
    """What the page lets its reader do."""

    NOTHING = 0
    TAKE = 1
    CLOSE = 2


_SEVERITIES = {
    Severity.LIFE: "Danger to life",
    Severity.URGENT: "Urgent",
    Severity.ROUTINE: "Routine",
}

_STYLE = """
:root { color-scheme: light dark }
body { font: 1.125rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem }
dt { font-weight: 600 } dd { margin: 0 0 .75rem }
button { font: inherit; font-weight: 600; width: 100%; padding: 1rem; margin: .5rem 0; border: 2px solid;
  border-radius: .5rem; cursor: pointer }
button:focus-visible { outline: 4px solid Highlight; outline-offset: 2px }
"""

_BUTTONS = {
    Offered.NOTHING: (),
    Offered.TAKE: (("acknowledge", "I take it"),),
    Offered.CLOSE: (("resolve", "It is resolved"), ("decline", "Hand it over to the next person")),
}


def case(view: EscalationView | None, offered: Offered, summary: str | None = None) -> str:
    """An open case, as far as it could be found out, and what can be done."""
    if view is None:
        about = "<p>The details cannot be shown at this moment. You can still take it.</p>"
    else:
        about = _about(view)
    buttons = "".join(
        f'<form method="post"><button name="do" value="{act}">{label}</button></form>'
        for act, label in _BUTTONS[offered]
    )
    return _document("Somebody is needed", about + _said(summary) + buttons)


def told(sentence: str, summary: str | None = None) -> str:
    """What became of the act."""
    return _document("Thank you", f'<p role="status">{escape(sentence)}</p>{_said(summary)}')


def closed(view: EscalationView | None) -> str:
    """A case that needs nobody any more."""
    how = f"This case is {escape(view.phase)}." if view else "This case is closed."
    return _document("Nothing left to do", f'<p role="status">{how} Thank you.</p>')


def not_understood() -> str:
    """A form that is not the one we show."""
    return _document("Not understood", '<p role="status">Nothing was done. Please open the link again.</p>')


def forged() -> str:
    """A link that is not ours, or no longer."""
    return _document(
        "This link cannot be used",
        "<p>It is incomplete, altered or too old."
        " Open it again from the message it came with, or answer by phone or SMS.</p>",
    )


def _about(view: EscalationView) -> str:
    item = view.case
    rows = [
        ("Line", item.line.name),
        ("About", item.spoken),
        ("Severity", _SEVERITIES[item.severity]),
        ("Who has it", view.owner or "Nobody yet"),
    ]
    if item.test:
        rows.insert(0, ("Test", "This is a test page."))
    return "<dl>" + "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in rows) + "</dl>"


def _said(summary: str | None) -> str:
    return f"<h2>What the alert says</h2><p>{escape(summary)}</p>" if summary else ""


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )
