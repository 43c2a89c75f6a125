"""A live leg: one connection between Twilio and a far end, for as long as it lasts.

A leg runs scripts, one after the other: a document, a seat in a room. Whatever happens to it
from outside (hang-up, redirect, the end by request, a time limit) interrupts the script that
runs; scripts clean up after themselves and never wait while doing so.

States: waiting for its turn or ringing (`answered` false), connected, over. Nothing is heard,
said or pressed unless connected.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sandbox.calls import Call, CallStatus, Progress
from sandbox.clock import Promise, Timer, sleep, within
from sandbox.hearing import Carrier, FarEnd, Sound, Speaking, part_of
from sandbox.journal import Kind
from sandbox.sound.circuit import Circuit
from sandbox.sound.mulaw import Samples
from sandbox.world import Clip, World


@dataclass(frozen=True)
class HangUp:
    """The leg must end: `by` whom, and how it then stands in the books."""

    by: Literal["far", "api", "limit", "other"]
    status: CallStatus = CallStatus.COMPLETED
    sip: int = 200


Script = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Divert:
    """The leg must drop what it does and go on with another script."""

    script: Script


Interruption = HangUp | Divert


class KeyPad:
    """Keys that arrived while somebody wanted them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._keys: list[str] = []
        self.touched: Promise[None] = Promise(world.clock.work)
        self._next: Promise[None] = Promise(world.clock.work)

    def press(self, key: str) -> None:
        self._keys.append(key)
        self.touched.keep(None)
        self._next.keep(None)

    async def next_key(self, limit: timedelta) -> str | None:
        """The next key, or None when none comes in time."""
        if not self._keys:
            self._next = Promise(self._world.clock.work)
            await within(self._world.clock, self._next, limit, None)
        return self._keys.pop(0) if self._keys else None


@dataclass
class _Attention:
    """Who is listening to the far end right now."""

    taker: str = "nobody"
    keys: Callable[[str], None] | None = None
    speech: Callable[[str], list[str]] | None = None
    carrier: Carrier | None = None


class Emission:
    """A sound with words on its way to the far end: heard when it is over, or as far as it came."""

    def __init__(self, leg: "Leg", sound: Sound, clip: Clip, *, alone: bool = False) -> None:
        self._leg = leg
        self._sound = sound
        self._clip = clip
        self._began = leg.world.clock.now()
        self._over = False
        self._silence = leg.sounds(clip.samples, alone=alone)
        leg.emissions.add(self)
        if clip.samples is not None and leg.far is not None:
            leg.far.begins(sound, clip.duration)

    def finish(self) -> None:
        """All of it was heard."""
        if not self._over:
            self._end()
            self._leg.hear(self._sound)

    def cut(self) -> None:
        """It stops here. Once it is over, nothing happens."""
        if self._over:
            return
        self._end()
        self._silence()
        played, duration = self._leg.world.clock.now() - self._began, self._clip.duration
        self._leg.hear(part_of(self._sound, played, duration), whole=False)

    def _end(self) -> None:
        self._over = True
        self._leg.emissions.discard(self)


