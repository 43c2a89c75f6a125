"""A responder's way into the room and out of it: the seat, the `*` menu, ringing the caller back.

Keys do not work inside a conference; `*` leads out of it to a menu, while the room waits. What a key does is
an act like any other. A menu is shown with a `visit` of its own, so that a repeat of the webhook is one act
and a second showing is another.
"""

import re
import secrets
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Query

from api import twiml
from api.acts import Closed, Heard, Pending
from api.desk import E164, WITHHELD, At, Desk, FromTwilio, TwimlResponse
from api.errors import ClosedError, NoAnswerError
from api.forms import VoiceForm
from api.keys import key_act_id
from api.phrases import Spoken, phrase, verdict
from configuration.numbers import country_of, is_emergency, is_premium
from workflows.labels import responder_label
from workflows.messages import CallView, EscalationView, LegNews, call_workflow_id
from workflows.sentences import Language
from workflows.tokens import ROOM, EarToken, RoomToken
from workflows.values import Act, ActKind, ActReply, CallSid, Verdict, Via
from workflows.voice import Speaker

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.rooms")

router = APIRouter(prefix="/room", tags=["responder"], dependencies=[FromTwilio])

MENU_WAIT_S = 6.0
RESOLVE, REJOIN, HAND_OVER, RING_BACK = "1", "2", "3", "4"
RING_BACK_ONLY = "1"  # in the menu that offers nothing else

VoiceBody = Annotated[VoiceForm, Form()]


@router.post("/{token}/left")
async def left(token: str, form: VoiceBody, at: At) -> TwimlResponse:
    """A responder's leg has left the room: they hung up, or pressed `*`."""
    room = at.opened(ROOM, token)
    if form.status == "completed":
        await _tell_leg(at, room, LegNews(sid=form.sid, what="gone"))
        return TwimlResponse(twiml.nothing())
    await _tell_leg(at, room, LegNews(sid=form.sid, what="menu"))
    return await _menu(at, room, [])


@router.post("/{token}/rang")
async def rang(token: str, form: VoiceBody, at: At) -> TwimlResponse:
    """The caller was rung back, and that call is over."""
    if form.status == "completed":
        return TwimlResponse(twiml.nothing())
    return await _menu(at, at.opened(ROOM, token), [])


@router.post("/{token}/menu")
async def menu_key(
    token: str,
    form: VoiceBody,
    at: At,
    visit: Annotated[str, Query(max_length=40)],
    caller_here: Annotated[bool, Query()],
    ring_only: Annotated[bool, Query()] = False,
) -> TwimlResponse:
    """A key in the menu outside the room; silence leads back in, where somebody waits."""
    pressed_at = at.door.now()
    room = at.opened(ROOM, token)
    language = at.language_of(room.person, room.line)
    if ring_only:
        if form.digits == RING_BACK_ONLY:
            return await _ring_back(at, room, language)
        return TwimlResponse(twiml.say_goodbye([phrase("goodbye", language)]))
    kinds = {RESOLVE: ActKind.RESOLVE, HAND_OVER: ActKind.DECLINE}
    if form.digits in kinds:
        kind = kinds[form.digits]
        act = Act(
            kind=kind,
            id=key_act_id(form.sid, room.page, kind, visit),
            by=room.person,
            via=Via.KEY,
            page=room.page,
            pressed_at=pressed_at,
        )
        heard = await at.acts.perform(room.escalation, act)
        log.info("key pressed in the menu", person=room.person, escalation=room.escalation, act=kind)
        return await _acted(at, room, form.sid, kind, heard, caller_here=caller_here)
    if form.digits == RING_BACK and not caller_here:
        return await _ring_back(at, room, language)
    if caller_here:
        return enter(at, room, form.sid, [phrase("back_to_room", language)], language)
    if form.digits:
        return await _menu(at, room, [phrase("wrong_key", language)])
    return await _dismissed(at, room, form.sid, [])


def enter(at: Desk, room: RoomToken, leg: CallSid, says: list[Spoken], language: Language) -> TwimlResponse:
    """Sentences, and this leg is in the room; goodbye where the token knows of none."""
    if room.conference is None:
        return TwimlResponse(twiml.say_goodbye([*says, phrase("goodbye", language)]))
    seat = twiml.Seat(
        room=room.conference,
        label=responder_label(room.person, leg),
        action=at.addresses.room_left(room),
        events_url=at.addresses.conference(_call_of(room.conference)),
        star_leaves=True,
        ear=at.ear(EarToken(_call_of(room.conference), leg, Speaker.RESPONDER, room.person)),
    )
    return TwimlResponse(twiml.enter_room(says, seat))


