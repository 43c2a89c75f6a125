"""Callers who do not fit: silent, not understood, a child, one who rings again and again."""

from dataclasses import replace

import pytest

from tests.workflows.night import CALLER, Night, a_case, ana, at, ben, rung
from tests.workflows.test_answering import Conversation
from tests.workflows.test_talk import SPEECH, asks
from workflows.agents import Speech
from workflows.call import NOBODY_SPOKE
from workflows.call_news import (
    AttachCall,
    CallerEnded,
    CaseOver,
    DeliverMessage,
    Dismissed,
    EndRoom,
    ReportCallerGone,
    Reported,
    Returned,
    StartEscalation,
    StayedSilent,
    Worsened,
)
from workflows.call_state import CallerAt, Closing
from workflows.danger import heard
from workflows.emergency import Caller, TellCaller
from workflows.labels import caller_label
from workflows.languages import name_of, spoken_as
from workflows.talk import DROPPED, NOT_UNDERSTOOD, Report, Standing, Talk
from workflows.values import CallSid, EscalationId, OpenCase, Severity

BILINGUAL = replace(SPEECH, languages=("en", "es"))
BACK = Caller(CallSid("CAback"), "af-CAback")
OPEN = OpenCase(EscalationId("escalation-1"), a_case())


class Unclear(Conversation):
    """A caller whom the AI cannot make out."""

    def __init__(self, speech: Speech = BILINGUAL) -> None:
        """speech: of the line."""
        super().__init__()
        self.call = replace(
            self.call, speech=speech, line=replace(self.call.line, languages=speech.languages)
        )


class Again(Conversation):
    """A caller whose number has a case open."""

    def __init__(self, open_case: OpenCase = OPEN, *, severity: Severity = Severity.URGENT) -> None:
        """The call has just rung in, and nobody has said a word."""
        super().__init__(waits=False)
        self.call = replace(self.call, open_case=replace(open_case, case=a_case(severity)))

    def comes_back(self, room: str = "") -> None:
        """Straight to their case."""
        self.hears(Returned(room or self.call.conference, self._at(None)))


# Silent


def test_a_silent_caller_whom_the_line_lets_go_is_to_be_rung_back_once() -> None:
    talk = Conversation()
    talk.hears(StayedSilent(at(60)))
    talk.hears(CallerEnded(at(61)))
    (message,) = talk.ever(DeliverMessage)
    assert message.text == f"{NOBODY_SPOKE} {talk.call.caller_number}"
    talk.hears(CallerEnded(at(62)))
    assert len(talk.ever(DeliverMessage)) == 1
    assert talk.call.closing is Closing.ABANDONED


def test_a_silent_caller_of_a_withheld_number_cannot_be_rung_back() -> None:
    talk = Conversation()
    talk.call = replace(talk.call, caller_number="anonymous")
    talk.hears(StayedSilent(at(60)))
    talk.hears(CallerEnded(at(61)))
    assert talk.ever(DeliverMessage) == []


def test_a_silent_caller_for_whom_people_were_woken_is_not_abandoned() -> None:
    talk = Conversation()
    talk.hears(Reported(a_case(), at(50)))
    talk.hears(StayedSilent(at(60)))
    talk.hears(CallerEnded(at(61)))
    assert talk.ever(DeliverMessage) == []


# Hangs up


def test_a_caller_whose_call_breaks_off_in_the_middle_of_a_report_is_not_lost() -> None:
    talk = Conversation()
    talk.caller_says("There is water coming through the ceiling.", 10)
    talk.caller_hangs_up(15)
    (started,) = talk.ever(StartEscalation)
    assert (started.case.category, started.case.spoken, started.case.severity) == DROPPED
    assert started.case.contact == talk.call.caller_number
    assert talk.orders(ReportCallerGone), "they are to be called back"


def test_danger_in_the_last_breath_is_danger() -> None:
    talk = Conversation()
    talk.caller_says("I smell gas", 10)
    talk.caller_hangs_up(11)
    (started,) = talk.ever(StartEscalation)
    assert started.case.severity is Severity.LIFE


def test_what_is_told_of_only_after_the_caller_hung_up_counts_as_well() -> None:
    talk = Conversation()
    talk.caller_hangs_up(10)
    talk.caller_says("There is water coming through the ceiling.", 10.5)
    assert len(talk.ever(StartEscalation)) == 1


@pytest.mark.parametrize(
    "words",
    [
        "Hello?",
        "Oh sorry, I have the wrong number.",
        "It is nothing after all, goodbye.",
        "Never mind, it works again.",
    ],
)
def test_who_told_nothing_or_took_leave_wakes_nobody(words: str) -> None:
    talk = Conversation()
    talk.caller_says(words, 10)
    talk.caller_hangs_up(15)
    assert talk.ever(StartEscalation) == []


