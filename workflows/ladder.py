"""What an escalation is and what it decides: state and event in, new state and effects out.

No Temporal, no network, no clock: every event says when it happened.

States: paging → (acknowledged | connecting) → attended → following-up → resolved, with exhausted (between
rounds of the ladder, not an end) and cancelled. Every state but resolved and cancelled has exactly one armed
timer (`armed`), and its firing pages, asks or alerts somebody: nobody is ever merely waiting.

Impossible combinations: an owner in paging or exhausted; no owner in acknowledged, connecting, attended or
following-up; a deadline before the rung's first voice page was submitted.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from workflows import pages as pg
from workflows.pages import Evidence, Page, Standing, moved, planned
from workflows.values import (
    Act,
    ActId,
    ActKind,
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
    Verdict,
    Via,
)

ROUND_FLOOR_S = 30.0  # a ladder on which every number is refused must not spin
JOIN_AGAIN_S = 5.0  # an owner whose phone was engaged is tried again so soon: a caller waits for them
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


def begin(
    escalation: EscalationId, case: Case, ladder: Ladder, seed: str, callers: tuple[Caller, ...], at: datetime
) -> Decision:
    """Start at the first rung of the first round.

    ladder: at least one rung. seed: at most 64 bytes of secret.
    """
    state = Escalation(
        id=escalation,
        case=case,
        ladder=ladder,
        seed=seed,
        since=at,
        round_since=at,
        callers=callers,
        order=tuple(range(len(ladder.rungs))),
    )
    return _start_rung(state, at)


def decide(state: Escalation, event: Event) -> Decision:
    """Return the next state and what must now be done. Late and repeated events are cases, not errors."""
    match event:
        case Acted(act, at):
            return _acted(state, act, at)
        case _ if state.over:
            return Decision(state)
        case PageMoved():
            return _page_moved(state, event)
        case CallerAttached(call, conference, at):
            return _caller_attached(state, call, conference, at)
        case CallerGone(call, at):
            return _caller_gone(state, call, at)
        case ResponderJoined():
            return _joined(state, event)
        case ResponderLeft(person, leg, at):
            return _left(state, person, leg, at)
        case Worsened(case, at):
            return _worsened(state, case, at)
        case Noted(text, _):
            return Decision(replace(state, notes=(*state.notes, text)[-NOTES_REMEMBERED:]))
        case TimerFired(at):
            return _timer_fired(state, at)


# The one armed timer


def armed(state: Escalation) -> Timer | None:
    """The timer whose firing ends the silence of this state; None only when it is over."""
    clock, deadline, again = state.ladder, state.deadline, state.ring_again_at

    def after(seconds: float, kind: TimerKind) -> Timer:
        return Timer(kind, state.since + timedelta(seconds=seconds))

    match state.phase:
        case Phase.PAGING:
            if deadline is None:
                return after(clock.submit_limit_s * (state.alerts + 1), TimerKind.SUBMIT_LIMIT)
            if again is not None and again < deadline:
                return Timer(TimerKind.RING_AGAIN, again)
            return Timer(TimerKind.DEADLINE, deadline)
        case Phase.EXHAUSTED:
            return Timer(TimerKind.NEXT_ROUND, state.next_round_at or state.since)
        case Phase.ACKNOWLEDGED if state.waiting:
            return after(clock.submit_limit_s * (state.alerts + 1), TimerKind.SUBMIT_LIMIT)
        case Phase.ACKNOWLEDGED:
            return after(clock.unattended_s, TimerKind.UNATTENDED)
        case Phase.CONNECTING:
            join_clock = after(clock.join_s, TimerKind.JOIN_CLOCK)
            if again is not None and again < join_clock.at:
                return Timer(TimerKind.CALL_IN_AGAIN, again)
            return join_clock
        case Phase.ATTENDED:
            return after(clock.follow_up_s, TimerKind.CHECK_IN)
        case Phase.FOLLOWING_UP:
            return after(clock.follow_up_s, TimerKind.FOLLOW_UP)
        case Phase.RESOLVED | Phase.CANCELLED:
            return None


def _timer_fired(state: Escalation, at: datetime) -> Decision:
    timer = armed(state)
    if timer is None or timer.at > at:
        return Decision(state)  # an old timer
    match timer.kind:
        case TimerKind.SUBMIT_LIMIT:
            waited = int((at - state.since).total_seconds())
            alerts = int(
                waited / state.ladder.submit_limit_s
            )  # one for all that were due while nobody worked
            reason = (
                f"calls of {state.id} have been queued for {waited} s: the rung does not climb while they are"
            )
            return Decision(replace(state, alerts=max(alerts, state.alerts + 1)), (AlertOperator(reason),))
        case TimerKind.RING_AGAIN:
            return _ring_again(state, at)
        case TimerKind.CALL_IN_AGAIN:
            return _call_in_again(state, at)
        case TimerKind.DEADLINE:
            return _climb(state, at)
        case TimerKind.NEXT_ROUND:
            return _next_round(state, at)
        case TimerKind.JOIN_CLOCK:
            return _reopen(state, at)
        case TimerKind.CHECK_IN:
            return _ask_owner(replace(state, since=at, asked=state.asked + 1))
        case TimerKind.UNATTENDED | TimerKind.FOLLOW_UP if state.asked == 0:
            return _ask_owner(replace(state, since=at, asked=1))
        case TimerKind.UNATTENDED | TimerKind.FOLLOW_UP:
            return _reopen(state, at)


# Climbing


def _start_rung(state: Escalation, at: datetime, former: Responder | None = None) -> Decision:
    """Page the rung on every channel at once; its clock starts when a call was submitted.

    former: who had it and did not come, rung with this rung whichever it is.
    Who said "not me" is not woken again in the same round, on whatever rung.
    """
    state = replace(
        state, phase=Phase.PAGING, since=at, deadline=None, ring_again_at=None, next_round_at=None, alerts=0
    )
    declined = {page.responder.id for page in state.pages if page.declined and page.round == state.round}
    people = tuple(person for person in state.rung.responders if person.id not in declined)
    if former is not None and former.id not in {person.id for person in people}:
        people = (former, *people)
    decision = _page(state, people, state.order[state.position], at)
    tell: FactKind = "placing" if state.position == 0 and state.round == 1 else "next"
    return decision.then(lambda s: _tell(s, tell, rung=s.position + 1)).then(lambda s: _consider_rung(s, at))


def _page(state: Escalation, people: tuple[Responder, ...], rung: int, at: datetime) -> Decision:
    fresh = tuple(
        planned(
            PageId(f"{state.id}.{len(state.pages) + n + 1}"),
            person,
            rung=rung,
            round_=state.round,
            seed=state.seed,
            at=at,
        )
        for n, person in enumerate(people)
    )
    effects: list[Effect] = []
    for page in fresh:
        if Channel.VOICE in page.responder.channels:
            effects.append(RingPage(page, 1))
        if Channel.TEXT in page.responder.channels:
            effects.append(TextPage(page))
        if Channel.PUSH in page.responder.channels:
            effects.append(PushPage(page))
    return Decision(replace(state, pages=state.pages + fresh), tuple(effects))


def _consider_rung(state: Escalation, at: datetime) -> Decision:
    """Advance at once when nobody on the rung can answer any more; start its clock when it may start."""
    if state.phase is not Phase.PAGING:
        return Decision(state)
    if all(page.hopeless for page in state.rung_pages):
        return _climb(state, at)
    if state.deadline is None and not _calls_pending(state):
        return Decision(_with_clock(state, at))  # no call will be submitted: the other channels' time runs
    return Decision(state)


def _calls_pending(state: Escalation) -> bool:
    pending = {Standing.QUEUED, Standing.UNKNOWN}
    return any(page.voice.standing in pending for page in state.rung_pages)


def _with_clock(state: Escalation, at: datetime) -> Escalation:
    wait_s = state.rung.wait_s if state.waiting else state.rung.wait_nobody_s
    again_s = state.rung.ring_again_s
    again = at + timedelta(seconds=again_s) if 0 < again_s < wait_s else None
    return replace(state, deadline=at + timedelta(seconds=wait_s), ring_again_at=again)


def _ring_again(state: Escalation, at: datetime) -> Decision:
    effects: list[Effect] = []
    rung_again: list[Page] = []
    for page in state.rung_pages:
        quiet = page.voice.standing in {Standing.UNANSWERED, Standing.SUBMITTED, Standing.REACHED}
        if quiet and not page.declined:
            again = pg.rung_again(page, at)
            rung_again.append(again)
            effects.append(RingPage(again, again.rings))
    return Decision(_with_pages(replace(state, ring_again_at=None), rung_again), tuple(effects))


def _climb(state: Escalation, at: datetime) -> Decision:
    """The rung has expired; it stays open to whoever was reached, but no phone is dialled for it any more."""
    undialled = (page for page in state.rung_pages if page.voice.standing in {Standing.QUEUED, Standing.HELD})
    expired = Decision(state, tuple(Unring(page) for page in undialled))
    return expired.then(lambda s: _next_rung(s, at))


def _next_rung(state: Escalation, at: datetime) -> Decision:
    if state.position + 1 < len(state.order):
        return _start_rung(replace(state, position=state.position + 1), at)
    return _exhaust(state, at)


def _exhaust(state: Escalation, at: datetime) -> Decision:
    """The round is over: last resort, the truth for the caller, and round again after a pause that grows."""
    pauses = state.ladder.pauses_s
    pause_s = 0.0 if state.case.severity is Severity.LIFE else pauses[min(state.round, len(pauses)) - 1]
    floor = state.round_since + timedelta(seconds=ROUND_FLOOR_S)
    until = max(at + timedelta(seconds=pause_s), floor)
    state = replace(
        state, phase=Phase.EXHAUSTED, since=at, deadline=None, ring_again_at=None, next_round_at=until
    )
    reason = f"nobody on the ladder of {state.id} answered in round {state.round}"
    return (
        _page(state, state.ladder.last_resort, pg.LAST_RESORT, at)
        .also(AlertOperator(reason))
        .then(lambda s: _tell(s, "exhausted", until=until))
    )


def _next_round(state: Escalation, at: datetime) -> Decision:
    """Go round again, the rungs that never reached a phone first."""
    reached = {page.rung for page in state.pages if page.reached_a_phone}
    order = tuple(sorted(range(len(state.ladder.rungs)), key=lambda rung: rung in reached))
    state = replace(state, round=state.round + 1, round_since=at, order=order, position=0)
    return _start_rung(state, at)


def _reopen(state: Escalation, at: datetime) -> Decision:
    """The owner did not come, or does not answer: the ladder goes on, the former owner rung with the rung."""
    former = state.owner.responder if state.owner else None
    state = replace(state, owner=None, asked=0, round_since=at)
    told = _tell(state, "reopened", name=former.name if former else "")
    return told.then(lambda s: _start_rung(s, at, former))


def _worsened(state: Escalation, case: Case, at: datetime) -> Decision:
    """Whoever has it, has it; while nobody has, everybody is woken anew, from the first rung."""
    if case.severity.rank >= state.case.severity.rank:
        return Decision(state)
    state = replace(state, case=case)
    if state.owner is None:
        order = tuple(range(len(state.ladder.rungs)))
        anew = replace(state, round=state.round + 1, round_since=at, order=order, position=0)
        return _start_rung(anew, at)
    return _tell(state, "danger") if case.severity is Severity.LIFE else Decision(state)


# News of pages


def _page_moved(state: Escalation, news: PageMoved) -> Decision:
    page = state.page(news.page)
    if page is None:
        return Decision(state)
    if news.channel is Channel.VOICE and news.ring < page.rings:  # a straggler about an earlier call
        reached = news.evidence.standing in {Standing.REACHED, Standing.ANSWERED}
        return Decision(_with_pages(state, [replace(page, reached_a_phone=True)]) if reached else state)
    page = moved(page, news.channel, news.evidence)
    state = _with_pages(state, [page])
    if page.voice.standing is Standing.UNANSWERED and _is_the_way_in(state, page.voice.provider_id):
        return _left(state, page.responder.id, CallSid(page.voice.provider_id or ""), news.at)
    if page.rung == pg.WAY_IN:
        return _way_in_moved(state, page, news.at)
    on_this_rung = state.phase is Phase.PAGING and page in state.rung_pages
    if on_this_rung and state.deadline is None and page.voice.standing in _ON_ITS_WAY:
        state = _with_clock(state, page.voice.at or news.at)
        if page.voice.standing is Standing.HELD:
            return Decision(state)  # the phone is ours already, and does not ring for this
        return _tell(state, "ringing", rung=state.position + 1)
    return _consider_rung(state, news.at)


_ON_ITS_WAY = {Standing.HELD, Standing.SUBMITTED, Standing.REACHED, Standing.ANSWERED, Standing.UNANSWERED}


def _way_in_moved(state: Escalation, page: Page, at: datetime) -> Decision:
    """The owner's join call: its clock starts at its submission; refused for good, the ladder goes on.

    Engaged, not picked up or hung up, it is placed again until that clock has run out.
    """
    coming = state.phase in {Phase.ACKNOWLEDGED, Phase.CONNECTING}
    owner, standing = state.owner, page.voice.standing
    if not coming or owner is None or page.id != owner.page:
        return Decision(state)
    if standing is Standing.FAILED:
        return _reopen(state, at)
    if standing not in _ON_ITS_WAY:
        return Decision(state)
    if state.phase is Phase.ACKNOWLEDGED:
        state = replace(state, phase=Phase.CONNECTING, since=page.voice.at or at)
    if standing is Standing.UNANSWERED and owner.leg is None:
        state = replace(state, ring_again_at=at + timedelta(seconds=JOIN_AGAIN_S))
    return Decision(state)


def _is_the_way_in(state: Escalation, call: str | None) -> bool:
    """On this call the owner pressed their key, and they are not in the room yet."""
    leg = state.owner.leg if state.owner else None
    return state.phase is Phase.CONNECTING and leg is not None and leg == call


def _call_in_again(state: Escalation, at: datetime) -> Decision:
    state = replace(state, ring_again_at=None)
    page = state.page(state.owner.page) if state.owner else None
    if page is None or not state.waiting:
        return Decision(state)
    again = pg.rung_again(page, at)
    return Decision(_with_pages(state, [again]), (CallIn(again, state.waiting[0].conference),))


# Acts


def _acted(state: Escalation, act: Act, at: datetime) -> Decision:
    """A person's act; a repeat of the same act gets the same reply and does nothing."""
    for act_id, reply in state.replies:
        if act_id == act.id:
            return Decision(state, reply=reply)
    decision = _judged(state, act, at)
    if decision.reply is None:
        return decision
    replies = (*decision.state.replies, (act.id, decision.reply))[-ACTS_REMEMBERED:]
    return replace(decision, state=replace(decision.state, replies=replies))


