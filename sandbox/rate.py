"""The account's call rate: one bucket for every call that is created by request."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass
class CallRate:
    """Gives each created call its turn; the n-th in a burst waits n/rate seconds.

    A call that is cancelled in the queue keeps its turn: it passes unused.
    """

    per_second: float
    free_at: datetime | None = None

    def take_turn(self, now: datetime) -> timedelta:
        """How long the next call has to wait."""
        if self.per_second <= 0:
            return timedelta(0)
        turn = now if self.free_at is None else max(now, self.free_at)
        self.free_at = turn + timedelta(seconds=1 / self.per_second)
        return turn - now
