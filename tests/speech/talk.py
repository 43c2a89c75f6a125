"""A client in the same process as the session: time is moved, ears and voice answer at once."""

import base64
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

import numpy as np

from sandbox.sound import modem
from sandbox.sound.mulaw import RATE, Samples
from sandbox.speech import client_events
from sandbox.speech.configuration import Tool
from sandbox.speech.dialogue.mind import RuleMind
from sandbox.speech.fields import Json
from sandbox.speech.formats import Decoder, encode
from sandbox.speech.items import Item
from sandbox.speech.mind import Asked, Mind, Say, Step
from sandbox.speech.orders import Close, Listen, Order, Send, Speak
from sandbox.speech.organs import Organs, light
from sandbox.speech.session import Session, Timing
from tests.speech.wire import checked_client, checked_server

Event: TypeAlias = dict[str, Any]  # a test looks into it as it likes

PCMU: Json = {"type": "audio/pcmu"}
FRAME_MS = 20


class Scripted:
    """A mind for tests of the protocol: gives its steps one after the other."""

    def __init__(self, *replies: Sequence[Step]) -> None:
        self.replies = list(replies)
        self.asked: list[Asked] = []

    def reply(self, asked: Asked) -> Sequence[Step]:
        self.asked.append(asked)
        return self.replies.pop(0) if self.replies else [Say("All right.")]

    def language(self, items: Sequence[Item], instructions: str) -> str:
        del items, instructions
        return ""


