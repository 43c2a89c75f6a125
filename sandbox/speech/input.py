"""The input audio buffer: what the caller's side has sent since the last commit."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from sandbox.sound.mulaw import RATE, Samples
from sandbox.speech.configuration import TurnDetection
from sandbox.speech.formats import Decoder, ms_of
from sandbox.speech.organs import Detector
from sandbox.speech.turns import Turn, Turns

MOST_MS: Final = 10 * 60 * 1_000  # then the oldest is dropped
QUIET_MS: Final = 30_000  # kept while nobody speaks and a detector listens


class InputBuffer:
    """Positions are milliseconds since the session's first audio."""

    def __init__(self, detector: Detector, longest_turn_ms: int) -> None:
        self._detector = detector
        self._longest_turn_ms = longest_turn_ms
        self._decoder = Decoder("audio/pcm")
        self._turns: Turns | None = None
        self._chunks: list[Samples] = []
        self._kept = 0  # samples in the chunks
        self._total = 0  # samples ever
        self._looked: Samples = np.zeros(0, dtype=np.int16)  # not yet a whole window

    @property
    def position_ms(self) -> int:
        return ms_of(self._total)

    @property
    def kept_ms(self) -> int:
        return ms_of(self._kept)

    @property
    def speaking(self) -> bool:
        return self._turns is not None and self._turns.speaking

    def read_as(self, audio_format: str) -> None:
        if audio_format != self._decoder.name:
            self._decoder = Decoder(audio_format)

    def detect(self, settings: TurnDetection | None) -> None:
        """Detect turns so from now on; a turn that is going on is forgotten."""
        self._turns = None
        if settings is not None:
            self._turns = Turns(settings.threshold, settings.silence_duration_ms, self._longest_turn_ms)

    def append(self, wire: bytes) -> Iterator[Turn]:
        """Take audio in, and tell where turns begin and end, while the caller of this acts on each at once."""
        samples = self._decoder.decode(wire)
        if self._turns is None:
            self._keep(samples)
            return
        looked = np.concatenate([self._looked, samples])
        window = self._detector.window
        whole = len(looked) - len(looked) % window
        self._looked = looked[whole:]
        taken = 0
        for start in range(0, whole, window):
            # The buffer holds exactly what was looked at when a turn is told.
            until = max(0, min(len(samples), start + window - (len(looked) - len(samples))))
            self._keep(samples[taken:until])
            taken = until
            at_ms = self.position_ms
            heard = self._turns.step(
                self._detector.probability(looked[start : start + window]), at_ms - ms_of(window), at_ms
            )
            if heard is not None:
                yield heard
        self._keep(samples[taken:])

    def take(self, from_ms: int | None = None) -> Samples:
        """Empty the buffer; gives what was in it, from that position on."""
        kept = np.concatenate([np.zeros(0, dtype=np.int16), *self._chunks])
        first = self._total - self._kept
        self.clear()
        return kept if from_ms is None else kept[max(0, from_ms * RATE // 1_000 - first) :]

    def clear(self) -> None:
        self._chunks.clear()
        self._kept = 0

    def _keep(self, samples: Samples) -> None:
        if not len(samples):
            return
        self._chunks.append(samples)
        self._kept += len(samples)
        self._total += len(samples)
        most_ms = MOST_MS if self._turns is None or self._turns.speaking else QUIET_MS
        while self._kept - len(self._chunks[0]) > most_ms * RATE // 1_000:
            self._kept -= len(self._chunks.pop(0))
