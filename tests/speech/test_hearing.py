"""Tests that listen: neural ears, two voices, a telephone line. `make test-voice`; skipped without their packages."""

from collections.abc import Sequence

import numpy as np
import pytest

from sandbox.sound.mulaw import RATE, Samples
from sandbox.sound.voice import Voice
from sandbox.speech.dialogue.mind import RuleMind
from sandbox.speech.dialogue.places import find_number, find_place
from sandbox.speech.dialogue.words import Answer, read_back, with_digits, yes_or_no
from sandbox.speech.local import local
from sandbox.speech.mind import Say
from sandbox.speech.organs import Detector, Organs
from sandbox.speech.serve import running
from sandbox.speech.turns import Started, Turns
from tests.speech.dialogue.night import Night
from tests.speech.hearing import LINES, NEEDED, SECOND, JoeVoice, absent, listen
from tests.speech.line import PHRASES, over_the_line, understood
from tests.speech.paced import paced

pytestmark = [
    pytest.mark.voice,
    pytest.mark.skipif(bool(absent(NEEDED)), reason=f"{absent(NEEDED)} is not installed: `make test-voice`"),
]
no_second = pytest.mark.skipif(
    bool(absent(SECOND)), reason=f"{absent(SECOND)} is not installed: `make test-voice`"
)

# Word error at most, and phrases the dialogue can act on at least: twice what was measured in several runs, since
# the second voice is never quite the same.
MOST_WRONG = {"clean": 0.08, "noise 20 dB below": 0.10}
LEAST_ACTED_ON = {"clean": 0.80, "noise 20 dB below": 0.80}
NUMBERS = ("412", "7", "421", "5550142", "2025550111", "1600", "90210", "3", "15", "808")


@pytest.fixture(scope="module")
def organs() -> Organs:
    return local()


@pytest.fixture(scope="module")
def joe() -> Voice:
    return JoeVoice()


@pytest.mark.parametrize("line", list(MOST_WRONG))
def test_the_assistants_voice_is_understood_over_the_line(organs: Organs, line: str) -> None:
    heard = listen(organs.voice, organs.ears, LINES[line])
    assert heard.word_error <= MOST_WRONG[line], heard.missed
    assert heard.acted_on / heard.phrases >= LEAST_ACTED_ON[line], heard.missed


@no_second
@pytest.mark.parametrize("line", list(MOST_WRONG))
def test_another_voice_is_understood_over_the_line(organs: Organs, joe: Voice, line: str) -> None:
    heard = listen(joe, organs.ears, LINES[line])
    assert heard.word_error <= MOST_WRONG[line], heard.missed
    assert heard.acted_on / heard.phrases >= LEAST_ACTED_ON[line], heard.missed


def test_numbers_that_are_read_back_are_heard_as_they_are(organs: Organs) -> None:
    wrong = [number for number in NUMBERS if not _read_back_is_heard(organs, number)]
    assert len(wrong) <= 1, wrong


def _read_back_is_heard(organs: Organs, number: str) -> bool:
    sentence = f"I have the number as {read_back(number, 'en')}. Is that right?"
    heard = organs.ears.understand(over_the_line(organs.voice.speak(sentence, "en")), "en")
    return number in "".join(letter for letter in with_digits(heard) if letter.isdigit())


def test_a_place_a_number_and_a_yes_survive_the_line(organs: Organs) -> None:
    def heard(text: str) -> str:
        return organs.ears.understand(over_the_line(organs.voice.speak(text, "en"), 20.0), "en")

    assert find_place(heard("The address is four twelve Oak Street, apartment seven.")) == (
        "412 Oak Street, apartment 7"
    )
    assert find_number(heard("My phone number is five five five, zero one four two.")) == "5550142"
    assert [yes_or_no(heard(word)) for word in ("Yes.", "Yeah.", "Accept.", "No.")] == [
        Answer.YES, Answer.YES, Answer.YES, Answer.NO,
    ]  # fmt: skip


def test_silence_and_noise_say_nothing(organs: Organs) -> None:
    noise: Samples = (np.random.default_rng(1).standard_normal(RATE * 3) * 250).astype(np.int16)
    assert organs.ears.understand(noise, "en") == ""
    assert organs.ears.understand(np.zeros(RATE * 2, dtype=np.int16), "en") == ""


