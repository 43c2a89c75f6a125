"""Media Streams: the sandbox as the web socket client that Twilio is.

One `Line` is one open socket. Its reader acts on what arrives, the media plane's tick sends the frames; the verb that
opened it waits for its end. In a network without sound no frames are sent, and what arrives counts as played at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI
from websockets.frames import CloseCode
from websockets.protocol import State

from sandbox.clock import Promise, sleep
from sandbox.faults import FaultKind
from sandbox.ids import StreamSid
from sandbox.journal import Kind
from sandbox.legs import Leg
from sandbox.signature import SIGNATURE_HEADER, sign
from sandbox.stream_media import StreamMedia
from sandbox.stream_protocol import Audio, Clear, Mark, Sent, StreamTalk, Track, Warned
from sandbox.twiml import Stream
from sandbox.webhooks import Webhook, Webhooks
from sandbox.world import World

HANDSHAKE_S = 5.0  # real seconds
LARGEST_FRAME = 1_048_576
LONGEST_PARAMETER = 500
MARK_EVERY = timedelta(seconds=1)
# Close codes with which we answer what is no proper web socket: protocol, data, too big.
VIOLATIONS = frozenset({CloseCode.PROTOCOL_ERROR, CloseCode.INVALID_DATA, CloseCode.MESSAGE_TOO_BIG})

EndedBy = Literal["product", "call", "fault", "stop"]


class StreamFailed(Exception):  # noqa: N818  # an outcome in the domain's words
    """No stream: Twilio's code and why."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(eq=False)
class Line:
    """An open stream of one leg. `media` where there is sound."""

    sid: StreamSid
    name: str
    leg: Leg
    noun: Stream
    talk: StreamTalk
    socket: ClientConnection
    over: Promise[EndedBy]
    media: StreamMedia | None = None
    audio_bytes: int = 0
    marks: int = 0
    marked_at: datetime | None = None

    @property
    def backlog(self) -> int:
        """Bytes that the other side has not read yet, beyond what the system holds."""
        return self.socket.transport.get_write_buffer_size()

    def send(self, message: Sent) -> None:
        """Hand it to the transport, in order and without waiting; a closed socket takes nothing."""
        if self.socket.state is State.OPEN:
            self.socket.protocol.send_text(message.text.encode())
            self.socket.send_data()


