"""What is done to a conference: the AI's leg, mute and coaching, announcements, the end, and what is true of it.

A room is addressed by its SID as soon as that is known: a name whose room is over silently opens an empty one.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import TypeVar

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError
from twilio.base import values
from twilio.rest import Client
from twilio.rest.api.v2010.account.conference import ConferenceInstance
from twilio.rest.api.v2010.account.conference.participant import ParticipantContext, ParticipantInstance

from activities.addresses import Addresses
from activities.calls import TIME_LIMIT_S
from activities.errors import (
    LABEL_TAKEN,
    PROBLEMS,
    TOO_EARLY,
    Fate,
    Problem,
    ReplyLostError,
    failure,
    passing,
    problem,
)
from activities.submission import Created, Submitter
from workflows.orders import (
    ADD_ASSISTANT,
    ANNOUNCE_FACT,
    CONFIRM_COACHING,
    END_ROOM,
    LOOK_AT_ROOM,
    SET_PARTICIPANT,
    AddAssistant,
    AnnounceFact,
    ConfirmCoaching,
    Done,
    EndRoom,
    LookAtRoom,
    Present,
    RoomSeen,
    SetParticipant,
    Submission,
)
from workflows.tokens import FactToken, LegToken
from workflows.values import CallSid, ConferenceSid

T = TypeVar("T")

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

# The same as the caller's own <Conference> names: only the first participant's count.
ROOM_EVENTS = ["end", "join", "leave", "announcement"]
# Its sound is made at Twilio, where no network makes it late; and a whisper in a buffer cannot be taken back.
ASSISTANT_BUFFER = "off"
ANSWERS_IN_S = 15  # our own application answers at once, or is down
CONFIRMING_S = (
    0.15,
    0.3,
    0.6,
    1.0,
)  # between looks; coaching is switched within a second, or must be asked again
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
NOT_IN_THE_ROOM = frozenset({"queued", "initiated", "connecting", "ringing", "complete", "failed"})


class Rooms:
    """Acts on conferences and on the legs in them."""

    def __init__(
        self,
        twilio: Client,
        addresses: Addresses,
        application_sid: str,
        submitter: Submitter | None = None,
    ) -> None:
        """application_sid: Twilio's name for our AI leg's TwiML."""
        self._twilio = twilio
        self._addresses = addresses
        self._application_sid = application_sid
        self._submitter = submitter or Submitter()

    @activity.defn(name=ADD_ASSISTANT.name)
    async def add_assistant(self, order: AddAssistant) -> Submission:
        """Bring an AI leg into the room.

        A repeat finds its label taken and answers with the leg that has it, so it adds no second one while
        the first is in the room. Has one attempt all the same; `doubtful` is settled by looking for the label.
        """
        leg = LegToken(order.call, order.generation)

        async def create() -> Created:
            try:
                participant = await self._twilio.conferences(
                    order.conference_sid or order.conference
                ).participants.create_async(
                    from_=order.line.calls_from,
                    to=self._addresses.assistant(self._application_sid, leg),
                    label=order.label,
                    muted=order.muted,
                    beep="false",
                    early_media=False,
                    start_conference_on_enter=True,
                    end_conference_on_exit=False,
                    wait_url="",
                    jitter_buffer_size=ASSISTANT_BUFFER,
                    timeout=ANSWERS_IN_S,
                    time_limit=TIME_LIMIT_S,
                    conference_status_callback=self._addresses.conference_status(order.call),
                    conference_status_callback_event=ROOM_EVENTS,
                    status_callback=self._addresses.assistant_status(leg),
                    status_callback_event=["completed"],
                )
            except PROBLEMS as error:
                if problem(error).code != LABEL_TAKEN:
                    raise
                participant = await self._labelled(order)
            return Created(participant.call_sid, participant.conference_sid)

        what = f"AI leg {order.label}"
        submission = await self._submitter.submit(what, create)
        if submission.what == "placed":
            log.info("AI leg placed", label=order.label, leg=submission.sid, room=submission.conference)
        return submission

    @activity.defn(name=SET_PARTICIPANT.name)
    async def set_participant(self, order: SetParticipant) -> Done:
        """Mute a leg, hold it, or set whom it coaches, in one update. Sets values: a repeat does no harm."""
        coaching: bool | object = values.unset
        if order.coached is not None or order.uncoach:
            coaching = not order.uncoach
        hears = self._addresses.hold(order.line, order.sound) if order.held else None
        try:
            await self._participant(order.conference, order.sid).update_async(
                muted=values.unset if order.muted is None else order.muted,
                hold=values.unset if order.held is None else order.held,
                hold_url=values.unset if hears is None else hears,
                coaching=coaching,
                call_sid_to_coach=values.unset if order.coached is None else order.coached,
            )
        except PROBLEMS as error:
            raise failure(f"participant {order.sid} not changed", problem(error)) from error
        return Done()

    @activity.defn(name=CONFIRM_COACHING.name)
    async def confirm_coaching(self, order: ConfirmCoaching) -> Done:
        """Return when the leg coaches whom it was told to, or nobody. Only looks: a repeat does no harm."""
        participant = self._participant(order.conference, order.sid)
        for pause in (*CONFIRMING_S, None):
            try:
                seen = await participant.fetch_async()
            except PROBLEMS as error:
                raise failure(f"participant {order.sid} not looked at", problem(error)) from error
            if _coached_by(seen) == order.coached:
                return Done()
            if pause is not None:
                await asyncio.sleep(pause)
        raise passing(f"{order.sid} does not coach {order.coached} yet", TOO_EARLY)

    @activity.defn(name=ANNOUNCE_FACT.name)
    async def announce_fact(self, order: AnnounceFact) -> Done:
        """Play a fact to one leg in the room. A repeat after a lost reply says it twice, which is bearable."""
        url = self._addresses.announcement(FactToken(order.line.id, order.fact, order.language))
        try:
            await self._participant(order.conference, order.leg).update_async(announce_url=url)
        except PROBLEMS as error:
            raise failure(f"{order.fact.kind} not announced to {order.leg}", problem(error)) from error
        return Done()

    @activity.defn(name=END_ROOM.name)
    async def end_room(self, order: EndRoom) -> Done:
        """End a room, and each leg by itself. What is over already is left so: a repeat does no harm.

        Every leg is tried, whatever became of the room: ending a room fails while somebody is being dialled.
        """
        failed: list[ApplicationError] = []
        if order.conference is not None:
            found = await _problem_of(
                self._twilio.conferences(order.conference).update_async(status="completed")
            )
            if found is not None and found.fate is not Fate.REFUSED:
                failed.append(failure(f"room {order.conference} not ended", found))
        ends = await asyncio.gather(
            *(_problem_of(self._twilio.calls(leg).update_async(status="completed")) for leg in order.legs)
        )
        failed += [
            failure(f"leg {leg} not ended", found)
            for leg, found in zip(order.legs, ends, strict=True)
            if found is not None and not found.over
        ]
        if failed:
            raise failed[0]
        return Done()

    @activity.defn(name=LOOK_AT_ROOM.name)
    async def look_at_room(self, order: LookAtRoom) -> RoomSeen:
        """What is true of a room and of these calls. Only looks: a repeat does no harm."""
        try:
            (room, present), ended = await asyncio.gather(self._seen(order), self._ended(order.calls))
        except PROBLEMS as error:
            raise failure(f"room {order.name} not looked at", problem(error)) from error
        if room is None:
            return RoomSeen(order.conference, order.conference is not None, (), ended)
        sid = ConferenceSid(room.sid) if room.sid else order.conference
        return RoomSeen(sid, str(room.status) == "completed", present, ended)

    async def _labelled(self, order: AddAssistant) -> ParticipantInstance:
        """The leg that has this generation's label: an earlier attempt of ours made it."""
        sid: str | None = order.conference_sid
        try:
            if sid is None:
                room = await self._named(order.conference)
                sid = room.sid if room is not None else None
            if sid is not None:
                return await self._twilio.conferences(sid).participants(order.label).fetch_async()
        except PROBLEMS as error:
            raise ReplyLostError(f"label taken, its leg not found: {problem(error).words}") from error
        raise ReplyLostError("label taken, its room not found")

    async def _seen(self, order: LookAtRoom) -> tuple[ConferenceInstance | None, Sequence[Present]]:
        if order.conference is None:
            room = await self._named(order.name)
        else:
            room = await _unless_absent(self._twilio.conferences(order.conference).fetch_async())
        if room is None or room.sid is None or str(room.status) == "completed":
            return room, ()
        listed = await _unless_absent(self._twilio.conferences(room.sid).participants.list_async())
        present = tuple(
            Present(CallSid(one.call_sid), one.label or "")
            for one in listed or ()
            if one.call_sid and str(one.status) not in NOT_IN_THE_ROOM
        )
        return room, present

    async def _named(self, name: str) -> ConferenceInstance | None:
        """The room of this name that goes on, else the last one that did."""
        rooms = await self._twilio.conferences.list_async(friendly_name=name, limit=20)
        going_on = (room for room in rooms if str(room.status) != "completed")
        return next(going_on, None) or next(iter(rooms), None)

    async def _ended(self, calls: Sequence[CallSid]) -> Sequence[CallSid]:
        seen = await asyncio.gather(*(_unless_absent(self._twilio.calls(sid).fetch_async()) for sid in calls))
        return tuple(
            sid for sid, call in zip(calls, seen, strict=True) if call is None or str(call.status) in ENDED
        )

    def _participant(self, conference: ConferenceSid, sid: CallSid) -> ParticipantContext:
        return self._twilio.conferences(conference).participants(sid)


async def _problem_of(request: Awaitable[object]) -> Problem | None:
    """Make a request; what went wrong with it."""
    try:
        await request
    except PROBLEMS as error:
        return problem(error)
    return None


async def _unless_absent(request: Awaitable[T]) -> T | None:
    """Make a request; None where the thing asked about is not there."""
    try:
        return await request
    except PROBLEMS as error:
        if problem(error).absent:
            return None
        raise


def _coached_by(participant: ParticipantInstance) -> CallSid | None:
    """Whom a participant coaches; the SID may stay behind when coaching is off."""
    if not participant.coaching or not participant.call_sid_to_coach:
        return None
    return CallSid(participant.call_sid_to_coach)
