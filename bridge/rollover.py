"""Which model session is in use, and which is coming: first opening, loss, and roll-over before the model's limit.

none ── open ──► coming ── ready ──► active ── lost ──► none, and open again after a pause that grows
                                       │
                                       └── its time runs out ──► another is coming ── ready, and silence ──► active

The old session stays in use until the new one is ready and nobody speaks; at the very end of its time it is left in
any case. Losing the coming one changes nothing for the active one.
"""

from collections.abc import Callable

from bridge.effects import CloseModel, Effect, OpenModel, TellTrouble

UNREACHABLE_S = 1.0  # the caller is in silence: a second later the workflow says "one moment"
READY_S = 5.0  # socket and configuration; a session that takes longer is given up
PAUSES_S = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
HOPELESS_PAUSE_S = 60.0  # a refused key or an empty account does not heal within a call
STEADY_S = 10.0  # a session that held for so long was no failure
LASTS_S = 3600.0  # the model's limit where it does not say it
EARLY_S = 300.0
LAST_S = 20.0
LOOK_S = 0.2


class Links:
    """The model sessions of one stream. Times in seconds of one monotonic clock."""

    def __init__(self, do: Callable[[Effect], None]) -> None:
        self.active: int | None = None
        self.reconnects = -1
        self._do = do
        self._next = 0
        self._coming: int | None = None
        self._coming_is_ready = False
        self._coming_lasts_s = LASTS_S
        self._give_up_s = 0.0
        self._failures = 0
        self._open_again_s: float | None = None
        self._tell_s: float | None = None
        self._told = False
        self._ready_since_s = 0.0
        self._roll_s = 0.0
        self._must_roll_s = 0.0

    def start(self, now: float) -> None:
        """Open the first session."""
        self._tell_s = now + UNREACHABLE_S
        self._open(now)

    def knows(self, link: int) -> bool:
        """Whether this session is still of interest."""
        return link in {self.active, self._coming}

    def ready(self, link: int, lasts_s: float | None, now: float) -> bool:
        """A session can be used. lasts_s: how long, if it says so. Gives whether it is in use from now on."""
        if link != self._coming:
            return False
        self._coming_is_ready = True
        self._coming_lasts_s = lasts_s if lasts_s is not None and lasts_s > 0 else LASTS_S
        self._ready_since_s = now
        return self.active is None and self._switch(now)

    def lost(self, link: int, because: str, now: float, *, hopeless: bool = False) -> bool:
        """A session is gone. Gives whether it was the one in use."""
        was_active = link == self.active
        if was_active:
            self.active = None
            if not self._told:
                self._told = True
                self._do(TellTrouble("model-lost", because))
            if now - self._ready_since_s >= STEADY_S:
                self._failures = 0
        elif link == self._coming:
            self._coming = None
            if self.active is None and not self._told:
                self._told = True
                self._do(TellTrouble("model-unreachable", because))
        else:
            return False
        if self.active is None and self._coming is not None and self._coming_is_ready:
            self._switch(now)
        elif self._coming is None:
            pause_s = PAUSES_S[min(self._failures, len(PAUSES_S) - 1)]
            self._failures += 1
            self._open_again_s = now + (HOPELESS_PAUSE_S if hopeless else pause_s)
        return was_active

    def tick(self, now: float, *, silent: bool) -> bool:
        """Time passes. silent: nobody speaks and nothing is to be said. Gives whether another session is in use."""
        if self._tell_s is not None and now >= self._tell_s:
            self._tell_s = None
            if self.active is None and not self._told:
                self._told = True
                self._do(TellTrouble("model-unreachable", "no session in time"))
        if self._open_again_s is not None and now >= self._open_again_s:
            self._open_again_s = None
            self._open(now)
        if self._coming is not None and not self._coming_is_ready and now >= self._give_up_s:
            given_up = self._coming
            self._do(CloseModel(given_up))
            self.lost(given_up, "no session in time", now)
        if self.active is None or now < self._roll_s:
            return False
        if self._coming is None:
            if self._open_again_s is None:
                self._open(now)
            return False
        if self._coming_is_ready and (silent or now >= self._must_roll_s):
            return self._switch(now)
        return False

    def due(self, now: float) -> float | None:
        """When to look again."""
        waits = [self._tell_s, self._open_again_s]
        if self._coming is not None and not self._coming_is_ready:
            waits.append(self._give_up_s)
        if self.active is not None and self._coming is None:
            waits.append(self._roll_s)
        if self.active is not None and self._coming_is_ready:
            waits.append(min(self._must_roll_s, now + LOOK_S))  # silence has no event of its own
        return min((wait for wait in waits if wait is not None), default=None)

    def end(self) -> None:
        """The stream is over."""
        for link in (self.active, self._coming):
            if link is not None:
                self._do(CloseModel(link))
        self.active = self._coming = self._open_again_s = self._tell_s = None

    def _open(self, now: float) -> None:
        self._next += 1
        self._coming, self._coming_is_ready = self._next, False
        self._give_up_s = now + READY_S
        self._do(OpenModel(self._coming))

    def _switch(self, now: float) -> bool:
        if self.active is not None:
            self._do(CloseModel(self.active))
        self.active, self._coming, self._coming_is_ready = self._coming, None, False
        self._tell_s = None
        self.reconnects += 1
        early_s = min(EARLY_S, self._coming_lasts_s / 2)
        self._roll_s = now + self._coming_lasts_s - early_s
        self._must_roll_s = now + self._coming_lasts_s - min(LAST_S, early_s / 2)
        if self._told:
            self._told = False
            self._do(TellTrouble("model-back", ""))
        return True
