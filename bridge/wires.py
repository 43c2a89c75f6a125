"""Web sockets as asyncio protocols: no task, no queue and no coroutine for a frame that comes or goes.

`websockets` (its Sans-I/O layer) does the handshake, control frames, fragments, and everything unusual or wrong.
Whole text frames, which is all that audio is, are taken apart and put together here, a few microseconds each; a test
holds the two ways against each other. Extensions are never negotiated: base64 hardly shrinks.

Bounds: a message of at most `max_bytes`; what waits to be sent stops the reading elsewhere above `FULL`, and a peer
that has not taken `HOPELESS` is dead.
"""

import asyncio
import socket as network
from typing import Protocol as Interface
from typing import cast

from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.frames import Frame, Opcode, apply_mask  # type: ignore[attr-defined]  # its fastest mask
from websockets.http11 import Request, Response
from websockets.protocol import Protocol, State
from websockets.server import ServerProtocol

FULL = 64 * 1024
HOPELESS = 1024 * 1024
CLOSE_S = 2.0
HEAD_BYTES = 16 * 1024
TEXT = 0x81  # final frame, no extension, text
MASKED = 0x80
ABNORMAL = 1006
KEEP_ALIVE = (
    ("TCP_KEEPIDLE", 30),
    ("TCP_KEEPINTVL", 10),
    ("TCP_KEEPCNT", 3),
)  # a dead host shows in a minute


class Listener(Interface):
    """Who is told what a wire carries. Called in the loop; must not block."""

    def opened(self) -> None:
        """The handshake is done."""
        ...

    def text(self, frame: bytes) -> None:
        """A text message came, not yet known to be UTF-8."""
        ...

    def binary(self) -> None:
        """A binary message came."""
        ...

    def full(self, *, full: bool) -> None:
        """More waits to be sent than should, or no longer."""
        ...

    def closed(self, code: int, because: str) -> None:
        """It is over. code: the peer's, 1006 if it said none; 0 if it was never open."""
        ...


