"""The people of the town and their phones: what each does when it rings or gets a message.

A phone has a list of behaviours for calls and one for messages. Each call uses one up; the
last repeats.
"""

import re
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.sound.mulaw import Samples

if TYPE_CHECKING:
    from sandbox.handset import Holder

MOST_STEPS = 1_000

_SPELLED = {
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "star": "*",
    "pound": "#",
}
_WORDS = "|".join(_SPELLED)
_KEY = re.compile(rf"[0-9*#]|\b(?:{_WORDS})\b", re.IGNORECASE)


def keys_in(text: str) -> str:
    """The keys named in a text, as digits or as words, in order."""
    return "".join(_SPELLED.get(key.lower(), key) for key in (found.group() for found in _KEY.finditer(text)))


# ── steps: what a person does on the line ─────────────────────────────────────────────


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class Press:
    """Keys one after the other; `w` is half a second, `W` a whole one."""

    digits: str


@dataclass(frozen=True)
class PressHeard:
    """Wait for the pattern in what is heard, press the keys named in its group."""

    pattern: str


@dataclass(frozen=True)
class WaitFor:
    """Wait for the pattern in what is heard since the last match."""

    pattern: str


@dataclass(frozen=True)
class Say:
    text: str


@dataclass(frozen=True, eq=False)
class PlayFile:
    """A sound, and what the journal calls it."""

    name: str
    samples: Samples


@dataclass(frozen=True)
class WhenHeard:
    """Wait until this phone's own ears have understood the pattern, be it in the middle of a sentence."""

    pattern: str


@dataclass(frozen=True)
class SayOver:
    """Speak while somebody else does: so long after they begin, or when a pattern is understood."""

    text: str
    when_heard: str | None = None
    after_s: float = 1.0


@dataclass(frozen=True)
class Hum:
    """Make a sound without words."""

    seconds: float


@dataclass(frozen=True)
class Noise:
    """From now on there is noise around this phone, so many decibels below full scale (a negative number)."""

    level_db: float


@dataclass(frozen=True)
class Stay:
    """Until the other side ends it."""


@dataclass(frozen=True)
class HangUp:
    pass


Step = (
    Wait | Press | PressHeard | WaitFor | Say | PlayFile | WhenHeard | SayOver | Hum | Noise | Stay | HangUp
)


# ── behaviours for calls ──────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class NoAnswer:
    """Rings until the caller gives up."""


@dataclass(frozen=True)
class Busy:
    pass


@dataclass(frozen=True)
class Unreachable:
    """The network cannot find it: the call fails."""


@dataclass(frozen=True)
class Refuses:
    """Twilio refuses the create with this code, for a call or a message."""

    code: int


@dataclass(frozen=True)
class Held:
    """Rings until somebody answers by hand; pressed and hung up by hand."""


@dataclass(frozen=True, init=False)
class Answers:
    """Picks up after so many seconds, then does the steps; stays when they are over."""

    after_s: float
    steps: tuple[Step, ...]

    def __init__(self, after_s: float = 0.0, *steps: Step) -> None:
        object.__setattr__(self, "after_s", after_s)
        object.__setattr__(self, "steps", steps[:MOST_STEPS])


@dataclass(frozen=True)
class Voicemail:
    """A machine: greeting, beep, then it listens for a while. It never presses a key."""

    after_s: float = 20.0
    greeting_s: float = 4.0
    records_s: float = 30.0
    says: str = "The person you are calling is not available. Please leave a message."


CallBehaviour = NoAnswer | Busy | Unreachable | Refuses | Held | Answers | Voicemail


# ── behaviours for messages ───────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Delivers:
    """The message arrives; perhaps somebody answers it.

    reply: what comes back, as it is. reply_heard: a pattern whose group comes back.
    """

    after_s: float = 2.0
    reply: str | None = None
    reply_heard: str | None = None
    reply_after_s: float = 3.0


@dataclass(frozen=True)
class Undeliverable:
    """The carrier gives it up with this code."""

    code: int = 30003
    after_s: float = 2.0


@dataclass(frozen=True)
class Loses:
    """Sent, and never heard of again."""


TextBehaviour = Delivers | Undeliverable | Refuses | Loses


@dataclass
class Phone:
    """One telephone, with what it will do next."""

    number: str
    name: str
    calls: deque[CallBehaviour] = field(default_factory=lambda: deque[CallBehaviour]([NoAnswer()]))
    texts: deque[TextBehaviour] = field(default_factory=lambda: deque[TextBehaviour]([Delivers()]))
    rung: int = 0
    received: int = 0
    language: str = "en-US"
    voice: str = ""  # by name, where the network's voice has several
    holder: "Holder | None" = None  # somebody outside who has it in hand

    def on_calls(self, *behaviours: CallBehaviour) -> None:
        self.calls = deque(behaviours or (NoAnswer(),))

    def on_texts(self, *behaviours: TextBehaviour) -> None:
        self.texts = deque(behaviours or (Delivers(),))

    def refusal_of_call(self) -> int | None:
        """The code with which the next call is refused at create, if it is."""
        if isinstance(self.calls[0], Refuses):
            refusal = self._next_call()
            return refusal.code if isinstance(refusal, Refuses) else None
        return None

    def take_call(self) -> CallBehaviour:
        """It rings: what it does this time."""
        self.rung += 1
        if self.holder is not None:
            return self.holder.behaviour()
        return self._next_call()

    def _next_call(self) -> CallBehaviour:
        return self.calls.popleft() if len(self.calls) > 1 else self.calls[0]

    def take_text(self) -> TextBehaviour:
        self.received += 1
        return self.texts.popleft() if len(self.texts) > 1 else self.texts[0]

    def refusal_of_text(self) -> int | None:
        if isinstance(self.texts[0], Refuses):
            refusal = self.texts.popleft() if len(self.texts) > 1 else self.texts[0]
            return refusal.code if isinstance(refusal, Refuses) else None
        return None
