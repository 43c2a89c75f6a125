"""Addresses and telephone numbers in what somebody said."""

import re
from typing import Final

from sandbox.speech.dialogue.words import with_digits

_STREET = (
    r"street|st|avenue|ave|road|rd|drive|dr|lane|ln|boulevard|blvd|court|ct|place|way|square|terrace|parkway"
    r"|highway|close|crescent|row|alley"
)
_FLAT = r"apartment|apt|unit|suite|flat|floor|room"
_NO_NAME = "minutes?|hours?|days?|people|on|in|at|from|ago|the|and"
_ENGLISH = re.compile(
    rf"\b(\d+(?: \d+)*[a-z]?)\s+((?:(?!(?:{_NO_NAME})\b)[a-z0-9'.]+\s+){{1,4}}?(?:{_STREET})s?)\b\.?"
    rf"(?:[,.\s]+(?:in |it's |it is |on |and )?(?:the )?({_FLAT}|number|#)\s*#?\s*(\d+[a-z]?|[a-z]\b))?",
    re.IGNORECASE,
)
_SPANISH = re.compile(
    r"\b((?:calle|avenida|plaza|paseo|carretera|camino)\s+(?:[\wáéíóúñ]+\s+){0,4}?[\wáéíóúñ]+?)"
    r"[,\s]+(?:n[uú]mero\s+)?(\d+)"
    r"(?:[,.\s]+(?:en el |el )?(piso|apartamento|puerta|departamento)\s+(\d+[a-z]?|[a-z]\b))?",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"^(?:(?:yes|no|yeah|well|uh|um|so|okay|ok|please|sí|si|bueno)[,.]?\s+)*"
    r"(?:i (?:already )?(?:told|said)(?: you)?\s*)?"
    r"(?:(?:(?:the|my|our) address is|it'?s|it is|i'?m|i am|we'?re|we are|we have|i live|we live|this is|that'?s)\s*)?"
    r"(?:(?:at|in|on|la dirección es|es|estoy|vivo|en)\s+)*",
    re.IGNORECASE,
)
_PHONE = re.compile(r"\+?\d(?:[\s().-]*\d){6,14}")
_NOT_KNOWN = re.compile(
    r"\b(?:i (?:really )?(?:don't|do not|dunno) (?:know|remember)|no idea|not sure"
    r"|can't (?:tell|remember)|dunno|no (?:lo )?s[eé])\b"
)
SHORTEST_NUMBER: Final = 7
MOST_WORDS: Final = 10  # of a place that is no address
THIS_NUMBER: Final = re.compile(
    r"\b(?:this (?:number|one|phone)|same number|(?:number|one) i(?:'m| am)? call|calling from"
    r"|este número|mismo número)",
    re.IGNORECASE,
)


def find_place(text: str) -> str | None:
    """A street address, as one writes it: `412 Oak Street, apartment 7`."""
    said = re.sub(r"(?<=\d),?\s(?=\d)", "", with_digits(text))
    if found := _SPANISH.search(said):
        street, house, kind, flat = found.groups()
        return f"{street} {house}" + (f", {kind.lower()} {flat}" if flat else "")
    if found := _ENGLISH.search(said):
        house, street, kind, flat = found.groups()
        kind = "number" if kind == "#" else (kind or "").lower()
        kind = "apartment" if kind == "apt" else kind
        return f"{house.replace(' ', '')} {street}" + (f", {kind} {flat}" if flat else "")
    return None


def place_from_answer(text: str) -> str | None:
    """What somebody says who was asked for the place, be it an address or not."""
    if (found := find_place(text)) is not None:
        return found
    if not_known(text):
        return None
    sentences = [one.strip() for one in re.split(r"[.?!¿¡]+", with_digits(text)) if one.strip()]
    with_number = [one for one in sentences if any(letter.isdigit() for letter in one)]
    rest = _LEAD.sub("", (with_number or sentences or [""])[-1]).strip(" ,")
    long_enough = len(rest.split()) >= 2 or bool(with_number)
    return rest if long_enough and len(rest.split()) <= MOST_WORDS else None


def not_known(text: str) -> bool:
    """Whether somebody says that they cannot tell."""
    return _NOT_KNOWN.search(text.lower().replace("\u2019", "'")) is not None


def house_number(text: str) -> str | None:
    """Digits alone, as when somebody corrects just those."""
    said = re.sub(r"(?<=\d)[,\s]+(?=\d)", "", with_digits(text))
    numbers = re.findall(r"\b\d{1,5}[a-z]?\b", said)
    return numbers[-1] if numbers else None


def find_number(text: str) -> str | None:
    """A telephone number, digits only but for a plus."""
    if found := _PHONE.search(re.sub(r"(?<=\d),\s*(?=\d)", " ", with_digits(text))):
        kept = re.sub(r"[^\d+]", "", found.group())
        return kept if len(kept.lstrip("+")) >= SHORTEST_NUMBER else None
    return None
