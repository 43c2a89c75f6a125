"""What is true of a person's phone whatever escalations, callbacks and the provider do, in whatever order."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.workflows.night import NIGHT, SEED, Handset, asks, at
from workflows.pages import Standing
from workflows.responder import (
    LOOKS,
    MERGED_AT_MOST,
    SIDS_REMEMBERED,
    Doubtful,
    Due,
    Effect,
    Event,
    Expired,
    HangUp,
    LookAt,
    LookedFor,
    LookFor,
    Phone,
    Place,
    Placed,
    Progressed,
    Refused,
    Report,
    Request,
    Requested,
    RingState,
    Unplace,
    Unplaced,
    Withdrawn,
    decide,
    due_at,
)
from workflows.values import CallSid, EscalationId, PageId, RingId, Severity

CI = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ESCALATIONS = [f"e{n}" for n in range(6)]
SIDS = [CallSid(f"CA{n}") for n in range(4)]
STATUSES = [
    "queued",
    "initiated",
    "ringing",
    "in-progress",
    "completed",
    "busy",
    "no-answer",
    "canceled",
    "failed",
]
ENDS = {Standing.UNANSWERED, Standing.FAILED, Standing.WITHDRAWN}

sids = st.sampled_from(SIDS)


class AnyUseOfAPhone(RuleBasedStateMachine):
    """Six emergencies, one phone, and a provider whose news comes late, twice, of old calls or not at all."""

    def __init__(self) -> None:
        """A phone that nobody has asked for."""
        super().__init__()
        self.phone = Phone(SEED)
        self.now: datetime = NIGHT
        self.seen_rings: list[RingId] = [RingId("no such call")]
        self.owed: dict[PageId, Request] = {}  # rung for, and its end not yet told
        self.withdrawn_rings: set[RingId] = set()

    def heard(self, event: Event) -> tuple[Effect, ...]:
        """Decide, and hold the decision to what is true of every decision."""
        before = self.phone
        self.phone, effects = decide(before, event)
        for effect in effects:
            match effect:
                case Place(ring):
                    assert self.phone.ring == ring
                    assert before.ring is None or before.ring.id != ring.id or ring.placings == 2
                    self.seen_rings.append(ring.id)
                case HangUp(sid):
                    held = before.ring
                    talking = held is not None and held.state is RingState.ANSWERED and held.sid == sid
                    assert not talking, "somebody who had answered was cut off"
                case Unplace(ring_id):
                    self.withdrawn_rings.add(ring_id)
                case Report(request, evidence) if evidence.standing in ENDS:
                    wanted = request.page in self.owed and not isinstance(event, (Withdrawn, Expired))
                    assert not (wanted and evidence.standing is Standing.WITHDRAWN), "nobody withdrew it"
                    self.owed.pop(request.page, None)
                case _:
                    pass
        assert len(effects) <= 4 * MERGED_AT_MOST + len(before.waiting)
        return effects

    @rule(seconds=st.integers(min_value=0, max_value=90))
    def time_passes(self, seconds: int) -> None:
        """Nothing else happens."""
        self.now += timedelta(seconds=seconds)

    @rule(
        escalation=st.sampled_from(ESCALATIONS),
        join=st.booleans(),
        ring=st.integers(min_value=1, max_value=2),
        severity=st.sampled_from(Severity),
    )
    def an_escalation_asks(self, escalation: str, join: bool, ring: int, severity: Severity) -> None:
        """For a page, a second ring of it, or a way in; perhaps once more."""
        request = replace(asks(escalation, join=join, ring=ring, severity=severity), at=self.now)
        repeat = any(r.page == request.page and r.ring >= ring for r in self.phone.open)
        before = self.phone
        effects = self.heard(Requested(request, self.now))
        if repeat:
            assert (self.phone, effects) == (before, ())
        else:
            for older in [page for page in self.owed.values() if page.escalation == request.escalation]:
                del self.owed[older.page]  # an escalation needs a person once, for its latest page
            self.owed[request.page] = request

    @rule(escalation=st.sampled_from(ESCALATIONS), owner=st.none() | st.just("Ben"))
    def an_escalation_withdraws(self, escalation: str, owner: str | None) -> None:
        """Asked for or not."""
        self.heard(Withdrawn(EscalationId(escalation), owner, self.now))
        self.owed = {page: r for page, r in self.owed.items() if r.escalation != escalation}

    @precondition(lambda self: self.phone.ring is not None)
    @rule(escalation=st.sampled_from(ESCALATIONS), sid=sids)
    def everything_is_won_as_another_asks(self, escalation: str, sid: CallSid) -> None:
        """The call that is going out is for nobody any more, and somebody new needs this phone."""
        for won in ESCALATIONS:
            self.an_escalation_withdraws(won, "Ben")
        self.an_escalation_asks(escalation, False, 1, Severity.URGENT)
        ring = self.phone.ring
        if ring is not None and ring.id in self.withdrawn_rings:
            self._answers("unplaced", ring.id, sid)

    @rule(escalation=st.sampled_from(ESCALATIONS))
    def a_rung_expires(self, escalation: str) -> None:
        """Its page is not dialled any more."""
        self.heard(Expired(PageId(f"{escalation}.1"), self.now))

    @precondition(lambda self: self.phone.ring is not None)
    @rule(what=st.sampled_from(["placed", "doubtful", "refused", "unplaced"]), sid=sids)
    def the_provider_answers(self, what: str, sid: CallSid) -> None:
        """About the call that is going out."""
        ring = self.phone.ring
        assert ring is not None
        self._answers(what, ring.id, sid)

    @rule(data=st.data(), what=st.sampled_from(["placed", "doubtful", "refused", "unplaced"]), sid=sids)
    def the_provider_answers_late(self, data: st.DataObject, what: str, sid: CallSid) -> None:
        """About some call of the past, or of nobody."""
        self._answers(what, data.draw(st.sampled_from(self.seen_rings)), sid)

    def _answers(self, what: str, ring: RingId, sid: CallSid) -> None:
        match what:
            case "placed":
                self.heard(Placed(ring, sid, self.now))
            case "doubtful":
                self.heard(Doubtful(ring, self.now))
            case "refused":
                self.heard(Refused(ring, "21211", self.now))
            case _ if ring in self.withdrawn_rings:  # only what we withdraw comes back as withdrawn
                self.heard(Unplaced(ring, self.now))
            case _:
                pass

    @rule(data=st.data(), status=st.sampled_from(STATUSES), sid=sids)
    def a_callback_comes(self, data: st.DataObject, status: str, sid: CallSid) -> None:
        """Of any call, in any order."""
        self.heard(Progressed(data.draw(st.sampled_from(self.seen_rings)), sid, status, self.now))

    @precondition(lambda self: self.phone.ring is not None and self.phone.ring.sid is not None)
    @rule(status=st.sampled_from(STATUSES))
    def the_call_goes_on(self, status: str) -> None:
        """As calls do."""
        ring = self.phone.ring
        assert ring is not None
        assert ring.sid is not None
        self.heard(Progressed(ring.id, ring.sid, status, self.now))

    @rule(data=st.data(), sid=st.none() | sids)
    def a_look_comes_back(self, data: st.DataObject, sid: CallSid | None) -> None:
        """With something or with nothing, asked for or not."""
        self.heard(LookedFor(data.draw(st.sampled_from(self.seen_rings)), sid, self.now))

    @rule()
    def the_timer_fires(self) -> None:
        """At its instant, or late."""
        due = due_at(self.phone)
        self.now = max(self.now, due) if due else self.now
        effects = self.heard(Due(self.now))
        if due is not None:
            assert any(isinstance(effect, (LookFor, LookAt)) for effect in effects)

    # What is true at all times

    @invariant()
    def every_key_of_a_call_does_one_thing(self) -> None:
        """Drawn keys are unique in a call."""
        items = self.phone.ring.items if self.phone.ring else ()
        keys = [key for item in items for key in (item.accept, item.decline)]
        assert len(set(keys)) == len(keys)
        assert len(items) <= MERGED_AT_MOST
        assert len({item.request.escalation for item in items}) == len(items)

    @invariant()
    def a_call_that_is_out_is_looked_after(self) -> None:
        """Once it has left the queue there is always a next look."""
        ring = self.phone.ring
        queued = ring is None or ring.state is RingState.PLACING
        assert (due_at(self.phone) is None) == queued
        assert ring is None or ring.state in {RingState.PLACING, RingState.IN_DOUBT} or ring.sid is not None

    @invariant()
    def nobody_waits_for_a_phone_that_does_nothing(self) -> None:
        """Whoever waits, waits for the call that is on."""
        assert not self.phone.waiting or self.phone.ring is not None
        pages = [request.page for request in self.phone.waiting]
        assert len(set(pages)) == len(pages)

    @invariant()
    def no_page_is_lost(self) -> None:
        """A page asked for is in the call, waits for the next, or its end was told."""
        items = self.phone.ring.items if self.phone.ring else ()
        known = {item.request.page for item in items} | {request.page for request in self.phone.waiting}
        assert set(self.owed) <= known

    @invariant()
    def it_grows_no_further_than_its_use(self) -> None:
        """What is remembered has a bound."""
        assert len(self.phone.known_sids) <= SIDS_REMEMBERED
        assert len(self.phone.open) <= 2 * len(ESCALATIONS)


TestAnyUseOfAPhone = AnyUseOfAPhone.TestCase
TestAnyUseOfAPhone.settings = settings(CI, max_examples=150, stateful_step_count=40)


@settings(CI, max_examples=100)
@given(
    shown_by_look=st.integers(min_value=0, max_value=len(LOOKS) - 1),
    callback_after_look=st.none() | st.integers(min_value=0, max_value=len(LOOKS) - 1),
    doubt_after_callback=st.booleans(),
)
def test_a_call_that_was_placed_under_doubt_is_never_placed_again(
    shown_by_look: int, callback_after_look: int | None, doubt_after_callback: bool
) -> None:
    """The provider has the call; its list shows it from one look on, its callback may come at any time."""
    phone = Handset()
    phone.asked_for("leak")
    if doubt_after_callback:
        phone.says("ringing", 1, sid="CA1")
    phone.doubtful(6)
    for n in range(len(LOOKS)):
        if callback_after_look == n:
            phone.says("ringing", phone_time(phone), sid="CA1")
        due = due_at(phone.phone)
        assert due is not None
        for order in phone.hears(Due(due)):
            if isinstance(order, LookFor):
                shown = n >= shown_by_look and CallSid("CA1") not in order.ignoring
                phone.hears(LookedFor(order.ring.id, CallSid("CA1") if shown else None, due))
    assert len(phone.ever(Place)) == 1
    assert phone.ring.sid == "CA1"
    assert phone.reported("leak")[-1] in {Standing.SUBMITTED, Standing.REACHED}


def phone_time(phone: Handset) -> float:
    """The second of the night at which this phone was last touched."""
    return (phone.ring.since - NIGHT).total_seconds()


CALLBACKS = ["initiated", "ringing", "in-progress", "completed"]


@settings(CI, max_examples=100)
@given(order=st.permutations(CALLBACKS), again=st.lists(st.sampled_from(CALLBACKS), max_size=4))
def test_callbacks_in_any_order_end_the_call_and_are_reported_forwards(
    order: list[str], again: list[str]
) -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    for status in (*order, *again):
        phone.hears(Progressed(RingId("1-leak.1"), CallSid("CA1"), status, at(2)))
    assert phone.phone.ring is None
    forwards = [Standing.SUBMITTED, Standing.REACHED, Standing.ANSWERED, Standing.UNANSWERED]
    told = phone.reported("leak")
    assert told == sorted(set(told), key=forwards.index)
    assert told[-1] is Standing.UNANSWERED
