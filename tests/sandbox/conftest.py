"""A town with one line, one application and a product that answers for both."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import ParamSpec, TypeVar

import pytest
from twilio.rest import Client

from sandbox.clock import ManualClock
from sandbox.network import Network
from sandbox.phones import CallBehaviour, Phone
from sandbox.serve import running
from sandbox.sound.speech import LIGHT, Speech
from sandbox.world import DEFAULT_ACCOUNT, DEFAULT_TOKEN
from tests.sandbox.product import Product, running_product

LINE = "+15550000100"
CALLER = "+15550000301"

P = ParamSpec("P")
T = TypeVar("T")


@dataclass
class Scene:
    """A sandbox with a manual clock, a product beside it, and the official client."""

    network: Network
    clock: ManualClock
    product: Product
    address: str
    client: Client

    async def pass_time(self, seconds: float) -> None:
        await self.clock.advance(timedelta(seconds=seconds))

    async def request(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A blocking call of the official client, beside the loop."""
        return await asyncio.to_thread(call, *args, **kwargs)

    def phone(self, number: str, *behaviours: CallBehaviour, name: str = "") -> Phone:
        phone = self.network.add_phone(number, name=name)
        phone.on_calls(*behaviours)
        return phone


@pytest.fixture
async def scene() -> AsyncGenerator[Scene]:
    """Without sound: what is spoken travels as text."""
    async with _town(None) as scene:
        yield scene


@pytest.fixture
async def sounding() -> AsyncGenerator[Scene]:
    """With the light voice: what is spoken can be heard."""
    async with _town(LIGHT) as scene:
        yield scene


@asynccontextmanager
async def _town(speech: Speech | None) -> AsyncGenerator[Scene]:
    clock = ManualClock()
    network = Network(clock=clock, seed=7, speech=speech)
    async with running_product() as product, running(network) as address:
        network.add_number(
            LINE,
            voice_url=product.url + "/voice",
            status_callback=product.url + "/voice-ended",
            sms_url=product.url + "/sms",
        )
        network.add_application("ai-leg", voice_url=product.url + "/ai")
        client = Client(DEFAULT_ACCOUNT, DEFAULT_TOKEN)  # type: ignore[no-untyped-call]  # of the client
        client.api.base_url = address
        yield Scene(network, clock, product, address, client)
