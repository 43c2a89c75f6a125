"""A caller who talks with the AI: danger, untruths, silence, a model that fails, and the way to the menu."""

import json
from dataclasses import replace

import pytest

from tests.workflows.night import Room, ana, at
from tests.workflows.test_talk import SPEECH
from workflows.answering import (
    AI_TELLS_S,
    AWAY_S,
    BRIDGE_BACK_S,
    DANGER,
    MOMENT_S,
    MOMENTS_AT_MOST,
    PROMPTS,
    SILENT_S,
    UNATTENDED_S,
    VOICE_BACK_S,
)
from workflows.assistant import Role
from workflows.call import due_at
from workflows.call_news import (
    Announce,
    BridgeAttached,
    BridgeDetached,
    CallerEnded,
    DeliverMessage,
    KeysPressed,
    LetGo,
    NotSent,
    NotTold,
    PassNote,
    Said,
    SayFact,
    SayWords,
    SendCaller,
    StartEscalation,
    StreamEnded,
    Told,
    ToolUsed,
    VoiceSlow,
    VoiceTroubled,
    Worsened,
)
from workflows.call_state import CallerAt, Closing
from workflows.sentences import Words
from workflows.talk import outcome_of
from workflows.tools import ToolRefusedError, understood
from workflows.values import Fact, Severity
from workflows.voice import Speaker, Turn


class Conversation(Room):
    """A caller who came to talk with the AI, told turn by turn."""

    def __init__(self, *, attended: bool = True, waits: bool = True) -> None:
        """attended: the AI has come, and listens. waits: the caller is in the room."""
        super().__init__()
        self.call = replace(self.call, speech=SPEECH)
        self.turns = 0
        self.calls = 0
        if waits:
            self.caller_waits()
        if waits and attended:
            self.ai_is_seated()

    def says(
        self, speaker: Speaker, text: str, when: float | None = None, *, fact: str | None = None
    ) -> None:
        """Somebody has said something."""
        turn = Turn(speaker, text, self._at(when), fact=fact)
        self.hears(Said(self.ai.generation, self.turns, (turn,), self._at(when)))
        self.turns += 1

    def caller_says(self, text: str, when: float | None = None) -> None:
        """The caller has."""
        self.says(Speaker.CALLER, text, when)

    def ai_says(self, text: str, when: float | None = None, *, fact: str | None = None) -> None:
        """The AI has."""
        self.says(Speaker.ASSISTANT, text, when, fact=fact)

    def asks(self, tool: str, /, **arguments: object) -> str:
        """The AI wants something done; what it is told."""
        self.calls += 1
        call_id = f"call_{self.calls}"
        role = Role.COACH if self.call.wanted.role is Role.COACH else Role.ANSWERING
        try:
            use, refusal = understood(tool, json.dumps(arguments), role), ""
        except ToolRefusedError as error:
            use, refusal = None, str(error)
        self.hears(ToolUsed(call_id, use, refusal, self._at(None)))
        outcome = outcome_of(self.call.talk, call_id)
        assert outcome is not None
        return outcome.output

    def troubled(self, *, back: bool = False, when: float | None = None) -> None:
        """The speech model fails, or is back."""
        self.hears(VoiceTroubled(self.ai.generation, back, self._at(when)))


# Emergencies


def test_the_ai_wakes_people_for_an_emergency() -> None:
    talk = Conversation()
    talk.caller_says("water everywhere")
    told = talk.asks("escalate", category="water", severity="urgent", reason="pipe", place="412 Oak Street")
    (started,) = talk.orders(StartEscalation)
    assert (started.case.category, started.case.spoken) == ("water", "a burst pipe")
    assert "being woken" in told
    assert talk.call.closing is Closing.ESCALATED


def test_nothing_the_caller_said_gets_into_the_page() -> None:
    talk = Conversation()
    talk.asks(
        "escalate",
        category="water",
        severity="urgent",
        reason="Maria's flat",
        place="412 Oak",
        call_back="555",
    )
    (started,) = talk.orders(StartEscalation)
    assert "Maria" not in str(started.case)
    assert "Oak" not in str(started.case)


def test_the_number_the_caller_gave_is_the_one_to_ring_back() -> None:
    talk = Conversation()
    talk.asks("set_contact", call_back="+1 202 555 0142")
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    (started,) = talk.orders(StartEscalation)
    assert started.case.contact == "+12025550142"


