"""What the model is to hear: the leg's sound without holes, kept for a moment while no model listens.

Twilio leaves frames out where there is silence, and a model that hears nothing does not notice that somebody has
stopped speaking. So holes are filled with silence, by the frames' own timestamps, and by the clock while none come.
"""

from collections import deque

from bridge.audio import SAMPLES_A_MS, samples_in, silence

HOLE_MS = 40  # less is unsteadiness of the timestamps
FILLED_AT_MOST_MS = 2000  # a hole longer than this was no pause in the talk
QUIET_S = 0.3  # without a frame for so long, silence is made up
KEPT = 2000 * SAMPLES_A_MS  # while no model listens: the newest two seconds, the oldest are dropped


class Hearing:
    """One leg's sound on its way to the model."""

    def __init__(self) -> None:
        self.late_ms = 0
        self.lost_ms = 0
        self.jumps = 0
        self._expected_ms: int | None = None
        self._last_s = 0.0
        self._made_up_ms = 0
        self._kept: deque[str] = deque()
        self._kept_samples = 0

    def frame(self, timestamp_ms: int, payload: str, now: float) -> list[str]:
        """A chunk came; gives what the model is to hear: silence for a hole before it, and the chunk."""
        length_ms = samples_in(payload) // SAMPLES_A_MS
        hole_ms = 0
        if self._expected_ms is not None and timestamp_ms != self._expected_ms:
            hole_ms = timestamp_ms - self._expected_ms
            if hole_ms < -HOLE_MS:
                self.jumps += 1
        self._expected_ms = timestamp_ms + length_ms
        self._last_s = now
        made_up_ms, self._made_up_ms = self._made_up_ms, 0
        hole_ms -= made_up_ms
        if hole_ms < HOLE_MS:
            return [payload]
        self.lost_ms += hole_ms
        return [silence(min(hole_ms, FILLED_AT_MOST_MS) // 20 * 20), payload]

    def expects(self, timestamp_ms: int, length_ms: int, now: float) -> bool:
        """A chunk came. Whether it is just the next one, and taken as such; else `frame` must look at it."""
        if timestamp_ms != self._expected_ms or self._made_up_ms:
            return False
        self._expected_ms = timestamp_ms + length_ms
        self._last_s = now
        return True

    def pause(self, now: float) -> list[str]:
        """Time passes; gives the silence that nobody sent."""
        if self._expected_ms is None or self._made_up_ms >= FILLED_AT_MOST_MS:
            return []
        missing_ms = int((now - self._last_s) * 1000) - self._made_up_ms
        if missing_ms < QUIET_S * 1000:
            return []
        missing_ms = min(missing_ms, FILLED_AT_MOST_MS - self._made_up_ms) // 20 * 20
        self._made_up_ms += missing_ms
        return [silence(missing_ms)]

    def due(self) -> float | None:
        """When to look for a pause."""
        if self._expected_ms is None or self._made_up_ms >= FILLED_AT_MOST_MS:
            return None
        return self._last_s + self._made_up_ms / 1000 + QUIET_S

    def keep(self, payload: str) -> None:
        """No model listens: keep this, and let go of the oldest beyond two seconds."""
        self._kept.append(payload)
        self._kept_samples += samples_in(payload)
        while self._kept_samples > KEPT:
            dropped = samples_in(self._kept.popleft())
            self._kept_samples -= dropped
            self.late_ms += dropped // SAMPLES_A_MS

    def kept(self) -> list[str]:
        """What was kept, oldest first; it is then kept no more."""
        kept = list(self._kept)
        self._kept.clear()
        self._kept_samples = 0
        return kept
