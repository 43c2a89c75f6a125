"""What the bridge knows and decides about one stream, from `start` to its end. No sockets, no tasks, no clock.

opening ── start with a token ──► claiming ── the workflow accepts ──► carried ── stop ──► over
   │                                  │
   │                                  ├── it is an ear's ──► listening ── stop ──► over
   └── anything else ──► over         └── forged, or refused ──► over

A stream that is claiming keeps its audio: Temporal may be down, and the caller shall not hear that. Instructions
are followed while claiming too, since the workflow may speak before its acceptance has reached us.

Time is an argument: seconds of a clock that only goes forward. What is to be done comes back as effects, in order.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from bridge.audio import SAMPLES_A_MS, decoded
from bridge.ears import Ear, Loud
from bridge.effects import (
    AskToAttach,
    Claim,
    CloseModel,
    Effect,
    End,
    Overheard,
    ToModel,
)
from bridge.errors import LocalProtocolError
from bridge.hearing import Hearing
from bridge.metrics import Figures
from bridge.model import AppendAudio, Configure, Meaning, News, Ready, Remember, Trouble
from bridge.rollover import Links
from bridge.talk import Talk
from bridge.twilio_wire import (
    Connected,
    Dtmf,
    FromTwilio,
    Mark,
    Media,
    Start,
    Stop,
    StreamSid,
    Unknown,
)
from workflows.assistant import Role
from workflows.orders import Instruction
from workflows.tokens import EarToken, StreamToken
from workflows.voice import Plan, ToolOutcome

TOKEN = "token"  # the <Parameter> of our TwiML that says whose stream this is  # noqa: S105
BROKEN_IN_A_ROW = 50  # a second of nothing but broken frames: the other side is not Twilio, or is ill

NORMAL, GOING_AWAY, PROTOCOL_ERROR, POLICY, SERVICE_RESTART = 1000, 1001, 1002, 1008, 1012


class At(StrEnum):
    """How far a stream has come."""

    OPENING = "opening"
    CLAIMING = "claiming"
    CARRIED = "carried"
    LISTENING = "listening"
    OVER = "over"


@dataclass
class Counts:
    """What came by, for the log. misplaced: what comes once, at the beginning, and came again."""

    frames: int = 0
    media: int = 0
    keys: int = 0
    marks: int = 0
    unknown: int = 0
    foreign: int = 0
    misplaced: int = 0
    broken: int = 0


@dataclass
class Session:
    """One stream. unix_s: what a clock shows when `now` is 0."""

    unix_s: float = 0.0
    at: At = At.OPENING
    stream: StreamSid | None = None
    leg: StreamToken | None = None
    ear: EarToken | None = None
    talk: Talk | None = None
    heard_ms: int = 0
    counts: Counts = field(default_factory=Counts)
    hearing: Hearing = field(default_factory=Hearing)
    _ear: Ear = field(default_factory=Ear)
    _broken_in_a_row: int = 0
    _now: float = 0.0
    _full: bool = False
    _told: dict[int, tuple[int, Configure]] = field(default_factory=dict[int, tuple[int, Configure]])
    _out: list[Effect] = field(default_factory=list[Effect])

    def __post_init__(self) -> None:
        self.links = Links(self._out.append)

    @property
    def quiet(self) -> bool:
        """Whether nothing may be said until a role is given."""
        return self.talk is not None and self.talk.quiet

    @property
    def role(self) -> Role:
        """What the AI is in the room."""
        return self.talk.role if self.talk is not None else Role.ANSWERING

    @property
    def paced(self) -> bool:
        """Whether sound goes out in real time, by the clock."""
        return self.talk is not None and self.talk.outlet.paced

    # Twilio

    def received(self, message: FromTwilio, now: float) -> list[Effect]:
        """Twilio sent this."""
        self._now = now
        if self.at is At.OVER:
            return []
        self.counts.frames += 1
        self._broken_in_a_row = 0
        match message:
            case Media() if message.stream == self.stream and self.at is not At.OPENING:
                self._sound(message, now)
            case Unknown():
                self.counts.unknown += 1
            case Connected() if self.at is At.OPENING:
                pass
            case Start() if self.at is At.OPENING:
                self._started(message)
            case Connected() | Start():  # on a stream that has started: sound goes on
                self.counts.misplaced += 1
            case _ if self.at is At.OPENING:
                self._end(PROTOCOL_ERROR, f"{type(message).__name__} before start")
            case Media() | Dtmf() | Mark() | Stop() if message.stream != self.stream:
                self.counts.foreign += 1
            case Media():
                pass
            case Dtmf():
                self.counts.keys += 1
            case Mark(_, name):
                self.counts.marks += 1
                if self.talk is not None:
                    self.talk.marked(name, now)
            case Stop():
                self._end(NORMAL, "stopped")
        return self._taken()

    def passes(self, stream: str, timestamp_ms: int, samples: int, now: float) -> int | None:
        """A chunk of sound came. The model session it goes to as it is, if it is just the next one; else None.

        The short way for what comes fifty times a second: `received` must be asked about anything else.
        """
        link = self.links.active
        if link is None or self._full or self.at is not At.CARRIED or stream != self.stream:
            return None
        if not self.hearing.expects(timestamp_ms, samples // SAMPLES_A_MS, now):
            return None
        self._now = now
        counts = self.counts
        counts.frames += 1
        counts.media += 1
        self._broken_in_a_row = 0
        self.heard_ms = max(self.heard_ms, timestamp_ms)
        return link

    def plays(self, link: int, response: str, item: str, samples: int, now: float) -> tuple[bool, str | None]:
        """The model gave a piece of sound. Whether it is played as it is, and the mark to be sent behind it.

        The short way, as above: if not, `model_said` must be asked.
        """
        talk = self.talk
        if link != self.links.active or talk is None or not talk.goes_on(response, item, samples):
            return False, None
        self._now = now
        return True, talk.playback.pass_on(item, samples, now)

    def broken(self, because: str) -> list[Effect]:
        """A frame came that cannot be read: skipped on a running stream, unless nothing else comes."""
        if self.at is At.OVER:
            return []
        self.counts.broken += 1
        self._broken_in_a_row += 1
        if self.at is At.OPENING or self._broken_in_a_row >= BROKEN_IN_A_ROW:
            self._end(PROTOCOL_ERROR, because)
        return self._taken()

    # Whose stream it is

    def claimed(self, leg: StreamToken) -> list[Effect]:
        """The token is ours, and of this leg."""
        if self.at is not At.CLAIMING or self.stream is None:
            raise LocalProtocolError(f"a stream that is {self.at} was claimed")
        self.leg = leg
        self.talk = Talk(self.stream, leg.generation, self.unix_s, self._now, self._out.append)
        self._out.append(AskToAttach(leg, self.stream))
        return self._taken()

    def claimed_as_ear(self, ear: EarToken) -> list[Effect]:
        """The token is ours: this stream only tells when that leg speaks."""
        if self.at is not At.CLAIMING:
            raise LocalProtocolError(f"a stream that is {self.at} was claimed as an ear")
        self.ear, self.at = ear, At.LISTENING
        return []

    def forged(self) -> list[Effect]:
        """The token is none of ours, or too old."""
        return self._ended(POLICY, "no token of ours")

    def attached(self, plan: Plan | None, now: float) -> list[Effect]:
        """The workflow accepts us. plan: what the model is to be; None: nothing speaks on this leg."""
        self._now = now
        if self.at is At.CLAIMING and self.talk is not None:
            self.at = At.CARRIED
            if plan is not None:
                self.talk.begin(plan)
                self.links.start(now)
        return self._taken()

    def refused(self, because: str) -> list[Effect]:
        """The workflow has no use for this stream."""
        return self._ended(POLICY, because)

    def late(self) -> list[Effect]:
        """No `start` came in time."""
        return self._ended(PROTOCOL_ERROR, "no start in time")

    def stuck(self) -> list[Effect]:
        """This stream cannot be carried on here; what follows in our TwiML opens another."""
        return self._ended(GOING_AWAY, "cannot be carried on")

    def replaced(self) -> list[Effect]:
        """The leg's audio comes on another stream of ours now."""
        return self._ended(GOING_AWAY, "replaced by a newer stream")

    def handed_over(self) -> list[Effect]:
        """This process ends; what follows in our TwiML leads to another."""
        return self._ended(SERVICE_RESTART, "restarting")

    def gone(self, now: float) -> list[Effect]:
        """Twilio's socket is closed."""
        self._now = now
        return self._ended(NORMAL, "closed")

    # The workflow

    def instructed(self, order: Instruction, now: float) -> list[Effect]:
        """The workflow wants something said, known, or a silence, or a role. A repeat clears again."""
        if self.at not in {At.CLAIMING, At.CARRIED} or self.talk is None:
            raise LocalProtocolError(f"a stream that is {self.at} was instructed")
        self._now = now
        self.talk.instructed(order, now)
        return self._taken()

    def tool_done(self, call: str, outcome: ToolOutcome, now: float) -> list[Effect]:
        """The workflow has answered a tool call."""
        if self.at is At.CARRIED and self.talk is not None:
            self.talk.tool_done(call, outcome, now)
        return self._taken()

    def done_late(self, name: str, outcome: ToolOutcome, now: float) -> list[Effect]:
        """What came of a tool call that the model was told to be still under way."""
        if self.at is At.CARRIED and self.talk is not None:
            self.talk.done_late(name, outcome, now)
        return self._taken()

    def overheard(self, loud: Loud) -> None:
        """One of the call's ears has heard its leg."""
        if self.talk is not None:
            self.talk.words.ears.heard(loud)

    # The model

    def model_opened(self, link: int, now: float) -> list[Effect]:
        """A session at the model is there, and knows nothing yet."""
        self._now = now
        if self.talk is not None and self.links.knows(link):
            configured = self.talk.configuration(first=True)
            self._out.append(ToModel(link, configured))
            mirror = self.talk.words.mirror
            self._told[link] = mirror.count, configured
            if mirror.count:
                self._out.append(ToModel(link, Remember(mirror.since())))
        return self._taken()

    def model_said(self, link: int, news: News, now: float) -> list[Effect]:
        """A session at the model tells something."""
        self._now = now
        if self.talk is None or not self.links.knows(link):
            return []
        match news:
            case Ready(expires_at):
                lasts_s = expires_at - self.unix_s - now if expires_at is not None else None
                if self.links.ready(link, lasts_s, now):
                    self._use(link, now)
            case Trouble(code, message, Meaning.ENDED | Meaning.HOPELESS):
                self._out.append(CloseModel(link))
                hopeless = news.meaning is Meaning.HOPELESS
                self._lost(link, f"{code}: {message}"[:200], now, hopeless=hopeless)
            case _ if link == self.links.active:
                self.talk.news(news, now)
            case _:
                pass  # of a session that is not in use yet
        return self._taken()

    def model_lost(self, link: int, because: str, now: float, *, hopeless: bool = False) -> list[Effect]:
        """A session at the model is gone, or could not be opened."""
        self._now = now
        if self.talk is not None and self.links.knows(link):
            self._lost(link, because, now, hopeless=hopeless)
        return self._taken()

    def model_full(self, *, full: bool) -> list[Effect]:
        """The way to the model takes no more for now, or takes more again."""
        self._full = full
        if not full and self.links.active is not None:
            self._let_hear_what_was_kept(self.links.active)
        return self._taken()

    # Time

    def tick(self, now: float) -> list[Effect]:
        """Time passes."""
        self._now = now
        if self.at is At.CARRIED and self.talk is not None:
            for payload in self.hearing.pause(now):
                self._to_model(payload)
            self.talk.tick(now)
            if self.links.active is not None and self.talk.unanswered(now):
                self._out.append(CloseModel(self.links.active))
                self._lost(self.links.active, "does not answer", now, hopeless=False)
            if self.links.tick(now, silent=self.talk.silent(now)) and self.links.active is not None:
                self._use(self.links.active, now)
        return self._taken()

    def due(self, now: float) -> float | None:
        """When `tick` wants to be called, if nothing comes before that."""
        if self.at is not At.CARRIED or self.talk is None or self.talk.plan is None:
            return None
        waits = (self.hearing.due(), self.talk.due(now), self.links.due(now))
        return min((wait for wait in waits if wait is not None), default=None)

    @property
    def figures(self) -> Figures:
        """What the call's audio was like so far."""
        figures = self.talk.figures if self.talk is not None else Figures()
        figures.late_ms, figures.lost_ms = self.hearing.late_ms, self.hearing.lost_ms
        figures.model_reconnects = max(self.links.reconnects, 0)
        return figures

    # Within

    def _sound(self, message: Media, now: float) -> None:
        self.counts.media += 1
        self.heard_ms = max(self.heard_ms, message.timestamp_ms)
        if self.ear is not None:
            if loud_ms := self._ear.hears(decoded(message.payload)):
                loud = Loud(self.ear.speaker, self.ear.person, self.unix_s + now, loud_ms)
                self._out.append(Overheard(self.ear.call, loud))
            return
        for payload in self.hearing.frame(message.timestamp_ms, message.payload, now):
            self._to_model(payload)

    def _to_model(self, payload: str) -> None:
        if self.links.active is None or self._full:
            self.hearing.keep(payload)
        else:
            self._out.append(ToModel(self.links.active, AppendAudio(payload)))

    def _use(self, link: int, now: float) -> None:
        if self.talk is None:
            return
        self._full = False
        remembered, configured = self._told.pop(link, (0, None))
        self.talk.uses(link, remembered=remembered, configured=configured, now=now)
        self._let_hear_what_was_kept(link)

    def _let_hear_what_was_kept(self, link: int) -> None:
        self._out.extend(ToModel(link, AppendAudio(payload)) for payload in self.hearing.kept())

    def _lost(self, link: int, because: str, now: float, *, hopeless: bool) -> None:
        self._told.pop(link, None)
        if self.talk is not None and self.links.lost(link, because, now, hopeless=hopeless):
            self.talk.lost(now)
            if self.links.active is not None:
                self._use(self.links.active, now)

    def _started(self, start: Start) -> None:
        self.stream = start.stream
        if (start.encoding, start.sample_rate) != ("audio/x-mulaw", 8000):
            self._end(
                PROTOCOL_ERROR, f"{start.encoding} at {start.sample_rate}: only mu-law at 8000 is carried"
            )
            return
        self.at = At.CLAIMING
        self._out.append(Claim(start.parameters.get(TOKEN, "")))

    def _ended(self, code: int, because: str) -> list[Effect]:
        self._end(code, because)
        return self._taken()

    def _end(self, code: int, because: str) -> None:
        if self.at is At.OVER:
            return
        self.at = At.OVER
        self.links.end()
        if self.talk is not None:
            self.talk.over(self._now)
        self._out.append(End(code, because))

    def _taken(self) -> list[Effect]:
        if not self._out:
            return []
        taken = self._out.copy()
        self._out.clear()
        return taken
