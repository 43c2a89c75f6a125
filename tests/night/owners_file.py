"""The owner's file of an installation under test: lines, people and ladders, with clocks short enough to wait for.

Every line has people of its own, so that what happens on one line disturbs no other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

AREAS = (202, 212, 213, 305, 312, 404, 415, 503, 602, 702, 713, 206)
FICTIONAL = 100  # the numbers 555-0100 to 555-0199 of an area are nobody's


@dataclass(frozen=True)
class Person:
    """Somebody who can be woken."""

    key: str
    number: str

    @property
    def name(self) -> str:
        """How others are told of them."""
        return self.key.capitalize()


@dataclass(frozen=True)
class Line:
    """A telephone line, who may be woken for it, and somebody who rings it."""

    key: str
    number: str
    caller: str
    people: tuple[Person, ...]


@dataclass
class OwnersFile:
    """Lines are added, then it is written."""

    calls_per_second: float = 10.0
    _numbers: Iterator[str] = field(default_factory=lambda: _fictional())
    _people: dict[str, Any] = field(default_factory=dict[str, Any])
    _ladders: dict[str, Any] = field(default_factory=dict[str, Any])
    _lines: dict[str, Any] = field(default_factory=dict[str, Any])

    def line(
        self,
        key: str,
        rungs: Sequence[Sequence[str]],
        *,
        wait_s: float = 8.0,
        last_resort: Sequence[str] = (),
        pauses_s: Sequence[float] = (0,),
        push: bool = True,
        wait_nobody_s: float | None = None,
        again_s: float = 0.0,
        severity: str = "urgent",
        more: dict[str, Any] | None = None,
    ) -> Line:
        """Add a line. rungs: names of people, who are this line's alone. more: further keys of the line."""
        names = list(dict.fromkeys([*(name for rung in rungs for name in rung), *last_resort]))
        people = tuple(self._person(f"{key}-{name}", push=push) for name in names)
        key_of = dict(zip(names, (person.key for person in people), strict=True))
        self._ladders[key] = {
            "rungs": [
                {
                    "page": [key_of[name] for name in rung],
                    "wait_s": wait_s,
                    "wait_nobody_s": wait_nobody_s or wait_s,
                    "ring_again_s": again_s,
                }
                for rung in rungs
            ],
            "last_resort": [key_of[name] for name in last_resort],
            "pauses_s": list(pauses_s),
        }
        line = Line(key, next(self._numbers), next(self._numbers), people)
        self._lines[key] = {
            "name": f"Line {key}",
            "number": line.number,
            "emergency_number": "911",
            "time_zone": "America/New_York",
            "ladder": key,
            "categories": {"water": {"key": 1, "say": "a burst pipe", "severity": severity}},
            "messages_to": [people[0].key],
            "menu": {"prompt_wait_s": 60},  # nobody is hurried while a process is dead
            **(more or {}),
        }
        return line

    def written(self, sandbox_port: int) -> str:
        """The file, its pushes going to the sandbox on this port."""
        push = f"json://127.0.0.1:{sandbox_port}/_sandbox/push"
        people = {
            key: {**person, "push": [f"{push}/{key}"]} if person.pop("pushed") else person
            for key, person in ((key, dict(person)) for key, person in self._people.items())
        }
        content = {
            "calls_per_second": self.calls_per_second,
            "alerts": {"push": [f"{push}/operators"]},
            "people": people,
            "ladders": self._ladders,
            "lines": self._lines,
        }
        return yaml.safe_dump(content, sort_keys=False)

    def _person(self, key: str, *, push: bool) -> Person:
        person = Person(key, next(self._numbers))
        self._people[key] = {"name": person.name, "phone": person.number, "pushed": push}
        return person


def _fictional() -> Iterator[str]:
    """Numbers that are nobody's."""
    for area in AREAS:
        for last in range(FICTIONAL):
            yield f"+1{area}55501{last:02}"
