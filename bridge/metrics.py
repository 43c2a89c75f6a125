"""What one call's audio was like: counted while it runs, told in the log and in health."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

KEPT = 256  # of each measured time; a call has some hundred answers at the most


def _times() -> deque[float]:
    return deque(maxlen=KEPT)


@dataclass
class Figures:
    """Times in milliseconds.

    first_audio_ms: from the end of somebody's speech to the first sound of the answer sent. barge_in_ms: from the
    news that somebody speaks to the order to clear, on its way. late_ms: sound of the leg that came too late for any
    model. lost_ms: holes in it. dropped: pieces of the model's sound nobody was to hear any more.
    """

    first_audio_ms: deque[float] = field(default_factory=_times)
    barge_in_ms: deque[float] = field(default_factory=_times)
    barge_ins: int = 0
    dropped: int = 0
    late_ms: int = 0
    lost_ms: int = 0
    model_reconnects: int = 0
    model_errors: int = 0
    tool_calls: int = 0

    def told(self) -> dict[str, float]:
        """The same in one line."""
        return {
            "answers": len(self.first_audio_ms),
            "first_audio_ms": round(middle(self.first_audio_ms), 1),
            "barge_ins": self.barge_ins,
            "barge_in_ms": round(max(self.barge_in_ms, default=0.0), 2),
            "dropped": self.dropped,
            "late_ms": self.late_ms,
            "lost_ms": self.lost_ms,
            "model_reconnects": self.model_reconnects,
            "model_errors": self.model_errors,
            "tool_calls": self.tool_calls,
        }


def middle(times: Iterable[float]) -> float:
    """The median; 0 of nothing."""
    ordered = sorted(times)
    return ordered[len(ordered) // 2] if ordered else 0.0
