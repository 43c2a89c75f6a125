"""What is said to the workflows: one model each for start, signal, update and query.

Every message says its version: one from a newer or older build is refused by name, never half understood.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from workflows.agents import Speech
from workflows.assistant import Post, Role
from workflows.call_state import (
    Call,
    Closing,
)
from workflows.emergency import Escalation, Phase, TimerKind
from workflows.pages import Evidence, Page
from workflows.responder import Phone, Request
from workflows.values import (
    CallSid,
    Case,
    Channel,
    ConferenceSid,
    EscalationId,
    Fact,
    HoldSound,
    Ladder,
    Line,
    OpenCase,
    PageId,
    PersonId,
    Responder,
    RingId,
    Severity,
)
from workflows.versions import VERSION as VERSION  # noqa: PLC0414  # also had from here
from workflows.versions import Message as Message  # noqa: PLC0414  # also had from here
from workflows.versions import NotUnderstoodError as NotUnderstoodError  # noqa: PLC0414  # also had from here
from workflows.versions import understood as understood  # noqa: PLC0414  # also had from here
from workflows.voice import Plan, Turn


def call_workflow_id(sid: CallSid) -> str:
    """The id of the workflow that owns a call."""
    return f"call-{sid}"


def responder_workflow_id(person: PersonId) -> str:
    """The id of the workflow that owns a person's phone."""
    return f"responder-{person}"


def conference_name(sid: CallSid) -> str:
    """The room of a call: account-wide, so it carries nothing personal."""
    return f"af-{sid}"


# EscalationWorkflow


@dataclass(frozen=True, kw_only=True)
class EscalationInput(Message):
    """Start of an escalation; `state` carries a long one over into its next run.

    call: the call that waits, None for an alert. ladder: given for a test page of one person, else looked up.
    searchable: whether the server knows our search attributes (the time-skipping test server knows none).
    """

    id: EscalationId
    case: Case
    caller_digest: str = ""
    searchable: bool = True
    call: CallSid | None = None
    conference: str | None = None
    ladder: Ladder | None = None
    state: Escalation | None = None


@dataclass(frozen=True, kw_only=True)
class PageNews(Message):
    """A responder's phone, or a delivery status, tells how far a page has come. ring: which of its calls."""

    page: PageId
    channel: Channel
    evidence: Evidence
    ring: int = 0


@dataclass(frozen=True, kw_only=True)
class CallerNews(Message):
    """An attached caller is off the line."""

    call: CallSid


@dataclass(frozen=True, kw_only=True)
class CallerComes(Message):
    """A call is attached to this escalation."""

    call: CallSid
    conference: str


@dataclass(frozen=True, kw_only=True)
class Worse(Message):
    """The emergency is worse than it was reported."""

    case: Case


@dataclass(frozen=True, kw_only=True)
class CaseNote(Message):
    """Something to be kept with the case."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Keys(Message):
    """The caller, sent for digits, has pressed these; none: they pressed nothing."""

    about: str
    digits: str


@dataclass(frozen=True, kw_only=True)
class RoomNews(Message):
    """A responder's leg joined or left the room of a call. conference: that room's name."""

    person: PersonId
    leg: CallSid
    conference: str = ""


@dataclass(frozen=True, kw_only=True)
class EscalationView(Message):
    """How an escalation stands: what `rung status` and the console show.

    owner_room: the conference the owner is in with nobody else; "" where nowhere.
    """

    id: EscalationId
    case: Case
    phase: Phase
    round: int
    rung: int
    rungs: int
    rung_name: str
    pages: tuple[Page, ...]
    owner: str | None
    callers_waiting: int
    next_is: TimerKind | None
    next_at: datetime | None
    note: str
    notes: tuple[str, ...] = ()
    owner_room: str = ""


@dataclass(frozen=True, kw_only=True)
class EscalationOutcome(Message):
    """How an escalation ended."""

    phase: Phase
    owner: str | None
    rounds: int
    pages: tuple[Page, ...]
    note: str


# ResponderWorkflow


@dataclass(frozen=True, kw_only=True)
class ResponderInput(Message):
    """A person's phone; `phone` carries a long use of it over into the next run."""

    person: PersonId
    phone: Phone | None = None


@dataclass(frozen=True, kw_only=True)
class PageRequest(Message):
    """Ring this person for a page."""

    request: Request


@dataclass(frozen=True, kw_only=True)
class Withdrawal(Message):
    """This escalation needs the person no more; owner: who has it.

    page: only this page, and only its call, if that is not dialled yet.
    """

    escalation: EscalationId
    owner: str | None = None
    page: PageId | None = None


@dataclass(frozen=True, kw_only=True)
class RingProgress(Message):
    """What the provider says of a page call, in Twilio's words."""

    ring: RingId
    sid: CallSid
    status: str


@dataclass(frozen=True, kw_only=True)
class PickedUp(Message):
    """The page call was answered: what is it about by now?"""

    ring: RingId
    sid: CallSid


@dataclass(frozen=True, kw_only=True)
class ScriptItem(Message):
    """One page to be read out, and its keys. kind "join": the person has it, and this leads into the room."""

    page: PageId
    escalation: EscalationId
    kind: Literal["page", "join"]
    spoken: str
    severity: Severity
    line_name: str
    accept: str
    decline: str
    conference: str | None
    test: bool = False


