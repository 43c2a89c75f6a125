"""Frames: 20 ms of sound, the unit in which everything travels. No clock, no state.

Silence is one shared frame, `QUIET`: who is silent costs nothing, and `frame is QUIET` tells so. A frame is never
changed once it exists, so that many may hold the same one.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

import numpy as np

from sandbox.sound.mulaw import FRAME, RATE, Samples

FRAME_MS: Final = 20
FRAME_TIME: Final = timedelta(milliseconds=FRAME_MS)
SAMPLE_TIME: Final = timedelta(seconds=1) / RATE

QUIET: Final[Samples] = np.zeros(FRAME, dtype=np.int16)
QUIET.flags.writeable = False

_LOUDEST, _DEEPEST = np.int32(32_767), np.int32(-32_768)
_MANY: Final = 4  # voices at once, from where one matrix product is cheaper than adding them up for each ear


def lasts(samples: int) -> timedelta:
    """How long that many samples sound."""
    return samples * SAMPLE_TIME


def mixed(frames: Iterable[Samples]) -> Samples:
    """The frames sounding together, clipped at full scale."""
    loud = [frame for frame in frames if frame is not QUIET]
    if not loud:
        return QUIET
    if len(loud) == 1:
        return loud[0]
    total = loud[0].astype(np.int32)
    for frame in loud[1:]:
        total += frame
    # np.clip does the same and takes five times as long for so few numbers.
    return np.minimum(np.maximum(total, _DEEPEST), _LOUDEST).astype(np.int16)


def mixed_for_each(voices: Sequence[Samples], hears: Sequence[frozenset[int]]) -> list[Samples]:
    """What each listener hears of the voices.

    hears: for each listener the positions of the voices that reach it.
    """
    loud = [number for number, voice in enumerate(voices) if voice is not QUIET]
    if not loud:
        return [QUIET] * len(hears)
    if len(loud) < _MANY:
        return [mixed(voices[number] for number in loud if number in heard) for heard in hears]
    reaches = np.array([[number in heard for number in loud] for heard in hears], dtype=np.float32)
    # Exact: sums of some hundred 16-bit numbers are whole numbers in a float32 (below 2**24).
    total = reaches @ np.stack([voices[number] for number in loud]).astype(np.float32)
    clipped = np.clip(total, _DEEPEST, _LOUDEST).astype(np.int16)
    return [ear if row.any() else QUIET for ear, row in zip(clipped, reaches, strict=True)]
