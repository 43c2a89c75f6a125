"""Who lives in the town that is measured: numbers, responders, ladders, the owner's file, phones.

All numbers are fictional (exchange 555-01xx), a hundred to an area code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from workflows.values import Ladder, Line, LineId, PersonId, Responder, Rung

_AREAS = (
    *(
        203,
        205,
        206,
        207,
        208,
        209,
        210,
        212,
        213,
        214,
        215,
        216,
        217,
        218,
        219,
        224,
        225,
        228,
        229,
        231,
        234,
    ),
    *(239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302),
)
MOST_PEOPLE = 100 * len(_AREAS)
CALLER_AREA, LINE_AREA = 303, 202
LONG_S = 7200.0  # a clock that no measurement outlives


def number(person: int) -> str:
    """The telephone of a person, counted from 0."""
    return f"+1{_AREAS[person // 100]}55501{person % 100:02}"


def caller_number(caller: int) -> str:
    """The telephone of a caller, counted from 0."""
    return f"+1{CALLER_AREA}55501{caller % 100:02}"


def line_number(line: int) -> str:
    """The number of a line, counted from 0."""
    return f"+1{LINE_AREA}55501{line:02}"


def person_id(person: int) -> PersonId:
    """What a person is called in the owner's file."""
    return PersonId(f"p{person:04}")


def line_id(line: int) -> LineId:
    """What a line is called in the owner's file."""
    return LineId(f"line{line:02}")


def responder(person: int) -> Responder:
    """Somebody who is reached by voice alone: one call, and nothing beside it."""
    return Responder(id=person_id(person), name=f"Person {person}", phone=number(person))


def alone(person: int, then: int, wait_s: float = LONG_S) -> Ladder:
    """A ladder of two rungs, one person each, their phones rung once. wait_s: the first rung's clock."""
    rungs = tuple(
        Rung(f"rung {n}", (responder(who),), wait_s=clock, wait_nobody_s=clock, ring_again_s=0.0)
        for n, (who, clock) in enumerate(((person, wait_s), (then, LONG_S)), start=1)
    )
    return Ladder(rungs=rungs, submit_limit_s=LONG_S)


def line(of: int = 0) -> Line:
    """A line as the workflows keep it."""
    return Line(line_id(of), f"Line {of}", line_number(of), "911")


@dataclass(frozen=True)
class LinePlan:
    """A line of the owner's file: rungs of people by their numbers, and the clock of each rung."""

    rungs: Sequence[Sequence[int]]
    wait_s: float = 120.0
    ring_again_s: float = 0.0
    assistant: bool = True


@dataclass(frozen=True)
class Town:
    """What an installation is set up with.

    everywhere: who is reached by voice, text and push; the others by voice alone. calls: how a phone behaves, as
    the sandbox's town file says it; who is not named lets it ring. texts: the same for messages.
    """

    people: int
    lines: Sequence[LinePlan] = (LinePlan(((0,),)),)
    calls_per_second: float = 100.0
    everywhere: frozenset[int] = frozenset()
    calls: Mapping[int, Sequence[Any]] = field(default_factory=dict[int, Sequence[Any]])
    texts: Mapping[int, Sequence[Any]] = field(default_factory=dict[int, Sequence[Any]])
    speed: float = 1.0

    def owners_file(self, sandbox_port: int) -> str:
        """The configuration: only who stands on a ladder, since the others come with theirs."""
        named = sorted({who for plan in self.lines for rung in plan.rungs for who in rung})
        push = f"json://127.0.0.1:{sandbox_port}/_sandbox/push"
        people = {
            str(person_id(who)): {
                "name": f"Person {who}",
                "phone": number(who),
                "sms": number(who) if who in self.everywhere else False,
                "push": [f"{push}/{person_id(who)}"] if who in self.everywhere else [],
            }
            for who in named
        }
        ladders = {
            f"ladder{n:02}": {
                "rungs": [
                    {
                        "page": [str(person_id(who)) for who in rung],
                        "wait_s": plan.wait_s,
                        "wait_nobody_s": plan.wait_s,
                        "ring_again_s": plan.ring_again_s,
                    }
                    for rung in plan.rungs
                ],
                "last_resort": [str(person_id(plan.rungs[-1][0]))],
                "pauses_s": [LONG_S],  # one round is what is measured
            }
            for n, plan in enumerate(self.lines)
        }
        lines = {
            str(line_id(n)): {
                "name": f"Line {n}",
                "number": line_number(n),
                "emergency_number": "911",
                "time_zone": "America/New_York",
                "ladder": f"ladder{n:02}",
                "assistant": plan.assistant,
                "categories": {"water": {"key": "1", "say": "a burst pipe", "severity": "urgent"}},
            }
            for n, plan in enumerate(self.lines)
        }
        content = {
            "country": "US",
            "calls_per_second": self.calls_per_second,
            "alerts": {"push": [f"{push}/operators"]},
            "people": people,
            "ladders": ladders,
            "lines": lines,
        }
        return yaml.safe_dump(content, sort_keys=False)

    def phones(self) -> list[dict[str, Any]]:
        """Everybody's telephone, for the sandbox."""
        return [
            {
                "name": str(person_id(who)),
                "number": number(who),
                "calls": list(self.calls.get(who, ["no_answer"])),
                "texts": list(self.texts.get(who, [{"deliver": 1}])),
            }
            for who in range(self.people)
        ] + [{"name": f"caller{n}", "number": caller_number(n)} for n in range(100)]