class Leg:
    """See the top of this file. `call` is its record; two legs of an application share one."""

    def __init__(self, world: World, progress: Progress, call: Call, *, owns_record: bool = True) -> None:
        self.world = world
        self.call = call
        self.far: FarEnd | None = None
        self.connected = False
        self.over = False
        self.ended: Promise[None] = Promise(world.clock.work)
        self.outcome = HangUp("other")  # how the leg ends unless something interrupts it
        self.on_answer: Callable[[], None] | None = None
        self.fallback_url: str | None = None
        self.fallback_method: Literal["GET", "POST"] = "POST"
        self._progress = progress
        self._owns_record = owns_record
        self._attention = _Attention()
        self._task: asyncio.Task[None] | None = None
        self._interruption: Interruption | None = None
        self._deaf = False
        self._limit: Timer | None = None
        self._closers: list[Callable[[], None]] = []
        self._connectors: list[Callable[[], None]] = []
        self.circuit = Circuit(call.sid) if world.studio is not None else None
        self.emissions: set[Emission] = set()
        self._speaking: list[Speaking] = []

    # ── its life ──────────────────────────────────────────────────────────────────

    def begin(self, script: Script) -> None:
        """Run the script, then whatever interrupts it, and end the leg after that."""
        self._task = self.world.clock.work.spawn(self._live(script), name=f"leg {self.call.sid}")

    async def _live(self, script: Script) -> None:
        following: Script | None = script
        try:
            while following is not None:
                try:
                    await following()
                    following = None
                except asyncio.CancelledError:
                    interruption, self._interruption = self._interruption, None
                    task = asyncio.current_task()
                    if interruption is None or task is None:
                        raise
                    task.uncancel()
                    match interruption:
                        case HangUp():
                            self.outcome, following = interruption, None
                        case Divert(script=other):
                            following = other
        finally:
            if isinstance(self._interruption, HangUp):
                self.outcome = self._interruption
            self._close(self.outcome)

    @property
    def pending_interruption(self) -> Interruption | None:
        """What cuts the running script short, seen from within it."""
        return self._interruption

    def interrupt(self, interruption: Interruption) -> None:
        """Tell the leg from outside. The first hang-up counts; nothing counts after the end."""
        if self.over or self._task is None or self._deaf or isinstance(self._interruption, HangUp):
            return
        pending = self._interruption is not None
        self._interruption = interruption
        self._deaf = isinstance(interruption, HangUp)
        if not pending:
            self._task.cancel()

    def connect(self) -> None:
        """The far end is on the line."""
        if self.connected or self.over:
            return
        self.connected = True
        self._ring_no_more()
        if self._owns_record:
            self._progress.answered(self.call)
        if self.on_answer is not None:
            self.on_answer()

    def on_connected(self, act: Callable[[], None]) -> None:
        """Do this once the far end is on the line, or is known not to be."""
        self._connectors.append(act)

    def limit(self, seconds: float) -> None:
        """End the leg so long from now, replacing an earlier limit."""
        if self._limit is not None:
            self._limit.cancel()
        due = self.world.clock.now() + timedelta(seconds=seconds)
        self._limit = self.world.clock.call_at(due, lambda: self.interrupt(HangUp("limit")))

    def at_end(self, act: Callable[[], None]) -> None:
        """Do this when the leg is over."""
        self._closers.append(act)

    def _ring_no_more(self) -> None:
        for act in self._connectors:
            act()
        self._connectors.clear()

    def _final(self, end: HangUp) -> tuple[CallStatus, int]:
        """How it stands in the books: answered is completed, whatever ended it."""
        if self.connected:
            return CallStatus.COMPLETED, 200
        if end.status is not CallStatus.COMPLETED:
            return end.status, end.sip
        return CallStatus.NO_ANSWER, 487

    def _close(self, end: HangUp) -> None:
        self.over = True
        if self._limit is not None:
            self._limit.cancel()
        if self._owns_record:
            status, sip = self._final(end)
            self._progress.ended(self.call, status, sip, end.by)
        self.connected = False
        self._ring_no_more()
        self.emissions.clear()
        for act in self._closers:
            act()
        self._closers.clear()
        if self.far is not None:
            self.far.cut_off()
        if self.world.studio is not None and self.circuit is not None:
            self.world.studio.plane.forget(self.circuit)
        self.ended.keep(None)

    # ── what the far end does ─────────────────────────────────────────────────────

    def press(self, digits: str) -> None:
        """The far end pressed keys; whoever listens now gets them, else they are lost."""
        if not self.connected:
            return
        self.world.journal.write(
            Kind.LEG_KEYS,
            call=self.call.sid,
            number=self.call.from_ if self.call.direction == "inbound" else self.call.to,
            digits=digits,
            taken_by=self._attention.taker,
        )
        for key in digits:
            if self._attention.keys is not None:
                self._attention.keys(key)

    def say(self, text: str) -> None:
        """The far end has said this, in no time."""
        if not self.connected:
            return
        listeners = self._attention.speech(text) if self._attention.speech is not None else []
        self.world.journal.write(Kind.LEG_SAID, call=self.call.sid, text=text, heard_by=listeners)

    def begin_saying(self, text: str, lasts: timedelta) -> Speaking:
        """The far end says this from now on."""
        speaking = Speaking(text, self.world.clock.now(), lasts, Promise(self.world.clock.work))
        self._speaking.append(speaking)
        if self.connected and self._attention.carrier is not None:
            self._attention.carrier.carries(speaking)
        return speaking

    def end_saying(self, speaking: Speaking) -> None:
        """It has said it, or stopped where it is now."""
        played = min(speaking.lasts, self.world.clock.now() - speaking.began)
        self._speaking.remove(speaking)
        speaking.over.keep(played)
        carrier = self._attention.carrier
        said = part_of(Sound(speaking.text, "speech"), played, speaking.lasts).text
        if carrier is None:
            self.say(said)
        elif self.connected and said:
            self.world.journal.write(Kind.LEG_SAID, call=self.call.sid, text=said, heard_by=carrier.reaches())

    def overhear(self, text: str) -> None:
        """Speech that reaches this leg from another of its own call, noted there."""
        if self.connected and self._attention.speech is not None:
            self._attention.speech(text)

    @contextmanager
    def listening(
        self,
        taker: str,
        keys: Callable[[str], None] | None = None,
        speech: Callable[[str], list[str]] | None = None,
        carrier: Carrier | None = None,
    ) -> Generator[None]:
        """Within, what the far end presses and says goes there.

        speech: takes the text, gives the call SIDs of those who heard it.
        carrier: takes what is said while it is said, where there is sound.
        """
        before, self._attention = self._attention, _Attention(taker, keys, speech, carrier)
        if carrier is not None:
            for speaking in self._speaking:  # in the middle of a sentence
                carrier.carries(speaking)
        try:
            yield
        finally:
            self._attention = before

    # ── what the far end hears ────────────────────────────────────────────────────

    def hear(self, sound: Sound, *, whole: bool = True) -> None:
        """The far end heard this, just now."""
        if self.over or not sound.text:
            return
        if self._owns_record:
            self.call.hear(sound.text)
            self.world.journal.write(
                Kind.LEG_HEARD,
                call=self.call.sid,
                text=sound.text,
                sound=sound.kind,
                whole=whole,
                by=sound.by,
            )
        if self.far is not None:
            self.far.hears(sound)

    def sounds(
        self, samples: Samples | None, *, endless: bool = False, alone: bool = False
    ) -> Callable[[], None]:
        """Let the far end hear that from now on. Gives what silences it; without sound nothing happens."""
        studio, circuit = self.world.studio, self.circuit
        if studio is None or circuit is None or samples is None:
            return _do_nothing
        plane = studio.plane
        placed = circuit.player.place(samples, plane.position(), endless=endless, alone=alone)
        return lambda: placed.cut(plane.position())

    def cut_emissions(self) -> None:
        """Whatever is being played to the far end stops here."""
        for emission in tuple(self.emissions):
            emission.cut()

    async def play(self, sound: Sound, clip: Clip, until: Promise[None] | None = None) -> bool:
        """Let the far end hear it all, or the part that fits before `until` or a cut.

        Gives whether it was heard whole.
        """
        if until is not None and until.kept:
            return False
        began = self.world.clock.now()
        emission = Emission(self, sound, clip)
        try:
            if until is None:
                await sleep(self.world.clock, clip.duration)
            else:
                await _first(self.world, until, clip.duration)
        except asyncio.CancelledError:
            emission.cut()
            raise
        if until is not None and until.kept and self.world.clock.now() - began < clip.duration:
            emission.cut()
            return False
        emission.finish()
        return True


def _do_nothing() -> None:
    """Silences what does not sound."""


async def _first(world: World, until: Promise[None], duration: timedelta) -> None:
    """Wait for the promise or the duration, without keeping the promise."""
    over: Promise[None] = Promise(world.clock.work)
    until.then(over.keep)
    await within(world.clock, over, duration, None)
