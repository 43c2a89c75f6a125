"""What is true of an escalation whatever the phones, the people and the network do, in whatever order."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.workflows.night import CALLER, NIGHT, SEED, a_case, ana, at, ben, cho, dan, person
from workflows.emergency import (
    OWNED,
    Acted,
    AlertOperator,
    AskOwner,
    Caller,
    CallerAttached,
    CallerGone,
    CallIn,
    Decision,
    Effect,
    Escalation,
    Event,
    PageMoved,
    Phase,
    PushPage,
    ResponderJoined,
    ResponderLeft,
    RingPage,
    TextPage,
    TimerFired,
)
from workflows.ladder import armed, begin, decide
from workflows.pages import Evidence, Page, Standing
from workflows.values import (
    Act,
    ActId,
    ActKind,
    CallSid,
    Channel,
    EscalationId,
    Ladder,
    PageId,
    PersonId,
    Responder,
    Rung,
    Severity,
    Via,
)

CI = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])

VOX, TEX, PIA = person("Vox", text=False), person("Tex", phone=False), person("Pia", push=True)
PEOPLE = (ana, ben, cho, dan, VOX, TEX, PIA)
STRANGER = person("Zed")
CALLS = (CALLER, Caller(CallSid("CA2"), "af-CA2"), Caller(CallSid("CA3"), "af-CA3"))
LEGS = [CallSid(f"CAleg{n}") for n in range(3)]
WAKES_OR_ASKS = (RingPage, TextPage, PushPage, CallIn, AskOwner, AlertOperator)
NEVER_SENT = {Standing.QUEUED, Standing.UNKNOWN}
REAL_STANDINGS = [standing for standing in Standing if standing is not Standing.ABSENT]
EFFECTS_AT_MOST = 150  # three rungs passed over in one breath, of three people, three channels, three callers

people = st.sampled_from(PEOPLE)
ladders = st.builds(
    Ladder,
    rungs=st.lists(
        st.builds(
            Rung,
            name=st.just("rung"),
            responders=st.lists(people, min_size=1, max_size=3, unique=True).map(tuple),
            ring_again_s=st.sampled_from([0.0, 60.0]),
        ),
        min_size=1,
        max_size=3,
    ).map(tuple),
    last_resort=st.lists(people, max_size=1).map(tuple),
    pauses_s=st.sampled_from([(0.0, 300.0), (60.0,)]),
)
vias = st.sampled_from([Via.KEY, Via.LINK, Via.CONSOLE, Via.TEMPORAL])


def reaches_somebody(effect: Effect) -> bool:
    """Whether this order wakes, asks or alerts a human by a way that they have."""
    match effect:
        case RingPage(page, _) | CallIn(page, _):
            return page.responder.phone is not None
        case TextPage(page):
            return page.responder.text_to is not None
        case PushPage(page):
            return bool(page.responder.push)
        case AskOwner(page):
            return bool({Channel.TEXT, Channel.PUSH} & set(page.responder.channels))
        case AlertOperator():
            return True
        case _:
            return False


class AnyNight(RuleBasedStateMachine):
    """Anything may happen at any time, told late, twice or about things that never were."""

    state: Escalation
    now: datetime

    @initialize(
        ladder=ladders, severity=st.sampled_from(Severity), callers=st.integers(min_value=0, max_value=2)
    )
    def an_emergency_begins(self, ladder: Ladder, severity: Severity, callers: int) -> None:
        """Somebody rings in, or an alert comes."""
        self.now = NIGHT
        begun = begin(EscalationId("esc"), a_case(severity), ladder, SEED, CALLS[:callers], NIGHT)
        assert any(reaches_somebody(effect) for effect in begun.effects)
        self.state = begun.state

    def heard(self, event: Event) -> Decision:
        """Decide, and hold the decision to what is true of every decision."""
        before = self.state
        decision = decide(before, event)
        after = self.state = decision.state
        assert len(decision.effects) <= EFFECTS_AT_MOST
        if before.over:
            assert decision.effects == ()
            assert replace(after, replies=before.replies) == before
        if after.deadline is not None and before.deadline is None:
            pages = after.rung_pages
            submitted = any(page.voice.standing not in NEVER_SENT | {Standing.ABSENT} for page in pages)
            none_will_be = all(page.voice.standing not in NEVER_SENT for page in pages)
            assert submitted or none_will_be, "a rung's clock ran before a call was submitted"
        assert decision.reply is not None or not isinstance(event, Acted), "who acts is answered"
        return decision

    # What may happen

    @rule(seconds=st.integers(min_value=0, max_value=150))
    def time_passes(self, seconds: int) -> None:
        """… and whatever came due meanwhile fires late."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def the_timer_fires(self) -> None:
        """At its instant, or later."""
        timer = armed(self.state)
        self.now = max(self.now, timer.at) if timer else self.now
        self.heard(TimerFired(self.now))

    @rule()
    def an_old_timer_fires(self) -> None:
        """One that nobody waits for any more."""
        self.heard(TimerFired(NIGHT - timedelta(days=1)))

    @rule(data=st.data(), late_s=st.integers(min_value=0, max_value=100))
    def a_page_moves(self, data: st.DataObject, late_s: int) -> None:
        """Any channel, any standing, about any of its calls."""
        page: Page = data.draw(st.sampled_from(self.state.pages))
        channel = data.draw(st.sampled_from(Channel))
        evidence = Evidence(
            data.draw(st.sampled_from(REAL_STANDINGS)), "SM1", self.now - timedelta(seconds=late_s)
        )
        ring = data.draw(st.integers(min_value=max(0, page.rings - 1), max_value=page.rings))
        self.heard(PageMoved(page.id, channel, evidence, self.now, ring))

    @rule(data=st.data(), channels=st.sets(st.sampled_from(Channel), min_size=2))
    def a_person_cannot_be_reached(self, data: st.DataObject, channels: set[Channel]) -> None:
        """Several of their channels fail for good."""
        page: Page = data.draw(st.sampled_from(self.state.pages))
        for channel in sorted(channels):
            failed = Evidence(Standing.FAILED, None, self.now, "21211")
            self.heard(PageMoved(page.id, channel, failed, self.now, page.rings))

    @rule()
    def a_page_of_nobody_moves(self) -> None:
        """A callback for a page that is not ours."""
        self.heard(PageMoved(PageId("?"), Channel.VOICE, Evidence(Standing.ANSWERED), self.now, 1))

    @rule(
        kind=st.sampled_from([ActKind.ACKNOWLEDGE] * 3 + [ActKind.DECLINE] * 3 + list(ActKind)),
        who=st.sampled_from([*PEOPLE, STRANGER]),
        via=vias,
        leg=st.none() | st.sampled_from(LEGS),
        act=st.integers(min_value=0, max_value=30),
    )
    def somebody_acts(self, kind: ActKind, who: Responder, via: Via, leg: CallSid | None, act: int) -> None:
        """Acts may come twice under one id, from anybody."""
        first = dict(self.state.replies).get(ActId(f"act-{act}"))
        decision = self.heard(Acted(Act(kind, ActId(f"act-{act}"), who.id, via, leg=leg), self.now))
        if first is not None:
            assert (decision.reply, decision.effects) == (first, ())

    @rule(data=st.data())
    def a_text_comes(self, data: st.DataObject) -> None:
        """With the right code, or another page's."""
        page, other = (data.draw(st.sampled_from(self.state.pages)) for _ in range(2))
        act = Act(
            ActKind.ACKNOWLEDGE,
            ActId(f"text-{page.id}-{other.id}"),
            page.responder.id,
            Via.TEXT,
            page.id,
            code=other.code,
        )
        owned_before = self.state.owner is not None
        self.heard(Acted(act, self.now))
        assert owned_before or self.state.owner is None or page.code == other.code

    @rule(caller=st.sampled_from(CALLS))
    def a_call_is_attached(self, caller: Caller) -> None:
        """Once or again."""
        self.heard(CallerAttached(caller.call, caller.conference, self.now))

    @rule(caller=st.sampled_from(CALLS))
    def a_caller_hangs_up(self, caller: Caller) -> None:
        """Attached or not."""
        self.heard(CallerGone(caller.call, self.now))

    @rule(who=st.sampled_from([*PEOPLE, STRANGER]), leg=st.sampled_from(LEGS))
    def somebody_joins(self, who: Responder, leg: CallSid) -> None:
        """Asked for or not."""
        self.heard(ResponderJoined(who.id, leg, self.now))

    @rule(who=st.sampled_from(PEOPLE), leg=st.sampled_from(LEGS))
    def somebody_leaves(self, who: Responder, leg: CallSid) -> None:
        """There or not."""
        self.heard(ResponderLeft(who.id, leg, self.now))

    @precondition(lambda self: self.state.owner is not None)
    @rule(leg=st.sampled_from(LEGS))
    def the_owner_comes_and_goes(self, leg: CallSid) -> None:
        """As they should."""
        owner = self.state.owner
        assert owner is not None
        self.heard(ResponderJoined(owner.responder.id, leg, self.now))
        self.heard(ResponderLeft(owner.responder.id, leg, self.now))

    # What is true at all times

    @invariant()
    def it_has_an_owner_exactly_when_its_phase_says_so(self) -> None:
        """At most one, and never in paging or exhausted."""
        if not self.state.over:
            assert (self.state.owner is not None) == (self.state.phase in OWNED)

    @invariant()
    def nobody_is_merely_waiting(self) -> None:
        """The one armed timer fires, and within a bounded number of firings somebody is woken or asked."""
        assert (armed(self.state) is None) == self.state.over
        state = self.state
        for _ in range(2):  # a second ring may find nobody to ring again: then the deadline is next
            timer = armed(state)
            if timer is None:
                return
            decision = decide(state, TimerFired(max(timer.at, self.now)))
            if any(reaches_somebody(effect) for effect in decision.effects):
                return
            state = decision.state
        raise AssertionError(f"{self.state.phase}: the timer fired twice and nobody heard of it")

    @invariant()
    def a_page_of_a_person_who_said_not_me_is_not_planned_again_in_that_round(self) -> None:
        """Counted from the end: no page of theirs was planned after one that they declined, this round."""
        said_no: set[PersonId] = set()
        for page in self.state.pages:
            if page.round == self.state.round and page.rung >= 0:
                if not page.declined:
                    assert page.responder.id not in said_no
                else:
                    said_no.add(page.responder.id)


