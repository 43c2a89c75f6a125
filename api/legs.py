"""The AI's leg: its audio to a bridge and back to us, its end; and facts that are spoken to a leg."""

import secrets
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Query, Response

from api import twiml
from api.desk import At, Desk, FromTwilio, TwimlResponse, noted
from api.errors import ClosedError, NoAnswerError, NotTakenError
from api.forms import LegForm, ProgressForm
from workflows import sentences
from workflows.messages import LegNews, Resume, Resumed, call_workflow_id
from workflows.tokens import FACT, LEG, STREAM, ForgedTokenError, LegToken, StreamToken

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.legs")

router = APIRouter(tags=["legs"], dependencies=[FromTwilio])

RESUME_PAUSE_S = 2  # between two tries while no answer comes; the leg's own time limit ends them
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

LegQuery = Annotated[str | None, Query(alias="leg", max_length=2000)]


@router.post("/ai-leg")
async def connect(form: Annotated[LegForm, Form()], at: At, leg: LegQuery = None) -> TwimlResponse:
    """The AI's leg is there: connect it with a bridge. Its token comes in the body, or in the query."""
    token = _token(at, form.leg or leg)
    log.info("AI leg connected", call=token.call, generation=token.generation, leg=form.sid)
    return _stream(at, token)


@router.post("/ai-leg/resume")
async def resume(form: Annotated[LegForm, Form()], at: At, leg: LegQuery = None) -> TwimlResponse:
    """The stream is over: another one, or hang up?"""
    token = _token(at, leg or form.leg)
    try:
        resumed = await at.messenger.ask(
            call_workflow_id(token.call),
            "resume",
            Resume(generation=token.generation),
            Resumed,
            limit_s=at.door.patience.act_s,
        )
    except (ClosedError, NotTakenError):
        return TwimlResponse(twiml.hang_up())
    except NoAnswerError as error:
        log.warning("AI leg waits to resume", call=token.call, error=str(error))
        return TwimlResponse(twiml.redirect((), at.addresses.leg_resume(token), pause_s=RESUME_PAUSE_S))
    return _stream(at, token) if resumed.again else TwimlResponse(twiml.hang_up())


@router.post("/ai-leg/status", status_code=204)
async def status(form: Annotated[ProgressForm, Form()], at: At, leg: LegQuery = None) -> Response:
    """How far the AI's leg has come; only its end is news."""
    token = _token(at, leg)
    if form.status not in ENDED:
        return Response(status_code=204)
    return noted(await at.mention(call_workflow_id(token.call), "leg", LegNews(sid=form.sid, what="gone")))


@router.get("/announce/{token}")
@router.post("/announce/{token}")
async def announce(token: str, at: At) -> TwimlResponse:
    """A fact, said on a line."""
    told = at.opened(FACT, token)
    return TwimlResponse(twiml.say(sentences.fact(told.fact, at.card(told.line).spoken_in(told.language))))


def _token(at: Desk, leg: str | None) -> LegToken:
    if leg is None:
        raise ForgedTokenError("no leg token came with the request")
    return at.opened(LEG, leg)


def _stream(at: Desk, token: LegToken) -> TwimlResponse:
    once = StreamToken(token.call, token.generation, secrets.token_urlsafe(16))
    return TwimlResponse(
        twiml.stream(at.door.stream_url, at.door.tokens.make(STREAM, once), at.addresses.leg_resume(token))
    )
