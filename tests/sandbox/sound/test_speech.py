"""Voices and ears: the light pair, those that are named, and those that are absent."""

import sys

import numpy as np
import pytest

from sandbox.clock import ManualClock
from sandbox.errors import SandboxError
from sandbox.sound import modem
from sandbox.sound.mulaw import Samples
from sandbox.sound.plane import Plane
from sandbox.sound.speech import LIGHT, Kind, Shifted, Speech, speech_of
from sandbox.sound.studio import Studio
from sandbox.sound.turns import Turns


class Noted:
    """A voice that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def speak(self, text: str, language: str) -> Samples:
        self.asked.append((text, language))
        return modem.speak(text)


def test_a_network_can_have_no_sound_and_a_light_voice() -> None:
    assert speech_of(Kind.NONE) is None
    assert speech_of(Kind.LIGHT) is LIGHT


def test_a_local_voice_that_is_absent_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sandbox.speech.local", None)
    with pytest.raises(SandboxError, match="local"):
        speech_of(Kind.LOCAL)


@pytest.mark.parametrize("slow", [False, True])
async def test_what_was_spoken_once_is_not_spoken_anew_unless_by_somebody_else(slow: bool) -> None:
    usual, other = Noted(), Noted()
    studio = Studio(Speech(usual, LIGHT.ears, {"low": other}, slow=slow), Plane(ManualClock()))
    for voice in ("", "", "low", "unknown"):
        assert modem.understand(await studio.speak("Hello", "en-US", voice)) == "Hello"
    assert usual.asked == [("Hello", "en"), ("Hello", "en")]
    assert other.asked == [("Hello", "en")]


def test_a_shifted_voice_is_higher_and_faster() -> None:
    sound = modem.speak("Hello there")
    shifted = Shifted(LIGHT.voice, 1.25).speak("Hello there", "en")
    assert len(shifted) == pytest.approx(len(sound) / 1.25, rel=0.01)
    assert np.abs(shifted).max() > 5_000


def test_turns_are_cut_at_the_quiet_between_sentences_and_not_between_letters() -> None:
    turns, found = Turns(quiet_ms=400), list[str]()
    quiet = np.zeros(8_000, dtype=np.int16)
    line = np.concatenate([quiet, modem.speak("One two"), quiet, modem.speak("three"), quiet])
    for frame in line.reshape(-1, 160):
        if (turn := turns.hear(frame)) is not None:
            found.append(modem.understand(turn))
    assert found == ["One two", "three"]
    assert turns.end() is None
