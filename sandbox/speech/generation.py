"""One response, from `response.created` to `response.done`.

thinking → (saying a message | calling a tool)* → over. A message's sound arrives when the voice is ready, and then
leaves in deltas faster than it will be played. Cancelling is possible in any state and closes what is open.
"""

import base64
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import numpy as np

from sandbox.sound.mulaw import RATE, Samples
from sandbox.speech.configuration import Modality, format_json, tokens_json
from sandbox.speech.conversation import Conversation
from sandbox.speech.fields import Json
from sandbox.speech.formats import encode, ms_of
from sandbox.speech.ids import Ids
from sandbox.speech.items import FunctionCall, Item, Message, Part, Status, words_until
from sandbox.speech.mind import Asked, Say, Step, Use
from sandbox.speech.orders import Order, Send, Speak

AUDIO_TOKEN_MS: Final = 50


@dataclass(frozen=True)
class Wanted:
    """How one response is to be made. conversation: where its items go; None for none."""

    asked: Asked
    conversation: Conversation | None
    conversation_id: str
    modality: Modality
    audio_format: str
    voice: str
    most_tokens: int | None
    metadata: object
    input_tokens: int


@dataclass(frozen=True)
class Pace:
    """delta_ms: of sound in one delta. speed: how much faster than real time they leave."""

    delta_ms: int = 200
    speed: int = 10


@dataclass
class _Saying:
    """The message that is being said. sent: samples; told: letters of the transcript."""

    message: Message
    text: str
    sound: Samples = field(default_factory=lambda: np.zeros(0, dtype=np.int16))
    sent: int = 0
    told: int = 0

    @property
    def part(self) -> Part:
        return self.message.parts[0]


class At(Enum):
    THINKING = "thinking"
    VOICING = "voicing"  # the words are known, their sound is not there yet
    SPEAKING = "speaking"
    OVER = "over"