def test_danger_that_the_model_does_not_escalate_the_workflow_does() -> None:
    talk = Conversation()
    talk.caller_says("I smell gas in the kitchen", 10)
    talk.time_passes(10 + SPEECH.danger_s - 1)
    assert talk.ever(StartEscalation) == []
    talk.time_passes(10 + SPEECH.danger_s)
    (started,) = talk.ever(StartEscalation)
    assert started.case.severity is Severity.LIFE


def test_danger_that_the_model_has_escalated_is_not_escalated_twice() -> None:
    talk = Conversation()
    talk.caller_says("he is not breathing", 10)
    talk.asks("escalate", category="medical", severity="life", reason="not breathing")
    talk.time_passes(60)
    assert len(talk.ever(StartEscalation)) == 1


def test_danger_that_comes_late_makes_the_open_case_worse() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.caller_says("now there are sparks", 10)
    talk.asks("escalate", category="medical", severity="life", reason="sparks in the water")
    (worsened,) = talk.orders(Worsened)
    assert worsened.case.severity is Severity.LIFE


def test_danger_on_an_open_case_that_the_model_ignores_makes_it_worse_too() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.caller_says("now there are sparks", 10)
    talk.time_passes(10 + SPEECH.danger_s)
    assert [order.case.severity for order in talk.ever(Worsened)] == [Severity.LIFE]


def test_a_line_without_a_kind_for_danger_has_one_all_the_same() -> None:
    talk = Conversation()
    talk.call = replace(talk.call, speech=replace(SPEECH, kinds=()))
    talk.caller_says("fire! there is a fire", 10)
    talk.time_passes(20)
    (started,) = talk.ever(StartEscalation)
    assert started.case.category == DANGER


# Truth


def test_the_ai_tells_the_news_itself_while_it_listens() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.is_told("ringing", "f1")
    (said,) = talk.orders(SayFact)
    assert said.fact.id == "f1"
    talk.ai_says("I am ringing the first person on the list now.", fact="f1")
    assert talk.call.telling is None


def test_news_that_the_ai_does_not_come_to_say_is_announced() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.is_told("ringing", "f1", 10)
    talk.time_passes(10 + AI_TELLS_S)
    assert [order.fact.id for order in talk.ever(Announce)] == ["f1"]


def test_news_that_the_ai_cannot_be_given_is_announced_at_once() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.is_told("ringing", "f1", 10)
    talk.hears(NotTold("f1", at(11)))
    talk.time_passes(11)
    assert [order.fact.id for order in talk.ever(Announce)] == ["f1"]


def test_the_danger_sentence_is_announced_whatever_the_ai_says() -> None:
    talk = Conversation()
    talk.asks("escalate", category="medical", severity="life", reason="fell")
    talk.is_told("danger", "d1")
    assert len(talk.orders(Announce)) == 1


def test_a_false_claim_is_corrected_aloud_at_once() -> None:
    talk = Conversation()
    talk.ai_says("Don't worry, somebody is on the way.")
    assert talk.orders(SayWords) == [SayWords(Words("correction"))]


def test_what_was_true_of_a_person_is_false_when_they_could_not_come() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.hears(Told(Fact("f1", "taken", name="Ana"), at(5)))
    talk.ai_says("Ana has taken your call.", fact="f1")
    talk.ai_says("Yes, Ana has taken your call.")
    assert talk.ever(SayWords) == []
    talk.is_told("reopened", "f2")
    talk.ai_says("", fact="f2")
    talk.ai_says("Ana has taken your call.")
    assert talk.orders(SayWords) == [SayWords(Words("correction"))]


# The end of the conversation


def test_after_its_farewell_the_ai_lets_the_caller_go() -> None:
    talk = Conversation()
    talk.caller_says("no, that was all, goodbye")
    talk.asks("end_call")
    assert talk.ever(LetGo) == []
    talk.ai_says("Goodbye.")
    assert talk.orders(LetGo) == [LetGo()]
    talk.hears(CallerEnded(at(20)))
    assert talk.call.closing is Closing.HANDLED


def test_a_farewell_that_nobody_reports_does_not_keep_the_caller() -> None:
    talk = Conversation()
    talk.caller_says("goodbye", 5)
    talk.asks("end_call")
    talk.time_passes(20)
    assert len(talk.ever(LetGo)) == 1