TestAnyNight = AnyNight.TestCase
TestAnyNight.settings = settings(CI, max_examples=120, stateful_step_count=40)


# Doubled and reordered


def a_state(steps: list[Event]) -> Escalation:
    """Where these events lead."""
    ladder = Ladder((Rung("one", (ana, ben), ring_again_s=60.0), Rung("two", (cho, TEX))), (dan,))
    state = begin(EscalationId("esc"), a_case(), ladder, SEED, (CALLER,), NIGHT).state
    for event in steps:
        state = decide(state, event).state
    return state


page_ids = st.integers(min_value=1, max_value=6).map(lambda n: PageId(f"esc.{n}"))
instants = st.integers(min_value=0, max_value=400).map(at)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(
        PageMoved,
        page=page_ids,
        channel=st.sampled_from(Channel),
        evidence=st.builds(Evidence, st.sampled_from(REAL_STANDINGS), st.just("SM1"), instants),
        at=instants,
        ring=st.integers(min_value=0, max_value=2),
    ),
    st.builds(
        Acted,
        st.builds(
            Act,
            kind=st.sampled_from(ActKind),
            id=st.integers(min_value=0, max_value=9).map(lambda n: ActId(f"act-{n}")),
            by=st.sampled_from([who.id for who in (*PEOPLE, STRANGER)]),
            via=vias,
            leg=st.none() | st.sampled_from(LEGS),
        ),
        instants,
    ),
    st.builds(CallerAttached, st.sampled_from(LEGS), st.just("af-x"), instants),
    st.builds(CallerGone, st.sampled_from([CALLER.call, *LEGS]), instants),
    st.builds(ResponderJoined, st.sampled_from([ana.id, ben.id, cho.id]), st.sampled_from(LEGS), instants),
    st.builds(ResponderLeft, st.sampled_from([ana.id, ben.id, cho.id]), st.sampled_from(LEGS), instants),
)


