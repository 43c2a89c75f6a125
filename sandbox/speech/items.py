"""What a conversation is made of: messages, calls of tools, and what came out of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sandbox.speech.errors import Refusal
from sandbox.speech.fields import Fields, Json, audio_bytes

Status: TypeAlias = Literal["in_progress", "completed", "incomplete"]
Role: TypeAlias = Literal["user", "assistant", "system"]
_CONTENT: dict[str, tuple[str, ...]] = {
    "user": ("input_text", "input_audio"),
    "assistant": ("output_text", "output_audio"),
    "system": ("input_text",),
}


@dataclass
class Part:
    """One piece of a message.

    text: what the client is told: text, or a transcript (None while there is none). known: what the model itself
    knows was said; None while it still listens. length_ms: of audio.
    """

    kind: str
    text: str | None = None
    known: str | None = None
    length_ms: int = 0

    @property
    def is_audio(self) -> bool:
        return self.kind.endswith("audio")

    def json(self) -> Json:
        if self.is_audio:
            return {"type": self.kind, "transcript": self.text}
        return {"type": self.kind, "text": self.text or ""}


@dataclass
class Message:
    """Somebody's turn.

    cut: of the assistant, said or heard only in part. meant: all that was to be said. silence: nobody spoke, for as
    long as idle_timeout_ms says.
    """

    id: str
    role: Role
    parts: list[Part] = field(default_factory=list[Part])
    status: Status = "completed"
    cut: bool = False
    meant: str = ""
    silence: bool = False

    @property
    def known(self) -> str:
        """What was said, as far as the model knows."""
        return " ".join(part.known for part in self.parts if part.known)

    @property
    def unheard(self) -> bool:
        """Whether the model still listens to some of it."""
        return any(part.known is None for part in self.parts)

    def json(self) -> Json:
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "message",
            "status": self.status,
            "role": self.role,
            "content": [part.json() for part in self.parts],
        }


@dataclass
class FunctionCall:
    """The model asks for a tool. arguments: JSON as text."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: Status = "completed"

    def json(self, arguments: str | None = None) -> Json:
        """arguments: instead of all of them, those that have been sent so far."""
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "function_call",
            "status": self.status,
            "call_id": self.call_id,
            "name": self.name,
            "arguments": self.arguments if arguments is None else arguments,
        }


@dataclass
class FunctionOutput:
    """What a tool gave back."""

    id: str
    call_id: str
    output: str
    status: Status = "completed"

    def json(self) -> Json:
        return {
            "id": self.id,
            "object": "realtime.item",
            "type": "function_call_output",
            "status": self.status,
            "call_id": self.call_id,
            "output": self.output,
        }


Item: TypeAlias = Message | FunctionCall | FunctionOutput


@dataclass(frozen=True)
class Audio:
    """Sound a client put into an item, in the session's input format."""

    item: Message
    part: Part
    wire: bytes


def read_item(given: Fields, fresh_id: str) -> tuple[Item, Sequence[Audio]]:
    """The item a client describes, and the sounds in it that have to be listened to. Raises Refusal."""
    kind = given.one_of("type", ("message", "function_call", "function_call_output"))
    given.only(
        ("id", "object", "type", "status", "role", "content", "call_id", "name", "arguments", "output")
    )
    item_id = given.maybe_text("id") or fresh_id
    if len(item_id) > 32:
        where = given.where("id")
        message = f"Invalid '{where}': string too long. Expected a string with maximum length 32."
        raise Refusal(message, code="string_above_max_length", param=where)
    match kind:
        case "function_call":
            call_id = given.maybe_text("call_id") or fresh_id.replace("item", "call")
            return FunctionCall(item_id, call_id, given.text("name"), given.text("arguments")), ()
        case "function_call_output":
            return FunctionOutput(item_id, given.text("call_id"), given.text("output")), ()
        case _:
            return _read_message(given, item_id)


def _read_message(given: Fields, item_id: str) -> tuple[Message, Sequence[Audio]]:
    role = given.one_of("role", tuple(_CONTENT))
    message = Message(item_id, "user" if role == "user" else "assistant" if role == "assistant" else "system")
    sounds: list[Audio] = []
    for content in given.objects("content"):
        content.only(("type", "text", "audio", "transcript", "detail", "image_url"))
        part = Part(content.one_of("type", _CONTENT[role]))
        message.parts.append(part)
        if not part.is_audio:
            part.text = part.known = content.text("text")
            continue
        part.text = part.known = content.maybe_text("transcript")
        if role == "user" and content.given("audio") is not None:
            sounds.append(Audio(message, part, audio_bytes(content, "audio")))
        elif part.known is None:
            part.known = ""
    return message, sounds


def words_until(text: str, heard: int, whole: int) -> str:
    """The words of a text that have been said when so much of its sound was played. A word cut in two is not one."""
    if heard >= whole:
        return text
    kept = text[: len(text) * heard // whole]
    if kept and not text[len(kept)].isspace():
        kept = kept.rpartition(" ")[0]
    return kept.strip()
