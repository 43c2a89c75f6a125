"""Whether words mean danger to life: a table of phrases beside whatever the AI makes of them.

A child that calls alone is danger too.
Too often is no harm, too seldom is: a phrase fires wherever it is said, unless it is denied in the same breath
("no smoke"). Phrases of every language are looked for, whatever language the line speaks.
"""

import re
import unicodedata
from collections.abc import Iterable

PHRASES: dict[str, tuple[str, ...]] = {
    "en": (
        "not breathing",
        "stopped breathing",
        "can not breathe",
        "cant breathe",
        "cannot breathe",
        "trouble breathing",
        "choking",
        "unconscious",
        "passed out",
        "not waking up",
        "wont wake up",
        "collapsed",
        "chest pain",
        "heart attack",
        "a stroke",
        "seizure",
        "bleeding",
        "overdose",
        "too many pills",
        "took too many",
        "poisoned",
        "suicide",
        "kill myself",
        "kill himself",
        "kill herself",
        "kill me",
        "hurt myself",
        "dying",
        "is dead",
        "drowning",
        "electrocuted",
        "electric shock",
        "smell gas",
        "smells of gas",
        "smells like gas",
        "smell of gas",
        "gas leak",
        "gas smell",
        "carbon monoxide",
        "on fire",
        "a fire",
        "flames",
        "burning",
        "smoke",
        "sparks",
        "sparking",
        "explosion",
        "exploded",
        "collapsing",
        "has a gun",
        "has a knife",
        "breaking in",
        "trapped",
        "stuck in the elevator",
        "in the elevator",
        "inside the elevator",
        "my mommy",
        "my mummy",
        "my daddy",
    ),
    "es": (
        "no respira",
        "no puede respirar",
        "no puedo respirar",
        "se ahoga",
        "inconsciente",
        "desmayado",
        "desmayada",
        "no despierta",
        "dolor en el pecho",
        "dolor de pecho",
        "infarto",
        "derrame cerebral",
        "convulsiones",
        "sangra",
        "sangrando",
        "sobredosis",
        "demasiadas pastillas",
        "envenenado",
        "suicidarme",
        "matarme",
        "se muere",
        "esta muerto",
        "electrocutado",
        "descarga electrica",
        "huele a gas",
        "olor a gas",
        "fuga de gas",
        "monoxido",
        "incendio",
        "fuego",
        "en llamas",
        "humo",
        "chispas",
        "explosion",
        "tiene un arma",
        "tiene un cuchillo",
        "atrapado",
        "atrapada",
        "en el ascensor",
        "mi mami",
        "mi papi",
    ),
}

APOSTROPHES = "'\N{RIGHT SINGLE QUOTATION MARK}"
_DENIED = r"(?<!\S)(?:no|not|without|isnt any|sin|ningun|ninguna)\s+(?:\S+\s+)?"


def plain(text: str) -> str:
    """Lower case, without accents and apostrophes; other punctuation stands by itself."""
    letters = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(c for c in letters if not unicodedata.combining(c) and c not in APOSTROPHES)
    return " ".join(re.sub(r"([^\w\s])", r" \1 ", bare).split())


def heard(text: str, more: Iterable[str] = (), fewer: Iterable[str] = ()) -> str | None:
    """The first phrase of danger in these words; None: there is none.

    more, fewer: the line's own additions, and what means no danger there ("smoke" at a chimney sweep's).
    """
    said = plain(text)
    harmless = {plain(phrase) for phrase in fewer}
    for phrase in (*(p for known in PHRASES.values() for p in known), *map(plain, more)):
        if phrase not in harmless and _fires(phrase, said):
            return phrase
    return None


def _fires(phrase: str, said: str) -> bool:
    whole = rf"(?<!\w){re.escape(phrase)}(?!\w)"
    if re.search(r"(?:^|\s)(?:no|not|cant|wont)(?:\s|$)", phrase):
        return re.search(whole, said) is not None
    undenied = re.sub(_DENIED + whole, "", said)
    return re.search(whole, undenied) is not None
