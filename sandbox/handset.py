"""A phone on one call: it rings, is picked up or not, and somebody does the steps.

The other end of the line is a `Leg`; this is its `FarEnd`.
"""

import asyncio
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Literal, Protocol

from sandbox.clock import Promise, sleep
from sandbox.hearing import Sound
from sandbox.legs import HangUp as EndOfLeg
from sandbox.legs import Leg
from sandbox.listener import Listener
from sandbox.phones import (
    Answers,
    Busy,
    CallBehaviour,
    HangUp,
    Held,
    Hum,
    NoAnswer,
    Noise,
    Phone,
    PlayFile,
    Press,
    PressHeard,
    Refuses,
    Say,
    SayOver,
    Stay,
    Step,
    Unreachable,
    Voicemail,
    Wait,
    WaitFor,
    WhenHeard,
    keys_in,
)
from sandbox.sound import tones
from sandbox.sound.mulaw import Samples
from sandbox.sound.studio import DEFAULT_LANGUAGE
from sandbox.world import Clip, World, clip_of

PickUp = Literal["answered", "busy", "unreachable", "unanswered"]

BEEP_S = 0.5
NOISE_S = 10.0  # a piece of noise, heard again and again
LONGEST_HEARD = 200_000  # characters a phone remembers of one call


class Holder(Protocol):
    """Somebody outside the town who holds a phone in hand."""

    def behaviour(self) -> CallBehaviour: ...
    def begins(self, handset: "Handset", leg: Leg) -> None: ...
    def talks(self, handset: "Handset", leg: Leg) -> None: ...
    def ends(self, handset: "Handset", leg: Leg) -> None: ...