class Wire(asyncio.Protocol):
    """One web socket. Both ends' common part."""

    def __init__(self, protocol: Protocol, listener: Listener, max_bytes: int) -> None:
        self.listener = listener
        self.open = False
        self._protocol = protocol
        self._max_bytes = max_bytes
        self._masked_in = MASKED if isinstance(protocol, ServerProtocol) else 0
        self._usual = self._masked_in | 126
        self._usual_head = 8 if self._masked_in else 4
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._parts: list[bytes] = []
        self._have = 0
        self._need = 2
        self._fragments: list[bytes] = []
        self._fragmented: Opcode | None = None
        self._refused = ""
        self._full = False
        self._closing: asyncio.TimerHandle | None = None

    # What may be done with it

    def send(self, text: bytes, and_then: bytes | None = None) -> None:
        """Send a text message, and another in the same breath; nothing on a wire that is closing."""
        transport = self._transport
        if not self.open or transport is None:
            return
        if self._full and transport.get_write_buffer_size() > HOPELESS:
            self.abort()
            return
        framed = self._framed(text)
        transport.write(framed if and_then is None else framed + self._framed(and_then))

    def close(self, code: int, because: str = "") -> None:
        """Close it: politely, and for good after two seconds."""
        if self._transport is None or self._closing is not None:
            return
        if self.open:
            self.open = False
            self._protocol.send_close(code, because[:100])
            self._flush()
        else:
            self._transport.abort()
        self._give_up_soon()

    def abort(self) -> None:
        """End it at once."""
        if self._transport is not None:
            self._transport.abort()

    def read_on(self, *, on: bool) -> None:
        """Stop reading, or go on: TCP then holds the peer back."""
        if self._transport is None or self._transport.is_closing():
            return
        if on:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP, and TLS if any, is there."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=FULL)
        if (raw := transport.get_extra_info("socket")) is not None:
            raw.setsockopt(network.IPPROTO_TCP, network.TCP_NODELAY, 1)
            raw.setsockopt(network.SOL_SOCKET, network.SO_KEEPALIVE, 1)
            for name, value in KEEP_ALIVE:
                if (option := getattr(network, name, None)) is not None:
                    raw.setsockopt(network.IPPROTO_TCP, option, value)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self.open:
            self._frames(data)
        elif self._closing is not None or self._refused:
            self._unusual(data)
        else:
            self._handshake(data)

    def eof_received(self) -> bool:
        """The peer sends no more; the connection then ends."""
        return False

    def pause_writing(self) -> None:
        """Too much waits to be sent."""
        self._full = True
        self.listener.full(full=True)

    def resume_writing(self) -> None:
        """It was sent."""
        self._full = False
        self.listener.full(full=False)

    def connection_lost(self, exc: Exception | None) -> None:
        """TCP is gone."""
        was_open, self.open = self._protocol.state is not State.CONNECTING, False
        if self._closing is not None:
            self._closing.cancel()
        self._transport = None
        received = self._protocol.close_rcvd
        if not was_open:
            self.listener.closed(0, self._refused or str(exc or "closed before it was open"))
        elif received is not None:
            self.listener.closed(received.code, received.reason)
        else:
            self.listener.closed(ABNORMAL, str(exc or "cut"))

    # Frames

    def _framed(self, text: bytes) -> bytes:
        raise NotImplementedError

    def _frames(self, data: bytes) -> None:
        """Take whole frames out of what has come; what is left waits for more."""
        if self._parts:
            self._parts.append(data)
            self._have += len(data)
            if self._have < self._need:
                return
            data = b"".join(self._parts)
            self._parts.clear()
        start, size, usual, head_bytes = 0, len(data), self._usual, self._usual_head
        while True:
            # What sound is: a whole text of 126 bytes to 64 KiB.
            if (
                size - start >= 8
                and data[start] == TEXT
                and data[start + 1] == usual
                and self._fragmented is None
            ):
                length = data[start + 2] << 8 | data[start + 3]
                body, end = start + head_bytes, start + head_bytes + length
                if end <= size and length <= self._max_bytes:
                    text = data[body:end]
                    self.listener.text(apply_mask(text, data[start + 4 : body]) if head_bytes == 8 else text)
                    if not self.open:
                        self._unusual(data[end:])
                        return
                    start = end
                    continue
            end = self._end_of_frame(data, start, size)
            if end > size:
                break
            self._frame(data, start, end)
            if not self.open:
                self._unusual(data[end:])
                return
            start = end
        if start < size:
            self._parts.append(data[start:] if start else data)
            self._have, self._need = size - start, end - start

    def _end_of_frame(self, data: bytes, start: int, size: int) -> int:
        """Where a frame ends, or at least begins to be known. Beyond the data: more must come."""
        if size - start < 2:
            return start + 2
        length = data[start + 1] & 0x7F
        at = start + (6 if data[start + 1] & MASKED else 2)
        if length < 126:
            return at + length
        extra = 2 if length == 126 else 8
        if size - start < 2 + extra:
            return start + 2 + extra
        length = int.from_bytes(data[start + 2 : start + 2 + extra], "big")
        if length > self._max_bytes:
            return start + 2 + extra  # enough to be refused
        return at + extra + length

    def _frame(self, data: bytes, start: int, end: int) -> None:
        second = data[start + 1]
        if data[start] != TEXT or self._fragmented is not None or second & MASKED != self._masked_in:
            self._unusual(data[start:end])
            return
        length = second & 0x7F
        at = start + 2 + (0 if length < 126 else 2 if length == 126 else 8)
        if at > end or (length > 125 and end == at and int.from_bytes(data[start + 2 : at], "big")):
            self._unusual(data[start:end])  # too long: refused by its head
            return
        if self._masked_in:
            self.listener.text(apply_mask(data[at + 4 : end], data[at : at + 4]))
        else:
            self.listener.text(data[at:end])

    def _unusual(self, data: bytes) -> None:
        """Whatever is not a whole text frame: the library knows."""
        if not data or self._transport is None:
            return
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Frame):
                self._event(event)
        self._flush()

    def _event(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.BINARY if not frame.fin:
                self._fragmented, self._fragments = frame.opcode, [bytes(frame.data)]
            case Opcode.CONT:
                self._fragments.append(bytes(frame.data))
                if frame.fin:
                    whole, self._fragments = b"".join(self._fragments), []
                    opcode, self._fragmented = self._fragmented, None
                    self._message(opcode, whole)
            case Opcode.TEXT | Opcode.BINARY:
                self._message(frame.opcode, bytes(frame.data))
            case _:
                pass  # pings are answered, closes are echoed by the library

    def _message(self, opcode: Opcode | None, whole: bytes) -> None:
        if not self.open:
            return
        if opcode is Opcode.TEXT:
            self.listener.text(whole)
        else:
            self.listener.binary()

    def _flush(self) -> None:
        """Send what the library wants sent."""
        transport = self._transport
        if transport is None:
            return
        for data in self._protocol.data_to_send():
            if data:
                transport.write(data)
            else:
                transport.close()  # it sends what waits, and then ends
        if self._protocol.state is not State.OPEN:
            self.open = False
            if self._protocol.close_expected():
                self._give_up_soon()

    def _give_up_soon(self) -> None:
        if self._closing is None:
            self._closing = asyncio.get_running_loop().call_later(CLOSE_S, self.abort)

    # Handshake

    def _handshake(self, data: bytes) -> None:
        """Its head to the library; what follows the head are frames."""
        self._head += data
        head, end, frames = self._head.partition(b"\r\n\r\n")
        if not end:
            if len(self._head) > HEAD_BYTES:
                self._refused = "an endless head"
                self.abort()
            return
        self._head = b""
        self._protocol.receive_data(head + end)
        for event in self._protocol.events_received():
            if isinstance(event, Request | Response):
                self._answered(event)
        self._flush()
        if self._protocol.state is State.OPEN:
            self.open = True
            self.listener.opened()
            if frames and self.open:
                self._frames(frames)
        elif frames:
            self._unusual(frames)
        if self._protocol.handshake_exc is not None:
            self._refused = self._refused or _why(self._protocol.handshake_exc)
            self.abort()

    def _answered(self, event: Request | Response) -> None:
        raise NotImplementedError


def head(length: int, masked: int) -> bytes:
    """The head of a whole text frame."""
    if length < 126:
        return bytes((TEXT, masked | length))
    if length < 65536:
        return bytes((TEXT, masked | 126, length >> 8, length & 0xFF))
    return bytes((TEXT, masked | 127)) + length.to_bytes(8, "big")


def _why(error: Exception) -> str:
    match error:
        case InvalidStatus():
            return f"answered {error.response.status_code}"
        case InvalidHandshake():
            return str(error)
        case _:
            return repr(error)
