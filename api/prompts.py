"""What a responder hears of the pages in a call, and in which words. Pure.

Harmless words only: a voicemail may be listening. Line, kind of emergency, how bad; nothing of the caller.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.phrases import Spoken, phrase, severity
from workflows.messages import Script, ScriptItem
from workflows.sentences import Language
from workflows.tokens import PageItem
from workflows.values import Severity


@dataclass(frozen=True)
class Offer:
    """One page to be read out. line_name, severity: None where only the token is left to ask."""

    item: PageItem
    line_name: str | None
    severity: Severity | None


def offers_of_script(script: Script, among: Sequence[PageItem] | None = None) -> tuple[Offer, ...]:
    """The workflow's own items; among: only these, what was already answered is not asked again."""
    wanted = None if among is None else {item.page for item in among}
    return tuple(
        Offer(_item(item), item.line_name, item.severity)
        for item in script.items
        if wanted is None or item.page in wanted
    )


def offers_of_token(items: Iterable[PageItem], line_name: str | None) -> tuple[Offer, ...]:
    """The items that were true when the call was placed. With several, the line is only the first one's."""
    items = tuple(items)
    name = line_name if len(items) == 1 else None
    return tuple(Offer(item, name, Severity.LIFE if item.life else None) for item in items)


def read_out(offers: Sequence[Offer], language: Language) -> list[Spoken]:
    """Each page and its keys."""
    said: list[Spoken] = []
    if len(offers) > 1:
        said.append(phrase("several", language, count=len(offers)))
    for offer in offers:
        said += _read_one(offer, language)
    return said


def _read_one(offer: Offer, language: Language) -> list[Spoken]:
    item = offer.item
    said = [phrase("test", language)] if item.test else []
    named = f"{offer.line_name}: {item.spoken}." if offer.line_name else f"{item.spoken}."
    said.append((language, named))
    if item.kind == "join":
        return [*said, phrase("join_offer", language, accept=item.accept)]
    if offer.severity is not None:
        said.append(severity(offer.severity, language))
    return [*said, phrase("offer", language, accept=item.accept, decline=item.decline)]


def _item(item: ScriptItem) -> PageItem:
    return PageItem(
        page=item.page,
        escalation=item.escalation,
        kind=item.kind,
        spoken=item.spoken,
        accept=item.accept,
        decline=item.decline,
        conference=item.conference,
        life=item.severity is Severity.LIFE,
        test=item.test,
    )
