"""What a call is: the room, the legs in it, the AIs' roles, the conversation, and how the call is closed.

The caller is in the menu, in the room, or gone. The call is closed when the caller, the room and every leg
are confirmed gone, in exactly one state: failed-over > escalated > message-taken > handled > spam > abandoned.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from workflows.agents import Speech
from workflows.assistant import Aide, Assistant, Post, Role, Step, Wanted, Wish
from workflows.room_acts import RoomOutcome
from workflows.sentences import language_of
from workflows.talk import Talk
from workflows.values import (
    ActId,
    CallSid,
    Case,
    ConferenceSid,
    EscalationId,
    Fact,
    HoldSound,
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
    """A responder's leg, from the key press to its end. briefed: the AI has whispered to them, or had its time to."""

    person: Responder
    sid: CallSid
    at: LegAt
    since: datetime
    told_left: bool = False
    briefed: bool = False


@dataclass(frozen=True)
class Manner:
    """How a human's leg takes part. hold: what it hears instead of the room; None: it is not on hold."""

    hold: HoldSound | None = None
    muted: bool = False


AT_LARGE = Manner()


@dataclass(frozen=True)
class Floor:
    """What a human's leg is let do in the room, since somebody asked for it.

    is_: what it is, as far as was confirmed; None: not known. ordered: what the network was told and has not
    answered yet. Who comes into the room is at large, whatever they were before.
    """

    leg: CallSid
    wanted: Manner
    is_: Manner | None = AT_LARGE
    ordered: Manner | None = None


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

    aides: its AIs, one a post, there or not. floors: of legs that were held or muted. acted: what acts on the room
    came to, by their ids. speech: how the AI answers it; None: the menu does. names_told: of whom the caller has
    heard. voice_lost: since when the speech model fails. silent_since: since when a caller hears nothing of an AI
    that was lost, or since they were last told to wait, moments times. broken_off: its bridge went without a word.
    unattended_since: since when a caller who came to talk has nobody to. away: the caller was sent out of the room,
    and comes back; since away_since. open_case: what the caller's number had open when it rang. guest: they are in
    the room of another call, with the owner of their case; visitors: such callers in this room. silent: nothing was
    heard of the caller, and the line lets such callers go.
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
    aides: tuple[Aide, ...] = tuple(Aide(post) for post in Post)
    floors: tuple[Floor, ...] = ()
    acted: tuple[tuple[ActId, RoomOutcome], ...] = ()
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
    silent_since: datetime | None = None
    moments: int = 0
    broken_off: bool = False
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

    def aide(self, post: Post) -> Aide:
        """The AI of this post, there or not."""
        return next((aide for aide in self.aides if aide.post is post), Aide(post))

    @property
    def assistant(self) -> Assistant:
        """The leg of the AI that talks with the caller, and coaches."""
        return self.aide(Post.ASSISTANT).leg

    @property
    def step(self) -> Step | None:
        """The step of that leg that is under way."""
        return self.aide(Post.ASSISTANT).step

    @property
    def wanted(self) -> Wanted:
        """What that AI should be in this room now."""
        return self.wanted_as(Post.ASSISTANT)

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
        heard = ai.muted is False and ai.held is False
        there = ai.present and ai.bridge is not None and heard and ai.told == self.wanted
        speaks = self.voice_lost is None and self.silent_since is None
        return there and speaks and self.wanted.role is Role.ANSWERING

    @property
    def over(self) -> bool:
        """Caller, room and legs are confirmed gone."""
        ais = [aide.leg for aide in self.aides]
        legs_gone = all(leg.at is LegAt.GONE for leg in self.legs) and all(ai.sid is None for ai in ais)
        room_gone = self.room_over or self.conference_sid is None or self.guest
        return self.caller is CallerAt.GONE and room_gone and legs_gone and not any(ai.dialling for ai in ais)

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

    # Who is heard

    def held(self, leg: CallSid) -> bool:
        """Whether somebody has put this human's leg on hold."""
        return any(floor.leg == leg and floor.wanted.hold is not None for floor in self.floors)

    @property
    def here(self) -> tuple[ResponderLeg, ...]:
        """The responders in the room, in the order they came, whether they hear it or not."""
        return tuple(leg for leg in self.legs if leg.at is LegAt.ROOM)

    @property
    def hearing(self) -> tuple[ResponderLeg, ...]:
        """Those of them who hear it."""
        return tuple(leg for leg in self.here if not self.held(leg.sid))

    @property
    def attending(self) -> tuple[ResponderLeg, ...]:
        """The responders in the room, and those who have just stepped out."""
        return tuple(leg for leg in self.legs if leg.at in {LegAt.ROOM, LegAt.LEFT, LegAt.MENU})

    @property
    def in_charge(self) -> bool:
        """Whether one of them is not on hold."""
        return any(not self.held(leg.sid) for leg in self.attending)

    # What each AI should be

    def wanted_as(self, post: Post) -> Wanted:
        """What the AI of this post should be in this room now: what follows from the room, and what was asked."""
        wish = self.aide(post).wish
        follows = {
            Post.ASSISTANT: self._assistant,
            Post.NOTES: self._note_taker,
            Post.INTERPRETER: self._interpreter,
        }[post](wish)
        nowhere = not self.line.assistant or self.resolved or self.ending or self.room_over or self.guest
        if nowhere or wish.removed or follows.role is Role.GONE:
            return Wanted(Role.GONE)
        if wish.held:
            return Wanted(Role.SILENT, held=True)
        return Wanted(Role.SILENT) if wish.muted else follows

    def _assistant(self, wish: Wish) -> Wanted:
        if self.caller is not CallerAt.ROOM and not self.here and not self.visitors:
            return Wanted(Role.GONE)
        if self.hearing:
            whom = next((leg for leg in self.hearing if leg.person.id == wish.whom), self.hearing[0])
            return Wanted(Role.COACH, whom.sid, whom.person.name)
        out = any(leg.at in {LegAt.LEFT, LegAt.MENU} for leg in self.legs)
        return Wanted(Role.SILENT if out and not self.here else Role.ANSWERING)

    def _note_taker(self, wish: Wish) -> Wanted:
        """There while somebody talks with the caller, if the line has one or one was called."""
        there = self.speech is not None and (wish.called or self.speech.notes)
        return Wanted(Role.NOTES if there and self.attending else Role.GONE)

    def _interpreter(self, wish: Wish) -> Wanted:
        """There while somebody talks with the caller in another language; silent while either cannot hear.

        Where nobody has called it, it lets the coach whisper first: its voice would cut the brief short.
        """
        there = self.speech is not None and (wish.called or self.speech.interpreter)
        if not there or not self.attending:
            return Wanted(Role.GONE)
        languages = self.languages(wish.language)
        if len(set(languages)) == 1:
            return Wanted(Role.GONE)
        caller_hears = self.caller is CallerAt.ROOM and not self.held(self.sid)
        if not caller_hears or not self.hearing or not (wish.called or self.hearing[0].briefed):
            return Wanted(Role.SILENT)
        return Wanted(Role.INTERPRETER, person=self.hearing[0].person.name, languages=languages)

    @property
    def unbriefed(self) -> tuple[ResponderLeg, ...]:
        """The responders for whose brief an interpreter waits."""
        if self.wanted_as(Post.INTERPRETER).role is not Role.SILENT:
            return ()
        return tuple(leg for leg in self.hearing[:1] if not leg.briefed)

    def languages(self, spoken: str = "") -> tuple[str, str]:
        """The caller's language and the responder's. spoken: the caller's, if somebody has said so.

        Who is not known to speak any speaks the line's. A caller who is said to need an interpreter, and no more,
        speaks another language of the line's than the responder does.
        """
        mine = spoken or language_of(self.line.languages)
        speaks = next((leg.person.speaks for leg in (*self.hearing, *self.legs)), ())
        if not spoken and self.aide(Post.INTERPRETER).wish.called and mine in (speaks or (mine,)):
            mine = next((one for one in self.line.languages if one not in (speaks or (mine,))), mine)
        ours = language_of(self.line.languages)
        theirs = speaks or (ours,)
        return mine, mine if mine in theirs else theirs[0]