def _judged(state: Escalation, act: Act, at: datetime) -> Decision:
    if state.over:
        return _refused(state, Verdict.OVER, f"This case is already {state.phase}. Thank you.")
    person = next((p for p in state.ladder.people if p.id == act.by), None)
    page = state.page(act.page)
    if act.page is not None and (page is None or page.responder.id != act.by):
        return _refused(state, Verdict.REFUSED, "That page is not one of this case's.")
    if act.via is Via.TEXT and (page is None or act.code != page.code):
        return _refused(state, Verdict.REFUSED, "That code does not belong to an open page of yours.")
    match act.kind:
        case ActKind.ACKNOWLEDGE if person is not None:
            return _acknowledged(state, act, person, at)
        case ActKind.ACKNOWLEDGE:
            return _refused(state, Verdict.REFUSED, f"Nobody called {act.by} is on this case's ladder.")
        case ActKind.DECLINE:
            return _declined(state, act, at)
        case ActKind.RESOLVE if state.owner is None:
            return _refused(state, Verdict.REFUSED, "Nobody has taken this case yet: acknowledge it first.")
        case ActKind.RESOLVE:
            return _closed(state, Phase.RESOLVED, act, at)
        case ActKind.CANCEL:
            return _closed(state, Phase.CANCELLED, act, at)


