"""Rules of a line: its hours, its keys, and the sentence that comes before all else."""

from collections.abc import Iterator
from datetime import time

from pydantic import ValidationError

from configuration.declared import File, one
from configuration.mistake import Mistake
from configuration.model import DANGER, Menu, Opening
from configuration.tree import Spot


def opening_hours_make_sense(file: File) -> Iterator[Mistake]:
    """Opening hours lie within a day, do not meet, and lead somewhere."""
    for line in file.lines.values():
        spot = line.child("opening")
        if spot is None:
            continue
        for hours in spot.items("hours"):
            yield from _hours_of_a_day(hours)
        for holiday in spot.items("holidays"):
            yield from _hours_of_a_day(holiday)
        try:
            opening = Opening.model_validate(spot.plain())
        except ValidationError:
            continue
        yield from _overlapping_hours(opening, spot)
        yield from _doubled_holidays(spot)
        if opening.forward_to is None:
            yield spot.warning(
                "opening hours change nothing without a number to forward to", "forward_to: +12025550100"
            )


def _hours_of_a_day(spot: Spot) -> Iterator[Mistake]:
    begins, ends = spot.text("from"), spot.text("until")
    if begins is None or ends is None or ends.rjust(5, "0") in ("24:00", "00:00"):
        return
    if ends.rjust(5, "0") <= begins.rjust(5, "0"):
        until = spot.child("until") or spot
        what = f"the hours end at {ends}, not after they begin at {begins}"
        yield until.mistake(what, 'a later time, or "24:00" and a further entry from "00:00"')


def _overlapping_hours(opening: Opening, spot: Spot) -> Iterator[Mistake]:
    told: dict[str, list[tuple[int, int, int]]] = {}
    for window, hours in zip(opening.hours, spot.items("hours"), strict=True):
        begins, ends = _minute(window.from_), _minute(window.until) or 24 * 60
        for day in window.days:
            for other_begins, other_ends, other_line in told.get(day, []):
                if begins < other_ends and other_begins < ends:
                    what = f"these hours overlap those on line {other_line} on {day.capitalize()}"
                    yield hours.warning(what, "each hour of the week once")
            told.setdefault(day, []).append((begins, ends, hours.line))


def _doubled_holidays(spot: Spot) -> Iterator[Mistake]:
    lines: dict[str, int] = {}
    for holiday in spot.items("holidays"):
        day = holiday.text("date") or ""
        if day in lines:
            yield holiday.mistake(f"{day} is already a holiday on line {lines[day]}", "each day once")
        lines.setdefault(day, holiday.line)


def menu_keys_are_different(file: File) -> Iterator[Mistake]:
    """One key, one meaning, in the menu and among the categories."""
    for line in file.lines.values():
        taken: dict[str, str] = {}
        defaults = {"emergency": "1", "message": "2", "open_case": "3"}
        for choice, default in defaults.items():
            spot = line.at("menu", choice)
            if spot is None or spot.value is not False:
                key = line.text("menu", choice, "key") or default
                yield from _pressed(taken, key, choice, line.at("menu", choice, "key") or line)
        taken = {}
        for name, category in line.entries("categories"):
            for spot in one(category, "key"):
                yield from _pressed(taken, spot.text() or "", name, spot)


def _pressed(taken: dict[str, str], key: str, choice: str, spot: Spot) -> Iterator[Mistake]:
    if key in taken:
        free = next((digit for digit in "1234567890" if digit not in taken), "another digit")
        yield spot.mistake(f"key {key} is already {taken[key]!r}", f'key: "{free}"')
    taken.setdefault(key, choice)


def danger_is_said_in_every_language(file: File) -> Iterator[Mistake]:
    """The sentence of danger comes first in each language, with the number in it."""
    for line in file.lines.values():
        sentences = dict(line.entries("menu", "danger"))
        for language, spot in sentences.items():
            if "{emergency_number}" not in (spot.text() or "{emergency_number}"):
                yield spot.mistake("the sentence does not say what to dial", "{emergency_number} within it")
            if language not in {item.text() for item in line.items("languages")} | {"en"}:
                yield spot.warning(f"{language} is not a language of this line", "it among languages as well")
        for spot in line.items("languages"):
            language = spot.text() or ""
            if language not in sentences and Menu().danger_sentence(language) is None:
                known = ", ".join(DANGER)
                yield spot.mistake(
                    f"there is no sentence of danger in {language!r} (only in {known})",
                    f'menu: {{danger: {{{language}: "… {{emergency_number}} …"}}}}',
                )


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute
