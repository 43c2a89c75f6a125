"""What the workflows order the world to do: one model in, one model out, and a table of time-outs and retries.

The implementations are in `activities`; a test holds the two together. Each row's numbers have their reason
beside them. Sending something twice is worse than being slow: creates have one attempt, and whatever is
ambiguous comes back as `doubtful`, to be settled by looking.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, Literal, TypeVar

from temporalio.common import Priority, RetryPolicy

from workflows.assistant import Role
from workflows.responder import Request, Ring
from workflows.values import (
    CallSid,
    Case,
    ConferenceSid,
    EscalationId,
    Fact,
    HoldSound,
    Ladder,
    Line,
    LineId,
    PageId,
    PersonId,
    Responder,
    Severity,
)
from workflows.voice import Plan

# Task queues, named for what their workers need.
WORKFLOWS = "rung"  # workflows, and cheap activities that need a Temporal client or the owner's file
CALLS = "rung-calls"  # every creation of a call: one queue an account, at the account's call rate
TELEPHONE = "rung-telephone"  # the rest of Twilio's API, not rate limited by us
NOTICES = "rung-notices"  # push and operator alerts: strangers' servers, slow ones too


# Priorities of the one queue of calls; Temporal's default has five levels.
JOIN_FIRST = Priority(priority_key=1)
ASSISTANT_NEXT = Priority(priority_key=2)


def page_priority(severity: Severity) -> Priority:
    """Pages come after join calls and AI legs, the most severe first."""
    return Priority(priority_key=2 + severity.rank)


# Orders and what comes back


@dataclass(frozen=True)
class Done:
    """It is so."""


@dataclass(frozen=True)
class PlanLadder:
    """Who is to be woken for this, now?"""

    line: LineId
    category: str
    severity: Severity
    at: datetime


@dataclass(frozen=True)
class Submission:
    """What a create came to. at: when the provider answered.

    placed: the provider has it under `sid`. refused: it never will. doubtful: it may or may not have it.
    """

    what: Literal["placed", "refused", "doubtful"]
    at: datetime
    sid: str | None = None
    error: str | None = None
    conference: ConferenceSid | None = None


@dataclass(frozen=True)
class PlacePageCall:
    """Ring a person. The URL the call will ask carries everything a key press needs, signed."""

    person: PersonId
    to: str
    ring: Ring


@dataclass(frozen=True)
class FindCall:
    """A call that may have been placed: to whom, from where, since when; ignoring calls that it cannot be."""

    to: str
    from_: str
    since: datetime
    ignoring: Sequence[CallSid] = ()


@dataclass(frozen=True)
class Found:
    """What looking found; sid None: no such call or message (yet)."""

    sid: str | None = None


@dataclass(frozen=True)
class OneCall:
    """A call, by its SID."""

    sid: CallSid


@dataclass(frozen=True)
class CallStatus:
    """Twilio's word for what a call is doing."""

    status: str


@dataclass(frozen=True)
class SendText:
    """An SMS to a responder: a page, or a question to an owner. Never a caller's name, number or health."""

    kind: Literal["page", "ask-owner"]
    page: PageId
    escalation: EscalationId
    to: Responder
    case: Case
    code: str


@dataclass(frozen=True)
class FindText:
    """A message that may have been sent."""

    to: str
    from_: str
    since: datetime
    code: str


@dataclass(frozen=True)
class Push:
    """A push to a responder, in the same words as the SMS."""

    kind: Literal["page", "ask-owner"]
    page: PageId
    escalation: EscalationId
    to: Responder
    case: Case
    code: str


@dataclass(frozen=True)
class AlertOperator:
    """Somebody who runs the system must look."""

    reason: str
    case: Case


@dataclass(frozen=True)
class DeliverMessage:
    """A caller left a message: tell whoever takes messages for this line. text: instead of a recording."""

    line: LineId
    call: CallSid
    recording: str
    seconds: int
    text: str = ""


@dataclass(frozen=True)
class SendCaller:
    """Take the caller out of the room, to the voice menu or to be asked for digits."""

    call: CallSid
    to: Literal["menu", "keys"]
    about: str = ""


@dataclass(frozen=True)
class FindIncidents:
    """What is open on this line, other than this call's own?"""

    line: LineId
    category: str
    ignoring: EscalationId | None = None


@dataclass(frozen=True)
class Incident:
    """An open case as a stranger may hear of it. minutes: since it was reported."""

    category: str
    state: str
    minutes: int


@dataclass(frozen=True)
class Incidents:
    """The open cases, latest first."""

    open: Sequence[Incident]


@dataclass(frozen=True)
class RelayPage:
    """Hand a page to the person's own workflow, starting it if need be."""

    request: Request


@dataclass(frozen=True)
class AddAssistant:
    """Bring an AI leg into the room. Label and generation make a repeat recognisable. muted: from the first frame."""

    call: CallSid
    line: Line
    conference: str
    conference_sid: ConferenceSid | None
    label: str
    generation: int
    muted: bool = False


@dataclass(frozen=True)
class SetParticipant:
    """Change one participant; what is None stays. uncoach: coaching off.

    sound: what one who is put on hold hears; line: whose words and languages these are.
    """

    conference: ConferenceSid
    sid: CallSid
    muted: bool | None = None
    coached: CallSid | None = None
    uncoach: bool = False
    held: bool | None = None
    sound: HoldSound = "silence"
    line: LineId | None = None


@dataclass(frozen=True)
class ConfirmCoaching:
    """Fetch the participant until it is what was ordered; raises when it is not within its time."""

    conference: ConferenceSid
    sid: CallSid
    coached: CallSid | None


@dataclass(frozen=True)
class AnnounceFact:
    """Play a fact to one leg in the room. language: the conversation's; "" the line's first."""

    conference: ConferenceSid
    leg: CallSid
    line: Line
    fact: Fact
    language: str = ""


@dataclass(frozen=True)
class EndRoom:
    """End a conference, and each leg by itself: ending the room alone can fail while somebody is dialled."""

    conference: ConferenceSid | None
    legs: Sequence[CallSid]


@dataclass(frozen=True)
class LookAtRoom:
    """What is true of a room and of these calls? The room by its SID, before that by its name."""

    conference: ConferenceSid | None
    name: str
    calls: Sequence[CallSid]


@dataclass(frozen=True)
class Present:
    """A participant by Twilio's word."""

    sid: CallSid
    label: str


@dataclass(frozen=True)
class RoomSeen:
    """What Twilio says of a room, and which of the calls asked about are over."""

    conference: ConferenceSid | None
    over: bool
    present: Sequence[Present]
    ended: Sequence[CallSid]


@dataclass(frozen=True)
class Instruction:
    """An order to the bridge that carries an AI leg.

    quiet: stop at once, until a role is given. role: take it; plan: with new instructions and tools for the same
    model session. say: speak this text word for word as soon as nobody speaks; it comes back as a turn with this
    fact. context: let the model know this text, silently.
    """

    call: CallSid
    generation: int
    what: Literal["quiet", "role", "say", "context"]
    role: Role = Role.ANSWERING
    person: str = ""
    plan: Plan | None = None
    text: str = ""
    fact: str | None = None


In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Order(Generic[In, Out]):
    """An activity as the workflows see it. queue None: given at the call."""

    name: str
    takes: type[In]
    gives: type[Out]
    queue: str | None
    start_to_close: timedelta
    retry: RetryPolicy
    schedule_to_close: timedelta | None = None
    schedule_to_start: timedelta | None = None


def _s(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


REFUSED = "Refused"  # ApplicationError.type of what the provider will never do
GONE = "Gone"  # … of what is not there (any more)
_ONCE = RetryPolicy(maximum_attempts=1)
_UNTIL_DONE = RetryPolicy(
    initial_interval=_s(0.5), maximum_interval=_s(10), non_retryable_error_types=[REFUSED, GONE]
)
# Twilio's answer takes well under a second; 8 s leaves the HTTP client's own 6 s room to fail first.
_REST = _s(8)
# Room changes are worth repeating while they mean something: a leg that is not in the room after 20 s is not coming.
_ROOM = _s(20)

PLAN_LADDER = Order("plan_ladder", PlanLadder, Ladder, WORKFLOWS, _s(5), _UNTIL_DONE)
RELAY_PAGE = Order("relay_page", RelayPage, Done, WORKFLOWS, _s(5), _UNTIL_DONE)
PLACE_PAGE_CALL = Order("place_page_call", PlacePageCall, Submission, CALLS, _REST, _ONCE)
ADD_ASSISTANT = Order("add_assistant", AddAssistant, Submission, CALLS, _REST, _ONCE)
FIND_CALL = Order("find_call", FindCall, Found, TELEPHONE, _REST, _UNTIL_DONE)
LOOK_AT_CALL = Order("look_at_call", OneCall, CallStatus, TELEPHONE, _REST, _UNTIL_DONE)
HANG_UP = Order("hang_up", OneCall, Done, TELEPHONE, _REST, _UNTIL_DONE)
CANCEL_CALL = Order("cancel_call", OneCall, Done, TELEPHONE, _REST, _UNTIL_DONE)
SEND_TEXT = Order("send_text", SendText, Submission, TELEPHONE, _REST, _ONCE)
FIND_TEXT = Order("find_text", FindText, Found, TELEPHONE, _REST, _UNTIL_DONE)
# A push server that is down must not be asked for ever: the page is on two other channels.
PUSH = Order(
    "push", Push, Submission, NOTICES, _s(15), RetryPolicy(maximum_attempts=3), schedule_to_close=_s(60)
)
ALERT_OPERATOR = Order(
    "alert_operator", AlertOperator, Done, NOTICES, _s(15), RetryPolicy(maximum_attempts=5)
)
DELIVER_MESSAGE = Order("deliver_message", DeliverMessage, Done, NOTICES, _s(15), _UNTIL_DONE)
SET_PARTICIPANT = Order("set_participant", SetParticipant, Done, TELEPHONE, _REST, _UNTIL_DONE, _ROOM)
CONFIRM_COACHING = Order("confirm_coaching", ConfirmCoaching, Done, TELEPHONE, _REST, _UNTIL_DONE, _ROOM)
# An announcement that comes late is no longer the news.
ANNOUNCE_FACT = Order("announce_fact", AnnounceFact, Done, TELEPHONE, _REST, _UNTIL_DONE, _s(10))
END_ROOM = Order("end_room", EndRoom, Done, TELEPHONE, _s(15), _UNTIL_DONE)
LOOK_AT_ROOM = Order("look_at_room", LookAtRoom, RoomSeen, TELEPHONE, _s(15), RetryPolicy(maximum_attempts=3))
# A caller who is to leave the room waits there in silence meanwhile.
SEND_CALLER = Order("send_caller", SendCaller, Done, TELEPHONE, _REST, _UNTIL_DONE, _s(10))
# The model waits for the answer, and the caller for the model.
FIND_INCIDENTS = Order(
    "find_incidents", FindIncidents, Incidents, WORKFLOWS, _s(4), RetryPolicy(maximum_attempts=1)
)
# The bridge's own queue: a process that does not take an order within 3 s is gone.
INSTRUCT_BRIDGE = Order(
    "instruct_bridge",
    Instruction,
    Done,
    None,
    _s(3),
    RetryPolicy(maximum_attempts=2),
    schedule_to_start=_s(3),
)

ORDERS = (
    PLAN_LADDER,
    RELAY_PAGE,
    PLACE_PAGE_CALL,
    ADD_ASSISTANT,
    FIND_CALL,
    LOOK_AT_CALL,
    HANG_UP,
    CANCEL_CALL,
    SEND_TEXT,
    FIND_TEXT,
    PUSH,
    ALERT_OPERATOR,
    DELIVER_MESSAGE,
    SET_PARTICIPANT,
    CONFIRM_COACHING,
    ANNOUNCE_FACT,
    END_ROOM,
    LOOK_AT_ROOM,
    SEND_CALLER,
    FIND_INCIDENTS,
    INSTRUCT_BRIDGE,
)
