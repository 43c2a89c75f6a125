"""What the stories begin with."""

from collections.abc import AsyncIterator

import pytest

from tests.shells.servers import Night, city_of, night_of
from tests.shells.town import Town


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
