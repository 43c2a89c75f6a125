"""What an escalation costs Temporal, by the way it went: events in its histories, and actions billed.

Each way is a story of its own with a caller on the line, an AI leg, and everybody reached by voice, text and push;
all are told at once. The telephone network's clock runs faster and the ladder's clocks are shortened alike (a rung
of 120 s whose phone rings for 40 s and again after 60 s), so that everything happens as often as in a real night.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio.client import WorkflowHandle, WorkflowQueryFailedError
from temporalio.service import RPCError

from bench.actions import actions, dollars
from bench.figures import Figure
from bench.house import House, house, until
from bench.people import LinePlan, Town, caller_number, line_number, person_id
from workflows.emergency import Phase
from workflows.escalation import EscalationWorkflow
from workflows.messages import EscalationOutcome, call_workflow_id, responder_workflow_id
from workflows.values import Act, ActId, ActKind, CallSid, Via

TITLES = {"cost": "Events and billable actions per escalation"}
SPEED = 15.0
RUNG_S, AGAIN_S = 120 / SPEED, 60 / SPEED
LIMIT_S = 240.0
REPORTS = ({"wait": 4}, {"press": "1"}, {"wait": 3}, {"press": "1"}, "stay")
COMES = ({"wait": 20}, {"press": "*"}, {"wait_for": "resolve"}, {"press": "1"}, {"wait": 10}, "hang_up")
TAKES = {"answer": 5, "steps": [{"press_heard": r"press (\d) to take it"}, *COMES]}
JOINS = {"answer": 5, "steps": [{"press_heard": r"press (\d) to join"}, *COMES]}
TAKES_BY_TEXT = {"reply_heard": r"reply (\d+) to take", "after": 5}


@dataclass(frozen=True)
class Story:
    """A way an escalation can go: its ladder, one person a rung, and who does what."""

    name: str
    rungs: int
    taken_on: int | None = None
    by_text: bool = False


STORIES = (
    Story("taken by key on rung 1", rungs=8, taken_on=1),
    Story("taken by key on rung 3", rungs=8, taken_on=3),
    Story("whole ladder of 8, nobody, one round", rungs=8),
    Story("taken by SMS, join call", rungs=8, taken_on=1, by_text=True),
)


@dataclass
class Bill:
    """What histories cost. workflows: how many runs."""

    workflows: int = 0
    events: int = 0
    kinds: Counter[str] = field(default_factory=Counter[str])

    @property
    def actions(self) -> int:
        """How many in all."""
        return self.kinds.total()

    def add(self, other: "Bill") -> None:
        """Put another bill on this one."""
        self.workflows += other.workflows
        self.events += other.events
        self.kinds += other.kinds


async def measure(_: frozenset[str] = frozenset(TITLES)) -> Mapping[str, Sequence[Figure]]:
    """Tell all stories at once, and read the bills."""
    people = 0
    lines: list[LinePlan] = []
    calls: dict[int, Sequence[Any]] = {}
    texts: dict[int, Sequence[Any]] = {}
    for story in STORIES:
        first, people = people, people + story.rungs
        rungs = [(who,) for who in range(first, people)]
        lines.append(LinePlan(rungs, wait_s=RUNG_S, ring_again_s=AGAIN_S))
        if story.taken_on is not None:
            taker = first + story.taken_on - 1
            calls[taker] = ["busy", JOINS] if story.by_text else [TAKES]
            if story.by_text:
                texts[taker] = [TAKES_BY_TEXT, {"deliver": 1}]
    town = Town(people, lines, everywhere=frozenset(range(people)), calls=calls, texts=texts, speed=SPEED)
    async with house(town) as home:
        told = await asyncio.gather(*(_told(home, n, story, lines[n]) for n, story in enumerate(STORIES)))
    return {"cost": [_figure(story, bills) for story, bills in zip(STORIES, told, strict=True)]}


async def _told(home: House, n: int, story: Story, plan: LinePlan) -> Mapping[str, Bill]:
    """One story from the caller's ring to its end, and its bill by the kind of workflow."""
    sid = CallSid(await home.network.dial(caller_number(n), line_number(n), REPORTS))
    call = home.client.get_workflow_handle(call_workflow_id(sid))
    escalation = home.client.get_workflow_handle(f"escalation-{sid}")
    await until(lambda: _phase(escalation), lambda phase: phase is not None, LIMIT_S)
    if story.taken_on is None:
        await until(lambda: _phase(escalation), lambda phase: phase == Phase.EXHAUSTED, LIMIT_S)
        act = Act(ActKind.CANCEL, ActId(f"bench:{sid}"), person_id(0), Via.CONSOLE)
        await escalation.execute_update(EscalationWorkflow.cancel, act)
    async with asyncio.timeout(LIMIT_S):
        await escalation.result()
        if story.taken_on is None:
            await home.network.hang_up(sid)
        await call.result()
    people = [responder_workflow_id(person_id(who)) for rung in plan.rungs for who in rung]
    return {
        "call": await _bill(home, [call.id]),
        "escalation": await _bill(home, [escalation.id]),
        "phones": await _bill(home, people),
    }


async def _phase(escalation: WorkflowHandle[EscalationWorkflow, EscalationOutcome]) -> Phase | None:
    """Where it stands; None before it can say."""
    try:
        return (await escalation.query(EscalationWorkflow.status)).phase
    except (RPCError, WorkflowQueryFailedError):
        return None


async def _bill(home: House, workflow_ids: Sequence[str]) -> Bill:
    """Every run of these workflows."""
    bill = Bill()
    for workflow_id in workflow_ids:
        async for run in home.client.list_workflows(f"WorkflowId = '{workflow_id}'"):
            events = await home.events(workflow_id, run.run_id)
            bill.add(Bill(1, len(events), actions(events)))
    return bill


def _figure(story: Story, bills: Mapping[str, Bill]) -> Figure:
    whole = Bill()
    for bill in bills.values():
        whole.add(bill)
    price = dollars(whole.actions)
    parts = "; ".join(f"{kind} {bill.events} / {bill.actions}" for kind, bill in bills.items())
    counts = {f"{kind}_events": bill.events for kind, bill in bills.items()}
    counts |= {f"{kind}_actions": bill.actions for kind, bill in bills.items()}
    counts |= {f"of_{kind.replace(' ', '_')}": count for kind, count in whole.kinds.items()}
    return Figure(
        story.name,
        f"{whole.actions} actions, ${price:.4f}; {whole.events} events",
        f"1 story, {whole.workflows} workflows",
        "",
        f"events / actions: {parts}",
        {"actions": float(whole.actions), "events": float(whole.events), "dollars": price}
        | {name: float(count) for name, count in counts.items()},
    )