class Talk:
    """Says things to a session and keeps what came back. deaf, mute: ears and voice finish by hand only."""

    def __init__(
        self,
        mind: Mind | None = None,
        timing: Timing | None = None,
        *,
        deaf: bool = False,
        mute: bool = False,
        model: str = "gpt-realtime-2.1",
        organs: Organs | None = None,
    ) -> None:
        organs = organs or light()
        self.now_ms = 1_000_000
        self.events: list[Event] = []
        self.closed: Close | None = None
        self.listens: list[Listen] = []
        self.speaks: list[Speak] = []
        self._deaf, self._mute = deaf, mute
        self._organs = organs
        self.session = Session(
            model, mind or RuleMind(), organs.detector(), self.now_ms,
            expires_at=1_900_000_000, timing=timing,
        )  # fmt: skip
        self._take(self.session.begin())

    # What the client does.

    def send(self, kind: str, **content: object) -> list[Event]:
        """Send an event that the official types accept; gives what came back at once."""
        return self.send_raw(json.dumps(checked_client({"type": kind, **content})))

    def send_raw(self, text: str | bytes) -> list[Event]:
        return self._during(lambda: self.session.received(client_events.read(text), self.now_ms))

    def configure(self, **session: object) -> list[Event]:
        return self.send("session.update", session={"type": "realtime", **session})

    def on_the_telephone(self, **session: object) -> "Talk":
        """Mu-law both ways, transcripts on, and no turn detection unless asked for."""
        detection = session.pop("turn_detection", None)
        self.configure(
            audio={
                "input": {
                    "format": PCMU,
                    "turn_detection": detection,
                    "transcription": {"model": "gpt-transcribe"},
                },
                "output": {"format": PCMU},
            },
            **session,
        )
        return self

    def hears(self, samples: Samples, audio_format: str = "audio/pcmu") -> list[Event]:
        """Sound arrives in real time, frame by frame."""
        before = len(self.events)
        for start in range(0, len(samples), RATE * FRAME_MS // 1_000):
            frame = samples[start : start + RATE * FRAME_MS // 1_000]
            self.send("input_audio_buffer.append", audio=wire(frame, audio_format))
            self.passes(FRAME_MS)
        return self.events[before:]

    def silence(self, ms: int) -> list[Event]:
        return self.hears(np.zeros(RATE * ms // 1_000, dtype=np.int16))

    def says(self, text: str, then_ms: int = 700) -> list[Event]:
        """Somebody speaks in the light voice, and is quiet."""
        before = len(self.events)
        self.hears(modem.speak(text))
        self.silence(then_ms)
        return self.events[before:]

    def types(self, text: str, role: str = "user") -> list[Event]:
        """An item of text."""
        kind = "output_text" if role == "assistant" else "input_text"
        item = {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}
        return self.send("conversation.item.create", item=item)

    def passes(self, ms: int) -> list[Event]:
        """Time passes, and everything due happens at its own instant."""
        before = len(self.events)
        until = self.now_ms + ms
        while (due := self.session.due_ms) is not None and due <= until:
            self.now_ms = max(self.now_ms, due)
            self._take(self.session.tick(self.now_ms))
        self.now_ms = until
        return self.events[before:]

    def respond(self, **response: object) -> list[Event]:
        """Ask for a response and wait until it is done."""
        before = len(self.events)
        self.send("response.create", **({"response": response} if response else {}))
        self.until("response.done", after=before)
        return self.events[before:]

    def until(self, kind: str, after: int = 0) -> Event:
        for _ in range(10_000):
            if found := [event for event in self.events[after:] if event["type"] == kind]:
                return found[-1]
            self.passes(10)
        message = f"no {kind} came"
        raise AssertionError(message)

    def understood(self, listen: Listen, text: str | None) -> list[Event]:
        return self._during(lambda: self.session.heard(listen.number, text, self.now_ms))

    def voiced(self, speak: Speak, samples: Samples | None) -> list[Event]:
        return self._during(lambda: self.session.spoken(speak.response_id, samples, self.now_ms))

    # What came back.

    def of(self, kind: str, events: Iterable[Event] | None = None) -> list[Event]:
        return [event for event in (self.events if events is None else events) if event["type"] == kind]

    def last(self, kind: str) -> Event:
        return self.of(kind)[-1]

    def kinds(self, events: Iterable[Event]) -> list[str]:
        return [str(event["type"]) for event in events]

    def sound(self, events: Iterable[Event] | None = None, audio_format: str = "audio/pcmu") -> Samples:
        decoder = Decoder(audio_format)
        deltas = self.of("response.output_audio.delta", events)
        pieces = [decoder.decode(base64.b64decode(str(delta["delta"]))) for delta in deltas]
        return np.concatenate([np.zeros(0, dtype=np.int16), *pieces])

    def spoken(self, events: Iterable[Event] | None = None) -> str:
        """The words that the sound of these events carries."""
        return modem.understand(self.sound(events))

    def error(self, events: Iterable[Event] | None = None) -> Event:
        found = self.of("error", events)
        assert found, "no error came"
        error: Event = found[-1]["error"]
        return error

    def _during(self, act: Callable[[], list[Order]]) -> list[Event]:
        before = len(self.events)
        self._take(act())
        return self.events[before:]

    def _take(self, orders: Iterable[Order]) -> None:
        for order in orders:
            match order:
                case Send(event):
                    self.events.append(checked_server(json.loads(json.dumps(event))))
                case Listen() if self._deaf:
                    self.listens.append(order)
                case Listen(number, samples, language):
                    text = self._organs.ears.understand(samples, language)
                    self._take(self.session.heard(number, text, self.now_ms))
                case Speak() if self._mute:
                    self.speaks.append(order)
                case Speak(response_id, text, language):
                    samples = self._organs.voice.speak(text, language)
                    self._take(self.session.spoken(response_id, samples, self.now_ms))
                case Close():
                    self.closed = order


def wire(samples: Samples, audio_format: str = "audio/pcmu") -> str:
    return base64.b64encode(encode(audio_format, samples)).decode()


def tool(name: str, **properties: object) -> Tool:
    """A tool whose properties are strings, or choices where a list is given."""
    schema: Json = {
        key: {"type": "string", "enum": value} if isinstance(value, list) else {"type": "string"}
        for key, value in properties.items()
    }
    return Tool(name, "", {"type": "object", "properties": schema})
