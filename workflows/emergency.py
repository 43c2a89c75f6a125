"""What an escalation is, what it hears and what it orders: values only. `ladder` decides.

Impossible combinations: an owner in paging or exhausted; no owner in acknowledged, connecting, attended or
following-up; a deadline before the rung's first voice page was submitted.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from workflows.pages import Evidence, Page
from workflows.values import (
    Act,
    ActId,
    ActReply,
    CallSid,
    Case,
    Channel,
    EscalationId,
    Fact,
    FactKind,
    Ladder,
    PageId,
    PersonId,
    Responder,
    Rung,
    Severity,
    Via,
)

LEGS_REMEMBERED = 50  # news of a leg comes seconds late, not nights
NOTES_REMEMBERED = 100
ACTS_REMEMBERED = 200  # people act a few times; a replayed spool or a stuck link must not grow the state


class Phase(StrEnum):
    """Where an escalation stands. `deferred` and its timer come with ownership."""

    PAGING = "paging"
    ACKNOWLEDGED = "acknowledged"
    CONNECTING = "connecting"
    ATTENDED = "attended"
    FOLLOWING_UP = "following-up"
    EXHAUSTED = "exhausted"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"


ENDED = frozenset({Phase.RESOLVED, Phase.CANCELLED})
OWNED = frozenset({Phase.ACKNOWLEDGED, Phase.CONNECTING, Phase.ATTENDED, Phase.FOLLOWING_UP})


class TimerKind(StrEnum):
    """What the one armed timer is for; each one's firing does something to somebody."""

    SUBMIT_LIMIT = "calls still queued: alert the operator"
    RING_AGAIN = "ring the rung's phones again"
    DEADLINE = "rung expires: climb"
    CALL_IN_AGAIN = "owner's phone was engaged: ring it again"
    NEXT_ROUND = "go round the ladder again"
    JOIN_CLOCK = "owner not in the room: page again"
    UNATTENDED = "owner silent with nobody waiting: ask, then page again"
    CHECK_IN = "owner in the room: ask whether it is resolved"
    FOLLOW_UP = "room empty: ask the owner, then page again"


@dataclass(frozen=True)
class Timer:
    """The instant at which silence must end, and what for."""

    kind: TimerKind
    at: datetime


@dataclass(frozen=True)
class Caller:
    """A call attached to the escalation, and whether its caller is still on the line."""

    call: CallSid
    conference: str
    waiting: bool = True


@dataclass(frozen=True)
class Owner:
    """Who has it, and by what evidence. leg is theirs once they have one, room where it was confirmed to be."""

    responder: Responder
    via: Via
    act: ActId
    page: PageId | None
    at: datetime
    leg: CallSid | None = None
    room: str = ""


@dataclass(frozen=True)
class Escalation:
    """One emergency until it is resolved. `position` points into `order`, `order` at the ladder's rungs.

    since: when this phase, or this rung of it, began. asked: questions put to a silent owner in this phase.
    seed: the secret from which SMS codes are drawn. legs_gone: legs that left a room for good, of late.
    """

    id: EscalationId
    case: Case
    ladder: Ladder
    seed: str
    since: datetime
    round_since: datetime
    phase: Phase = Phase.PAGING
    callers: tuple[Caller, ...] = ()
    round: int = 1
    order: tuple[int, ...] = ()
    position: int = 0
    deadline: datetime | None = None
    ring_again_at: datetime | None = None
    next_round_at: datetime | None = None
    alerts: int = 0
    asked: int = 0
    pages: tuple[Page, ...] = ()
    owner: Owner | None = None
    outcome_note: str = ""
    notes: tuple[str, ...] = ()
    told: int = 0
    legs_gone: tuple[CallSid, ...] = ()
    replies: tuple[tuple[ActId, ActReply], ...] = ()

    @property
    def over(self) -> bool:
        """Nothing more will be done."""
        return self.phase in ENDED

    @property
    def rung(self) -> Rung:
        """The rung being paged, or last paged."""
        return self.ladder.rungs[self.order[self.position]]

    @property
    def waiting(self) -> tuple[Caller, ...]:
        """The callers on the line, the longest waiting first."""
        return tuple(caller for caller in self.callers if caller.waiting)

    @property
    def owner_room(self) -> str:
        """The room the owner is in while no caller of the case waits there; "" where there is none."""
        if self.phase is not Phase.ATTENDED or self.owner is None or self.waiting:
            return ""
        return self.owner.room

    @property
    def rung_pages(self) -> tuple[Page, ...]:
        """The pages of the rung being paged in this round."""
        rung = self.order[self.position]
        return tuple(p for p in self.pages if p.rung == rung and p.round == self.round)

    def page(self, page_id: PageId | None) -> Page | None:
        """The page of that id, if it is one of ours."""
        return next((p for p in self.pages if p.id == page_id), None)


# Events: news, in the past tense. `at` is when the workflow heard it.


