"""When a turn of speech begins and ends: hysteresis on a detector's probabilities, on the clock of the audio."""

from dataclasses import dataclass
from typing import TypeAlias

START_MS = 60  # of speech in a row make a turn


@dataclass(frozen=True)
class Started:
    """at_ms: where the speech began, without any padding."""

    at_ms: int


@dataclass(frozen=True)
class Stopped:
    """at_ms: now, the silence that ended it included."""

    at_ms: int


Turn: TypeAlias = Started | Stopped


class Turns:
    """longest_ms: a turn is ended there though the voice goes on, so that babble cannot hold it for ever."""

    def __init__(self, threshold: float, silence_ms: int, longest_ms: int) -> None:
        self._threshold = threshold
        self._silence_ms = silence_ms
        self._longest_ms = longest_ms
        self._began_ms = 0
        self._run_ms = 0
        self.speaking = False

    def step(self, probability: float, from_ms: int, until_ms: int) -> Turn | None:
        """One window of the detector."""
        length = until_ms - from_ms
        if not self.speaking:
            self._run_ms = self._run_ms + length if probability >= self._threshold else 0
            if self._run_ms < START_MS:
                return None
            self.speaking, self._began_ms, self._run_ms = True, until_ms - self._run_ms, 0
            return Started(self._began_ms)
        self._run_ms = self._run_ms + length if probability < self._threshold else 0
        if self._run_ms < self._silence_ms and until_ms - self._began_ms < self._longest_ms:
            return None
        self.speaking, self._run_ms = False, 0
        return Stopped(until_ms)
