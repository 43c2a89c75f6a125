"""How a caller is answered: the menu, the report of an emergency, the room, a message.

Each handler asks the call's workflow or the table in `menu`, and says what comes of it. Whatever Temporal
does, a caller is never left without an answer: where no workflow can be had, tonight's rota is rung.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Form, Query, Response

from api import menu, twiml
from api.desk import At, Desk, FromTwilio, TwimlResponse, noted
from api.errors import ClosedError, NoAnswerError, NotTakenError, UnknownLineError
from api.failover import take_over
from api.forms import NumberedForm, ProgressForm, RecordingForm
from api.phrases import Phrase, Spoken, phrase
from api.spool import MessageLeft
from configuration.model import Line
from configuration.numbers import masked
from configuration.schedule import is_open
from workflows.labels import caller_label
from workflows.messages import (
    EscalationView,
    Keys,
    LeftRoom,
    LegNews,
    Note,
    Recording,
    Report,
    ReportReply,
    WhatNow,
    call_workflow_id,
    conference_name,
)
from workflows.sentences import case_state, language_of
from workflows.tokens import EarToken
from workflows.values import CallSid, LineId, Severity
from workflows.voice import Speaker

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.callers")

router = APIRouter(prefix="/voice", tags=["caller"], dependencies=[FromTwilio])

CALLED_WAIT_S = 5.0  # to press 1 after dialling the emergency number on another phone
WAIT_PAUSE_S = 20  # between two danger sentences in an empty room
KEYS_WAIT_S = 8.0  # for the next digit
REPORTS_AT_MOST = 3  # with 2.5 s each; then the rota is rung without the workflow
REJOINS_UNANSWERED = 3
REJOINS_AT_MOST = 10  # a room that throws the caller out again and again is no room

NumberedBody = Annotated[NumberedForm, Form()]
KeysAbout = Literal["call_back", "place", "yes_or_no"]
KEYS_ASKED: Mapping[KeysAbout, Phrase] = {
    "call_back": "press_number",
    "place": "press_house_number",
    "yes_or_no": "press_yes_or_no",
}
MenuOf = Callable[[Desk, Line, int], TwimlResponse]
"""A menu of this line, at this attempt."""


@router.post("/incoming")
async def incoming(form: NumberedBody, at: At) -> TwimlResponse:
    """Somebody rings a number of ours."""
    line_id = at.line_ringing(form.called)
    if line_id is None:
        return _unknown_number(form)
    line = at.line(line_id)
    desk = line.opening.forward_to if line.opening and is_open(line, at.door.now()) else None
    if line.opening and desk:
        log.info("call forwarded in opening hours", call=form.sid, line=line_id)
        return TwimlResponse(twiml.forward(desk, line.opening.forward_ring_s, at.addresses.forwarded()))
    return await _welcome(at, form, line_id)


@router.post("/forwarded")
async def forwarded(form: NumberedBody, at: At) -> TwimlResponse:
    """The desk has talked with the caller, or nobody is there after all."""
    if form.dial_status in {"completed", "answered"}:
        return TwimlResponse(twiml.hang_up())
    line_id = at.line_ringing(form.called)
    return _unknown_number(form) if line_id is None else await _welcome(at, form, line_id)


@router.post("/menu")
async def main_menu(form: NumberedBody, at: At, attempt: Annotated[int, Query(ge=1)] = 1) -> TwimlResponse:
    """A key in the main menu, or silence."""
    line_id = _line_of(at, form)
    line = at.line(line_id)
    return await _follow(at, form, line_id, menu.chosen(line, form.digits, attempt), _main_menu)


@router.post("/category")
async def category_menu(
    form: NumberedBody, at: At, attempt: Annotated[int, Query(ge=1)] = 1
) -> TwimlResponse:
    """A key in the menu of emergencies, or silence."""
    line_id = _line_of(at, form)
    line = at.line(line_id)
    return await _follow(at, form, line_id, menu.category_chosen(line, form.digits, attempt), _category_menu)


@router.post("/reported")
async def reported(
    form: NumberedBody,
    at: At,
    category: Annotated[str, Query(max_length=100)],
    asked: Annotated[int, Query(ge=1)],
) -> TwimlResponse:
    """The workflow has not answered for this emergency yet: ask again."""
    line_id = _line_of(at, form)
    return await _report(at, form, line_id, menu.named(at.line(line_id), category), asked=asked)


@router.post("/called")
async def called(
    form: NumberedBody, at: At, room: Annotated[str | None, Query(pattern=r"^af-CA[0-9a-f]{32}$")] = None
) -> TwimlResponse:
    """A caller in danger has dialled the emergency number, or stays silent: either way, into the room."""
    if form.digits:
        await at.mention(call_workflow_id(form.sid), "note", Note(what="emergency-called"))
    return _room(at, form.sid, _line_of(at, form), room or conference_name(form.sid))


@router.post("/menu/again")
async def menu_again(form: NumberedBody, at: At) -> TwimlResponse:
    """The caller was taken out of the room, where nobody talks with them: the menu."""
    return _main_menu(at, at.line(_line_of(at, form)), 1)


@router.post("/keys/ask")
async def ask_for_keys(form: NumberedBody, at: At, about: Annotated[KeysAbout, Query()]) -> TwimlResponse:
    """The AI has not understood a number: the caller shall press it."""
    language = language_of(at.line(_line_of(at, form)).languages)
    says = [phrase(KEYS_ASKED[about], language)]
    return TwimlResponse(twiml.ask_digits(twiml.Menu(says, at.addresses.asked_for_keys(about), KEYS_WAIT_S)))


@router.post("/keys")
async def keys(form: NumberedBody, at: At, about: Annotated[KeysAbout, Query()]) -> TwimlResponse:
    """The caller has pressed digits, or none: back into the room, where they are read back."""
    await at.mention(call_workflow_id(form.sid), "keys", Keys(about=about, digits=form.digits or ""))
    return _room(at, form.sid, _line_of(at, form), conference_name(form.sid))


@router.post("/message")
async def message(form: Annotated[RecordingForm, Form()], at: At) -> TwimlResponse:
    """The caller has left a message."""
    language = language_of(at.line(_line_of(at, form)).languages)
    if form.recording_url is None:
        return TwimlResponse(twiml.say_goodbye([phrase("no_message", language)]))
    recording = Recording(url=form.recording_url, seconds=form.recording_s)
    kept = await at.mention(call_workflow_id(form.sid), "message_left", recording)
    if not kept:
        kept = await at.spool.keep(MessageLeft(form.sid, recording))
    return TwimlResponse(twiml.say_goodbye([phrase("message_taken" if kept else "goodbye", language)]))


@router.post("/left")
async def left(form: NumberedBody, at: At, attempt: Annotated[int, Query(ge=1)] = 1) -> TwimlResponse:
    """The caller's Dial is over: they hung up, or the room let them go."""
    workflow_id = call_workflow_id(form.sid)
    if form.status == "completed":
        await at.mention(workflow_id, "caller_ended", LegNews(sid=form.sid, what="gone"))
        return TwimlResponse(twiml.nothing())
    line_id = _line_of(at, form)
    goodbye = twiml.say_goodbye([phrase("goodbye", language_of(at.line(line_id).languages))])
    try:
        what = await at.messenger.ask(
            workflow_id, "left_room", LeftRoom(), WhatNow, limit_s=at.door.patience.act_s
        )
    except (ClosedError, NotTakenError):
        return TwimlResponse(goodbye)
    except NoAnswerError as error:
        log.error("caller left the room, no answer", call=form.sid, error=str(error))
        if attempt >= REJOINS_UNANSWERED:
            return await take_over(at, form.sid, line_id, form.caller)
        what = WhatNow(rejoin=True, conference=conference_name(form.sid))
    if not what.rejoin:
        return TwimlResponse(goodbye)
    if attempt >= REJOINS_AT_MOST:
        return await take_over(at, form.sid, line_id, form.caller)
    return _room(at, form.sid, line_id, what.conference, attempt=attempt + 1)