def test_a_caller_who_left_a_message_and_hangs_up_wakes_nobody() -> None:
    talk = Conversation()
    talk.caller_says("My bin lid is broken, please tell somebody.", 10)
    talk.asks("take_message", text="the bin lid is broken")
    talk.caller_hangs_up(15)
    assert talk.ever(StartEscalation) == []


# Not understood


def test_a_caller_who_is_not_understood_is_asked_once_more() -> None:
    talk = Unclear()
    assert "once more" in talk.asks("not_understood")
    assert talk.call.talk.language == ""
    assert talk.ever(StartEscalation) == []


def test_a_caller_not_understood_twice_is_spoken_to_in_the_next_language_of_the_line() -> None:
    talk = Unclear()
    talk.asks("not_understood")
    assert talk.asks("not_understood").startswith("Go on in Spanish")
    assert talk.call.talk.language == "es"
    assert talk.ai.told is None, "the bridge is told anew"


def test_a_caller_not_understood_in_any_language_of_the_line_is_escalated_as_such() -> None:
    talk = Unclear()
    for _ in range(4):
        talk.asks("not_understood")
    (started,) = talk.ever(StartEscalation)
    assert (started.case.category, started.case.spoken, started.case.severity) == NOT_UNDERSTOOD


def test_on_a_line_of_one_language_the_second_time_escalates() -> None:
    talk = Unclear(SPEECH)
    talk.asks("not_understood")
    talk.asks("not_understood")
    assert len(talk.ever(StartEscalation)) == 1


def test_a_caller_who_was_understood_in_between_starts_anew() -> None:
    talk = Unclear(SPEECH)
    talk.asks("not_understood")
    talk.asks("set_contact", call_back="+12025550142")
    talk.asks("not_understood")
    assert talk.ever(StartEscalation) == []


def test_another_language_of_the_line_is_spoken_at_once() -> None:
    talk, wanted, outcome = asks("not_understood", Talk(), Standing(), language="Spanish")
    assert wanted == (Report(*NOT_UNDERSTOOD),), "a line that speaks English alone"
    unclear = Unclear()
    assert unclear.asks("not_understood", language="Spanish").startswith("Go on in Spanish")
    assert unclear.asks("not_understood", language="English").startswith("Go on in English")
    assert unclear.ever(StartEscalation) == []
    assert "person" in outcome.output
    assert talk.reason == "not understood"


def test_a_language_that_the_line_does_not_speak_tries_its_others_and_then_wakes_a_person() -> None:
    talk = Unclear()
    assert talk.asks("not_understood", language="Polish").startswith("Go on in Spanish")
    talk.asks("not_understood", language="Polish")
    assert len(talk.ever(StartEscalation)) == 1


def test_who_is_not_understood_while_people_are_woken_wakes_nobody_again() -> None:
    talk = Unclear(SPEECH)
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    for _ in range(3):
        talk.asks("not_understood")
    assert len(talk.ever(StartEscalation)) == 1


def test_news_is_told_in_the_language_of_the_conversation() -> None:
    talk = Unclear()
    talk.asks("not_understood", language="es")
    assert talk.call.spoken_line.languages == ("es", "en")


@pytest.mark.parametrize(
    ("said", "meant"), [("Spanish", "es"), ("es-MX", "es"), ("EN", "en"), ("Klingon", None), ("", None)]
)
def test_a_language_is_known_by_its_name_and_by_its_tag(said: str, meant: str | None) -> None:
    assert spoken_as(said, ("en", "es")) == meant


def test_a_language_without_a_name_of_ours_is_called_by_its_tag() -> None:
    assert (name_of("es-MX"), name_of("tlh")) == ("Spanish", "tlh")


# A child


@pytest.mark.parametrize(
    "words", ["My mommy fell down.", "where is my daddy", "Mi mamá... mi mami no despierta"]
)
def test_a_child_that_calls_is_danger_whatever_it_says(words: str) -> None:
    assert heard(words) is not None


def test_a_child_is_escalated_without_more_questions_even_if_the_model_asks_them() -> None:
    talk = Conversation()
    talk.caller_says("My mommy is lying on the floor.", 10)
    talk.ai_says("What is the house number?", 12)
    talk.time_passes(10 + SPEECH.danger_s)
    (started,) = talk.ever(StartEscalation)
    assert started.case.severity is Severity.LIFE


# Rings again


def test_who_rings_again_goes_back_to_their_case_and_wakes_nobody_again() -> None:
    talk = Again()
    talk.comes_back()
    assert talk.ever(AttachCall) == [AttachCall(OPEN.escalation, talk.call.conference)]
    assert talk.ever(StartEscalation) == []
    talk.caller_waits()
    talk.ai_is_seated()
    talk.asks("escalate", category="water", severity="urgent", reason="the same water")
    assert talk.ever(StartEscalation) == []
    assert talk.call.closing is Closing.ESCALATED


