"""Text as sound and back, without a model: the light voice, and the light ears that understand only it.

Each byte of UTF-8 is a pair of tones for 40 ms and 20 ms of quiet, which is about as fast as people speak. It
passes mu-law, mixing with silence and any alignment of frames. Two at once are not understood, as little as two
people at once are, and of a sentence that is cut off exactly the letters are heard that were played: so a test can
ask what somebody heard, to the frame, on a machine without any speech model.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sandbox.sound.mulaw import RATE, Samples

Real: TypeAlias = NDArray[np.float64]

TONE: Final = RATE * 40 // 1000
QUIET: Final = RATE * 20 // 1000
LETTER: Final = TONE + QUIET

_LOW: Real = 350.0 + 75.0 * np.arange(16, dtype=np.float64)
_HIGH: Real = 1700.0 + 100.0 * np.arange(16, dtype=np.float64)
_LOUDNESS = 7000.0  # of each tone; together about -10 dBFS
_HOP: Final = RATE * 5 // 1000
_LEAST = 400.0  # rms of a hop that belongs to a tone
_SHORTEST: Final = RATE * 30 // 1000
_READ: Final = RATE * 25 // 1000


def _tones(frequencies: Real) -> Real:
    return np.sin(2 * np.pi * np.outer(frequencies, np.arange(TONE)) / RATE) * _LOUDNESS


def _probes(frequencies: Real) -> NDArray[np.complex128]:
    waves: NDArray[np.complex128] = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(_READ)) / RATE)
    return waves * np.hanning(_READ).astype(np.complex128)


_LOW_TONES, _HIGH_TONES = _tones(_LOW), _tones(_HIGH)
_LOW_PROBES, _HIGH_PROBES = _probes(_LOW), _probes(_HIGH)
_EDGE = np.minimum(1.0, np.minimum(np.arange(TONE), np.arange(TONE)[::-1]) / 16.0)


def speak(text: str) -> Samples:
    """The text as sound."""
    sound = np.zeros((len(text.encode()), LETTER), dtype=np.int16)
    for letter, byte in zip(sound, text.encode(), strict=True):
        letter[:TONE] = (_LOW_TONES[byte >> 4] + _HIGH_TONES[byte & 0x0F]) * _EDGE
    return sound.reshape(-1)


def understand(samples: Samples) -> str:
    """What was said in this sound, as far as it was one voice at a time. Broken letters are left out."""
    heard = bytes(byte for start, end in _letters(samples) if (byte := _read(samples[start:end])) is not None)
    return heard.decode(errors="ignore")


def _letters(samples: Samples) -> list[tuple[int, int]]:
    """Where tones begin and end."""
    hops = len(samples) // _HOP
    if hops == 0:
        return []
    power = np.square(samples[: hops * _HOP].astype(np.float64)).reshape(hops, _HOP).mean(axis=1)
    loud = np.concatenate(([False], np.sqrt(power) > max(_LEAST, 0.3 * float(np.sqrt(power.max()))), [False]))
    edges = np.flatnonzero(loud[1:] != loud[:-1]) * _HOP
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= _SHORTEST]


def _read(tone: Samples) -> int | None:
    """The byte of one tone pair; None where it is no clear pair."""
    if len(tone) > TONE + 4 * _HOP:
        return None
    middle = (len(tone) - _READ) // 2
    part = tone[middle : middle + _READ].astype(np.float64)
    low, high = np.abs(_LOW_PROBES @ part), np.abs(_HIGH_PROBES @ part)
    if not (_clear(low) and _clear(high)):
        return None
    return int(low.argmax()) << 4 | int(high.argmax())


def _clear(strengths: Real) -> bool:
    first, second = np.sort(strengths)[::-1][:2]
    return bool(first > 1.3 * second)
