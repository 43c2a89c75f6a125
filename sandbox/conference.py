"""Conferences: who is in, what each may hear, when one starts and ends. No I/O, no clock.

A room is `init` until two members are in it and at least one of them starts it on entering;
`in-progress` until the last member leaves, one that ends it on leaving does so, or somebody
ends it by request; then `completed` for good. Every change returns what happened, in order,
for others to report.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from sandbox.assumptions import OrphanedCoach
from sandbox.ids import CallSid, ConferenceSid


class RoomStatus(StrEnum):
    INIT = "init"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"


class Leaving(StrEnum):
    """Why a member left, as participant-leave tells it."""

    HUNG_UP = "participant_hung_up"
    BY_REQUEST = "participant_updated_via_api"
    KICKED = "kicked"  # told as BY_REQUEST; the conference's own reason differs
    MODERATOR_ENDED = "moderator_ended_conference"
    ENDED_BY_REQUEST = "conference_ended_via_api"
    NEVER_CAME = "participant_add_failed"

    @property
    def told(self) -> str:
        return Leaving.BY_REQUEST.value if self is Leaving.KICKED else self.value


EndReason = Literal[
    "conference-ended-via-api",
    "participant-with-end-conference-on-exit-left",
    "participant-with-end-conference-on-exit-kicked",
    "last-participant-kicked",
    "last-participant-left",
]


@dataclass(frozen=True)
class Member:
    """One participant's flags. `coaches` names the only leg that hears this one."""

    call: CallSid
    label: str | None = None
    muted: bool = False
    hold: bool = False
    coaching: bool = False
    coaches: CallSid | None = None
    start_on_enter: bool = True
    end_on_exit: bool = False


@dataclass(frozen=True)
class Happened:
    """News of a room. `event` is Twilio's name for it."""

    event: str
    member: Member | None = None
    reason: str | None = None


@dataclass
class Room:
    """One conference. `pending` are legs on their way in, by request."""

    sid: ConferenceSid
    name: str
    status: RoomStatus = RoomStatus.INIT
    members: dict[CallSid, Member] = field(default_factory=dict[CallSid, Member])
    pending: dict[CallSid, Member] = field(default_factory=dict[CallSid, Member])
    max_participants: int = 250
    orphaned_coach: OrphanedCoach = "nobody"
    end_reason: EndReason | None = None
    ended_by: CallSid | None = None
    ended_by_label: str | None = None

    @property
    def active(self) -> bool:
        return self.status is not RoomStatus.COMPLETED

    @property
    def full(self) -> bool:
        return len(self.members) + len(self.pending) >= self.max_participants

    def labelled(self, label: str) -> Member | None:
        """The active participant of that label, arrived or on the way."""
        everybody = (*self.members.values(), *self.pending.values())
        return next((member for member in everybody if member.label == label), None)

    def expect(self, member: Member) -> None:
        """A leg is being dialled for this room."""
        self.pending[member.call] = member

    def join(self, member: Member) -> list[Happened]:
        self.pending.pop(member.call, None)
        self.members[member.call] = member
        news = [Happened("participant-join", member)]
        if self.status is RoomStatus.INIT and self._may_start():
            self.status = RoomStatus.IN_PROGRESS
            news.append(Happened("conference-start"))
        return news

    def _may_start(self) -> bool:
        starters = any(member.start_on_enter for member in self.members.values())
        return len(self.members) >= 2 and starters  # Twilio's own number

    def leave(self, call: CallSid, why: Leaving) -> list[Happened]:
        """A member or a pending one is gone. Unknown ones: nothing happened."""
        never_came = self.pending.pop(call, None)
        member = self.members.pop(call, None) or never_came
        if member is None:
            return []
        news = [Happened("participant-leave", member, why.told)]
        if self.active:
            kicked = why is Leaving.KICKED
            if member.end_on_exit and never_came is None:
                news += self._end_by_leaving(member, kicked=kicked)
            elif not self.members and not self.pending:
                reason: EndReason = "last-participant-kicked" if kicked else "last-participant-left"
                news += self._finish(reason, member)
        return news

    def _end_by_leaving(self, member: Member, *, kicked: bool) -> list[Happened]:
        reason: EndReason = (
            "participant-with-end-conference-on-exit-kicked"
            if kicked
            else "participant-with-end-conference-on-exit-left"
        )
        return self._finish(reason, member)

    def end(self) -> list[Happened]:
        """Somebody ended it by request. Again: nothing happens."""
        return self._finish("conference-ended-via-api", None) if self.active else []

    def _finish(self, reason: EndReason, by: Member | None) -> list[Happened]:
        """The end; those still in are told why they leave, then the room is closed."""
        self.status = RoomStatus.COMPLETED
        self.end_reason = reason
        if by is not None:
            self.ended_by, self.ended_by_label = by.call, by.label
        why = Leaving.ENDED_BY_REQUEST if by is None else Leaving.MODERATOR_ENDED
        left = [Happened("participant-leave", member, why.told) for member in self.members.values()]
        self.members.clear()
        return [*left, Happened("conference-end", reason=reason)]

    def change(self, call: CallSid, changed: Member, *, beep_or_wait: bool = False) -> list[Happened]:
        """Replace a member's flags; tells what of it is an event."""
        before = self.members[call]
        self.members[call] = changed
        news: list[Happened] = []
        if before.muted != changed.muted:
            news.append(Happened(f"participant-{'mute' if changed.muted else 'unmute'}", changed))
        if before.hold != changed.hold:
            news.append(Happened(f"participant-{'hold' if changed.hold else 'unhold'}", changed))
        modified = (before.coaching, before.coaches, before.end_on_exit) != (
            changed.coaching,
            changed.coaches,
            changed.end_on_exit,
        )
        if modified or beep_or_wait:
            news.append(Happened("participant-modify", changed))
        return news


def audible(listener: CallSid, room: Room) -> frozenset[CallSid]:
    """Whose voice that member hears: everybody else's, but for flags.

    A member on hold neither hears nor is heard; a muted one is not heard; a coach is heard by
    the coached leg alone. Whether anybody hears a coach whose coached leg has gone is not
    documented: `room.orphaned_coach` decides. Before the start nobody hears anybody.
    """
    ear = room.members.get(listener)
    if ear is None or ear.hold or room.status is not RoomStatus.IN_PROGRESS:
        return frozenset()
    return frozenset(
        voice.call
        for voice in room.members.values()
        if voice.call != listener and not voice.muted and not voice.hold
        if _reaches(voice, listener, room)
    )


def _reaches(voice: Member, listener: CallSid, room: Room) -> bool:
    if not voice.coaching:
        return True
    if voice.coaches in room.members:
        return voice.coaches == listener
    return room.orphaned_coach == "everybody"


def hearers(speaker: CallSid, room: Room) -> frozenset[CallSid]:
    """Who hears that member: the other side of `audible`."""
    return frozenset(call for call in room.members if speaker in audible(call, room))
