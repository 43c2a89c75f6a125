"""What a call is: the room, the legs in it, the AI's role, the conversation, and how the call is closed.

The caller is in the menu, in the room, or gone. The call is closed when the caller, the room and every leg
are confirmed gone, in exactly one state: failed-over > escalated > message-taken > handled > spam > abandoned.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from workflows.agents import Speech
from workflows.assistant import Assistant, Role, Step, Wanted
from workflows.talk import Talk
from workflows.values import (
    CallSid,
    Case,
    ConferenceSid,
    EscalationId,
    Fact,
    Line,
    OpenCase,
    Responder,
)


class CallerAt(StrEnum):
    """Where the caller is."""

    MENU = "menu"
    ROOM = "room"
    GONE = "gone"


class LegAt(StrEnum):
    """Where a responder's leg is."""

    EXPECTED = "expected"
    ROOM = "room"
    LEFT = "left"
    MENU = "menu"
    GONE = "gone"


class Closing(StrEnum):
    """How a call ended; the first that is true, in this order."""

    FAILED_OVER = "failed-over"
    ESCALATED = "escalated"
    MESSAGE_TAKEN = "message-taken"
    HANDLED = "handled"
    SPAM = "spam"
    ABANDONED = "abandoned"


@dataclass(frozen=True)
class ResponderLeg:
    """A responder's leg, from the key press to its end."""

    person: Responder
    sid: CallSid
    at: LegAt
    since: datetime
    told_left: bool = False


class TellsBy(StrEnum):
    """Whose voice a fact is told by."""

    ANNOUNCEMENT = "announcement"
    ASSISTANT = "assistant"


class Away(StrEnum):
    """Where the caller was sent from the room, by us."""

    MENU = "menu"
    KEYS = "keys"


@dataclass(frozen=True)
class Call:
    """One telephone call to a line, until everything about it is over.

    speech: how the AI answers it; None: the menu does. names_told: of whom the caller has heard. voice_lost:
    since when the speech model fails. unattended_since: since when a caller who came to talk has nobody to.
    away: the caller was sent out of the room, and comes back; since away_since. open_case: what the caller's number
    had open when it rang. guest: they are in the room of another call, with the owner of their case; visitors:
    such callers in this room. silent: nothing was heard of the caller, and the line lets such callers go.
    """

    sid: CallSid
    line: Line
    caller_number: str
    conference: str
    since: datetime
    looked_at: datetime
    conference_sid: ConferenceSid | None = None
    caller: CallerAt = CallerAt.MENU
    legs: tuple[ResponderLeg, ...] = ()
    assistant: Assistant = field(default_factory=Assistant)
    stale_legs: tuple[CallSid, ...] = ()
    step: Step | None = None
    step_for: Wanted | None = None
    case: Case | None = None
    escalation: EscalationId | None = None
    escalations: int = 0
    resolved: bool = False
    emergency_called: bool = False
    telling: Fact | None = None
    told_at: datetime | None = None
    to_tell: tuple[Fact, ...] = ()
    last_state: Fact | None = None
    message_taken: bool = False
    handled: bool = False
    failed_over: bool = False
    room_over: bool = False
    finished_rooms: tuple[ConferenceSid, ...] = ()
    ending: bool = False
    unannounced: tuple[CallSid, ...] = ()
    nonces: tuple[str, ...] = ()
    speech: Speech | None = None
    talk: Talk = field(default_factory=Talk)
    names_told: tuple[str, ...] = ()
    told_by: TellsBy = TellsBy.ANNOUNCEMENT
    voice_lost: datetime | None = None
    unattended_since: datetime | None = None
    away: Away | None = None
    away_since: datetime | None = None
    open_case: OpenCase | None = None
    guest: bool = False
    visitors: tuple[CallSid, ...] = ()
    silent: bool = False

    @property
    def spoken_line(self) -> Line:
        """The line, with the language of the conversation before its others."""
        return self.line.spoken_in(self.talk.language)

    @property
    def conversing(self) -> bool:
        """The caller is in the room to talk with the AI; nobody is being woken, and no human is with them."""
        alone = all(leg.at is LegAt.GONE for leg in self.legs)
        waits = self.caller is CallerAt.ROOM and self.escalation is None and not self.ending
        return self.speech is not None and alone and waits

    @property
    def attended(self) -> bool:
        """The AI listens to the caller and can speak with them."""
        ai = self.assistant
        there = ai.present and ai.bridge is not None and not ai.muted and ai.told == self.wanted
        return there and self.voice_lost is None and self.wanted.role is Role.ANSWERING

    @property
    def over(self) -> bool:
        """Caller, room and legs are confirmed gone."""
        legs_gone = all(leg.at is LegAt.GONE for leg in self.legs) and self.assistant.sid is None
        room_gone = self.room_over or self.conference_sid is None or self.guest
        return self.caller is CallerAt.GONE and room_gone and legs_gone and not self.assistant.dialling

    @property
    def closing(self) -> Closing:
        """The one state in which this call is closed."""
        true = {
            Closing.FAILED_OVER: self.failed_over,
            Closing.ESCALATED: self.escalations > 0,
            Closing.MESSAGE_TAKEN: self.message_taken,
            Closing.HANDLED: self.handled,
            Closing.SPAM: False,  # only a human or a stated rule says so
            Closing.ABANDONED: True,
        }
        return next(state for state in Closing if true[state])

    @property
    def wanted(self) -> Wanted:
        """What the AI should be in this room now."""
        here = [leg for leg in self.legs if leg.at is LegAt.ROOM]
        if (
            not self.line.assistant
            or self.resolved
            or self.ending
            or self.room_over
            or self.guest
            or (self.caller is not CallerAt.ROOM and not here and not self.visitors)
        ):
            return Wanted(Role.GONE)
        if here:
            return Wanted(Role.COACH, here[0].sid, here[0].person.name)
        if any(leg.at in {LegAt.LEFT, LegAt.MENU} for leg in self.legs):
            return Wanted(Role.SILENT)
        return Wanted(Role.ANSWERING)
