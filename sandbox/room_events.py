"""A conference's events as its status callback tells them."""

from sandbox.conference import Happened, Leaving
from sandbox.seats import Conference, Seat
from sandbox.webhooks import Params

SUBSCRIBED_AS = {
    "conference-start": "start",
    "conference-end": "end",
    "participant-join": "join",
    "participant-leave": "leave",
    "participant-mute": "mute",
    "participant-unmute": "mute",
    "participant-hold": "hold",
    "participant-unhold": "hold",
    "participant-modify": "modify",
    "participant-speech-start": "speaker",
    "participant-speech-stop": "speaker",
    "announcement-end": "announcement",
    "announcement-fail": "announcement",
}


def conference_params(conference: Conference) -> Params:
    return (("ConferenceSid", conference.sid), ("FriendlyName", conference.room.name))


def event_params(conference: Conference, happened: Happened, seat: Seat | None, announced: str) -> Params:
    """The fields of one event, Timestamp apart."""
    room = conference.room
    params: list[tuple[str, str]] = [
        *conference_params(conference),
        ("SequenceNumber", str(conference.sequence)),
        ("StatusCallbackEvent", happened.event),
    ]
    member = happened.member
    if member is not None:
        params += [
            ("CallSid", member.call),
            ("Muted", _lower(member.muted)),
            ("Hold", _lower(member.hold)),
            ("Coaching", _lower(member.coaching)),
            ("EndConferenceOnExit", _lower(member.end_on_exit)),
            ("StartConferenceOnEnter", _lower(member.start_on_enter)),
        ]
        if member.label is not None:
            params.append(("ParticipantLabel", member.label))
    match happened.event:
        case "conference-end":
            params.append(("ReasonConferenceEnded", room.end_reason or ""))
            params.append(("Reason", (room.end_reason or "").replace("-", " ")))
            if room.ended_by is not None:
                params.append(("CallSidEndingConference", room.ended_by))
            if room.ended_by_label is not None:
                params.append(("ParticipantLabelEndingConference", room.ended_by_label))
        case "participant-leave":
            params.append(("ReasonParticipantLeft", happened.reason or ""))
            if seat is not None:
                params.append(("ParticipantCallStatus", _call_status(seat, happened)))
        case "announcement-end" | "announcement-fail":
            params.append(("AnnounceUrl", announced))
            if happened.reason is not None:
                params.append(("ReasonAnnouncementFailed", happened.reason))
        case _:
            pass
    return tuple(params)


def _call_status(seat: Seat, happened: Happened) -> str:
    if happened.reason == Leaving.HUNG_UP.value:
        return "completed"
    return seat.leg.call.status.value


def _lower(flag: bool) -> str:  # a value, not a switch
    return "true" if flag else "false"
