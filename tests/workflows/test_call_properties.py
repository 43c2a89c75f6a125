"""What is true of a call whatever legs, bridges and callbacks do; above all, that nobody hears the whisper.

`AnyCall` lets any news come in any order. `AnyWhisper` plays a telephone network beside the decisions: there a
step may fail and have been done all the same, and what the AI says can be heard.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.workflows.night import CALLER, LINE, NIGHT, a_case, ana, ben, cho
from workflows.aides import NONCES_REMEMBERED
from workflows.assistant import ADDS_AT_MOST, Role, Step, Wanted
from workflows.call import FACTS_WAITING, LOOK_S, decide, due_at
from workflows.call_news import (
    Announce,
    AnnouncementEnded,
    BridgeAttached,
    BridgeDetached,
    CallerEnded,
    CaseHeard,
    Dismissed,
    Due,
    Effect,
    EmergencyCalled,
    EndRoom,
    Event,
    FoundFailedOver,
    Joined,
    Left,
    LegEnded,
    Look,
    Looked,
    MessageLeft,
    RemoveLeg,
    Reported,
    ReportJoined,
    ReportLeft,
    RoomEnded,
    SeatExpected,
    StartEscalation,
    StepDone,
    StepFailed,
    SteppedOut,
    TakeStep,
    Told,
)
from workflows.call_state import (
    Call,
    CallerAt,
    Closing,
    LegAt,
)
from workflows.labels import assistant_label, caller_label, responder_label
from workflows.values import CallSid, ConferenceSid, Fact, FactKind, Responder, Severity

CI = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])

PEOPLE = (ana, ben, cho)
LEGS = {who.id: CallSid(f"CA{who.id}") for who in PEOPLE}
ROOMS = [ConferenceSid("CF1"), ConferenceSid("CF2")]
ANY_LEG = [CALLER.call, *LEGS.values(), *(CallSid(f"CAai{n}") for n in range(1, 4))]
ANY_LABEL = [
    caller_label(CALLER.call),
    *(responder_label(person, leg) for person, leg in LEGS.items()),
    *(assistant_label(CALLER.call, n) for n in range(1, 4)),
    "",
]
FACTS: list[FactKind] = ["danger", "placing", "ringing", "next", "taken", "joining", "exhausted", "over"]

people = st.sampled_from(PEOPLE)
rooms = st.sampled_from(ROOMS)
legs = st.sampled_from(ANY_LEG)
queues = st.sampled_from(["bridge-1", "bridge-2"])


class AnyCall(RuleBasedStateMachine):
    """Any news, in any order, of legs and rooms that may not be ours."""

    call: Call
    now: datetime

    @initialize(severity=st.sampled_from(Severity))
    def a_caller_rings_in(self, severity: Severity) -> None:
        """And reports an emergency."""
        self.now = NIGHT
        self.in_room: dict[CallSid, bool] = {}
        self.ended_rooms = 0
        self.call = Call(CALLER.call, LINE, "+15550177", CALLER.conference, NIGHT, NIGHT)
        self.heard(Reported(a_case(severity), self.now))
        self.heard(Joined(ROOMS[0], CALLER.call, caller_label(CALLER.call), self.now))

    def heard(self, event: Event) -> tuple[Effect, ...]:
        """Decide, and hold the decision to what is true of every decision."""
        before = self.call
        self.call, effects = decide(before, event)
        after = self.call
        assert len(effects) <= 20
        assert after.assistant.generation >= before.assistant.generation
        assert len([effect for effect in effects if isinstance(effect, TakeStep)]) <= 1
        for effect in effects:
            match effect:
                case TakeStep(step, wanted, ai):
                    assert before.step is None or isinstance(event, (StepDone, StepFailed)) or before != after
                    assert after.step is step
                    if step in {Step.COACH, Step.CONFIRM}:
                        assert ai.muted
                        assert ai.quiet or ai.bridge is None
                    if step in {Step.UNMUTE, Step.TELL_ROLE}:
                        assert (ai.coaching, ai.confirmed, ai.in_doubt) == (wanted.coached, True, False)
                    if step is Step.ADD:
                        assert ai.generation > before.assistant.generation
                        assert ai.add_failures < ADDS_AT_MOST
                case Announce(leg, fact):
                    assert (leg, after.telling) == (CALLER.call, fact)
                    assert before.telling is None or isinstance(event, (AnnouncementEnded, Due))
                case EndRoom():
                    self.ended_rooms += 1
                case ReportJoined(_, leg):
                    self.in_room[leg] = True
                case ReportLeft(_, leg):
                    assert self.in_room.get(leg) is not False, "left twice"
                    self.in_room[leg] = False
                case StartEscalation():
                    assert isinstance(event, Reported)
                case _:
                    pass
        return effects

    @rule(seconds=st.integers(min_value=0, max_value=40))
    def time_passes(self, seconds: int) -> None:
        """Nothing else happens."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def the_timer_fires(self) -> None:
        """At its instant, or late; and the next one is later."""
        self.now = max(self.now, due_at(self.call))
        self.heard(Due(self.now))
        assert due_at(self.call) > self.now

    @rule(conference=rooms, leg=legs, label=st.sampled_from(ANY_LABEL))
    def a_leg_joins(self, conference: ConferenceSid, leg: CallSid, label: str) -> None:
        """Ours or not."""
        self.heard(Joined(conference, leg, label, self.now))

    @rule(conference=rooms, leg=legs)
    def a_leg_leaves(self, conference: ConferenceSid, leg: CallSid) -> None:
        """There or not."""
        self.heard(Left(conference, leg, self.now))

    @rule(who=people, step=st.sampled_from(["expected", "joins", "menu", "gone"]))
    def a_responder_moves(self, who: Responder, step: str) -> None:
        """As responders do."""
        leg = LEGS[who.id]
        match step:
            case "expected":
                self.heard(SeatExpected(who, leg, self.now))
            case "joins":
                room = self.call.conference_sid or ROOMS[0]
                self.heard(Joined(room, leg, responder_label(who.id, leg), self.now))
            case "menu":
                self.heard(SteppedOut(leg, self.now))
            case _:
                self.heard(LegEnded(leg, self.now))

    @rule(conference=rooms)
    def a_room_ends(self, conference: ConferenceSid) -> None:
        """Ours or not."""
        self.heard(RoomEnded(conference, self.now))

    @precondition(lambda self: self.call.step is not None)
    @rule(done=st.booleans(), gone=st.booleans())
    def the_step_under_way_ends(self, done: bool, gone: bool) -> None:
        """Well or badly."""
        step, ai = self.call.step, self.call.assistant
        assert step is not None
        if not done:
            self.heard(StepFailed(step, "no", gone, self.now, ai.generation, ai.bridge))
            return
        sid = CallSid(f"CAai{ai.generation}") if step is Step.ADD else None
        self.heard(StepDone(step, self.now, sid, None, ai.generation, ai.bridge))

    @rule(step=st.sampled_from(Step), generation=st.integers(min_value=0, max_value=2), queue=queues)
    def an_old_step_ends(self, step: Step, generation: int, queue: str) -> None:
        """Of a leg that was replaced."""
        if generation < self.call.assistant.generation:
            before = self.call.assistant
            self.heard(StepDone(step, self.now, generation=generation, queue=queue))
            assert self.call.assistant == before

    @rule(queue=queues, generation=st.integers(min_value=1, max_value=3), attached=st.booleans())
    def a_bridge_comes_or_goes(self, queue: str, generation: int, attached: bool) -> None:
        """Of any generation."""
        news = BridgeAttached if attached else BridgeDetached
        self.heard(news(generation, queue, self.now))

    @rule(kind=st.sampled_from(FACTS), n=st.integers(min_value=0, max_value=20))
    def the_escalation_tells(self, kind: FactKind, n: int) -> None:
        """Something new or old."""
        self.heard(Told(Fact(f"esc#{n}", kind, 1), self.now))

    @rule(
        event=st.sampled_from(
            [
                AnnouncementEnded,
                AnnouncementEnded,
                EmergencyCalled,
                CaseHeard,
                FoundFailedOver,
                Dismissed,
                CallerEnded,
            ]
        )
    )
    def something_simple_happens(self, event: type[CallerEnded]) -> None:
        """News that only says when."""
        self.heard(event(self.now))

    @rule()
    def the_caller_reports_again(self) -> None:
        """The same or, once resolved, another emergency."""
        self.heard(Reported(a_case(), self.now))
        self.heard(MessageLeft("RE1", 3, self.now))

    @rule(
        conference=st.none() | rooms,
        over=st.booleans(),
        present=st.lists(st.tuples(legs, st.sampled_from(ANY_LABEL)), max_size=4),
        ended=st.lists(legs, max_size=3),
    )
    def a_look_comes_back(
        self,
        conference: ConferenceSid | None,
        over: bool,
        present: list[tuple[CallSid, str]],
        ended: list[CallSid],
    ) -> None:
        """With anything."""
        self.heard(Looked(conference, over, tuple(present), tuple(ended), self.now))

    # What is true at all times

    @invariant()
    def it_is_never_left_alone_for_longer_than_a_look(self) -> None:
        """There is always a next instant, and looking is part of it."""
        assert due_at(self.call) <= self.call.looked_at + timedelta(seconds=LOOK_S)
        looked, effects = decide(self.call, Due(self.call.looked_at + timedelta(seconds=LOOK_S)))
        assert any(isinstance(effect, Look) for effect in effects)
        assert looked.looked_at > self.call.looked_at

    @invariant()
    def it_is_closed_in_exactly_one_state(self) -> None:
        """Whenever one asks."""
        assert self.call.closing in set(Closing)

    @invariant()
    def what_waits_and_what_is_remembered_has_a_bound(self) -> None:
        """Facts and nonces."""
        assert len(self.call.to_tell) <= FACTS_WAITING
        assert len(self.call.nonces) <= NONCES_REMEMBERED
        assert len({leg.sid for leg in self.call.legs}) == len(self.call.legs)

    @invariant()
    def the_room_is_ended_once_and_only_when_nobody_is_left(self) -> None:
        """Explicitly: no leg ends it by leaving."""
        assert self.ended_rooms <= 1

    @invariant()
    def the_ai_is_not_in_a_room_that_is_over(self) -> None:
        """Nor wanted there."""
        if self.call.room_over:
            assert self.call.wanted.role is Role.GONE
            assert not self.call.assistant.present


