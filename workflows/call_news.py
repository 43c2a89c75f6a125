"""What a call hears, and what it orders: its events and effects. What follows from what is `call`'s."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from workflows.assistant import Assistant, Post, Step, Wanted
from workflows.call_state import Manner
from workflows.room_acts import RoomAct
from workflows.sentences import Words
from workflows.tools import Use
from workflows.values import CallSid, Case, ConferenceSid, EscalationId, Fact, PersonId, Responder
from workflows.voice import ToolOutcome, Turn

# Events


@dataclass(frozen=True)
class Reported:
    """The caller reported an emergency."""

    case: Case
    at: datetime


@dataclass(frozen=True)
class Returned:
    """The caller's number has a case open: they go back to it. room: the conference they wait in."""

    room: str
    at: datetime


@dataclass(frozen=True)
class CaseOver:
    """The case they came back to is over, and heard nothing of them."""

    room: str
    at: datetime


@dataclass(frozen=True)
class EmergencyCalled:
    """The caller says that they have dialled the emergency number."""

    at: datetime


@dataclass(frozen=True)
class MessageLeft:
    """The caller left a recorded message."""

    recording: str
    seconds: int
    at: datetime


@dataclass(frozen=True)
class CaseHeard:
    """The caller asked how their open case stands, and was told."""

    at: datetime


@dataclass(frozen=True)
class Joined:
    """A leg is in the room. label: role-id-generation."""

    conference: ConferenceSid
    sid: CallSid
    label: str
    at: datetime


@dataclass(frozen=True)
class Left:
    """A leg is no longer in the room."""

    conference: ConferenceSid
    sid: CallSid
    at: datetime


@dataclass(frozen=True)
class RoomEnded:
    """The conference is over."""

    conference: ConferenceSid
    at: datetime


@dataclass(frozen=True)
class CallerEnded:
    """The caller's own call is over."""

    at: datetime


@dataclass(frozen=True)
class SteppedOut:
    """A responder left the room by `*` and is in the menu."""

    sid: CallSid
    at: datetime


@dataclass(frozen=True)
class LegEnded:
    """A responder's call is over."""

    sid: CallSid
    at: datetime


@dataclass(frozen=True)
class Told:
    """The escalation has something true to tell the caller."""

    fact: Fact
    at: datetime


@dataclass(frozen=True)
class AnnouncementEnded:
    """The caller has heard what was being told."""

    at: datetime


@dataclass(frozen=True)
class SeatExpected:
    """A responder's leg is coming into the room."""

    person: Responder
    sid: CallSid
    at: datetime


@dataclass(frozen=True)
class Dismissed:
    """The case is closed: the AI leaves, the humans talk on."""

    at: datetime


@dataclass(frozen=True)
class StepDone:
    """A step of an AI's leg succeeded; ADD brings the leg's SID and the room's.

    generation, queue: the leg and the bridge it was taken for; where given, news of others changes nothing.
    """

    step: Step
    at: datetime
    sid: CallSid | None = None
    conference: ConferenceSid | None = None
    generation: int | None = None
    queue: str | None = None


@dataclass(frozen=True)
class StepFailed:
    """A step failed for good. gone: the leg, or its bridge, is not there any more. The rest as for StepDone."""

    step: Step
    error: str
    gone: bool
    at: datetime
    generation: int | None = None
    queue: str | None = None


@dataclass(frozen=True)
class BridgeAttached:
    """A bridge process carries the AI leg's audio and takes instructions on its queue."""

    generation: int
    queue: str
    at: datetime
    nonce: str = ""


@dataclass(frozen=True)
class BridgeDetached:
    """That bridge no longer carries the leg's audio."""

    generation: int
    queue: str
    at: datetime


@dataclass(frozen=True)
class Looked:
    """What the telephone network says is true: who is in the room, and which calls are over."""

    conference: ConferenceSid | None
    room_over: bool
    present: tuple[tuple[CallSid, str], ...]
    ended: tuple[CallSid, ...]
    at: datetime


@dataclass(frozen=True)
class StayedSilent:
    """The caller neither spoke nor pressed a key, and the line's rule is to end the call."""

    at: datetime


@dataclass(frozen=True)
class FoundFailedOver:
    """The other host answered this call while we could not."""

    at: datetime


@dataclass(frozen=True)
class Said:
    """What was said on the AI's leg since: see `messages.Turns`."""

    generation: int
    first: int
    turns: tuple[Turn, ...]
    at: datetime


@dataclass(frozen=True)
class ToolUsed:
    """The AI asked for something; use None: it could not be understood, and refusal says why."""

    id: str
    use: Use | None
    refusal: str
    at: datetime


@dataclass(frozen=True)
class ToolAnswered:
    """What a tool call came to that had to be looked up."""

    id: str
    outcome: ToolOutcome
    at: datetime


@dataclass(frozen=True)
class VoiceTroubled:
    """The speech model fails, or is back. silent_at: when what it said will have been heard, if that is later."""

    generation: int
    back: bool
    at: datetime
    silent_at: datetime | None = None


