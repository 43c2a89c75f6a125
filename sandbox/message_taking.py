"""One `<Record>`: takes what the far end says until a key, a silence or its longest time.

With sound the recording is the far end's sound, and a silence is one; without, it is the texts that were said.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta

import numpy as np

from sandbox import twiml
from sandbox.legs import KeyPad, Leg
from sandbox.sound.mulaw import FRAME, RATE, Samples
from sandbox.sound.turns import is_loud

_EMPTY: Samples = np.zeros(0, dtype=np.int16)


class MessageTaking:
    """See the top of this file."""

    def __init__(self, leg: Leg, verb: twiml.Record) -> None:
        self._leg = leg
        self._verb = verb
        self._began = leg.world.clock.now()
        self._pad = KeyPad(leg.world)
        self._texts: list[str] = []
        self._frames: list[Samples] = []
        self._loud = False
        self._since_told = 0

    @property
    def text(self) -> str:
        return " ".join(self._texts)

    @property
    def sound(self) -> Samples:
        return np.concatenate(self._frames) if self._frames else _EMPTY

    @property
    def empty(self) -> bool:
        """Whether nothing but silence has come."""
        return not self._texts and not self._loud

    @contextmanager
    def listening(self) -> Generator[None]:
        """Within, everything from the far end comes here."""
        studio, circuit = self._leg.world.studio, self._leg.circuit
        with self._leg.listening("record", keys=self._pad.press, speech=self._text):
            if studio is None or circuit is None:
                yield
                return
            listening = studio.plane.listen(circuit, "said", self._frame)
            try:
                yield
            finally:
                listening.stop()

    def _text(self, text: str) -> list[str]:
        self._texts.append(text)
        self._noise()
        return []

    def _frame(self, number: int, frame: Samples) -> None:
        del number
        self._frames.append(frame)
        self._since_told += 1
        if is_loud(frame):
            self._loud = True
            if self._since_told * FRAME >= RATE // 5:  # often enough for a silence of whole seconds
                self._since_told = 0
                self._noise()

    def _noise(self) -> None:
        """A sound, no key: it restarts the silence."""
        self._pad.press("")

    async def until_over(self) -> str:
        """Until a key, silence or the longest time; gives the key, if it was one."""
        clock, verb = self._leg.world.clock, self._verb
        full = self._began + timedelta(seconds=verb.max_length_s)
        silence = timedelta(seconds=verb.timeout_s or verb.max_length_s)
        while True:
            key = await self._pad.next_key(min(silence, full - clock.now()))
            if key is None:
                return ""
            if key and key in verb.finish_on_key:
                return key
