"""What people may do to a room, what is refused and why, and where each of its AIs is by then."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.workflows.night import CALLER, Room, a_call_in_the_room, ana, at, ben
from workflows import aides, call_news, floor
from workflows.agents import Agent, AgentId, Speech
from workflows.assistant import Post, Role, Step, Wanted
from workflows.call import BRIEF_S
from workflows.call_state import AT_LARGE, LegAt, Manner
from workflows.labels import assistant_label, is_assistant_label
from workflows.room_acts import RoomAct, RoomActKind, RoomOutcome, Whom
from workflows.values import ActId, CallSid, PersonId, Responder, Severity
from workflows.voice import Speaker, Turn

SPEECH = Speech((Agent(AgentId("desk"), "the desk"),), (), "Hello.")


class House(Room):
    """A call with an AI on its line, whose network does as it is told."""

    def __init__(self, speech: Speech = SPEECH, languages: tuple[str, ...] = ("en",)) -> None:
        """The caller waits in the room, and has reported an emergency."""
        super().__init__()
        self.call = replace(self.call, speech=speech, line=replace(self.call.line, languages=languages))
        self.taken: list[tuple[Post, Step]] = []
        self.acts = 0
        self.reports(0, Severity.URGENT)
        self.caller_waits()
        self.settles()

    def settles(self) -> list[tuple[Post, Step]]:
        """Every step and every order is done, every leg comes in and gets a bridge; the steps that took."""
        before = len(self.taken)
        while self.goes_on():
            assert len(self.taken) - before < 60, "never there"
        return self.taken[before:]

    def goes_on(self) -> bool:
        """The next thing that is under way is done; False: nothing is."""
        for aide in self.call.aides:
            leg = aide.leg
            if aide.step is not None:
                self.taken.append((aide.post, aide.step))
                sid = CallSid(f"CAai{leg.generation}") if aide.step is Step.ADD else None
                room = self.conference if sid else None
                self.hears(
                    call_news.StepDone(aide.step, self._at(None), sid, room, leg.generation, leg.bridge)
                )
                return True
            if leg.sid is not None and not leg.present:
                self.enters(leg.sid, assistant_label(self.call.sid, leg.generation, aide.post))
                return True
            if leg.present and leg.bridge is None:
                self.hears(call_news.BridgeAttached(leg.generation, "bridge-1", self._at(None)))
                return True
        for one in self.call.floors:
            if one.ordered is not None:
                self.hears(call_news.MannerSet(one.leg, one.ordered, done=True, at=self._at(None)))
                return True
        return False

    def coach_whispers(self, text: str) -> None:
        """Whoever is coached has heard this."""
        generation = self.call.assistant.generation
        turn = Turn(Speaker.ASSISTANT, text, self._at(None), whispered=True)
        self.hears(call_news.Said(generation, 0, (turn,), self._at(None)))
        self.settles()

    def act(
        self, kind: RoomActKind, whom: str, *, language: str = "", act_id: str | None = None
    ) -> RoomOutcome:
        """Somebody at the console does this."""
        self.acts += 1
        act = RoomAct(
            id=ActId(act_id or f"act-{self.acts}"),
            kind=kind,
            whom=Whom(whom),
            by=PersonId("operator"),
            language=language,
        )
        self.hears(call_news.Acted(act, self._at(None)))
        outcome = floor.outcome_of(self.call, act)
        assert outcome is not None
        return outcome

    def does(self, kind: RoomActKind, whom: str, *, language: str = "") -> str:
        """It is done, to its end; what is told."""
        outcome = self.act(kind, whom, language=language)
        assert outcome.done, outcome.sentence
        self.settles()
        return outcome.sentence

    def is_refused(self, kind: RoomActKind, whom: str) -> str:
        """It is not done, and changes nothing; why."""
        before = self.call
        outcome = self.act(kind, whom)
        assert not outcome.done, outcome.sentence
        assert replace(self.call, acted=before.acted) == before
        return outcome.sentence

    def seats(self, who: Responder) -> None:
        """They come in, and everything follows."""
        self.comes(who)
        self.settles()

    def manner(self, leg: CallSid) -> Manner:
        """How a human's leg is, as far as was confirmed."""
        known = next((one for one in self.call.floors if one.leg == leg), None)
        return AT_LARGE if known is None or known.is_ is None else known.is_