@router.post("/ended", status_code=204)
async def ended(form: Annotated[ProgressForm, Form()], at: At) -> Response:
    """A caller's call is over."""
    return noted(
        await at.mention(call_workflow_id(form.sid), "caller_ended", LegNews(sid=form.sid, what="gone"))
    )


@router.get("/wait/{line_id}")
@router.post("/wait/{line_id}")
async def wait(line_id: LineId, at: At) -> TwimlResponse:
    """What somebody alone in a room hears."""
    try:
        line = at.line(line_id)
    except UnknownLineError:  # taken out of the file while its caller waits
        return TwimlResponse(twiml.wait([phrase("one_moment", "en")], WAIT_PAUSE_S))
    return TwimlResponse(twiml.wait(line.danger_sentences(), WAIT_PAUSE_S))


async def _welcome(at: Desk, form: NumberedForm, line_id: LineId) -> TwimlResponse:
    """Start the call's workflow; then back to an open case, the AI's room, or the menu."""
    start = at.call_input(form.sid, line_id, form.caller, await at.open_case(line_id, form.caller))
    try:
        await at.messenger.start_call(start)
    except NoAnswerError as error:
        log.error("call not started", call=form.sid, line=line_id, error=str(error))
        return await take_over(at, form.sid, line_id, form.caller)
    log.info("call answered", call=form.sid, line=line_id, caller=masked(form.caller))
    line = at.line(line_id)
    if start.speech is not None or start.straight_back:
        room = (start.open_case.room if start.open_case else "") or conference_name(form.sid)
        return _room(at, form.sid, line_id, room, says=[*line.danger_sentences()])
    says = [*line.danger_sentences(), *_sentences(line, line.menu_sentences())]
    return TwimlResponse(twiml.ask(twiml.Menu(says, at.addresses.menu(1), line.menu.prompt_wait_s)))


def _main_menu(at: Desk, line: Line, attempt: int, before: list[Spoken] | None = None) -> TwimlResponse:
    """The menu without its greeting."""
    says = [*(before or ()), *line.danger_sentences(), *_sentences(line, line.menu_sentences()[1:])]
    return TwimlResponse(twiml.ask(twiml.Menu(says, at.addresses.menu(attempt), line.menu.prompt_wait_s)))


