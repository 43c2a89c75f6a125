"""Participants: create, list, fetch, update, delete, by call SID or label."""

from collections.abc import Iterator
from typing import NoReturn

from sandbox.errors import Refused
from sandbox.ids import CallSid, looks_like_sid
from sandbox.rest.asking import INVALID_PARAMETER, Answer, Asked, Form
from sandbox.rest.calling import read_order
from sandbox.rest.conferences import find
from sandbox.rest.paging import page
from sandbox.rest.render import participant_json
from sandbox.seats import Change, Conference, Entry, Seat, SeatRefused
from sandbox.twiml import StatusCallback, jitter_buffer


def create(asked: Asked) -> Answer:
    rooms = asked.network.rooms
    place = asked.place["conference"]
    by_sid = looks_like_sid(place, "CF")
    conference = rooms.get(place) if by_sid else rooms.named(place)
    if by_sid and (conference is None or not conference.room.active):
        status = asked.network.world.assumptions.status_16022
        raise Refused(status, 16022, f"Conference {place} does not exist or is completed")
    entry = _entry(asked.form)
    try:
        rooms.refuse_entry(conference, entry)
    except SeatRefused as refused:
        _refuse(asked, refused)
    order = read_order(asked, participant=True)
    joined = conference if conference is not None else rooms.enter_by_name(place, entry)
    call, seat = asked.network.exchange.add_participant(order, joined, entry)
    return Answer(201, participant_json(joined, seat, queue_time=str(call.queue_ms)))


def _refuse(asked: Asked, refused: SeatRefused) -> NoReturn:
    assumptions = asked.network.world.assumptions
    status = {
        16023: assumptions.status_16023,
        16026: assumptions.status_16026,
        16028: assumptions.status_16028,
    }.get(refused.code, 400)
    raise Refused(status, refused.code, str(refused)) from refused


def _entry(form: Form) -> Entry:
    coaches = form.text("CallSidToCoach") or None
    if form.flag("Coaching", default=False) and coaches is None:
        raise Refused(400, INVALID_PARAMETER, "Coaching needs CallSidToCoach")
    return Entry(
        label=form.text("Label") or None,
        muted=form.flag("Muted", default=False),
        beep=(form.text("Beep") or "true"),
        start_on_enter=form.flag("StartConferenceOnEnter", default=True),
        end_on_exit=form.flag("EndConferenceOnExit", default=False),
        wait_url=form.text("WaitUrl"),
        wait_method=form.method("WaitMethod"),
        max_participants=form.whole("MaxParticipants", 250, 2, 250),
        coaches=CallSid(coaches) if coaches else None,
        early_media=form.flag("EarlyMedia", default=True),
        jitter_buffer=jitter_buffer(form.text("JitterBufferSize")),
        callback=StatusCallback(
            form.text("ConferenceStatusCallback") or "",
            form.method("ConferenceStatusCallbackMethod"),
            form.words("ConferenceStatusCallbackEvent", "start end"),
        ),
    )


def list_all(asked: Asked) -> Answer:
    conference = find(asked)
    return page(
        asked,
        "participants",
        _matching(asked, conference),
        lambda seat: participant_json(conference, seat),
    )


def _matching(asked: Asked, conference: Conference) -> Iterator[Seat]:
    query = asked.query
    wanted = {
        "muted": query.flag_if_given("Muted"),
        "hold": query.flag_if_given("Hold"),
        "coaching": query.flag_if_given("Coaching"),
    }
    for seat in list(conference.seats.values()):
        member = conference.member(seat)
        flags = {"muted": member.muted, "hold": member.hold, "coaching": member.coaching}
        if all(value is None or flags[name] == value for name, value in wanted.items()):
            yield seat


def _seat(asked: Asked, *, connected: bool) -> tuple[Conference, Seat]:
    conference = find(asked)
    seat = conference.find(asked.place["participant"])
    if seat is None or (connected and seat.leg.call.sid not in conference.room.members):
        raise asked.not_found()
    return conference, seat


def fetch(asked: Asked) -> Answer:
    conference, seat = _seat(asked, connected=False)
    return Answer(200, participant_json(conference, seat))


def update(asked: Asked) -> Answer:
    conference, seat = _seat(asked, connected=True)
    form = asked.form
    coaches = form.text("CallSidToCoach")
    change = Change(
        muted=form.flag_if_given("Muted"),
        hold=form.flag_if_given("Hold"),
        hold_url=form.text("HoldUrl") or "",
        hold_method=form.method("HoldMethod", "GET"),
        coaching=form.flag_if_given("Coaching"),
        coaches=CallSid(coaches) if coaches else None,
        end_on_exit=form.flag_if_given("EndConferenceOnExit"),
        beep_on_exit=form.flag_if_given("BeepOnExit"),
        wait_url=form.text("WaitUrl"),
    )
    try:
        asked.network.rooms.update(conference, seat, change)
    except SeatRefused as refused:
        _refuse(asked, refused)
    if announcement := form.text("AnnounceUrl"):
        method = form.method("AnnounceMethod")
        asked.network.rooms.announce(conference, seat, announcement, method)
    return Answer(200, participant_json(conference, seat))


def delete(asked: Asked) -> Answer:
    conference, seat = _seat(asked, connected=True)
    asked.network.rooms.kick(conference, seat)
    return Answer(204, None)
