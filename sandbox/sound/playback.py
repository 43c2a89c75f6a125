"""A queue of sound to be played frame by frame, with marks in it. No clock, no I/O.

Sound may come in pieces of any size. A mark is *reached* once everything queued before it was taken, at once where
nothing is queued; clearing drops the sound and reaches every mark.
"""

from collections import deque

import numpy as np

from sandbox.sound.frames import QUIET
from sandbox.sound.mulaw import FRAME, Samples

MOST_MARKS = 10_000  # beyond it, the oldest counts as reached


class Playback:
    """See the top of this file. `most`: samples the queue holds; what does not fit is not taken in."""

    def __init__(self, most: int) -> None:
        self.reached: deque[str] = deque()
        self._most = most
        self._pieces: deque[Samples] = deque()
        self._offset = 0  # into the first piece
        self._added = 0
        self._played = 0
        self._marks: deque[tuple[int, str]] = deque()

    @property
    def queued(self) -> int:
        """Samples that were added and not played yet."""
        return self._added - self._played

    def add(self, samples: Samples) -> bool:
        """False when there is no room for it: nothing of it is taken then."""
        if self.queued + len(samples) > self._most:
            return False
        if len(samples):
            self._pieces.append(samples)
            self._added += len(samples)
        return True

    def mark(self, name: str) -> None:
        self._marks.append((self._added, name))
        if len(self._marks) > MOST_MARKS:
            self.reached.append(self._marks.popleft()[1])
        self._reach()

    def clear(self) -> None:
        self._pieces.clear()
        self._offset = 0
        self._played = self._added
        self._reach()

    def drop_oldest(self, keep: int) -> None:
        """Forget what was queued first until that many samples are left."""
        excess = self.queued - keep
        while excess > 0:
            excess -= len(self._take(min(excess, FRAME)))
        self._reach()

    def take(self) -> Samples:
        """The next frame; what is missing of it is silence."""
        if not self._pieces:
            return QUIET
        sound = self._take(FRAME)
        self._reach()
        if len(sound) == FRAME:
            return sound
        frame = np.zeros(FRAME, dtype=np.int16)
        frame[: len(sound)] = sound
        return frame

    def _take(self, wanted: int) -> Samples:
        parts: list[Samples] = []
        while wanted > 0 and self._pieces:
            piece = self._pieces[0][self._offset : self._offset + wanted]
            parts.append(piece)
            wanted -= len(piece)
            self._offset += len(piece)
            if self._offset == len(self._pieces[0]):
                self._pieces.popleft()
                self._offset = 0
            self._played += len(piece)
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _reach(self) -> None:
        while self._marks and self._marks[0][0] <= self._played:
            self.reached.append(self._marks.popleft()[1])
