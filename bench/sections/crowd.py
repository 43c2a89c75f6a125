"""A thousand escalations that wait: what they weigh, and what the death of their worker costs.

Each has one person, whose phone was rung and let ring; the clocks are long, except that some deadlines are set to
come due, twenty a second, while the worker is dead. Built once, then: weighed, killed across the deadlines,
asked all at once before and after a kill, and killed again and again with single key presses at random times.
"""

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from api.acts import Acts, Pending
from api.door import Patience
from api.errors import NoAnswerError
from api.messenger import Messenger
from api.spool import Spool
from bench.arithmetic import busiest_second
from bench.figures import Figure, spread
from bench.house import House, house, many, scheduled, until, when
from bench.people import Town, alone, line, number, person_id
from workflows import orders
from workflows.escalation import EscalationWorkflow
from workflows.values import Act, ActId, ActKind, ActReply, EscalationId, PageId, PersonId, Verdict, Via

TITLES = {
    "memory": "Memory per waiting escalation",
    "ladder-kill": "1,000 escalations wait, and the worker is killed",
}
CROWD = 1000
AT_ONCE = 8  # starts under way at a time
DEADLINES, DUE_A_SECOND = 100, 20  # all within five seconds: the worker is away for two to three of them
PACED_S = 0.3  # between the starts of those with a deadline, so that it can be foretold
STARTED_WITHIN_S = 1.0  # each, on a machine that is busy with nine hundred others
LAG_S = 0.4  # from a start to the submission of the page, from which the deadline counts
RINGS_S = 45.0  # until a phone that is let ring has ended
KILLS, PRESSES_A_KILL, PRESSED_WITHIN_S = 10, 10, 10.0
SETTLE_S = 3.0
WEIGHED = ("worker", "temporal")


@dataclass(frozen=True)
class Crowd:
    """The escalations that wait; the last ones have a deadline to come."""

    home: House
    acts: Acts
    random: random.Random


async def measure(chosen: frozenset[str] = frozenset(TITLES)) -> Mapping[str, Sequence[Figure]]:
    """Build the crowd once, for whatever of it was chosen."""
    async with house(Town(people=CROWD + DEADLINES + 1)) as home:
        await home.escalate("warm", alone(CROWD + DEADLINES, 0), line())  # what is loaded once is not weighed
        await asyncio.sleep(SETTLE_S)
        before = {name: home.resident_kib(name) for name in WEIGHED}
        await _start_calm(home)
        await _start_with_deadlines(home)
        after = {name: home.resident_kib(name) for name in WEIGHED}
        found: dict[str, Sequence[Figure]] = {"memory": _weighed(before, after)}
        if "ladder-kill" in chosen:
            spool = Spool(home.settings.state_dir / "bench-spool")
            crowd = Crowd(home, Acts(Messenger(home.client, Patience()), spool), random.Random(7))
            found["ladder-kill"] = [
                *await _deadlines_in_the_gap(crowd),
                *await _all_before_and_after(crowd),
                *await _single_presses(crowd),
            ]
    return found


def _name(n: int) -> str:
    return f"crowd-{n}"


def _id(n: int) -> EscalationId:
    return EscalationId(f"escalation-crowd-{n}")


# Building


async def _start_calm(home: House) -> None:
    """Those with long clocks, as fast as the machine takes them."""
    calm = CROWD - DEADLINES
    await many((home.escalate(_name(n), alone(n, CROWD), line()) for n in range(calm)), at_once=AT_ONCE)
    await until(lambda: _count(home, "call.created"), lambda count: count > calm, limit_s=600)


async def _start_with_deadlines(home: House) -> None:
    """Those whose deadlines come due together, later."""
    due = datetime.now(UTC) + timedelta(seconds=DEADLINES * STARTED_WITHIN_S + RINGS_S + 3 * SETTLE_S)
    for nth in range(DEADLINES):
        n = CROWD - DEADLINES + nth
        mine = due + timedelta(seconds=nth / DUE_A_SECOND)
        wait_s = (mine - datetime.now(UTC)).total_seconds() - LAG_S
        starting = asyncio.create_task(home.escalate(_name(n), alone(n, CROWD + nth, wait_s), line()))
        await asyncio.sleep(PACED_S)
        await starting
    await until(lambda: _count(home, "call.ended"), lambda count: count > CROWD, limit_s=120)
    await asyncio.sleep(SETTLE_S)


