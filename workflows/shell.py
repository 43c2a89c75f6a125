"""What the three durable shells share: one loop that waits, decides and performs, and how they reach out.

Handlers only append to the inbox; the loop owns the state, so no locks are needed. What takes time runs beside
the loop and comes back as an event: an acknowledgement never queues behind a slow call.
"""

import asyncio
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from temporalio import workflow
from temporalio.common import Priority
from temporalio.exceptions import FailureError

from workflows.messages import Message
from workflows.orders import In, Order, Out

Event = TypeVar("Event")
Answer = TypeVar("Answer")

# A timer that fires while the task that cancels it is with the worker: the real server forgets the firing, the
# time-skipping one refuses the task for good (https://github.com/temporalio/sdk-java/issues/3088). So one that is
# about to fire is left to fire, and nobody listens to it.
ABOUT_TO_FIRE_S = 2.0


@dataclass(eq=False)
class Asked(Generic[Event, Answer]):
    """An event with a place for the answer that its sender waits for."""

    event: Event
    answers: list[Answer] = field(default_factory=list[Answer])


class Loop(Generic[Event, Answer]):
    """An inbox, one armed timer, and the work that runs beside them."""

    def __init__(self) -> None:
        self.inbox: deque[Asked[Event, Answer]] = deque()
        self._beside: dict[int, asyncio.Task[None]] = {}
        self._started = 0
        self._timer: asyncio.Task[None] | None = None
        self._timer_at: datetime | None = None
        self._due = False
        self._failure: BaseException | None = None

    def hear(self, event: Event) -> Asked[Event, Answer]:
        """Append news for the loop to decide on."""
        asked = Asked[Event, Answer](event)
        self.inbox.append(asked)
        return asked

    async def ask(self, event: Event) -> Answer:
        """Append news and wait for what the loop answers."""
        asked = self.hear(event)
        await workflow.wait_condition(lambda: bool(asked.answers))
        return asked.answers[0]

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Run work beside the loop; it reports back by `hear`."""
        self._started += 1
        number = self._started
        task = asyncio.create_task(work)
        self._beside[number] = task
        task.add_done_callback(lambda done: self._ended(number, done))

    def _ended(self, number: int, task: asyncio.Task[None]) -> None:
        del self._beside[number]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = error

    async def next(self, due: datetime | None, why: str) -> Asked[Event, Answer] | None:
        """The next thing heard, or None when `due` has come. News wins a tie."""
        self._arm(due, why)
        await workflow.wait_condition(lambda: bool(self.inbox) or self._due or self._failure is not None)
        if self._failure is not None:  # a bug of ours: the workflow task is retried until the fix is deployed
            raise RuntimeError("an effect failed in a way nobody foresaw") from self._failure
        if self.inbox:
            return self.inbox.popleft()
        self._due, self._timer_at = False, None
        return None

    async def settled(self, due: datetime | None = None, why: str = "") -> bool:
        """Wait for what runs beside and for every handler; False when news, or `due`, came first."""
        self._arm(due, why)

        def disturbed() -> bool:
            return bool(self.inbox) or self._due or self._failure is not None

        await workflow.wait_condition(
            lambda: disturbed() or (not self._beside and workflow.all_handlers_finished())
        )
        return not disturbed()

    def _arm(self, due: datetime | None, why: str) -> None:
        """Keep one durable timer for this instant; an unchanged instant costs nothing."""
        if due == self._timer_at:
            return
        soon = workflow.now() + timedelta(seconds=ABOUT_TO_FIRE_S)
        if self._timer is not None and self._timer_at is not None and self._timer_at > soon:
            self._timer.cancel()
        self._timer_at, self._due, self._timer = due, False, None
        if due is not None:
            self._timer = asyncio.create_task(self._sleep(due, why))

    async def _sleep(self, due: datetime, why: str) -> None:
        remaining = due - workflow.now()
        if remaining > timedelta(0):
            await workflow.sleep(remaining, summary=why)
        self._due = self._due or due == self._timer_at


async def perform(
    order: Order[In, Out],
    arg: In,
    summary: str,
    *,
    queue: str | None = None,
    priority: Priority = Priority.default,
) -> Out:
    """Have an order carried out. Raises FailureError when it failed for good."""
    return await begin(order, arg, summary, queue=queue, priority=priority)


def begin(
    order: Order[In, Out],
    arg: In,
    summary: str,
    *,
    queue: str | None = None,
    priority: Priority = Priority.default,
) -> "workflow.ActivityHandle[Out]":
    """Start an order; cancelling the handle withdraws it if nobody has taken it up yet."""
    return workflow.start_activity(
        order.name,
        arg,
        result_type=order.gives,
        task_queue=order.queue or queue,
        start_to_close_timeout=order.start_to_close,
        schedule_to_close_timeout=order.schedule_to_close,
        schedule_to_start_timeout=order.schedule_to_start,
        retry_policy=order.retry,
        cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        priority=priority,
        summary=summary,
    )


async def tell(workflow_id: str, signal: str, message: Message) -> bool:
    """Signal another workflow; False when it is closed or was never there."""
    try:
        await workflow.get_external_workflow_handle(workflow_id).signal(signal, message)
    except FailureError:
        return False
    return True


def now() -> datetime:
    """The workflow's clock."""
    return workflow.now()
