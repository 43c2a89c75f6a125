"""Calls that come and go on a whole installation with the light speech model, and what each process's memory does.

Each line has one caller after another and a responder of its own: some hang up early, some have the wrong number,
most report an emergency, are joined by the responder and hang up when the case is resolved. Everything is real but
the ears, the voice and the telephone network: Temporal, worker, door, bridge, streams, marks, tools, pages.

Memory is read from the system every few seconds; its slope is a straight line through what came after the warm-up.
"""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise

import httpx
from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from bench.arithmetic import quantile, slope
from bench.figures import Figure, rule
from bench.house import House, house, until
from bench.people import LinePlan, Town, caller_number, line_number, person_id
from workflows.escalation import EscalationWorkflow
from workflows.messages import CallOutcome, call_workflow_id
from workflows.values import Act, ActId, ActKind, CallSid, Via

TITLES = {"soak": "Calls that come and go: memory"}
MINUTES = 5.0
CALLS = 20
EVERY_S = 5.0  # between two looks at the memory
WARM_UP = 0.4  # of the time: what is loaded once, and caches that fill, are no growth
PAUSE_S = (0.5, 4.0)  # between two calls on one line
CLOSES_S = 60.0  # a call that is over must be closed within
WAIT_S = 600.0  # a rung's clock: nobody climbs
JOURNAL = 5_000  # records; full before the warm-up is over, so that it hides no growth
QUIET_S = 20.0  # until the last leg has gone
WATCHED = ("sandbox", "speech", "bridge", "worker", "api", "temporal")

TALK_S = (75.0, 110.0)  # how long somebody with an emergency stays
SHORT_S = (4.0, 25.0)
EMERGENCY: Sequence[object] = (
    {"when_heard": "(?i)what has happened"},
    {"say": "There is water coming through the ceiling."},
    {"when_heard": "(?i)where are you|address"},
    {"say": "412 Oak Street."},
    {"when_heard": "(?i)is that right"},
    {"say": "Yes, that is right."},
    {"when_heard": "(?i)number|reach you"},
    {"say": "This number is fine."},
    "stay",
)
WRONG_NUMBER: Sequence[object] = (
    {"wait": 6},
    {"say": "Sorry, wrong number. Goodbye."},
    "stay",
)
SILENT: Sequence[object] = ("stay",)
ANSWERS: Mapping[str, object] = {
    "answer": 1,
    "steps": [{"press_heard": r"press (\d) to take it"}, {"wait": 25}, "hang_up"],
}