async def _count(home: House, kind: str) -> int:
    return len(await home.network.journal([kind]))


# Weighing


def _weighed(before: Mapping[str, int], after: Mapping[str, int]) -> list[Figure]:
    """What each process grew by."""
    limits = {
        "worker": "every waiting workflow stays in the worker's cache, so that its next step is no replay",
        "temporal": "the server's own caches of histories; they are bounded, and more waiting ones go to its file",
    }
    figures: list[Figure] = []
    for name in WEIGHED:
        each = (after[name] - before[name]) / CROWD
        grew = f"{before[name] / 1024:.0f} → {after[name] / 1024:.0f} MiB"
        numbers = {"kib_each": each, "before_kib": float(before[name]), "after_kib": float(after[name])}
        what = f"{name}: resident memory each, with its responder's phone"
        figures.append(
            Figure(what, f"{each:.0f} KiB ({grew})", f"{CROWD} waiting", "", limits[name], numbers)
        )
    return figures


# Deadlines


async def _deadlines_in_the_gap(crowd: Crowd) -> list[Figure]:
    """Kill the worker as the first deadline comes due, and see when each was acted on."""
    home, late = crowd.home, range(CROWD - DEADLINES, CROWD)
    handles = [home.client.get_workflow_handle(_id(n)) for n in late]
    views = await many((h.query(EscalationWorkflow.status) for h in handles), at_once=4)
    deadlines = {n: view.next_at for n, view in zip(late, views, strict=True) if view.next_at is not None}
    left_s = (min(deadlines.values()) - datetime.now(UTC)).total_seconds()
    assert left_s > 0, f"the crowd was {-left_s:.0f} s too late to be killed across its deadlines"
    await asyncio.sleep(left_s)
    killed, ready = await _kill(home)
    gap = {n: at for n, at in deadlines.items() if killed <= at <= ready}

    second = {n: number(CROWD + n - late.start) for n in late}
    requests = await until(
        home.calls_requested, lambda found: set(second.values()) <= found.keys(), limit_s=120
    )
    climbed = {n: await _climbed(home, n) for n in late}
    from_, to = (
        "of the deadlines that fell into it",
        f"{(ready - killed).total_seconds():.1f} s without a worker",
    )
    at_most = busiest_second(list(deadlines.values()))
    samples = f"{from_}; {to}, at most {at_most} due in one second"
    return [
        spread(
            "deadline in the gap → next rung ordered, late by",
            [_late_ms(at, climbed[n]) for n, at in gap.items()],
            samples=samples,
            aim="≤ 5 s",
            limits="the worker's start, then replays, one core for all of them",
        ),
        spread(
            "  … → the next phone requested at Twilio",
            [_late_ms(at, requests[second[n]][0]) for n, at in gap.items()],
            samples="of these",
            limits="then every climb is a page like any other, all at once",
        ),
        spread(
            "  all deadlines of these seconds → next rung ordered",
            [_late_ms(at, climbed[n]) for n, at in deadlines.items()],
            samples="deadlines, the gap's and those behind it",
        ),
    ]


async def _climbed(home: House, n: int) -> datetime:
    """When the second rung's page was ordered."""
    return when(scheduled(await home.events(_id(n)), orders.RELAY_PAGE.name)[1])


def _late_ms(due: datetime, acted: datetime) -> float:
    return (acted - due).total_seconds() * 1000


async def _kill(home: House) -> tuple[datetime, datetime]:
    """kill -9 the worker; when it was killed, and when the next one was ready."""
    times = home.supervisor.times_ready("worker")
    home.kill("worker")
    killed = datetime.now(UTC)
    await home.restarted("worker", times + 1)
    return killed, datetime.now(UTC)


# All at once


