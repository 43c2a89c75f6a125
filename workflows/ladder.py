"""What an escalation decides: state and event in, new state and effects out.

No Temporal, no network, no clock: every event says when it happened.

States: paging → (acknowledged | connecting) → attended → following-up → resolved, with exhausted (between
rounds of the ladder, not an end) and cancelled. Every state but resolved and cancelled has exactly one armed
timer (`armed`), and its firing pages, asks or alerts somebody: nobody is ever merely waiting.

How rungs are climbed is in `climbing`, acts and rooms are in `ownership`.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from workflows import pages as pg
from workflows.climbing import (
    climb,
    consider_rung,
    next_round,
    reopen,
    ring_again,
    start_rung,
    with_clock,
    worsened,
)
from workflows.emergency import (
    NOTES_REMEMBERED,
    Acted,
    AlertOperator,
    Caller,
    CallerAttached,
    CallerGone,
    Decision,
    Escalation,
    Event,
    Noted,
    PageMoved,
    Phase,
    ResponderJoined,
    ResponderLeft,
    Timer,
    TimerFired,
    TimerKind,
    Worsened,
    tell,
    with_pages,
)
from workflows.ownership import (
    acted,
    ask_owner,
    call_in_again,
    caller_attached,
    caller_gone,
    is_the_way_in,
    joined,
    left,
    way_in_moved,
)
from workflows.pages import ON_ITS_WAY, Standing, moved
from workflows.values import (
    CallSid,
    Case,
    Channel,
    EscalationId,
    Ladder,
)


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
    return start_rung(state, at)


def decide(state: Escalation, event: Event) -> Decision:
    """Return the next state and what must now be done. Late and repeated events are cases, not errors."""
    match event:
        case Acted(act, at):
            return acted(state, act, at)
        case _ if state.over:
            return Decision(state)
        case PageMoved():
            return _page_moved(state, event)
        case CallerAttached(call, conference, at):
            return caller_attached(state, call, conference, at)
        case CallerGone(call, at):
            return caller_gone(state, call, at)
        case ResponderJoined():
            return joined(state, event)
        case ResponderLeft(person, leg, at):
            return left(state, person, leg, at)
        case Worsened(case, at):
            return worsened(state, case, at)
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
            return ring_again(state, at)
        case TimerKind.CALL_IN_AGAIN:
            return call_in_again(state, at)
        case TimerKind.DEADLINE:
            return climb(state, at)
        case TimerKind.NEXT_ROUND:
            return next_round(state, at)
        case TimerKind.JOIN_CLOCK:
            return reopen(state, at)
        case TimerKind.CHECK_IN:
            return ask_owner(replace(state, since=at, asked=state.asked + 1))
        case TimerKind.UNATTENDED | TimerKind.FOLLOW_UP if state.asked == 0:
            return ask_owner(replace(state, since=at, asked=1))
        case TimerKind.UNATTENDED | TimerKind.FOLLOW_UP:
            return reopen(state, at)


# News of pages


def _page_moved(state: Escalation, news: PageMoved) -> Decision:
    page = state.page(news.page)
    if page is None:
        return Decision(state)
    if news.channel is Channel.VOICE and news.ring < page.rings:  # a straggler about an earlier call
        reached = news.evidence.standing in {Standing.REACHED, Standing.ANSWERED}
        return Decision(with_pages(state, [replace(page, reached_a_phone=True)]) if reached else state)
    page = moved(page, news.channel, news.evidence)
    state = with_pages(state, [page])
    if page.voice.standing is Standing.UNANSWERED and is_the_way_in(state, page.voice.provider_id):
        return left(state, page.responder.id, CallSid(page.voice.provider_id or ""), news.at)
    if page.rung == pg.WAY_IN:
        return way_in_moved(state, page, news.at)
    on_this_rung = state.phase is Phase.PAGING and page in state.rung_pages
    if on_this_rung and state.deadline is None and page.voice.standing in ON_ITS_WAY:
        state = with_clock(state, page.voice.at or news.at)
        if page.voice.standing is Standing.HELD:
            return Decision(state)  # the phone is ours already, and does not ring for this
        return tell(state, "ringing", rung=state.position + 1)
    return consider_rung(state, news.at)
