"""What a session wants done outside of itself."""

from dataclasses import dataclass
from typing import TypeAlias

from sandbox.sound.mulaw import Samples
from sandbox.speech.fields import Json


@dataclass(frozen=True)
class Send:
    """An event for the client."""

    event: Json


@dataclass(frozen=True, eq=False)
class Listen:
    """Understand this, then call `heard` with the same number. language: empty where it is not known."""

    number: int
    samples: Samples
    language: str


@dataclass(frozen=True)
class Speak:
    """Turn this into sound, then call `spoken` with the same response."""

    response_id: str
    text: str
    language: str


@dataclass(frozen=True)
class Close:
    """The session is over."""

    code: int
    reason: str


Order: TypeAlias = Send | Listen | Speak | Close
