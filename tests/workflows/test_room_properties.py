"""What is true of a room whatever people do to it, come and go, and however often orders fail.

A telephone network is played beside the decisions: a step may fail and have been done all the same, and who hears
whom can be asked of it at any time.
"""

from dataclasses import dataclass, replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.workflows.night import CALLER, LINE, NIGHT, a_case, ana, ben, cho
from workflows import floor
from workflows.agents import Agent, AgentId, Speech
from workflows.assistant import UNHEARD, Post, Role, Step, Wanted
from workflows.call import decide
from workflows.call_news import (
    Acted,
    BridgeAttached,
    Event,
    Joined,
    Left,
    LegEnded,
    MannerSet,
    RemoveLeg,
    Reported,
    SeatExpected,
    SetManner,
    StepDone,
    StepFailed,
    SteppedOut,
    TakeStep,
)
from workflows.call_state import AT_LARGE, Call, CallerAt, LegAt, Manner
from workflows.labels import assistant_label, caller_label, responder_label
from workflows.room_acts import RoomAct, RoomActKind, Whom
from workflows.values import ActId, CallSid, ConferenceSid, PersonId, Responder

CI = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SPEECH = Speech((Agent(AgentId("desk"), "the desk"),), (), "Hello.", notes=True)
ROOM = ConferenceSid("CF1")
PEOPLE = (ana, ben, cho)
LEGS = {who.id: CallSid(f"CA{who.id}") for who in PEOPLE}
ANYBODY = ["caller", "ana", "ben", "cho", "ai", "notes", "interpreter", "ais", "nobody"]

people = st.sampled_from(PEOPLE)


@dataclass
class AiLeg:
    """An AI's leg as the telephone network has it. speaking: the role in which its bridge speaks; None: silent."""

    post: Post
    muted: bool
    held: bool = False
    coaching: CallSid | None = None
    speaking: Wanted | None = None