class Streams:
    """Opens and closes streams, and tells their status callbacks."""

    def __init__(self, world: World, webhooks: Webhooks) -> None:
        self._world = world
        self._webhooks = webhooks
        self.open_lines: dict[StreamSid, Line] = {}

    async def open(self, leg: Leg, noun: Stream, tracks: tuple[Track, ...], *, both_ways: bool) -> Line:
        """Connect and send the opening messages. Raises StreamFailed after the callback."""
        sid = self._world.sids.stream()
        try:
            self._refuse(leg, noun)
            socket = await self._handshake(noun)
        except StreamFailed as failure:
            self._failed(leg, noun, sid, failure)
            raise
        talk = StreamTalk(
            self._world.account.sid,
            leg.call.sid,
            sid,
            tracks,
            dict(noun.parameters),
            both_ways=both_ways,
            chunks_per_track=self._world.assumptions.stream_chunks_per_track,
        )
        over: Promise[EndedBy] = Promise(self._world.clock.work)
        line = Line(sid, noun.name, leg, noun, talk, socket, over)
        self.open_lines[sid] = line
        self._write(Kind.STREAM_OPENED, line, url=noun.url)
        for message in talk.opening():
            line.send(message)
        self._write(Kind.STREAM_STARTED, line, name=noun.name, tracks=list(tracks))
        self._tell(leg, noun, sid, "stream-started")
        self._attend(line)
        return line

    def _refuse(self, leg: Leg, noun: Stream) -> None:
        url = urlsplit(noun.url)
        if url.scheme not in {"ws", "wss"} or not url.hostname:
            raise StreamFailed(31920, f"not a web socket URL: {noun.url!r}")
        if url.query:
            raise StreamFailed(31920, "a stream URL must not have a query string")
        if any(len(name) + len(value) >= LONGEST_PARAMETER for name, value in noun.parameters):
            raise StreamFailed(31920, "a stream parameter is too long")
        call = leg.call
        struck = self._world.faults.strike(FaultKind.STREAM_REFUSED, "stream", call.from_, call.to)
        if struck is not None:
            self._note(FaultKind.STREAM_REFUSED, leg)
            raise StreamFailed(31901, "the handshake was refused by a fault")

    async def _handshake(self, noun: Stream) -> ClientConnection:
        signature = sign(self._world.account.token, noun.url)
        try:
            return await connect(
                noun.url,
                additional_headers={SIGNATURE_HEADER: signature},
                open_timeout=HANDSHAKE_S,
                close_timeout=2.0,
                max_size=LARGEST_FRAME,
                compression=None,
                ping_interval=None,
                proxy=None,
            )
        except InvalidHandshake as error:
            raise StreamFailed(31920, f"handshake failed: {error}") from error
        except (OSError, TimeoutError, InvalidURI) as error:
            raise StreamFailed(31901, f"no connection: {error}") from error

    def _attend(self, line: Line) -> None:
        """Everything that goes on beside the verb that waits for the end."""
        spawn = self._world.clock.work.spawn
        beside = [spawn(self._read(line), name=f"stream {line.sid}", counted=False)]
        call = line.leg.call
        cut = self._world.faults.strike(FaultKind.STREAM_CUT, "stream", call.from_, call.to)
        if cut is not None:
            beside.append(spawn(self._cut_later(line, cut.seconds), name="stream cut"))
        if self._world.studio is not None and line.leg.circuit is not None:
            line.media = StreamMedia(
                self._world,
                self._world.studio.plane,
                line,
                line.leg,
                lambda name: self._mark_back(line, name),
            )

        def end(by: EndedBy) -> None:
            self.open_lines.pop(line.sid, None)
            if line.media is not None:
                line.media.stop()
            if by != "product":
                for task in beside:
                    task.cancel()

        line.over.then(end)

    async def _read(self, line: Line) -> None:
        try:
            async for frame in line.socket:
                received = line.talk.receive(frame)
                if received is not None:
                    self._act(line, received)
        except ConnectionClosed as closed:
            if closed.sent is not None and closed.sent.code in VIOLATIONS:
                self._world.alert(31924, f"web socket protocol error: {closed}",
                                  call=line.leg.call.sid, url=line.noun.url)  # fmt: skip
        line.over.keep("product")

    def _act(self, line: Line, received: Audio | Mark | Clear | Warned) -> None:
        match received:
            case Audio(wire=wire):
                line.audio_bytes += len(wire)
                if line.media is not None:
                    line.media.queue(wire)
            case Mark(name=name):
                if line.media is not None:
                    line.media.mark(name)
                else:
                    self._mark_back(line, name)
            case Clear():
                self._write(Kind.STREAM_CLEAR, line)
                if line.media is not None:
                    line.media.clear()
            case Warned(code=code, text=text):
                self._world.alert(code, text, call=line.leg.call.sid, url=line.noun.url)

    def _mark_back(self, line: Line, name: str) -> None:
        """Return a mark. Somebody who talks has five a second returned: one a second is noted, with how many it was."""
        line.send(line.talk.mark(name))
        line.marks += 1
        now = self._world.clock.now()
        if line.marked_at is None or now - line.marked_at >= MARK_EVERY:
            self._write(Kind.STREAM_MARK, line, name=name, returned=line.marks)
            line.marked_at = now

    async def _cut_later(self, line: Line, seconds: float) -> None:
        await sleep(self._world.clock, timedelta(seconds=seconds))
        if line.sid in self.open_lines:
            self._note(FaultKind.STREAM_CUT, line.leg)
            line.socket.transport.abort()
            line.over.keep("fault")

    def press(self, line: Line, key: str) -> None:
        """A key of the far end, on its way to the product."""
        self._write(Kind.STREAM_DTMF, line, digit=key)
        line.send(line.talk.key(key))

    def finished(self, line: Line, by: EndedBy) -> None:
        """The verb is over: say stop where somebody still listens, close, tell."""
        line.over.keep(by)
        code = line.socket.close_code if by == "product" else None
        self._write(
            Kind.STREAM_CLOSED, line, by=by, audio_bytes=line.audio_bytes, marks=line.marks, code=code
        )
        if by == "product":
            # Logged by Twilio even where it is intended.
            self._world.alert(31921, "the stream was closed by the other side",
                              call=line.leg.call.sid, url=line.noun.url)  # fmt: skip
        self._tell(line.leg, line.noun, line.sid, "stream-stopped")
        self._world.clock.work.spawn(self._close(line, by), name="stream close", counted=False)

    async def _close(self, line: Line, by: EndedBy) -> None:
        if by in {"call", "stop"}:
            line.send(line.talk.stop())
        await line.socket.close()

    def stop(self, leg: Leg, name: str) -> None:
        """`<Stop><Stream name>`."""
        for line in list(self.open_lines.values()):
            if line.leg is leg and line.name == name:
                self.finished(line, "stop")

    def _failed(self, leg: Leg, noun: Stream, sid: StreamSid, failure: StreamFailed) -> None:
        self._world.journal.write(
            Kind.STREAM_FAILED, call=leg.call.sid, stream=sid, url=noun.url, error=str(failure)
        )
        self._world.alert(failure.code, str(failure), call=leg.call.sid, url=noun.url)
        self._tell(leg, noun, sid, "stream-error", str(failure))

    def _tell(self, leg: Leg, noun: Stream, sid: StreamSid, event: str, error: str = "") -> None:
        params = [
            ("AccountSid", str(self._world.account.sid)),
            ("CallSid", str(leg.call.sid)),
            ("StreamSid", str(sid)),
            ("StreamName", noun.name or str(sid)),
            ("StreamEvent", event),
            ("Timestamp", self._world.clock.now().isoformat().replace("+00:00", "Z")),
        ]
        if error:
            params.append(("StreamError", error))
        self._webhooks.tell(
            Webhook(
                purpose=f"stream {event}",
                point=f"stream.{event}",
                url=noun.callback.url,
                params=tuple(params),
                method=noun.callback.method,
                thing=sid,
            )
        )

    def _write(self, kind: Kind, line: Line, **details: object) -> None:
        self._world.journal.write(kind, call=line.leg.call.sid, stream=line.sid, more=details)

    def _note(self, kind: FaultKind, leg: Leg) -> None:
        self._world.journal.write(
            Kind.FAULT, call=leg.call.sid, kind_of_fault=kind.value, on="stream", thing=leg.call.sid
        )
