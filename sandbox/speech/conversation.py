"""A conversation: items in their order."""

from sandbox.speech.errors import Refusal
from sandbox.speech.items import FunctionCall, FunctionOutput, Item, Message, Part, words_until

MOST_ITEMS = 4_000  # beyond that the oldest are forgotten, as `truncation: auto` does


class Conversation:
    """The items a model has in its memory."""

    def __init__(self) -> None:
        self.items: list[Item] = []

    def find(self, item_id: str) -> Item | None:
        return next((item for item in self.items if item.id == item_id), None)

    def before(self, item: Item) -> str | None:
        """The id of the item before that one; None at the front."""
        index = self.items.index(item)
        return self.items[index - 1].id if index else None

    def add(self, item: Item, after: str | None = None) -> None:
        """Put an item behind another one (`root`: to the front), or at the end. Raises Refusal."""
        if self.find(item.id) is not None:
            message = f"Error adding item: an item with id '{item.id}' already exists."
            raise Refusal(message, code="item_create_duplicate_item_id", param="item.id")
        if isinstance(item, FunctionOutput) and not self._asked_for(item.call_id):
            message = f"Tool call ID '{item.call_id}' not found in conversation."
            raise Refusal(message, code="invalid_tool_call_id", param="item.call_id")
        if after is None:
            self.items.append(item)
        elif after == "root":
            self.items.insert(0, item)
        else:
            before = self.find(after)
            if before is None:
                message = f"Error adding item: the previous item with id '{after}' does not exist."
                raise Refusal(message, code="item_create_invalid_previous_item_id", param="previous_item_id")
            self.items.insert(self.items.index(before) + 1, item)
        if len(self.items) > MOST_ITEMS:
            del self.items[0]

    def get(self, item_id: str, act: str) -> Item:
        """Raises Refusal, worded for the act: `retrieve`, `delete`, `truncate`."""
        item = self.find(item_id)
        if item is None:
            gerund = {"retrieve": "retrieving", "delete": "deleting", "truncate": "truncating"}[act]
            message = f"Error {gerund} item: the item with id '{item_id}' does not exist."
            raise Refusal(message, code=f"item_{act}_invalid_item_id", param="item_id")
        return item

    def delete(self, item_id: str) -> None:
        self.items.remove(self.get(item_id, "delete"))

    def truncate(self, item_id: str, content_index: int, audio_end_ms: int) -> None:
        """Forget what was not heard of an answer, and its transcript. Raises Refusal, and then nothing is cut."""
        item = self.get(item_id, "truncate")
        if not isinstance(item, Message) or item.role != "assistant":
            raise _no_audio()
        if content_index >= len(item.parts):
            if not item.parts:
                raise _no_audio()
            message = f"Invalid 'content_index': item '{item_id}' has {len(item.parts)} content parts."
            raise Refusal(message, code="invalid_value", param="content_index")
        part = item.parts[content_index]
        if not part.is_audio or part.length_ms == 0:
            raise _no_audio()
        if audio_end_ms > part.length_ms:
            message = f"Audio content of {part.length_ms}ms is already shorter than {audio_end_ms}ms"
            raise Refusal(message, code="invalid_value", param="audio_end_ms")
        item.cut = item.cut or audio_end_ms < part.length_ms
        _cut(part, audio_end_ms)

    def _asked_for(self, call_id: str) -> bool:
        return any(isinstance(item, FunctionCall) and item.call_id == call_id for item in self.items)


def _no_audio() -> Refusal:
    message = "Only model output audio messages can be truncated"
    return Refusal(message, code="unsupported_content_type", param="item_id")


def _cut(part: Part, audio_end_ms: int) -> None:
    """Keep the words that had been said by then, as far as time tells."""
    part.known = words_until(part.known or "", audio_end_ms, part.length_ms)
    part.text, part.length_ms = None, audio_end_ms