@dataclass
class Memory:
    """A process's resident memory, in KiB, at so many seconds from the beginning."""

    at_s: list[float] = field(default_factory=list[float])
    kib: list[float] = field(default_factory=list[float])

    def warm(self, share: float = WARM_UP) -> "Memory":
        """The part after the warm-up."""
        begin_s = self.at_s[-1] * share
        first = next(n for n, at_s in enumerate(self.at_s) if at_s >= begin_s)
        return Memory(self.at_s[first:], self.kib[first:])

    @property
    def mib_an_hour(self) -> float:
        """The slope of the straight line through it."""
        return slope(self.at_s, self.kib) * 3600 / 1024

    @property
    def fifths_mib(self) -> list[float]:
        """The middle of each fifth of the time."""
        ends_s = [self.at_s[-1] * n / 5 for n in range(6)]
        return [
            quantile(
                [kib for at_s, kib in zip(self.at_s, self.kib, strict=True) if begin <= at_s <= end], 0.5
            )
            / 1024
            for begin, end in pairwise(ends_s)
        ]

    @property
    def growth(self) -> float:
        """The end of it divided by its beginning, a fifth of it each."""
        fifth = max(1, len(self.kib) // 5)
        return quantile(self.kib[-fifth:], 0.5) / quantile(self.kib[:fifth], 0.5)


@dataclass
class Soaked:
    """What a soak saw. closings: how calls were closed. stuck: calls that were over and not closed in time."""

    minutes: float
    calls: int
    began_s: float
    memory: dict[str, Memory]
    closings: Counter[str] = field(default_factory=Counter[str])
    stuck: int = 0
    died: int = 0
    left_open: int = 0
    bridge: Mapping[str, object] = field(default_factory=dict[str, object])


async def measure(
    _: frozenset[str] = frozenset(TITLES), *, minutes: float = MINUTES, calls: int = CALLS
) -> Mapping[str, Sequence[Figure]]:
    """Soak, and tell it as figures."""
    return {"soak": figures(await soak(minutes, calls))}


def figures(soaked: Soaked) -> list[Figure]:
    """One line for each process, and the rules."""
    closed = sum(soaked.closings.values())
    kinds = ", ".join(f"{count} {kind}" for kind, count in soaked.closings.most_common())
    found = [
        Figure(
            f"{soaked.calls} lines, one caller after another",
            f"{closed} calls ({kinds})",
            f"{soaked.minutes:g} minutes",
            numbers={"calls": float(closed)},
        )
    ]
    for name, memory in soaked.memory.items():
        warm = memory.warm()
        a_call = warm.mib_an_hour * 1024 * soaked.minutes / 60 / max(closed, 1)
        found.append(
            Figure(
                f"memory of {name}",
                f"{' → '.join(f'{mib:.0f}' for mib in memory.fifths_mib)} MiB;"
                f" {warm.mib_an_hour:+.1f} MiB an hour, {a_call:+.1f} KiB a call",
                f"by fifths of the time; the slope is that after {WARM_UP:.0%} of it",
                "flat",
                numbers={
                    "mib_an_hour": warm.mib_an_hour,
                    "growth": warm.growth,
                    "start_kib": memory.kib[0],
                    "end_kib": memory.kib[-1],
                },
            )
        )
    return [
        *found,
        rule("calls that were over and not closed", soaked.stuck, samples=f"within {CLOSES_S:.0f} s"),
        rule("processes that died", soaked.died, samples=f"of {len(soaked.memory)}"),
        rule("legs left on the telephone network", soaked.left_open, samples="after the last call"),
        Figure(
            "the bridge at the end", ", ".join(f"{name} {value}" for name, value in soaked.bridge.items())
        ),
    ]


async def soak(minutes: float, calls: int) -> Soaked:
    """So many lines in use for so long."""
    town = Town(
        people=calls,
        lines=[LinePlan(((n,),), wait_s=WAIT_S) for n in range(calls)],
        calls={n: [ANSWERS] for n in range(calls)},
    )
    async with house(town, speech="light", journal=JOURNAL) as home:
        began_s = asyncio.get_running_loop().time()
        soaked = Soaked(minutes, calls, began_s, {name: Memory() for name in WATCHED})
        ends_s = began_s + minutes * 60
        watching = asyncio.create_task(_watch(home, soaked))
        await asyncio.gather(*(_line(home, soaked, n, ends_s) for n in range(calls)))
        watching.cancel()
        soaked.left_open = await _quiet(home)
        _look(home, soaked)
        soaked.died = sum(home.supervisor.times_ready(name) != 1 for name in WATCHED)
        async with httpx.AsyncClient() as client:
            health = await client.get(f"http://127.0.0.1:{home.settings.bridge_port}/health")
            soaked.bridge = health.json()
    return soaked


async def _line(home: House, soaked: Soaked, n: int, ends_s: float) -> None:
    """One caller after another, until the end."""
    loop, chance = asyncio.get_running_loop(), random.Random(n)
    await asyncio.sleep(chance.uniform(0, 20))
    while loop.time() < ends_s:
        kind = chance.choices((EMERGENCY, WRONG_NUMBER, SILENT), (6, 2, 2))[0]
        stays_s = chance.uniform(*(TALK_S if kind is EMERGENCY else SHORT_S))
        sid = CallSid(await home.network.dial(caller_number(n), line_number(n), kind))
        await asyncio.sleep(min(stays_s, max(ends_s - loop.time(), 5.0)))
        await _resolve(home, sid, n)
        await home.network.hang_up(sid)
        await _closed(home, soaked, sid)
        await asyncio.sleep(chance.uniform(*PAUSE_S))


async def _resolve(home: House, sid: CallSid, n: int) -> None:
    """The responder's word by the console; without an escalation nothing happens."""
    escalation = home.client.get_workflow_handle(f"escalation-{sid}")
    act = Act(ActKind.RESOLVE, ActId(f"soak:{sid}"), person_id(n), Via.CONSOLE, pressed_at=datetime.now(UTC))
    with contextlib.suppress(RPCError, WorkflowUpdateFailedError):
        await escalation.execute_update(EscalationWorkflow.resolve, act, id=act.id)


async def _closed(home: House, soaked: Soaked, sid: CallSid) -> None:
    handle = home.client.get_workflow_handle(call_workflow_id(sid), result_type=CallOutcome)
    try:
        async with asyncio.timeout(CLOSES_S):
            outcome: CallOutcome = await handle.result()
    except TimeoutError:
        soaked.stuck += 1
        return
    soaked.closings[outcome.closing] += 1


async def _watch(home: House, soaked: Soaked) -> None:
    while True:
        _look(home, soaked)
        await asyncio.sleep(EVERY_S)


def _look(home: House, soaked: Soaked) -> None:
    for name, memory in soaked.memory.items():
        with contextlib.suppress(OSError):  # it has died: counted at the end
            kib = home.resident_kib(name)
            memory.at_s.append(asyncio.get_running_loop().time() - soaked.began_s)
            memory.kib.append(kib)


async def _quiet(home: House) -> int:
    """How many legs are left once all have had the time to go."""
    return await until(home.network.live_calls, lambda left: left == 0, limit_s=QUIET_S)
