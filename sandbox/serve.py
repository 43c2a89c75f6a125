"""Listening: the sandbox on a port, for a test's duration or until it is ended."""

import asyncio
import contextlib
import json
import secrets
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from sandbox.app import create_app
from sandbox.clock import Clock, ManualClock, RealClock
from sandbox.journal import KEPT_RECORDS
from sandbox.network import Network
from sandbox.sound.speech import Kind as VoiceKind
from sandbox.sound.speech import speech_of
from sandbox.town import Town
from sandbox.world import Account

BACKLOG = 2_048
KEEP_ALIVE_S = 30


class OpenConnections:
    """The server's connections by the client's address."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def drop(self, client: tuple[str, int]) -> bool:
        """Cut that client off; false if it is not here."""
        transport = self._transports.get(client)
        if transport is None:
            return False
        transport.abort()
        return True

    def protocol(self) -> type[H11Protocol]:
        """Uvicorn's protocol, noting connections as they come and go."""
        transports = self._transports

        class Noting(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn's own narrowing
                super().connection_made(transport)
                if self.client is not None:
                    transports[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    transports.pop(self.client, None)
                super().connection_lost(exc)

        return Noting


class _Server(uvicorn.Server):
    """A server that says when it listens, and ends when told to; it leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.enough = asyncio.Event()

    async def main_loop(self) -> None:
        await self.enough.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


class _BriefServer(_Server):
    """For tests: cuts whoever is still connected off instead of waiting for them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()


def _config(network: Network) -> uvicorn.Config:
    connections = OpenConnections()
    return uvicorn.Config(
        create_app(network, connections),
        http=connections.protocol(),
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
    )


def _listen(host: str, port: int) -> tuple[socket.socket, str]:
    listener = socket.socket(socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(BACKLOG)
    return listener, f"http://{host}:{listener.getsockname()[1]}"


@asynccontextmanager
async def running(network: Network, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[str]:
    """Serve the network while the block runs; gives its address. Closes the network after."""
    listener, address = _listen(host, port)
    network.world.public_url = address
    server = _BriefServer(_config(network))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.listening.wait()
        yield address
    finally:
        await network.close()
        server.enough.set()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        listener.close()


@dataclass(frozen=True)
class Options:
    """What the command line may say; None leaves it to the town file."""

    host: str = "127.0.0.1"
    port: int = 0
    town: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    account: str | None = None
    token: str | None = None
    calls_per_second: float | None = None
    seed: int | None = None
    speed: float = 1.0
    manual_clock: bool = False
    voice: VoiceKind = VoiceKind.NONE
    record: Path | None = None
    journal: int = KEPT_RECORDS


async def serve(options: Options) -> None:
    """Serve until ended by a signal. Prints the READY line once it listens."""
    listener, address = _listen(options.host, options.port)
    network = build(options, address)
    server = _Server(_config(network))
    for end in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(end, server.enough.set)
    announcing = asyncio.create_task(_announce(server, network, address))
    try:
        await server.serve(sockets=[listener])
    finally:
        announcing.cancel()
        await network.close()
        listener.close()


async def _announce(server: _Server, network: Network, address: str) -> None:
    await server.listening.wait()
    ready: dict[str, Any] = {
        "address": address,
        "seed": network.faults.seed,
        "account": network.world.account.sid,
        "control": f"{address}/_sandbox",
    }
    sys.stdout.write(f"READY {json.dumps(ready)}\n")
    sys.stdout.flush()


def build(options: Options, address: str) -> Network:
    """The network that the options and the town file describe. Raises TownError."""
    variables = {"SANDBOX": address, **options.variables}
    town = Town.read(options.town, variables) if options.town else Town.parse("{}")
    account = town.account or Account()
    chosen = Account(
        type(account.sid)(options.account) if options.account else account.sid,
        options.token or account.token,
    )
    clock: Clock = ManualClock() if options.manual_clock else RealClock(options.speed)
    drawn = secrets.randbelow(2**32)  # else a restart would draw the SIDs of the last run again
    seed = options.seed if options.seed is not None else int(town.number_of("seed", drawn))
    rate = options.calls_per_second
    network = Network(
        clock=clock,
        account=chosen,
        seed=seed,
        calls_per_second=town.number_of("calls_per_second", 1) if rate is None else rate,
        segments_per_second=town.number_of("segments_per_second", 1),
        assumptions=town.assumptions,
        public_url=address,
        speech=speech_of(options.voice),
        journal=options.journal,
    )
    if options.record is not None:
        network.record_all(options.record)
    town.move_in(network)
    return network
