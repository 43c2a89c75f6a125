"""Words: numbers spoken and read back, yes and no with what they sound like on a telephone, which language it is."""

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

DIGITS: Final[Mapping[str, Sequence[str]]] = {
    "en": ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    "es": ("cero", "uno", "dos", "tres", "cuatro", "cinco", "seis", "siete", "ocho", "nueve"),
}
_UNITS = {word: str(n) for words in DIGITS.values() for n, word in enumerate(words)} | {"oh": "0"}
_TEENS = {
    word: str(n)
    for words in (
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
        "diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve",
    )
    for n, word in enumerate(words.split(), 10)
}
_TENS = {
    word: n
    for words in (
        "twenty thirty forty fifty sixty seventy eighty ninety",
        "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    )
    for n, word in enumerate(words.split(), 2)
}
_HUNDREDS = {"hundred", "cien", "ciento"}
_ALONE_IS_NO_NUMBER = {"one", "oh", "uno", "once"}
_COUNTED = {
    "apartment",
    "apt",
    "unit",
    "number",
    "flat",
    "suite",
    "floor",
    "room",
    "piso",
    "número",
    "apartamento",
}

# Said anywhere in an answer, and said at its beginning.
_YES = (
    r"yes|yeah|yep|yup|yea|correct|exactly|accept|affirmative|that's it|that is it"
    r"|(?:that's|that is|it's|it is|all|is) right|sí|correcto|exacto|eso es|así es"
)
_YES_FIRST = r"ya|sure|right|ok|okay|uh huh|si|claro|vale|c es"
_NO = (
    r"wrong|incorrect|not (?:right|correct|it|really|quite)|isn't (?:right|correct|it)|nobody|no one|decline"
    r"|incorrecto|equivocado"
)
_NO_FIRST = r"no|nope|nah|not|never|mal|falso"
_FILLER = r"(?:(?:oh|uh|um|well|sorry|and|but|so|i said|pues|bueno|ay) )*"
_NO_ANSWER = (
    r"\bright (?:now|away|here|there|next|in|on|by|behind)\b|\bno (?:problem|heat|power|water|light)\b"
)
# Heard for "accept" when nothing else was said; inside a sentence it is its own word.
_ONLY_ALONE = {
    "except": True,
    "expect": True,
    "exit": True,
    "s": True,
    "c": True,
    "know": False,
    "now": False,
}

_SPANISH = frozenset(
    {
        "hola", "ayuda", "agua", "hay", "está", "esta", "mi", "casa", "calle", "gracias", "emergencia", "fuga",
        "techo", "por", "favor", "necesito", "tengo", "el", "la", "los", "las", "una", "y", "que", "del", "muy",
        "dolor", "pecho", "fuego", "humo", "número", "es", "en", "con", "un", "qué", "señor", "señora", "sí",
        "tubería", "inundación",
    }
)  # fmt: skip
_ENGLISH = frozenset(
    {
        "the", "is", "a", "my", "there", "i", "we", "and", "of", "in", "it", "to", "have", "please", "help",
        "water", "at", "was", "no", "yes",
    }
)  # fmt: skip


MOST_WORDS_OF_A_WISH: Final = 5


class Answer(Enum):
    YES = "yes"
    NO = "no"


def plain(text: str) -> str:
    """Lower case, without punctuation, one space between words."""
    kept = re.sub(r"[^\w' ]", " ", text.lower().replace("\u2019", "'"))
    return " ".join(kept.split())


def with_digits(text: str) -> str:
    """The text with its spoken numbers as digits: `four twelve Oak` becomes `412 Oak`."""
    text = re.sub(r"(?<=\w)-(?=\w)", " ", text)
    text = re.sub(
        r"\b([1-9])00 (?:and|y) (\d{1,2})\b", lambda sum_: f"{int(sum_[1]) * 100 + int(sum_[2])}", text
    )
    out: list[str] = []
    run: list[str] = []
    for token in text.split():
        word = token.strip(".,;:!?¿¡\"'").lower()
        number = word in _UNITS or word in _TEENS or word in _TENS or (bool(run) and word in _HUNDREDS)
        joins = bool(run) and word in {"and", "y"} and run[-1] in (_HUNDREDS | set(_TENS))
        if number or joins or (word.isdigit() and bool(run)):
            run.append(word)
            if token[-1] in ".,;:!?" and not (token[-1] == "," and len(run) < 7):
                out.append(_number(run, out) + token[-1])
                run = []
            continue
        if run:
            out.append(_number(run, out))
            run = []
        out.append(token)
    if run:
        out.append(_number(run, out))
    return " ".join(out)


def _number(run: Sequence[str], before: Sequence[str]) -> str:
    if len(run) == 1 and run[0] in _ALONE_IS_NO_NUMBER:
        counted = bool(before) and before[-1].strip(".,").lower() in _COUNTED
        return _UNITS.get(run[0], _TEENS.get(run[0], run[0])) if counted else run[0]
    if any(word in _HUNDREDS for word in run):
        return str(_sum(run))
    digits = ""
    for index, word in enumerate(run):
        if word in _UNITS:
            digits += _UNITS[word]
        elif word in _TEENS:
            digits += _TEENS[word]
        elif word in _TENS:
            after = run[index + 1] if index + 1 < len(run) else ""
            after = run[index + 2] if after == "y" and index + 2 < len(run) else after
            digits += (
                str(_TENS[word]) if after in _UNITS and after not in {"oh", "zero"} else f"{_TENS[word]}0"
            )
        elif word.isdigit():
            digits += word
    return digits


def _sum(run: Sequence[str]) -> int:
    total = 0
    for word in run:
        if word in _HUNDREDS:
            total = max(1, total) * 100
        elif word in _TENS:
            total += _TENS[word] * 10
        else:
            total += int(_UNITS.get(word) or _TEENS.get(word) or (word if word.isdigit() else "0"))
    return total


def read_back(text: str, language: str) -> str:
    """The text as it is read back: every digit a word of its own."""
    names = DIGITS.get(language, DIGITS["en"])
    spoken = re.sub(r"\d+", lambda run: f" {' '.join(names[int(one)] for one in run.group())} ", text)
    return re.sub(r" +([,.;:!?])", r"\1", " ".join(spoken.split()))


def yes_or_no(text: str) -> Answer | None:
    """What was answered, if it was an answer; a no weighs more than a yes."""
    said = plain(text)
    if said in _ONLY_ALONE:
        return Answer.YES if _ONLY_ALONE[said] else Answer.NO
    said = re.sub(_NO_ANSWER, "", said)
    if re.search(rf"\b(?:{_NO})\b", said) or re.match(rf"{_FILLER}(?:{_NO_FIRST})\b", said):
        return Answer.NO
    agreed = re.search(rf"\b(?:{_YES})\b", said) or re.match(rf"{_FILLER}(?:{_YES_FIRST})\b", said)
    return Answer.YES if agreed else None


def language_of(text: str) -> str | None:
    """`en` or `es` where the words tell; None where they do not."""
    if (asked_for := language_asked_for(text)) is not None:
        return asked_for
    said = plain(text)
    words = said.split()
    spanish = sum(word in _SPANISH for word in words) + (2 if re.search(r"[ñ¿¡]", text) else 0)
    english = sum(word in _ENGLISH for word in words)
    if spanish >= 2 and spanish > english:
        return "es"
    return "en" if english >= 2 and english > spanish else None


def language_asked_for(text: str) -> str | None:
    """The language somebody names who wants to be spoken to in it: a few words and nothing else."""
    said = plain(text)
    if len(said.split()) > MOST_WORDS_OF_A_WISH:
        return None
    if re.search(r"\b(?:\w*ñol|espa\w*ol|spanish)\b", said):
        return "es"
    return "en" if re.search(r"\b(?:english|ingl[eé]s)\b", said) and "no " not in f"{said} " else None
