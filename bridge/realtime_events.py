"""What we send over the Realtime protocol, as its events: typed by the official package when the code is checked."""

import json
from typing import TYPE_CHECKING

from bridge.model import AddContext, Configure, Memory, ToolUse
from workflows.voice import Speaker, Tool

if TYPE_CHECKING:
    from openai.types.realtime import (
        AudioTranscriptionParam,
        ConversationItemCreateEventParam,
        ConversationItemDeleteEventParam,
        ConversationItemParam,
        ConversationItemTruncateEventParam,
        RealtimeAudioConfigInputParam,
        RealtimeSessionCreateRequestParam,
        ResponseCancelEventParam,
        ResponseCreateEventParam,
        SessionUpdateEventParam,
    )
    from openai.types.realtime.realtime_audio_input_turn_detection_param import (
        RealtimeAudioInputTurnDetectionParam,
    )
    from openai.types.realtime.realtime_function_tool_param import RealtimeFunctionToolParam

CONFIGURATION = "configuration"
SAYING = "saying"


def configuration(order: Configure, model: str, transcription: str) -> "SessionUpdateEventParam":
    """What the session is and may do. model, transcription: the models' names."""
    session: RealtimeSessionCreateRequestParam = {
        "type": "realtime",
        "instructions": order.instructions,
        "tools": [_function(tool) for tool in order.tools],
        "tool_choice": "auto",
    }
    written: AudioTranscriptionParam = {"model": transcription}
    if order.language:
        written["language"] = order.language[:2]
    listening: RealtimeAudioConfigInputParam = {
        "transcription": written,
        "turn_detection": _turns(answers=order.answers),
    }
    if not order.first:
        session["audio"] = {"input": listening}
        return {"type": "session.update", "session": session}
    session["model"] = model
    session["output_modalities"] = ["audio"]
    listening["format"] = {"type": "audio/pcmu"}
    session["audio"] = {
        "input": listening,
        "output": {"format": {"type": "audio/pcmu"}, "voice": order.voice},
    }
    return {"type": "session.update", "event_id": CONFIGURATION, "session": session}


def answering(*, answers: bool) -> "SessionUpdateEventParam":
    """Whether it answers by itself whoever spoke."""
    listening: RealtimeAudioConfigInputParam = {"turn_detection": _turns(answers=answers)}
    return {"type": "session.update", "session": {"type": "realtime", "audio": {"input": listening}}}


def respond(saying: str = "", order: str = "") -> "ResponseCreateEventParam":
    """Speak. saying: the id of what is to be said exactly, which comes back with the answer; order: to say it."""
    if not saying:
        return {"type": "response.create"}
    return {
        "type": "response.create",
        "response": {"instructions": order, "metadata": {SAYING: saying}, "tool_choice": "none"},
    }


def cancelled(response: str) -> "ResponseCancelEventParam":
    """This answer is not wanted any more."""
    return {"type": "response.cancel", "response_id": response}


def forget(
    item: str, heard_ms: int
) -> "ConversationItemTruncateEventParam | ConversationItemDeleteEventParam":
    """Of this item only so much was heard. Nothing of it: a length of 0 is refused, so it is deleted."""
    if not heard_ms:
        return {"type": "conversation.item.delete", "item_id": item}
    return {
        "type": "conversation.item.truncate",
        "item_id": item,
        "content_index": 0,
        "audio_end_ms": heard_ms,
    }


def created(item: "ConversationItemParam") -> "ConversationItemCreateEventParam":
    """The conversation has one item more."""
    return {"type": "conversation.item.create", "item": item}


def system(words: str) -> "ConversationItemParam":
    """What the model shall know."""
    return {"type": "message", "role": "system", "content": [{"type": "input_text", "text": words}]}


def items(memory: Memory) -> "list[ConversationItemParam]":
    """The items of a memory: sound comes back as its words."""
    if isinstance(memory, AddContext):
        return [system(memory.text)]
    if isinstance(memory, ToolUse):
        return [
            {
                "type": "function_call",
                "call_id": memory.id,
                "name": memory.name,
                "arguments": memory.arguments,
            },
            {"type": "function_call_output", "call_id": memory.id, "output": memory.output},
        ]
    match memory.speaker:
        case Speaker.ASSISTANT:
            return [
                {
                    "type": "message",
                    "role": "assistant",
                    "content": [{"type": "output_text", "text": memory.text}],
                }
            ]
        case Speaker.CALLER:
            words = memory.text
        case Speaker.RESPONDER | Speaker.ROOM | Speaker.INTERPRETER:
            words = f"({memory.speaker}) {memory.text}"
    return [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": words}]}]


def result(call: str, output: str) -> "ConversationItemParam":
    """What came of a tool call."""
    return {"type": "function_call_output", "call_id": call, "output": output}


def _turns(*, answers: bool) -> "RealtimeAudioInputTurnDetectionParam":
    return {"type": "server_vad", "create_response": answers, "interrupt_response": True}


def _function(tool: Tool) -> "RealtimeFunctionToolParam":
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": json.loads(tool.parameters),
    }
