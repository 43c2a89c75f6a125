"""The conversation on a stream: what is said when, what stays unsaid, and what the workflow hears of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge.effects import TellTrouble, TellTurns, UseTool
from bridge.errors import LocalProtocolError
from bridge.model import (
    AddContext,
    Answers,
    Configure,
    Ending,
    Remember,
    Respond,
    ResponseOver,
    ResponseStarted,
    SayExactly,
    Stop,
    ToolCalled,
    ToolResult,
    Transcript,
)
from bridge.talk import SAYINGS_AT_MOST
from bridge.twilio_wire import SendClear, SendMedia
from tests.bridge.line import PLAN, Line
from workflows.assistant import Role
from workflows.voice import Speaker, ToolOutcome, Turn

COACH = replace(
    PLAN, instructions="Coach Ana.", role=Role.COACH, person="Ana", opening="Ana, water at Oak Street."
)


def coaching() -> Line:
    """A coach who was told so, and has nothing to say by itself."""
    plan = replace(COACH, opening="")
    line = Line(plan)
    line.order("role", role=Role.COACH, person="Ana", plan=plan)
    return line


def said(line: Line) -> list[str]:
    return [order.text for order in line.of(SayExactly)]


# Opening and sentences of the workflow


def test_the_opening_is_said_first_word_for_word() -> None:
    line = Line(replace(PLAN, opening="Hello, this is the clinic's assistant."))

    assert said(line) == ["Hello, this is the clinic's assistant."]


def test_without_an_opening_the_model_listens() -> None:
    assert said(Line()) == []


def test_a_stream_that_begins_silent_says_nothing_before_it_is_given_a_role() -> None:
    line = Line(replace(PLAN, role=Role.SILENT, opening="Ana: a burst pipe."))
    line.answers("a", 500)
    assert said(line) == []
    assert not line.of(SendMedia)

    line.order("role", role=Role.COACH, plan=replace(PLAN, role=Role.COACH, opening="Ana: a burst pipe."))

    assert said(line) == ["Ana: a burst pipe."]


def test_an_introduction_that_comes_before_the_model_is_ready_is_said_once_it_is() -> None:
    """Also where the model is told of turns: it would else be taken for somebody who was introduced before."""
    turns = (Turn(Speaker.CALLER, "Hay agua.", datetime(2026, 1, 5, tzinfo=UTC)),)
    line = Line(replace(PLAN, role=Role.SILENT, turns=turns), ready=False)
    line.order(
        "role", role=Role.INTERPRETER, plan=replace(PLAN, role=Role.INTERPRETER, opening="I interpret.")
    )
    assert said(line) == []

    line.model_is_ready(1)

    assert said(line) == ["I interpret."]


def test_a_role_that_comes_before_the_model_is_ready_is_what_the_model_is_told_to_be() -> None:
    """It would else be told what it was before, and never answer by itself."""
    line = Line(replace(PLAN, role=Role.SILENT), ready=False)
    line.model_opens(1)
    interpreter = replace(PLAN, role=Role.INTERPRETER, instructions="Interpret.")
    line.order("role", role=Role.INTERPRETER, plan=interpreter)

    line.is_ready(1)

    last = line.of(Configure)[-1]
    assert (last.instructions, last.answers) == ("Interpret.", True)


def test_a_silence_that_begins_while_the_model_comes_is_one_for_the_model_too() -> None:
    line = Line(ready=False)
    line.model_opens(1)
    line.order("quiet")

    line.is_ready(1)

    assert not line.of(Configure)[-1].answers


def test_a_model_that_is_what_it_shall_be_is_told_once() -> None:
    assert len(Line().of(Configure)) == 1


def test_what_the_model_shall_know_is_known_by_the_next_one_too() -> None:
    line = Line(ready=False)
    line.order("context", text="The caller typed: 412")
    line.model_is_ready(1)
    assert line.of(Remember) == [Remember((AddContext("The caller typed: 412"),))]


def test_who_takes_notes_is_never_heard_whatever_the_model_says() -> None:
    line = Line(replace(PLAN, role=Role.NOTES))
    line.answers("a", 500)
    assert not line.of(SendMedia)


def test_a_sentence_is_said_once_nobody_speaks() -> None:
    line = Line()
    line.somebody_speaks()
    line.order("say", text="The second engineer is being rung.", fact="esc#2")
    line.passes(1000)
    assert said(line) == []

    line.somebody_stops()

    assert said(line) == ["The second engineer is being rung."]


def test_a_sentence_waits_for_the_end_of_what_is_being_heard() -> None:
    line = Line()
    line.answers("a", 2000)
    line.order("say", text="She is on her way.")
    line.passes(1900)
    assert said(line) == []

    line.passes(300)

    assert said(line) == ["She is on her way."]


def test_sentences_are_said_one_at_a_time_in_their_order() -> None:
    line = Line()
    line.order("say", text="One.")
    line.order("say", text="Two.")
    assert said(line) == ["One."]

    line.answers("a", 500, saying="say-1")
    line.passes(600)

    assert said(line) == ["One.", "Two."]


def test_a_sentence_is_told_with_its_fact_when_it_was_heard() -> None:
    line = Line()
    line.order("say", text="The second engineer is being rung.", fact="esc#2")
    line.answers("a", 1000, words="The second engineer is being rung.", saying="say-1")
    line.passes(1100)

    [turn] = line.turns
    assert (turn.text, turn.fact, turn.whole) == ("The second engineer is being rung.", "esc#2", True)
    assert line.of(TellTurns)


def test_a_sentence_that_was_spoken_over_is_told_as_not_heard_whole() -> None:
    line = Line()
    line.order("say", text="The second engineer is being rung.", fact="esc#2")
    line.answers("a", 2000, words="The second engineer is being rung.", saying="say-1")
    line.passes(1000)

    line.somebody_speaks()

    [turn] = line.turns
    assert (turn.fact, turn.whole) == ("esc#2", False)


def test_an_answer_of_the_models_own_does_not_carry_the_fact() -> None:
    line = Line()
    line.order("say", text="The second engineer is being rung.", fact="esc#2")
    line.answers("a", 500, words="Yes?")
    line.passes(600)

    assert [turn.fact for turn in line.turns] == [None]


def test_a_sentence_that_fails_is_tried_again_and_then_told_as_never_said() -> None:
    line = Line()
    line.order("say", text="She is on her way.", fact="esc#3")
    for n in range(3):
        assert len(said(line)) == n + 1
        line.says(ResponseStarted(f"r{n}", "say-1"), ResponseOver(f"r{n}", Ending.FAILED, "server_error"))
        line.passes(3500)

    assert len(said(line)) == 3
    [turn] = line.turns
    assert (turn.text, turn.fact, turn.whole) == ("", "esc#3", False)


def test_more_sentences_than_can_be_said_are_refused() -> None:
    line = Line()
    line.somebody_speaks()
    for n in range(SAYINGS_AT_MOST):
        line.order("say", text=str(n))

    with pytest.raises(LocalProtocolError):
        line.order("say", text="one more")


def test_context_is_given_silently() -> None:
    line = Line()

    line.order("context", text="The engineer's name is Ana.")

    assert line.of(AddContext) == [AddContext("The engineer's name is Ana.")]
    assert line.of(Respond) == []


# Quiet, and roles


def test_quiet_clears_first_and_stops_the_model() -> None:
    line = Line()
    line.says(ResponseStarted("r1"))
    line.sound("a", 1000)
    line.passes(300)
    line.effects.clear()

    line.order("quiet")

    assert isinstance(line.effects[0], SendClear)
    assert line.of(Stop)
    assert line.of(Answers) == [Answers(yes=False)]
    assert line.forgotten() == {"a": 300}


def test_while_quiet_nothing_is_heard_and_what_waited_is_void() -> None:
    line = Line()
    line.somebody_speaks()
    line.order("say", text="Void.")
    line.order("quiet")
    line.somebody_stops()
    line.effects.clear()

    line.answers("a", 500, "r9")
    line.passes(500)

    assert line.of(SendMedia) == []
    assert said(line) == []
    assert line.forgotten() == {"a": 0}


def test_an_answer_asked_for_before_a_silence_is_stopped_when_it_begins_after_it() -> None:
    line = Line()
    line.order("say", text="Void.")
    line.order("quiet")
    line.order("role", role=Role.COACH)
    line.effects.clear()

    line.says(ResponseStarted("r1", "say-1"))
    line.sound("a", 100)

    assert line.of(Stop)
    assert line.of(SendMedia) == []


def test_a_role_brings_new_instructions_to_the_same_session_and_its_opening() -> None:
    line = Line()
    line.order("quiet")
    line.effects.clear()

    line.order("role", role=Role.COACH, person="Ana", plan=COACH)

    assert line.of(Configure) == [
        Configure("Coach Ana.", PLAN.tools, "marin", "en", answers=True, first=False)
    ]
    assert said(line) == ["Ana, water at Oak Street."]


def test_a_role_without_a_plan_lets_the_model_answer_again() -> None:
    line = Line()
    line.order("quiet")
    line.effects.clear()

    line.order("role", role=Role.ANSWERING)

    assert line.of(Answers) == [Answers(yes=True)]


def test_a_coach_is_never_more_than_300_ms_ahead() -> None:
    line = coaching()
    line.answers("a", 5000)

    began = line.now
    while line.heard_ms("a") < 5000:
        sent_ms = sum(len(one.payload) * 3 // 4 for one in line.of(SendMedia)) / 8
        assert sent_ms <= (line.now - began) * 1000 + 300 + 1
        line.passes(20)
        assert line.now - began < 5.2, "it stutters"


def test_what_a_coach_says_is_told_as_whispered() -> None:
    line = coaching()
    line.answers("a", 600, words="The valve is in the hall.")
    line.passes(800)

    assert [turn.whispered for turn in line.turns] == [True]


def test_a_whisper_that_is_called_off_stops_within_what_was_on_its_way() -> None:
    line = coaching()
    line.answers("a", 5000)
    line.passes(1000)
    heard_ms = line.heard_ms("a")

    line.order("quiet")
    line.passes(1000)

    assert line.heard_ms("a") == heard_ms
    assert abs(line.forgotten()["a"] - heard_ms) <= 20


# Tools


def test_a_tool_is_the_workflows_to_use_and_the_model_goes_on_after_it() -> None:
    line = Line()
    line.says(ResponseStarted("r1"), ToolCalled("r1", "call_1", "note", '{"text": "dry"}'))
    line.says(ResponseOver("r1", Ending.WHOLE))
    [use] = line.of(UseTool)
    assert (use.call.id, use.call.name, use.call.generation) == ("call_1", "note", 1)

    line.act(line.session.tool_done("call_1", ToolOutcome(output="noted"), line.now))

    assert line.of(ToolResult) == [ToolResult("call_1", "noted")]
    assert line.of(Respond) == [Respond()]


def test_a_tool_that_asks_for_silence_gets_it() -> None:
    line = Line()
    line.says(ToolCalled("r1", "call_1", "note", "{}"), ResponseOver("r1", Ending.WHOLE))

    line.act(line.session.tool_done("call_1", ToolOutcome(output="noted", speak=False), line.now))

    assert line.of(Respond) == []


def test_the_model_goes_on_once_all_tools_of_an_answer_are_done() -> None:
    line = Line()
    line.says(
        ToolCalled("r1", "call_1", "note", "{}"),
        ToolCalled("r1", "call_2", "escalate", "{}"),
        ResponseOver("r1", Ending.WHOLE),
    )
    line.act(line.session.tool_done("call_1", ToolOutcome(output="noted"), line.now))
    assert line.of(Respond) == []

    line.act(line.session.tool_done("call_2", ToolOutcome(output="paging", speak=False), line.now))

    assert line.of(Respond) == [Respond()]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("fly", "{}"), ("note", "{"), ("note", "[]"), ("note", ""), ("note", "null")],
)
def test_what_is_not_valid_for_a_tool_is_explained_to_the_model_at_once(name: str, arguments: str) -> None:
    line = Line()

    line.says(ToolCalled("r1", "call_1", name, arguments), ResponseOver("r1", Ending.WHOLE))

    assert line.of(UseTool) == []
    [result] = line.of(ToolResult)
    assert json.loads(result.output)["error"]
    assert line.of(Respond) == [Respond()]


def test_audio_and_barge_in_go_on_while_a_tool_is_used() -> None:
    line = Line()
    line.says(ResponseStarted("r1"), ToolCalled("r1", "call_1", "note", "{}"))
    line.item("a", 2000)
    line.says(ResponseOver("r1", Ending.WHOLE))
    line.passes(500)

    line.somebody_speaks()

    assert line.player.cleared == 1


def test_an_answer_to_nobody_is_nobodys() -> None:
    line = Line()

    line.act(line.session.tool_done("call_9", ToolOutcome(output="?"), line.now))

    assert line.of(ToolResult) == []


# Others' words


def test_what_somebody_says_is_told_by_the_time_they_said_it() -> None:
    line = Line()
    began = line.now
    line.somebody_speaks()
    line.passes(1000)
    line.somebody_stops()
    line.passes(2000)

    line.says(Transcript(Speaker.CALLER, "u1", " It leaks. "))

    [turn] = line.turns
    assert (turn.text, turn.speaker, turn.item) == ("It leaks.", Speaker.ROOM, "u1")
    assert turn.at.timestamp() == pytest.approx(line.session.unix_s + began)


def test_a_transcript_of_nothing_is_no_turn() -> None:
    line = Line()

    line.says(Transcript(Speaker.CALLER, "u1", "  "))

    assert line.turns == []


# When answers fail


def test_answers_that_fail_again_and_again_are_told_and_so_is_their_end() -> None:
    line = Line()
    for n in range(3):
        line.says(ResponseStarted(f"r{n}"), ResponseOver(f"r{n}", Ending.FAILED, "rate_limit_exceeded"))
        line.passes(3500)
    assert [trouble.what for trouble in line.of(TellTrouble)] == ["model-lost"]
    assert len(line.of(Respond)) == 2

    line.answers("a", 100, "r9")

    assert [trouble.what for trouble in line.of(TellTrouble)] == ["model-lost", "model-back"]


def test_what_was_heard_when_the_caller_hung_up_is_told() -> None:
    line = Line()
    line.answers("a", 4000, words="one two three four five six seven eight")
    line.passes(2000)

    line.act(line.session.gone(line.now))

    [turn] = line.turns
    assert turn.text == "one two three four"
    assert not turn.whole


def test_first_sound_is_timed_from_the_end_of_speech() -> None:
    line = Line()
    line.somebody_speaks()
    line.somebody_stops()
    line.passes(400)
    line.answers("a", 100)

    assert list(line.session.figures.first_audio_ms) == [pytest.approx(400)]


def test_a_role_that_comes_before_the_session_brings_its_opening_once() -> None:
    line = Line(ready=False)
    line.order("role", role=Role.COACH, person="Ana", plan=COACH)

    line.model_is_ready(1)
    line.answers("a", 500, words="Ana, water at Oak Street.", saying="say-1")
    line.passes(1000)

    assert said(line) == ["Ana, water at Oak Street."]


def test_a_coach_begins_quiet_and_speaks_once_it_is_told_its_role() -> None:
    """Its leg may be a new one, which coaches nobody yet: all would hear it."""
    line = Line(COACH)
    line.says(ResponseStarted("r1"))
    line.item("a", 200, "r1", words="The address is Oak Street.")
    line.passes(1000)
    assert line.of(SendMedia) == []
    assert line.of(SayExactly) == []
    assert not line.of(Configure)[0].answers

    line.order("role", role=Role.COACH, person="Ana", plan=COACH)
    line.says(ResponseOver("r1", Ending.CANCELLED))

    assert said(line) == ["Ana, water at Oak Street."]


def test_a_coach_whose_role_was_told_before_the_call_had_accepted_it_is_not_quiet() -> None:
    line = Line(COACH, accepted=False)
    line.order("role", role=Role.COACH, person="Ana", plan=COACH)

    line.is_accepted()
    line.model_is_ready(1)

    assert said(line) == [COACH.opening]


def test_a_turn_whose_end_was_never_told_silences_nobody_for_ever() -> None:
    line = Line()
    line.somebody_speaks()
    line.order("say", text="She is on her way.", fact="esc#3")
    line.passes(19_000)
    assert line.of(SayExactly) == []

    line.passes(1_500)

    assert said(line) == ["She is on her way."]


def test_who_was_talking_with_a_lost_bridge_is_answered_by_the_next_at_once() -> None:
    line = Line(replace(PLAN, broken_off=True))

    assert len(line.of(Respond)) == 1


def test_the_workflow_learns_how_long_what_was_said_can_still_be_heard() -> None:
    line = Line()
    line.answers("a", 4000)
    line.passes(1000)
    assert line.session.talk is not None
    assert line.session.talk.playing_ms(line.now) == pytest.approx(3000, abs=20)

    line.passes(3500)
    assert line.session.talk.playing_ms(line.now) == 0


def test_a_tool_that_is_awaited_in_silence_is_excused_once() -> None:
    line = Line(replace(PLAN, moment="One moment, please."))
    line.says(ResponseStarted("r1"))
    line.item("a", 1000, words="I pass it on.")
    line.says(ToolCalled("r1", "call_1", "escalate", "{}"), ResponseOver("r1", Ending.WHOLE))
    line.passes(2000)
    assert said(line) == []  # it was still heard a second ago

    line.passes(600)
    assert said(line) == ["One moment, please."]

    line.answers("b", 800, "r2", words="One moment, please.", saying="say-1")
    line.passes(6000)
    assert said(line) == ["One moment, please."]


def test_a_tool_that_is_answered_soon_needs_no_excuse() -> None:
    line = Line(replace(PLAN, moment="One moment, please."))
    line.says(ResponseStarted("r1"), ToolCalled("r1", "call_1", "escalate", "{}"))
    line.says(ResponseOver("r1", Ending.WHOLE))
    line.passes(1000)
    line.act(line.session.tool_done("call_1", ToolOutcome(output="done"), line.now))
    line.answers("b", 800, "r2")
    line.passes(6000)

    assert said(line) == []
