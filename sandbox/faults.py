"""Faults: what goes wrong, where, how often. Seeded, so that a run can be repeated.

A fault waits at a *point*, a dotted name such as `calls.create`, `call.completed`,
`conference.participant-join`, `message` or `stream`. Whoever passes a point asks `strike`.
"""

import random
from dataclasses import dataclass, field
from enum import StrEnum

MOST_FAULTS = 1_000


class FaultKind(StrEnum):
    """docs/sandbox.md says what each does and at which points."""

    LATENCY = "latency"
    TOO_MANY_REQUESTS = "too_many_requests"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    REPLY_DROPPED = "reply_dropped"
    CALLBACK_LOST = "callback_lost"
    CALLBACK_DOUBLED = "callback_doubled"
    CALLBACK_DELAYED = "callback_delayed"
    CALLBACK_REORDERED = "callback_reordered"
    WEBHOOK_REFUSED = "webhook_refused"
    STREAM_REFUSED = "stream_refused"
    STREAM_CUT = "stream_cut"
    STREAM_GAP = "stream_gap"
    CARRIER_ERROR = "carrier_error"


@dataclass(frozen=True)
class Fault:
    """One rule. Every field narrows it; without any it strikes everywhere, always."""

    kind: FaultKind
    on: str = ""
    number: str | None = None
    probability: float = 1.0
    times: int | None = None
    skip: int = 0
    seconds: float = 0.0
    code: int | None = None

    def covers(self, point: str, numbers: tuple[str, ...]) -> bool:
        at_point = not self.on or point == self.on or point.startswith(self.on + ".")
        return at_point and (self.number is None or self.number in numbers)


@dataclass
class _Armed:
    """A fault with its own dice and what is left of it."""

    fault: Fault
    dice: random.Random
    passed: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        if self.fault.times is not None and self.struck >= self.fault.times:
            return False
        self.passed += 1
        if self.passed <= self.fault.skip or self.dice.random() >= self.fault.probability:
            return False
        self.struck += 1
        return True


@dataclass
class Faults:
    """The faults that are set, in the order they were set."""

    seed: int
    _armed: list[_Armed] = field(default_factory=list[_Armed])
    _set: int = 0

    def add(self, *faults: Fault) -> None:
        for fault in faults:
            if len(self._armed) >= MOST_FAULTS:
                message = f"more than {MOST_FAULTS} faults are set"
                raise ValueError(message)
            self._set += 1
            dice = random.Random(f"{self.seed}/{self._set}")  # noqa: S311  # repeatable on purpose
            self._armed.append(_Armed(fault, dice))

    def clear(self) -> None:
        self._armed.clear()

    def strike(self, kind: FaultKind, point: str, *numbers: str) -> Fault | None:
        """The first fault of that kind that strikes here now, if any."""
        for armed in self._armed:
            if armed.fault.kind is kind and armed.fault.covers(point, numbers) and armed.strikes():
                return armed.fault
        return None

    def snapshot(self) -> list[dict[str, object]]:
        return [
            {
                "kind": armed.fault.kind.value,
                "on": armed.fault.on,
                "number": armed.fault.number,
                "probability": armed.fault.probability,
                "times": armed.fault.times,
                "struck": armed.struck,
            }
            for armed in self._armed
        ]
