"""Cuts the sound of a line into turns of speech, by loudness alone. No clock: it counts frames."""

import numpy as np

from sandbox.sound.frames import FRAME_MS, QUIET
from sandbox.sound.mulaw import Samples

LOUD = 300.0  # root mean square of a frame that may be speech: about -41 dB below full scale
QUIET_MS = 400  # so much quiet ends a turn; within words there is less
LONGEST_MS = 15_000  # a turn without an end (noise) is given out in pieces


def is_loud(frame: Samples) -> bool:
    if frame is QUIET:
        return False
    return float(np.sqrt(np.mean(np.square(frame, dtype=np.float32)))) > LOUD


class Turns:
    """See the top of this file."""

    def __init__(self, quiet_ms: int = QUIET_MS) -> None:
        self.frames: list[Samples] = []  # of the turn that goes on now
        self._most_quiet = quiet_ms // FRAME_MS
        self._quiet = 0
        self._before = QUIET

    @property
    def speaking(self) -> bool:
        return bool(self.frames)

    def hear(self, frame: Samples) -> Samples | None:
        """Take the next frame. Gives a turn when it is over."""
        loud = is_loud(frame)
        if not self.frames:
            if loud:
                self.frames = [self._before, frame]  # words begin softly
            self._before = frame
            return None
        self.frames.append(frame)
        self._quiet = 0 if loud else self._quiet + 1
        if self._quiet < self._most_quiet and len(self.frames) * FRAME_MS < LONGEST_MS:
            return None
        return self.end()

    def end(self) -> Samples | None:
        """The turn so far, which ends here; None without one."""
        if not self.frames:
            return None
        turn, self.frames, self._quiet, self._before = np.concatenate(self.frames), [], 0, QUIET
        return turn

    def so_far(self) -> Samples:
        return np.concatenate(self.frames) if self.frames else QUIET
