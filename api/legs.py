"""The AI's leg: its audio to a bridge and back to us, its end; and what is spoken to a leg: facts, and on hold."""

import secrets
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Query, Response

from api import twiml
from api.desk import At, Desk, FromTwilio, TwimlResponse, noted
from api.errors import ClosedError, NoAnswerError, NotTakenError, UnknownLineError
from api.forms import LegForm, ProgressForm
from api.phrases import phrase
from workflows import sentences
from workflows.messages import LegNews, Resume, Resumed, call_workflow_id
from workflows.sentences import Language, language_of
from workflows.tokens import FACT, LEG, STREAM, ForgedTokenError, LegToken, StreamToken
from workflows.values import LineId

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.legs")

router = APIRouter(tags=["legs"], dependencies=[FromTwilio])

HOLD_PAUSE_S = 20  # between two sentences to somebody on hold
RESUME_PAUSE_S = 2  # between two tries while no answer comes; the leg's own time limit ends them
BRIEF_S = 3  # a stream that was over so soon found no bridge: one is being started anew, or is full
BRIEF_PAUSE_S = 1  # then: Twilio follows only so many redirects in a row
ENDED = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

LegQuery = Annotated[str | None, Query(alias="leg", max_length=2000)]


@router.post("/ai-leg")
async def connect(form: Annotated[LegForm, Form()], at: At, leg: LegQuery = None) -> TwimlResponse:
    """The AI's leg is there: connect it with a bridge. Its token comes in the body, or in the query."""
    token = _token(at, form.leg or leg)
    log.info("AI leg connected", call=token.call, generation=token.generation, leg=form.sid)
    return _stream(at, token)


@router.post("/ai-leg/resume")
async def resume(
    form: Annotated[LegForm, Form()],
    at: At,
    leg: LegQuery = None,
    since: Annotated[int | None, Query()] = None,
) -> TwimlResponse:
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
    brief = since is not None and at.door.now().timestamp() - since < BRIEF_S
    pause_s = BRIEF_PAUSE_S if brief else 0
    return _stream(at, token, pause_s) if resumed.again else TwimlResponse(twiml.hang_up())


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


@router.get("/hold/silence")
async def hold_in_silence() -> TwimlResponse:
    """What an AI on hold hears; Twilio asks anew when it is over."""
    return TwimlResponse(twiml.wait((), HOLD_PAUSE_S))


@router.get("/hold/words/{line_id}")
async def hold(line_id: LineId, at: At) -> TwimlResponse:
    """What a human on hold hears: whom to dial in danger, and that they are not forgotten."""
    try:
        line = at.line(line_id)
    except UnknownLineError:  # taken out of the file meanwhile
        return TwimlResponse(twiml.wait([phrase("one_moment", "en")], HOLD_PAUSE_S))
    ours: dict[Language, None] = dict.fromkeys(language_of([language]) for language in line.languages)
    said = [*line.danger_sentences(), *(phrase("on_hold", language) for language in ours)]
    return TwimlResponse(twiml.wait(said, HOLD_PAUSE_S))


def _token(at: Desk, leg: str | None) -> LegToken:
    if leg is None:
        raise ForgedTokenError("no leg token came with the request")
    return at.opened(LEG, leg)


def _stream(at: Desk, token: LegToken, pause_s: int = 0) -> TwimlResponse:
    once = StreamToken(token.call, token.generation, secrets.token_urlsafe(16))
    then = at.addresses.leg_resume(token, at.door.now())
    return TwimlResponse(
        twiml.stream(at.door.stream_url, at.door.tokens.make(STREAM, once), then, pause_s=pause_s)
    )
