"""The manual clock: order, rest, and what counts as work."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest

from sandbox.clock import ManualClock, Promise, RealClock, sleep, within


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


async def test_everything_due_happens_in_order_and_ties_in_the_order_made() -> None:
    clock = ManualClock()
    seen: list[str] = []
    for name, due in (("c", 3), ("a", 1), ("b", 2), ("b2", 2)):
        clock.call_at(clock.now() + seconds(due), partial(seen.append, name))

    await clock.advance(seconds(2))
    assert seen == ["a", "b", "b2"]
    await clock.advance(seconds(1))
    assert seen == ["a", "b", "b2", "c"]


async def test_work_started_by_a_timer_is_finished_before_time_goes_on() -> None:
    clock = ManualClock()
    seen: list[tuple[str, timedelta]] = []
    start = clock.now()

    async def work(name: str) -> None:
        await sleep(clock, seconds(1))
        await asyncio.sleep(0.01)  # real I/O: not the clock's business, but work
        seen.append((name, clock.now() - start))

    clock.work.spawn(work("first"), name="first")
    clock.call_at(start + seconds(1.5), lambda: seen.append(("timer", clock.now() - start)))
    await clock.advance(seconds(2))

    assert seen == [("first", seconds(1)), ("timer", seconds(1.5))]


async def test_next_due_tells_the_next_instant_and_skips_what_was_cancelled() -> None:
    clock = ManualClock()
    assert clock.next_due() is None
    first = clock.call_at(clock.now() + seconds(1), lambda: None)
    second = clock.call_at(clock.now() + seconds(2), lambda: None)
    first.cancel()
    assert clock.next_due() == second.when


async def test_the_agenda_forgets_cancelled_timers_instead_of_keeping_them() -> None:
    clock = ManualClock()
    kept = clock.call_at(clock.now() + seconds(9), lambda: None)
    for _ in range(1_000):
        clock.call_at(clock.now() + seconds(5), lambda: None).cancel()
    assert clock.next_due() == kept.when
    assert len(clock._agenda._heap) < 10  # pyright: ignore[reportPrivateUsage]


async def test_a_promise_keeps_its_first_value_and_a_limit_stands_in_for_it() -> None:
    clock = ManualClock()
    promise: Promise[str] = Promise(clock.work)
    got: list[str] = []

    async def waiter() -> None:
        got.append(await within(clock, promise, seconds(5), "too late"))

    clock.work.spawn(waiter(), name="waiter")
    await clock.advance(seconds(4))
    assert got == []
    await clock.advance(seconds(1))
    promise.keep("after all")
    await clock.work.settled()
    assert got == ["too late"]


async def test_a_cancelled_waiter_counts_as_work_until_it_is_done() -> None:
    clock = ManualClock()
    cleaned: list[bool] = []

    async def work() -> None:
        try:
            await sleep(clock, seconds(60))
        finally:
            cleaned.append(True)

    task = clock.work.spawn(work(), name="work")
    await clock.work.settled()
    task.cancel()
    await clock.work.settled()
    assert cleaned == [True]


async def test_a_failure_in_the_sandbox_does_not_pass_unseen() -> None:
    clock = ManualClock()
    noticed: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noticed.append(context))

    async def fail() -> None:
        await sleep(clock, seconds(1))
        raise RuntimeError("a bug")

    clock.work.spawn(fail(), name="buggy")
    with pytest.raises(RuntimeError, match="a bug"):
        await clock.advance(seconds(2))
    await clock.advance(seconds(2))
    assert len(noticed) == 1


async def test_the_real_clock_runs_as_much_faster_as_asked() -> None:
    clock = RealClock(speed=200)
    begun = clock.now()
    await clock.work.spawn(sleep(clock, seconds(4)), name="nap")
    assert seconds(4) <= clock.now() - begun < seconds(2_000)


async def test_the_real_clock_forgets_what_has_fired() -> None:
    clock = RealClock(speed=1_000)
    for _ in range(50):
        await clock.work.spawn(sleep(clock, seconds(0.5)), name="nap")
    assert len(clock._agenda._heap) < 5  # pyright: ignore[reportPrivateUsage]
