"""A round of the kill table: every state reached on a line of its own, one kill for all, every story to its end.

All states of a round share the kill: what is under test is the state, not the instant, and twelve stories under way at
once are a harder night than twelve nights.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import RateLimit
from temporalio.api.workflowservice.v1 import UpdateTaskQueueConfigRequest

from rung.api import alert_token
from tests.night.installation import PROCESSES, Installation, Process
from tests.night.judge import Allowance, Reached, complaints, reached
from tests.night.owners_file import Line
from tests.night.people import Story
from tests.night.states import AFTER_S, CALLS_ARE_HELD, GAP, KEY, SERVING_AGAIN, Case, End, State, Turns
from workflows import orders

TO_BE_THERE_S = 60.0
KEY_TO_KILL_S = 0.1
HELD = 0.001  # calls a second: one goes through when the rate is set, the next in a quarter of an hour

KILLED: dict[str, tuple[Process, ...]] = {
    "nobody": (),
    **{process: (process,) for process in PROCESSES},
    "all four": PROCESSES,
}

# A push has no key by which a server would know it again, and no list to look it up in: what a dead worker was
# sending is sent again (workflows.orders.PUSH). Calls and texts are looked up, and sent again only when not found.
PUSH_AGAIN = Allowance("a push that a dead worker was sending is sent again", pushes=1)


def allowed(killed: str, state: State) -> Allowance:
    """What may be more than the story asks when this was killed."""
    rules = [state.allowed[process] for process in KILLED[killed] if process in state.allowed]
    if "worker" in KILLED[killed]:
        rules.append(PUSH_AGAIN)
    return Allowance(
        "; ".join(rule.because for rule in rules),
        calls=sum(rule.calls for rule in rules),
        texts=sum(rule.texts for rule in rules),
        pushes=sum(rule.pushes for rule in rules),
    )


@dataclass
class Cell:
    """One process killed in one state, and what came of it. The times count from the kill."""

    killed: str
    state: State
    wrong: list[str] = field(default_factory=list[str])
    seen: dict[str, Reached] = field(default_factory=dict[str, Reached])
    arrived_s: float | None = None
    ended_s: float | None = None


@dataclass
class Round:
    """All chosen states with the same processes killed."""

    killed: str
    cells: dict[str, Cell]
    serving_s: float = 0.0


async def play(
    night: Installation, killed: str, lines: dict[str, Line], states: Sequence[State], decoy: Line
) -> Round:
    """Bring every state about, kill, and see every story to its end. decoy: a line that nobody else uses."""
    told = Round(killed, {state.name: Cell(killed, state) for state in states})
    turns = Turns()
    cases = {state.name: Case(night, Story(night, lines[state.name]), turns) for state in states}
    telling = {
        state.name: asyncio.create_task(_tell(state, cases[state.name]), name=state.name) for state in states
    }

    def past(turn: int) -> bool:
        return all(case.waits_for > turn or telling[name].done() for name, case in cases.items())

    clock = asyncio.get_running_loop().time
    killed_at = clock()
    try:
        async with contextlib.AsyncExitStack() as queue:
            for turn in range(KEY + 1):
                if turn == CALLS_ARE_HELD:
                    await queue.enter_async_context(_calls_held(night, decoy))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TO_BE_THERE_S):
                        await turns.give(turn, partial(past, turn))
            await asyncio.sleep(random.Random(killed).uniform(0, KEY_TO_KILL_S))
            killed_at = clock()
            with night.killed(*KILLED[killed]) as ready:
                await turns.give(GAP, lambda: True)
                await ready()
            told.serving_s = clock() - killed_at
        await turns.give(SERVING_AGAIN, lambda: True)
        await asyncio.wait(telling.values())
    finally:
        for task in telling.values():
            task.cancel()
        await asyncio.gather(*telling.values(), return_exceptions=True)
    for state in states:
        _judge(told.cells[state.name], cases[state.name], telling[state.name], lines[state.name], killed_at)
    return told


async def _tell(state: State, case: Case) -> tuple[End, float]:
    """A story's end, and when."""
    try:
        async with asyncio.timeout(TO_BE_THERE_S * 2 + AFTER_S):
            return await state.tell(case), asyncio.get_running_loop().time()
    finally:
        await case.turns.arrived()


@asynccontextmanager
async def _calls_held(night: Installation, decoy: Line) -> AsyncGenerator[None, None]:
    """Hold the account's calls in their queue, as an account with next to no rate does.

    decoy: a line for which an alert is raised. One call still goes out under any rate, and this is its.
    """
    await _set_rate(night, HELD)
    somebody = Story(night, decoy)
    headers = {"Authorization": f"Bearer {alert_token(night.settings)}", "Idempotency-Key": "decoy"}
    raised = await night.door.post(f"/alerts/{decoy.key}", json={"category": "water"}, headers=headers)
    assert raised.status_code == HTTPStatus.ACCEPTED
    await somebody["ana"].is_called()
    try:
        yield
    finally:
        await _set_rate(night, None)


async def _set_rate(night: Installation, calls_per_second: float | None) -> None:
    """Overrule the worker's own rate, or let it hold again."""
    update = UpdateTaskQueueConfigRequest.RateLimitUpdate(reason="a test holds the calls")
    if calls_per_second is not None:
        update.rate_limit.CopyFrom(RateLimit(requests_per_second=calls_per_second))
    await night.client.workflow_service.update_task_queue_config(
        UpdateTaskQueueConfigRequest(
            namespace=night.client.namespace,
            identity="kill table",
            task_queue=orders.CALLS,
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            update_queue_rate_limit=update,
        )
    )


def _judge(
    cell: Cell, case: Case, telling: "asyncio.Task[tuple[End, float]]", line: Line, killed_at: float
) -> None:
    """Hold what came of it against what the story asks."""
    if telling.cancelled() or not telling.done():
        cell.wrong.append("did not come to an end")
    elif (error := telling.exception()) is not None:
        cell.wrong.append(f"{type(error).__name__}: {error}")
    else:
        end, ended_at = telling.result()
        cell.ended_s = ended_at - killed_at
        expected = cell.state.end(line)
        if end != expected:
            cell.wrong.append(f"ended as {end}, not as {expected}")
    if case.arrived_at:
        cell.arrived_s = case.arrived_at - killed_at
    cell.seen = reached(line, case.night.journal.since(case.story.began))
    cell.wrong += complaints(cell.state.asked, cell.seen, allowed(cell.killed, cell.state))
