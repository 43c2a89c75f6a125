"""The sandbox's time, and who is at work in it.

Everything that takes time in the sandbox waits on one clock, and everything it does runs in
tasks that the clock started. So the clock can tell "waiting for time or for somebody" from
"at work": a task counts as work from `spawn` to its end, except while it waits in `sleep` or
on a `Promise`. A manual clock moves only when nothing is at work, which makes a test
repeatable although the webhooks in it are real HTTP.

What waits for the outside without a promise of ours (a web socket's reader) is spawned with
`counted=False`.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")

# A night in winter; any fixed instant would do.
DEFAULT_START = datetime(2026, 1, 5, 2, 18, tzinfo=UTC)

# Turns of the event loop with nobody at work before the quiet is believed: a cancelled
# waiter needs two to count as work again, a finished socket read up to four.
QUIET_TURNS = 6


class Timer:
    """Something due at an instant. Cancelling it late or twice does nothing."""

    __slots__ = ("act", "agenda", "handle", "when")

    def __init__(self, when: datetime, act: Callable[[], None], agenda: "Agenda") -> None:
        self.when = when
        self.act: Callable[[], None] | None = act
        self.agenda = agenda
        self.handle: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        if self.act is None:
            return
        self.act = None
        self.agenda.forget_one()
        if self.handle is not None:
            self.handle.cancel()

    def fire(self) -> None:
        if self.act is not None:
            act, self.act = self.act, None
            act()


class Agenda:
    """Timers in the order they are due; ties in the order they were made."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Timer]] = []
        self._order = itertools.count()
        self._cancelled = 0

    def add(self, when: datetime, act: Callable[[], None]) -> Timer:
        timer = Timer(when, act, self)
        heapq.heappush(self._heap, (when, next(self._order), timer))
        return timer

    def first(self) -> Timer | None:
        while self._heap and self._heap[0][2].act is None:
            heapq.heappop(self._heap)
        return self._heap[0][2] if self._heap else None

    def forget_one(self) -> None:
        """Account for a cancelled timer; sweep them out when they are the most."""
        self._cancelled += 1
        if self._cancelled > len(self._heap) // 2:
            self._heap = [entry for entry in self._heap if entry[2].act is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0


class Work:
    """Counts tasks that are doing something and says when none is."""

    def __init__(self) -> None:
        self._busy = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._quiet: list[asyncio.Future[None]] = []
        self._failure: BaseException | None = None

    def begin(self) -> None:
        self._busy += 1

    def rest(self) -> None:
        self._busy -= 1
        if self._busy == 0:
            for waiter in self._quiet:
                if not waiter.done():
                    waiter.set_result(None)
            self._quiet.clear()

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str, counted: bool = True) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        if counted:
            self.begin()
            task.add_done_callback(self._counted_done)
        else:
            task.add_done_callback(self._done)
        return task

    def _counted_done(self, task: asyncio.Task[Any]) -> None:
        self.rest()
        self._done(task)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed(error, f"task {task.get_name()}")

    def failed(self, error: BaseException, what: str) -> None:
        """Something of the sandbox's own went wrong."""
        self._failure = self._failure or error
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"sandbox {what} failed", "exception": error}
        )

    def raise_failure(self) -> None:
        """Raise the first failure of a task, once: a fault in the sandbox must not pass unseen."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    async def settled(self) -> None:
        """Return once nobody is at work, nor about to be."""
        turns = 0
        while turns < QUIET_TURNS:
            if self._busy > 0:
                turns = 0
                waiter = asyncio.get_running_loop().create_future()
                self._quiet.append(waiter)
                await waiter
            else:
                turns += 1
                await asyncio.sleep(0)

    async def stop(self) -> None:
        """Cancel every task and wait for their ends."""
        while self._tasks:
            tasks = list(self._tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


class Clock(Protocol):
    """What the sandbox asks of a clock; `RealClock` and `ManualClock` are the two there are."""

    work: Work

    def now(self) -> datetime: ...
    def call_at(self, when: datetime, act: Callable[[], None]) -> Timer: ...
    def next_due(self) -> datetime | None: ...


class Promise(Generic[T]):
    """A value to come, once. The first `keep` wins; waiting for it is not work."""

    __slots__ = ("_followers", "_value", "_waiters", "_work")

    def __init__(self, work: Work) -> None:
        self._work = work
        self._value: tuple[T] | None = None
        self._followers: list[Callable[[T], None]] = []
        self._waiters: list[asyncio.Future[T]] = []

    @property
    def kept(self) -> bool:
        return self._value is not None

    def keep(self, value: T) -> None:
        if self._value is not None:
            return
        self._value = (value,)
        for waiter in self._waiters:
            if not waiter.done():
                self._work.begin()  # on behalf of the one who now wakes up
                waiter.set_result(value)
        self._waiters.clear()
        for follow in self._followers:
            follow(value)
        self._followers.clear()

    def then(self, act: Callable[[T], None]) -> None:
        """Do this with the value, at once when it is there already."""
        if self._value is not None:
            act(self._value[0])
        else:
            self._followers.append(act)

    async def wait(self) -> T:
        """The value. Only for counted tasks (see the top of this file)."""
        if self._value is not None:
            return self._value[0]
        waiter: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._work.rest()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():  # else `keep` has counted us in already
                self._work.begin()
            raise


async def within(clock: Clock, promise: Promise[T], limit: timedelta, otherwise: T) -> T:
    """What the promise is kept with, or `otherwise` once the limit has passed."""
    timer = clock.call_at(clock.now() + limit, lambda: promise.keep(otherwise))
    try:
        return await promise.wait()
    finally:
        timer.cancel()


async def sleep(clock: Clock, duration: timedelta) -> None:
    """Let that much of the sandbox's time pass. Zero and less passes at once."""
    if duration <= timedelta(0):
        return
    over: Promise[None] = Promise(clock.work)
    timer = clock.call_at(clock.now() + duration, lambda: over.keep(None))
    try:
        await over.wait()
    finally:
        timer.cancel()


