"""A line without sockets: one session, Twilio's player and a speech model, all on a clock that tests move.

The player plays what it is sent in real time, in steps of 5 ms, returns marks when what was before them was played,
and all of them at once when it is cleared. Each item's sound is bytes of its own, so what was really heard of it is
counted by ear.
"""

import base64
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from bridge.effects import Effect, ToModel
from bridge.model import (
    AppendAudio,
    Audio,
    Forget,
    ItemDone,
    News,
    Order,
    Ready,
    ResponseOver,
    ResponseStarted,
    SpeechStarted,
    SpeechStopped,
    Transcript,
)
from bridge.model import Ending as How
from bridge.session import Session
from bridge.twilio_wire import Mark, Media, SendClear, SendMark, SendMedia, Start, StreamSid
from workflows.orders import Instruction
from workflows.tokens import StreamToken
from workflows.values import CallSid
from workflows.voice import Plan, Speaker, Tool, Turn

STREAM = StreamSid("MZ1")
CALL = CallSid("CA1")
LEG = StreamToken(CALL, 1, "nonce")
TOOLS = (Tool("note", "Notes.", '{"type": "object"}'), Tool("escalate", "Wakes.", '{"type": "object"}'))
PLAN = Plan("Listen.", TOOLS, "marin", "en")
UNIX_S = 1_800_000_000.0
STEP_MS = 5

T = TypeVar("T")


@dataclass
class Player:
    """Twilio's end: plays, and returns marks. stalled_ms: for how long it plays nothing."""

    queue: deque[int | str] = field(default_factory=deque[int | str])
    heard: Counter[int] = field(default_factory=Counter[int])
    cleared: int = 0
    stalled_ms: int = 0
    stale: Counter[int] = field(default_factory=Counter[int])

    def takes(self, effect: SendMedia | SendMark | SendClear) -> list[str]:
        """Something came; gives the marks to be returned at once."""
        match effect:
            case SendMedia():
                self.queue.extend(base64.b64decode(effect.payload))
            case SendMark(_, name):
                self.queue.append(name)
            case SendClear():
                self.cleared += 1
                bounced = [one for one in self.queue if isinstance(one, str)]
                self.queue.clear()
                return bounced
        return []

    def plays(self, ms: int) -> list[str]:
        """So much time passes; gives the marks that came up."""
        came: list[str] = []
        if self.stalled_ms > 0:
            self.stalled_ms -= ms
            return came
        samples = ms * 8
        while self.queue and (samples or isinstance(self.queue[0], str)):
            one = self.queue.popleft()
            if isinstance(one, str):
                came.append(one)
            else:
                self.heard[one] += 1
                samples -= 1
        return came


