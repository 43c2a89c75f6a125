"""A caller in real time on the model's socket: 20 ms of sound every 20 ms, and what comes back."""

import asyncio
import base64
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from sandbox.sound import mulaw
from sandbox.sound.mulaw import FRAME, RATE, Samples
from tests.speech.talk import Event
from tests.speech.wire import checked_server

MODEL = "gpt-realtime-2.1"


@dataclass
class Answer:
    """after_s: from the last loud sample of the caller to the first sound of the answer."""

    transcript: str = ""
    words: str = ""
    after_s: float = 0.0
    sound: Samples = field(default_factory=lambda: np.zeros(0, dtype=np.int16))


class PacedCaller:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def says(self, sound: Samples) -> Answer:
        """Speak, then be quiet until the answer is there. Raises TimeoutError."""
        loop = asyncio.get_running_loop()
        quiet = np.zeros(RATE * 8, dtype=np.int16)
        speaking = asyncio.create_task(self._send(np.concatenate([sound, quiet])))
        ends = loop.time() + _end_of_speech_s(sound)
        answer, pieces = Answer(), list[Samples]()
        try:
            async with asyncio.timeout(60):
                while True:
                    event = await self._next()
                    match event["type"]:
                        case "conversation.item.input_audio_transcription.completed":
                            answer.transcript = event["transcript"]
                        case "response.output_audio.delta":
                            answer.after_s = answer.after_s or loop.time() - ends
                            pieces.append(mulaw.decode(base64.b64decode(event["delta"])))
                        case "response.output_audio_transcript.done":
                            answer.words = f"{answer.words} {event['transcript']}".strip()
                        case "response.done" if pieces:
                            break
                        case _:
                            pass
        finally:
            speaking.cancel()
        answer.sound = np.concatenate(pieces)
        return answer

    async def _next(self) -> Event:
        event: Event = checked_server(json.loads(await self._socket.recv()))
        return event

    async def _send(self, sound: Samples) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, start in enumerate(range(0, len(sound), FRAME)):
            await asyncio.sleep(max(0.0, began + number * 0.02 - loop.time()))
            audio = base64.b64encode(mulaw.encode(sound[start : start + FRAME])).decode()
            await self._socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio}))


def _end_of_speech_s(sound: Samples) -> float:
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > 600)
    return float(loud[-1]) / RATE if len(loud) else 0.0


@asynccontextmanager
async def paced(
    address: str, instructions: str = "", tools: list[Event] | None = None
) -> AsyncGenerator[PacedCaller]:
    """A session on the telephone."""
    url = f"ws{address.removeprefix('http')}/v1/realtime?model={MODEL}"
    headers = {"Authorization": "Bearer sk-test"}
    async with connect(url, additional_headers=headers, compression=None, max_size=None) as socket:
        pcmu: Event = {"type": "audio/pcmu"}
        heard: Event = {"format": pcmu, "transcription": {"model": "gpt-transcribe", "language": "en"}}
        session: Event = {
            "type": "realtime",
            "instructions": instructions,
            "tools": tools or [],
            "audio": {"input": heard, "output": {"format": pcmu}},
        }
        await socket.send(json.dumps({"type": "session.update", "session": session}))
        yield PacedCaller(socket)