def _acknowledged(state: Escalation, act: Act, person: Responder, at: datetime) -> Decision:
    owner = state.owner
    if owner is not None and owner.responder.id != person.id:
        return Decision(state, reply=_taken(owner))
    if owner is not None and (act.leg is None or state.phase is Phase.ATTENDED):
        return Decision(state, reply=_yours(state))
    taken_back = [replace(p, declined=False) for p in state.pages if p.responder.id == person.id]
    state = replace(
        _with_pages(state, taken_back),  # who takes it after all has not said "not me"
        owner=Owner(person, act.via, act.id, act.page, act.pressed_at or at, act.leg),
        since=at,
        deadline=None,
        ring_again_at=None,
        next_round_at=None,
        alerts=0,
        asked=0,
    )
    # Without a leg and with nobody to join, the winner's own phone need not ring any further either.
    spared = None if act.leg is None and not state.waiting else person.id
    others = tuple({p.responder.id: None for p in state.pages if p.responder.id != spared})
    won = Decision(state, (Withdraw(others, person.name),) if others else (), _yours(state))
    return won.then(lambda s: _connect(s, at)).then(lambda s: _tell(s, "taken", name=person.name))


def _connect(state: Escalation, at: datetime) -> Decision:
    """Bring the owner into the room where somebody waits: by the leg they pressed on, or by a join call."""
    owner = state.owner
    assert owner is not None, "only an owner can be connected"  # noqa: S101
    state = replace(state, ring_again_at=None)
    if not state.waiting:
        return Decision(replace(state, phase=Phase.ACKNOWLEDGED, since=at))
    caller = state.waiting[0]
    if owner.leg is not None:
        connecting = replace(state, phase=Phase.CONNECTING, since=at)
        return Decision(connecting, (Seat(caller.call, owner.responder, owner.leg),))
    page = planned(
        PageId(f"{state.id}.{len(state.pages) + 1}"),
        replace(owner.responder, text_to=None, push=()),
        rung=pg.WAY_IN,
        round_=state.round,
        seed=state.seed,
        at=at,
    )
    owner = replace(owner, page=page.id)
    state = replace(state, phase=Phase.ACKNOWLEDGED, since=at, owner=owner, pages=(*state.pages, page))
    if page.responder.phone is None:
        reason = f"{owner.responder.name} took {state.id} but has no phone to join the caller with"
        return Decision(replace(state, phase=Phase.CONNECTING), (AlertOperator(reason),))
    return Decision(state, (CallIn(page, caller.conference),))


