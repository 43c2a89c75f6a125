"""Somebody speaks over the assistant: what was heard stays said, to 20 ms, and nothing else does."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.model import Ending, Forget, ItemDone, ResponseOver, ResponseStarted, Transcript
from bridge.twilio_wire import SendClear, SendMark
from tests.bridge.line import Line
from workflows.voice import Speaker

NEAR_MS = 20


def one() -> Line:
    """Six seconds made in 0.6 s; the caller speaks after two."""
    line = Line()
    line.says(ResponseStarted("r1"))
    for _ in range(60):
        line.sound("a", 100)
        line.passes(10)
    line.says(ItemDone("a"), ResponseOver("r1", Ending.WHOLE))
    line.passes(1400)
    line.somebody_speaks()
    return line


def slow() -> Line:
    """It is still being made; three deltas come after the news that somebody speaks."""
    line = Line()
    line.says(ResponseStarted("r1"))
    for _ in range(20):
        line.sound("a", 150)
        line.passes(100)
    line.somebody_speaks()
    for _ in range(3):
        line.sound("a", 100)
    line.says(ItemDone("a"), ResponseOver("r1", Ending.CANCELLED))
    return line


def two() -> Line:
    """Two items of three seconds; the caller speaks at four."""
    line = Line()
    line.says(ResponseStarted("r1"))
    line.item("a", 3000)
    line.item("b", 3000)
    line.says(ResponseOver("r1", Ending.WHOLE))
    line.passes(4000)
    line.somebody_speaks()
    return line


def first() -> Line:
    """The same, and the caller speaks at one second: the second item was never heard."""
    line = Line()
    line.says(ResponseStarted("r1"))
    line.item("a", 3000)
    line.item("b", 3000)
    line.says(ResponseOver("r1", Ending.WHOLE))
    line.passes(1000)
    line.somebody_speaks()
    return line


def stall() -> Line:
    """Twilio plays nothing for a second and a half in the middle."""
    line = Line()
    line.says(ResponseStarted("r1"))
    line.item("a", 6000)
    line.says(ResponseOver("r1", Ending.WHOLE))
    line.passes(1000)
    line.player.stalled_ms = 1500
    line.passes(2500)
    line.somebody_speaks()
    return line


def pause() -> Line:
    """The model has nothing to give for a second and a half."""
    line = Line()
    line.says(ResponseStarted("r1"))
    for _ in range(10):
        line.sound("a", 100)
    line.passes(2500)
    for _ in range(30):
        line.sound("a", 100)
    line.passes(730)
    line.somebody_speaks()
    return line


CUT = {one: "a", slow: "a", two: "b", first: "a", stall: "a", pause: "a"}
UNHEARD = {first: "b"}


@pytest.mark.parametrize("scene", CUT, ids=lambda scene: scene.__name__)
def test_the_model_forgets_from_where_it_was_heard(scene: Callable[[], Line]) -> None:
    line = scene()

    item = CUT[scene]
    assert abs(line.forgotten()[item] - line.heard_ms(item)) <= NEAR_MS
    assert line.player.cleared == 1
    assert not line.player.queue


@pytest.mark.parametrize("scene", CUT, ids=lambda scene: scene.__name__)
def test_the_model_forgets_what_was_never_heard_and_keeps_what_was_heard_whole(
    scene: Callable[[], Line],
) -> None:
    line = scene()

    unheard = {UNHEARD[scene]: 0} if scene in UNHEARD else {}
    assert {item: ms for item, ms in line.forgotten().items() if item != CUT[scene]} == unheard


def test_the_order_to_clear_goes_first() -> None:
    line = one()

    kinds = [type(effect) for effect in line.effects]
    assert kinds.index(SendClear) < next(
        n for n, effect in enumerate(line.effects) if isinstance(getattr(effect, "order", None), Forget)
    )


def test_marks_bounced_by_the_clear_prove_nothing() -> None:
    line = one()
    line.answers("b", 2000, "r2")
    line.passes(500)

    line.somebody_speaks()

    assert abs(line.forgotten()["b"] - line.heard_ms("b")) <= NEAR_MS
    assert line.session.talk is not None
    assert line.session.talk.playback.stale_marks > 0


def test_sound_of_a_cut_answer_is_dropped_until_the_answer_is_over() -> None:
    line = slow()

    line.sound("late", 100)  # a response that ended: whatever comes with its name is none of it
    assert line.session.talk is not None
    assert line.session.talk.figures.dropped == 3


def test_an_item_that_only_came_after_the_cut_is_forgotten_whole_when_its_answer_ends() -> None:
    line = Line()
    line.says(ResponseStarted("r1"))
    line.sound("a", 1000)
    line.passes(500)
    line.somebody_speaks()

    line.sound("b", 100)
    assert "b" not in line.forgotten()
    line.says(ResponseOver("r1", Ending.CANCELLED))

    assert line.forgotten()["b"] == 0
    assert line.heard_ms("b") == 0


def test_who_speaks_into_silence_cuts_nothing() -> None:
    line = Line()
    line.answers("a", 1000)
    line.passes(1100)

    line.somebody_speaks()

    assert line.player.cleared == 0
    assert line.forgotten() == {}


def test_speech_before_the_first_sound_refuses_the_answer_without_a_clear() -> None:
    line = Line()
    line.says(ResponseStarted("r1"))

    line.somebody_speaks()
    line.sound("a", 100)
    line.says(ResponseOver("r1", Ending.CANCELLED))

    assert line.player.cleared == 0
    assert line.heard_ms("a") == 0
    assert line.forgotten() == {"a": 0}


def test_a_turn_that_was_cut_has_only_the_words_that_were_heard() -> None:
    line = Line()
    line.answers("a", 4000, words="The engineer has been rung and I wait with you here now")
    line.passes(2000)

    line.somebody_speaks()

    [turn] = line.turns
    assert not turn.whole
    assert "The engineer has been rung".startswith(turn.text)
    assert turn.text


def test_a_turn_is_told_when_it_was_heard_and_not_before() -> None:
    line = Line()
    line.answers("a", 1000, words="Hello there.")
    line.passes(900)
    assert line.turns == []

    line.passes(200)

    [turn] = line.turns
    assert (turn.text, turn.whole, turn.speaker) == ("Hello there.", True, Speaker.ASSISTANT)


def test_words_that_come_after_the_sound_was_heard_are_told_then() -> None:
    line = Line()
    line.says(ResponseStarted("r1"))
    line.item("a", 500)
    line.passes(600)
    assert line.turns == []

    line.says(Transcript(Speaker.ASSISTANT, "a", "Hello."), ResponseOver("r1", Ending.WHOLE))

    assert [turn.text for turn in line.turns] == ["Hello."]


def test_a_mark_is_sent_each_200_ms_and_at_the_end_of_an_item() -> None:
    line = Line()
    line.answers("a", 700)

    assert [mark.name for mark in line.of(SendMark)] == ["0:a:200", "0:a:400", "0:a:600", "0:a:700"]


@settings(derandomize=True, deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    deltas=st.lists(st.tuples(st.integers(1, 400), st.integers(0, 300)), min_size=1, max_size=25),
    speech_after_ms=st.integers(0, 3000),
)
def test_whatever_the_sizes_and_pauses_of_deltas_the_cut_is_where_it_was_heard(
    deltas: list[tuple[int, int]], speech_after_ms: int
) -> None:
    """deltas: milliseconds of sound, and how long after it the next one comes."""
    line = Line()
    line.says(ResponseStarted("r1"))
    for sound_ms, pause_ms in deltas:
        line.sound("a", sound_ms)
        line.passes(pause_ms)
    line.passes(speech_after_ms)

    line.somebody_speaks()

    received_ms = sum(sound_ms for sound_ms, _ in deltas)
    forgotten_ms = line.forgotten().get("a", received_ms)
    assert forgotten_ms <= received_ms
    assert abs(forgotten_ms - min(line.heard_ms("a"), received_ms)) <= NEAR_MS
    assert not line.player.queue
