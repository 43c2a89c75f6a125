"""What a person's SMS means. Pure: a code of four digits, alone or with words that say yes or no.

The code is the proof, so it must be there; with words we do not know, nobody's case is taken or passed on a
guess. Words that carriers take for opting out are never asked for and never answered.
"""

import re
from dataclasses import dataclass

from workflows.values import ActKind


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CODE = re.compile(r"(?<!\d)\d{4}(?!\d)", re.ASCII)
WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")

YES = _words(
    "y yes yep yeah ok okay k mine take taking taken accept accepted ack acknowledge acknowledged got coming omw"
    " on si sí vale mío mía mio mia voy acepto"
)
NO = _words(
    "n no nope not pass decline declined cannot cant can't unable skip next busy paso otro otra puedo"
)
FILLING = _words(
    "i i'm im i'll ill it it's this that the a one me my way will am have do for to now please thanks thank you"
    " code by va lo la en camino gracias el de yo"
)
CARRIERS_OWN = _words(
    "stop stopall unsubscribe cancel end quit optout revoke start unstop help info baja alto"
)


@dataclass(frozen=True)
class Meant:
    """A code, and what is to be done with its page."""

    code: str
    kind: ActKind


@dataclass(frozen=True)
class Unclear:
    """Nothing we would act on. code: the one that was in it, if any."""

    code: str | None = None


@dataclass(frozen=True)
class ForCarrier:
    """A word between the person and their carrier: no reply of ours."""


def meaning(body: str) -> Meant | Unclear | ForCarrier:
    """What the text asks for."""
    codes = set(CODE.findall(body))
    words = {word.lower().replace("\u2019", "'") for word in WORD.findall(body)}
    if not codes and words and words <= CARRIERS_OWN:
        return ForCarrier()
    if len(codes) != 1 or re.search(r"\d{5,}", body):
        return Unclear()
    code = codes.pop()
    yes, no = words & YES, words & NO
    if words - YES - NO - FILLING or (yes and no):
        return Unclear(code)
    return Meant(code, ActKind.DECLINE if no else ActKind.ACKNOWLEDGE)
