"""A thousand emergencies at once, with the account's call rate set to fifty a second.

Severities are drawn at random. For some of them the clock is short: were it to run while their page is queued,
they would climb before anybody's phone was rung.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.arithmetic import Turn, busiest_second, mean_rate, pairs_out_of_order
from bench.figures import Figure, rule
from bench.house import House, house, many, scheduled, until, when
from bench.people import LONG_S, Town, alone, line, number, person_id
from workflows import orders
from workflows.messages import responder_workflow_id
from workflows.values import Severity

TITLES = {"storm": "1,000 escalations at once, 50 calls a second"}
ESCALATIONS, RATE, AT_ONCE = 1000, 50.0, 100
SHORT, SHORT_S = 100, 20.0  # so many of them have so short a clock, and a second person each
WEIGHTS = {Severity.LIFE: 1, Severity.URGENT: 4, Severity.ROUTINE: 5}
SLACK = timedelta(milliseconds=50)  # between the clocks of the sandbox and the server, on one machine
LIMIT_S = 900


@dataclass(frozen=True)
class Page:
    """One escalation's first page: when its escalation was started, and its way through the queue of calls."""

    escalation: int
    started: datetime
    turn: Turn

    @property
    def waited_s(self) -> float:
        """From the start of the escalation to the submission."""
        return (self.turn.submitted - self.started).total_seconds()


async def measure(_: frozenset[str] = frozenset(TITLES)) -> Mapping[str, Sequence[Figure]]:
    """Start them all, wait until every first page was submitted, and read what happened."""
    draw = random.Random(7)
    severities = draw.choices(list(WEIGHTS), list(WEIGHTS.values()), k=ESCALATIONS)
    short = set(draw.sample(range(ESCALATIONS), SHORT))
    second = {n: ESCALATIONS + nth for nth, n in enumerate(sorted(short))}
    nobody = ESCALATIONS + SHORT
    async with house(Town(people=nobody + 1, calls_per_second=RATE)) as home:
        began = datetime.now(UTC)
        ladders = [
            alone(n, second.get(n, nobody), SHORT_S if n in short else LONG_S) for n in range(ESCALATIONS)
        ]
        starts = (home.escalate(f"storm-{n}", ladders[n], line(), severities[n]) for n in range(ESCALATIONS))
        await many(starts, at_once=AT_ONCE)
        taken_s = (datetime.now(UTC) - began).total_seconds()

        wanted = {number(n) for n in (*range(ESCALATIONS), *second.values())}
        calls = await until(home.calls_requested, lambda found: wanted <= found.keys(), LIMIT_S, pause_s=2)
        pages = await many(
            (
                _page(home, n, severities[n], calls[number(n)][0])
                for n in range(ESCALATIONS)
                if number(n) in calls
            ),
            at_once=8,
        )
    of = {page.escalation: page for page in pages}
    early = sum(
        calls[number(second[n])][0] < of[n].turn.submitted + timedelta(seconds=SHORT_S) - SLACK
        for n in short & of.keys()
        if number(second[n]) in calls
    )
    waited = sum(of[n].waited_s > SHORT_S for n in short & of.keys())
    lost = ESCALATIONS - len(pages)
    doubled = sum(len(calls[number(n)]) > 1 for n in of)
    every = [at for times in calls.values() for at in times]
    figures = [
        Figure(
            "starts accepted by the server",
            f"{taken_s:.1f} s",
            f"{ESCALATIONS} starts, {AT_ONCE} under way at a time",
            "",
            "one write to SQLite each",
            {"seconds": taken_s},
        ),
        *_rate([page.turn.submitted for page in pages], every),
        *_order(pages),
        rule("first pages lost", lost, samples=f"{ESCALATIONS} escalations"),
        rule("first pages doubled", doubled, samples=f"{ESCALATIONS} escalations"),
        rule(
            "rungs climbed before their clock had run from the submission",
            early,
            samples=f"{SHORT} with a clock of {SHORT_S:.0f} s; {waited} waited longer than that for their call",
            limits="the clock starts when the call was submitted",
        ),
    ]
    return {"storm": figures}


def _rate(firsts: Sequence[datetime], every: Sequence[datetime]) -> list[Figure]:
    span_s = (max(firsts) - min(firsts)).total_seconds()
    numbers = {"mean": mean_rate(firsts), "busiest": float(busiest_second(every)), "seconds": span_s}
    return [
        Figure(
            "calls requested in the busiest second",
            f"{busiest_second(every)}",
            f"{len(every)} calls, wherever the second begins",
            f"≤ {RATE:.0f}",
            "the server's limiter lets a small burst through",
            numbers,
        ),
        Figure(
            "first pages submitted, mean rate",
            f"{mean_rate(firsts):.1f} a second ({span_s:.0f} s from the first to the last)",
            f"{len(firsts)} pages",
            f"{RATE:.0f} where the machine can",
            "some ten tasks of two workflows each: the processor, where the rate is not reached",
            numbers,
        ),
    ]


def _order(pages: Sequence[Page]) -> list[Figure]:
    turns = [page.turn for page in pages]
    figures: list[Figure] = []
    for what, together in (
        ("pairs out of the order of severity, in the queue of calls together", True),
        ("  … of all pairs of different severity", False),
    ):
        wrong, pairs = pairs_out_of_order(turns, together=together)
        share = wrong / pairs if pairs else 0.0
        limits = "calls already handed to the worker when a graver one came" if together else "who came first"
        numbers = {"share": share, "wrong": float(wrong), "pairs": float(pairs)}
        figures.append(Figure(what, f"{share:.2%} ({wrong})", f"{pairs} pairs", "0", limits, numbers))
    return figures


async def _page(home: House, n: int, severity: Severity, submitted: datetime) -> Page:
    """The first page of one escalation."""
    started = when((await home.events(f"escalation-storm-{n}"))[0])
    phone = await home.events(responder_workflow_id(person_id(n)))
    queued = when(scheduled(phone, orders.PLACE_PAGE_CALL.name)[0])
    return Page(n, started, Turn(severity.rank, queued, submitted))
