"""What a `response.create` asks for, on top of what the session is set to."""

from collections.abc import Sequence

from sandbox.speech.configuration import (
    Configuration,
    audio_format,
    modality,
    most_tokens,
    text_or_object,
    tools,
    voice_of,
)
from sandbox.speech.conversation import Conversation
from sandbox.speech.errors import Refusal
from sandbox.speech.fields import Fields
from sandbox.speech.generation import Wanted
from sandbox.speech.ids import Ids
from sandbox.speech.items import Item, Message, read_item
from sandbox.speech.mind import Asked

MOST_METADATA = 16


def wanted(
    given: Fields, settings: Configuration, conversation: Conversation, conversation_id: str, ids: Ids
) -> Wanted:
    """Raises Refusal."""
    given.only(
        (
            "conversation", "output_modalities", "instructions", "audio", "tools", "tool_choice",
            "max_output_tokens", "metadata", "input", "prompt", "reasoning", "parallel_tool_calls",
        )
    )  # fmt: skip
    aside = given.one_of("conversation", ("auto", "none"), "auto") == "none"
    output = _output(given)
    asked = Asked(
        _input(given, conversation, ids) if given.has("input") else tuple(conversation.items),
        given.text("instructions") if given.has("instructions") else settings.instructions,
        tools(given) if given.has("tools") else settings.tools,
        text_or_object(given, "tool_choice") if given.has("tool_choice") else settings.tool_choice,
        given.text("instructions", ""),
    )
    return Wanted(
        asked,
        None if aside else conversation,
        conversation_id,
        modality(given) if given.has("output_modalities") else settings.modality,
        audio_format(output.nested("format")) if output.has("format") else settings.output_format,
        voice_of(output) if output.has("voice") else settings.voice,
        most_tokens(given) if given.has("max_output_tokens") else settings.max_output_tokens,
        _metadata(given),
        sum(_tokens(item) for item in asked.items) + len(asked.instructions) // 4,
    )


def _output(given: Fields) -> Fields:
    audio = given.maybe_nested("audio")
    output = audio.maybe_nested("output") if audio is not None else None
    return output or Fields({}, "response.audio.output")


def _input(given: Fields, conversation: Conversation, ids: Ids) -> Sequence[Item]:
    items: list[Item] = []
    for described in given.objects("input"):
        if described.given("type") == "item_reference":
            items.append(conversation.get(described.text("id"), "retrieve"))
            continue
        item, sounds = read_item(described, ids.draw("item"))
        if sounds:
            message = "Sound in the input of a response is not understood by this sandbox: create an item."
            raise Refusal(message, code="invalid_value", param=described.path)
        items.append(item)
    return items


def _metadata(given: Fields) -> object:
    metadata = given.maybe_nested("metadata")
    if metadata is None:
        return None
    if len(metadata.content) > MOST_METADATA:
        message = f"Invalid 'response.metadata': at most {MOST_METADATA} pairs can be given."
        raise Refusal(message, code="object_above_max_properties", param="response.metadata")
    return {name: metadata.text(name) for name in metadata.content}


def _tokens(item: Item) -> int:
    if not isinstance(item, Message):
        return 10
    return sum(part.length_ms // 100 if part.is_audio else len(part.text or "") // 4 for part in item.parts)
