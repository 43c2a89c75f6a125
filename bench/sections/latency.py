"""From the decision to page somebody to the request at Twilio.

The decision is the moment at which the server has the workflow task that ordered the page; the request is the
moment at which the telephone network has answered it. In between lie an activity that hands the page to the
person's own workflow, that workflow's start and first task, and the activity that places the call.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from temporalio.api.enums.v1 import EventType

from bench.figures import Figure, spread
from bench.house import House, house, many, scheduled, until, when
from bench.people import Town, alone, line, number, person_id
from workflows import orders
from workflows.messages import responder_workflow_id

DECISIONS = 240
EVERY_S = 0.25  # four a second: below the five up to which the aim is stated
WARM_UP = 10
PROCESSES = ("temporal", "worker", "api", "sandbox")
TITLES = {"latency": "Decision to page → request at Twilio"}


async def measure(_: frozenset[str] = frozenset(TITLES)) -> Mapping[str, Sequence[Figure]]:
    """Raise escalations one after another, each with a person of its own who lets it ring."""
    people = WARM_UP + DECISIONS
    async with house(Town(people=people + 1)) as home:
        before = {name: home.cpu_s(name) for name in PROCESSES}
        for n in range(people):
            starting = asyncio.create_task(home.escalate(f"latency-{n}", alone(n, people), line()))
            await asyncio.sleep(EVERY_S)
            await starting

        requests = await until(home.calls_requested, lambda found: len(found) >= people, limit_s=60)
        used = {name: home.cpu_s(name) - before[name] for name in PROCESSES}
        ways = (_steps(home, n, requests[number(n)][0]) for n in range(WARM_UP, people))
        steps = await many(ways, at_once=8)
    whole, relay, task, queue, request = (list(column) for column in zip(*steps, strict=True))
    at = f"decisions, {1 / EVERY_S:.0f} a second, call rate not binding"
    figures = [
        spread(
            "decision → request, all of it",
            whole,
            samples=at,
            aim="p99 < 250 ms",
            limits="three hops through the server (hand over, the phone's workflow, the queue of calls), each "
            "a write to SQLite with fsync; a phone that is in use already saves its start",
        ),
        spread("  of it: hand the page to the person's workflow", relay, samples="of these"),
        spread("  of it: that workflow's task", task, samples="of these"),
        spread(
            "  of it: wait in the queue of calls",
            queue,
            samples="of these",
            limits="apart: the account's rate rules it",
        ),
        spread("  of it: client, HTTP, the sandbox's answer", request, samples="of these"),
        Figure(
            "processor time of such an escalation, up to the ringing",
            ", ".join(f"{name} {used[name] / people * 1000:.0f} ms" for name in PROCESSES),
            f"{people} escalations",
            "",
            "what bounds how many start in a second",
            {f"{name}_ms": used[name] / people * 1000 for name in PROCESSES},
        ),
    ]
    return {"latency": figures}


async def _steps(home: House, n: int, requested: datetime) -> tuple[float, float, float, float, float]:
    """The way of one page in milliseconds: whole, hand over, task, queue, request."""
    decided = scheduled(await home.events(f"escalation-latency-{n}"), orders.RELAY_PAGE.name)[0]
    phone = await home.events(responder_workflow_id(person_id(n)))
    placing = scheduled(phone, orders.PLACE_PAGE_CALL.name)[0]
    started = next(
        event
        for event in phone
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED
        and event.activity_task_started_event_attributes.scheduled_event_id == placing.event_id
    )
    instants = (when(decided), when(phone[0]), when(placing), when(started), requested)
    handed, task, queue, request = (
        (after - before).total_seconds() * 1000 for before, after in pairwise(instants)
    )
    return handed + task + queue + request, handed, task, queue, request
