"""A model that owes an answer: nobody waits for its sound without a word, and one that stands still is replaced."""

from bridge.effects import CloseModel, OpenModel, TellTrouble
from bridge.model import Ending, Respond, ResponseOver, ResponseStarted, ToolCalled, Transcript
from tests.bridge.line import Line
from workflows.voice import Speaker


def troubles(line: Line) -> list[str]:
    return [trouble.what for trouble in line.of(TellTrouble)]


def asked_something() -> Line:
    """The caller has said something, and the answer is due."""
    line = Line()
    line.somebody_speaks()
    line.somebody_stops()
    line.says(Transcript(Speaker.CALLER, "u1", "There is water."))
    return line


def test_an_answer_that_comes_in_time_is_no_trouble() -> None:
    line = asked_something()
    line.passes(1_700)
    line.answers("a", 300)
    line.passes(5_000)
    assert troubles(line) == []


def test_an_answer_that_is_late_is_told_once_and_told_to_be_over_when_it_comes() -> None:
    line = asked_something()
    line.passes(2_000)
    assert troubles(line) == ["model-slow"]
    line.passes(1_000)
    line.answers("a", 300)
    assert troubles(line) == ["model-slow", "model-back"]


def test_an_answer_that_was_begun_and_is_not_heard_is_late_too() -> None:
    line = asked_something()
    line.says(ResponseStarted("r1", ""))
    line.passes(2_000)
    assert troubles(line) == ["model-slow"]


def test_an_answer_that_stops_in_the_middle_is_late_from_where_it_stopped() -> None:
    line = asked_something()
    line.says(ResponseStarted("r1", ""))
    line.sound("a", 1_000)
    line.passes(2_600)
    assert troubles(line) == []
    line.passes(400)
    assert troubles(line) == ["model-slow"]
    line.sound("a", 500)
    assert troubles(line) == ["model-slow", "model-back"]


def test_a_model_that_stands_still_is_given_up_after_five_seconds_and_the_next_one_answers() -> None:
    line = asked_something()
    line.says(ResponseStarted("r1", ""))
    line.passes(5_200)
    assert line.of(CloseModel) == [CloseModel(1)]
    assert line.of(OpenModel)[-1] == OpenModel(2)
    line.model_is_ready(2)
    assert Respond() in line.orders(2)
    assert troubles(line) == ["model-slow", "model-lost", "model-back"]


def test_whoever_speaks_again_waits_anew() -> None:
    line = asked_something()
    line.passes(1_500)
    line.somebody_speaks()
    line.passes(3_000)
    assert troubles(line) == []
    line.somebody_stops()
    line.passes(1_500)
    assert troubles(line) == []
    line.passes(500)
    assert troubles(line) == ["model-slow"]


def test_an_answer_without_sound_owes_none() -> None:
    """A coach who was not asked, a tool that is called."""
    line = asked_something()
    line.says(ResponseStarted("r1", ""), ResponseOver("r1", Ending.WHOLE, ""))
    line.passes(6_000)
    assert troubles(line) == []


def test_while_a_tool_is_awaited_the_model_owes_no_sound() -> None:
    line = asked_something()
    line.says(
        ResponseStarted("r1", ""), ToolCalled("r1", "c1", "note", "{}"), ResponseOver("r1", Ending.WHOLE, "")
    )
    line.passes(6_000)
    assert troubles(line) == []
    assert line.of(CloseModel) == []


def test_who_is_to_be_quiet_owes_nothing() -> None:
    line = asked_something()
    line.passes(1_000)
    line.order("quiet")
    line.passes(6_000)
    assert troubles(line) == []
    assert line.of(CloseModel) == []


def test_a_session_is_not_left_while_it_owes_an_answer() -> None:
    line = Line(ready=False)
    line.model_is_ready(1, lasts_s=60)
    line.passes(29_000)
    line.somebody_speaks()
    line.passes(2_000)
    line.model_is_ready(2)
    line.somebody_stops()
    line.passes(500)
    assert CloseModel(1) not in line.of(CloseModel)
    line.answers("a", 300)
    line.passes(1_000)
    assert CloseModel(1) in line.of(CloseModel)