@settings(CI, max_examples=300)
@given(before=st.lists(events, max_size=12), event=events)
def test_what_is_told_twice_is_done_once(before: list[Event], event: Event) -> None:
    once = decide(a_state(before), event).state
    twice = decide(once, event)
    assert twice.state == once
    assert twice.effects == ()


HISTORY = [
    PageMoved(PageId(f"esc.{n}"), Channel.VOICE, Evidence(standing, f"CA{n}", at(5)), at(5), 1)
    for n in (1, 2)
    for standing in (Standing.SUBMITTED, Standing.REACHED, Standing.ANSWERED, Standing.UNANSWERED)
] + [
    PageMoved(PageId(f"esc.{n}"), Channel.TEXT, Evidence(standing, f"SM{n}", at(5)), at(5))
    for n in (1, 2)
    for standing in (Standing.SUBMITTED, Standing.REACHED)
]


@settings(CI, max_examples=150)
@given(order=st.permutations(HISTORY), again=st.lists(st.sampled_from(HISTORY), max_size=5))
def test_one_history_in_any_order_comes_to_the_same_end(
    order: list[PageMoved], again: list[PageMoved]
) -> None:
    told, retold = a_state([*HISTORY]), a_state([*order, *again])
    assert retold == told


@settings(CI, max_examples=200)
@given(before=st.lists(events, max_size=12))
def test_everybody_who_acts_after_the_end_is_answered_and_nothing_else_happens(before: list[Event]) -> None:
    cancel = Acted(Act(ActKind.CANCEL, ActId("the end"), ana.id, Via.CONSOLE), at(500))
    over = decide(a_state(before), cancel).state
    assert over.phase in {Phase.CANCELLED, Phase.RESOLVED}
    for event in before:
        assert decide(over, event).effects == ()
