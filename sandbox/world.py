"""What every part of the network shares: account, time, memory, mischief."""

from dataclasses import dataclass, field
from datetime import timedelta

from sandbox.assumptions import Assumptions
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.ids import AccountSid, Sids
from sandbox.journal import Journal, Kind
from sandbox.sound.frames import lasts
from sandbox.sound.mulaw import Samples
from sandbox.sound.studio import DEFAULT_LANGUAGE, Own, Studio

DEFAULT_ACCOUNT = AccountSid("AC" + "0" * 32)
DEFAULT_TOKEN = "sandbox-token"  # noqa: S105  # a telephone network of cardboard
API_VERSION = "2010-04-01"


@dataclass(frozen=True)
class Account:
    sid: AccountSid = DEFAULT_ACCOUNT
    token: str = DEFAULT_TOKEN


@dataclass(frozen=True)
class Clip:
    """What sounds for a while. Without samples it only takes its time: a network without sound."""

    duration: timedelta
    samples: Samples | None = None


def clip_of(samples: Samples) -> Clip:
    return Clip(lasts(len(samples)), samples)


@dataclass
class World:
    """One sandbox. `public_url` is known once it listens; without a studio it has no sound, only texts."""

    account: Account
    clock: Clock
    sids: Sids
    journal: Journal
    faults: Faults
    assumptions: Assumptions = field(default_factory=Assumptions)
    public_url: str = "http://sandbox.invalid"
    studio: Studio | None = None

    async def spoken(self, text: str, language: str = DEFAULT_LANGUAGE, voice: str = "") -> Clip:
        """The text said aloud, or the time that takes."""
        if self.studio is None:
            return Clip(timedelta(seconds=len(text) / self.assumptions.speech_characters_per_second))
        return clip_of(await self.studio.speak(text, language, voice))

    def own_sound(self, name: Own) -> Samples | None:
        """A sound of the network's own, where there is sound."""
        return None if self.studio is None else self.studio.own[name]

    def alert(self, code: int, text: str, *, call: str | None = None, url: str = "") -> None:
        """Write down what Twilio's debugger would show."""
        self.journal.write(Kind.ALERT, call=call, code=code, text=text, url=url)