def with_ana(speech: Speech = SPEECH, languages: tuple[str, ...] = ("en",)) -> House:
    """The caller, the AI, and ana, whom it coaches."""
    house = House(speech, languages)
    house.seats(replace(ana, speaks=("en",)))
    return house


HOLD, UNHOLD, MUTE, UNMUTE = RoomActKind.HOLD, RoomActKind.UNHOLD, RoomActKind.MUTE, RoomActKind.UNMUTE
REMOVE, BRING, COACH = RoomActKind.REMOVE, RoomActKind.BRING, RoomActKind.COACH
BACK = [Step.UNHOLD, Step.UNMUTE, Step.TELL_ROLE]


# Private talk


def test_in_private_talk_the_ai_is_quiet_and_muted_before_it_is_held_and_hears_nothing() -> None:
    house = with_ana()
    house.does(HOLD, "ai")
    assert [step for _, step in house.taken[-3:]] == [Step.QUIET, Step.MUTE, Step.HOLD]
    assert house.ai.held is True
    house.does(UNHOLD, "ai")
    assert [step for _, step in house.taken[-3:]] == BACK
    assert house.ai.told == Wanted(Role.COACH, house.leg(ana), "Ana")


def test_private_talk_is_private_from_every_ai() -> None:
    house = with_ana(replace(SPEECH, notes=True))
    assert "the note-taker still listens" in house.does(HOLD, "ai")
    house.does(HOLD, "ais")
    assert all(aide.leg.held is True for aide in house.call.aides if aide.leg.sid is not None)


def test_an_ai_whose_leg_is_lost_in_private_talk_is_not_seated_again_before_its_end() -> None:
    house = with_ana()
    house.does(HOLD, "ai")
    house.leaves(CallSid("CAai1"))
    assert house.settles() == []
    house.does(UNHOLD, "ai")
    assert house.ai.told == Wanted(Role.COACH, house.leg(ana), "Ana")
    assert house.ai.generation == 2


def test_private_talk_ends_with_the_last_human_for_the_caller_would_be_alone() -> None:
    house = with_ana()
    house.does(HOLD, "ai")
    house.hangs_up(ana)
    house.settles()
    assert (house.ai.held, house.call.attended) == (False, True)


def test_private_talk_goes_on_while_the_human_is_in_the_menu() -> None:
    house = with_ana()
    house.does(HOLD, "ai")
    house.steps_out(ana)
    assert house.settles() == []
    house.joins(ana)
    house.settles()
    assert house.ai.held is True


def test_a_hold_that_failed_and_may_be_so_all_the_same_is_undone_when_it_is_not_wanted_any_more() -> None:
    house = with_ana()
    house.act(HOLD, "ai")
    while house.call.step is not Step.HOLD:
        house.goes_on()
    house.act(UNHOLD, "ai")
    house.step_fails()
    house.settles()
    assert (Post.ASSISTANT, Step.UNHOLD) in house.taken
    assert house.ai.told == Wanted(Role.COACH, house.leg(ana), "Ana")


# The AI's leg


def test_a_muted_ai_is_quiet_and_stays_so_when_its_leg_is_seated_again() -> None:
    house = with_ana()
    house.does(MUTE, "ai")
    assert (house.ai.muted, house.ai.quiet) == (True, True)
    house.leaves(CallSid("CAai1"))
    house.settles()
    assert (house.ai.generation, house.ai.muted) == (2, True)
    house.does(UNMUTE, "ai")
    assert house.ai.told == Wanted(Role.COACH, house.leg(ana), "Ana")