def ring_back_menu(
    at: Desk, room: RoomToken, says: list[Spoken], language: Language, then: str | None
) -> TwimlResponse:
    """Nobody waits on the line, but somebody can be rung. then: where silence leads, else goodbye."""
    action = at.addresses.room_menu(room, _visit(), caller_here=False, ring_only=True)
    menu = twiml.Menu([*says, phrase("ring_back", language)], action, MENU_WAIT_S)
    return TwimlResponse(twiml.ask_or(menu, [phrase("goodbye", language)] if then is None else [], then))


async def _menu(at: Desk, room: RoomToken, says: list[Spoken]) -> TwimlResponse:
    """What can be done outside the room. Where nobody can say, the caller counts as waiting."""
    language = at.language_of(room.person, room.line)
    try:
        view = await at.messenger.look(room.escalation, EscalationView)
        here = view.callers_waiting > 0 and room.conference is not None
    except (NoAnswerError, ClosedError):
        here = room.conference is not None
    offered = [*says]
    if here:
        offered.append(phrase("room_menu_rejoin", language))
    elif await _contact(at, room) is not None:
        offered.append(phrase("room_menu_ring", language))
    offered.append(phrase("room_menu", language))
    action = at.addresses.room_menu(room, _visit(), caller_here=here)
    return TwimlResponse(twiml.ask(twiml.Menu(offered, action, MENU_WAIT_S)))


async def _acted(
    at: Desk, room: RoomToken, leg: CallSid, kind: ActKind, heard: Heard, *, caller_here: bool
) -> TwimlResponse:
    """What the responder hears, and where they go: only who has handed over leaves a waiting caller."""
    language = at.language_of(room.person, room.line)
    match heard:
        case ActReply():
            says, stays = [verdict(heard, language)], heard.verdict is not Verdict.DECLINED
        case Closed():
            says, stays = [phrase("case_closed", language)], True
        case Pending():
            says, stays = [phrase("unconfirmed", language)], True
    if stays and caller_here:
        return enter(at, room, leg, says, language)
    return await _dismissed(at, room, leg, says)


async def _dismissed(at: Desk, room: RoomToken, leg: CallSid, says: list[Spoken]) -> TwimlResponse:
    """This leg will not come back into the room."""
    language = at.language_of(room.person, room.line)
    await _tell_leg(at, room, LegNews(sid=leg, what="gone"))
    return TwimlResponse(twiml.say_goodbye([*says, phrase("goodbye", language)]))


async def _ring_back(at: Desk, room: RoomToken, language: Language) -> TwimlResponse:
    """Connect the responder with the one who called, showing the line's number."""
    number, lines = await _contact(at, room), at.configuration.current().lines
    if number is None or room.line not in lines:
        return TwimlResponse(
            twiml.say_goodbye([phrase("cannot_ring", language), phrase("goodbye", language)])
        )
    log.info("caller rung back", person=room.person, escalation=room.escalation)
    return TwimlResponse(
        twiml.ring_number(
            [phrase("connecting", language)],
            number,
            lines[room.line].calls_from,
            at.addresses.room_rang(room),
        )
    )


async def _contact(at: Desk, room: RoomToken) -> str | None:
    """The number to ring for this case: the case's own contact, else the number the call came from."""
    found: str | None = None
    try:
        found = (await at.messenger.look(room.escalation, EscalationView)).case.contact
    except (NoAnswerError, ClosedError) as error:
        log.warning("contact not found out", escalation=room.escalation, error=str(error))
    sid = re.search(r"CA[0-9a-f]{32}", room.conference or room.escalation)
    if found is None and sid is not None:
        try:
            view = await at.messenger.look(call_workflow_id(CallSid(sid[0])), CallView)
            found = view.caller_number
        except (NoAnswerError, ClosedError) as error:
            log.warning("caller not found out", escalation=room.escalation, error=str(error))
    return found if found is not None and may_be_rung(found) else None


def may_be_rung(number: str) -> bool:
    """Whether this can be dialled, and may: never emergency services, never at the caller's price."""
    if number in WITHHELD or not E164.fullmatch(number):
        return False
    return not is_emergency(number, country_of(number, "US")) and not is_premium(number)


async def _tell_leg(at: Desk, room: RoomToken, news: LegNews) -> None:
    if room.conference is not None:
        await at.mention(call_workflow_id(_call_of(room.conference)), "leg", news)


def _call_of(conference: str) -> CallSid:
    """The call a room belongs to."""
    return CallSid(conference.removeprefix("af-"))


def _visit() -> str:
    return secrets.token_hex(4)
