"""Twilio's identifiers: two letters and 32 hex digits, drawn from the seed."""

import hashlib
import random
from typing import NewType

AccountSid = NewType("AccountSid", str)
ApplicationSid = NewType("ApplicationSid", str)
CallSid = NewType("CallSid", str)
ConferenceSid = NewType("ConferenceSid", str)
MessageSid = NewType("MessageSid", str)
NumberSid = NewType("NumberSid", str)
RecordingSid = NewType("RecordingSid", str)
StreamSid = NewType("StreamSid", str)

SID_LENGTH = 34


def looks_like_sid(text: str, prefix: str) -> bool:
    """Whether text is an identifier of that kind, by its shape alone."""
    return (
        len(text) == SID_LENGTH
        and text.startswith(prefix)
        and all(character in "0123456789abcdefABCDEF" for character in text[2:])
    )


class Sids:
    """Draws identifiers: the same seed gives the same ones in the same order."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311  # repeatable on purpose

    def _draw(self, prefix: str) -> str:
        return f"{prefix}{self._random.getrandbits(128):032x}"

    def call(self) -> CallSid:
        return CallSid(self._draw("CA"))

    def conference(self) -> ConferenceSid:
        return ConferenceSid(self._draw("CF"))

    def message(self) -> MessageSid:
        return MessageSid(self._draw("SM"))

    def recording(self) -> RecordingSid:
        return RecordingSid(self._draw("RE"))

    def stream(self) -> StreamSid:
        return StreamSid(self._draw("MZ"))

    def token(self) -> str:
        """A webhook's idempotency token."""
        return self._draw("")


def named_sid(prefix: str, name: str) -> str:
    """The identifier of a thing set up by name: the same in every run."""
    return prefix + hashlib.sha256(name.encode()).hexdigest()[:32]
