"""Moves messages between Twilio's sockets, the sessions and the workflows. No decisions live here.

Owns the sockets, time-outs, bounds and closing. Bounds: a frame is at most 64 KiB, 32 frames wait per socket and
then TCP holds Twilio back (which drops the oldest audio itself); what we send is control only and never dropped.
"""

import asyncio
import contextlib
import json
import socket as network
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from http import HTTPStatus

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from bridge.calls import Calls
from bridge.errors import RemoteProtocolError
from bridge.session import AskToAttach, At, Claim, End, Out, Session
from bridge.signature import HEADER, Signatures
from bridge.twilio_wire import FRAME_BYTES, ToTwilio, read, write
from workflows.orders import GONE, INSTRUCT_BRIDGE, Done, Instruction
from workflows.tokens import STREAM, ForgedTokenError, StreamToken, Tokens

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

HEALTH = "/health"
START_S = 5.0  # Twilio sends `start` right behind `connected`
SEND_S = 2.0  # an instruction has 3 s; a socket that does not take a hundred bytes in two is dead
CLOSE_S = 2.0
FAREWELL_S = 3.0  # for telling the workflows at the end; what is not told then is found out by them
QUEUED_FRAMES = 32
KEEP_ALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
SERVICE_RESTART = 1012


@dataclass(eq=False)
class _Stream:
    """One socket and its session."""

    socket: ServerConnection
    session: Session = field(default_factory=Session)
    attaching: asyncio.Task[None] | None = None
    asked: bool = False

    @property
    def live(self) -> bool:
        return self.session.at in {At.CLAIMING, At.CARRIED}

    def carries(self, leg: StreamToken | Instruction) -> bool:
        """Whether this is, or asks to be, the audio of that leg."""
        mine = self.session.leg
        return self.live and mine is not None and (mine.call, mine.generation) == (leg.call, leg.generation)


