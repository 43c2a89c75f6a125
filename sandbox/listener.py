"""The ears of somebody on a line: what they understand of its sound, in whole turns and while one goes on.

Where the network's texts say what was played, this says what could be understood of it: talk over talk, noise and
streams included.
"""

import re

from sandbox.clock import Promise
from sandbox.journal import Kind
from sandbox.legs import Leg
from sandbox.sound.frames import FRAME_MS
from sandbox.sound.mulaw import Samples
from sandbox.sound.plane import Listening
from sandbox.sound.studio import Studio
from sandbox.sound.turns import Turns

LOOK_MS = 500  # how often a turn that still goes on is understood as far as it has come
LONGEST_UNDERSTOOD = 200_000  # characters kept of one call


class Listener:
    """Hears everything from its beginning to the end of the leg."""

    def __init__(self, leg: Leg, studio: Studio, language: str) -> None:
        self._leg = leg
        self._studio = studio
        self._language = language
        self._turns = Turns()
        self._understood = ""
        self._matched_to = 0
        self._begun: Promise[None] | None = None
        self._expecting: tuple[re.Pattern[str], Promise[str]] | None = None
        self._looking = False
        self._listening: Listening | None = None
        if leg.circuit is not None:
            self._listening = studio.plane.listen(leg.circuit, "heard", self._frame)

    def stop(self) -> None:
        if self._listening is not None:
            self._listening.stop()

    async def somebody_speaks(self) -> None:
        """Return when a turn begins, at once in the middle of one."""
        if not self._turns.speaking:
            self._begun = Promise(self._leg.world.clock.work)
            await self._begun.wait()

    async def understands(self, pattern: re.Pattern[str]) -> str:
        """The pattern's first group (else all of it), once understood since the last match."""
        if (matched := self._match(pattern, "")) is not None:
            return matched
        promise: Promise[str] = Promise(self._leg.world.clock.work)
        self._expecting = (pattern, promise)
        return await promise.wait()

    def _frame(self, number: int, frame: Samples) -> None:
        turn = self._turns.hear(frame)
        if self._turns.speaking and self._begun is not None:
            self._begun.keep(None)
            self._begun = None
        if turn is not None:
            self._spawn(turn, whole=True)
        elif self._wants_a_look(number):
            self._looking = True
            self._spawn(self._turns.so_far(), whole=False)

    def _wants_a_look(self, number: int) -> bool:
        """Whether the turn that goes on is to be understood as far as it is. Slow ears are not asked twice at once."""
        due = number % (LOOK_MS // FRAME_MS) == 0
        return due and self._turns.speaking and self._expecting is not None and not self._looking

    def _spawn(self, sound: Samples, *, whole: bool) -> None:
        self._leg.world.clock.work.spawn(self._understand(sound, whole=whole), name="ears")

    async def _understand(self, sound: Samples, *, whole: bool) -> None:
        text = await self._studio.understand(sound, self._language)
        if not whole:
            self._looking = False
            self._check(text)
            return
        if text and len(self._understood) < LONGEST_UNDERSTOOD:
            self._leg.world.journal.write(Kind.LEG_UNDERSTOOD, call=self._leg.call.sid, text=text)
            self._understood += text + "\n"
        self._check("")

    def _check(self, going_on: str) -> None:
        if self._expecting is None:
            return
        pattern, promise = self._expecting
        if (matched := self._match(pattern, going_on)) is not None:
            self._expecting = None
            promise.keep(matched)

    def _match(self, pattern: re.Pattern[str], going_on: str) -> str | None:
        found = pattern.search(self._understood + going_on, self._matched_to)
        if found is None:
            return None
        self._matched_to = found.end()
        return found.group(1) if pattern.groups else found.group(0)
