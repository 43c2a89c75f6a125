"""What the bridge knows and decides about one stream, from `start` to its end. No sockets, no tasks, no clock.

opening ── start with a token ──► claiming ── the workflow accepts ──► carried ── stop ──► over
   │                                  │
   └── anything else ──► over         └── forged, or refused ──► over

A stream that is claiming keeps its audio: Temporal may be down, and the caller shall not hear that. Instructions
are followed while claiming too, since the workflow may speak before its acceptance has reached us.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from bridge.errors import LocalProtocolError
from bridge.twilio_wire import (
    Connected,
    Dtmf,
    FromTwilio,
    Mark,
    Media,
    SendClear,
    Start,
    Stop,
    StreamSid,
    ToTwilio,
    Unknown,
)
from workflows.assistant import Role
from workflows.orders import Instruction
from workflows.tokens import StreamToken

TOKEN = "token"  # the <Parameter> of our TwiML that says whose stream this is  # noqa: S105
BROKEN_IN_A_ROW = 50  # a second of nothing but broken frames: the other side is not Twilio, or is ill

NORMAL, GOING_AWAY, PROTOCOL_ERROR, POLICY = 1000, 1001, 1002, 1008


class At(StrEnum):
    """How far a stream has come."""

    OPENING = "opening"
    CLAIMING = "claiming"
    CARRIED = "carried"
    OVER = "over"


@dataclass(frozen=True)
class Claim:
    """Whose stream is this? The token that came with it says so, or is none of ours."""

    token: str


@dataclass(frozen=True)
class AskToAttach:
    """Ask the call's workflow whether we may carry this leg."""

    leg: StreamToken
    stream: StreamSid


@dataclass(frozen=True)
class End:
    """Close the socket; Twilio then goes on with our TwiML. code: as web sockets have it."""

    code: int
    because: str


Out = Claim | AskToAttach | End | ToTwilio


@dataclass
class Counts:
    """What came by, for the log."""

    frames: int = 0
    media: int = 0
    keys: int = 0
    marks: int = 0
    unknown: int = 0
    foreign: int = 0
    broken: int = 0


@dataclass
class Session:
    """One stream. quiet: nothing may be said until a role is given; role: what the AI is in the room."""

    at: At = At.OPENING
    stream: StreamSid | None = None
    leg: StreamToken | None = None
    role: Role = Role.ANSWERING
    person: str = ""
    quiet: bool = False
    heard_ms: int = 0
    counts: Counts = field(default_factory=Counts)
    _broken_in_a_row: int = 0

    def received(self, message: FromTwilio) -> list[Out]:
        """Twilio sent this."""
        if self.at is At.OVER:
            return []
        self.counts.frames += 1
        self._broken_in_a_row = 0
        match message:
            case Unknown():
                self.counts.unknown += 1
                return []
            case Connected() if self.at is At.OPENING:
                return []
            case Start() if self.at is At.OPENING:
                return self._started(message)
            case Connected() | Start():
                return self._end(PROTOCOL_ERROR, f"{type(message).__name__} on a stream that has started")
            case _ if self.at is At.OPENING:
                return self._end(PROTOCOL_ERROR, f"{type(message).__name__} before start")
            case Media() | Dtmf() | Mark() | Stop() if message.stream != self.stream:
                self.counts.foreign += 1
                return []
            case Media(_, timestamp_ms, _):
                self.counts.media += 1
                self.heard_ms = max(self.heard_ms, timestamp_ms)
                return []
            case Dtmf():
                self.counts.keys += 1
                return []
            case Mark():
                self.counts.marks += 1
                return []
            case Stop():
                return self._end(NORMAL, "stopped")

    def broken(self, because: str) -> list[Out]:
        """A frame came that cannot be read: skipped on a running stream, unless nothing else comes."""
        if self.at is At.OVER:
            return []
        self.counts.broken += 1
        self._broken_in_a_row += 1
        if self.at is At.OPENING or self._broken_in_a_row >= BROKEN_IN_A_ROW:
            return self._end(PROTOCOL_ERROR, because)
        return []

    def claimed(self, leg: StreamToken) -> list[Out]:
        """The token is ours, and of this leg."""
        if self.at is not At.CLAIMING or self.stream is None:
            raise LocalProtocolError(f"a stream that is {self.at} was claimed")
        self.leg = leg
        return [AskToAttach(leg, self.stream)]

    def forged(self) -> list[Out]:
        """The token is none of ours, or too old."""
        return self._end(POLICY, "no token of ours")

    def attached(self) -> list[Out]:
        """The workflow accepts us."""
        if self.at is At.CLAIMING:
            self.at = At.CARRIED
        return []

    def refused(self, because: str) -> list[Out]:
        """The workflow has no use for this stream."""
        return self._end(POLICY, because)

    def late(self) -> list[Out]:
        """No `start` came in time."""
        return self._end(PROTOCOL_ERROR, "no start in time")

    def stuck(self) -> list[Out]:
        """This stream cannot be carried on here; what follows in our TwiML opens another."""
        return self._end(GOING_AWAY, "cannot be carried on")

    def replaced(self) -> list[Out]:
        """The leg's audio comes on another stream of ours now."""
        return self._end(GOING_AWAY, "replaced by a newer stream")

    def instructed(self, order: Instruction) -> list[Out]:
        """The workflow wants silence, or a role; a repeat changes nothing but clears again."""
        if self.at not in {At.CLAIMING, At.CARRIED} or self.stream is None:
            raise LocalProtocolError(f"a stream that is {self.at} was instructed")
        match order.what:
            case "quiet":
                self.quiet = True
                return [SendClear(self.stream)]
            case "role":
                self.quiet, self.role, self.person = False, order.role, order.person
                return []

    def _started(self, start: Start) -> list[Out]:
        self.stream = start.stream
        token = start.parameters.get(TOKEN)
        if token is None:
            return self.forged()
        self.at = At.CLAIMING
        return [Claim(token)]

    def _end(self, code: int, because: str) -> list[Out]:
        if self.at is At.OVER:
            return []
        self.at = At.OVER
        return [End(code, because)]
