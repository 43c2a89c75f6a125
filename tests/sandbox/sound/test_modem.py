"""The light voice is understood by the light ears, as far as it was played and by itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.sound import modem, mulaw

SENTENCE = "Water is coming through the ceiling at 412 Oak Street. ¿Está bien? All well!"


def over_the_line(samples: mulaw.Samples, before: int = 0) -> mulaw.Samples:
    silence = np.zeros(before, dtype=np.int16)
    return mulaw.decode(mulaw.encode(np.concatenate([silence, samples])))


@given(st.text(st.characters(codec="utf-8"), max_size=12), st.integers(0, 400))
def test_any_text_is_understood_over_the_line_however_its_frames_lie(text: str, before: int) -> None:
    assert modem.understand(over_the_line(modem.speak(text), before)) == text


def test_noise_on_the_line_is_no_hindrance() -> None:
    noise = np.random.default_rng(1).normal(0, 600, len(modem.speak(SENTENCE)))
    heard = (modem.speak(SENTENCE) + noise).astype(np.int16)
    assert modem.understand(heard) == SENTENCE


@pytest.mark.parametrize("letters", [0, 1, 7, 20])
def test_of_a_sentence_that_is_cut_off_those_letters_are_heard_that_were_played(letters: int) -> None:
    played = modem.speak(SENTENCE)[: letters * modem.LETTER + modem.LETTER // 4]
    assert modem.understand(played) == SENTENCE[:letters]


def test_two_voices_at_once_are_not_understood() -> None:
    one, other = modem.speak("is anybody there at all"), modem.speak("please come to the door")
    assert len(modem.understand(one + other)) < 5


def test_silence_says_nothing() -> None:
    assert modem.understand(np.zeros(8000, dtype=np.int16)) == ""
    assert modem.understand(np.zeros(0, dtype=np.int16)) == ""


def test_every_code_comes_back_through_decoding_but_the_second_zero() -> None:
    codes = bytes(range(256))
    changed = [
        code for code, back in zip(codes, mulaw.encode(mulaw.decode(codes)), strict=True) if code != back
    ]
    assert changed == [0x7F]


@given(st.integers(-32768, 32767))
def test_encoding_takes_the_nearest_level(value: int) -> None:
    levels = mulaw.decode(bytes(range(256))).astype(np.int32)
    there_and_back = int(mulaw.decode(mulaw.encode(np.array([value], dtype=np.int16)))[0])
    assert abs(there_and_back - value) == int(np.abs(levels - value).min())