@dataclass(frozen=True)
class PageMoved:
    """News of one channel of a page. ring tells which of the page's calls a voice item is about."""

    page: PageId
    channel: Channel
    evidence: Evidence
    at: datetime
    ring: int = 0


@dataclass(frozen=True)
class Acted:
    """A person acknowledged, declined, resolved or cancelled."""

    act: Act
    at: datetime


@dataclass(frozen=True)
class CallerAttached:
    """A call is part of this escalation, and its caller waits."""

    call: CallSid
    conference: str
    at: datetime


@dataclass(frozen=True)
class CallerGone:
    """The caller of an attached call is off the line."""

    call: CallSid
    at: datetime


@dataclass(frozen=True)
class ResponderJoined:
    """A responder's leg is in the room with a caller: confirmed by the telephone network. room: its name."""

    person: PersonId
    leg: CallSid
    at: datetime
    room: str = ""


@dataclass(frozen=True)
class ResponderLeft:
    """A responder's leg has left the room."""

    person: PersonId
    leg: CallSid
    at: datetime


@dataclass(frozen=True)
class Worsened:
    """It is worse than it was reported."""

    case: Case
    at: datetime


@dataclass(frozen=True)
class Noted:
    """Something to be kept with the case."""

    text: str
    at: datetime


@dataclass(frozen=True)
class TimerFired:
    """The armed timer, or an old one, came due."""

    at: datetime


Event = (
    PageMoved
    | Acted
    | CallerAttached
    | CallerGone
    | ResponderJoined
    | ResponderLeft
    | Worsened
    | Noted
    | TimerFired
)


# Effects: orders. The shell performs them beside its loop; their results come back as events.


@dataclass(frozen=True)
class RingPage:
    """Ring the person of this page; ring counts from 1."""

    page: Page
    ring: int


@dataclass(frozen=True)
class TextPage:
    """Send the page by SMS."""

    page: Page


@dataclass(frozen=True)
class PushPage:
    """Send the page by push."""

    page: Page


@dataclass(frozen=True)
class CallIn:
    """Give the owner a way into the room: their ringing call, or a join call ahead of all pages."""

    page: Page
    conference: str


@dataclass(frozen=True)
class Withdraw:
    """These people need not answer any more; whoever does is told `owner` has it."""

    people: tuple[PersonId, ...]
    owner: str | None


@dataclass(frozen=True)
class Unring:
    """The rung of this page has expired: do not dial it any more. What rings rings on; text and link stay open."""

    page: Page


@dataclass(frozen=True)
class TellCaller:
    """Tell the caller of this call something that is true now."""

    call: CallSid
    fact: Fact


@dataclass(frozen=True)
class Seat:
    """The owner's leg is coming into this call's room."""

    call: CallSid
    responder: Responder
    leg: CallSid


@dataclass(frozen=True)
class DismissAssistant:
    """The case is closed: the AI leaves the room, the humans talk on."""

    call: CallSid


@dataclass(frozen=True)
class AskOwner:
    """Ask the owner, by text and push, whether it is resolved."""

    page: Page


@dataclass(frozen=True)
class AlertOperator:
    """Somebody who runs the system must look."""

    reason: str


Effect = (
    RingPage
    | TextPage
    | PushPage
    | CallIn
    | Withdraw
    | Unring
    | TellCaller
    | Seat
    | DismissAssistant
    | AskOwner
    | AlertOperator
)


@dataclass(frozen=True)
class Decision:
    """The next state, what must now be done, and what the person who acted is told."""

    state: Escalation
    effects: tuple[Effect, ...] = ()
    reply: ActReply | None = None

    def then(self, following: "Callable[[Escalation], Decision]") -> "Decision":
        """This decision, continued from its state."""
        nxt = following(self.state)
        return Decision(nxt.state, self.effects + nxt.effects, nxt.reply or self.reply)

    def also(self, *effects: Effect) -> "Decision":
        """This decision with further effects."""
        return replace(self, effects=self.effects + effects)


# Small tools


def with_pages(state: Escalation, changed: list[Page]) -> Escalation:
    by_id = {page.id: page for page in changed}
    return replace(state, pages=tuple(by_id.get(page.id, page) for page in state.pages))


def tell(
    state: Escalation,
    kind: FactKind,
    *,
    rung: int = 0,
    name: str = "",
    until: datetime | None = None,
    only: CallSid | None = None,
) -> Decision:
    """Tell every waiting caller, or one; a case of life and death begins each rung with the danger sentence."""
    told_to = [only] if only is not None else [caller.call for caller in state.waiting]
    kinds: list[FactKind] = [kind]
    if state.case.severity is Severity.LIFE and kind in {"placing", "next", "exhausted"}:
        kinds.insert(0, "danger")
    effects: list[Effect] = []
    told = state.told
    for each in kinds:
        told += 1
        fact = Fact(f"{state.id}#{told}", each, rung, name, until)
        effects.extend(TellCaller(call, fact) for call in told_to)
    return Decision(replace(state, told=told), tuple(effects))
