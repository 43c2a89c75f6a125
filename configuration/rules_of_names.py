"""Rules of names and numbers: each leads to exactly one thing, and to nothing that must not be rung."""

from collections.abc import Iterator

from configuration.declared import File, one
from configuration.mistake import Mistake
from configuration.numbers import (
    country_of,
    emergency_numbers,
    in_e164,
    is_known,
    leads_to_help,
    never_dialled,
)
from configuration.shape import NOT_DIALLED
from configuration.tree import Spot
from configuration.values import E164, did_you_mean


def a_name_means_one_thing(file: File) -> Iterator[Mistake]:
    """A rung names people and rotations alike."""
    for name, rotation in file.rotations.items():
        if name in file.people:
            person = file.people[name]
            yield rotation.mistake(
                f"{name!r} is already the name of a person (line {person.line})", f"{name}_rotation"
            )


def names_are_known(file: File) -> Iterator[Mistake]:
    """Whoever or whatever is named must be in the file."""
    responders = file.people | file.rotations
    for ladder in file.ladders.values():
        for rung in ladder.items("rungs"):
            yield from _known("person or rotation", rung.items("page"), responders)
        yield from _known("person or rotation", ladder.items("last_resort"), responders)
    for rotation in file.rotations.values():
        for layer in rotation.items("layers"):
            yield from _known("person", layer.items("people"), file.people)
    for override in file.root.items("overrides"):
        yield from _known("rotation", one(override, "rotation"), file.rotations)
        yield from _known("person", one(override, "person"), file.people)
    for line in file.lines.values():
        yield from _known("person", line.items("messages_to"), file.people)
        yield from _known("ladder", one(line, "ladder"), file.ladders)
        for _, category in line.entries("categories"):
            yield from _known("ladder", one(category, "ladder"), file.ladders)
        yield from _known("agent", line.items("speech", "agents"), file.agents)
    for agent in file.agents.values():
        yield from _known("agent", agent.items("hands_over_to"), file.agents)
    yield from _known("person", file.root.items("alerts", "people"), file.people)


def _known(kind: str, named: Iterator[Spot], known: dict[str, Spot]) -> Iterator[Mistake]:
    for spot in named:
        name = spot.word
        if name and name not in known:
            choice = ", ".join(list(known)[:8]) or f"the {kind}, after adding it to the file"
            yield spot.mistake(f"no {kind} is called {name!r}", did_you_mean(name, known, choice))


def numbers_can_be_dialled(file: File) -> Iterator[Mistake]:
    """Every number Rung might ring is somebody's, not a service's."""
    for role, spot in _dialled(file):
        number = spot.word
        if not E164.fullmatch(number):
            continue  # the model has refused it
        if why := never_dialled(number, file.country):
            yield spot.mistake(f"{number} is {why}, which Rung never dials", NOT_DIALLED)
        elif in_e164(number, file.country) is None:
            yield spot.mistake(f"{number} has too few or too many digits, or no such country code", role)
        elif not is_known(number):
            yield spot.warning(
                f"{number} is in no range of numbers in use", f"{role}, after a look at its digits"
            )


def _dialled(file: File) -> Iterator[tuple[str, Spot]]:
    for person in file.people.values():
        for key in ("phone", "sms"):
            for spot in one(person, key):
                yield "the person's number in E.164 form", spot
    for line in file.lines.values():
        forward = line.at("opening", "forward_to")
        own = (*one(line, "number"), *one(line, "caller_id"), *line.items("call_back_numbers"))
        for spot in (*own, *((forward,) if forward else ())):
            yield "the number in E.164 form", spot


def numbers_belong_to_one(file: File) -> Iterator[Mistake]:
    """Two people with one number would answer for each other; Rung must not ring itself."""
    owners: dict[str, tuple[str, Spot]] = {}
    for name, line in file.lines.items():
        for spot in (*one(line, "number"), *line.items("call_back_numbers")):
            yield from _taken(owners, f"line {name}", spot)
        forward = line.at("opening", "forward_to")
        if forward and forward.text() in {spot.text("number") for spot in file.lines.values()}:
            yield forward.mistake(
                "this is a line of Rung: the call would come back", "the office's own number"
            )
    for name, person in file.people.items():
        for key in ("phone", "sms"):
            for spot in one(person, key):
                yield from _taken(owners, f"person {name}", spot)


def _taken(owners: dict[str, tuple[str, Spot]], owner: str, spot: Spot) -> Iterator[Mistake]:
    number = spot.text()
    if number is None or not number.startswith("+"):
        return
    first, place = owners.setdefault(number, (owner, spot))
    if first != owner or (place is not spot and owner.startswith("line")):
        yield spot.mistake(
            f"{number} is already the number of {first} (line {place.line})", "a number of its own"
        )


def emergency_number_leads_to_help(file: File) -> Iterator[Mistake]:
    """What a caller in danger is told to dial should work where the line is."""
    for line in file.lines.values():
        told, number = line.at("emergency_number"), line.text("number") or ""
        digits = line.text("emergency_number") or ""
        country = country_of(number, file.country)
        if told and digits.isdigit() and not leads_to_help(digits, country):
            usual = " or ".join(emergency_numbers(country)) or "the number of the emergency services"
            yield told.warning(f"{digits} is not known as an emergency number in {country}", usual)
