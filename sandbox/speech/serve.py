"""Listening: the speech model on a port, for a test's duration or until it is ended."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from sandbox.speech.dialogue.mind import RuleMind
from sandbox.speech.faults import Fault, Faults
from sandbox.speech.organs import Organs, light
from sandbox.speech.service import Model, Service
from sandbox.speech.session import Timing
from sandbox.speech.workshop import Workshop

BACKLOG = 2_048
FRAME_BYTES = 24 * 1024 * 1024  # an append of 15 MiB in base64, and its envelope


class OpenSockets:
    """The web sockets' transports by the client's address, to cut one off."""

    def __init__(self) -> None:
        self._transports: dict[tuple[str, int], asyncio.Transport] = {}

    def cut(self, client: tuple[str, int]) -> None:
        if (transport := self._transports.get(client)) is not None:
            transport.abort()

    def protocol(self) -> type[WebSocketsSansIOProtocol]:
        transports = self._transports

        class Noting(WebSocketsSansIOProtocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                if self.client is not None:
                    transports[self.client] = self.transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    transports.pop(self.client, None)
                super().connection_lost(exc)

        return Noting


class _Server(uvicorn.Server):
    """Says when it listens, ends when told to, leaves signals alone, and then cuts off whoever is connected."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()
        self.enough = asyncio.Event()

    async def main_loop(self) -> None:
        await self.enough.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await asyncio.gather(*self.server_state.tasks, return_exceptions=True)

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@dataclass(frozen=True)
class Options:
    """What the command line may say."""

    host: str = "127.0.0.1"
    port: int = 0
    seed: int = 0
    faults: Sequence[Fault] = ()
    timing: Timing = field(default_factory=Timing)


@asynccontextmanager
async def running(options: Options | None = None, organs: Organs | None = None) -> AsyncGenerator[str]:
    """Serve while the block runs; gives the address, `http://…`. organs: the light ones if none are given."""
    options = options or Options()
    listener = socket.create_server((options.host, options.port), backlog=BACKLOG)
    faults = Faults(options.seed)
    for fault in options.faults:
        faults.add(fault)
    workshop = Workshop(organs or light())
    open_sockets = OpenSockets()
    service = Service(Model(workshop, RuleMind, faults, options.timing), open_sockets.cut)
    server = _Server(
        uvicorn.Config(
            service.app(),
            http=H11Protocol,
            ws=open_sockets.protocol(),
            ws_max_size=FRAME_BYTES,
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            log_level="warning",
            access_log=False,
            lifespan="off",
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        await server.listening.wait()
        yield f"http://{options.host}:{listener.getsockname()[1]}"
    finally:
        server.enough.set()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        workshop.close()
        listener.close()


async def serve(options: Options, organs: Organs) -> None:
    """Serve until ended by a signal. Prints the READY line once it listens."""
    enough = asyncio.Event()
    for end in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(end, enough.set)
    async with running(options, organs) as address:
        ready = {
            "address": address,
            "realtime": f"ws{address.removeprefix('http')}/v1/realtime",
            "control": f"{address}/_sandbox",
            "organs": organs.name,
            "seed": options.seed,
        }
        sys.stdout.write(f"READY {json.dumps(ready)}\n")
        sys.stdout.flush()
        await enough.wait()
