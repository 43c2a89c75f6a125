"""What goes wrong at the speech model, and when. Seeded, so that a run can be repeated."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sandbox.errors import SandboxError
from sandbox.speech.errors import Refusal
from sandbox.speech.fields import Fields, Json

MOST_FAULTS: Final = 1_000
REFUSALS: Final = (401, 403, 404, 429, 500, 502, 503)


class Kind(StrEnum):
    """docs/sandbox.md says what each does."""

    REFUSE = "refuse"
    DROP = "drop"
    CLOSE = "close"
    STALL = "stall"
    SLOW = "slow"
    SLOW_UPDATE = "slow_update"
    SLOW_TRANSCRIPT = "slow_transcript"
    FAIL = "fail"
    ERROR = "error"
    EXPIRE = "expire"
    GARBLE = "garble"


class Point(StrEnum):
    """Where a fault strikes: before and at the handshake, in a session's life, while an answer leaves."""

    CONNECTION = "connection"
    HANDSHAKE = "handshake"
    SESSION = "session"
    RESPONSE = "response"


_POINTS: Final = {
    Kind.REFUSE: {Point.CONNECTION},
    Kind.SLOW_UPDATE: {Point.HANDSHAKE},
    Kind.SLOW_TRANSCRIPT: {Point.HANDSHAKE},
    Kind.SLOW: {Point.RESPONSE},
    Kind.FAIL: {Point.RESPONSE},
}
_ELSE: Final = {Point.SESSION, Point.RESPONSE}


@dataclass(frozen=True)
class Fault:
    """One rule.

    after_ms: of the session's life, or of sound of the answer that has left. lasts_ms: of what is slow or stands
    still. code: an HTTP status, a close code, an error's code, or how a frame is garbled.
    """

    kind: Kind
    on: Point
    after_ms: int = 0
    lasts_ms: int = 0
    code: str = ""
    probability: float = 1.0
    times: int | None = None
    skip: int = 0

    def json(self) -> Json:
        return {
            "kind": self.kind.value, "on": self.on.value, "after_ms": self.after_ms,
            "lasts_ms": self.lasts_ms, "code": self.code, "probability": self.probability,
            "times": self.times, "skip": self.skip,
        }  # fmt: skip


def read_fault(given: Fields) -> Fault:
    """Raises SandboxError with the reason."""
    try:
        given.only(("kind", "on", "after_ms", "lasts_ms", "code", "probability", "times", "skip"))
        kind = Kind(given.one_of("kind", tuple(Kind)))
        points = _POINTS.get(kind, _ELSE)
        on = Point(
            given.one_of("on", sorted(points), Point.SESSION if Point.SESSION in points else min(points))
        )
        code = given.given("code")
        fault = Fault(
            kind,
            on,
            given.whole("after_ms", 0, 0, 10**9),
            given.whole("lasts_ms", 0, 0, 10**9),
            "" if code is None else str(code),
            given.number("probability", 1.0, 0.0, 1.0),
            None if given.given("times") is None else given.whole("times", None, 1, 10**6),
            given.whole("skip", 0, 0, 10**6),
        )
    except Refusal as refusal:
        raise SandboxError(refusal.message) from refusal
    if kind is Kind.REFUSE and int(fault.code or "503") not in REFUSALS:
        message = f"a connection is refused with one of {REFUSALS}"
        raise SandboxError(message)
    return fault


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


class Faults:
    """The faults that are set, in the order they were set."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._armed: list[_Armed] = []
        self._set = 0

    def add(self, fault: Fault) -> None:
        if len(self._armed) >= MOST_FAULTS:
            message = f"more than {MOST_FAULTS} faults are set"
            raise SandboxError(message)
        self._set += 1
        dice = random.Random(f"{self.seed}/{self._set}")  # noqa: S311  # repeatable on purpose
        self._armed.append(_Armed(fault, dice))

    def clear(self) -> None:
        self._armed.clear()

    def strike(self, on: Point) -> Iterator[Fault]:
        """The faults that strike whoever passes this point now."""
        for armed in self._armed:
            if armed.fault.on is on and armed.strikes():
                yield armed.fault

    def json(self) -> list[Json]:
        return [{**armed.fault.json(), "struck": armed.struck} for armed in self._armed]
