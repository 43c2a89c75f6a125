"""What a session wants done by its driver."""

from dataclasses import dataclass
from typing import Literal

from bridge.ears import Loud
from bridge.model import Order
from bridge.twilio_wire import StreamSid, ToTwilio
from workflows.tokens import StreamToken
from workflows.values import CallSid
from workflows.voice import ToolCall


@dataclass(frozen=True)
class Claim:
    """Whose stream is this? The token that came with it says so, or is none of ours. token: "" if none came."""

    token: str


@dataclass(frozen=True)
class AskToAttach:
    """Ask the call's workflow whether we may carry this leg."""

    leg: StreamToken
    stream: StreamSid


@dataclass(frozen=True)
class End:
    """Close the socket; Twilio then goes on with our TwiML. code: as web sockets have it."""

    code: int
    because: str


@dataclass(frozen=True)
class OpenModel:
    """Open a session at the model, by this number."""

    link: int


@dataclass(frozen=True)
class CloseModel:
    """Close that session; no news of it is wanted."""

    link: int


@dataclass(slots=True)
class ToModel:
    """An order for a session at the model."""

    link: int
    order: Order


@dataclass(frozen=True)
class UseTool:
    """Ask the workflow to do what the model wants done, and bring back what came of it."""

    call: ToolCall


@dataclass(frozen=True)
class TellTurns:
    """There are turns for the workflow."""


@dataclass(frozen=True)
class TellTrouble:
    """The workflow should know how the model does."""

    what: Literal["model-unreachable", "model-lost", "model-slow", "model-back"]
    detail: str


@dataclass(frozen=True)
class Overheard:
    """A leg of this call was loud: whoever carries its assistant wants to know."""

    call: CallSid
    loud: Loud


Effect = (
    ToTwilio
    | ToModel
    | Claim
    | AskToAttach
    | End
    | OpenModel
    | CloseModel
    | UseTool
    | TellTurns
    | TellTrouble
    | Overheard
)
