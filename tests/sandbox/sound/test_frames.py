"""Mixing: everybody hears the sum of those who reach them, clipped."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.sound.frames import QUIET, mixed, mixed_for_each
from sandbox.sound.mulaw import FRAME, Samples

voices = st.lists(st.one_of(st.none(), st.integers(-32768, 32767)), min_size=1, max_size=8)


def flat(level: int | None) -> Samples:
    return QUIET if level is None else np.full(FRAME, level, dtype=np.int16)


@settings(deadline=None)
@given(voices, st.randoms())
def test_each_ear_hears_the_clipped_sum_of_those_who_reach_it(levels: list[int | None], draw: object) -> None:
    random = getattr(draw, "random")  # noqa: B009  # hypothesis' own type is not exported
    frames = [flat(level) for level in levels]
    hears = [frozenset(n for n in range(len(levels)) if random() < 0.6) for _ in range(4)]
    for heard, ear in zip(hears, mixed_for_each(frames, hears), strict=True):
        total = sum(levels[number] or 0 for number in heard)
        assert set(ear.tolist()) == {max(-32768, min(32767, total))}


def test_one_voice_alone_is_passed_on_as_it_is() -> None:
    voice = flat(5)
    assert mixed([QUIET, voice, QUIET]) is voice


def test_silence_stays_the_one_silence() -> None:
    assert mixed([QUIET, QUIET]) is QUIET
    assert all(ear is QUIET for ear in mixed_for_each([QUIET] * 6, [frozenset(range(6))] * 6))
