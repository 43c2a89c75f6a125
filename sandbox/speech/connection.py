"""One client's socket: moves messages between it, its session and the workshop, keeps time, and lets faults strike.

No decisions of the protocol live here. Bounds: 64 messages of the client and pieces of finished work wait, then the
client is no longer read; what is sent waits for the socket, so a client that does not read stops its own session.
"""

import asyncio
import contextlib
import heapq
import json
import logging
import time
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from sandbox.sound.mulaw import Samples
from sandbox.speech import client_events
from sandbox.speech.client_events import Frame
from sandbox.speech.errors import OverloadedError, Refusal
from sandbox.speech.faults import Fault, Faults, Kind, Point
from sandbox.speech.fields import Json
from sandbox.speech.orders import Close, Listen, Order, Send, Speak
from sandbox.speech.session import Session
from sandbox.speech.workshop import Workshop

log = logging.getLogger(__name__)

MOST_WAITING: Final = 64
ABNORMAL: Final = 1011


class Socket(Protocol):
    """A web socket that is open."""

    async def receive(self) -> str | bytes | None:
        """The next message; None when there will be none."""
        ...

    async def send(self, message: str | bytes) -> None: ...

    async def close(self, code: int, reason: str) -> None: ...

    def drop(self) -> None:
        """Cut the connection without a word."""
        ...


@dataclass(frozen=True, eq=False)
class _Understood:
    number: int
    text: str | None


@dataclass(frozen=True, eq=False)
class _Spoken:
    response_id: str
    samples: Samples | None


_News: TypeAlias = Frame | _Understood | _Spoken | None  # None: the client is gone


def now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