TestAnyCall = AnyCall.TestCase
TestAnyCall.settings = settings(CI, max_examples=120, stateful_step_count=40)


@dataclass
class HeardLeg:
    """An AI leg as the telephone network has it. speaking: the role in which its bridge speaks; None: silent."""

    muted: bool = False
    coaching: CallSid | None = None
    speaking: Wanted | None = None


class AnyWhisper(RuleBasedStateMachine):
    """Responders come, step out, hang up and come back while the AI changes its role, step by failing step."""

    @initialize()
    def a_caller_waits(self) -> None:
        """With the AI still to come."""
        self.now = NIGHT
        self.legs: dict[CallSid, HeardLeg] = {}
        self.under_way: TakeStep | None = None
        self.call = Call(CALLER.call, LINE, "+15550177", CALLER.conference, NIGHT, NIGHT)
        self.heard(Reported(a_case(), self.now))
        self.heard(Joined(ROOMS[0], CALLER.call, caller_label(CALLER.call), self.now))

    def heard(self, event: Event) -> None:
        """Decide; the network takes the orders."""
        self.call, effects = decide(self.call, event)
        for effect in effects:
            match effect:
                case TakeStep():
                    self.under_way = effect
                case RemoveLeg(sid):
                    self.legs.pop(sid, None)
                case _:
                    pass
        if self.call.step is None:
            self.under_way = None

    def performed(self, order: TakeStep) -> None:
        """The step is so, in the network or in the bridge."""
        sid = order.assistant.sid
        leg = self.legs.get(sid) if sid else None
        if order.step is Step.REMOVE and sid is not None:
            self.legs.pop(sid, None)
        if leg is None:
            return
        match order.step:
            case Step.QUIET:
                leg.speaking = None
            case Step.MUTE:
                leg.muted = True
            case Step.COACH:
                leg.coaching = order.wanted.coached
            case Step.UNMUTE:
                leg.muted = False
            case Step.TELL_ROLE:
                leg.speaking = order.wanted
            case Step.ADD | Step.REMOVE | Step.CONFIRM | Step.HOLD | Step.UNHOLD:
                pass

    @precondition(lambda self: self.under_way is not None)
    @rule()
    def the_step_succeeds(self) -> None:
        """It is so, and we are told. What is confirmed is looked at; what is not so fails."""
        order = self.under_way
        assert order is not None
        ai, step = order.assistant, order.step
        if step is Step.ADD:
            sid = CallSid(f"CAai{ai.generation}")
            self.legs[sid] = HeardLeg(muted=ai.muted is True)
            self.heard(StepDone(step, self.now, sid, ROOMS[0], ai.generation))
            self.heard(Joined(ROOMS[0], sid, assistant_label(CALLER.call, ai.generation), self.now))
            return
        leg = self.legs.get(ai.sid) if ai.sid else None
        if step is Step.CONFIRM and leg is not None and leg.coaching != order.wanted.coached:
            self.heard(StepFailed(step, "not so", False, self.now, ai.generation, ai.bridge))
            return
        self.performed(order)
        self.heard(StepDone(step, self.now, generation=ai.generation, queue=ai.bridge))

    @precondition(lambda self: self.under_way is not None)
    @rule(queue=queues)
    def the_network_does_as_it_is_told(self, queue: str) -> None:
        """Until nothing is under way, and the AI has a bridge."""
        for _ in range(10):
            if self.under_way is not None:
                self.the_step_succeeds()
            elif self.call.assistant.present and self.call.assistant.bridge is None:
                self.heard(BridgeAttached(self.call.assistant.generation, queue, self.now))

    @precondition(lambda self: self.under_way is not None and self.under_way.step is not Step.ADD)
    @rule(done_all_the_same=st.booleans())
    def the_step_fails(self, done_all_the_same: bool) -> None:
        """By its answer; it may have been done all the same."""
        order = self.under_way
        assert order is not None
        if done_all_the_same:
            self.performed(order)
        ai = order.assistant
        self.heard(StepFailed(order.step, "no answer", False, self.now, ai.generation, ai.bridge))

    @precondition(lambda self: self.under_way is not None and self.under_way.step is not Step.ADD)
    @rule()
    def the_step_is_so_before_we_are_told(self) -> None:
        """Whatever happens next happens in between."""
        order = self.under_way
        assert order is not None
        self.performed(order)

    @rule(queue=queues)
    def a_bridge_attaches(self, queue: str) -> None:
        """A fresh process says nothing before it is told its role."""
        ai = self.call.assistant
        leg = self.legs.get(ai.sid) if ai.sid else None
        if leg is not None and ai.present:
            leg.speaking = None
            self.heard(BridgeAttached(ai.generation, queue, self.now))

    @rule(who=people, what=st.sampled_from(["comes", "menu", "gone"]))
    def a_responder_moves(self, who: Responder, what: str) -> None:
        """Into the room, into the menu, away."""
        leg = LEGS[who.id]
        there = any(known.sid == leg and known.at is LegAt.ROOM for known in self.call.legs)
        match what:
            case "comes" if not there:
                self.heard(SeatExpected(who, leg, self.now))
                self.heard(Joined(ROOMS[0], leg, responder_label(who.id, leg), self.now))
            case "menu" if there:
                self.heard(Left(ROOMS[0], leg, self.now))
                self.heard(SteppedOut(leg, self.now))
            case "gone" if there:
                self.heard(Left(ROOMS[0], leg, self.now))
                self.heard(LegEnded(leg, self.now))
            case _:
                pass

    @precondition(lambda self: self.call.assistant.present)
    @rule()
    def the_ais_leg_drops(self) -> None:
        """Its call is over."""
        sid = self.call.assistant.sid
        assert sid is not None
        self.legs.pop(sid, None)
        self.heard(Left(ROOMS[0], sid, self.now))

    @invariant()
    def nobody_but_the_coached_hears_the_whisper(self) -> None:
        """A leg that speaks as a coach is muted, or is heard by the one it was told to coach alone."""
        for sid, leg in self.legs.items():
            if leg.speaking is None or leg.muted:
                continue
            assert leg.coaching == leg.speaking.coached, f"{sid} speaks as {leg.speaking} to {leg.coaching}"

    @invariant()
    def a_coach_whose_responder_left_is_being_silenced(self) -> None:
        """The orphaned coach may be heard by all: a step is always under way."""
        here = {known.sid for known in self.call.legs if known.at is LegAt.ROOM}
        for sid, leg in self.legs.items():
            if leg.muted or leg.speaking is None or leg.speaking.coached is None:
                continue
            assert sid == self.call.assistant.sid, "a coach that was given up is muted"
            assert leg.speaking.coached in here or self.under_way is not None

    @invariant()
    def when_everything_succeeds_the_ai_gets_where_it_should_be(self) -> None:
        """From here, with a network that does what it is told."""
        call = self.call
        for _ in range(30):
            if call.step is None:
                break
            ai, step = call.assistant, call.step
            sid = CallSid("CAfine") if step is Step.ADD else None
            call, _ = decide(call, StepDone(step, self.now, sid, None, ai.generation, ai.bridge))
            if step is Step.ADD:
                label = assistant_label(CALLER.call, ai.generation)
                call, _ = decide(call, Joined(ROOMS[0], CallSid("CAfine"), label, self.now))
        ai, wanted = call.assistant, call.wanted
        assert call.step is None
        assert ai.present or call.caller is not CallerAt.ROOM
        if wanted.role is Role.SILENT:
            assert ai.muted
        else:
            assert (ai.coaching, ai.muted, ai.confirmed) == (wanted.coached, False, True)
            assert ai.bridge is None or ai.told == wanted


TestAnyWhisper = AnyWhisper.TestCase
TestAnyWhisper.settings = settings(CI, max_examples=150, stateful_step_count=40)
