"""Twilio's Media Streams frames: text to typed message, typed message to text, and nothing else.

Everything is JSON in text frames; numbers mostly travel as strings. An event that is not known comes out as
`Unknown`, since Twilio adds them without asking; a frame that is none at all raises RemoteProtocolError.
Frames of sound, fifty a second, are looked at field by field; whatever is unusual about one, and every other frame,
goes through the models below. Both ways give the same message.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, NewType, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_core import from_json

from bridge.audio import is_base64
from bridge.errors import RemoteProtocolError

StreamSid = NewType("StreamSid", str)

DIGITS = 15  # of a timestamp in milliseconds
FRAME_BYTES = 64 * 1024  # Twilio's own have some 300; whatever is longer is none of theirs


@dataclass(frozen=True)
class Connected:
    """The socket is open; nothing is known of the stream yet."""


@dataclass(frozen=True)
class Start:
    """What the stream is, and what our TwiML said of it. tracks: whose audio comes."""

    stream: StreamSid
    account: str
    call: str
    parameters: dict[str, str] = field(default_factory=dict[str, str])
    encoding: str = "audio/x-mulaw"
    sample_rate: int = 8000


@dataclass(slots=True)
class Media:
    """A chunk of audio. payload: base64 of mu-law, usually 20 ms of it. timestamp_ms: since the start.

    Frames may be missing: the timestamp is the clock, not their number.
    """

    stream: StreamSid
    timestamp_ms: int
    payload: str


@dataclass(frozen=True)
class Dtmf:
    """A key was pressed on the leg."""

    stream: StreamSid
    digit: str


@dataclass(frozen=True)
class Mark:
    """Audio up to this mark of ours was played, or was cleared."""

    stream: StreamSid
    name: str


@dataclass(frozen=True)
class Stop:
    """The stream is over."""

    stream: StreamSid


@dataclass(frozen=True)
class Unknown:
    """An event that means nothing to us."""

    event: str


FromTwilio = Connected | Start | Media | Dtmf | Mark | Stop | Unknown


@dataclass(slots=True)
class SendMedia:
    """Audio to be played. payload: base64 of mu-law, of any length."""

    stream: StreamSid
    payload: str


@dataclass(frozen=True)
class SendMark:
    """A mark behind the audio sent so far."""

    stream: StreamSid
    name: str


@dataclass(frozen=True)
class SendClear:
    """Drop what was sent and not played yet."""

    stream: StreamSid


ToTwilio = SendMedia | SendMark | SendClear


def usual(frame: bytes) -> tuple[str, int, bytes] | None:
    """Stream, timestamp and payload of a frame of sound that is written as Twilio writes it; None for any other.

    The short way: no JSON is parsed, since the whole frame is looked at and nothing in it can mean anything else.
    """
    found = _usual(frame)
    if found is None:
        return None
    before, at, payload, after = found.groups()
    if len(payload) & 3 or (before is None) is (after is None):
        return None
    return (before or after).decode(), int(at), payload


def media_head(stream: StreamSid) -> bytes:
    """What a frame of sound begins with; its payload and `MEDIA_TAIL` follow."""
    return f'{{"event":"media","streamSid":{json.dumps(stream)},"media":{{"payload":"'.encode()


MEDIA_TAIL = b'"}}'
_usual = re.compile(
    rb'\{"event": ?"media",(?: ?"sequenceNumber": ?"\d+",)?(?: ?"streamSid": ?"(\w+)",)? ?"media": ?\{'
    rb'"track": ?"inbound", ?"chunk": ?"\d+", ?"timestamp": ?"(\d{1,15})", ?'
    rb'"payload": ?"([A-Za-z0-9+/]+={0,2})"\}(?:, ?"streamSid": ?"(\w+)")?\}',
    re.ASCII,
).fullmatch


def read(frame: str | bytes) -> FromTwilio:
    """The message in a text frame. Raises RemoteProtocolError."""
    try:
        event: object = from_json(frame, cache_strings="keys")
    except ValueError:
        raise RemoteProtocolError("a frame that is no JSON") from None
    return _sound(event) or _mark(event) or by_the_models(event)


def by_the_models(event: object) -> FromTwilio:
    """The message in a frame's JSON, all of it looked at. Raises RemoteProtocolError."""
    try:
        return _FRAMES.validate_python(event).message()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        if first["type"] == "union_tag_invalid":
            return Unknown(str(first.get("ctx", {}).get("tag", "")))
        raise RemoteProtocolError(f"a frame that cannot be read: {_why(error)}") from None


