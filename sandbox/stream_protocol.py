"""The Media Streams protocol from Twilio's side: messages out, messages in. No sockets.

A `StreamTalk` numbers what Twilio sends on one stream and reads what the other side sends.
What is done about that, and when, is `streams.py`'s affair.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sandbox.ids import AccountSid, CallSid, StreamSid

Track = Literal["inbound", "outbound"]


@dataclass(frozen=True)
class Sent:
    """A message for the socket."""

    text: str


@dataclass(frozen=True)
class Audio:
    """Mu-law to be played, of any length."""

    wire: bytes


@dataclass(frozen=True)
class Mark:
    """To be sent back once everything before it was played."""

    name: str


@dataclass(frozen=True)
class Clear:
    """What is queued is to be dropped."""


@dataclass(frozen=True)
class Warned:
    """Something Twilio would warn about, with its code."""

    code: int
    text: str


Received = Audio | Mark | Clear | Warned


@dataclass
class StreamTalk:
    """One stream's conversation, from `connected` to `stop`.

    both_ways: the other side may play sound. chunks_per_track: each track's frames are counted by themselves.
    """

    account: AccountSid
    call: CallSid
    stream: StreamSid
    tracks: tuple[Track, ...]
    parameters: Mapping[str, str]
    both_ways: bool = True
    chunks_per_track: bool = True
    sequence: int = 0
    warned: bool = False
    _chunks: dict[str, int] = field(default_factory=dict[str, int])

    def opening(self) -> list[Sent]:
        start = {
            "accountSid": self.account,
            "streamSid": self.stream,
            "callSid": self.call,
            "tracks": list(self.tracks),
            "customParameters": dict(self.parameters),
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        }
        connected = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
        return [Sent(json.dumps(connected)), self._numbered("start", start)]

    def key(self, digit: str) -> Sent:
        return self._numbered("dtmf", {"track": "inbound_track", "digit": digit})

    def media(self, track: Track, timestamp_ms: int, payload: str) -> Sent:
        """A frame. payload: mu-law in base64. Written by hand: fifty a second on every stream."""
        counted = track if self.chunks_per_track else ""
        chunk = self._chunks[counted] = self._chunks.get(counted, 0) + 1
        self.sequence += 1
        return Sent(
            f'{{"event": "media", "sequenceNumber": "{self.sequence}", "media": {{"track": "{track}", '
            f'"chunk": "{chunk}", "timestamp": "{timestamp_ms}", "payload": "{payload}"}}, '
            f'"streamSid": "{self.stream}"}}'
        )

    def mark(self, name: str) -> Sent:
        return self._numbered("mark", {"name": name})

    def stop(self) -> Sent:
        return self._numbered("stop", {"accountSid": self.account, "callSid": self.call})

    def _numbered(self, event: str, body: Mapping[str, object]) -> Sent:
        self.sequence += 1
        message = {
            "event": event,
            "sequenceNumber": str(self.sequence),
            event: body,
            "streamSid": self.stream,
        }
        return Sent(json.dumps(message))

    def receive(self, frame: str | bytes) -> Received | None:
        """What a frame from the other side asks for; None for one that was warned about before."""
        if isinstance(frame, bytes):
            return Warned(31950, "a binary frame")
        message = _object(frame)
        if message is None:
            return self._malformed("not a JSON object")
        event = _field(message, "event")
        if event in {"media", "mark", "clear"} and message.get("streamSid") != self.stream:
            return self._malformed(f"a {event} message with another or no streamSid")
        match event:
            case "media" | "mark" | "clear" if not self.both_ways:
                return self._malformed(f"a {event} message on a stream of one way")
            case "media":
                return self._audio(message.get("media"))
            case "mark":
                name = _field(message.get("mark"), "name")
                return self._malformed("a mark message without name") if name is None else Mark(name)
            case "clear":
                return Clear()
            case _:
                return self._malformed(f"a message of the kind {event!r}")

    def _audio(self, body: object) -> Received | None:
        payload = _field(body, "payload")
        if payload is None:
            return self._malformed("a media message without payload")
        try:
            return Audio(base64.b64decode(payload, validate=True))
        except (binascii.Error, ValueError):
            return self._malformed("a media payload that is not base64")

    def _malformed(self, text: str) -> Warned | None:
        """Twilio warns once per stream and ignores the message."""
        if self.warned:
            return None
        self.warned = True
        return Warned(31951, text)


def _object(frame: str) -> Mapping[str, object] | None:
    try:
        message: object = json.loads(frame)
    except (ValueError, RecursionError):
        return None
    return _mapping(message)


def _mapping(value: object) -> Mapping[str, object] | None:
    if not isinstance(value, dict):
        return None
    return {str(name): field for name, field in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # JSON


def _field(body: object, name: str) -> str | None:
    mapping = _mapping(body)
    value = None if mapping is None else mapping.get(name)
    return value if isinstance(value, str) else None
