"""One `<Gather>`: keys, speech, or both, whichever begins first.

With sound, speech is what the network's ears understand of the far end's sound, from where it gets loud until it has
been quiet for the speech time-out; without, it is what the far end is told to have said.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sandbox import twiml
from sandbox.clock import Promise, Timer, within
from sandbox.legs import KeyPad, Leg
from sandbox.sound.mulaw import Samples
from sandbox.sound.studio import Studio
from sandbox.sound.turns import Turns

Begun = Literal["keys", "speech", "nothing"]


@dataclass(frozen=True)
class Gathered:
    """What came of it; both empty where nothing did."""

    digits: str = ""
    speech: str = ""

    def __bool__(self) -> bool:
        return bool(self.digits or self.speech)


class Gathering:
    """See the top of this file. `touched` is kept when a key or a voice ends the prompts."""

    def __init__(self, leg: Leg, gather: twiml.Gather) -> None:
        self._leg = leg
        self._world = leg.world
        self._gather = gather
        self._pad = KeyPad(leg.world)
        self._begun: Promise[Begun] = Promise(leg.world.clock.work)
        self._spoken: Promise[str] = Promise(leg.world.clock.work)
        self.touched: Promise[None] = Promise(leg.world.clock.work)
        self._texts: list[str] = []
        self._pause: Timer | None = None
        self._quiet_s = self._quiet_that_ends_speech()
        self._turns = Turns(quiet_ms=round(self._quiet_s * 1_000))

    def _quiet_that_ends_speech(self) -> float:
        match self._gather.speech_timeout_s:
            case "auto":
                return self._world.assumptions.speech_end_s
            case None:
                return self._gather.timeout_s
            case seconds:
                return seconds

    @contextmanager
    def listening(self) -> Generator[None]:
        """Within, keys and speech of the far end come here."""
        keys = self._key if "dtmf" in self._gather.input else None
        studio = self._world.studio
        by_ear = "speech" in self._gather.input and studio is not None and self._leg.circuit is not None
        by_text = "speech" in self._gather.input and studio is None
        with self._leg.listening("gather", keys=keys, speech=self._text if by_text else None):
            if not by_ear or studio is None or self._leg.circuit is None:
                yield
                return
            listening = studio.plane.listen(
                self._leg.circuit, "said", lambda _, frame: self._frame(studio, frame)
            )
            try:
                yield
            finally:
                listening.stop()

    async def collect(self) -> Gathered:
        """Wait for what is asked for, so long as its time-outs say."""
        clock, gather = self._world.clock, self._gather
        begun = await within(clock, self._begun, timedelta(seconds=gather.timeout_s), "nothing")
        match begun:
            case "keys":
                return Gathered(digits=await self._keys())
            case "speech":
                longest = timedelta(seconds=gather.max_speech_s)
                return Gathered(speech=await within(clock, self._spoken, longest, " ".join(self._texts)))
            case "nothing":
                return Gathered()

    # ── keys ──────────────────────────────────────────────────────────────────────

    def _key(self, key: str) -> None:
        self._pad.press(key)
        self._begin("keys")

    async def _keys(self) -> str:
        digits, gather = "", self._gather
        while (key := await self._pad.next_key(timedelta(seconds=gather.timeout_s))) is not None:
            if key in gather.finish_on_key:
                break
            digits += key
            if len(digits) == gather.num_digits:
                break
        return digits

    # ── speech ────────────────────────────────────────────────────────────────────

    def _begin(self, what: Begun) -> None:
        self._begun.keep(what)
        if self._gather.barge_in:
            self.touched.keep(None)

    def _text(self, text: str) -> list[str]:
        """The far end has said this; a pause after it ends the speech."""
        self._texts.append(text)
        self._begin("speech")
        if self._pause is not None:
            self._pause.cancel()
        clock = self._world.clock
        due = clock.now() + timedelta(seconds=self._quiet_s)
        self._pause = clock.call_at(due, lambda: self._spoken.keep(" ".join(self._texts)))
        return []

    def _frame(self, studio: Studio, frame: Samples) -> None:
        turn = self._turns.hear(frame)
        if self._turns.speaking:
            self._begin("speech")
        if turn is not None:
            self._world.clock.work.spawn(self._understand(studio, turn), name="ears of a gather")

    async def _understand(self, studio: Studio, turn: Samples) -> None:
        self._spoken.keep(await studio.understand(turn, self._gather.language))
