"""Sound that comes from outside while it is made, such as a browser's microphone. No clock.

It arrives unevenly: a little is kept back before the first of it is played, and when too much has piled up the
oldest is dropped, so that a talk never lags behind.
"""

from sandbox.sound.frames import QUIET
from sandbox.sound.mulaw import RATE, Samples
from sandbox.sound.playback import Playback

HELD_BACK = RATE * 60 // 1_000
TOO_MUCH = RATE


class LiveMic:
    """See the top of this file."""

    def __init__(self) -> None:
        self._queue = Playback(60 * RATE)
        self._flowing = False

    def add(self, samples: Samples) -> None:
        self._queue.add(samples)
        if self._queue.queued > TOO_MUCH:
            self._queue.drop_oldest(keep=HELD_BACK)

    def take(self) -> Samples:
        """The next frame."""
        if self._queue.queued == 0:
            self._flowing = False
        elif self._queue.queued >= HELD_BACK:
            self._flowing = True
        return self._queue.take() if self._flowing else QUIET
