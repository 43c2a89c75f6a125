"""How one value is written in the owner's file: a number, a time of day, a zone, a clock, a sentence.

Each type refuses what cannot be meant and says what to write instead; `check.py` adds the line.
It knows nothing of people or ladders.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from difflib import get_close_matches
from string import Formatter
from typing import Annotated, Literal, LiteralString
from zoneinfo import ZoneInfo, available_timezones

from phonenumbers import SUPPORTED_REGIONS
from pydantic import AfterValidator, BeforeValidator, Strict
from pydantic_core import PydanticCustomError

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S

E164 = re.compile(r"\+[1-9][0-9]{6,14}")  # ITU-T E.164: at most 15 digits


def mistaken(kind: LiteralString, what: str, instead: str) -> PydanticCustomError:
    """A mistake in one value, with what to write instead of it."""
    # Braces in the owner's own words must not be taken for pydantic's placeholders.
    return PydanticCustomError(kind, "{what}", {"what": what, "instead": instead})


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """The known word nearest to `word`, or `otherwise`."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return near[0] if near else otherwise


def _e164(value: object) -> object:
    # A number of digits alone was read as a whole number: YAML cannot know better.
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str):
        raise mistaken("number", "a telephone number is expected", "+12025550142")
    if not E164.fullmatch(text):
        raise mistaken("number", f"{text!r} is not a number in E.164 form", "+12025550142")
    return text


def _e164_or_off(value: object) -> object:
    if value is True:
        raise mistaken("number", "true is not a number", "the number for SMS, or false for none")
    return value if value is False or value is None else _e164(value)


def _dialled(value: object) -> object:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]{2,6}", text):
        raise mistaken(
            "emergency_number", f"{value!r} is not a number to dial in danger", "911 (or 112, 999)"
        )
    return text


def _key(value: object) -> object:
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(text, str) or not re.fullmatch(r"[0-9]", text):
        raise mistaken("key", f"{value!r} is not a key of a telephone", "one digit, 0 to 9")
    return text


def _wall_time(value: object) -> object:
    if isinstance(value, time):
        return value
    match = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", value) if isinstance(value, str) else None
    if match is None:
        raise mistaken("time", f"{value!r} is not a time of day", "a time from 00:00 to 23:59, such as 09:00")
    return time(int(match[1]), int(match[2]))


def _end_time(value: object) -> object:
    return time(0) if value == "24:00" else _wall_time(value)


def _day(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise mistaken(
            "date", f"{value!r} is not a day of the calendar", "a date such as 2026-03-02"
        ) from None


def _moment(value: object) -> object:
    if isinstance(value, datetime):
        return value
    wanted = "a day and a time, such as 2026-03-06 18:00"
    if not isinstance(value, str) or ":" not in value:
        raise mistaken("moment", f"{value!r} is not a day and a time", wanted)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise mistaken("moment", f"{value!r} is not a day and a time", wanted) from None


def _time_zone(value: object) -> object:
    if isinstance(value, ZoneInfo):
        return value
    try:
        return ZoneInfo(value if isinstance(value, str) else "")
    except (LookupError, ValueError, OSError):
        near = did_you_mean(str(value), available_timezones(), "a name such as America/New_York")
        raise mistaken("time_zone", f"{value!r} is not a time zone", near) from None


def _language(value: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(-[A-Z]{2})?", value):
        raise mistaken("language", f"{value!r} is not a language", "a code such as en, es or pt-BR")
    return value


def _chosen_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", value):
        instead = re.sub(r"[^A-Za-z0-9_-]+", "_", value).strip("_-") or "a word such as ana"
        raise mistaken("name", f"{value!r} cannot be used as a name for reference", instead)
    return value


def _some_words(value: str) -> str:
    if not value.strip():
        raise mistaken("words", "nothing is written here", "a word or a sentence")
    return value


def _country(value: str) -> str:
    if value not in SUPPORTED_REGIONS:
        raise mistaken("country", f"{value!r} is not a country", did_you_mean(value, SUPPORTED_REGIONS, "US"))
    return value


def one_or_several(value: object) -> object:
    """Let a single name stand for a list of one."""
    return [value] if isinstance(value, str) else value


def clock(least_s: float, most_s: float) -> Callable[[float], float]:
    """Refuse a clock outside of what makes sense at night."""

    def within(value: float) -> float:
        if not least_s <= value <= most_s:
            what = "a clock of zero never waits" if value == 0 else f"{value:g} seconds makes no sense here"
            raise mistaken("clock", what, f"seconds, from {least_s:g} to {most_s:g}")
        return value

    return within


def spoken(*fields: str) -> Callable[[str], str]:
    """Refuse a sentence with a placeholder that nothing fills in."""

    def filled(value: str) -> str:
        allowed = " or ".join(f"{{{field}}}" for field in fields)
        try:
            found = [name for _, name, _, _ in Formatter().parse(value) if name is not None]
        except ValueError:
            raise mistaken("sentence", "a brace is left open", f"braces only around {allowed}") from None
        for name in found:
            if name not in fields:
                raise mistaken("sentence", f"nothing is known to say for {{{name}}}", allowed or "no braces")
        return value

    return filled


PhoneNumber = Annotated[str, BeforeValidator(_e164)]
PhoneNumberOrOff = Annotated[str | Literal[False] | None, BeforeValidator(_e164_or_off)]
EmergencyNumber = Annotated[str, BeforeValidator(_dialled)]
Key = Annotated[str, BeforeValidator(_key)]
WallTime = Annotated[time, BeforeValidator(_wall_time)]
EndTime = Annotated[time, BeforeValidator(_end_time)]  # 24:00 is kept as 00:00, the end of the day
Day = Annotated[date, BeforeValidator(_day)]
Moment = Annotated[datetime, BeforeValidator(_moment)]
TimeZone = Annotated[ZoneInfo, BeforeValidator(_time_zone)]
Language = Annotated[str, AfterValidator(_language)]
Name = Annotated[str, AfterValidator(_chosen_name)]
Words = Annotated[str, Strict(), AfterValidator(_some_words)]
Country = Annotated[str, AfterValidator(_country)]
Seconds = Annotated[float, Strict()]
Count = Annotated[int, Strict()]
Switch = Annotated[bool, Strict()]
