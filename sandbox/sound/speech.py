"""Voice and ears that belong together, and the light pair that needs no model.

The light voice is the modem's: its words can be read back from the sound exactly, two voices at once are not
understood, and a cut sentence is understood as far as it was played. All its speakers sound alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module

import numpy as np
import soxr

from sandbox.errors import SandboxError
from sandbox.sound import modem
from sandbox.sound.mulaw import RATE, Samples
from sandbox.sound.voice import Ears, Voice


class Kind(StrEnum):
    """What a network may have."""

    NONE = "none"
    LIGHT = "light"
    LOCAL = "local"


class LightVoice:
    """Each letter a pair of tones, whatever the language."""

    def speak(self, text: str, language: str) -> Samples:
        del language
        return modem.speak(text)


class LightEars:
    """Understand the light voice and nothing else."""

    def understand(self, samples: Samples, language: str) -> str:
        del language
        return modem.understand(samples)


class Shifted:
    """Another voice, so many times as high and as fast (about one)."""

    def __init__(self, voice: Voice, factor: float) -> None:
        self._voice = voice
        self._rate = round(RATE * factor)

    def speak(self, text: str, language: str) -> Samples:
        sound = self._voice.speak(text, language).astype(np.float32)
        shifted = soxr.resample(sound, self._rate, RATE)
        clipped: Samples = np.clip(shifted, -32_768, 32_767).astype(np.int16)
        return clipped


@dataclass(frozen=True)
class Speech:
    """A voice and the ears for it.

    others: voices by name, where there are several; who asks for one that is not there gets `voice`.
    slow: they take long enough that a thread must do it.
    """

    voice: Voice
    ears: Ears
    others: Mapping[str, Voice] = field(default_factory=dict[str, Voice])
    slow: bool = False

    def named(self, name: str) -> Voice:
        return self.others.get(name, self.voice)


LIGHT = Speech(LightVoice(), LightEars())


def speech_of(kind: Kind) -> Speech | None:
    """The speech of a town. `local` is loaded by its name, since its packages are large and may be absent.

    Raises SandboxError where they are. Loading takes some seconds.
    """
    match kind:
        case Kind.NONE:
            return None
        case Kind.LIGHT:
            return LIGHT
        case Kind.LOCAL:
            return _local()


def _local() -> Speech:
    """The neural pair; its voice also lower and higher, so that speakers can be told apart."""
    try:
        organs = import_module("sandbox.speech.local").local()
    except ImportError as error:
        message = f"the local voice is not here: {error.name or error} is missing"
        raise SandboxError(message) from error
    voice: Voice = organs.voice
    others = {"low": Shifted(voice, 0.88), "high": Shifted(voice, 1.12)}
    return Speech(voice, organs.ears, others, slow=True)
