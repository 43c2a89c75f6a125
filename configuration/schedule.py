"""Who is on call at an instant, and why; what a line's ladder would be, and when that changes.

Pure: the same file and the same instant give the same answer, in any process.
It knows nothing of Temporal, of Twilio or of what time it is.
"""

from dataclasses import dataclass
from datetime import datetime

from configuration.model import Channel, Configuration, Line, Severity


@dataclass(frozen=True)
class OnCall:
    """The person on call in a rotation, and a sentence for humans that says why."""

    person: str
    because: str


@dataclass(frozen=True)
class Nobody:
    """No person is on call in a rotation, and why not."""

    because: str


@dataclass(frozen=True)
class PlannedPerson:
    """A responder on a rung, with what leads to them; None or empty is a channel not to be used."""

    person: str
    name: str
    because: str
    voice: str | None
    sms: str | None
    push: tuple[str, ...]
    languages: tuple[str, ...]

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that lead to this person."""
        raise NotImplementedError


@dataclass(frozen=True)
class PlannedRung:
    """One rung with the people of that instant. `nobody` says which rotations have none, and why."""

    name: str
    people: tuple[PlannedPerson, ...]
    nobody: tuple[str, ...]
    wait_s: float
    wait_nobody_s: float
    ring_again_s: float


@dataclass(frozen=True)
class PlannedLadder:
    """A line's ladder as it would be climbed from that instant on."""

    line: str
    ladder: str
    category: str | None
    severity: Severity
    at: datetime
    rungs: tuple[PlannedRung, ...]
    last_resort: PlannedRung
    pauses_s: tuple[float, ...]
    submit_limit_s: float


def on_call(configuration: Configuration, rotation: str, at: datetime) -> OnCall | Nobody:
    """Who is on call in the rotation at the aware instant, and why. An unknown rotation is a KeyError."""
    raise NotImplementedError


def planned_ladder(
    configuration: Configuration, line: str, category: str | None, at: datetime
) -> PlannedLadder:
    """The line's ladder for the category at the aware instant.

    Without a category, or with one the line does not know, it is the line's own ladder, and urgent.
    A rung on which nobody is on call stays in its place, with the reasons. An unknown line is a KeyError.
    """
    raise NotImplementedError


def is_open(line: Line, at: datetime) -> bool:
    """Whether the business answers its own telephone at the aware instant."""
    raise NotImplementedError


def next_change(configuration: Configuration, at: datetime, rotation: str | None = None) -> datetime | None:
    """The first instant after `at` at which another person is on call, in one rotation or in any.

    None where nobody else comes on call within a year.
    """
    raise NotImplementedError