def _category_menu(at: Desk, line: Line, attempt: int) -> TwimlResponse:
    says = _sentences(line, line.category_sentences())
    return TwimlResponse(twiml.ask(twiml.Menu(says, at.addresses.category(attempt), line.menu.prompt_wait_s)))


async def _follow(
    at: Desk,
    form: NumberedForm,
    line_id: LineId,
    choice: menu.Choice,
    this_menu: MenuOf,
) -> TwimlResponse:
    """Do what the caller chose."""
    line = at.line(line_id)
    language = language_of(line.languages)
    match choice:
        case menu.AskAgain(attempt):
            return this_menu(at, line, attempt)
        case menu.AskCategory():
            return _category_menu(at, line, 1)
        case menu.TakeMessage():
            return TwimlResponse(twiml.record([phrase("leave_message", language)], at.addresses.message()))
        case menu.TellCase():
            return _main_menu(at, line, 1, before=[await _case_told(at, form, line)])
        case menu.Escalate():
            return await _report(at, form, line_id, choice)
        case menu.Goodbye():
            await at.mention(call_workflow_id(form.sid), "note", Note(what="silent"))
            return TwimlResponse(twiml.say_goodbye([phrase("goodbye", language)]))


async def _report(
    at: Desk, form: NumberedForm, line_id: LineId, choice: menu.Escalate, asked: int = 0
) -> TwimlResponse:
    """People are woken from now on; the caller waits in the room."""
    report = Report(category=choice.category, spoken=choice.spoken, severity=choice.severity)
    language = language_of(at.line(line_id).languages)
    try:
        reply = await at.messenger.ask(
            call_workflow_id(form.sid),
            "report",
            report,
            ReportReply,
            update_id=f"report:{form.sid}:{choice.category}",
            limit_s=at.door.patience.act_s,
        )
    except (ClosedError, NotTakenError) as error:
        log.error("emergency not taken", call=form.sid, line=line_id, error=str(error))
        return await take_over(at, form.sid, line_id, form.caller)
    except NoAnswerError as error:
        log.error("emergency not answered for", call=form.sid, line=line_id, error=str(error))
        if asked + 1 >= REPORTS_AT_MOST or not await at.messenger.reachable():
            return await take_over(at, form.sid, line_id, form.caller)
        again = at.addresses.reported(choice.category, asked + 1)
        return TwimlResponse(twiml.redirect([phrase("one_moment", language)], again))
    log.info("emergency reported", call=form.sid, escalation=reply.escalation, category=choice.category)
    if choice.severity is not Severity.LIFE:
        return _room(at, form.sid, line_id, reply.conference, says=[phrase("stay", language)])
    says = [*at.line(line_id).danger_sentences(), phrase("when_called", language)]
    return TwimlResponse(twiml.ask(twiml.Menu(says, at.addresses.called(reply.conference), CALLED_WAIT_S)))


def _room(
    at: Desk,
    sid: CallSid,
    line_id: LineId,
    conference: str,
    *,
    attempt: int = 1,
    says: list[Spoken] | None = None,
) -> TwimlResponse:
    action = at.addresses.left(attempt)
    seat = twiml.Seat(
        room=conference,
        label=caller_label(sid),
        action=action,
        events_url=at.addresses.conference(CallSid(conference.removeprefix("af-"))),
        wait_url=at.addresses.wait(line_id),
        ear=at.ear(EarToken(sid, sid, Speaker.CALLER, "")),
    )
    return TwimlResponse(twiml.enter_room(says or (), seat, recovery=action))


async def _case_told(at: Desk, form: NumberedForm, line: Line) -> Spoken:
    """How the caller's open case stands; that they heard it is noted."""
    digest = at.digest(form.caller)
    try:
        cases = await at.messenger.open_cases(digest) if digest else ()
        if not cases:
            return case_state(None, 0, None, line.languages)
        view = await at.messenger.look(cases[0], EscalationView)
    except (NoAnswerError, ClosedError) as error:
        log.warning("open case not found out", call=form.sid, error=str(error))
        return phrase("cannot_look", language_of(line.languages))
    await at.mention(call_workflow_id(form.sid), "note", Note(what="case-heard"))
    return case_state(view.phase, view.rung, view.owner, line.languages)


def _line_of(at: Desk, form: NumberedForm) -> LineId:
    line_id = at.line_ringing(form.called)
    if line_id is None:
        raise UnknownLineError(f"no line has the number {masked(form.called)} any more")
    return line_id


def _sentences(line: Line, sentences: tuple[str, ...]) -> list[Spoken]:
    """The owner's own words, in the line's first language."""
    return [(line.languages[0], sentence) for sentence in sentences]


def _unknown_number(form: NumberedForm) -> TwimlResponse:
    log.warning(
        "call to a number that no line has",
        call=form.sid,
        called=masked(form.called),
        caller=masked(form.caller),
    )
    return TwimlResponse(twiml.say_goodbye([phrase("unknown_number", "en")]))