def write(message: ToTwilio) -> bytes:
    """The frame of a message."""
    stream = message.stream
    quoted = f'"{stream}"' if stream.isalnum() and stream.isascii() else json.dumps(stream)
    match message:
        case SendMedia():  # base64, checked when it was read
            return (
                f'{{"event":"media","streamSid":{quoted},"media":{{"payload":"{message.payload}"}}}}'.encode()
            )
        case SendMark():
            return f'{{"event":"mark","streamSid":{quoted},"mark":{{"name":{json.dumps(message.name)}}}}}'.encode()
        case SendClear():
            return f'{{"event":"clear","streamSid":{quoted}}}'.encode()


def _sound(event: object) -> Media | None:
    """The sound in a frame that is just as Twilio sends it; None for anything else."""
    if not isinstance(event, dict):
        return None
    frame = cast("Mapping[str, object]", event)
    if frame.get("event") != "media":
        return None
    stream, body = frame.get("streamSid"), frame.get("media")
    if not isinstance(stream, str) or not isinstance(body, dict):
        return None
    fields = cast("Mapping[str, object]", body)
    at, payload = fields.get("timestamp"), fields.get("payload")
    if not isinstance(at, str) or not isinstance(payload, str) or not is_base64(payload):
        return None
    if len(at) > DIGITS or not at.isascii() or not at.isdecimal():
        return None
    return Media(StreamSid(stream), int(at), payload)


def _mark(event: object) -> Mark | None:
    """The mark in a frame, five a second of which come back; None for anything else."""
    if not isinstance(event, dict):
        return None
    frame = cast("Mapping[str, object]", event)
    stream, body = frame.get("streamSid"), frame.get("mark")
    if frame.get("event") != "mark" or not isinstance(stream, str) or not isinstance(body, dict):
        return None
    name = cast("Mapping[str, object]", body).get("name")
    return Mark(StreamSid(stream), name) if isinstance(name, str) else None


class _Frame(BaseModel):
    """Fields by Twilio's names; what is new there is let pass."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")


class _Connected(_Frame):
    event: Literal["connected"]

    def message(self) -> Connected:
        return Connected()


class _Format(_Frame):
    encoding: str = "audio/x-mulaw"
    sample_rate: int = 8000


class _StartBody(_Frame):
    account_sid: str = ""
    call_sid: str = ""
    custom_parameters: dict[str, str] = Field(default_factory=dict[str, str])
    media_format: _Format = Field(default_factory=_Format)


class _Start(_Frame):
    event: Literal["start"]
    stream_sid: str
    start: _StartBody

    def message(self) -> Start:
        body = self.start
        return Start(
            StreamSid(self.stream_sid),
            body.account_sid,
            body.call_sid,
            body.custom_parameters,
            body.media_format.encoding,
            body.media_format.sample_rate,
        )


def _checked(payload: str) -> str:
    if not is_base64(payload):
        raise ValueError("no base64")
    return payload


class _MediaBody(_Frame):
    timestamp: Annotated[int, Field(ge=0, lt=10**DIGITS)]
    payload: Annotated[str, AfterValidator(_checked)]


class _Media(_Frame):
    event: Literal["media"]
    stream_sid: str
    media: _MediaBody

    def message(self) -> Media:
        return Media(StreamSid(self.stream_sid), self.media.timestamp, self.media.payload)


class _DtmfBody(_Frame):
    digit: str


class _Dtmf(_Frame):
    event: Literal["dtmf"]
    stream_sid: str
    dtmf: _DtmfBody

    def message(self) -> Dtmf:
        return Dtmf(StreamSid(self.stream_sid), self.dtmf.digit)


class _MarkBody(_Frame):
    name: str


class _Mark(_Frame):
    event: Literal["mark"]
    stream_sid: str
    mark: _MarkBody

    def message(self) -> Mark:
        return Mark(StreamSid(self.stream_sid), self.mark.name)


class _Stop(_Frame):
    event: Literal["stop"]
    stream_sid: str

    def message(self) -> Stop:
        return Stop(StreamSid(self.stream_sid))


_AnyFrame = _Connected | _Start | _Media | _Dtmf | _Mark | _Stop
_FRAMES: TypeAdapter[_AnyFrame] = TypeAdapter(Annotated[_AnyFrame, Field(discriminator="event")])


def _why(error: ValidationError) -> str:
    """What is wrong with a frame, without quoting it: it may carry audio or a token."""
    return "; ".join(
        f"{'.'.join(map(str, one['loc'])) or 'frame'}: {one['msg']}"
        for one in error.errors(include_input=False, include_context=False, include_url=False)
    )
