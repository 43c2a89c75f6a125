"""A small phrase book of emergencies, English and Spanish. It knows these sentences, and no other."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from sandbox.speech.dialogue.words import plain, with_digits

# `#` stands for a number, which is carried over.
BOOK: Final[tuple[tuple[str, str], ...]] = (
    ("Hello, this is the person on duty.", "Hola, soy la persona de guardia."),
    ("What has happened?", "¿Qué ha pasado?"),
    ("Where is the water coming from?", "¿De dónde viene el agua?"),
    ("The water is coming through the ceiling.", "El agua cae por el techo."),
    ("It comes from the bathroom above.", "Viene del baño de arriba."),
    ("The water does not stop.", "El agua no para."),
    ("Where are you?", "¿Dónde está usted?"),
    ("What is the address?", "¿Cuál es la dirección?"),
    ("I am in the kitchen.", "Estoy en la cocina."),
    ("Is anyone hurt?", "¿Hay alguien herido?"),
    ("Nobody is hurt.", "No hay nadie herido."),
    ("My child is hurt.", "Mi hijo está herido."),
    ("I cannot breathe.", "No puedo respirar."),
    ("He is not breathing.", "No respira."),
    ("There is a fire.", "Hay fuego."),
    ("I smell gas.", "Huele a gas."),
    ("Leave the building now.", "Salga del edificio ahora."),
    ("Hang up and dial #.", "Cuelgue y marque el #."),
    ("Can you close the main valve?", "¿Puede cerrar la llave principal?"),
    ("Where is the main valve?", "¿Dónde está la llave principal?"),
    ("The valve is closed.", "La llave está cerrada."),
    ("I cannot find the valve.", "No encuentro la llave."),
    ("Turn off the electricity.", "Corte la electricidad."),
    ("There is no power.", "No hay luz."),
    ("The heating does not work.", "La calefacción no funciona."),
    ("I am locked out.", "Me he quedado fuera."),
    ("I will be there in # minutes.", "Estaré allí en # minutos."),
    ("Please stay on the line.", "No cuelgue, por favor."),
    ("Please open the door.", "Abra la puerta, por favor."),
    ("I am alone.", "Estoy solo."),
    ("How many people are there?", "¿Cuántas personas hay?"),
    ("There are # people.", "Hay # personas."),
    ("I do not understand.", "No entiendo."),
    ("Please say it again.", "Repítalo, por favor."),
    ("Yes.", "Sí."),
    ("No.", "No."),
    ("Thank you.", "Gracias."),
    ("Thank you, goodbye.", "Gracias, adiós."),
)
NOT_KNOWN: Final = (("I could not translate that.", "en"), ("No he podido traducir eso.", "es"))
NEAR: Final = 0.7  # of the words of both: ears mishear one, seldom two

_NUMBER = re.compile(r"\b\d+\b")
_SENTENCES = re.compile(r"(?<=[.!?])\s+")
_SPOKEN: Final = {
    "en": {"10": "ten", "15": "fifteen", "20": "twenty", "30": "thirty", "45": "forty-five", "60": "sixty"},
    "es": {
        "10": "diez",
        "15": "quince",
        "20": "veinte",
        "30": "treinta",
        "45": "cuarenta y cinco",
        "60": "sesenta",
    },
}


@dataclass(frozen=True)
class Translated:
    """Words in the other language."""

    text: str
    language: str


def translated(said: str) -> tuple[Translated, ...] | None:
    """Each sentence in the other language, in its order; None where one of them is not in the book."""
    found = [_sentence(one) for one in _SENTENCES.split(said.strip()) if plain(one)]
    return None if None in found else tuple(one for one in found if one is not None)


def _sentence(said: str) -> Translated | None:
    heard = plain(with_digits(said))
    numbers = _NUMBER.findall(heard)
    words = Counter(_NUMBER.sub("#", heard).split())
    best, score = None, NEAR
    for english, spanish in BOOK:
        for known, other, language in ((english, spanish, "es"), (spanish, english, "en")):
            if known.count("#") != len(numbers):
                continue
            alike = _alike(words, Counter(plain(known.replace("#", " zzz ")).replace("zzz", "#").split()))
            if alike > score:
                best, score = Translated(_filled(other, numbers, language), language), alike
    return best


def _alike(one: Counter[str], other: Counter[str]) -> float:
    """Twice the words in common, by the words of both: 1 for the same words."""
    return 2 * (one & other).total() / (one.total() + other.total())


def _filled(text: str, numbers: list[str], language: str) -> str:
    for number in numbers:
        text = text.replace("#", _SPOKEN[language].get(number, number), 1)
    return text
