"""Web sockets for the load, by hand and with nothing of ours: whole text frames, pings and closes, no more.

Clients mask with a key of zeros, which is a mask by the letter and costs nothing.
"""

import asyncio
import base64
import hashlib
import json
import os
from typing import cast

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Socket(asyncio.Protocol):
    """One end of a web socket. What comes is given to `text`."""

    def __init__(self, request: bytes | None) -> None:
        """request: what the calling end says first; None for the called end."""
        self._request = request
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self.open = False
        self.ended = asyncio.get_running_loop().create_future()

    def opened(self) -> None:
        """The handshake is done."""

    def text(self, message: bytes) -> None:
        """A text message came."""

    def send(self, message: bytes) -> None:
        """Send a text message."""
        if self._transport is None or not self.open:
            return
        masked = 0x80 if self._request is not None else 0
        size = len(message)
        head = (
            bytes((0x81, masked | size))
            if size < 126
            else bytes((0x81, masked | 126)) + size.to_bytes(2, "big")
        )
        self._transport.write(head + (bytes(4) if masked else b"") + message)

    def end(self) -> None:
        """Cut it."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP is there."""
        self._transport = cast("asyncio.Transport", transport)
        if self._request is not None:
            self._transport.write(self._request)

    def connection_lost(self, exc: Exception | None) -> None:
        """TCP is gone."""
        self.open = False
        if not self.ended.done():
            self.ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        data = self._rest + data
        if not self.open:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            self._answer(head)
        self._rest = data[self._frames(data) :]

    def _answer(self, head: bytes) -> None:
        assert self._transport is not None
        if self._request is None:
            names = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
            key = next(value for name, value in names.items() if name.lower() == b"sec-websocket-key")
            accept = base64.b64encode(hashlib.sha1(key.strip() + GUID, usedforsecurity=False).digest())
            self._transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
        elif b" 101 " not in head.split(b"\r\n")[0]:
            self._transport.abort()
            return
        self.open = True
        self.opened()

    def _frames(self, data: bytes) -> int:
        """Take the whole frames; gives where the rest begins."""
        at, size = 0, len(data)
        while size - at >= 2:
            masked, length, body = data[at + 1] & 0x80, data[at + 1] & 0x7F, at + 2
            if length == 126:
                length, body = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, body = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            key = data[body : body + 4] if masked else b""
            body += len(key)
            if size < body + length:
                break
            payload = data[body : body + length]
            if masked:
                payload = _unmasked(payload, key)
            self._frame(data[at] & 0x0F, payload)
            at = body + length
        return at

    def _frame(self, opcode: int, payload: bytes) -> None:
        if opcode == 1:
            self.text(payload)
        elif opcode == 9 and self._transport is not None:
            masked = 0x80 if self._request is not None else 0
            self._transport.write(
                bytes((0x8A, masked | len(payload))) + (bytes(4) if masked else b"") + payload
            )
        elif opcode == 8 and self._transport is not None:
            self._transport.close()


def request(path: str, port: int) -> bytes:
    """What asks for a web socket."""
    key = base64.b64encode(os.urandom(16))
    return (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key.decode()}\r\n\r\n"
    ).encode()


def _unmasked(payload: bytes, key: bytes) -> bytes:
    """A whole number at a time: fast enough, and nobody else's code."""
    size = len(payload)
    whole = int.from_bytes(payload, "big") ^ int.from_bytes((key * (size // 4 + 1))[:size], "big")
    return whole.to_bytes(size, "big")


def opening(stream: str) -> tuple[bytes, bytes]:
    """The two messages with which Twilio begins a stream."""
    start = {
        "accountSid": "AC0",
        "streamSid": stream,
        "callSid": "CA0",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {},
    }
    begins = {"event": "start", "sequenceNumber": "1", "start": start, "streamSid": stream}
    return b'{"event":"connected","protocol":"Call","version":"1.0.0"}', json.dumps(begins).encode()
