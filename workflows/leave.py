"""What a caller's words mean for the end of a call: leave taken, help called, something told. Pure."""

import re
from collections.abc import Iterable

from workflows.danger import plain

WORDS_OF_A_REPORT = 4  # "hello, who is this" is none; a sentence about a pipe is

_GOODBYE = re.compile(
    r"(?<!\w)(?:good ?bye|bye|hang(?:ing)? up(?! on)|that(?:s| is| was) all|adios|hasta luego|chao|cuelgo)(?!\w)"
)
_CALLED = re.compile(
    r"(?<!\w)(?:(?:have|ve|has|did|just|already|we|i|she|he|they|wife|husband)(?: (?!not|never|nt)\w+){0,2}"
    r" (?:called|dialed|dialled|phoned|rang|rung)(?! no)|called (?:911|112|999|them)"
    r"|(?:he|ha|hemos|ya) (?:llamado|marcado)|llame)(?!\w)"
)
_NOTHING_WRONG = re.compile(
    r"(?<!\w)(?:wrong number|misdial\w*|never ?mind|numero equivocado|me equivoque)(?!\w)"
)


def takes_leave(text: str) -> bool:
    """Whether somebody says goodbye."""
    return _GOODBYE.search(plain(text)) is not None


def says_called(texts: Iterable[str]) -> bool:
    """Whether somebody says that the emergency number has been called."""
    return any(_CALLED.search(plain(text)) for text in texts)


def tells_something(texts: Iterable[str]) -> bool:
    """Whether there is a sentence that somebody must hear of, and no word that there is nothing."""
    said = [plain(text) for text in texts]
    told = any(len(re.findall(r"\w+", text)) >= WORDS_OF_A_REPORT for text in said)
    return told and not any(_NOTHING_WRONG.search(text) for text in said)
