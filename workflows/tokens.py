"""What travels through a telephone network and back, signed: page calls, links, legs, streams, announcements.

A token is a model, a purpose and an expiry under one secret; a token made for one purpose opens nothing else.
Whoever holds one proves only that we made it: whether it may still be used is the workflow's decision.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Literal, TypeVar

from itsdangerous import BadData, URLSafeTimedSerializer
from pydantic import TypeAdapter

from workflows.values import CallSid, EscalationId, Fact, LineId, PageId, PersonId, RingId
from workflows.voice import Speaker

T = TypeVar("T")


class ForgedTokenError(Exception):
    """Not a token of ours, not for this purpose, or too old."""


@dataclass(frozen=True)
class PageItem:
    """One page as a key press needs it, also while Temporal is down."""

    page: PageId
    escalation: EscalationId
    kind: Literal["page", "join"]
    spoken: str
    accept: str
    decline: str
    conference: str | None
    life: bool = False
    test: bool = False


@dataclass(frozen=True)
class PageToken:
    """A page call: whose, which, on which line, and the pages in it."""

    person: PersonId
    ring: RingId
    line: LineId
    items: tuple[PageItem, ...]


@dataclass(frozen=True)
class LinkToken:
    """An acknowledgement link: shows on GET, accepts on POST, once."""

    person: PersonId
    page: PageId
    escalation: EscalationId


@dataclass(frozen=True)
class RoomToken:
    """A responder's leg that was seated in a call's room: what its <Dial action> needs."""

    person: PersonId
    escalation: EscalationId
    page: PageId
    line: LineId
    conference: str | None


@dataclass(frozen=True)
class LegToken:
    """An AI leg: of which call, which generation."""

    call: CallSid
    generation: int


@dataclass(frozen=True)
class StreamToken:
    """A media stream of an AI leg; the nonce is good for one attach."""

    call: CallSid
    generation: int
    nonce: str


@dataclass(frozen=True)
class EarToken:
    """An inbound-only stream of a caller's or responder's leg, which tells when that person speaks."""

    call: CallSid
    leg: CallSid
    speaker: Speaker
    person: str


@dataclass(frozen=True)
class FactToken:
    """A fact to be spoken on a line. language: the conversation's; "" the line's first."""

    line: LineId
    fact: Fact
    language: str = ""


@dataclass(frozen=True)
class Purpose(Generic[T]):
    """A kind of token: its name, its model, and how long it is good for."""

    name: str
    model: type[T]
    lasts: timedelta


# A ladder can go round for hours; a page's own key or link must not outlive the night.
PAGE = Purpose("page", PageToken, timedelta(hours=12))
LINK = Purpose("link", LinkToken, timedelta(hours=12))
ROOM = Purpose("room", RoomToken, timedelta(hours=12))
LEG = Purpose("leg", LegToken, timedelta(hours=12))
STREAM = Purpose("stream", StreamToken, timedelta(minutes=2))
EAR = Purpose("ear", EarToken, timedelta(minutes=2))
FACT = Purpose("fact", FactToken, timedelta(minutes=10))


class Tokens:
    """Makes and opens tokens under one secret. Holds no other state."""

    def __init__(self, secret: str) -> None:
        """secret: shared by every process; changing it voids every token that is out."""
        self._secret = secret

    def make(self, purpose: Purpose[T], value: T) -> str:
        """A URL-safe token for this value."""
        data = TypeAdapter(purpose.model).dump_python(value, mode="json", exclude_defaults=True)
        return str(self._serializer(purpose).dumps(data))

    def open(self, purpose: Purpose[T], token: str) -> T:
        """The value of a token. Raises ForgedTokenError."""
        try:
            data = self._serializer(purpose).loads(token, max_age=int(purpose.lasts.total_seconds()))
            return TypeAdapter(purpose.model).validate_python(data)
        except (BadData, ValueError) as error:
            raise ForgedTokenError(f"not a {purpose.name} token of ours, or too old") from error

    def _serializer(self, purpose: Purpose[T]) -> URLSafeTimedSerializer:
        return URLSafeTimedSerializer(self._secret, salt=f"rung/{purpose.name}")
