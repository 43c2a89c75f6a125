"""Realtime GA frames: what we send as text, what comes as typed values. Nothing else, and no state.

Events come from a server that adds to them without asking, so only what is used is looked at, and what is missing
is empty. The tests hold the names and shapes here to the official package's types; at run time that package would
cost 160 µs a frame on the way of the audio, and 26 MB beside it.
"""

import json
from collections.abc import Mapping
from typing import cast

from pydantic_core import from_json

from bridge.audio import is_base64
from bridge.errors import RemoteProtocolError
from bridge.model import Audio

Event = Mapping[str, object]

FRAME_BYTES = 16 * 1024 * 1024  # the API's own limit of an event is 15 MiB
DELTAS = frozenset({"response.output_audio.delta", "response.audio.delta"})  # the latter before it was GA
DELTA = b'{"type":"response.output_audio.delta",'  # how nearly all of them begin
APPEND = b'{"type":"input_audio_buffer.append","audio":"'

NONE: Event = {}


def parsed(frame: bytes | str) -> Event:
    """The event in a frame. Raises RemoteProtocolError."""
    try:
        event = from_json(frame, cache_strings="keys")
    except ValueError:
        raise RemoteProtocolError("a frame of the model that is no JSON") from None
    if not isinstance(event, dict) or not isinstance(cast("Event", event).get("type"), str):
        raise RemoteProtocolError("a frame of the model without a type")
    return cast("Event", event)


def audio(event: Event) -> Audio | None:
    """The sound in a delta event; None if it is not as it should be."""
    payload, item, response = event.get("delta"), event.get("item_id"), event.get("response_id", "")
    if (
        isinstance(payload, str)
        and isinstance(item, str)
        and isinstance(response, str)
        and is_base64(payload)
    ):
        return Audio(response, item, payload)
    return None


def text(event: Event, name: str) -> str:
    """A string field; "" when it is none."""
    value = event.get(name)
    return value if isinstance(value, str) else ""


def number(event: Event, name: str) -> float | None:
    """A numeric field."""
    value = event.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def inner(event: Event, name: str) -> Event:
    """A field that is an object; an empty one when it is none."""
    value = event.get(name)
    return cast("Event", value) if isinstance(value, dict) else NONE


def each(event: Event, name: str) -> list[Event]:
    """The objects in a field that is a list."""
    value = event.get(name)
    return (
        [cast("Event", one) for one in cast("list[object]", value) if isinstance(one, dict)]
        if isinstance(value, list)
        else []
    )


def append(payload: str) -> bytes:
    """The frame that lets the model hear this. payload: base64, checked when it was read."""
    return APPEND + payload.encode() + b'"}'


def written(event: object) -> bytes:
    """The frame of an event."""
    return json.dumps(event, separators=(",", ":")).encode()
