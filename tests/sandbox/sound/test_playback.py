"""The queue of a stream: pieces of any size, marks where their sound ends, clear."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sandbox.sound.frames import QUIET
from sandbox.sound.mulaw import FRAME, Samples
from sandbox.sound.playback import Playback


def sound(length: int, first: int = 1) -> Samples:
    return np.arange(first, first + length, dtype=np.int16)


def names(playback: Playback) -> list[str]:
    reached = list(playback.reached)
    playback.reached.clear()
    return reached


@given(st.lists(st.integers(0, 400), max_size=12))
def test_pieces_of_any_size_come_out_as_whole_frames_in_order(sizes: list[int]) -> None:
    playback = Playback(100_000)
    first = 1
    for size in sizes:
        assert playback.add(sound(size, first))
        first += size
    total = sum(sizes)
    out = np.concatenate([playback.take() for _ in range(total // FRAME + 1)])
    assert np.array_equal(out[:total], sound(total))
    assert not out[total:].any()
    assert playback.queued == 0


def test_a_mark_is_reached_with_the_frame_that_plays_its_last_sample() -> None:
    playback = Playback(100_000)
    playback.add(sound(FRAME + 1))
    playback.mark("end")
    playback.take()
    assert names(playback) == []
    playback.take()
    assert names(playback) == ["end"]


def test_a_mark_with_nothing_queued_is_reached_at_once() -> None:
    playback = Playback(100_000)
    playback.mark("now")
    assert names(playback) == ["now"]


def test_clear_drops_the_sound_and_reaches_every_mark_in_order() -> None:
    playback = Playback(100_000)
    playback.add(sound(1_000))
    playback.mark("a")
    playback.add(sound(1_000))
    playback.mark("b")
    playback.clear()
    assert names(playback) == ["a", "b"]
    assert playback.take() is QUIET


def test_what_does_not_fit_is_not_taken() -> None:
    playback = Playback(FRAME)
    assert playback.add(sound(FRAME))
    assert not playback.add(sound(1))
    playback.take()
    assert playback.add(sound(1))


def test_the_oldest_can_be_dropped_so_that_what_is_live_stays_live() -> None:
    playback = Playback(100_000)
    playback.add(sound(1_000))
    playback.drop_oldest(keep=FRAME)
    assert np.array_equal(playback.take(), sound(FRAME, 1_001 - FRAME))
