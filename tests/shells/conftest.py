"""What the stories begin with."""

from collections.abc import AsyncIterator

import pytest

from tests.shells.servers import Night, city_of, night_of
from tests.shells.town import Town

# A timer that fires while the task that cancels it is with the worker makes the time-skipping server refuse the
# completed task ("invalid history builder state for action"), keep half of it, and refuse every retry
# (https://github.com/temporalio/sdk-java/issues/3088). `workflows/shell.py` leaves a timer alone that is about to
# fire; a task slower than that on a starved machine can still meet it, so such a story is told again.
STANDSTILL = pytest.mark.flaky(reruns=2, only_rerun=["the town does not settle"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tell again what the time-skipping server left in the middle."""
    for item in items:
        if {"night", "town"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(STANDSTILL)


@pytest.fixture
def night() -> Night:
    """Begin a night on the time-skipping server: `async with night(ladder(...), closed={...}) as town`."""
    return night_of


@pytest.fixture
def city() -> Night:
    """Begin a night on the real server: `async with city(ladder(...), rate=2.0) as town`."""
    return city_of


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """A night with the ladder of eight, on the time-skipping server."""
    async with night_of() as town:
        yield town