def _declined(state: Escalation, act: Act, at: datetime) -> Decision:
    reply = ActReply(Verdict.DECLINED, "All right. It goes on without you.")
    theirs = [replace(p, declined=True) for p in state.pages if p.responder.id == act.by]
    if state.owner is not None and state.owner.responder.id == act.by:
        released = _with_pages(replace(state, owner=None, asked=0, round_since=at), theirs)
        return (
            Decision(released, (Withdraw((act.by,), None),), reply)
            .then(lambda s: _tell(s, "reopened"))
            .then(lambda s: _start_rung(s, at))
        )
    if not theirs:
        return _refused(state, Verdict.REFUSED, "You were not paged for this case.")
    if state.owner is not None:
        reply = replace(reply, sentence=f"All right. {state.owner.responder.name} has it.")
    state = _with_pages(state, theirs)
    return Decision(state, (Withdraw((act.by,), None),), reply).then(lambda s: _consider_rung(s, at))


def _closed(state: Escalation, phase: Phase, act: Act, at: datetime) -> Decision:
    resolved = phase is Phase.RESOLVED
    paged = tuple({p.responder.id: None for p in state.pages})
    effects = (
        *((Withdraw(paged, state.owner.responder.name if state.owner else None),) if paged else ()),
        *(DismissAssistant(caller.call) for caller in state.callers),
    )
    in_the_room = " The assistant leaves; you can talk on." if state.phase is Phase.ATTENDED else ""
    reply = ActReply(
        Verdict.RESOLVED if resolved else Verdict.CANCELLED,
        f"Resolved.{in_the_room}" if resolved else "Cancelled. Nobody else is rung.",
    )
    # Whoever is in a room with the owner hears it from them; whoever still waits alone, from us.
    told = Decision(state) if resolved and state.phase is Phase.ATTENDED else _tell(state, "over")
    return told.then(
        lambda s: Decision(replace(s, phase=phase, since=at, outcome_note=act.note), effects, reply)
    )