async def _all_before_and_after(crowd: Crowd) -> list[Figure]:
    """The same update to all of them at once: warm, and with every workflow to be replayed."""
    await _ask_all(crowd, "warming")
    await asyncio.sleep(SETTLE_S)
    warm_s, warm = await _ask_all(crowd, "warm")
    await asyncio.sleep(SETTLE_S)
    killed, ready = await _kill(crowd.home)
    cold_s, cold = await _ask_all(crowd, "cold")
    whole_s = cold_s + (ready - killed).total_seconds()
    replays = "each workflow is replayed from its history once, on one core, before it can answer"
    return [
        Figure(
            f"{CROWD} updates at once, all answered: after the kill ÷ warm",
            f"{cold_s / warm_s:.2f}  ({cold_s:.1f} s ÷ {warm_s:.1f} s)",
            f"{CROWD} + {CROWD} updates, one worker, sent when the new one was ready",
            "≤ 1.1",
            replays,
            {"ratio": cold_s / warm_s, "cold_s": cold_s, "warm_s": warm_s},
        ),
        Figure(
            "  … counted from the kill ÷ warm",
            f"{whole_s / warm_s:.2f}  ({whole_s:.1f} s)",
            "of these",
            "",
            "the worker's start on top",
            {"ratio": whole_s / warm_s, "from_kill_s": whole_s},
        ),
        spread("  each answer, warm", warm, samples="updates, all in line at once"),
        spread("  each answer, after the kill", cold, samples="updates, all in line at once"),
    ]


async def _ask_all(crowd: Crowd, round_: str) -> tuple[float, list[float]]:
    """Send an update to each at once: seconds until all were answered, and each one's milliseconds."""
    began = time.monotonic()
    took = await asyncio.gather(*(_ask(crowd, n, round_) for n in range(CROWD)))
    return time.monotonic() - began, took


async def _ask(crowd: Crowd, n: int, round_: str) -> float:
    """A stranger's "not me": refused on record, so that it can be asked again and always costs the same."""
    began = time.monotonic()
    stranger = Act(ActKind.DECLINE, ActId(f"{round_}:{n}"), PersonId("stranger"), Via.CONSOLE)
    handle = crowd.home.client.get_workflow_handle(_id(n))
    reply = await handle.execute_update(EscalationWorkflow.decline, stranger, id=stranger.id)
    assert reply.verdict is Verdict.REFUSED, reply
    return (time.monotonic() - began) * 1000


# One key


async def _single_presses(crowd: Crowd) -> list[Figure]:
    """Kill again and again; after each kill a few keys are pressed, each on its own, at random times."""
    people = crowd.random.sample(range(CROWD - DEADLINES), KILLS * PRESSES_A_KILL)
    took: list[float] = []
    gaps: list[float] = []
    for kill in range(KILLS):
        pressed = people[kill * PRESSES_A_KILL : (kill + 1) * PRESSES_A_KILL]
        for n in pressed:  # the worker that dies must be the one that has them in its cache
            await _ask(crowd, n, f"touched-{kill}")
        presses = [asyncio.create_task(_press(crowd, n)) for n in pressed]
        killed, ready = await _kill(crowd.home)
        gaps.append((ready - killed).total_seconds() * 1000)
        took += await asyncio.gather(*presses)
    return [
        spread(
            "one key press at a random time after the kill, answered",
            took,
            samples=f"presses, within {PRESSED_WITHIN_S:.0f} s of {KILLS} kills",
            aim="p99 < 3 s",
            limits="the server offers the step to the dead worker's own queue for 2 s (sticky time-out);"
            " pressed at once, the new worker's start",
        ),
        spread(
            "  kill → the next worker ready", gaps, samples="kills", limits="Python's imports, on one core"
        ),
    ]


async def _press(crowd: Crowd, n: int) -> float:
    """Somebody's key, carried as the door carries it, until they can be told who has it."""
    await asyncio.sleep(crowd.random.uniform(0, PRESSED_WITHIN_S))
    began = time.monotonic()
    key = Act(
        ActKind.ACKNOWLEDGE,
        ActId(f"key:{n}"),
        person_id(n),
        Via.KEY,
        page=PageId(f"{_id(n)}.1"),
        pressed_at=datetime.now(UTC),
    )
    heard = await crowd.acts.perform(_id(n), key)
    while isinstance(heard, Pending):  # "one moment", and asked again
        try:
            heard = await crowd.acts.ask(_id(n), key)
        except NoAnswerError:
            continue
    assert isinstance(heard, ActReply), heard
    assert heard.verdict is Verdict.YOURS, heard
    return (time.monotonic() - began) * 1000
