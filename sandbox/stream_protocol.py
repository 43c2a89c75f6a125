"""The Media Streams protocol from Twilio's side: messages out, messages in. No sockets.

A `StreamTalk` numbers what Twilio sends on one stream and decides what to answer to what the
other side sends. There is no sound yet: audio that arrives counts as played at once.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.ids import AccountSid, CallSid, StreamSid

SILENCE_20_MS = base64.b64encode(b"\xff" * 160).decode()


@dataclass(frozen=True)
class Sent:
    """A message for the socket."""

    text: str


@dataclass(frozen=True)
class Heard:
    """What arrived, for the journal. `what`: media, mark, clear."""

    what: str
    name: str = ""
    audio_bytes: int = 0


@dataclass(frozen=True)
class Warned:
    """Something Twilio would warn about, with its code."""

    code: int
    text: str


@dataclass
class StreamTalk:
    """One stream's conversation, from `connected` to `stop`."""

    account: AccountSid
    call: CallSid
    stream: StreamSid
    tracks: tuple[str, ...]
    parameters: Mapping[str, str]
    sequence: int = 0
    chunk: int = 0
    warned: bool = False

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

    def silence(self, timestamp_ms: int) -> Sent:
        self.chunk += 1
        media = {
            "track": self.tracks[0],
            "chunk": str(self.chunk),
            "timestamp": str(timestamp_ms),
            "payload": SILENCE_20_MS,
        }
        return self._numbered("media", media)

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

    def receive(self, frame: str | bytes) -> list[Sent | Heard | Warned]:
        """What to send, note and warn about after a frame from the other side."""
        if isinstance(frame, bytes):
            return [Warned(31950, "a binary frame")]
        message = _object(frame)
        if message is None:
            return self._malformed("not a JSON object")
        event = message.get("event")
        if event in {"media", "mark", "clear"} and message.get("streamSid") != self.stream:
            return self._malformed(f"a {event} message with another or no streamSid")
        match event:
            case "media":
                return self._media(message.get("media"))
            case "mark":
                return self._mark(message.get("mark"))
            case "clear":
                return [Heard("clear")]
            case _:
                return self._malformed(f"a message of the kind {event!r}")

    def _media(self, body: object) -> list[Sent | Heard | Warned]:
        payload = _field(body, "payload")
        if payload is None:
            return self._malformed("a media message without payload")
        try:
            audio = base64.b64decode(payload, validate=True)
        except (binascii.Error, ValueError):
            return self._malformed("a media payload that is not base64")
        return [Heard("media", audio_bytes=len(audio))]

    def _mark(self, body: object) -> list[Sent | Heard | Warned]:
        name = _field(body, "name")
        if name is None:
            return self._malformed("a mark message without name")
        return [Heard("mark", name), self._numbered("mark", {"name": name})]

    def _malformed(self, text: str) -> list[Sent | Heard | Warned]:
        """Twilio warns once per stream and ignores the message."""
        if self.warned:
            return []
        self.warned = True
        return [Warned(31951, text)]


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
