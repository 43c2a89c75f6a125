"""Placed sounds are read frame by frame, begun and cut to the sample."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sandbox.sound.frames import QUIET
from sandbox.sound.mulaw import FRAME, Samples
from sandbox.sound.timeline import Timeline


def ramp(length: int) -> Samples:
    return np.arange(1, length + 1, dtype=np.int16)


def played(timeline: Timeline, frames: int) -> Samples:
    return np.concatenate([timeline.frame(number) for number in range(frames)])


@given(st.integers(0, 500), st.integers(0, 900), st.integers(0, 1500))
def test_a_sound_is_where_it_was_placed_and_ends_where_it_was_cut(start: int, length: int, cut: int) -> None:
    timeline = Timeline()
    timeline.place(ramp(length), start).cut(cut)
    heard = played(timeline, 10)
    expected = np.zeros(10 * FRAME, dtype=np.int16)
    end = min(start + length, cut, len(expected))
    if end > start:
        expected[start:end] = ramp(length)[: end - start]
    assert np.array_equal(heard, expected)


def test_where_nothing_sounds_it_is_the_one_silence() -> None:
    timeline = Timeline()
    timeline.place(ramp(FRAME), 2 * FRAME)
    assert timeline.frame(0) is QUIET
    assert timeline.frame(3) is QUIET


def test_two_sounds_sound_together() -> None:
    timeline = Timeline()
    timeline.place(ramp(FRAME), 0)
    timeline.place(ramp(FRAME), 0)
    assert np.array_equal(timeline.frame(0), ramp(FRAME) * 2)


def test_an_endless_sound_goes_round_until_it_is_cut() -> None:
    timeline = Timeline()
    music = timeline.place(ramp(100), 30, endless=True)
    heard = played(timeline, 3)
    assert heard[30] == heard[130] == heard[430] == 1
    music.cut(3 * FRAME)
    assert timeline.frame(3) is QUIET


def test_a_sound_that_wants_to_be_alone_says_so_while_it_sounds() -> None:
    timeline = Timeline()
    timeline.place(ramp(FRAME), FRAME, alone=True)
    assert [timeline.alone(number) for number in range(3)] == [False, True, False]