def test_the_ai_is_moved_to_coach_another_human_and_back_when_that_one_leaves() -> None:
    house = with_ana()
    house.seats(ben)
    house.does(COACH, "ben")
    assert house.ai.coaching == house.leg(ben)
    assert [step for _, step in house.taken[-6:]] == [
        Step.QUIET,
        Step.MUTE,
        Step.COACH,
        Step.CONFIRM,
        Step.UNMUTE,
        Step.TELL_ROLE,
    ]
    house.hangs_up(ben)
    house.settles()
    assert house.ai.coaching == house.leg(ana)


def test_a_removed_ai_comes_back_when_asked_to_and_when_the_caller_would_be_alone() -> None:
    house = with_ana()
    house.does(REMOVE, "ai")
    assert house.call.assistant.sid is None
    house.does(BRING, "ai")
    assert house.ai.coaching == house.leg(ana)
    house.does(REMOVE, "ai")
    house.hangs_up(ana)
    house.settles()
    assert house.call.attended


# Two AIs


def test_a_note_taker_sits_beside_the_coach_and_is_never_heard() -> None:
    house = with_ana()
    house.does(BRING, "notes")
    notes = house.call.aide(Post.NOTES).leg
    assert (notes.muted, notes.coaching, notes.told) == (True, None, Wanted(Role.NOTES))
    assert (Post.NOTES, Step.UNMUTE) not in house.taken
    assert house.ai.coaching == house.leg(ana)
    assert house.is_refused(UNMUTE, "notes") == "the note-taker is never heard"


def test_a_line_may_have_a_note_taker_come_with_the_first_human_and_go_with_the_last() -> None:
    house = House(replace(SPEECH, notes=True))
    assert house.call.aide(Post.NOTES).leg.sid is None
    house.seats(ana)
    assert house.call.aide(Post.NOTES).leg.told == Wanted(Role.NOTES)
    house.hangs_up(ana)
    house.time_passes(30)
    house.settles()
    assert house.call.aide(Post.NOTES).leg.sid is None


def test_generations_count_all_ai_legs_so_that_a_number_names_one() -> None:
    house = with_ana()
    house.does(BRING, "notes")
    house.leaves(CallSid("CAai1"))
    house.settles()
    assert [house.call.aide(post).leg.generation for post in (Post.ASSISTANT, Post.NOTES)] == [3, 2]
    assert aides.post_of(house.call, 1) is Post.ASSISTANT, "what a replaced leg still tells is its post's"
    assert aides.may_attach(house.call, 1, "n") is not None
    assert aides.may_attach(house.call, 2, "n") is None


def test_labels_say_which_ai_a_leg_is() -> None:
    label = assistant_label(CALLER.call, 2, Post.NOTES)
    assert label == f"notes-x{CALLER.call}-2"
    assert is_assistant_label(CALLER.call, label)
    assert not is_assistant_label(CallSid("CAother"), label)


def test_an_ai_leg_that_is_lost_is_replaced_without_touching_the_other() -> None:
    house = with_ana(replace(SPEECH, notes=True))
    before = house.call.assistant
    house.leaves(CallSid("CAai2"))
    assert {post for post, _ in house.settles()} == {Post.NOTES}
    assert house.call.assistant == before


# The interpreter


def test_an_interpreter_is_heard_by_all_and_knows_who_speaks_what() -> None:
    house = with_ana(languages=("es", "en"))
    house.does(BRING, "interpreter")
    leg = house.call.aide(Post.INTERPRETER).leg
    assert (leg.muted, leg.coaching) == (False, None)
    assert leg.told == Wanted(Role.INTERPRETER, person="Ana", languages=("es", "en"))


