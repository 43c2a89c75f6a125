"""The town in which the activities are tried."""

from collections.abc import AsyncGenerator

import pytest

from activities.transport import Transport
from sandbox.clock import ManualClock
from sandbox.network import Network
from sandbox.serve import running
from tests.activities.town import Town, client_for


@pytest.fixture
async def town() -> AsyncGenerator[Town]:
    clock = ManualClock()
    network = Network(clock=clock, seed=7, calls_per_second=100)
    async with running(network) as address, Transport() as transport:
        yield Town(network, clock, address, client_for(transport, address))
