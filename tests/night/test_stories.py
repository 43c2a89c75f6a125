"""Nights told with every process real: one story for each way a night can go.

Stories that can be told at once are, each on a line of its own, so that the whole takes no longer than the longest.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.night.installation import Installation, installed
from tests.night.lines import FILE
from tests.night.outage_stories import (
    TEMPORAL_IS_DEAD,
    another_host_rings_the_rota_and_only_a_key_connects,
)
from tests.night.peaceful_stories import PEACEFUL
from tests.night.together import Outage, Together

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def night(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """One installation for all stories."""
    async with installed(tmp_path_factory.mktemp("night"), FILE) as night:
        yield night


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def together(request: pytest.FixtureRequest) -> AsyncIterator[Together]:
    """The stories that this run has chosen."""
    specs = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    async with Together(
        [spec.params["story"] for spec in specs if spec and "story" in spec.params]
    ) as together:
        yield together


def rule(story: Callable[..., Any]) -> str:
    """The rule that a story tells of."""
    return story.__name__


@pytest.mark.parametrize("story", PEACEFUL, ids=rule)
async def test_in_peace(
    story: Callable[[Installation], Awaitable[None]], night: Installation, together: Together
) -> None:
    await together.tell(story, PEACEFUL, lambda one: one(night))


@pytest.mark.parametrize("story", TEMPORAL_IS_DEAD, ids=rule)
async def test_while_temporal_is_dead(
    story: Callable[[Installation, Outage], Awaitable[None]], night: Installation, together: Together
) -> None:
    outage = Outage(night, "temporal", shared_by=len(together.chosen(TEMPORAL_IS_DEAD)))
    await together.tell(story, TEMPORAL_IS_DEAD, lambda one: one(night, outage))


async def test_while_the_door_is_dead(night: Installation, tmp_path: Path) -> None:
    await another_host_rings_the_rota_and_only_a_key_connects(night, tmp_path)
