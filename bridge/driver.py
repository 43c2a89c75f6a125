"""One bridge process: its port, its streams, its workflows' orders. No decisions live here.

Owns who may come in, who carries which leg, and the end: no new streams, running ones handed over at a moment of
silence, the workflows told.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from bridge.admission import BEAT_S, Admission
from bridge.effects import Effect, Overheard
from bridge.errors import LocalProtocolError
from bridge.hearsay import Hearsay
from bridge.leg import Leg
from bridge.metrics import middle
from bridge.seams import Models, Workflows
from bridge.session import At
from bridge.signature import HEADER, Signatures
from bridge.twilio_wire import FRAME_BYTES
from bridge.wire_ends import ServerWire
from workflows.orders import GONE, INSTRUCT_BRIDGE, Done, Instruction
from workflows.tokens import EAR, STREAM, ForgedTokenError, StreamToken, Tokens
from workflows.values import CallSid

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

HEALTH = "/health"
OPEN_S = 5.0
FAREWELL_S = 3.0  # for telling the workflows at the end; what is not told then is found out by them
HANDED_OVER_S = 3.0  # for the closing handshakes at the end


class Driver:
    """A process's streams."""

    def __init__(
        self,
        workflows: Workflows,
        tokens: Tokens,
        signatures: Signatures,
        models: Models,
        *,
        admission: Admission | None = None,
        hearsay: Hearsay | None = None,
        drain_s: float = 0.0,
    ) -> None:
        """hearsay: the other bridges of this host. drain_s: how long the end waits for moments of silence."""
        self._workflows = workflows
        self._tokens = tokens
        self._signatures = signatures
        self._models = models
        self._admission = admission or Admission()
        self._hearsay = hearsay
        self._drain_s = drain_s
        self._legs: set[Leg] = set()
        self._farewells: dict[tuple[str, int], asyncio.Task[None]] = {}
        self._last_words: set[asyncio.Task[None]] = set()
        self._draining = False
        self._changed = asyncio.Event()

    @asynccontextmanager
    async def listening(self, host: str, port: int, *, share: bool = False) -> AsyncGenerator[int]:
        """Accept streams; gives the port. share: with other bridges, the system deals out connections.

        At the end no new ones, and the running ones resume elsewhere.
        """
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._called, host, port, reuse_port=share or None, backlog=512)
        beating = asyncio.create_task(self._beat(), name="heartbeat")
        if self._hearsay is not None:
            await self._hearsay.listen(self._heard_elsewhere)
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            server.close()
            await self._drain()
            beating.cancel()
            if self._hearsay is not None:
                self._hearsay.end()

    @activity.defn(name=INSTRUCT_BRIDGE.name)
    async def instruct_bridge(self, order: Instruction) -> Done:
        """Silence a leg's AI, give it its role, something to say or to know.

        Silence and role set values, and clearing twice is clearing: a repeat does no harm. Something to say is
        said twice if the first answer is lost. Raises Gone, for good, where this process does not carry the leg.
        """
        followed = False
        for leg in [one for one in self._legs if one.carries(order)]:
            try:
                leg.instruct(order)
            except LocalProtocolError as error:
                raise ApplicationError(str(error), type="TooMuch", non_retryable=True) from error
            followed = True
        if not followed:
            where = f"leg {order.generation} of {order.call}"
            raise ApplicationError(f"{where} is not carried here", type=GONE, non_retryable=True)
        log.info("instruction followed", call=order.call, generation=order.generation, what=order.what)
        return Done()

    def health(self) -> dict[str, object]:
        """How this process does."""
        figures = [leg.figures for leg in self._legs]
        return {
            "status": "draining" if self._draining else "ok",
            "streams": len(self._legs),
            "streams_at_most": self._admission.most,
            "loop_late_ms": round(self._admission.lateness_ms, 2),
            "first_audio_ms": round(middle(ms for one in figures for ms in one.first_audio_ms), 1),
            "barge_in_ms": round(max((ms for one in figures for ms in one.barge_in_ms), default=0.0), 2),
            "late_ms": sum(one.late_ms for one in figures),
            "lost_ms": sum(one.lost_ms for one in figures),
            "model_reconnects": sum(one.model_reconnects for one in figures),
        }

    # Who comes in

    def _called(self) -> ServerWire:
        leg = Leg(self, self._workflows, self._models)
        leg.wire = ServerWire(_Counted(self, leg), self._admit, max_bytes=FRAME_BYTES, open_s=OPEN_S)
        return leg.wire

    def _admit(self, target: str, headers: Sequence[tuple[str, str]]) -> tuple[int, str] | None:
        """Answer health, and let in what Twilio has signed and there is room for."""
        path = target.partition("?")[0]
        if path == HEALTH:
            status = HTTPStatus.SERVICE_UNAVAILABLE if self._draining else HTTPStatus.OK
            return status, json.dumps(self.health()) + "\n"
        if self._draining:
            return HTTPStatus.SERVICE_UNAVAILABLE, "restarting\n"
        signature = next((value for name, value in headers if name.lower() == HEADER.lower()), None)
        if not self._signatures.good(signature, target):
            log.warning("stream refused", problem="no good signature")
            return HTTPStatus.FORBIDDEN, "not signed by Twilio\n"
        if (why_not := self._admission.why_not(len(self._legs))) is not None:
            log.warning("stream refused", problem=why_not)
            return HTTPStatus.SERVICE_UNAVAILABLE, "full\n"
        return None

    def came(self, leg: Leg) -> None:
        """A stream's socket is open."""
        self._legs.add(leg)

    # What a stream needs of the others

    def opened(self, leg: Leg, token: str) -> list[Effect]:
        """Whose stream it is."""
        try:
            return leg.session.claimed(self._tokens.open(STREAM, token))
        except ForgedTokenError as error:
            with contextlib.suppress(ForgedTokenError):
                return leg.session.claimed_as_ear(self._tokens.open(EAR, token))
            log.warning("stream refused", stream=leg.session.stream, problem=str(error))
            return leg.session.forged()

    async def before_attaching(self, token: StreamToken) -> None:
        """A farewell said after a leg attached anew would take the new stream for gone."""
        if farewell := self._farewells.pop((token.call, token.generation), None):
            farewell.cancel()
            await asyncio.wait({farewell})

    def attached(self, leg: Leg) -> None:
        """The call has accepted a stream: an older one of the same leg is let go."""
        mine = leg.session.leg
        if mine is None:
            return
        for older in [one for one in self._legs if one is not leg and one.carries(mine)]:
            if older.session.at is At.CARRIED:
                older.do(older.session.replaced())

    def overheard(self, heard: Overheard) -> None:
        """A leg of a call was loud: whoever carries its assistant is told, here or in another process."""
        if not self._heard_here(heard) and self._hearsay is not None:
            self._hearsay.tell(heard)

    def over(self, leg: Leg) -> None:
        """A socket is closed: let the workflow know, unless another stream of ours has the leg."""
        self._legs.discard(leg)
        self._changed.set()
        mine = leg.session.leg
        if mine is None or not leg.asked:
            return
        carried_on = any(one.carries(mine) for one in self._legs)
        key = (mine.call, mine.generation)
        farewell = asyncio.create_task(self._farewell(leg, mine, detached=not carried_on))
        if not carried_on:
            self._farewells[key] = farewell
        self._last_words.add(farewell)
        farewell.add_done_callback(lambda done: self._said(key, done))

    async def _farewell(self, leg: Leg, mine: StreamToken, *, detached: bool) -> None:
        await leg.finish_telling()
        if detached:
            await self._workflows.tell_detached(mine)

    def _said(self, key: tuple[str, int], farewell: asyncio.Task[None]) -> None:
        self._last_words.discard(farewell)
        if self._farewells.get(key) is farewell:
            del self._farewells[key]

    def _heard_here(self, heard: Overheard) -> bool:
        carrying = [one for one in self._legs if _is_of(one, heard.call)]
        for leg in carrying:
            leg.session.overheard(heard.loud)
        return bool(carrying)

    def _heard_elsewhere(self, heard: Overheard) -> None:
        self._heard_here(heard)

    # Time

    async def _beat(self) -> None:
        """Measure how late this loop runs."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + BEAT_S
            await asyncio.sleep(BEAT_S)
            self._admission.beat((loop.time() - due) * 1000)

    async def _drain(self) -> None:
        """Hand the streams over, each when nobody speaks on it; then tell the workflows."""
        self._draining = True
        log.info("bridge draining", streams=len(self._legs))
        loop = asyncio.get_running_loop()
        until = loop.time() + self._drain_s
        left = set(self._legs)
        while left:
            for leg in [one for one in left if one.silent or loop.time() >= until]:
                left.discard(leg)
                leg.do(leg.session.handed_over())
            left &= self._legs
            if left:
                await asyncio.sleep(BEAT_S)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HANDED_OVER_S):
                while self._legs:
                    self._changed.clear()
                    await self._changed.wait()
        if self._last_words:
            _, untold = await asyncio.wait(self._last_words, timeout=FAREWELL_S)
            for farewell in untold:
                farewell.cancel()


class _Counted:
    """A leg as its wire's listener: it is among the process's streams once its socket is open."""

    def __init__(self, driver: Driver, leg: Leg) -> None:
        self._driver = driver
        self._leg = leg
        self.text = leg.text
        self.binary = leg.binary
        self.full = leg.full

    def opened(self) -> None:
        self._driver.came(self._leg)
        self._leg.opened()

    def closed(self, code: int, because: str) -> None:
        if code:
            self._leg.closed(code, because)


def _is_of(leg: Leg, call: CallSid) -> bool:
    mine = leg.session.leg
    return leg.live and mine is not None and mine.call == call