class ManualClock:
    """Time stands still until somebody advances it."""

    def __init__(self, start: datetime = DEFAULT_START) -> None:
        self.work = Work()
        self._now = start
        self._agenda = Agenda()
        self._moving = asyncio.Lock()

    def now(self) -> datetime:
        return self._now

    def call_at(self, when: datetime, act: Callable[[], None]) -> Timer:
        return self._agenda.add(when, act)

    def next_due(self) -> datetime | None:
        first = self._agenda.first()
        return first.when if first is not None else None

    async def advance(self, duration: timedelta) -> None:
        await self.advance_to(self._now + duration)

    async def advance_to(self, instant: datetime) -> None:
        """Do everything due until then, in order, each to its end before the next."""
        async with self._moving:
            await self.work.settled()
            while (timer := self._agenda.first()) is not None and timer.when <= instant:
                self._now = max(self._now, timer.when)
                timer.fire()
                await self.work.settled()
            self._now = max(self._now, instant)
            self.work.raise_failure()


class RealClock:
    """Wall time, running `speed` times as fast."""

    def __init__(self, speed: float = 1.0, start: datetime | None = None) -> None:
        self.work = Work()
        self.speed = speed
        self._start = start or datetime.now(UTC)
        self._zero = monotonic()
        self._agenda = Agenda()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(monotonic() - self._zero) * self.speed)

    def call_at(self, when: datetime, act: Callable[[], None]) -> Timer:
        self._agenda.first()  # forgets what has fired: some fifty timers a second where there is sound
        timer = self._agenda.add(when, act)
        wait_s = max(0.0, (when - self.now()).total_seconds() / self.speed)
        timer.handle = asyncio.get_running_loop().call_later(wait_s, timer.fire)
        return timer

    def next_due(self) -> datetime | None:
        first = self._agenda.first()
        return first.when if first is not None else None
