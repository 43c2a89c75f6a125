"""Routes of the fallback while Temporal is down: `/fallback/…`. What is said is in `fallback`.

Nothing here waits for Temporal: what it must learn goes to the spool.
"""

import secrets
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Query

from api import fallback, twiml
from api.desk import At, Desk, FromTwilio, TwimlResponse
from api.forms import RecordingForm, VoiceForm
from api.phrases import Spoken, phrase
from api.spool import CallFailedOver, MessageLeft
from workflows.messages import Recording
from workflows.sentences import language_of
from workflows.values import CallSid, LineId

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.failover")

router = APIRouter(prefix="/fallback", tags=["fallback"], dependencies=[FromTwilio])


async def take_over(at: Desk, sid: CallSid, line_id: LineId, caller: str) -> TwimlResponse:
    """Ring tonight's rota by ourselves; that it was so is told when Temporal answers again."""
    log.error("caller handed to the fallback", call=sid, line=line_id)
    await at.spool.keep(CallFailedOver(at.call_input(sid, line_id, caller)))
    return _rung(at, line_id, 1, fallback.opening(at.line(line_id)))


@router.post("/next")
async def next_rung(
    form: Annotated[VoiceForm, Form()],
    line: Annotated[LineId, Query()],
    rung: Annotated[int, Query(ge=1)],
    at: At,
) -> TwimlResponse:
    """A rung was rung; the caller is still there, so ring the next."""
    return _rung(at, line, rung, fallback.between(at.line(line)))


@router.post("/screen")
async def screen(
    form: Annotated[VoiceForm, Form()], line: Annotated[LineId, Query()], at: At
) -> TwimlResponse:
    """Somebody, or their voicemail, answered: only the drawn key connects."""
    answered, key = at.line(line), secrets.choice("123456789")
    asked = fallback.screening(answered.name, key, answered.languages[:1])
    menu = twiml.Menu(asked, at.addresses.fallback_screened(key), fallback.SCREEN_WAIT_S)
    return TwimlResponse(twiml.screen(menu))


@router.post("/screened")
async def screened(form: Annotated[VoiceForm, Form()], key: Annotated[str, Query()], at: At) -> TwimlResponse:
    """Their key: the end of this document connects them, hanging up does not."""
    return TwimlResponse(twiml.nothing() if form.digits == key else twiml.hang_up())


@router.post("/message")
async def message(
    form: Annotated[RecordingForm, Form()], line: Annotated[LineId, Query()], at: At
) -> TwimlResponse:
    """The caller left a message, which somebody must hear of when Temporal is back."""
    language = language_of(at.line(line).languages)
    if form.recording_url is None:
        return TwimlResponse(twiml.say_goodbye([phrase("no_message", language)]))
    recording = Recording(url=form.recording_url, seconds=form.recording_s)
    kept = await at.spool.keep(MessageLeft(form.sid, recording))
    return TwimlResponse(twiml.say_goodbye([phrase("message_taken" if kept else "goodbye", language)]))


def _rung(at: Desk, line_id: LineId, number: int, says: list[Spoken]) -> TwimlResponse:
    line = at.line(line_id)
    rota = fallback.rota(at.configuration.current(), line_id, at.door.now())
    if number > len(rota):
        says = fallback.before_tone(line) if rota else [*says, *fallback.before_tone(line)]
        return TwimlResponse(twiml.record(says, at.addresses.fallback_message(line_id)))
    return TwimlResponse(
        twiml.ring_screened(
            says,
            rota[number - 1],
            caller_id=line.calls_from,
            ring_s=fallback.RING_S,
            screen=at.addresses.fallback_screen(line_id),
            action=at.addresses.fallback_next(line_id, number + 1),
        )
    )
