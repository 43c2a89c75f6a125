"""Whether a bridge process takes another stream: a bound, and how late its loop runs.

Past some 85 % of a core the lateness of every stream grows tenfold within a tenth more calls, so a process that is
late refuses, and Twilio's next attempt may reach another.
"""

from collections import deque
from dataclasses import dataclass, field

BEAT_S = 0.1
BEATS = 30  # three seconds: a single long pause is no overload
LATE_MS = 20.0
STREAMS = 400


@dataclass
class Admission:
    """Of one process. most: streams at the same time. late_ms: what lateness of its loop is too much."""

    most: int = STREAMS
    late_ms: float = LATE_MS
    _beats: deque[float] = field(default_factory=lambda: deque[float](maxlen=BEATS))

    def beat(self, late_ms: float) -> None:
        """The loop woke so late."""
        self._beats.append(late_ms)

    @property
    def lateness_ms(self) -> float:
        """How late the loop runs: the median of the last seconds."""
        beats = sorted(self._beats)
        return beats[len(beats) // 2] if beats else 0.0

    def why_not(self, streams: int) -> str | None:
        """Why not one more; None takes it."""
        if streams >= self.most:
            return f"{streams} streams are carried already"
        if len(self._beats) == BEATS and self.lateness_ms > self.late_ms:
            return f"the loop is {self.lateness_ms:.0f} ms late"
        return None