def test_who_says_more_than_goodbye_is_not_let_go() -> None:
    talk = Conversation()
    talk.caller_says("goodbye", 5)
    talk.asks("end_call")
    talk.caller_says("wait, I smell gas", 6)
    talk.time_passes(60)
    assert talk.ever(LetGo) == []
    assert len(talk.ever(StartEscalation)) == 1


def test_a_message_is_delivered_and_closes_the_call_as_such() -> None:
    talk = Conversation()
    talk.asks("take_message", text="the bin lid is broken", name="Maria", call_back="555 0142")
    assert talk.orders(DeliverMessage) == [DeliverMessage("", 0, "the bin lid is broken (Maria, 5550142)")]
    assert talk.call.closing is Closing.MESSAGE_TAKEN


def test_a_tool_call_that_is_sent_again_is_done_once() -> None:
    talk = Conversation()
    use = understood("take_message", '{"text": "bins"}', Role.ANSWERING)
    for _ in range(2):
        talk.hears(ToolUsed("same", use, "", at(5)))
    assert len(talk.ever(DeliverMessage)) == 1


def test_a_tool_that_is_not_there_is_refused_in_words_for_the_model() -> None:
    talk = Conversation()
    assert "There is no tool" in talk.asks("launch_rockets")


# Silence


def test_a_silent_caller_is_asked_twice_and_then_for_a_key() -> None:
    talk = Conversation()
    talk.ai_says(SPEECH.greeting, 5)
    talk.time_passes(5 + SILENT_S)
    assert talk.orders(SayWords) == [SayWords(Words(PROMPTS[0]))]
    talk.time_passes(5 + 2 * SILENT_S)
    assert talk.orders(SayWords) == [SayWords(Words(PROMPTS[1]))]
    talk.time_passes(5 + 3 * SILENT_S)
    assert talk.orders(SendCaller) == [SendCaller("menu")]
    assert talk.call.caller is CallerAt.MENU


def test_a_caller_who_answers_is_not_silent() -> None:
    talk = Conversation()
    talk.ai_says(SPEECH.greeting, 5)
    talk.time_passes(5 + SILENT_S)
    talk.caller_says("yes, sorry", 20)
    talk.time_passes(20 + SILENT_S)
    assert talk.orders(SayWords) == [SayWords(Words(PROMPTS[0]))]


def test_a_caller_who_waits_for_people_may_be_silent() -> None:
    talk = Conversation()
    talk.ai_says(SPEECH.greeting, 5)
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.time_passes(100)
    assert talk.ever(SayWords) == []
    assert talk.ever(SendCaller) == []


# When the voice fails


def test_a_caller_whom_no_ai_answers_gets_the_menu() -> None:
    talk = Conversation(attended=False)
    talk.time_passes(UNATTENDED_S)
    assert talk.orders(SendCaller) == [SendCaller("menu")]
    assert talk.call.wanted.role is Role.GONE


def test_a_model_that_stays_away_leads_to_the_menu() -> None:
    talk = Conversation()
    talk.caller_says("hello", 5)
    talk.troubled(when=6)
    talk.time_passes(6 + VOICE_BACK_S / 2)
    assert talk.ever(SendCaller) == []
    talk.time_passes(6 + VOICE_BACK_S)
    assert talk.orders(SendCaller) == [SendCaller("menu")]


def test_a_model_that_comes_back_in_time_goes_on() -> None:
    talk = Conversation()
    talk.caller_says("hello", 5)
    talk.troubled(when=6)
    talk.troubled(back=True, when=7)
    talk.caller_says("are you there", 9)
    talk.time_passes(6 + VOICE_BACK_S)
    assert talk.ever(SendCaller) == []


def moments(talk: Conversation) -> int:
    """How often the caller was told to wait."""
    return len([order for order in talk.ever(Announce) if order.fact.kind == "one_moment"])


def test_a_caller_who_hears_nothing_of_a_lost_ai_is_told_to_wait() -> None:
    talk = Conversation()
    talk.caller_says("hello", 5)
    talk.troubled(when=6)
    talk.time_passes(6 + MOMENT_S / 2)
    assert moments(talk) == 0
    talk.time_passes(6 + MOMENT_S)
    assert moments(talk) == 1


