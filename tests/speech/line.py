"""A telephone line for tests that listen: band, level, noise, mu-law. Pure numbers, seeded."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sandbox.sound import mulaw
from sandbox.sound.mulaw import RATE, Samples
from sandbox.speech.dialogue.words import plain, with_digits

LEVEL = 0.1  # rms of the speech, -20 dBFS
Sound = NDArray[np.float64]


@dataclass(frozen=True)
class Phrase:
    """needs: what the dialogue has to find in the transcript, as patterns on its plain words."""

    text: str
    needs: Sequence[str]


PHRASES: Sequence[Phrase] = (
    Phrase("There is water coming through the ceiling.", (r"water", r"ceiling")),
    Phrase("The pipe under the kitchen sink burst and it is flooding.", (r"pipe|sink", r"burst|flood")),
    Phrase("My father has chest pain and he is sweating.", (r"chest pain",)),
    Phrase("I smell gas in the basement.", (r"\bgas\b",)),
    Phrase("The elevator is stuck and someone is inside.", (r"elevator", r"stuck")),
    Phrase("We have no heat and there is a newborn in the house.", (r"no heat",)),
    Phrase("The power is out in the whole building.", (r"power", r"\bout\b")),
    Phrase("There is smoke coming from the electrical panel.", (r"smoke",)),
    Phrase("My daughter has a fever of one hundred and four.", (r"fever", r"104")),
    Phrase("I think I took too many pills.", (r"many pills",)),
    Phrase("I am locked out of my apartment.", (r"locked out",)),
    Phrase("The sewage is backing up into the bathtub.", (r"sewage", r"back")),
    Phrase("My name is Maria Gonzalez.", (r"maria",)),
    Phrase("The address is four twelve Oak Street, apartment seven.", (r"412 oak", r"\b7\b")),
    Phrase("My phone number is five five five, zero one four two.", (r"5550142",)),
    Phrase("It started about twenty minutes ago.", (r"20 minutes",)),
    Phrase("No, nobody is hurt.", (r"nobody|no one|no body",)),
    Phrase("Yes, that is right.", (r"yes|yeah|right",)),
    Phrase("No, that is wrong.", (r"\bno\b|wrong",)),
    Phrase("One two three four.", (r"1234",)),
    Phrase("I am on my way.", (r"on my way",)),
    Phrase("Please call the next person.", (r"next person",)),
    Phrase("Can you repeat that please?", (r"repeat",)),
    Phrase("I need to speak to a real person.", (r"real person",)),
    Phrase("Is the doctor on call available tonight?", (r"doctor", r"on call|available")),
    Phrase("I will be there in fifteen minutes.", (r"15 minutes",)),
    Phrase("Thank you, goodbye.", (r"bye",)),
    Phrase("It is an emergency, please hurry.", (r"emergency",)),
    Phrase("What is happening? Is somebody coming?", (r"what.*happening|somebody coming",)),
    Phrase("We are at twenty one Elm Avenue, unit three.", (r"21 elm", r"\b3\b")),
    Phrase("You have the wrong house number, it is four two one.", (r"421",)),
    Phrase("He is not breathing, please help.", (r"not breathing",)),
)


def over_the_line(spoken: Samples, snr_db: float | None = None, seed: int = 1) -> Samples:
    """300 to 3400 Hz, pink noise at so many dB below the speech (None: a clean line), mu-law and back."""
    pad = np.zeros(RATE // 4)
    sound = _band(np.concatenate([pad, spoken.astype(np.float64) / 32_768, pad]))
    sound *= LEVEL / _active(sound)
    if snr_db is not None:
        noise = _band(_pink(len(sound), seed))
        sound = sound + noise * (LEVEL / 10 ** (snr_db / 20)) / float(np.sqrt(np.square(noise).mean()))
    return mulaw.decode(mulaw.encode(np.clip(sound * 32_767, -32_768, 32_767).astype(np.int16)))


def _band(sound: Sound) -> Sound:
    frequencies = np.fft.rfftfreq(len(sound), 1 / RATE)
    gain = np.clip((frequencies - 240) / 60, 0, 1) * np.clip((3_600 - frequencies) / 200, 0, 1)
    return np.fft.irfft(np.fft.rfft(sound) * gain, len(sound))


def _pink(length: int, seed: int) -> Sound:
    frequencies = np.fft.rfftfreq(length, 1 / RATE)
    frequencies[0] = 1.0
    white = np.fft.rfft(np.random.default_rng(seed).standard_normal(length))
    return np.fft.irfft(white / np.sqrt(frequencies), length)


def _active(sound: Sound) -> float:
    frames = np.sqrt(np.square(sound[: len(sound) // 160 * 160].reshape(-1, 160)).mean(axis=1))
    return float(np.sqrt(np.square(frames[frames > 0.05 * frames.max()]).mean()))


def words(text: str) -> list[str]:
    """Words to compare: numbers as digits, short forms written out."""
    said = plain(re.sub(r"(?<=\d)[\s,.-]+(?=\d)", "", with_digits(text)))
    for short, whole in (
        (r"can't", "cannot"),
        (r"n't\b", " not"),
        (r"i'm", "i am"),
        (r"'s\b", " is"),
        (r"we're", "we are"),
    ):
        said = re.sub(short, whole, said)
    return said.replace("okay", "ok").replace("good bye", "goodbye").split()


def wrong_words(said: str, heard: str) -> int:
    """How many words were added, lost or changed."""
    ours, theirs = words(said), words(heard)
    row = list(range(len(theirs) + 1))
    for i, mine in enumerate(ours, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(theirs, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (mine != other))
    return row[-1]


def understood(phrase: Phrase, heard: str) -> bool:
    said = " ".join(words(heard))
    return all(re.search(needed, said) for needed in phrase.needs)
