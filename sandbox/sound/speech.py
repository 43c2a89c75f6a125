"""Voice and ears that belong together, and the light pair that needs no model.

The light voice is the modem's: its words can be read back from the sound exactly, two voices at once are not
understood, and a cut sentence is understood as far as it was played. All its speakers sound alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from importlib import import_module

from sandbox.errors import SandboxError
from sandbox.sound import modem
from sandbox.sound.mulaw import Samples
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

    Raises SandboxError where they are.
    """
    match kind:
        case Kind.NONE:
            return None
        case Kind.LIGHT:
            return LIGHT
        case Kind.LOCAL:
            try:
                found: object = import_module("sandbox.speech.local").speech()
            except ImportError as error:
                missing = error.name or str(error)
                message = (
                    f"the local voice is not installed ({missing} is missing): see docs/sandbox.md, Sound"
                )
                raise SandboxError(message) from error
            if not isinstance(found, Speech):
                raise SandboxError("sandbox.speech.local.speech() gives no Speech")
            return found
