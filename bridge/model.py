"""The speech model as the bridge sees it: orders to it, and news from it. Knows no vendor's protocol.

An implementation turns orders into frames and frames into news (`bridge/realtime.py`); it keeps the rules of its
protocol by itself, such as one response at a time. Audio is base64 of 8 kHz mu-law all the way: nobody decodes it.
Dataclasses that travel with audio are not frozen, since that costs more than the rest of their making.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from workflows.voice import Speaker, Tool, Turn

# Orders


@dataclass(frozen=True)
class Configure:
    """What the model is and may do. answers: whether it answers by itself whoever spoke.

    first: on a new session, before any audio; later the voice stays as it is.
    """

    instructions: str
    tools: tuple[Tool, ...]
    voice: str
    language: str
    answers: bool = True
    first: bool = False


@dataclass(frozen=True)
class Answers:
    """Whether the model answers by itself whoever spoke."""

    yes: bool


@dataclass(slots=True)
class AppendAudio:
    """The model hears this."""

    payload: str


@dataclass(frozen=True)
class ToolUse:
    """A tool call and what came of it, as the model shall remember them."""

    id: str
    name: str
    arguments: str
    output: str


@dataclass(frozen=True)
class AddContext:
    """Know this, silently."""

    text: str


Memory = Turn | ToolUse | AddContext


@dataclass(frozen=True)
class Remember:
    """What was said and done before, oldest first."""

    what: tuple[Memory, ...]


@dataclass(frozen=True)
class SayExactly:
    """Speak this word for word; its response is announced with this id."""

    id: str
    text: str


@dataclass(frozen=True)
class Respond:
    """Speak."""


@dataclass(frozen=True)
class ToolResult:
    """What came of a tool call."""

    id: str
    output: str


@dataclass(frozen=True)
class Forget:
    """Of this item only so much was heard: the rest was never said. heard_ms 0: nothing of it was."""

    item: str
    heard_ms: int


@dataclass(frozen=True)
class Stop:
    """Say no more of what is being said."""


Order = (
    Configure
    | Answers
    | AppendAudio
    | Remember
    | SayExactly
    | Respond
    | AddContext
    | ToolResult
    | Forget
    | Stop
)

# News


@dataclass(frozen=True)
class Ready:
    """The model hears and speaks as configured. expires_at: when its session ends, in Unix seconds, if it says so."""

    expires_at: float | None = None


@dataclass(frozen=True)
class SpeechStarted:
    """Somebody speaks. item: what their words will be called."""

    item: str


@dataclass(frozen=True)
class SpeechStopped:
    """They have stopped."""

    item: str


@dataclass(frozen=True)
class ResponseStarted:
    """The model begins to answer. saying: the id of what it was told to say exactly, or ""."""

    response: str
    saying: str = ""


@dataclass(slots=True)
class Audio:
    """A piece of an item's sound."""

    response: str
    item: str
    payload: str


@dataclass(frozen=True)
class ItemDone:
    """All sound of an item has come."""

    item: str


@dataclass(frozen=True)
class Transcript:
    """Words of an item. who: caller is anybody the model hears. whole: all of them, not an addition to the last."""

    who: Literal[Speaker.CALLER, Speaker.ASSISTANT]
    item: str
    text: str
    whole: bool = True


@dataclass(frozen=True)
class ToolCalled:
    """The model wants something done. arguments: as it wrote them, perhaps no JSON at all."""

    response: str
    id: str
    name: str
    arguments: str


class Ending(StrEnum):
    """How a response ended."""

    WHOLE = "whole"
    CANCELLED = "cancelled"
    CUT = "cut"
    FAILED = "failed"


@dataclass(frozen=True)
class ResponseOver:
    """An answer has ended. because: in the model's words, if it failed."""

    response: str
    how: Ending
    because: str = ""


@dataclass(frozen=True)
class Limits:
    """What may still be asked for, of what, and when that is renewed."""

    name: str
    remaining: float
    limit: float
    reset_s: float


class Meaning(StrEnum):
    """What an error means for the session. ended: it is over, another may begin. hopeless: so would the next be."""

    HARMLESS = "harmless"
    ENDED = "ended"
    HOPELESS = "hopeless"


@dataclass(frozen=True)
class Trouble:
    """The model reports an error."""

    code: str
    message: str
    meaning: Meaning = Meaning.HARMLESS


News = (
    Ready
    | SpeechStarted
    | SpeechStopped
    | ResponseStarted
    | Audio
    | ItemDone
    | Transcript
    | ToolCalled
    | ResponseOver
    | Limits
    | Trouble
)
