"""Says how much of what one leg sent is in what another heard.

Both tracks are cut into the same frames, so only the delay between them is unknown, and it is whole frames. A frame
that was sent counts as present in what was heard if the heard one cannot be explained as well without it: a mix is a
sum, and what else is in it (what other legs said, what was played to the listener) is taken away first.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sandbox.sound.frames import FRAME_MS
from sandbox.sound.mulaw import FRAME, Samples
from sandbox.sound.tape import Track
from sandbox.sound.turns import is_loud

LONGEST_DELAY_MS = 600
PRESENT = 0.7  # of a frame must be found; two letters of the light voice that share a tone reach half of it
DISTINCT = 0.1  # of it must differ from what else sounds, or it cannot be told apart

Real = NDArray[np.float64]


@dataclass(frozen=True)
class Found:
    """present: how many of the `sent` loud frames were heard, at the delay at which the most were.

    unclear: how many of them could not be told from other sounds of that instant; they count as not present.
    """

    present: int
    sent: int
    delay_ms: int
    unclear: int = 0


def frames_heard(sent: Track, heard: Track, others: Sequence[Track] = ()) -> Found:
    """How many frames of `sent` are in `heard`.

    others: what may be in it too: what the other legs said, and what was played to the listener. With the light
    voice they are needed: all its speakers make the same tones.
    """
    numbers = [number for number in sent.numbers if is_loud(sent.frame(number))]
    if not numbers:
        return Found(0, 0, 0)
    delays = {id(other): _likely_delay(other, heard) for other in others}
    best = Found(0, len(numbers), 0)
    for delay in range(LONGEST_DELAY_MS // FRAME_MS + 1):
        present = unclear = 0
        for number in numbers:
            rest = [other.frame(number + delay - delays[id(other)]) for other in others]
            verdict = _is_in(sent.frame(number), heard.frame(number + delay), rest)
            present += verdict is True
            unclear += verdict is None
        if present > best.present:
            best = Found(present, len(numbers), delay * FRAME_MS, unclear)
    return best


def _likely_delay(other: Track, heard: Track) -> int:
    """The delay at which the most of that track is found, in frames."""
    scores = [0.0] * (LONGEST_DELAY_MS // FRAME_MS + 1)
    for number in other.numbers:
        frame = other.frame(number)
        if is_loud(frame):
            for delay in range(len(scores)):
                scores[delay] += float(np.dot(_real(frame), _real(heard.frame(number + delay))))
    return int(np.argmax(scores))


def _is_in(sent: Samples, heard: Samples, others: Sequence[Samples]) -> bool | None:
    """Whether that frame is part of that mix; None where it cannot be told."""
    wanted, mix = _real(sent), _real(heard)
    loud = [_real(other) for other in others if is_loud(other)]
    if loud:
        basis = np.linalg.qr(np.stack(loud, axis=1))[0]
        mix = mix - basis @ (basis.T @ mix)
        own = wanted - basis @ (basis.T @ wanted)
        if own @ own < DISTINCT * (wanted @ wanted):
            return None
        wanted = own
    energy = float(wanted @ wanted)
    share = float(wanted @ mix) / energy
    return share > PRESENT


def _real(frame: Samples) -> Real:
    return frame[:FRAME].astype(np.float64)