def test_who_rings_again_with_worse_news_makes_their_case_worse() -> None:
    talk = Again()
    talk.comes_back()
    talk.caller_waits()
    talk.ai_is_seated()
    talk.caller_says("now there is smoke", 20)
    talk.time_passes(20 + SPEECH.danger_s)
    assert [order.case.severity for order in talk.ever(Worsened)] == [Severity.LIFE]


def test_the_owners_room_stays_the_other_calls_and_gets_no_second_ai() -> None:
    talk = Again(replace(OPEN, room="af-CAfirst"))
    talk.comes_back("af-CAfirst")
    talk.caller_waits()
    assert talk.call.guest
    assert talk.call.step is None, "no AI of its own"
    talk.caller_hangs_up(30)
    assert talk.ever(EndRoom) == []
    assert talk.call.over
    assert talk.call.closing is Closing.ESCALATED


def test_a_room_with_a_guest_in_it_is_not_ended_before_the_case_is() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.comes(ana)
    talk.caller_hangs_up()
    talk.enters(CallSid("CAback"), caller_label(CallSid("CAback")))
    talk.hangs_up(ana)
    assert talk.ever(EndRoom) == []
    talk.leaves(CallSid("CAback"))
    assert len(talk.ever(EndRoom)) == 1


def test_a_guest_stays_no_longer_than_the_case_and_its_people() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.comes(ana)
    talk.caller_hangs_up()
    talk.enters(CallSid("CAback"), caller_label(CallSid("CAback")))
    talk.hears(Dismissed(at(50)))
    assert talk.ever(EndRoom) == []
    talk.hangs_up(ana)
    assert len(talk.ever(EndRoom)) == 1


def test_a_guest_whose_room_is_over_waits_in_one_of_their_own() -> None:
    talk = Again(replace(OPEN, room="af-CAfirst"))
    own = talk.call.conference
    talk.comes_back("af-CAfirst")
    talk.comes_back(own)
    assert not talk.call.guest
    assert talk.ever(AttachCall)[-1] == AttachCall(OPEN.escalation, own)
    talk.caller_waits()
    assert talk.call.caller is CallerAt.ROOM
    assert talk.call.step is not None, "the AI comes"


def test_a_case_that_is_over_by_then_leaves_a_call_like_any_other() -> None:
    talk = Again()
    talk.comes_back()
    talk.caller_waits()
    talk.hears(CaseOver(talk.call.conference, at(5)))
    assert talk.call.conversing
    talk.ai_is_seated()
    talk.asks("escalate", category="water", severity="urgent", reason="a new one")
    assert len(talk.ever(StartEscalation)) == 1


@pytest.mark.parametrize(
    ("reported", "wakes", "worsens"),
    [(Severity.ROUTINE, 0, 0), (Severity.URGENT, 0, 0), (Severity.LIFE, 1, 0)],
    ids=["less: merged", "the same: merged", "life: never attached to another"],
)
def test_what_a_number_reports_again_is_merged_into_its_open_case(
    reported: Severity, wakes: int, worsens: int
) -> None:
    talk = Again()
    talk.hears(Reported(a_case(reported), at(5)))
    assert len(talk.ever(StartEscalation)) == wakes
    assert len(talk.ever(AttachCall)) == 1 - wakes
    assert len(talk.ever(Worsened)) == worsens


def test_what_is_worse_than_the_open_case_makes_it_so() -> None:
    talk = Again(severity=Severity.ROUTINE)
    talk.hears(Reported(a_case(Severity.URGENT), at(5)))
    assert [order.case.severity for order in talk.ever(Worsened)] == [Severity.URGENT]


def test_who_comes_back_hears_how_their_case_stands() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 1)
    night.caller_hangs_up(10)
    night.caller_rings(60, BACK)
    (told,) = night.orders(TellCaller)
    assert (told.call, told.fact.kind, told.fact.rung) == (BACK.call, "ringing", 1)


def test_who_comes_back_hears_who_has_taken_it_and_that_person_is_brought() -> None:
    night = Night(rung(ana), caller=False)
    night.submitted(ana, 1)
    night.texts_mine(ana, 5)
    night.caller_rings(60, BACK)
    assert night.told_now == ["taken"]


def test_others_who_wait_do_not_hear_the_same_again() -> None:
    night = Night(rung(ana))
    night.submitted(ana, 1)
    night.caller_rings(60, BACK)
    assert [told.call for told in night.orders(TellCaller)] == [BACK.call]
    assert CALLER.call in {caller.call for caller in night.state.waiting}


def test_the_owner_left_alone_in_a_room_can_be_found_there() -> None:
    night = Night(rung(ana))
    night.submitted(ana, 1)
    night.presses_mine(ana, 5)
    night.joins(ana, 8, room="af-CAcaller")
    assert night.state.owner_room == "", "a caller is with them"
    night.caller_hangs_up(20)
    assert night.state.owner_room == "af-CAcaller"
    night.caller_rings(60, Caller(BACK.call, "af-CAcaller"))
    assert night.state.owner_room == ""
    assert night.last == (), "whoever is in the room says it"