@dataclass(frozen=True)
class VoiceSlow:
    """The speech model has let whoever spoke wait for an answer for as long as nobody should hear nothing."""

    generation: int
    at: datetime


@dataclass(frozen=True)
class StreamEnded:
    """The stream of the AI's leg is over, and another is wanted."""

    generation: int
    at: datetime


@dataclass(frozen=True)
class KeysPressed:
    """The caller, sent for digits, has pressed these; none: they pressed nothing."""

    about: str
    digits: str
    at: datetime


@dataclass(frozen=True)
class NotSent:
    """The caller could not be sent out of the room."""

    at: datetime


@dataclass(frozen=True)
class NotTold:
    """The AI could not be given this fact to say."""

    fact: str
    at: datetime


@dataclass(frozen=True)
class Acted:
    """A person does something to the room."""

    act: RoomAct
    at: datetime


@dataclass(frozen=True)
class MannerSet:
    """A human's leg is held, muted or neither, as it was ordered; or that failed, and it may be so or not."""

    leg: CallSid
    manner: Manner
    done: bool
    at: datetime


@dataclass(frozen=True)
class Due:
    """A look, an announcement or a grace period is due."""

    at: datetime


Event = (
    Reported
    | Returned
    | CaseOver
    | EmergencyCalled
    | MessageLeft
    | CaseHeard
    | Joined
    | Left
    | RoomEnded
    | CallerEnded
    | SteppedOut
    | LegEnded
    | Told
    | AnnouncementEnded
    | SeatExpected
    | Dismissed
    | StepDone
    | StepFailed
    | BridgeAttached
    | BridgeDetached
    | Looked
    | FoundFailedOver
    | StayedSilent
    | Said
    | ToolUsed
    | ToolAnswered
    | VoiceTroubled
    | VoiceSlow
    | StreamEnded
    | KeysPressed
    | NotSent
    | NotTold
    | Acted
    | MannerSet
    | Due
)


# Effects


@dataclass(frozen=True)
class StartEscalation:
    """Begin waking people."""

    escalation: EscalationId
    case: Case


@dataclass(frozen=True)
class AttachCall:
    """Tell the escalation that this call is about it, and in which room its caller waits."""

    escalation: EscalationId
    room: str


@dataclass(frozen=True)
class ReportJoined:
    """Tell the escalation that a responder is in the room."""

    person: PersonId
    leg: CallSid


@dataclass(frozen=True)
class ReportLeft:
    """Tell the escalation that a responder is gone."""

    person: PersonId
    leg: CallSid


@dataclass(frozen=True)
class ReportCallerGone:
    """Tell the escalation that the caller hung up."""


@dataclass(frozen=True)
class Announce:
    """Play a fact to one leg."""

    leg: CallSid
    fact: Fact


@dataclass(frozen=True)
class TakeStep:
    """Move an AI's leg one step."""

    step: Step
    wanted: Wanted
    assistant: Assistant
    post: Post = Post.ASSISTANT


@dataclass(frozen=True)
class SetManner:
    """Hold or mute a human's leg, or let it speak and hear again."""

    leg: CallSid
    manner: Manner


@dataclass(frozen=True)
class RemoveLeg:
    """Hang up a leg that was replaced."""

    sid: CallSid


@dataclass(frozen=True)
class EndRoom:
    """End the conference and every leg still on."""

    legs: tuple[CallSid, ...]


@dataclass(frozen=True)
class Look:
    """Ask the telephone network what is true."""


@dataclass(frozen=True)
class DeliverMessage:
    """Somebody must hear of the message: recorded, or taken down by the AI."""

    recording: str
    seconds: int
    text: str = ""


@dataclass(frozen=True)
class SayFact:
    """Have the AI tell the caller this, word for word."""

    fact: Fact


@dataclass(frozen=True)
class SayWords:
    """Have the AI say a sentence of ours: a question to a silent caller, a correction of its own words."""

    words: Words


@dataclass(frozen=True)
class Inform:
    """Let the AI know this, silently."""

    text: str


@dataclass(frozen=True)
class SendCaller:
    """Take the caller out of the room, to a menu."""

    to: Literal["menu", "keys"]
    about: str = ""


@dataclass(frozen=True)
class LetGo:
    """The conversation is over: the caller's call ends."""


@dataclass(frozen=True)
class Worsened:
    """Tell the escalation that it is worse than it was."""

    case: Case


@dataclass(frozen=True)
class PassNote:
    """Tell the escalation what is to be kept with it."""

    text: str


Effect = (
    StartEscalation
    | AttachCall
    | ReportJoined
    | ReportLeft
    | ReportCallerGone
    | Announce
    | TakeStep
    | SetManner
    | RemoveLeg
    | EndRoom
    | Look
    | DeliverMessage
    | SayFact
    | SayWords
    | Inform
    | SendCaller
    | LetGo
    | Worsened
    | PassNote
)