def test_what_the_lost_ai_has_said_is_first_heard_to_its_end() -> None:
    talk = Conversation()
    talk.hears(VoiceTroubled(talk.ai.generation, back=False, at=at(6), silent_at=at(9)))
    talk.time_passes(9 + MOMENT_S / 2)
    assert (moments(talk), talk.ever(SendCaller)) == (0, [])
    talk.time_passes(9 + VOICE_BACK_S)
    assert (moments(talk), talk.ever(SendCaller)) == (1, [SendCaller("menu")])


def test_a_caller_is_told_to_wait_some_times_and_not_for_ever() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.troubled(when=6)
    for second in range(7, 100):
        talk.time_passes(second)
        if talk.call.telling is not None:
            talk.has_heard_it(second)
    assert moments(talk) == MOMENTS_AT_MOST


def test_an_ai_that_is_back_in_time_needs_no_excuse() -> None:
    talk = Conversation()
    talk.troubled(when=6)
    talk.troubled(back=True, when=6.5)
    talk.time_passes(10)
    assert moments(talk) == 0


def test_a_caller_whose_answer_is_late_is_told_to_wait_at_once_and_stays_with_the_ai() -> None:
    talk = Conversation()
    talk.hears(VoiceSlow(talk.ai.generation, at(6)))
    talk.time_passes(6)
    assert moments(talk) == 1
    talk.troubled(back=True, when=7)
    assert talk.call.attended
    talk.time_passes(7 + VOICE_BACK_S)
    assert (moments(talk), talk.ever(SendCaller)) == (1, [])


def test_the_lateness_of_an_older_leg_changes_nothing() -> None:
    talk = Conversation()
    talk.hears(VoiceSlow(talk.ai.generation - 1, at(6)))
    talk.time_passes(7)
    assert moments(talk) == 0


def test_nobody_excuses_a_coach_who_is_late() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.comes(ana)
    talk.hears(VoiceSlow(talk.ai.generation, at(20)))
    talk.time_passes(25)
    assert moments(talk) == 0


def test_news_that_the_lost_ai_did_not_come_to_say_is_announced_in_its_place() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.is_told("ringing", "f1", 6)
    assert talk.orders(SayFact)
    talk.troubled(when=7)
    talk.time_passes(7 + MOMENT_S)
    assert [order.fact.id for order in talk.ever(Announce)] == ["f1"]


def test_a_stream_that_ends_without_a_word_leaves_the_caller_waiting_until_another_bridge_has_it() -> None:
    talk = Conversation()
    generation = talk.ai.generation
    talk.hears(StreamEnded(generation, at(6)))
    assert (talk.call.attended, talk.call.broken_off) == (False, True)
    talk.time_passes(6 + MOMENT_S)
    assert moments(talk) == 1

    talk.hears(BridgeAttached(generation, "bridge-2", at(8), "n2"))
    talk.time_passes(12)
    assert (moments(talk), talk.call.broken_off) == (1, False)


def test_a_bridge_that_stays_away_leads_to_the_menu() -> None:
    talk = Conversation()
    talk.hears(StreamEnded(talk.ai.generation, at(6)))
    talk.time_passes(6 + BRIDGE_BACK_S - 1)
    assert talk.ever(SendCaller) == []
    talk.time_passes(6 + BRIDGE_BACK_S)
    assert talk.orders(SendCaller) == [SendCaller("menu")]


def test_a_stream_that_was_let_go_is_missed_too() -> None:
    talk = Conversation()
    queue = talk.ai.bridge
    assert queue is not None
    talk.hears(BridgeDetached(talk.ai.generation, queue, at(6)))
    assert not talk.call.broken_off
    talk.time_passes(6 + MOMENT_S)
    assert moments(talk) == 1


def test_the_end_of_an_older_legs_stream_changes_nothing() -> None:
    talk = Conversation()
    talk.hears(StreamEnded(talk.ai.generation - 1, at(6)))
    assert talk.call.attended


def test_while_the_model_is_away_the_news_is_announced() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.troubled()
    talk.is_told("ringing", "f1")
    assert [order.fact.id for order in talk.orders(Announce)] == ["f1"]


def test_a_caller_for_whom_people_are_woken_stays_in_the_room_without_a_voice() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.troubled()
    talk.time_passes(100)
    assert talk.ever(SendCaller) == []


