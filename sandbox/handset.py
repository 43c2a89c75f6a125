"""A phone on one call: it rings, is picked up or not, and somebody does the steps.

The other end of the line is a `Leg`; this is its `FarEnd`.
"""

import asyncio
import re
from datetime import timedelta
from typing import Literal

from sandbox.clock import Promise, sleep
from sandbox.legs import HangUp as EndOfLeg
from sandbox.legs import Leg, Sound
from sandbox.phones import (
    Answers,
    Busy,
    CallBehaviour,
    HangUp,
    Held,
    NoAnswer,
    Press,
    PressHeard,
    Refuses,
    Say,
    Stay,
    Step,
    Unreachable,
    Voicemail,
    Wait,
    WaitFor,
    keys_in,
)
from sandbox.world import World

PickUp = Literal["answered", "busy", "unreachable", "unanswered"]

BEEP_S = 0.5
LONGEST_HEARD = 200_000  # characters a phone remembers of one call


class Handset:
    """See the top of this file. `picked_up` is kept once the phone decides."""

    def __init__(self, world: World, leg: Leg, behaviour: CallBehaviour) -> None:
        self.behaviour = behaviour
        self.picked_up: Promise[PickUp] = Promise(world.clock.work)
        self._world = world
        self._leg = leg
        self._heard = ""
        self._heard_to = 0  # up to here, patterns have matched already
        self._expecting: tuple[re.Pattern[str], Promise[str]] | None = None
        self._task: asyncio.Task[None] | None = None
        leg.far = self

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
            case NoAnswer() | Held():
                pass

    def answer(self) -> None:
        """Somebody picks it up by hand."""
        self.picked_up.keep("answered")

    def talk(self) -> None:
        """The line is up: do the steps."""
        self._task = self._world.clock.work.spawn(self._talk(), name="handset")

    async def _talk(self) -> None:
        match self.behaviour:
            case Answers(steps=steps):
                for step in steps:
                    await self._do(step)
            case Voicemail() as machine:
                await self._play_voicemail(machine)
            case _:
                pass

    async def _play_voicemail(self, machine: Voicemail) -> None:
        clock = self._world.clock
        await sleep(clock, timedelta(seconds=machine.greeting_s))
        self._leg.say(machine.says)
        await sleep(clock, timedelta(seconds=BEEP_S))
        self._leg.say("[beep]")
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
                await sleep(clock, self._world.speech_time(text))
                self._leg.say(text)
            case Stay():
                await self._leg.ended.wait()
            case HangUp():
                # A hand needs as long for this as for a key: what was pressed has arrived.
                await sleep(clock, timedelta(seconds=self._world.assumptions.key_s))
                self.hang_up()

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
        self._leg.say(text)

    def hang_up(self) -> None:
        """End the call; one that still rings here is declined, which is busy."""
        if not self._leg.connected and self._leg.call.direction != "inbound":
            self.picked_up.keep("busy")
            return
        self._leg.interrupt(EndOfLeg("far"))

    # ── hearing ───────────────────────────────────────────────────────────────────

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
        if self._task is not None:
            self._task.cancel()
