"""Events that say what has happened to the conversation, the input buffer, a turn. The rest is in generation.py."""

from collections.abc import Iterator

from sandbox.speech.conversation import Conversation
from sandbox.speech.errors import Refusal
from sandbox.speech.fields import Json
from sandbox.speech.items import Item
from sandbox.speech.orders import Order, Send


def error(refusal: Refusal, event_id: str | None) -> Send:
    """event_id: the client's, of the event that was refused."""
    content: Json = {
        "type": refusal.kind,
        "code": refusal.code,
        "message": refusal.message,
        "param": refusal.param,
        "event_id": event_id,
    }
    return Send({"type": "error", "error": content})


def added(item: Item, conversation: Conversation) -> Iterator[Order]:
    """An item that is whole at once."""
    before = conversation.before(item)
    for kind in ("added", "done"):
        yield Send({"type": f"conversation.item.{kind}", "previous_item_id": before, "item": item.json()})


def committed(item: Item, conversation: Conversation) -> Iterator[Order]:
    """The input buffer has become an item."""
    before = conversation.before(item)
    yield Send({"type": "input_audio_buffer.committed", "previous_item_id": before, "item_id": item.id})
    yield from added(item, conversation)


def cleared() -> Send:
    return Send({"type": "input_audio_buffer.cleared"})


def deleted(item_id: str) -> Send:
    return Send({"type": "conversation.item.deleted", "item_id": item_id})


def retrieved(item: Item) -> Send:
    return Send({"type": "conversation.item.retrieved", "item": item.json()})


def truncated(item_id: str, content_index: int, audio_end_ms: int) -> Send:
    where: Json = {"item_id": item_id, "content_index": content_index, "audio_end_ms": audio_end_ms}
    return Send({"type": "conversation.item.truncated", **where})


def speech_started(item_id: str, at_ms: int) -> Send:
    return Send({"type": "input_audio_buffer.speech_started", "audio_start_ms": at_ms, "item_id": item_id})


def speech_stopped(item_id: str, at_ms: int) -> Send:
    return Send({"type": "input_audio_buffer.speech_stopped", "audio_end_ms": at_ms, "item_id": item_id})


def nobody_spoke(item_id: str, from_ms: int, until_ms: int) -> Send:
    span: Json = {"audio_start_ms": from_ms, "audio_end_ms": until_ms}
    return Send({"type": "input_audio_buffer.timeout_triggered", **span, "item_id": item_id})
