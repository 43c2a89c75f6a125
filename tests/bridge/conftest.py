"""A bridge process's parts around a real Temporal server, and a call for it to attach to."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from tests.bridge.scene import Scene, scene
from tests.temporal_server import TemporalServer


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[TemporalServer]:
    there = TemporalServer(Path(tmp_path_factory.mktemp("bridge")))
    yield there
    there.end()


@pytest.fixture
async def night(server: TemporalServer) -> AsyncGenerator[Scene]:
    """A call with an AI leg that waits for its audio, and one bridge."""
    await server.serves()
    async with scene(server.settings) as there:
        yield there
