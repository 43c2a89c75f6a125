"""A speech model on a port, and the official client on it."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from openai import AsyncOpenAI

from sandbox.speech.serve import running


@pytest.fixture
async def address() -> AsyncGenerator[str]:
    """Where the light model listens."""
    async with running() as listening:
        yield listening


@pytest.fixture
async def openai(address: str) -> AsyncGenerator[AsyncOpenAI]:
    """The official client, as it comes."""
    async with official(address) as client:
        yield client


@pytest.fixture
async def hand(address: str) -> AsyncGenerator[httpx.AsyncClient]:
    """The control of the model."""
    async with httpx.AsyncClient(base_url=f"{address}/_sandbox") as client:
        yield client


def official(address: str) -> AsyncOpenAI:
    return AsyncOpenAI(api_key="sk-test", websocket_base_url=f"ws{address.removeprefix('http')}/v1")
