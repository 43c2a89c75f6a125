"""Model sessions that fail, are lost and run out: the conversation goes on."""

import pytest

from bridge.effects import CloseModel, OpenModel, TellTrouble
from bridge.mirror import BYTES, Mirror
from bridge.model import (
    AddContext,
    Configure,
    Ending,
    Meaning,
    Remember,
    Respond,
    ResponseOver,
    ResponseStarted,
    SayExactly,
    ToolCalled,
    ToolUse,
    Transcript,
    Trouble,
)
from tests.bridge.line import Line
from tests.workflows.night import at
from workflows.voice import Plan, Speaker, ToolOutcome, Turn


def troubles(line: Line) -> list[str]:
    return [trouble.what for trouble in line.of(TellTrouble)]


def lost(line: Line, link: int = 1, *, hopeless: bool = False) -> None:
    line.act(line.session.model_lost(link, "1006 cut", line.now, hopeless=hopeless))


def heard_turn(line: Line, words: str = "It leaks.") -> None:
    line.somebody_speaks()
    line.somebody_stops()
    line.says(Transcript(Speaker.CALLER, "u1", words))


# Opening


def test_a_session_is_opened_when_the_call_accepts_and_configured_when_it_is_open() -> None:
    line = Line(ready=False)
    assert line.of(OpenModel) == [OpenModel(1)]

    line.model_is_ready(1)

    [configure] = line.of(Configure)
    assert configure.first
    assert troubles(line) == []


def test_a_model_that_cannot_be_reached_is_told_once_and_tried_again_ever_more_slowly() -> None:
    line = Line(ready=False)
    waits: list[float] = []
    for link in range(1, 8):
        lost(line, link)
        before = line.now
        while len(line.of(OpenModel)) == link:
            line.passes(5)
        waits.append(round(line.now - before, 1))

    assert troubles(line) == ["model-unreachable"]
    assert waits == sorted(waits)
    assert waits[-1] == pytest.approx(8.0, abs=0.1)


def test_a_model_that_does_not_answer_is_told_after_a_second_and_given_up_after_five() -> None:
    line = Line(ready=False)
    line.passes(900)
    assert troubles(line) == []
    line.passes(1200)
    assert troubles(line) == ["model-unreachable"]

    line.passes(3000)

    assert line.of(CloseModel) == [CloseModel(1)]
    assert line.of(OpenModel)[-1] == OpenModel(2)


def test_a_refused_key_is_not_tried_again_at_once() -> None:
    line = Line(ready=False)
    lost(line, hopeless=True)

    line.passes(30_000)

    assert line.of(OpenModel) == [OpenModel(1)]


def test_the_workflow_is_told_when_the_model_is_back() -> None:
    line = Line(ready=False)
    lost(line)
    line.passes(10)

    line.model_is_ready(2)

    assert troubles(line) == ["model-unreachable", "model-back"]


# Loss


def test_a_lost_session_is_opened_anew_at_once_with_the_conversation() -> None:
    line = Line()
    heard_turn(line)
    lost(line)
    line.passes(5)
    assert line.of(OpenModel)[-1] == OpenModel(2)

    line.model_is_ready(2)

    [remember] = line.of(Remember)
    assert [one.text for one in remember.what if isinstance(one, Turn)] == ["It leaks."]
    assert troubles(line) == ["model-lost", "model-back"]
    assert line.of(Respond)  # the caller was waiting for an answer


def test_after_an_answer_that_was_heard_nobody_is_greeted_again() -> None:
    line = Line(Plan("Listen.", (), "marin", "en", opening="Hello."))
    line.answers("a", 500, words="Hello.", saying="say-1")
    line.passes(600)
    lost(line)
    line.passes(5)

    line.model_is_ready(2)

    assert len(line.of(SayExactly)) == 1
    assert line.of(Respond) == []


def test_what_was_being_said_when_the_session_was_lost_is_played_and_remembered_by_the_next() -> None:
    line = Line()
    line.says(ResponseStarted("r1"))
    line.item("a", 2000, words="The engineer has been rung", whole=False)
    line.passes(500)
    lost(line)
    line.passes(5)
    line.model_is_ready(2)

    line.passes(2000)

    assert line.heard_ms("a") == 2000
    [turn] = line.turns
    assert (turn.text, turn.whole) == ("The engineer has been rung", True)
    told = AddContext("Before the line broke you said: The engineer has been rung")
    assert line.orders(2)[-2:] == [told, Respond()]  # it was broken off: somebody waits for the rest


def test_a_new_session_is_never_told_to_forget_what_the_old_one_said() -> None:
    line = Line()
    line.says(ResponseStarted("r1"))
    line.item("a", 2000)
    line.passes(500)
    lost(line)
    line.passes(5)
    line.model_is_ready(2)
    line.passes(200)

    line.act(line.session.model_said(2, ResponseStarted("r2"), line.now))
    line.order("quiet")

    assert line.forgotten() == {}


def test_a_tool_asked_for_by_a_lost_session_is_told_to_the_next_as_news() -> None:
    line = Line()
    line.says(ToolCalled("r1", "call_1", "escalate", "{}"), ResponseOver("r1", Ending.WHOLE))
    lost(line)
    line.passes(5)
    line.model_is_ready(2)

    line.act(line.session.tool_done("call_1", ToolOutcome(output="paging Ana"), line.now))

    assert AddContext("escalate was done meanwhile: paging Ana") in line.orders(2)