def _refused(state: Escalation, verdict: Verdict, sentence: str) -> Decision:
    return Decision(state, reply=ActReply(verdict, sentence))


def _taken(owner: Owner) -> ActReply:
    return ActReply(Verdict.TAKEN, f"{owner.responder.name} has it. Thank you.", owner=owner.responder.name)


def _yours(state: Escalation) -> ActReply:
    room = state.waiting[0].conference if state.waiting else None
    name = state.owner.responder.name if state.owner else None
    sentence = (
        "You have it. The caller is on the line." if room else "You have it. Nobody is waiting on the line."
    )
    can_ring = room is None and state.case.contact is not None
    return ActReply(Verdict.YOURS, sentence, owner=name, conference=room, can_ring=can_ring)


# Callers and rooms


def _caller_attached(state: Escalation, call: CallSid, conference: str, at: datetime) -> Decision:
    if any((caller.call, caller.conference) == (call, conference) for caller in state.callers):
        return Decision(state)  # told again: a call that is gone does not come back under its old SID
    others = tuple(caller for caller in state.callers if caller.call != call)
    alone = not any(caller.waiting for caller in others)
    state = replace(state, callers=(*others, Caller(call, conference)))
    if state.owner is None or not alone or state.phase not in {Phase.ACKNOWLEDGED, Phase.FOLLOWING_UP}:
        return _tell_where_it_stands(state, call)
    # Somebody waits again, and there is an owner to bring; the leg they once pressed a key on goes elsewhere.
    brought = _connect(replace(state, owner=replace(state.owner, leg=None), alerts=0, asked=0), at)
    return brought.then(lambda s: _tell_where_it_stands(s, call))


