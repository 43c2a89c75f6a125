"""The official Python client talks to the model over a real socket, and every frame is of the published types."""

import base64
import json
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from openai.types.realtime import (
    ConversationItemInputAudioTranscriptionCompletedEvent,
    RealtimeServerEvent,
    ResponseAudioDeltaEvent,
    ResponseDoneEvent,
)
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from sandbox.sound import modem, mulaw
from sandbox.sound.mulaw import Samples
from tests.speech.wire import checked_server

MODEL = "gpt-realtime-2.1"
SILENCE: Samples = np.zeros(mulaw.RATE * 7 // 10, dtype=np.int16)
ESCALATE = {
    "type": "function",
    "name": "escalate",
    "parameters": {
        "type": "object",
        "properties": {
            "category": {"type": "string", "enum": ["gas", "water", "heating"]},
            "severity": {"type": "string", "enum": ["life", "urgent", "routine"]},
            "place": {"type": "string"},
            "reason": {"type": "string"},
            "call_back": {"type": "string"},
        },
        "required": ["category", "severity", "place", "reason"],
    },
}


class Caller:
    """Somebody on a telephone behind the official client."""

    def __init__(self, connection: AsyncRealtimeConnection) -> None:
        self.connection = connection
        self.heard: list[str] = []
        self.transcripts: list[str] = []
        self._sound = b""

    async def says(self, text: str) -> None:
        """Faster than real time: the model's clock of turns is the sound itself."""
        wire = mulaw.encode(np.concatenate([modem.speak(text), SILENCE]))
        for start in range(0, len(wire), 1_600):
            audio = base64.b64encode(wire[start : start + 1_600]).decode()
            await self.connection.input_audio_buffer.append(audio=audio)

    async def until(self, over: Callable[[RealtimeServerEvent], bool]) -> RealtimeServerEvent:
        while True:
            event = await self.connection.recv()
            checked_server(json.loads(event.to_json()))
            match event:
                case ResponseAudioDeltaEvent(delta=delta):
                    self._sound += base64.b64decode(delta)
                case ResponseDoneEvent():
                    self.heard.append(modem.understand(mulaw.decode(self._sound)))
                    self._sound = b""
                case ConversationItemInputAudioTranscriptionCompletedEvent(transcript=transcript):
                    self.transcripts.append(transcript)
                case _:
                    pass
            if over(event):
                return event

    async def hears_the_answer(self) -> str:
        await self.until(lambda event: event.type == "response.done")
        return self.heard[-1]


async def test_an_emergency_is_taken_over_the_official_client(openai: AsyncOpenAI) -> None:
    async with openai.realtime.connect(model=MODEL) as connection:
        caller = Caller(connection)
        await caller.until(lambda event: event.type == "session.created")
        await connection.session.update(
            session={
                "type": "realtime",
                "instructions": 'You answer Harbor Property. Greet with: "Harbor Property after hours."',
                "audio": {
                    "input": {"format": {"type": "audio/pcmu"}, "transcription": {"model": "gpt-transcribe"}},
                    "output": {"format": {"type": "audio/pcmu"}},
                },
                "tools": [ESCALATE],  # type: ignore[list-item]  # a literal dict
            }
        )
        await caller.until(lambda event: event.type == "session.updated")
        await connection.response.create()
        assert await caller.hears_the_answer() == "Harbor Property after hours."
        await caller.says("Water is coming through the ceiling!")
        assert "Where are you?" in await caller.hears_the_answer()
        await caller.says("412 Oak Street, apartment 7.")
        assert "four one two Oak Street, apartment seven" in await caller.hears_the_answer()
        await caller.says("Yeah.")
        called = await caller.until(lambda event: event.type == "response.function_call_arguments.done")
        assert called.type == "response.function_call_arguments.done"
        assert json.loads(called.arguments) == {
            "category": "water",
            "severity": "urgent",
            "place": "412 Oak Street, apartment 7",
            "reason": "Water is coming through the ceiling!",
            "call_back": "the number this call comes from",
        }
        await caller.hears_the_answer()
        await connection.conversation.item.create(
            item={"type": "function_call_output", "call_id": called.call_id, "output": '{"ok": true}'}
        )
        await connection.response.create()
        assert "passed on" in await caller.hears_the_answer()
        assert caller.transcripts == [
            "Water is coming through the ceiling!", "412 Oak Street, apartment 7.", "Yeah.",
        ]  # fmt: skip


async def test_no_key_no_session(address: str) -> None:
    async with httpx.AsyncClient() as client:
        health = await client.get(f"{address}/health")
    assert health.json()["status"] == "ok"
    url = f"ws{address.removeprefix('http')}/v1/realtime?model={MODEL}"
    with pytest.raises(InvalidStatus) as refused:
        await connect(url)
    assert refused.value.response.status_code == 401
    with pytest.raises(InvalidStatus) as refused:
        await connect(url.partition("?")[0], additional_headers={"Authorization": "Bearer k"})
    assert refused.value.response.status_code == 400