class AnyRoom(RuleBasedStateMachine):
    """Humans and AIs of every post come and go and are held, muted, removed, brought and moved about."""

    @initialize()
    def a_caller_waits(self) -> None:
        """On a line that has notes taken, and speaks two languages."""
        self.ais: dict[CallSid, AiLeg] = {}
        self.humans: dict[CallSid, Manner] = {}
        self.steps: dict[Post, TakeStep] = {}
        self.orders: list[SetManner] = []
        self.acts = 0
        line = replace(LINE, languages=("es", "en"))
        self.call = Call(CALLER.call, line, "+15550177", CALLER.conference, NIGHT, NIGHT, speech=SPEECH)
        self.heard(Reported(a_case(), NIGHT))
        self.humans[CALLER.call] = AT_LARGE
        self.heard(Joined(ROOM, CALLER.call, caller_label(CALLER.call), NIGHT))

    def heard(self, event: Event) -> None:
        """Decide; the network takes the orders."""
        self.call, effects = decide(self.call, event)
        for effect in effects:
            match effect:
                case TakeStep():
                    self.steps[effect.post] = effect
                case SetManner():
                    self.orders.append(effect)
                case RemoveLeg(sid):
                    self.ais.pop(sid, None)
                    self._gone(sid)
                case _:
                    pass
        self.steps = {post: one for post, one in self.steps.items() if self.call.aide(post).step is one.step}

    def _gone(self, sid: CallSid) -> None:
        if self.humans.pop(sid, None) is not None:
            self.heard(Left(ROOM, sid, NIGHT))
            self.heard(LegEnded(sid, NIGHT))

    # The AIs' legs

    def performed(self, order: TakeStep) -> None:
        """The step is so, in the network or in the bridge."""
        sid = order.assistant.sid
        if sid is None or (leg := self.ais.get(sid)) is None:
            return
        match order.step:
            case Step.REMOVE:
                del self.ais[sid]
            case Step.QUIET:
                leg.speaking = None
            case Step.MUTE | Step.UNMUTE:
                leg.muted = order.step is Step.MUTE
            case Step.HOLD | Step.UNHOLD:
                leg.held = order.step is Step.HOLD
            case Step.COACH:
                leg.coaching = order.wanted.coached
            case Step.TELL_ROLE:
                leg.speaking = order.wanted
            case Step.ADD | Step.CONFIRM:
                pass

    def succeeds(self, order: TakeStep) -> None:
        """It is so, and we are told. What is confirmed is looked at; what is not so fails."""
        ai, step = order.assistant, order.step
        if step is Step.ADD:
            sid = CallSid(f"CAai{ai.generation}")
            self.ais[sid] = AiLeg(order.post, ai.muted is True)
            self.heard(StepDone(step, NIGHT, sid, ROOM, ai.generation))
            label = assistant_label(CALLER.call, ai.generation, order.post)
            self.heard(Joined(ROOM, sid, label, NIGHT))
            return
        leg = self.ais.get(ai.sid) if ai.sid else None
        if step is Step.CONFIRM and leg is not None and leg.coaching != order.wanted.coached:
            self.heard(StepFailed(step, "not so", False, NIGHT, ai.generation, ai.bridge))
            return
        self.performed(order)
        self.heard(StepDone(step, NIGHT, generation=ai.generation, queue=ai.bridge))

    @precondition(lambda self: bool(self.steps))
    @rule(nth=st.integers(0, 2))
    def a_step_succeeds(self, nth: int) -> None:
        """Of any of the AIs."""
        self.succeeds(list(self.steps.values())[nth % len(self.steps)])

    @precondition(lambda self: any(one.step is not Step.ADD for one in self.steps.values()))
    @rule(nth=st.integers(0, 2), done_all_the_same=st.booleans())
    def a_step_fails(self, nth: int, done_all_the_same: bool) -> None:
        """By its answer; it may have been done all the same."""
        orders = [one for one in self.steps.values() if one.step is not Step.ADD]
        order = orders[nth % len(orders)]
        if done_all_the_same:
            self.performed(order)
        ai = order.assistant
        self.heard(StepFailed(order.step, "no answer", False, NIGHT, ai.generation, ai.bridge))

    @rule(post=st.sampled_from(Post), queue=st.sampled_from(["bridge-1", "bridge-2"]))
    def a_bridge_attaches(self, post: Post, queue: str) -> None:
        """A fresh process says nothing before it is told its role."""
        ai = self.call.aide(post).leg
        leg = self.ais.get(ai.sid) if ai.sid else None
        if ai.present and leg is not None:
            leg.speaking = None
            self.heard(BridgeAttached(ai.generation, queue, NIGHT))

    @rule(post=st.sampled_from(Post))
    def an_ais_leg_drops(self, post: Post) -> None:
        """Its call is over."""
        sid = self.call.aide(post).leg.sid
        if sid is not None and self.ais.pop(sid, None) is not None:
            self.heard(Left(ROOM, sid, NIGHT))

    # Humans

    @precondition(lambda self: bool(self.orders))
    @rule(done=st.booleans(), done_all_the_same=st.booleans())
    def the_network_holds_or_mutes_somebody(self, done: bool, done_all_the_same: bool) -> None:
        """Or says that it did not."""
        order = self.orders.pop(0)
        if (done or done_all_the_same) and order.leg in self.humans:
            self.humans[order.leg] = order.manner
        self.heard(MannerSet(order.leg, order.manner, done, NIGHT))

    @rule(who=people, what=st.sampled_from(["comes", "comes", "menu", "gone"]))
    def a_responder_moves(self, who: Responder, what: str) -> None:
        """Into the room, into the menu, away."""
        leg = LEGS[who.id]
        match what:
            case "comes" if leg not in self.humans and not self.call.ending:
                self.humans[leg] = AT_LARGE
                self.orders = [order for order in self.orders if order.leg != leg]
                self.heard(SeatExpected(who, leg, NIGHT))
                self.heard(Joined(ROOM, leg, responder_label(who.id, leg), NIGHT))
            case "menu" if leg in self.humans:
                del self.humans[leg]
                self.heard(Left(ROOM, leg, NIGHT))
                self.heard(SteppedOut(leg, NIGHT))
            case "gone" if leg in self.humans:
                self._gone(leg)
            case _:
                pass

    @rule(kind=st.sampled_from(RoomActKind), whom=st.sampled_from(ANYBODY))
    def somebody_acts(self, kind: RoomActKind, whom: str) -> None:
        """Whatever comes to their mind."""
        self.acts += 1
        act = RoomAct(id=ActId(f"act-{self.acts}"), kind=kind, whom=Whom(whom), by=PersonId("operator"))
        self.heard(Acted(act, NIGHT))
        outcome = floor.outcome_of(self.call, act)
        assert outcome is not None, "every act is answered"
        assert outcome.sentence

    @rule()
    def the_network_does_as_it_is_told(self) -> None:
        """For a while."""
        for _ in range(15):
            if self.steps:
                self.succeeds(next(iter(self.steps.values())))
            elif self.orders:
                self.the_network_holds_or_mutes_somebody(True, True)
            else:
                for post in Post:
                    if self.call.aide(post).leg.bridge is None:
                        self.a_bridge_attaches(post, "bridge-1")

    # What is true at all times

    def audible(self, ear: CallSid) -> set[CallSid]:
        """Which AIs a human hears, if those of them that may say something do."""
        if ear not in self.humans or self.humans[ear].hold is not None:
            return set()
        return {
            sid
            for sid, leg in self.ais.items()
            if leg.speaking is not None and not leg.muted and not leg.held and leg.coaching in {None, ear}
        }

    @invariant()
    def nobody_but_the_coached_hears_a_whisper(self) -> None:
        """Whoever is in the room."""
        for ear in self.humans:
            for sid in self.audible(ear):
                said = self.ais[sid].speaking
                assert said is not None
                assert said.coached in {None, ear}, f"{ear} hears {sid} whisper to {said.coached}"

    @invariant()
    def a_coach_is_never_unmuted_towards_nobody_in_particular(self) -> None:
        """A leg that speaks as a coach coaches the one it was told to, or is not heard."""
        for sid, leg in self.ais.items():
            if leg.speaking is not None and leg.speaking.role is Role.COACH and not leg.muted:
                assert leg.coaching == leg.speaking.coached is not None, sid

    @invariant()
    def at_most_one_leg_of_each_post_speaks(self) -> None:
        """A leg that was replaced was muted before its successor came."""
        for post in Post:
            loud = [leg for leg in self.ais.values() if leg.post is post and leg.speaking and not leg.muted]
            assert len(loud) <= 1

    @invariant()
    def who_takes_notes_is_never_heard(self) -> None:
        """Not for a frame."""
        assert all(leg.muted for leg in self.ais.values() if leg.post is Post.NOTES)

    @invariant()
    def the_last_human_on_hold_leaves_the_caller_an_ai(self) -> None:
        """What was asked of the AI is void as soon as nobody is in charge."""
        wish = self.call.aide(Post.ASSISTANT).wish
        if not self.call.in_charge:
            assert (wish.held, wish.muted, wish.removed) == (False, False, False)
            assert not self.call.held(CALLER.call)

    @invariant()
    def a_caller_in_the_room_has_somebody(self) -> None:
        """A human who hears the room or has just stepped out of it, or an AI that is to answer."""
        call = self.call
        if call.caller is CallerAt.ROOM and not call.ending and not call.in_charge:
            out = {LegAt.LEFT, LegAt.MENU}
            stepped_out = any(leg.at in out for leg in call.legs) and not call.here
            assert call.wanted.role is Role.ANSWERING or stepped_out

    @invariant()
    def when_everything_succeeds_everybody_is_where_they_should_be(self) -> None:
        """From here, with a network that does what it is told."""
        call, humans = self.call, dict(self.humans)
        for turn in range(120):
            step = next((aide for aide in call.aides if aide.step is not None), None)
            order = next((one for one in call.floors if one.ordered is not None), None)
            if step is not None and step.step is not None:
                ai = step.leg
                sid = CallSid(f"CAfine{turn}") if step.step is Step.ADD else None
                call, _ = decide(call, StepDone(step.step, NIGHT, sid, None, ai.generation, ai.bridge))
                if sid is not None:
                    label = assistant_label(CALLER.call, ai.generation, step.post)
                    call, _ = decide(call, Joined(ROOM, sid, label, NIGHT))
            elif order is not None and order.ordered is not None:
                humans[order.leg] = order.ordered
                call, _ = decide(call, MannerSet(order.leg, order.ordered, done=True, at=NIGHT))
            else:
                break
        for aide in call.aides:
            wanted, ai = call.wanted_as(aide.post), aide.leg
            assert aide.step is None
            if wanted.role is Role.GONE:
                assert ai.sid is None
                continue
            assert ai.present or wanted.held, "who is to hear nothing need not be there"
            assert ai.held is wanted.held or not ai.present
            assert ai.muted is (wanted.role in UNHEARD) or not ai.present
            assert wanted.role in UNHEARD or ai.coaching == wanted.coached
            assert ai.bridge is None or wanted.role is Role.SILENT or ai.told == wanted
        for one in call.floors:
            assert one.is_ == one.wanted or one.leg not in humans


TestAnyRoom = AnyRoom.TestCase
TestAnyRoom.settings = settings(CI, max_examples=120, stateful_step_count=40)
