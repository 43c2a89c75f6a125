"""Spanish spelling as the phonemes of an English voice: it has no Spanish, but most of the sounds."""
# ruff: noqa: RUF001  # phonetic letters

import re
from typing import Final

from sandbox.speech.dialogue.words import DIGITS

_RULES: Final = (
    (r"ch", "ʧ"), (r"ll", "j"), (r"rr", "ɹ"), (r"qu(?=[eiéí])", "k"), (r"gu(?=[eiéí])", "ɡ"), (r"gü", "ɡw"),
    (r"c(?=[eiéí])", "s"), (r"g(?=[eiéí])", "h"), (r"c", "k"), (r"z", "s"), (r"j", "h"), (r"g", "ɡ"),
    (r"ñ", "nj"), (r"h", ""), (r"v", "b"), (r"y(?=[aeiouáéíóú])", "j"), (r"y", "i"), (r"x", "ks"), (r"r", "ɹ"),
    (r"w", "w"),
)  # fmt: skip
_VOWELS: Final = {"a": "ɑ", "e": "A", "i": "i", "o": "O", "u": "u"}
_GLIDES: Final = {"i": "j", "u": "w"}  # before another vowel
_ACCENTS: Final = {"á": "a", "é": "e", "í": "i", "ó": "o", "ú": "u", "ü": "u"}


def phonemes(text: str) -> str:
    """In the voice's own alphabet, with a stress in every longer word."""
    words = re.sub(r"\d", lambda digit: f" {DIGITS['es'][int(digit.group())]} ", text.lower())
    words = re.sub(r"[¿¡]", "", words)
    return " ".join(_word(token) for token in words.split())


def _word(token: str) -> str:
    spelled = token.strip(".,;:!?\"'")
    ending = token[len(token.rstrip(".,;:!?\"'")) :]
    stressed = _stressed(spelled)
    out = ""
    at = 0
    while at < len(spelled):
        letter = spelled[at]
        plain = _ACCENTS.get(letter, letter)
        if letter in _GLIDES and at + 1 < len(spelled) and spelled[at + 1] in "aeoáéó":
            out += _GLIDES[letter]
            at += 1
            continue
        if plain in _VOWELS:
            out += ("ˈ" if at == stressed else "") + _VOWELS[plain]
            at += 1
            continue
        for pattern, sound in _RULES:
            if (found := re.compile(pattern).match(spelled, at)) is not None:
                out += sound
                at = found.end()
                break
        else:
            out += letter if letter.isalpha() else ""
            at += 1
    return out + "".join(mark for mark in ending if mark in ".,;:!?")


def _stressed(word: str) -> int:
    """Where the stressed vowel stands: the accent, else the last or last but one by the word's ending."""
    accents = [at for at, letter in enumerate(word) if letter in "áéíóú"]
    if accents:
        return accents[0]
    vowels = [
        at
        for at, letter in enumerate(word)
        if letter in "aeiou"
        and not (letter in "iu" and at + 1 < len(word) and word[at + 1] in "aeo")
        and not (letter == "u" and at and word[at - 1] in "gq")
    ]
    if len(vowels) < 2:
        return -1
    return vowels[-2] if word[-1] in "aeiouns" else vowels[-1]