def test_a_sentence_that_was_not_said_is_said_by_the_next_session() -> None:
    line = Line()
    line.order("say", text="She is on her way.", fact="esc#3")
    lost(line)
    line.passes(5)

    line.model_is_ready(2)

    assert SayExactly("say-1", "She is on her way.") in line.orders(2)


def test_a_model_that_takes_everything_and_answers_nothing_counts_as_lost() -> None:
    line = Line()
    line.order("say", text="She is on her way.", fact="esc#3")

    line.passes(5200)

    assert line.of(CloseModel) == [CloseModel(1)]
    assert line.of(OpenModel)[-1] == OpenModel(2)
    line.model_is_ready(2)
    assert SayExactly("say-1", "She is on her way.") in line.orders(2)


@pytest.mark.parametrize("meaning", [Meaning.ENDED, Meaning.HOPELESS])
def test_a_session_that_says_it_is_over_is_closed_and_counts_as_lost(meaning: Meaning) -> None:
    line = Line()

    line.says(Trouble("session_expired", "60 minutes", meaning))

    assert line.of(CloseModel) == [CloseModel(1)]
    assert troubles(line) == ["model-lost"]


def test_other_errors_are_harmless() -> None:
    line = Line()

    line.says(Trouble("response_cancel_not_active", "none"))

    assert line.of(CloseModel) == []
    assert line.session.figures.model_errors == 1


# The limit


def near_the_limit() -> Line:
    line = Line(ready=False)
    line.model_is_ready(1, lasts_s=60)
    heard_turn(line)
    line.answers("a", 200, words="Where?")
    line.passes(29_000)
    assert len(line.of(OpenModel)) == 1
    return line


def test_before_its_time_runs_out_another_session_takes_over_in_silence() -> None:
    line = near_the_limit()
    line.passes(2000)
    assert line.of(OpenModel) == [OpenModel(1), OpenModel(2)]

    line.model_is_ready(2, lasts_s=60)
    line.passes(400)
    line.hears(0, "////")

    assert line.of(CloseModel) == [CloseModel(1)]
    assert line.session.links.active == 2
    [remember] = line.of(Remember)
    assert [one.text for one in remember.what if isinstance(one, Turn)] == ["It leaks.", "Where?"]
    assert troubles(line) == []
    assert line.of(Respond) == []


def test_nobody_is_interrupted_by_a_roll_over() -> None:
    line = near_the_limit()
    line.passes(2000)
    line.somebody_speaks("u2")
    line.model_is_ready(2, lasts_s=60)
    line.passes(5000)
    assert line.session.links.active == 1

    line.somebody_stops("u2")
    line.answers("b", 300, "r2", words="Which floor?")
    line.passes(1000)

    assert line.session.links.active == 2
    texts = [one.text for order in line.of(Remember) for one in order.what if isinstance(one, Turn)]
    assert texts[-1] == "Which floor?"  # said after the new session was told the rest


def test_at_the_very_end_it_rolls_over_in_any_case() -> None:
    line = near_the_limit()
    line.passes(2000)
    line.somebody_speaks("u2")
    line.model_is_ready(2, lasts_s=60)

    line.passes(24_000)

    assert line.session.links.active == 2


def test_a_coming_session_that_fails_changes_nothing_for_the_one_in_use() -> None:
    line = near_the_limit()
    line.passes(2000)

    lost(line, 2)

    assert line.session.links.active == 1
    assert troubles(line) == []


# The mirror


def a_turn(n: int, words: str = "yes") -> Turn:
    return Turn(Speaker.CALLER, words, at(n))


def test_the_last_forty_turns_are_kept() -> None:
    mirror = Mirror(a_turn(n, str(n)) for n in range(60))

    assert [one.text for one in mirror.since() if isinstance(one, Turn)] == [str(n) for n in range(20, 60)]


def test_what_is_kept_is_at_most_32_kib() -> None:
    mirror = Mirror(a_turn(n, "x" * 5000) for n in range(10))

    assert sum(len(one.text) for one in mirror.since() if isinstance(one, Turn)) <= BYTES


def test_a_tool_keeps_its_place_among_the_turns() -> None:
    mirror = Mirror([a_turn(0), a_turn(10)])
    mirror.add(ToolUse("c", "note", "{}", "noted"), at(5).timestamp())

    assert [type(one) for one in mirror.since()] == [Turn, ToolUse, Turn]
    assert [type(one) for one in mirror.since(2)] == [ToolUse]


@pytest.mark.parametrize(
    ("last", "waits"),
    [
        (a_turn(1), True),
        (Turn(Speaker.ASSISTANT, "Where?", at(1)), False),
        (Turn(Speaker.ASSISTANT, "Whe", at(1), whole=False), True),
    ],
)
def test_somebody_waits_unless_the_assistant_spoke_last_and_was_heard(last: Turn, *, waits: bool) -> None:
    assert Mirror([a_turn(0), last]).unanswered() is waits
    assert not Mirror().unanswered()


def test_a_resumed_call_goes_on_without_a_greeting() -> None:
    plan = Plan(
        "Listen.", (), "marin", "en", opening="Hello.", turns=(Turn(Speaker.CALLER, "It leaks.", at(0)),)
    )

    line = Line(plan)

    assert line.of(SayExactly) == []
    assert line.of(Respond) == [Respond()]
    assert line.of(Remember)
