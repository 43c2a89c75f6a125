"""Places in conferences: how a leg enters, what may be changed about it, and who sits where."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sandbox.clock import Promise
from sandbox.conference import Leaving, Member, Room, hearers
from sandbox.earshot import Earshot
from sandbox.ids import CallSid, ConferenceSid, looks_like_sid
from sandbox.legs import Leg
from sandbox.twiml import NO_CALLBACK, JitterBuffer, Method, StatusCallback

LONGEST_LABEL = 128


class SeatRefused(Exception):  # noqa: N818  # an outcome in the domain's words
    """A leg may not enter: Twilio's code and the reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Entry:
    """How a leg enters: what its document or its request says."""

    label: str | None = None
    muted: bool = False
    beep: str = "true"
    start_on_enter: bool = True
    end_on_exit: bool = False
    wait_url: str | None = None
    wait_method: Method = "POST"
    max_participants: int = 250
    coaches: CallSid | None = None
    early_media: bool = True
    jitter_buffer: JitterBuffer = "large"
    callback: StatusCallback = NO_CALLBACK


@dataclass(frozen=True)
class Change:
    """An UpdateParticipant: what is None stays as it is."""

    muted: bool | None = None
    hold: bool | None = None
    hold_url: str = ""
    hold_method: Method = "GET"
    coaching: bool | None = None
    coaches: CallSid | None = None
    end_on_exit: bool | None = None
    beep_on_exit: bool | None = None
    wait_url: str | None = None


@dataclass(eq=False)
class Seat:
    """A leg's place in a room, or its reservation while it is being dialled."""

    leg: Leg
    entry: Entry
    created: datetime
    updated: datetime
    by_request: bool
    left: Promise[Leaving]
    audio: asyncio.Task[None] | None = None
    music: Callable[[], None] | None = None  # silences it

    def stop_audio(self) -> None:
        if self.audio is not None:
            self.audio.cancel()
            self.audio = None
        if self.music is not None:
            self.music()
            self.music = None


@dataclass(eq=False)
class Conference:
    """A room with its seats and its one callback, the first comer's."""

    room: Room
    created: datetime
    updated: datetime
    callback: StatusCallback
    sequence: int
    seats: dict[CallSid, Seat] = field(default_factory=dict[CallSid, Seat])
    earshot: Earshot | None = None  # where there is sound

    def hearers(self, speaker: CallSid) -> dict[CallSid, Leg]:
        """The legs that hear that member now."""
        return {sid: self.seats[sid].leg for sid in hearers(speaker, self.room) if sid in self.seats}

    @property
    def sid(self) -> ConferenceSid:
        return self.room.sid

    def find(self, call_or_label: str) -> Seat | None:
        """A seat by call SID or label, arrived or on the way."""
        if looks_like_sid(call_or_label, "CA"):
            return self.seats.get(CallSid(call_or_label))
        member = self.room.labelled(call_or_label)
        return self.seats.get(member.call) if member is not None else None

    def member(self, seat: Seat) -> Member:
        sid = seat.leg.call.sid
        return self.room.members.get(sid) or self.room.pending[sid]


def check_label(label: str) -> None:
    """Raise SeatRefused 16023 for a label Twilio would not take."""
    if len(label) > LONGEST_LABEL or "/" in label or "%2F" in label or looks_like_sid(label, "CA"):
        raise SeatRefused(16023, f"invalid label {label!r}")


def member_of(leg: Leg, entry: Entry) -> Member:
    return Member(
        call=leg.call.sid,
        label=entry.label,
        muted=entry.muted,
        coaching=entry.coaches is not None,
        coaches=entry.coaches,
        start_on_enter=entry.start_on_enter,
        end_on_exit=entry.end_on_exit,
    )