@pytest.mark.parametrize(
    ("languages", "speaks", "comes"),
    [
        pytest.param(("es",), ("en",), True, id="they speak another language"),
        pytest.param(("es",), ("en", "es"), False, id="they speak it too"),
        pytest.param(("es",), (), False, id="it is not known what they speak: the line's"),
        pytest.param(("en", "es"), ("en",), False, id="they speak the line's first"),
    ],
)
def test_a_line_may_have_one_come_where_a_responder_does_not_speak_its_language(
    languages: tuple[str, ...], speaks: tuple[str, ...], comes: bool
) -> None:
    house = House(replace(SPEECH, interpreter=True), languages)
    house.seats(replace(ana, speaks=speaks))
    assert house.call.aide(Post.INTERPRETER).leg.present is comes


def test_an_interpreter_whom_nobody_called_lets_the_coach_whisper_first() -> None:
    house = House(replace(SPEECH, interpreter=True), ("es",))
    house.seats(replace(ana, speaks=("en",)))
    assert house.call.wanted_as(Post.INTERPRETER).role is Role.SILENT
    house.coach_whispers("Ana: there is water.")
    assert house.call.wanted_as(Post.INTERPRETER).role is Role.INTERPRETER


def test_an_interpreter_does_not_wait_for_a_brief_that_does_not_come() -> None:
    house = House(replace(SPEECH, interpreter=True), ("es",))
    house.seats(replace(ana, speaks=("en",)))
    (leg,) = house.call.here
    house.hears(call_news.Due(leg.since + timedelta(seconds=BRIEF_S)))
    assert house.call.wanted_as(Post.INTERPRETER).role is Role.INTERPRETER


def test_the_callers_language_is_the_lines_other_one_or_the_one_that_was_said() -> None:
    house = with_ana(languages=("en", "es"))
    house.does(BRING, "interpreter")
    assert house.call.wanted_as(Post.INTERPRETER).languages == ("es", "en")
    house.does(BRING, "interpreter", language="pl")
    assert house.call.wanted_as(Post.INTERPRETER).languages == ("pl", "en")
    alone = with_ana()
    assert alone.is_refused(BRING, "interpreter") == "both speak en: say which language the caller speaks"


@pytest.mark.parametrize("whom", ["caller", "ana"])
def test_an_interpreter_is_silent_while_either_cannot_hear(whom: str) -> None:
    house = with_ana(languages=("es", "en"))
    house.does(BRING, "interpreter")
    house.does(HOLD, whom)
    assert house.call.aide(Post.INTERPRETER).leg.muted is True
    house.does(UNHOLD, whom)
    assert house.call.aide(Post.INTERPRETER).leg.muted is False


# Humans


def test_a_human_is_held_and_let_back() -> None:
    house = with_ana()
    house.does(HOLD, "caller")
    assert house.manner(CALLER.call).hold == "words"
    house.does(UNHOLD, "caller")
    assert house.manner(CALLER.call) == AT_LARGE


def test_while_the_only_human_is_on_hold_the_ai_answers_the_caller() -> None:
    house = with_ana()
    house.does(HOLD, "ana")
    assert house.call.attended
    house.does(UNHOLD, "ana")
    assert house.ai.coaching == house.leg(ana)


def test_somebody_on_hold_is_not_coached() -> None:
    house = with_ana()
    house.seats(ben)
    house.does(HOLD, "ana")
    assert house.ai.coaching == house.leg(ben)
    assert house.is_refused(COACH, "ana") == "ana is on hold and hears nobody"


def test_who_comes_back_is_held_or_muted_again() -> None:
    house = with_ana()
    house.seats(ben)
    house.does(MUTE, "ana")
    house.steps_out(ana)
    house.joins(ana)
    assert house.last[-1] == call_news.SetManner(house.leg(ana), Manner(muted=True))
    house.settles()
    assert house.manner(house.leg(ana)).muted


def test_a_caller_on_hold_is_taken_back_when_the_last_human_who_hears_is_gone() -> None:
    house = with_ana()
    house.does(HOLD, "caller")
    house.hangs_up(ana)
    house.settles()
    assert house.manner(CALLER.call) == AT_LARGE
    assert house.call.attended