def test_a_turn_of_any_length_is_understood(organs: Organs) -> None:
    for many in (1, 4, 16):
        said = PHRASES[:many]
        sound = organs.voice.speak(" ".join(phrase.text for phrase in said), "en")
        heard = organs.ears.understand(sound, "en")
        missed = [phrase.text for phrase in said if not understood(phrase, heard)]
        assert len(missed) <= many // 8, missed


@pytest.mark.parametrize("snr_db", [None, 20.0])
def test_each_sentence_is_one_turn_with_its_beginning_and_end(organs: Organs, snr_db: float | None) -> None:
    sentences = ("There is water coming through the ceiling.", "412 Oak Street.", "Yes.", "I smell gas!")
    gap: Samples = np.zeros(RATE * 3 // 2, dtype=np.int16)
    spoken = [gap]
    for sentence in sentences:
        spoken += [organs.voice.speak(sentence, "en"), gap]
    begun = turns_in(organs.detector(), over_the_line(np.concatenate(spoken), snr_db))
    assert len(begun) == len(sentences)
    began_ms = 250
    for part, at_ms in zip(spoken[1::2], begun, strict=True):
        began_ms += 1_500
        assert at_ms == pytest.approx(began_ms, abs=200)
        began_ms += len(part) // 8


def test_noise_is_no_turn(organs: Organs) -> None:
    noise: Samples = (np.random.default_rng(2).standard_normal(RATE * 10) * 300).astype(np.int16)
    assert turns_in(organs.detector(), noise) == []


def turns_in(detector: Detector, samples: Samples) -> Sequence[int]:
    turns = Turns(0.5, 500, 15_000)
    began: list[int] = []
    for start in range(0, len(samples) - detector.window, detector.window):
        at_ms = start // 8
        probability = detector.probability(samples[start : start + detector.window])
        turn = turns.step(probability, at_ms, at_ms + detector.window // 8)
        if isinstance(turn, Started):
            began.append(turn.at_ms)
    return began


@no_second
def test_an_emergency_spoken_by_a_stranger_is_taken(organs: Organs, joe: Voice) -> None:
    night = Night(instructions="Languages: en")

    def says(text: str) -> str:
        return night.says(organs.ears.understand(over_the_line(joe.speak(text, "en"), 20.0), "en"))

    night.begins()
    assert "Where are you?" in says("There is water coming through the ceiling.")
    read = says("The address is four twelve Oak Street, apartment seven.")
    if "four one two Oak Street, apartment seven" not in read:
        assert "Is that right?" in read or "Where are you?" in read, "what is misheard is never passed on"
        read = says("No. It is four one two Oak Street, apartment seven.")
        assert "four one two Oak Street, apartment seven" in read
    says("Yes, that is right.")
    assert night.used[-1][0] == "escalate"
    assert night.used[-1][1]["place"] == "412 Oak Street, apartment 7"


def test_spanish_is_understood_where_it_is_expected(organs: Organs) -> None:
    """In an English voice, so only what matters is asked for."""
    heard = organs.ears.understand(
        over_the_line(organs.voice.speak("Hay agua en el techo de mi casa.", "es")), "es"
    )
    assert "agua" in heard.lower()
    assert "techo" in heard.lower()


def test_the_mind_has_words_for_the_voice(organs: Organs) -> None:
    night = Night()
    night.begins()
    for step in night.steps:
        assert isinstance(step, Say)
        assert len(organs.voice.speak(step.text, step.language)) > RATE // 2
    assert RuleMind().language(night.items, "Languages: en") == "en"


@no_second
async def test_over_the_socket_in_real_time_a_stranger_is_heard_and_answered(
    organs: Organs, joe: Voice
) -> None:
    async with running(organs=organs) as address, paced(address) as caller:
        answer = await caller.says(
            over_the_line(joe.speak("There is water coming through the ceiling.", "en"), 20.0)
        )
        assert "water" in answer.transcript
        assert answer.words.startswith("Where are you?")
        assert "street" in organs.ears.understand(answer.sound, "en").lower()
        answer = await caller.says(over_the_line(joe.speak("412 Oak Street, apartment 7.", "en")))
        assert "Is that right?" in answer.words
