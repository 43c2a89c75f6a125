"""The values every part of an escalation speaks of: people, rungs, ladders, lines, acts.

Knows the domain only; no Temporal, no network. Everything here is frozen and crosses Temporal as JSON.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Literal, NewType

ActId = NewType("ActId", str)
CallSid = NewType("CallSid", str)
ConferenceSid = NewType("ConferenceSid", str)
EscalationId = NewType("EscalationId", str)
LineId = NewType("LineId", str)
PageId = NewType("PageId", str)
PersonId = NewType("PersonId", str)
RingId = NewType("RingId", str)


class Severity(StrEnum):
    """How bad it is; decides the order in the queue of calls."""

    LIFE = "life"
    URGENT = "urgent"
    ROUTINE = "routine"

    @property
    def rank(self) -> int:
        """1 is the most severe."""
        return list(Severity).index(self) + 1


class Channel(StrEnum):
    """A way to a person."""

    VOICE = "voice"
    TEXT = "text"
    PUSH = "push"


@dataclass(frozen=True)
class Responder:
    """A person who can be paged, as they could be reached when the ladder was fixed.

    phone, text_to: E.164; None where the person has no such channel.
    push: Apprise URLs.
    language: in which they are spoken to. speaks: the languages they are known to speak; none is not known.
    because: why this person is on this rung, for the record.
    """

    id: PersonId
    name: str
    phone: str | None = None
    text_to: str | None = None
    push: tuple[str, ...] = ()
    language: str = "en"
    because: str = ""
    speaks: tuple[str, ...] = ()

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The ways to this person, in the order they are tried (all at once)."""
        ways = ((Channel.VOICE, self.phone), (Channel.TEXT, self.text_to), (Channel.PUSH, self.push))
        return tuple(channel for channel, way in ways if way)


@dataclass(frozen=True)
class Rung:
    """Responders paged together, and how long to wait for one of them.

    wait_s counts from the submission of the rung's first voice page while a caller waits,
    wait_nobody_s when nobody does. A phone is rung again ring_again_s after that; 0 is once only.
    """

    name: str
    responders: tuple[Responder, ...]
    wait_s: float = 120.0
    wait_nobody_s: float = 300.0
    ring_again_s: float = 60.0


@dataclass(frozen=True)
class Ladder:
    """The ordered rungs of an escalation, fixed when it starts, and its other clocks.

    pauses_s: how long to wait before round 2, 3, …; the last one repeats. Life goes round without pause.
    submit_limit_s: how long calls may stay queued before the operator is alerted.
    join_s: from the join call's submission, or the key press, to the owner's being in the room.
    unattended_s: from an acknowledgement with nobody waiting to the first question to the owner.
    follow_up_s: between questions to an owner who is in the room or has left it.
    """

    rungs: tuple[Rung, ...]
    last_resort: tuple[Responder, ...] = ()
    pauses_s: tuple[float, ...] = (0.0, 300.0, 900.0, 1800.0)
    submit_limit_s: float = 60.0
    join_s: float = 90.0
    unattended_s: float = 600.0
    follow_up_s: float = 1800.0

    @property
    def people(self) -> tuple[Responder, ...]:
        """Everybody on it, the last resort last, each once."""
        seen: dict[PersonId, Responder] = {}
        for responder in (*(r for rung in self.rungs for r in rung.responders), *self.last_resort):
            seen.setdefault(responder.id, responder)
        return tuple(seen.values())


@dataclass(frozen=True)
class Line:
    """What the workflows need to know of the telephone line that rang.

    number: the line's own: it is rung, and texts come from it and go to it. caller_id: what a rung phone shows.
    danger: the danger sentence in each of the line's languages, as the owner's file has it: (language, sentence).
    """

    id: LineId
    name: str
    number: str
    emergency_number: str
    languages: tuple[str, ...] = ("en",)
    assistant: bool = True
    time_zone: str = "UTC"
    danger: tuple[tuple[str, str], ...] = ()
    caller_id: str | None = None

    def spoken_in(self, language: str) -> "Line":
        """The same line with this language before its others; "" changes nothing."""
        if not language:
            return self
        others = tuple(one for one in self.languages if one != language)
        return replace(self, languages=(language, *others))

    @property
    def calls_from(self) -> str:
        """The number that our calls show."""
        return self.caller_id or self.number


@dataclass(frozen=True)
class Case:
    """What an escalation is about, in words harmless enough to be read to a voicemail.

    contact: E.164 of the person to call back through the line; never part of a page.
    """

    line: Line
    category: str
    spoken: str
    severity: Severity
    contact: str | None = None
    test: bool = False


@dataclass(frozen=True)
class OpenCase:
    """A case that a caller's number has open. room: where its owner is with nobody else; "" where nowhere."""

    escalation: EscalationId
    case: Case
    room: str = ""


class ActKind(StrEnum):
    """What a person can do to an escalation. Single acts only; double ones come with ownership."""

    ACKNOWLEDGE = "acknowledge"
    DECLINE = "decline"
    RESOLVE = "resolve"
    CANCEL = "cancel"


class Via(StrEnum):
    """How an act reached us: the evidence that a person did it."""

    KEY = "key"
    TEXT = "text"
    LINK = "link"
    JOINED = "joined"
    CONSOLE = "console"
    TEMPORAL = "temporal"


@dataclass(frozen=True)
class Act:
    """Something a person did to an escalation, as the door saw it.

    id is the same on every repeat. pressed_at is the door's stamp, None where there is no door
    (Temporal's own UI): then the instant it is handled counts.
    leg is the call the key was pressed on: it can be seated at once. code is an SMS's proof.
    """

    kind: ActKind
    id: ActId
    by: PersonId
    via: Via = Via.TEMPORAL
    page: PageId | None = None
    leg: CallSid | None = None
    pressed_at: datetime | None = None
    code: str | None = None
    note: str = ""
    version: int = 1


HoldSound = Literal[
    "music", "words", "silence"
]  # words: that one is not forgotten, and whom to dial in danger


class Verdict(StrEnum):
    """What became of an act."""

    YOURS = "yours"
    TAKEN = "taken"
    DECLINED = "declined"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"
    OVER = "over"
    REFUSED = "refused"


@dataclass(frozen=True)
class ActReply:
    """What the person who acted is told in the same breath.

    owner: the name of whoever has it. conference: the room to seat them in, None when nobody waits there.
    can_ring: the case has somebody to ring back through the line.
    """

    verdict: Verdict
    sentence: str
    owner: str | None = None
    conference: str | None = None
    can_ring: bool = False


FactKind = Literal[
    "danger",
    "placing",
    "ringing",
    "next",
    "still_ringing",
    "exhausted",
    "taken",
    "joining",
    "reopened",
    "one_moment",
    "over",
]


@dataclass(frozen=True)
class Fact:
    """Something true that a caller may be told now; rendered by `sentences`, never composed elsewhere.

    id makes a repeat recognisable. rung counts from 1. until: for `exhausted`, the next attempt.
    """

    id: str
    kind: FactKind
    rung: int = 0
    name: str = ""
    until: datetime | None = None
