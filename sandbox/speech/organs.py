"""The model's senses: a voice detector, ears and a voice; and the light ones, which need no model."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from sandbox.sound import modem
from sandbox.sound.mulaw import Samples
from sandbox.sound.voice import Ears, Voice


class Detector(Protocol):
    """Tells speech from what is not; one for each session, since it remembers."""

    window: int  # samples it wants at a time

    def probability(self, samples: Samples) -> float:
        """That somebody speaks in this window."""
        ...


@dataclass(frozen=True)
class Organs:
    """What a session hears and speaks with. name: `light`, `local`, for those who look."""

    detector: Callable[[], Detector]
    ears: Ears
    voice: Voice
    name: str = "light"


class EnergyDetector:
    """Loud is speech, and so is the gap between two letters. Right on a quiet line, and nowhere else."""

    window: int = 160
    LEAST: Final = 300.0  # rms; about -41 dBFS
    GAP: Final = 3  # windows

    def __init__(self) -> None:
        self._quiet = self.GAP

    def probability(self, samples: Samples) -> float:
        rms = float(np.sqrt(np.square(samples.astype(np.float64)).mean()))
        self._quiet = 0 if rms >= self.LEAST else self._quiet + 1
        return 1.0 if self._quiet < self.GAP else 0.0


class ModemEars:
    """Understands the light voice, and no other."""

    def understand(self, samples: Samples, language: str) -> str:
        del language
        return modem.understand(samples).strip()


class ModemVoice:
    """Speaks in tones."""

    def speak(self, text: str, language: str) -> Samples:
        del language
        return modem.speak(text)


def light() -> Organs:
    """Organs for tests and small machines: no model, no package beside numpy."""
    return Organs(EnergyDetector, ModemEars(), ModemVoice())