@dataclass(frozen=True, kw_only=True)
class Script(Message):
    """What to read to the person who picked up; nothing left: taken_by says who has it."""

    items: tuple[ScriptItem, ...]
    taken_by: str | None = None


@dataclass(frozen=True, kw_only=True)
class TextIn(Message):
    """A person's SMS carried these digits."""

    code: str


@dataclass(frozen=True, kw_only=True)
class TextMatch(Message):
    """The open page those digits belong to, if any."""

    page: PageId | None = None
    escalation: EscalationId | None = None


# CallWorkflow


@dataclass(frozen=True, kw_only=True)
class CallInput(Message):
    """A call that rang in.

    caller_number: as Twilio says it; may be "anonymous". caller_digest: the same, keyed and one-way, by which
    a later call from that number finds its open case. speech: how the AI answers it; None: the menu does.
    open_case: what this number has open already.
    """

    sid: CallSid
    line: Line
    caller_number: str
    caller_digest: str = ""
    searchable: bool = True
    speech: Speech | None = None
    open_case: OpenCase | None = None
    call: Call | None = None

    @property
    def straight_back(self) -> bool:
        """Whether the caller goes to their open case without a menu: there is an AI, or the owner, to talk with."""
        return self.open_case is not None and (self.speech is not None or bool(self.open_case.room))


@dataclass(frozen=True, kw_only=True)
class Report(Message):
    """The caller reported an emergency in the menu."""

    category: str
    spoken: str
    severity: Severity


@dataclass(frozen=True, kw_only=True)
class ReportReply(Message):
    """What the caller can be told, and the room to wait in."""

    escalation: EscalationId
    conference: str


@dataclass(frozen=True, kw_only=True)
class Note(Message):
    """The caller did something in the menu that needs no more words."""

    what: Literal["emergency-called", "case-heard", "failed-over", "silent"]


@dataclass(frozen=True, kw_only=True)
class Recording(Message):
    """The caller left a message."""

    url: str
    seconds: int


@dataclass(frozen=True, kw_only=True)
class ConferenceNews(Message):
    """A conference event, in Twilio's words; what it does not carry is None."""

    event: str
    conference: ConferenceSid
    name: str
    leg: CallSid | None = None
    label: str | None = None


@dataclass(frozen=True, kw_only=True)
class LegNews(Message):
    """A leg's call is over (`gone`), or the leg stepped out of the room into a menu."""

    sid: CallSid
    what: Literal["gone", "menu"]


@dataclass(frozen=True, kw_only=True)
class Tell(Message):
    """Something true for the caller."""

    fact: Fact


@dataclass(frozen=True, kw_only=True)
class SeatOrder(Message):
    """A responder's leg comes into the room."""

    person: Responder
    leg: CallSid


@dataclass(frozen=True, kw_only=True)
class Dismissal(Message):
    """The case is closed: the AI leaves the room."""


@dataclass(frozen=True, kw_only=True)
class Attach(Message):
    """A bridge wants to carry the AI leg's audio. nonce: the token's, good for one attach."""

    generation: int
    nonce: str
    queue: str
    stream: str


@dataclass(frozen=True, kw_only=True)
class Attached(Message):
    """Whether it may, and with which plan its model session begins."""

    accepted: bool
    because: str = ""
    plan: Plan | None = None


@dataclass(frozen=True, kw_only=True)
class Detached(Message):
    """The bridge no longer carries it."""

    generation: int
    queue: str


@dataclass(frozen=True, kw_only=True)
class Resume(Message):
    """The AI leg's stream ended: shall it be opened anew?"""

    generation: int


@dataclass(frozen=True, kw_only=True)
class Resumed(Message):
    """Open another stream, or hang the leg up."""

    again: bool


@dataclass(frozen=True, kw_only=True)
class LeftRoom(Message):
    """The caller's <Dial> ended while the call goes on."""


@dataclass(frozen=True, kw_only=True)
class WhatNow(Message):
    """Whether the caller goes back into the room (it collapsed) or the call ends."""

    rejoin: bool
    conference: str


@dataclass(frozen=True)
class AiView:
    """An AI in a call. role: what it should be; there: its leg is in the room, and it is so."""

    post: Post
    role: Role
    leg: CallSid | None
    there: bool
    held: bool
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class PersonView:
    """A human's leg in the room. hold: what they hear instead of it. so: the network has confirmed it."""

    who: str
    leg: CallSid
    hold: HoldSound | None
    muted: bool
    so: bool


@dataclass(frozen=True, kw_only=True)
class CallView(Message):
    """How a call stands. The assistant is the AI that talks with the caller, and coaches."""

    sid: CallSid
    line: Line
    caller: str
    caller_number: str
    escalation: EscalationId | None
    conference: str
    conference_sid: ConferenceSid | None
    assistant_role: str
    assistant_leg: CallSid | None
    coaching: CallSid | None
    responders: tuple[str, ...]
    telling: str | None
    ais: tuple[AiView, ...] = ()
    people: tuple[PersonView, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ConversationView(Message):
    """What was said and done in a call. tools: each tool call's id and what the model was told."""

    agent: str
    turns: tuple[Turn, ...]
    tools: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    contact: str
    place: str
    danger: str
    corrections: int


@dataclass(frozen=True, kw_only=True)
class CallOutcome(Message):
    """How a call was closed."""

    closing: Closing
    escalation: EscalationId | None