class Line:
    """A stream that is carried, with a model session that is ready."""

    def __init__(self, plan: Plan = PLAN, *, ready: bool = True, accepted: bool = True) -> None:
        self.session = Session(UNIX_S)
        self.player = Player()
        self.now = 100.0
        self.effects: list[Effect] = []
        self._items: dict[str, int] = {}
        self._rings_at = float("inf")
        self.act(self.session.received(Start(STREAM, "AC1", "CA2", {"token": "t"}), self.now))
        self.act(self.session.claimed(LEG))
        self._plan = plan
        if accepted:
            self.is_accepted()
        if accepted and ready:
            self.model_is_ready(1)

    # What happens

    def is_accepted(self) -> None:
        """The call's workflow takes the stream."""
        self.act(self.session.attached(self._plan, self.now))

    def model_opens(self, link: int) -> None:
        """A session at the model is there, and knows nothing yet."""
        self.act(self.session.model_opened(link, self.now))

    def model_is_ready(self, link: int, lasts_s: float | None = None) -> None:
        """A session at the model is there, and is what it was told to be."""
        self.model_opens(link)
        self.is_ready(link, lasts_s)

    def is_ready(self, link: int, lasts_s: float | None = None) -> None:
        """A session at the model is what it was told to be."""
        expires_at = UNIX_S + self.now + lasts_s if lasts_s is not None else None
        self.act(self.session.model_said(link, Ready(expires_at), self.now))

    def says(self, *news: News, link: int = 1) -> None:
        """The model tells."""
        for one in news:
            self.act(self.session.model_said(link, one, self.now))

    def sound(self, item: str, ms: float, response: str = "r1", link: int = 1) -> None:
        """The model gives so much of an item's sound."""
        code = self._items.setdefault(item, len(self._items) + 1)
        payload = base64.b64encode(bytes([code]) * round(ms * 8)).decode()
        self.says(Audio(response, item, payload), link=link)

    def item(self, item: str, ms: int, response: str = "r1", *, words: str = "", whole: bool = True) -> None:
        """The model gives a whole item, in deltas of 100 ms."""
        for _ in range(ms // 100):
            self.sound(item, 100, response)
        if words:
            self.says(Transcript(Speaker.ASSISTANT, item, words))
        if whole:
            self.says(ItemDone(item))

    def answers(self, item: str, ms: int, response: str = "r1", words: str = "", saying: str = "") -> None:
        """The model gives a whole answer at once."""
        self.says(ResponseStarted(response, saying))
        self.item(item, ms, response, words=words)
        self.says(ResponseOver(response, How.WHOLE))

    def somebody_speaks(self, item: str = "u1") -> None:
        self.says(SpeechStarted(item))

    def somebody_stops(self, item: str = "u1") -> None:
        self.says(SpeechStopped(item))

    def order(self, what: str, **rest: object) -> None:
        """The workflow orders."""
        order = Instruction(CALL, 1, what, **rest)  # type: ignore[arg-type]  # by name, as tests say it
        self.act(self.session.instructed(order, self.now))

    def hears(self, timestamp_ms: int, payload: str = "////") -> None:
        """A chunk of the leg's sound."""
        self.act(self.session.received(Media(STREAM, timestamp_ms, payload), self.now))

    def passes(self, ms: int) -> None:
        """Time passes."""
        for _ in range(ms // STEP_MS):
            self.now += STEP_MS / 1000
            for name in self.player.plays(STEP_MS):
                self.act(self.session.received(Mark(STREAM, name), self.now))
            if self._rings_at <= self.now:
                self._rings_at = float("inf")
                self.act(self.session.tick(self.now))

    def act(self, effects: Sequence[Effect]) -> None:
        """What the session wants done is done, and kept for the test."""
        self.effects.extend(effects)
        for effect in effects:
            if isinstance(effect, SendMedia | SendMark | SendClear):
                for name in self.player.takes(effect):
                    self.act(self.session.received(Mark(STREAM, name), self.now))
        due = self.session.due(self.now)
        if due is not None:
            self._rings_at = min(self._rings_at, due)  # an alarm that is set rings

    # What can be seen

    def heard_ms(self, item: str) -> float:
        """How much of an item was really heard."""
        return self.player.heard[self._items[item]] / 8

    def orders(self, link: int | None = None) -> list[Order]:
        """The orders to the model but for sound."""
        return [
            effect.order
            for effect in self.effects
            if isinstance(effect, ToModel)
            and not isinstance(effect.order, AppendAudio)
            and (link is None or effect.link == link)
        ]

    @property
    def appended(self) -> list[str]:
        """The sound the model was given."""
        return [
            effect.order.payload
            for effect in self.effects
            if isinstance(effect, ToModel) and isinstance(effect.order, AppendAudio)
        ]

    def of(self, kind: type[T]) -> list[T]:
        """The orders and effects of a kind."""
        orders: Iterable[object] = self.orders()
        return [one for one in (*orders, *self.effects) if isinstance(one, kind)]

    def forgotten(self) -> dict[str, int]:
        """What the model was told to forget, and from which millisecond on."""
        return {one.item: one.heard_ms for one in self.of(Forget)}

    @property
    def turns(self) -> list[Turn]:
        talk = self.session.talk
        assert talk is not None
        return list(talk.words.turns)