class Generation:
    """due_ms: when `step` has something to do; None while it waits for somebody else."""

    def __init__(self, wanted: Wanted, ids: Ids, pace: Pace) -> None:
        self.id = ids.draw("resp")
        self.wanted = wanted
        self.at = At.THINKING
        self.due_ms: int | None = None
        self.audio_ms = 0  # sent, of all its messages
        self.first_audio_ms: int | None = None  # when the first of it left
        self._ids = ids
        self._pace = pace
        self._outputs: list[Item] = []
        self._steps: deque[Step] = deque()
        self._saying: _Saying | None = None
        self._status = "in_progress"
        self._details: Json | None = None
        self._text_tokens = 0

    @property
    def over(self) -> bool:
        return self.at is At.OVER

    def begin(self) -> list[Order]:
        return [Send({"type": "response.created", "response": self.json()})]

    def decided(self, steps: Sequence[Step]) -> list[Order]:
        """The mind has made itself up."""
        self._steps.extend(steps)
        return list(self._go_on())

    def spoken(self, samples: Samples, now_ms: int) -> None:
        """The sound of the message that is being voiced."""
        if self.at is At.VOICING and self._saying is not None:
            self._saying.sound, self.at = samples, At.SPEAKING
            self.due_ms = now_ms

    def step(self, now_ms: int) -> list[Order]:
        """Send what is due by now."""
        orders: list[Order] = []
        while self.due_ms is not None and self.due_ms <= now_ms and self._saying is not None:
            orders += self._delta(self._saying, self.due_ms)
            if self._spent():
                return [*orders, *self._close("incomplete", {"reason": "max_output_tokens"})]
            if self._saying.sent >= len(self._saying.sound):
                orders += self._message_done(self._saying, "completed")
                orders += self._go_on()
            else:
                self.due_ms += self._pace.delta_ms // self._pace.speed
        return orders

    def cancel(self, reason: str) -> list[Order]:
        """End it as it is: `turn_detected`, `client_cancelled`."""
        return [] if self.over else self._close("cancelled", {"reason": reason})

    def fail(self, kind: str, code: str | None, message: str) -> list[Order]:
        """End it with an error of ours."""
        if self.over:
            return []
        return self._close("failed", {"error": {"type": kind, "code": code, "message": message}})

    def json(self) -> Json:
        wanted = self.wanted
        return {
            "object": "realtime.response",
            "id": self.id,
            "status": self._status,
            "status_details": self._details,
            "output": [item.json() for item in self._outputs],
            "conversation_id": wanted.conversation_id if wanted.conversation is not None else None,
            "output_modalities": [wanted.modality],
            "max_output_tokens": tokens_json(wanted.most_tokens),
            "audio": {"output": {"format": format_json(wanted.audio_format), "voice": wanted.voice}},
            "usage": self._usage() if self.over else None,
            "metadata": wanted.metadata,
        }

    @property
    def output_tokens(self) -> int:
        return self.audio_ms // AUDIO_TOKEN_MS + self._text_tokens

    def _usage(self) -> Json:
        given = self.wanted.input_tokens
        return {
            "total_tokens": given + self.output_tokens,
            "input_tokens": given,
            "output_tokens": self.output_tokens,
            "input_token_details": {
                "text_tokens": given, "audio_tokens": 0, "image_tokens": 0, "cached_tokens": 0,
                "cached_tokens_details": {"text_tokens": 0, "audio_tokens": 0, "image_tokens": 0},
            },
            "output_token_details": {
                "text_tokens": self._text_tokens, "audio_tokens": self.audio_ms // AUDIO_TOKEN_MS,
            },
        }  # fmt: skip

    def _spent(self) -> bool:
        return self.wanted.most_tokens is not None and self.output_tokens >= self.wanted.most_tokens

    def _go_on(self) -> Iterator[Order]:
        """Begin what comes next, or be done."""
        self.due_ms = None
        while self._steps:
            match self._steps.popleft():
                case Use() as use:
                    yield from self._call(use)
                case Say(text, language):
                    saying = self._begun(text)
                    yield from self._shown(saying)
                    if self.wanted.modality == "audio":
                        self.at, self._saying = At.VOICING, saying
                        yield Speak(self.id, text, language)
                        return
                    yield from self._written(saying)
        yield from self._close("completed", None)

    def _add(self, item: Item) -> Iterator[Order]:
        index = len(self._outputs)
        self._outputs.append(item)
        shown = item.json("") if isinstance(item, FunctionCall) else item.json()
        yield self._send("output_item.added", output_index=index, item=shown)
        if (conversation := self.wanted.conversation) is not None:
            conversation.add(item)
            before = conversation.before(item)
            yield Send({"type": "conversation.item.added", "previous_item_id": before, "item": shown})

    def _finish(self, item: Item) -> Iterator[Order]:
        conversation = self.wanted.conversation
        if conversation is not None and conversation.find(item.id) is not None:
            before = conversation.before(item)
            yield Send({"type": "conversation.item.done", "previous_item_id": before, "item": item.json()})
        index = self._outputs.index(item)
        yield self._send("output_item.done", output_index=index, item=item.json())

    def _call(self, use: Use) -> Iterator[Order]:
        arguments = json.dumps(use.arguments, ensure_ascii=False)
        self._text_tokens += 4 + len(arguments) // 4
        call = FunctionCall(
            self._ids.draw("item"), self._ids.draw("call"), use.tool, arguments, "in_progress"
        )
        yield from self._add(call)
        place: Json = {
            "item_id": call.id, "output_index": len(self._outputs) - 1, "call_id": call.call_id,
        }  # fmt: skip
        middle = len(arguments) // 2
        for piece in (arguments[:middle], arguments[middle:]):
            yield self._send("function_call_arguments.delta", **place, delta=piece)
        yield self._send("function_call_arguments.done", **place, name=call.name, arguments=arguments)
        call.status = "completed"
        yield from self._finish(call)

    def _begun(self, text: str) -> _Saying:
        kind = "output_audio" if self.wanted.modality == "audio" else "output_text"
        return _Saying(
            Message(self._ids.draw("item"), "assistant", [Part(kind, "", "")], "in_progress"), text
        )

    def _shown(self, saying: _Saying) -> Iterator[Order]:
        parts, saying.message.parts = saying.message.parts, []  # an item is announced empty
        yield from self._add(saying.message)
        saying.message.parts = parts
        part: Json = (
            {"type": "audio", "transcript": ""} if saying.part.is_audio else {"type": "text", "text": ""}
        )
        yield self._send("content_part.added", **self._where(saying), part=part)

    def _written(self, saying: _Saying) -> Iterator[Order]:
        yield self._send("output_text.delta", **self._where(saying), delta=saying.text)
        self._text_tokens += 1 + len(saying.text) // 4
        saying.told = len(saying.text)
        yield from self._message_done(saying, "completed")

    def _delta(self, saying: _Saying, now_ms: int) -> Iterator[Order]:
        """The next piece of sound, and of the transcript, which runs ahead of it."""
        length = self._pace.delta_ms * RATE // 1_000
        piece = saying.sound[saying.sent : saying.sent + length]
        until = min(1.0, 2 * (saying.sent + len(piece)) / max(1, len(saying.sound)))
        if told := saying.text[saying.told : int(len(saying.text) * until)]:
            yield self._send("output_audio_transcript.delta", **self._where(saying), delta=told)
            saying.told += len(told)
        if len(piece):
            wire = base64.b64encode(encode(self.wanted.audio_format, piece)).decode()
            yield self._send("output_audio.delta", **self._where(saying), delta=wire)
        saying.sent += len(piece)
        self.audio_ms += ms_of(len(piece))
        if self.first_audio_ms is None:
            self.first_audio_ms = now_ms
        saying.part.length_ms = ms_of(saying.sent)
        saying.part.known = words_until(saying.text, saying.sent, len(saying.sound))

    def _message_done(self, saying: _Saying, status: Status) -> Iterator[Order]:
        self._saying = None
        part, where = saying.part, self._where(saying)
        whole = status == "completed"
        saying.message.status = status
        saying.message.cut = not whole
        part.text = saying.text if whole else saying.text[: saying.told]
        part.known = saying.text if whole else part.known
        if part.is_audio:
            if rest := part.text[saying.told :]:
                yield self._send("output_audio_transcript.delta", **where, delta=rest)
            yield self._send("output_audio.done", **where)
            yield self._send("output_audio_transcript.done", **where, transcript=part.text)
            closed: Json = {"type": "audio", "transcript": part.text}
        else:
            yield self._send("output_text.done", **where, text=part.text)
            closed = {"type": "text", "text": part.text}
        yield self._send("content_part.done", **where, part=closed)
        yield from self._finish(saying.message)

    def _close(self, status: str, details: Json | None) -> list[Order]:
        orders = list(self._message_done(self._saying, "incomplete")) if self._saying is not None else []
        self._steps.clear()
        self.at, self.due_ms = At.OVER, None
        self._status, self._details = status, {"type": status, **details} if details is not None else None
        return [*orders, Send({"type": "response.done", "response": self.json()})]

    def _where(self, saying: _Saying) -> Json:
        index = self._outputs.index(saying.message)
        return {"item_id": saying.message.id, "output_index": index, "content_index": 0}

    def _send(self, kind: str, **content: object) -> Send:
        return Send({"type": f"response.{kind}", "response_id": self.id, **content})
