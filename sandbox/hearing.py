"""What is said and heard on a leg, as values; and who stands at its far end."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from sandbox.clock import Promise

SoundKind = Literal["say", "play", "music", "beep", "speech", "announcement", "ringing"]


@dataclass(frozen=True)
class Sound:
    """Something that can be heard. `by` is the call SID of the leg it comes from, if any."""

    text: str
    kind: SoundKind
    by: str | None = None


class FarEnd(Protocol):
    """Whoever is at the other end of the line."""

    def begins(self, sound: Sound, lasts: timedelta) -> None:
        """Something begins to sound. Only told where there is sound."""

    def hears(self, sound: Sound) -> None: ...
    def receives_keys(self, digits: str) -> None: ...
    def cut_off(self) -> None: ...


@dataclass(eq=False)
class Speaking:
    """Something being said on a leg. `over` is kept with how much of it was said."""

    text: str
    began: datetime
    lasts: timedelta
    over: Promise[timedelta]


class Carrier(Protocol):
    """Brings what is said on a leg to the ears of others while it is being said."""

    def carries(self, speaking: Speaking) -> None: ...

    def reaches(self) -> list[str]:
        """The call SIDs of those who hear this leg now."""
        ...


def part_of(sound: Sound, played: timedelta, duration: timedelta) -> Sound:
    """As much of the words as could be said in that time."""
    share = min(1.0, played / duration) if duration else 0.0
    return Sound(sound.text[: int(len(sound.text) * share)], sound.kind, sound.by)