def test_a_hold_that_failed_is_looked_at_and_ordered_again() -> None:
    house = with_ana()
    house.act(HOLD, "caller")
    house.hears(call_news.MannerSet(CALLER.call, Manner("words"), done=False, at=at(9)))
    assert house.orders(call_news.Look)
    assert house.orders(call_news.SetManner) == [call_news.SetManner(CALLER.call, Manner("words"))]


def test_news_waits_for_a_caller_on_hold_but_danger_does_not() -> None:
    house = with_ana()
    house.does(HOLD, "caller")
    house.is_told("joining")
    assert house.call.telling is None
    house.does(UNHOLD, "caller")
    assert house.call.telling is not None


def test_a_removed_human_hangs_up_and_a_removed_caller_is_let_go() -> None:
    house = with_ana()
    house.seats(ben)
    house.act(REMOVE, "ben")
    assert house.orders(call_news.RemoveLeg) == [call_news.RemoveLeg(house.leg(ben))]
    house.hears(call_news.Dismissed(at(60)))
    house.act(REMOVE, "caller")
    assert house.orders(call_news.LetGo)


# What is refused


@pytest.mark.parametrize(
    ("kind", "whom", "why"),
    [
        (REMOVE, "ana", "ana is the last human with an open case: hand it over or resolve it first"),
        (REMOVE, "caller", "the case is open: resolve or cancel it first"),
        (HOLD, "ben", "ben is not in this room"),
        (COACH, "ben", "ben is no responder in this room"),
        (COACH, "caller", "caller is no responder in this room"),
        (HOLD, "notes", "the note-taker is not in this room"),
        (BRING, "ana", "ana is no AI: people are woken by the ladder"),
    ],
)
def test_what_cannot_be_done_is_refused_with_a_reason(kind: RoomActKind, whom: str, why: str) -> None:
    assert with_ana().is_refused(kind, whom) == why


@pytest.mark.parametrize("kind", [HOLD, MUTE, REMOVE])
def test_the_ai_is_not_taken_from_a_caller_who_has_nobody_else(kind: RoomActKind) -> None:
    assert House().is_refused(kind, "ai") == "nobody else is with the caller: the AI stays"


@pytest.mark.parametrize("kind", [HOLD, MUTE])
def test_a_caller_is_not_cut_off_when_nobody_could_take_them_back(kind: RoomActKind) -> None:
    assert House().is_refused(kind, "caller") == "nobody would be left to take the caller back"


@pytest.mark.parametrize("kind", [HOLD, MUTE, REMOVE])
def test_the_last_human_is_not_held_while_the_ai_cannot_take_over(kind: RoomActKind) -> None:
    house = with_ana()
    house.does(kind, "ai")
    assert house.is_refused(HOLD, "ana") == "the caller would be alone: bring the AI back first"


def test_not_everybody_is_held() -> None:
    house = with_ana()
    house.does(HOLD, "caller")
    assert house.is_refused(HOLD, "ana") == "ana is the last who hears the room"


def test_once_the_case_is_closed_no_ai_is_brought_back() -> None:
    house = with_ana()
    house.hears(call_news.Dismissed(at(60)))
    house.settles()
    assert house.is_refused(BRING, "ai") == "the case is closed: the AI has left"


def test_a_line_without_a_speech_model_has_no_second_ai() -> None:
    room = a_call_in_the_room()
    act = RoomAct(id=ActId("a"), kind=BRING, whom=Whom("notes"), by=PersonId("operator"))
    room.hears(call_news.Acted(act, at(9)))
    assert floor.outcome_of(room.call, act) == RoomOutcome(False, "no AI answers this line")


def test_an_act_counts_once() -> None:
    house = with_ana()
    house.act(HOLD, "caller", act_id="one")
    house.does(UNHOLD, "caller")
    house.act(HOLD, "caller", act_id="one")
    assert house.manner(CALLER.call) == AT_LARGE
    assert house.call.legs[0].at is LegAt.ROOM