class Driver:
    """A process's streams."""

    def __init__(self, calls: Calls, tokens: Tokens, signatures: Signatures) -> None:
        self._calls = calls
        self._tokens = tokens
        self._signatures = signatures
        self._streams: set[_Stream] = set()
        self._farewells: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._draining = False

    @asynccontextmanager
    async def listening(self, host: str, port: int) -> AsyncGenerator[int]:
        """Accept streams; gives the port. At the end no new ones, and the running ones resume elsewhere."""
        server = await serve(
            self._carry,
            host,
            port,
            process_request=self._admit,
            compression=None,  # base64 hardly shrinks, and it would cost more than all the rest
            ping_interval=None,  # Twilio need not answer ours; a dead peer shows by TCP and by its call's end
            open_timeout=START_S,
            close_timeout=CLOSE_S,
            max_size=FRAME_BYTES,
            max_queue=QUEUED_FRAMES,
            server_header=None,
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            await self._drain(server)

    @activity.defn(name=INSTRUCT_BRIDGE.name)
    async def instruct_bridge(self, order: Instruction) -> Done:
        """Silence a leg's AI, or give it its role.

        Sets values, and clearing twice is clearing: a repeat does no harm. Raises Gone, for good, where this
        process does not carry the leg.
        """
        followed = False
        for stream in [one for one in self._streams if one.carries(order)]:
            with contextlib.suppress(ConnectionClosed):
                await self._do_all(stream, stream.session.instructed(order))
                followed = True
        if not followed:
            where = f"leg {order.generation} of {order.call}"
            raise ApplicationError(f"{where} is not carried here", type=GONE, non_retryable=True)
        log.info("instruction followed", call=order.call, generation=order.generation, what=order.what)
        return Done()

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer health, and let in what Twilio has signed."""
        path = request.path.partition("?")[0]
        if path == HEALTH:
            status = HTTPStatus.SERVICE_UNAVAILABLE if self._draining else HTTPStatus.OK
            health = {"status": "draining" if self._draining else "ok", "streams": len(self._streams)}
            return connection.respond(status, json.dumps(health) + "\n")
        if self._draining:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "restarting\n")
        if not self._signatures.good(request.headers.get(HEADER), request.path):
            log.warning("stream refused", problem="no good signature")
            return connection.respond(HTTPStatus.FORBIDDEN, "not signed by Twilio\n")
        return None

    async def _carry(self, socket: ServerConnection) -> None:
        """One stream, from its first frame to its end."""
        stream = _Stream(socket)
        self._streams.add(stream)
        _notice_dead_peers(socket)
        try:
            await self._read(stream)
        except ConnectionClosed:
            pass
        finally:
            self._streams.discard(stream)
            await self._over(stream)

    async def _read(self, stream: _Stream) -> None:
        patience = asyncio.timeout(START_S)
        try:
            async with patience:
                async for frame in stream.socket:
                    try:
                        orders = stream.session.received(read(frame))
                    except RemoteProtocolError as error:
                        orders = stream.session.broken(str(error))
                    await self._do_all(stream, orders)
                    if stream.session.at is At.OVER:
                        return
                    if stream.session.at is not At.OPENING:
                        patience.reschedule(None)
        except TimeoutError:
            await self._do_all(
                stream, stream.session.late() if patience.expired() else stream.session.stuck()
            )

    async def _do_all(self, stream: _Stream, orders: Iterable[Out]) -> None:
        for order in orders:
            await self._do(stream, order)

    async def _do(self, stream: _Stream, order: Out) -> None:
        match order:
            case Claim(token):
                await self._do_all(stream, self._opened(stream.session, token))
            case AskToAttach(leg, sid):
                log.info("stream started", call=leg.call, generation=leg.generation, stream=sid)
                stream.attaching = asyncio.create_task(self._attach(stream, leg, sid))
            case End(code, because):
                log.info("stream closing", stream=stream.session.stream, because=because)
                await stream.socket.close(code, because[:100])
            case _:
                await self._send(stream, order)

    def _opened(self, session: Session, token: str) -> list[Out]:
        try:
            return session.claimed(self._tokens.open(STREAM, token))
        except ForgedTokenError as error:
            log.warning("stream refused", stream=session.stream, problem=str(error))
            return session.forged()

    async def _send(self, stream: _Stream, message: ToTwilio) -> None:
        async with asyncio.timeout(SEND_S):
            await stream.socket.send(write(message))

    async def _attach(self, stream: _Stream, leg: StreamToken, sid: str) -> None:
        """Ask the workflow; when it accepts, an older stream of the same leg is let go."""
        try:
            await self._attached(stream, leg, sid)
        except Exception:  # the outermost edge of this task: a leg nobody answers for resumes elsewhere
            log.exception("attach failed", call=leg.call, stream=sid)
            await self._do_all(stream, stream.session.stuck())

    async def _attached(self, stream: _Stream, leg: StreamToken, sid: str) -> None:
        if farewell := self._farewells.pop((leg.call, leg.generation), None):
            farewell.cancel()  # said after we attach anew, it would take the new stream for gone
            await asyncio.wait({farewell})
        stream.asked = True
        answer = await self._calls.attach(leg, sid)
        if not answer.accepted:
            log.warning("stream refused", call=leg.call, stream=sid, problem=answer.because)
            stream.asked = False  # what was not accepted needs no farewell
            await self._do_all(stream, stream.session.refused(answer.because))
            return
        log.info("stream attached", call=leg.call, generation=leg.generation, stream=sid)
        await self._do_all(stream, stream.session.attached())
        for older in [one for one in self._streams if one is not stream and one.carries(leg)]:
            if older.session.at is At.CARRIED:
                await self._do_all(older, older.session.replaced())

    async def _over(self, stream: _Stream) -> None:
        """The socket is closed: let the workflow know, unless another stream of ours has the leg."""
        if stream.attaching is not None:
            stream.attaching.cancel()
        session, leg = stream.session, stream.session.leg
        log.info("stream over", stream=session.stream, heard_ms=session.heard_ms, **asdict(session.counts))
        if leg is None or not stream.asked:
            return
        if any(other.carries(leg) for other in self._streams):
            return
        farewell = asyncio.create_task(self._calls.tell_detached(leg))
        self._farewells[(leg.call, leg.generation)] = farewell
        farewell.add_done_callback(lambda done: self._said(leg, done))

    def _said(self, leg: StreamToken, farewell: asyncio.Task[None]) -> None:
        if self._farewells.get((leg.call, leg.generation)) is farewell:
            del self._farewells[(leg.call, leg.generation)]

    async def _drain(self, server: Server) -> None:
        self._draining = True
        log.info("bridge draining", streams=len(self._streams))
        server.close(code=SERVICE_RESTART, reason="restarting")
        await server.wait_closed()
        if self._farewells:
            _, untold = await asyncio.wait(self._farewells.values(), timeout=FAREWELL_S)
            for farewell in untold:
                farewell.cancel()


def _notice_dead_peers(socket: ServerConnection) -> None:
    """Let TCP find out that the other host is gone: within a minute, where the system lets us say so."""
    raw: network.socket | None = socket.transport.get_extra_info("socket")
    if raw is None:
        return
    raw.setsockopt(network.SOL_SOCKET, network.SO_KEEPALIVE, 1)
    for name, seconds_or_times in KEEP_ALIVE.items():
        if (option := getattr(network, name, None)) is not None:
            raw.setsockopt(network.IPPROTO_TCP, option, seconds_or_times)
