"""The Realtime API (GA) as an implementation of `bridge/model.py`: one object a session. No sockets, no clock.

Keeps the protocol's own rules: nothing is heard before the configuration was taken; one response at a time, the
next is held back until the last is over; a response is cancelled only while there is one.
No other module knows a name of this protocol.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from bridge import realtime_events as events
from bridge.errors import RemoteProtocolError
from bridge.model import (
    AddContext,
    Answers,
    AppendAudio,
    Audio,
    Configure,
    Ending,
    Forget,
    ItemDone,
    Limits,
    Meaning,
    News,
    Order,
    Ready,
    Remember,
    Respond,
    ResponseOver,
    ResponseStarted,
    SayExactly,
    SpeechStarted,
    SpeechStopped,
    Stop,
    ToolCalled,
    ToolResult,
    Transcript,
    Trouble,
)
from bridge.realtime_wire import (
    APPEND,
    DELTA,
    DELTAS,
    Event,
    append,
    audio,
    each,
    inner,
    number,
    parsed,
    text,
    written,
)
from workflows.voice import Speaker

if TYPE_CHECKING:
    from openai.types.realtime import ResponseCreateEventParam

PATH = "/v1/realtime"
EXACTLY = "Say exactly this and nothing else: "
GO_ON = "The call goes on after a short break of the line. Continue where you were; do not greet again."
WAITING_AT_MOST = 16
HOPELESS = frozenset(
    {"insufficient_quota", "invalid_api_key", "account_deactivated", "billing_hard_limit_reached"}
)
_ENDINGS: Mapping[str, Ending] = MappingProxyType(
    {
        "completed": Ending.WHOLE,
        "cancelled": Ending.CANCELLED,
        "incomplete": Ending.CUT,
        "failed": Ending.FAILED,
    }
)


@dataclass(frozen=True)
class Access:
    """Where the model is, and how to be let in. key: "" where none is needed.

    trusting: take a session for configured without its word, as a server under test may never give it.
    """

    url: str
    model: str
    key: str = ""
    transcription: str = "gpt-transcribe"
    trusting: bool = False

    @property
    def address(self) -> str:
        """The address of a session. An address with a path is taken as it is, but for the model's name."""
        base = self.url.rstrip("/")
        if urlsplit(base).path in {"", "/v1"}:
            base = base.removesuffix("/v1") + PATH
        return f"{base}{'&' if '?' in base else '?'}{urlencode({'model': self.model})}"

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What the request for a session says beside that."""
        return [("Authorization", f"Bearer {self.key}")] if self.key else []


class Realtime:
    """One session at the model."""

    def __init__(self, access: Access) -> None:
        self.unknown = 0
        self.broken = 0
        self.ready = False
        self._access = access
        self._expires_at: float | None = None
        self._active: str | None = None
        self._asked: ResponseCreateEventParam | None = None
        self._waiting: deque[ResponseCreateEventParam] = deque()
        self._unsent: list[bytes] = []
        self._unwanted = False

    def write(self, order: Order) -> list[bytes]:
        """The frames of an order, as far as they may be sent now."""
        match order:
            case AppendAudio():
                return [append(order.payload)]
            case Configure():
                access = self._access
                return [written(events.configuration(order, access.model, access.transcription))]
            case Answers(yes):
                return [written(events.answering(answers=yes))]
            case Remember(what):
                items = [item for memory in what for item in events.items(memory)]
                return [written(events.created(item)) for item in [*items, events.system(GO_ON)]]
            case SayExactly(saying, words):
                # For this answer alone: an item would stay, and be said again by whoever reads the conversation.
                exactly = f"{EXACTLY}{json.dumps(words, ensure_ascii=False)}"
                self._respond(events.respond(saying, exactly))
                return self._now()
            case Respond():
                self._respond(events.respond())
                return self._now()
            case AddContext(words):
                return [written(events.created(events.system(words)))]
            case ToolResult(call, output):
                return [written(events.created(events.result(call, output)))]
            case Forget(item, heard_ms):
                return [written(events.forget(item, heard_ms))]
            case Stop():
                self._waiting.clear()
                self._unwanted = self._asked is not None  # it has no id yet: it is cancelled when it has
                return [written(events.cancelled(self._active))] if self._active else []

    def append(self, payload: bytes) -> bytes:
        """The frame that lets the model hear this. payload: base64, checked when it was read."""
        return APPEND + payload + b'"}'

    def sound(self, frame: bytes) -> Audio | None:
        """The sound in a frame, if that is all there is in it and it is written as the API writes it."""
        if not frame.startswith(DELTA):
            return None
        try:
            return audio(parsed(frame))
        except RemoteProtocolError:
            return None

    def opened(self) -> list[News]:
        """The news in the socket's being open and the configuration's being sent."""
        return self._is_ready() if self._access.trusting else []

    def read(self, frame: bytes | str) -> list[News]:
        """The news in a frame. Frames that must follow from it are in `unsent`."""
        try:
            event = parsed(frame)
        except RemoteProtocolError:
            self.broken += 1
            return []
        kind = event["type"]
        if kind in DELTAS:
            if sound := audio(event):
                return [sound]
            self.broken += 1
            return []
        meaning = EVENTS.get(str(kind))
        if meaning is None:
            self.unknown += 1
            return []
        return meaning(self, event)

    def unsent(self) -> list[bytes]:
        """Frames that became due by what was read, in order; then none."""
        if not self._unsent:
            return []
        due, self._unsent = self._unsent, []
        return due

    # Responses: one at a time

    def _respond(self, wanted: "ResponseCreateEventParam") -> None:
        if len(self._waiting) < WAITING_AT_MOST:
            self._waiting.append(wanted)

    def _now(self) -> list[bytes]:
        """The next response, if none is under way."""
        if self._active is not None or self._asked is not None or not self._waiting:
            return []
        self._asked = self._waiting.popleft()
        return [written(self._asked)]

    def created_response(self, event: Event) -> list[News]:
        """An answer begins."""
        response = inner(event, "response")
        self._active, self._asked = text(response, "id"), None
        if self._unwanted:
            self._unwanted = False
            self._unsent.append(written(events.cancelled(self._active)))
        return [ResponseStarted(self._active, text(inner(response, "metadata"), events.SAYING))]

    def response_over(self, event: Event) -> list[News]:
        """An answer has ended."""
        response = inner(event, "response")
        self._active = None
        self._unsent += self._now()
        details = inner(response, "status_details")
        error = inner(details, "error")
        because = text(error, "code") or text(error, "message") or text(details, "reason")
        how = _ENDINGS.get(text(response, "status"), Ending.WHOLE)
        return [ResponseOver(text(response, "id"), how, because)]

    # The session

    def session_created(self, event: Event) -> list[News]:
        """A session is there, not yet as configured."""
        self._expires_at = number(inner(event, "session"), "expires_at") or self._expires_at
        return []

    def session_updated(self, event: Event) -> list[News]:
        """A configuration was taken."""
        self._expires_at = number(inner(event, "session"), "expires_at") or self._expires_at
        return self._is_ready()

    def _is_ready(self) -> list[News]:
        if self.ready:
            return []
        self.ready = True
        return [Ready(self._expires_at)]

    def error(self, event: Event) -> list[News]:
        """The model reports an error."""
        error = inner(event, "error")
        code, message = text(error, "code"), text(error, "message")
        if code == "conversation_already_has_active_response" and self._asked is not None:
            # The server answered somebody by itself meanwhile; ours comes after that.
            self._waiting.appendleft(self._asked)
            self._asked, self._active = None, self._active or ""
            return []
        meaning = Meaning.HARMLESS
        if code in HOPELESS:
            meaning = Meaning.HOPELESS
        elif code == "session_expired" or text(error, "event_id") == events.CONFIGURATION:
            meaning = Meaning.ENDED
        elif self._asked is not None and self._active is None:
            self._asked = None  # whatever it says, what was asked for may never come
            self._unsent += self._now()
        return [Trouble(code or text(error, "type"), message, meaning)]


# What events mean


def _speech_started(_: Realtime, event: Event) -> list[News]:
    return [SpeechStarted(text(event, "item_id"))]


def _speech_stopped(_: Realtime, event: Event) -> list[News]:
    return [SpeechStopped(text(event, "item_id"))]


def _item_done(_: Realtime, event: Event) -> list[News]:
    return [ItemDone(text(event, "item_id"))]


def _output_item_done(_: Realtime, event: Event) -> list[News]:
    item = inner(event, "item")
    if text(item, "type") != "function_call":
        return [ItemDone(text(item, "id"))]
    if text(item, "status") == "incomplete":
        return []  # its arguments may be cut off
    call = text(item, "call_id")
    return (
        [ToolCalled(text(event, "response_id"), call, text(item, "name"), text(item, "arguments"))]
        if call
        else []
    )


def _said_so_far(_: Realtime, event: Event) -> list[News]:
    return [Transcript(Speaker.ASSISTANT, text(event, "item_id"), text(event, "delta"), whole=False)]


def _said(_: Realtime, event: Event) -> list[News]:
    return [Transcript(Speaker.ASSISTANT, text(event, "item_id"), text(event, "transcript"))]


def _heard(_: Realtime, event: Event) -> list[News]:
    return [Transcript(Speaker.CALLER, text(event, "item_id"), text(event, "transcript"))]


def _limits(_: Realtime, event: Event) -> list[News]:
    return [
        Limits(
            text(one, "name"),
            number(one, "remaining") or 0.0,
            number(one, "limit") or 0.0,
            number(one, "reset_seconds") or 0.0,
        )
        for one in each(event, "rate_limits")
    ]


def _nothing(_: Realtime, __: Event) -> list[News]:
    return []


# Methods of this module's own class, called through a table: the event's name is the only thing that tells.
EVENTS: Mapping[str, Callable[[Realtime, Event], list[News]]] = MappingProxyType(
    {
        "session.created": Realtime.session_created,
        "session.updated": Realtime.session_updated,
        "response.created": Realtime.created_response,
        "response.done": Realtime.response_over,
        "response.output_audio.done": _item_done,
        "response.audio.done": _item_done,
        "response.output_item.done": _output_item_done,
        "response.output_audio_transcript.delta": _said_so_far,
        "response.audio_transcript.delta": _said_so_far,
        "response.output_audio_transcript.done": _said,
        "response.audio_transcript.done": _said,
        "conversation.item.input_audio_transcription.completed": _heard,
        "conversation.item.input_audio_transcription.failed": _heard,
        "input_audio_buffer.speech_started": _speech_started,
        "input_audio_buffer.speech_stopped": _speech_stopped,
        "rate_limits.updated": _limits,
        "error": Realtime.error,
        "input_audio_buffer.committed": _nothing,
        "input_audio_buffer.cleared": _nothing,
        "input_audio_buffer.timeout_triggered": _nothing,
        "conversation.created": _nothing,
        "conversation.item.added": _nothing,
        "conversation.item.created": _nothing,
        "conversation.item.done": _nothing,
        "conversation.item.deleted": _nothing,
        "conversation.item.retrieved": _nothing,
        "conversation.item.truncated": _nothing,
        "conversation.item.input_audio_transcription.delta": _nothing,
        "conversation.item.input_audio_transcription.segment": _nothing,
        "response.output_item.added": _nothing,
        "response.content_part.added": _nothing,
        "response.content_part.done": _nothing,
        "response.output_text.delta": _nothing,
        "response.output_text.done": _nothing,
        "response.function_call_arguments.delta": _nothing,
        "response.function_call_arguments.done": _nothing,
    }
)