class Connection:
    """From the handshake to the end."""

    def __init__(self, socket: Socket, session: Session, workshop: Workshop, faults: Faults) -> None:
        self.session = session
        self.began_ms = now_ms()
        self.received = 0
        self.sent = 0
        self._socket = socket
        self._workshop = workshop
        self._faults = faults
        self._news: asyncio.Queue[_News] = asyncio.Queue(MOST_WAITING)
        self._work: set[asyncio.Task[None]] = set()
        self._due: list[tuple[int, int, Fault]] = []  # of this session
        self._struck = 0
        self._answer: list[Fault] = []  # of the response that is being made
        self._answered_ms = 0  # sound of it that has left
        self._over = False

    async def run(self) -> None:
        """Serve this client until one side ends it."""
        for fault in self._faults.strike(Point.SESSION):
            self._arm(fault)
        reading = asyncio.create_task(self._read())
        try:
            await self._do(self.session.begin())
            while not self._over:
                await self._turn()
        finally:
            for task in (reading, *self._work):
                task.cancel()
            await asyncio.gather(reading, *self._work, return_exceptions=True)

    async def strike(self, fault: Fault) -> None:
        """Let a fault happen now."""
        match fault.kind:
            case Kind.DROP:
                self._over = True
                self._socket.drop()
            case Kind.CLOSE:
                self._over = True
                await self._socket.close(int(fault.code or ABNORMAL), "The server had an error.")
            case Kind.STALL:
                self.session.stall(now_ms() + fault.lasts_ms)
            case Kind.ERROR:
                message = "The server had an error while processing your request. Sorry about that!"
                refusal = Refusal(message, code=fault.code or None, kind="server_error")
                await self._do(self.session.complain(refusal))
            case Kind.EXPIRE:
                await self._do(self.session.expire(now_ms()))
            case Kind.FAIL:
                code = fault.code or "rate_limit_exceeded"
                message = f"The response could not be made ({code})."
                await self._do(self.session.break_off("invalid_request_error", code, message, now_ms()))
            case Kind.SLOW:
                self.session.stall(now_ms() + fault.lasts_ms)
            case Kind.GARBLE:
                await self._socket.send(garbled(fault.code))
            case Kind.REFUSE | Kind.SLOW_UPDATE | Kind.SLOW_TRANSCRIPT:
                pass  # these belong to the handshake and to the session's timing

    async def _read(self) -> None:
        while (message := await self._socket.receive()) is not None:
            self.received += 1
            await self._news.put(client_events.read(message))
        await self._news.put(None)

    async def _turn(self) -> None:
        """Wait for news or for time, and act."""
        due = [
            due for due in (self.session.due_ms, self._due[0][0] if self._due else None) if due is not None
        ]
        wait_s = (min(due) - now_ms()) / 1_000 if due else None
        news: _News | TimeoutError = TimeoutError()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if wait_s is None else max(0.0, wait_s)):
                news = await self._news.get()
        match news:
            case TimeoutError():
                await self._do(self.session.tick(now_ms()))
            case None:
                self._over = True
            case Frame():
                await self._do(self.session.received(news, now_ms()))
            case _Understood(number, text):
                await self._do(self.session.heard(number, text, now_ms()))
            case _Spoken(response_id, samples):
                await self._do(self.session.spoken(response_id, samples, now_ms()))
        while self._due and self._due[0][0] <= now_ms() and not self._over:
            await self.strike(heapq.heappop(self._due)[2])

    async def _do(self, orders: Iterable[Order]) -> None:
        for order in orders:
            if self._over:
                return
            match order:
                case Send(event):
                    await self._send(event)
                case Listen(number, samples, language):
                    self._start(self._understand(number, samples, language))
                case Speak(response_id, text, language):
                    self._start(self._speak(response_id, text, language))
                case Close(code, reason):
                    self._over = True
                    await self._socket.close(code, reason)

    async def _send(self, event: Json) -> None:
        self.sent += 1
        await self._socket.send(json.dumps(event, ensure_ascii=False))
        match event["type"]:
            case "response.created":
                self._answered_ms = 0
                self._answer = list(self._faults.strike(Point.RESPONSE))
            case "response.output_audio.delta":
                self._answered_ms += self._sounding(event)
            case _:
                return
        for fault in [fault for fault in self._answer if fault.after_ms <= self._answered_ms]:
            self._answer.remove(fault)
            self._arm(fault, at_once=True)

    def _sounding(self, event: Json) -> int:
        """How long the sound of a delta is, in telephone formats."""
        return len(str(event["delta"])) * 3 // 4 // 8

    def _arm(self, fault: Fault, at_once: bool = False) -> None:
        self._struck += 1
        due_ms = self.began_ms if at_once else self.began_ms + fault.after_ms
        heapq.heappush(self._due, (due_ms, self._struck, fault))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)

    async def _understand(self, number: int, samples: Samples, language: str) -> None:
        try:
            text: str | None = await self._workshop.understand(samples, language)
        except OverloadedError:
            text = None
        except Exception:  # the outermost edge of this task: the caller's turn fails, the session goes on
            log.exception("the ears failed")
            text = None
        await self._news.put(_Understood(number, text))

    async def _speak(self, response_id: str, text: str, language: str) -> None:
        try:
            samples: Samples | None = await self._workshop.speak(text, language)
        except OverloadedError:
            samples = None
        except Exception:  # as above
            log.exception("the voice failed")
            samples = None
        await self._news.put(_Spoken(response_id, samples))


def garbled(how: str) -> str | bytes:
    """A frame that no client should trip over. how: json (the default), binary, unknown, array, bare, huge."""
    match how:
        case "binary":
            return b"\x00\xff\x00\xff"
        case "unknown":
            return '{"type":"response.telepathy.delta","event_id":"event_x","delta":"…"}'
        case "array":
            return "[1, 2, 3]"
        case "bare":
            return '{"type":"response.output_audio.delta"}'
        case "huge":
            return '{"type":"response.telepathy.delta","delta":"' + "x" * 2_000_000 + '"}'
        case _:
            return '{"type":"response.output_audio.delta","delta":"//7/'