class Handset:
    """See the top of this file. `picked_up` is kept once the phone decides."""

    def __init__(self, world: World, leg: Leg, behaviour: CallBehaviour, phone: Phone | None = None) -> None:
        self.behaviour = behaviour
        self._voice = phone.voice if phone is not None else ""
        self._language = phone.language if phone is not None else DEFAULT_LANGUAGE
        self._holder = phone.holder if phone is not None else None
        self._listener: Listener | None = None
        self.picked_up: Promise[PickUp] = Promise(world.clock.work)
        self._world = world
        self._leg = leg
        self._heard = ""
        self._heard_to = 0  # up to here, patterns have matched already
        self._expecting: tuple[re.Pattern[str], Promise[str]] | None = None
        self._task: asyncio.Task[None] | None = None
        leg.far = self
        if self._holder is not None and leg.call.direction == "inbound":
            self._holder.begins(self, leg)

    @property
    def machine(self) -> Voicemail | None:
        return self.behaviour if isinstance(self.behaviour, Voicemail) else None

    # ── ringing ───────────────────────────────────────────────────────────────────

    def ring(self) -> None:
        """Start ringing; `picked_up` tells what comes of it, unless nothing does."""
        match self.behaviour:
            case Busy():
                self.picked_up.keep("busy")
            case Unreachable() | Refuses():
                self.picked_up.keep("unreachable")
            case Answers(after_s=after_s) | Voicemail(after_s=after_s):
                clock = self._world.clock
                due = clock.now() + timedelta(seconds=after_s)
                clock.call_at(due, lambda: self.picked_up.keep("answered"))
            case NoAnswer():
                pass
            case Held():
                if self._holder is not None:
                    self._holder.begins(self, self._leg)

    def answer(self) -> None:
        """Somebody picks it up by hand."""
        self.picked_up.keep("answered")

    def talk(self) -> None:
        """The line is up: do the steps."""
        if self._holder is not None:
            self._holder.talks(self, self._leg)
        self._task = self._world.clock.work.spawn(self._talk(), name="handset")

    async def _talk(self) -> None:
        match self.behaviour:
            case Answers(steps=steps):
                if any(isinstance(step, WhenHeard | SayOver) for step in steps):
                    self._prick_up_ears()
                for step in steps:
                    await self._do(step)
            case Voicemail() as machine:
                await self._play_voicemail(machine)
            case _:
                pass

    async def _play_voicemail(self, machine: Voicemail) -> None:
        clock = self._world.clock
        greeting = await self._world.spoken(machine.says, self._language, self._voice)
        if greeting.samples is None:
            greeting = Clip(timedelta(seconds=machine.greeting_s))
        await self._utter(machine.says, greeting)
        await sleep(clock, timedelta(seconds=machine.greeting_s) - greeting.duration)
        beep = None if self._world.studio is None else tones.beep(BEEP_S)
        await self._utter("[beep]", Clip(timedelta(seconds=BEEP_S), beep))
        await sleep(clock, timedelta(seconds=machine.records_s))
        self.hang_up()

    # ── acting ────────────────────────────────────────────────────────────────────

    async def _do(self, step: Step) -> None:
        clock = self._world.clock
        match step:
            case Wait(seconds=seconds):
                await sleep(clock, timedelta(seconds=seconds))
            case Press(digits=digits):
                await self._press_slowly(digits)
            case PressHeard(pattern=pattern):
                await self._press_slowly(keys_in(await self._hear_out(pattern)))
            case WaitFor(pattern=pattern):
                await self._hear_out(pattern)
            case Say(text=text):
                await self._say(text)
            case PlayFile(name=name, samples=samples):
                await self._utter(f"[{name}]", clip_of(samples))
            case Hum(seconds=seconds):
                await self._utter("[hum]", clip_of(tones.hum(seconds)))
            case Noise(level_db=level_db):
                self._make(tones.noise(NOISE_S, level_db), endless=True)
            case WhenHeard(pattern=pattern):
                await self._understand(pattern)
            case SayOver(text=text):
                await self._wait_to_interrupt(step)
                await self._say(text)
            case Stay():
                await self._leg.ended.wait()
            case HangUp():
                # A hand needs as long for this as for a key: what was pressed has arrived.
                await sleep(clock, timedelta(seconds=self._world.assumptions.key_s))
                self.hang_up()

    async def _say(self, text: str) -> None:
        await self._utter(text, await self._world.spoken(text, self._language, self._voice))

    async def _utter(self, text: str, clip: Clip) -> None:
        """Let it sound; whoever hears it does as it goes, or at its end where there is no sound."""
        silence = self._make(clip.samples)
        if silence is None:
            await sleep(self._world.clock, clip.duration)
            self._leg.say(text)
            return
        speaking = self._leg.begin_saying(text, clip.duration)
        try:
            await sleep(self._world.clock, clip.duration)
        finally:
            silence()
            self._leg.end_saying(speaking)

    def _make(self, samples: Samples | None, *, endless: bool = False) -> Callable[[], None] | None:
        """Make that sound from now on. Gives what ends it; None where there is no sound."""
        studio, circuit = self._world.studio, self._leg.circuit
        if studio is None or circuit is None or samples is None:
            return None
        plane = studio.plane
        placed = circuit.mic.place(samples, plane.position(), endless=endless)
        return lambda: placed.cut(plane.position())

    def _prick_up_ears(self) -> None:
        if self._world.studio is not None:
            self._listener = Listener(self._leg, self._world.studio, self._language)

    async def _understand(self, pattern: str) -> str:
        """What the ears make of it; without sound, what is told to have been heard."""
        if self._listener is None:
            return await self._hear_out(pattern)
        return await self._listener.understands(re.compile(pattern, re.IGNORECASE))

    async def _wait_to_interrupt(self, step: SayOver) -> None:
        if step.when_heard is not None:
            await self._understand(step.when_heard)
            return
        if self._listener is not None:
            await self._listener.somebody_speaks()
        await sleep(self._world.clock, timedelta(seconds=step.after_s))

    async def _press_slowly(self, digits: str) -> None:
        pauses = {"w": 0.5, "W": 1.0}
        for key in digits:
            if key in pauses:
                await sleep(self._world.clock, timedelta(seconds=pauses[key]))
                continue
            await sleep(self._world.clock, timedelta(seconds=self._world.assumptions.key_s))
            self.press(key)

    def press(self, digits: str) -> None:
        self._leg.press(digits)

    def speak(self, text: str) -> None:
        """Say this now, by hand; with sound it takes its time."""
        if self._world.studio is None:
            self._leg.say(text)
        else:
            self._world.clock.work.spawn(self._say(text), name="said by hand")

    def hang_up(self) -> None:
        """End the call; one that still rings here is declined, which is busy."""
        if not self._leg.connected and self._leg.call.direction != "inbound":
            self.picked_up.keep("busy")
            return
        self._leg.interrupt(EndOfLeg("far"))

    # ── hearing ───────────────────────────────────────────────────────────────────

    def begins(self, sound: Sound, lasts: timedelta) -> None:
        """Words count once they were heard."""

    def hears(self, sound: Sound) -> None:
        if len(self._heard) < LONGEST_HEARD:
            self._heard += sound.text + "\n"
        if self._expecting is not None:
            pattern, promise = self._expecting
            if (matched := self._match(pattern)) is not None:
                self._expecting = None
                promise.keep(matched)

    async def _hear_out(self, text: str) -> str:
        """The pattern's first group (else all of it), once heard."""
        pattern = re.compile(text, re.IGNORECASE)
        if (matched := self._match(pattern)) is not None:
            return matched
        promise: Promise[str] = Promise(self._world.clock.work)
        self._expecting = (pattern, promise)
        return await promise.wait()

    def _match(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.search(self._heard, self._heard_to)
        if found is None:
            return None
        self._heard_to = found.end()
        return found.group(1) if pattern.groups else found.group(0)

    def receives_keys(self, digits: str) -> None:
        """Tones from the other side; nobody here listens to them."""

    def cut_off(self) -> None:
        """The other side, or we, ended the call."""
        self.picked_up.keep("unanswered")
        if self._holder is not None:
            self._holder.ends(self, self._leg)
        if self._listener is not None:
            self._listener.stop()
        if self._task is not None:
            self._task.cancel()