def _tell_where_it_stands(state: Escalation, call: CallSid) -> Decision:
    """What a caller who has just come hears of the case."""
    rung = state.position + 1
    match state.phase:
        case Phase.PAGING:
            return _tell(state, "ringing" if state.deadline else "placing", rung=rung, only=call)
        case Phase.EXHAUSTED:
            return _tell(state, "exhausted", until=state.next_round_at, only=call)
        case Phase.ACKNOWLEDGED | Phase.CONNECTING if state.owner is not None:
            return _tell(state, "taken", name=state.owner.responder.name, only=call)
        case _:
            return Decision(state)  # whoever is in the room says it


def _caller_gone(state: Escalation, call: CallSid, at: datetime) -> Decision:
    """Off the line, not out of the chase: it becomes a call-back."""
    callers = tuple(replace(c, waiting=False) if c.call == call else c for c in state.callers)
    state = replace(state, callers=callers)
    if state.waiting or state.phase not in {Phase.CONNECTING, Phase.ACKNOWLEDGED}:
        return Decision(state)
    return Decision(replace(state, phase=Phase.ACKNOWLEDGED, since=at, alerts=0))


def _joined(state: Escalation, news: ResponderJoined) -> Decision:
    owner, person, leg, at = state.owner, news.person, news.leg, news.at
    if leg in state.legs_gone:
        return Decision(state)  # told late: that leg has left since
    if owner is not None and owner.responder.id != person:
        return Decision(state)  # a second human in the room; the owner stays
    if owner is None:  # seated while we could not confirm: being there is the acknowledgement
        responder = next((p for p in state.ladder.people if p.id == person), None)
        if responder is None:
            return Decision(state)
        act = Act(ActKind.ACKNOWLEDGE, ActId(f"joined:{leg}"), person, Via.JOINED, leg=leg, pressed_at=at)
        return _acknowledged(state, act, responder, at).then(lambda s: _joined(s, news))
    was_there = state.phase is Phase.ATTENDED
    owner = replace(owner, leg=leg, room=news.room)
    state = replace(state, phase=Phase.ATTENDED, owner=owner, since=at, asked=0, alerts=0)
    return Decision(state) if was_there else _tell(state, "joining", name=owner.responder.name)


def _left(state: Escalation, person: PersonId, leg: CallSid, at: datetime) -> Decision:
    """The owner dropped: rung back first while a caller waits, followed up otherwise."""
    gone = tuple(dict.fromkeys((*state.legs_gone, leg)))
    state = replace(state, legs_gone=gone[-LEGS_REMEMBERED:])
    owner = state.owner
    in_room = state.phase in {Phase.CONNECTING, Phase.ATTENDED}
    if owner is None or owner.responder.id != person or owner.leg != leg or not in_room:
        return Decision(state)
    state = replace(state, owner=replace(owner, leg=None), asked=0)
    if not state.waiting:
        return Decision(replace(state, phase=Phase.FOLLOWING_UP, since=at))
    return _connect(state, at).then(lambda s: _tell(s, "taken", name=owner.responder.name))


def _ask_owner(state: Escalation) -> Decision:
    owner = state.owner
    page = state.page(owner.page) if owner else None
    if page is None and owner is not None:
        page = next((p for p in reversed(state.pages) if p.responder.id == owner.responder.id), None)
    if page is None or owner is None or not {Channel.TEXT, Channel.PUSH} & {*owner.responder.channels}:
        return Decision(
            state, (AlertOperator(f"the owner of {state.id} cannot be asked: no text or push to them"),)
        )
    return Decision(state, (AskOwner(replace(page, responder=owner.responder)),))


# Small tools


def _with_pages(state: Escalation, changed: list[Page]) -> Escalation:
    by_id = {page.id: page for page in changed}
    return replace(state, pages=tuple(by_id.get(page.id, page) for page in state.pages))


def _tell(
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
