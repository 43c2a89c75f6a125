"""What every part of the network shares: account, time, memory, mischief."""

from dataclasses import dataclass, field
from datetime import timedelta

from sandbox.assumptions import Assumptions
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.ids import AccountSid, Sids
from sandbox.journal import Journal, Kind

DEFAULT_ACCOUNT = AccountSid("AC" + "0" * 32)
DEFAULT_TOKEN = "sandbox-token"  # noqa: S105  # a telephone network of cardboard
API_VERSION = "2010-04-01"


@dataclass(frozen=True)
class Account:
    sid: AccountSid = DEFAULT_ACCOUNT
    token: str = DEFAULT_TOKEN


@dataclass
class World:
    """One sandbox. `public_url` is known once it listens."""

    account: Account
    clock: Clock
    sids: Sids
    journal: Journal
    faults: Faults
    assumptions: Assumptions = field(default_factory=Assumptions)
    public_url: str = "http://sandbox.invalid"
    silence_frames: bool = False

    def speech_time(self, text: str) -> timedelta:
        """How long it takes to say that."""
        return timedelta(seconds=len(text) / self.assumptions.speech_characters_per_second)

    def play_time(self) -> timedelta:
        """How long any sound file is taken to be: there is no sound yet."""
        return timedelta(seconds=self.assumptions.play_s)

    def alert(self, code: int, text: str, *, call: str | None = None, url: str = "") -> None:
        """Write down what Twilio's debugger would show."""
        self.journal.write(Kind.ALERT, call=call, code=code, text=text, url=url)
