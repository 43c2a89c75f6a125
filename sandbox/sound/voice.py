"""What turns text into sound, and sound into text."""

from typing import Protocol

from sandbox.sound.mulaw import Samples


class Voice(Protocol):
    """Turns text into sound."""

    def speak(self, text: str, language: str) -> Samples:
        """8 kHz, 16 bit."""
        ...


class Ears(Protocol):
    """Turns sound into text."""

    def understand(self, samples: Samples, language: str) -> str:
        """From 8 kHz, 16 bit; empty where nothing was understood."""
        ...
