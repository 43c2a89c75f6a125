"""How an escalation climbs: a rung's pages and clocks, the next rung, the next round, and back up when an owner fails.

Pure; who may call what is in `ladder`.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from workflows import pages as pg
from workflows.emergency import (
    AlertOperator,
    Decision,
    Effect,
    Escalation,
    Phase,
    PushPage,
    RingPage,
    TextPage,
    Unring,
    tell,
    with_pages,
)
from workflows.pages import Page, Standing, planned
from workflows.values import (
    Case,
    Channel,
    FactKind,
    PageId,
    Responder,
    Severity,
)

ROUND_FLOOR_S = 30.0  # a ladder on which every number is refused must not spin


def start_rung(state: Escalation, at: datetime, former: Responder | None = None) -> Decision:
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
    kind: FactKind = "placing" if state.position == 0 and state.round == 1 else "next"
    return decision.then(lambda s: tell(s, kind, rung=s.position + 1)).then(lambda s: consider_rung(s, at))


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


def consider_rung(state: Escalation, at: datetime) -> Decision:
    """Advance at once when nobody on the rung can answer any more; start its clock when it may start."""
    if state.phase is not Phase.PAGING:
        return Decision(state)
    if all(page.hopeless for page in state.rung_pages):
        return climb(state, at)
    if state.deadline is None and not _calls_pending(state):
        return Decision(with_clock(state, at))  # no call will be submitted: the other channels' time runs
    return Decision(state)


def _calls_pending(state: Escalation) -> bool:
    pending = {Standing.QUEUED, Standing.UNKNOWN}
    return any(page.voice.standing in pending for page in state.rung_pages)


def with_clock(state: Escalation, at: datetime) -> Escalation:
    wait_s = state.rung.wait_s if state.waiting else state.rung.wait_nobody_s
    again_s = state.rung.ring_again_s
    again = at + timedelta(seconds=again_s) if 0 < again_s < wait_s else None
    return replace(state, deadline=at + timedelta(seconds=wait_s), ring_again_at=again)


def ring_again(state: Escalation, at: datetime) -> Decision:
    effects: list[Effect] = []
    rung_again: list[Page] = []
    for page in state.rung_pages:
        quiet = page.voice.standing in {Standing.UNANSWERED, Standing.SUBMITTED, Standing.REACHED}
        if quiet and not page.declined:
            again = pg.rung_again(page, at)
            rung_again.append(again)
            effects.append(RingPage(again, again.rings))
    return Decision(with_pages(replace(state, ring_again_at=None), rung_again), tuple(effects))


def climb(state: Escalation, at: datetime) -> Decision:
    """The rung has expired; it stays open to whoever was reached, but no phone is dialled for it any more."""
    undialled = (page for page in state.rung_pages if page.voice.standing in {Standing.QUEUED, Standing.HELD})
    expired = Decision(state, tuple(Unring(page) for page in undialled))
    return expired.then(lambda s: _next_rung(s, at))


def _next_rung(state: Escalation, at: datetime) -> Decision:
    if state.position + 1 < len(state.order):
        return start_rung(replace(state, position=state.position + 1), at)
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
        .then(lambda s: tell(s, "exhausted", until=until))
    )


def next_round(state: Escalation, at: datetime) -> Decision:
    """Go round again, the rungs that never reached a phone first."""
    reached = {page.rung for page in state.pages if page.reached_a_phone}
    order = tuple(sorted(range(len(state.ladder.rungs)), key=lambda rung: rung in reached))
    state = replace(state, round=state.round + 1, round_since=at, order=order, position=0)
    return start_rung(state, at)


def reopen(state: Escalation, at: datetime) -> Decision:
    """The owner did not come, or does not answer: the ladder goes on, the former owner rung with the rung."""
    former = state.owner.responder if state.owner else None
    state = replace(state, owner=None, asked=0, round_since=at)
    told = tell(state, "reopened", name=former.name if former else "")
    return told.then(lambda s: start_rung(s, at, former))


def worsened(state: Escalation, case: Case, at: datetime) -> Decision:
    """Whoever has it, has it; while nobody has, everybody is woken anew, from the first rung."""
    if case.severity.rank >= state.case.severity.rank:
        return Decision(state)
    state = replace(state, case=case)
    if state.owner is None:
        order = tuple(range(len(state.ladder.rungs)))
        anew = replace(state, round=state.round + 1, round_since=at, order=order, position=0)
        return start_rung(anew, at)
    return tell(state, "danger") if case.severity is Severity.LIFE else Decision(state)
