"""Where texts become sound and sound becomes text: one speech, one media plane, one memory of what was spoken.

A neural voice works in a thread, so that no tick waits for it.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Literal, TypeVar

from sandbox.sound import tones
from sandbox.sound.mulaw import RATE, Samples
from sandbox.sound.plane import Plane
from sandbox.sound.speech import Speech

T = TypeVar("T")

Own = Literal["beep", "ring_back", "music"]  # what the network makes by itself

KEPT_SAMPLES = 15 * 60 * RATE  # a quarter of an hour of spoken sentences: 14 MB
DEFAULT_LANGUAGE = "en-US"


class Studio:
    """What a network with sound has and one without has not."""

    def __init__(self, speech: Speech, plane: Plane) -> None:
        self.plane = plane
        self.own: Mapping[Own, Samples] = {
            "beep": tones.beep(),
            "ring_back": tones.ring_back(),
            "music": tones.music(),
        }
        self._speech = speech
        self._at_voice = asyncio.Lock()
        self._at_ears = asyncio.Lock()
        self._spoken: OrderedDict[tuple[str, str, str], Samples] = OrderedDict()
        self._kept = 0

    async def speak(self, text: str, language: str = DEFAULT_LANGUAGE, voice: str = "") -> Samples:
        """The text as sound. voice: a name; one that is not there is the ordinary one."""
        key = (text, language, voice)
        if (known := self._spoken.get(key)) is not None:
            self._spoken.move_to_end(key)
            return known
        samples = await self._work(
            self._at_voice, lambda: self._speech.named(voice).speak(text, _spoken_language(language))
        )
        if key not in self._spoken:
            self._kept += len(samples)
        self._spoken[key] = samples
        while self._kept > KEPT_SAMPLES and len(self._spoken) > 1:
            self._kept -= len(self._spoken.popitem(last=False)[1])
        return samples

    async def understand(self, samples: Samples, language: str = DEFAULT_LANGUAGE) -> str:
        """The words in the sound; empty where there are none."""
        return await self._work(
            self._at_ears, lambda: self._speech.ears.understand(samples, _spoken_language(language))
        )

    async def _work(self, turn: asyncio.Lock, work: Callable[[], T]) -> T:
        """Do it at once or, where it is slow, in a thread, one after the other."""
        if not self._speech.slow:
            return work()
        async with turn:
            return await asyncio.to_thread(work)


def _spoken_language(tag: str) -> str:
    """`en` of `en-US`: which country's is one to a voice."""
    return tag.partition("-")[0].lower()
