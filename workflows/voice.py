"""What the workflow of a call and the bridge say to each other about the conversation.

A plan is all that a model session needs; turns are what was said, tool calls what the AI wants done.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from workflows.assistant import Role
from workflows.versions import Message


class Speaker(StrEnum):
    """Who said something. room: somebody in the room, the bridge cannot tell who.

    interpreter: an AI that said in another language what somebody had said.
    """

    CALLER = "caller"
    ASSISTANT = "assistant"
    RESPONDER = "responder"
    ROOM = "room"
    INTERPRETER = "interpreter"


@dataclass(frozen=True)
class Turn:
    """Something that was said. at: when it began to be heard.

    whole: whether it was heard to its end. fact: the fact it tells, if the workflow had it said.
    item: its id at the speech model. whispered: only the coached leg heard it.
    """

    speaker: Speaker
    text: str
    at: datetime
    whole: bool = True
    fact: str | None = None
    item: str = ""
    whispered: bool = False


@dataclass(frozen=True)
class Tool:
    """What the AI may ask for. parameters: JSON schema as text."""

    name: str
    description: str
    parameters: str


@dataclass(frozen=True)
class Plan:
    """All that a model session needs.

    language: "" where it may be any. opening: said first, word for word; "" listens. turns: what was said before,
    on a call that is resumed. pace: never more than 300 ms ahead of real time. broken_off: the bridge before was
    lost: whoever listens waits. moment: said when what the AI wants done takes long.
    """

    instructions: str
    tools: tuple[Tool, ...]
    voice: str
    language: str
    opening: str = ""
    turns: tuple[Turn, ...] = ()
    role: Role = Role.ANSWERING
    person: str = ""
    pace: bool = False
    broken_off: bool = False
    moment: str = ""


@dataclass(frozen=True, kw_only=True)
class ToolCall(Message):
    """The AI wants something done: the update `use_tool`, whose id is this id. arguments: a JSON object as text."""

    id: str
    name: str
    arguments: str
    generation: int


@dataclass(frozen=True, kw_only=True)
class ToolOutcome(Message):
    """What came of it. output: for the model. speak: whether the model shall go on speaking after it."""

    output: str
    speak: bool = True


@dataclass(frozen=True, kw_only=True)
class Turns(Message):
    """What was said since the last batch: the signal `turns`. first: the number of the first of them.

    Numbers only grow, also from one stream of a leg to its next; a batch is sent again until it was taken.
    """

    generation: int
    first: int
    turns: tuple[Turn, ...]


@dataclass(frozen=True, kw_only=True)
class VoiceTrouble(Message):
    """The speech model fails, is slow, or is back: the signal `voice_trouble`. playing_ms: said, yet to be heard."""

    generation: int
    what: Literal["model-unreachable", "model-lost", "model-slow", "model-back"]
    detail: str
    playing_ms: int = 0