def test_a_caller_who_could_not_be_sent_is_still_in_the_room() -> None:
    talk = Conversation(attended=False)
    talk.time_passes(UNATTENDED_S)
    talk.hears(NotSent(at(9)))
    assert talk.call.caller is CallerAt.ROOM
    talk.time_passes(9 + UNATTENDED_S)
    assert len(talk.ever(SendCaller)) == 2


# Digits by keys


def test_a_caller_who_pressed_digits_hears_them_read_back() -> None:
    talk = Conversation()
    talk.asks("ask_for_keys", purpose="place")
    assert talk.orders(SendCaller) == [SendCaller("keys", "place")]
    assert talk.call.wanted.role is Role.ANSWERING, "the AI waits in the room"
    talk.hears(KeysPressed("place", "412", at(10)))
    assert talk.orders(SayWords) == [SayWords(Words("keys_heard", "412"))]


def test_a_number_that_the_caller_pressed_is_read_back_without_being_taken_back() -> None:
    talk = Conversation()
    talk.asks("ask_for_keys", purpose="call_back")
    talk.hears(KeysPressed("call_back", "2025550142", at(10)))
    talk.ai_says("Thank you. You pressed 2 0 2 5 5 5 0 1 4 2. Is that right?", 12)
    assert talk.call.talk.corrections == 0


def test_the_danger_sentence_is_silenced_by_the_callers_own_word_only() -> None:
    talk = Conversation()
    assert talk.asks("emergency_called").startswith("Not noted")
    assert not talk.call.emergency_called
    talk.caller_says("My wife has called 911.", 10)
    assert talk.asks("emergency_called").startswith("Noted")
    assert talk.call.emergency_called


def test_news_that_was_spoken_over_is_told_again() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.is_told("ringing", "f1", 10)
    cut = Turn(Speaker.ASSISTANT, "I am", at(11), whole=False, fact="f1")
    talk.hears(Said(talk.ai.generation, talk.turns, (cut,), at(11)))
    talk.turns += 1
    assert [order.fact.id for order in talk.orders(SayFact)] == ["f1"]
    talk.time_passes(10 + AI_TELLS_S)
    assert [order.fact.id for order in talk.ever(Announce)] == ["f1"], "and announced if nobody lets it"


def test_news_that_was_cut_off_as_somebody_joined_is_not_whispered_to_them() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.is_told("taken", "f1", 10)
    talk.comes(ana)
    assert talk.call.wanted.role is Role.COACH
    cut = Turn(Speaker.ASSISTANT, "Ana has", at(11), whole=False, fact="f1")
    talk.hears(Said(talk.ai.generation, talk.turns, (cut,), at(11)))
    talk.turns += 1
    assert talk.orders(SayFact) == []
    talk.time_passes(10 + AI_TELLS_S)
    assert talk.ever(Announce) == [], "nor announced into their first words"


def test_news_that_the_ai_did_not_come_to_tell_before_somebody_joined_is_told_no_more() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.is_told("ringing", "f1", 10)
    talk.is_told("taken", "f2", 12)
    talk.comes(ana)
    talk.is_told("joining", "f3", 13)
    assert [order.fact.id for order in talk.ever(Announce)] == ["f3"]


def test_a_caller_of_whom_nothing_more_is_heard_is_not_away_for_ever() -> None:
    talk = Conversation()
    talk.ai_says(SPEECH.greeting, 1)
    talk.asks("ask_for_keys", purpose="place")
    talk.time_passes(1 + AWAY_S + SILENT_S)
    assert talk.orders(SayWords) == [SayWords(Words(PROMPTS[0]))]


# With a human in the room


def test_notes_of_the_coach_go_to_the_case() -> None:
    talk = Conversation()
    talk.asks("escalate", category="water", severity="urgent", reason="pipe")
    talk.comes(ana)
    talk.steps_succeed()
    assert talk.call.wanted.role is Role.COACH
    talk.asks("note", text="main valve closed")
    assert talk.orders(PassNote) == [PassNote("main valve closed")]


def test_another_agent_has_its_own_orders() -> None:
    talk = Conversation()
    talk.asks("hand_over", agent="plumbing")
    assert talk.ai.told is None, "the bridge is told anew"


@pytest.mark.parametrize("seconds", [0, 1, 7, 8, 20, 60, 3600])
def test_there_is_always_a_next_instant(seconds: int) -> None:
    talk = Conversation()
    talk.caller_says("smoke", 1)
    talk.time_passes(1 + seconds)
    assert due_at(talk.call) > at(1 + seconds)
