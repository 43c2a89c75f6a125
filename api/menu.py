"""What a caller's key means in the menu of a line. Pure: a table of digit and attempt.

The menu is the owner's (configuration); what is decided here is only where a key, a wrong key or silence
leads. Whoever has asked for the emergency menu is never dropped: without a usable key it escalates.
"""

from dataclasses import dataclass

from configuration.model import Line
from workflows.values import Severity


@dataclass(frozen=True)
class AskAgain:
    """Say the same menu again; attempt counts from 1."""

    attempt: int


@dataclass(frozen=True)
class AskCategory:
    """Ask what kind of emergency it is."""


@dataclass(frozen=True)
class TakeMessage:
    """Record a message."""


@dataclass(frozen=True)
class TellCase:
    """Say how the caller's open case stands."""


@dataclass(frozen=True)
class Escalate:
    """Wake people for this. spoken: harmless enough to be read to a voicemail."""

    category: str
    spoken: str
    severity: Severity


@dataclass(frozen=True)
class Goodbye:
    """The line's rule for silence is to hang up."""


Choice = AskAgain | AskCategory | TakeMessage | TellCase | Escalate | Goodbye

UNSPECIFIED = Escalate("emergency", "an emergency", Severity.URGENT)
NOT_UNDERSTOOD = Escalate("not-understood", "a caller who could not be understood", Severity.URGENT)


def chosen(line: Line, digits: str, attempt: int) -> Choice:
    """Where this key leads in the main menu; digits is empty for silence."""
    menu = line.menu
    if digits == menu.emergency.key:
        return AskCategory() if line.categories else UNSPECIFIED
    if menu.message and digits == menu.message.key:
        return TakeMessage()
    if menu.open_case and digits == menu.open_case.key:
        return TellCase()
    if attempt < menu.prompts:
        return AskAgain(attempt + 1)
    return NOT_UNDERSTOOD if menu.silence == "escalate" else Goodbye()


def category_chosen(line: Line, digits: str, attempt: int) -> Choice:
    """Where this key leads in the menu of emergencies."""
    for name, category in line.categories.items():
        if digits == category.key:
            return Escalate(name, category.say, Severity(category.severity))
    return AskAgain(attempt + 1) if attempt < line.menu.prompts else UNSPECIFIED


def named(line: Line, category: str) -> Escalate:
    """The emergency of this name, asked for again; one that is unknown by now is still an emergency."""
    for known in (UNSPECIFIED, NOT_UNDERSTOOD):
        if known.category == category:
            return known
    if category in line.categories:
        chosen_one = line.categories[category]
        return Escalate(category, chosen_one.say, Severity(chosen_one.severity))
    return UNSPECIFIED
