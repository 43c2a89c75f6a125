"""What a client may say: text to typed events. The names are those of the protocol."""

import json
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from sandbox.speech.errors import Refusal
from sandbox.speech.fields import Fields, Json, audio_bytes


@dataclass(frozen=True)
class SessionUpdate:
    session: Fields


@dataclass(frozen=True)
class Append:
    audio: bytes


@dataclass(frozen=True)
class Commit:
    pass


@dataclass(frozen=True)
class Clear:
    pass


@dataclass(frozen=True)
class CreateItem:
    item: Fields
    after: str | None


@dataclass(frozen=True)
class DeleteItem:
    item_id: str


@dataclass(frozen=True)
class RetrieveItem:
    item_id: str


@dataclass(frozen=True)
class TruncateItem:
    item_id: str
    content_index: int
    audio_end_ms: int


@dataclass(frozen=True)
class CreateResponse:
    response: Fields


@dataclass(frozen=True)
class CancelResponse:
    response_id: str | None


ClientEvent: TypeAlias = (
    SessionUpdate
    | Append
    | Commit
    | Clear
    | CreateItem
    | DeleteItem
    | RetrieveItem
    | TruncateItem
    | CreateResponse
    | CancelResponse
)


@dataclass(frozen=True)
class Frame:
    """A client's message, as far as it could be understood. event_id: the client's own, for errors."""

    event_id: str | None
    event: ClientEvent | Refusal


KNOWN: Final = (
    "session.update",
    "input_audio_buffer.append",
    "input_audio_buffer.commit",
    "input_audio_buffer.clear",
    "conversation.item.create",
    "conversation.item.delete",
    "conversation.item.retrieve",
    "conversation.item.truncate",
    "response.create",
    "response.cancel",
    "output_audio_buffer.clear",
)


def read(text: str | bytes) -> Frame:
    """Understand one message. Never raises: what is wrong with it is the event."""
    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError):
        message = "We could not parse the JSON body of your message. The expected format is a JSON object."
        return Frame(None, Refusal(message, code="invalid_json"))
    if not isinstance(content, dict):
        message = "We could not parse the JSON body of your message. The expected format is a JSON object."
        return Frame(None, Refusal(message, code="invalid_json"))
    fields = Fields(cast("Json", content))
    given = fields.given("event_id")
    event_id = given if isinstance(given, str) else None
    try:
        return Frame(event_id, _event(fields))
    except Refusal as refusal:
        return Frame(event_id, refusal)


def _event(fields: Fields) -> ClientEvent:
    match fields.one_of("type", KNOWN):
        case "session.update":
            return SessionUpdate(fields.nested("session"))
        case "input_audio_buffer.append":
            return Append(audio_bytes(fields, "audio"))
        case "input_audio_buffer.commit":
            return Commit()
        case "input_audio_buffer.clear":
            return Clear()
        case "conversation.item.create":
            return CreateItem(fields.nested("item"), fields.maybe_text("previous_item_id"))
        case "conversation.item.delete":
            return DeleteItem(fields.text("item_id"))
        case "conversation.item.retrieve":
            return RetrieveItem(fields.text("item_id"))
        case "conversation.item.truncate":
            return TruncateItem(
                fields.text("item_id"),
                fields.whole("content_index", None, 0, 1_000),
                fields.whole("audio_end_ms", None, 0, 2**31),
            )
        case "response.create":
            return CreateResponse(fields.maybe_nested("response") or Fields({}, "response"))
        case "response.cancel":
            return CancelResponse(fields.maybe_text("response_id"))
        case other:
            message = f"'{other}' is only supported for WebRTC and SIP connections."
            raise Refusal(message, code="invalid_value", param="type")
