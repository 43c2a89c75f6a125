"""Sounds placed in time: what one end of a line plays, to be read frame by frame.

Positions count samples from the sandbox's first instant. A sound is placed where it begins and may be cut where it
is cut short, both to the sample; nobody needs to read the frames for that to be true.
"""

from dataclasses import dataclass

import numpy as np

from sandbox.sound.frames import QUIET, mixed
from sandbox.sound.mulaw import FRAME, RATE, Samples

_FORGET = 2 * RATE  # samples after which a sound that is over is no longer asked for


@dataclass(eq=False, slots=True)
class Placed:
    """One sound in its place. `end` is where it is over; None: it goes round and round."""

    start: int
    samples: Samples
    end: int | None
    alone: bool = False

    def cut(self, at: int) -> None:
        """It sounds no further than there. Later than its end: nothing changes."""
        self.end = at if self.end is None else min(self.end, at)

    def part(self, first: int) -> Samples:
        """Its share of the frame that begins there."""
        begin, end = max(first, self.start), first + FRAME
        if self.end is not None:
            end = min(end, self.end)
        if begin >= end:
            return QUIET
        sound = self._between(begin - self.start, end - self.start)
        if len(sound) == FRAME:
            return sound
        frame = np.zeros(FRAME, dtype=np.int16)
        frame[begin - first : begin - first + len(sound)] = sound
        return frame

    def _between(self, begin: int, end: int) -> Samples:
        length = len(self.samples)
        if end <= length:
            return self.samples[begin:end]
        return self.samples[np.arange(begin, end) % length]


class Timeline:
    """The sounds of one end. Overlapping ones sound together."""

    __slots__ = ("_placed",)

    def __init__(self) -> None:
        self._placed: list[Placed] = []

    def place(self, samples: Samples, start: int, *, endless: bool = False, alone: bool = False) -> Placed:
        """endless: from its end it begins again, until it is cut. alone: nothing else is heard meanwhile."""
        self._placed = [old for old in self._placed if old.end is None or old.end > start - _FORGET]
        placed = Placed(start, samples, None if endless else start + len(samples), alone)
        if len(samples):
            self._placed.append(placed)
        return placed

    def clear(self) -> None:
        """Nothing sounds here any more."""
        self._placed.clear()

    def frame(self, number: int) -> Samples:
        """The frame of that number."""
        if not self._placed:
            return QUIET
        first = number * FRAME
        return mixed([placed.part(first) for placed in self._placed])

    def alone(self, number: int) -> bool:
        """Whether a sound that wants to be heard alone is sounding in that frame."""
        first = number * FRAME
        return any(
            placed.alone and placed.start < first + FRAME and (placed.end is None or placed.end > first)
            for placed in self._placed
        )
