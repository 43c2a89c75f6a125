"""What the model hears of a leg: no holes, and the newest two seconds when it comes late."""

from bridge.audio import samples_in, silence
from bridge.hearing import Hearing
from tests.bridge.line import Line

FRAME = silence(20).replace("/", "A")


def ms(payloads: list[str]) -> int:
    return sum(samples_in(payload) for payload in payloads) // 8


def test_a_frame_passes_as_it_came() -> None:
    hearing = Hearing()

    assert hearing.frame(0, FRAME, 0.0) == [FRAME]
    assert hearing.frame(20, FRAME, 0.02) == [FRAME]


def test_a_hole_in_the_timestamps_is_filled_with_silence() -> None:
    hearing = Hearing()
    hearing.frame(0, FRAME, 0.0)

    assert hearing.frame(120, FRAME, 0.1) == [silence(100), FRAME]
    assert hearing.lost_ms == 100


def test_timestamps_that_waver_make_no_silence() -> None:
    hearing = Hearing()
    for timestamp_ms in (0, 25, 38, 60, 85, 100):
        assert hearing.frame(timestamp_ms, FRAME, 0.0) == [FRAME]


def test_a_long_absence_is_at_most_two_seconds_of_silence() -> None:
    hearing = Hearing()
    hearing.frame(0, FRAME, 0.0)

    assert ms(hearing.frame(60_000, FRAME, 60.0)) == 2020


def test_timestamps_that_jump_back_are_counted_and_the_sound_passes() -> None:
    hearing = Hearing()
    hearing.frame(5000, FRAME, 0.0)

    assert hearing.frame(0, FRAME, 0.02) == [FRAME]
    assert hearing.frame(20, FRAME, 0.04) == [FRAME]
    assert hearing.jumps == 1


def test_silence_is_made_up_while_no_frames_come_and_not_again_when_they_do() -> None:
    hearing = Hearing()
    hearing.frame(0, FRAME, 0.0)
    made_up = hearing.pause(0.32) + hearing.pause(0.62)
    assert ms(made_up) == 620

    assert ms(hearing.frame(720, FRAME, 0.72)) == 20 + 80


def test_nothing_is_made_up_before_the_first_frame() -> None:
    assert Hearing().pause(10.0) == []
    assert Hearing().due() is None


def test_the_newest_two_seconds_are_kept_for_a_model_that_comes_late() -> None:
    hearing = Hearing()
    for n in range(150):
        hearing.keep(silence(20) if n < 50 else FRAME)

    kept = hearing.kept()

    assert ms(kept) == 2000
    assert set(kept) == {FRAME}
    assert hearing.late_ms == 1000
    assert hearing.kept() == []


def test_a_model_that_becomes_ready_hears_what_was_kept() -> None:
    line = Line(ready=False)
    for n in range(10):
        line.hears(20 * n, FRAME)
    assert line.appended == []

    line.model_is_ready(1)

    assert line.appended == [FRAME] * 10


def test_while_the_way_to_the_model_is_full_sound_is_kept_and_then_sent() -> None:
    line = Line()
    line.act(line.session.model_full(full=True))
    line.hears(0, FRAME)
    assert line.appended == []

    line.act(line.session.model_full(full=False))

    assert line.appended == [FRAME]


def test_a_leg_that_falls_silent_is_heard_as_silent() -> None:
    line = Line()
    line.hears(0, FRAME)
    line.passes(1000)

    assert 900 <= ms(line.appended) <= 1020
