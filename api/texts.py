"""SMS: answers to pages, and how far our own have come. What a text means is in `words`."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Query, Response

from api import twiml
from api.acts import Closed, Pending, text_act
from api.desk import At, Desk, FromTwilio, TwimlResponse, noted
from api.errors import NoAnswerError
from api.forms import TextForm, TextStatusForm
from api.spool import TextCame
from api.words import ForCarrier, Meant, Unclear, meaning
from configuration.numbers import masked
from workflows.messages import PageNews, TextMatch
from workflows.pages import Evidence, Standing
from workflows.values import ActReply, Channel, EscalationId, PageId, PersonId

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.texts")

router = APIRouter(prefix="/sms", tags=["texts"], dependencies=[FromTwilio])

HELP = "Please reply with the four-digit code of the page to take it, or with the code and NO to pass."
NO_SUCH_PAGE = "That code does not belong to an open page of yours."
CLOSED = "This case is closed. Thank you."
RECEIVED = "Received, not yet confirmed."

HANDSET_UNREACHABLE = "30003"  # switched off or without a signal: it may be back in a minute
ON_ITS_WAY = frozenset({"accepted", "scheduled", "queued", "sending", "sent"})
NOT_TOLD = ON_ITS_WAY - {"sent"}  # says nothing that Twilio's first reply did not, or `sent` will not


@router.post("")
async def came(form: Annotated[TextForm, Form()], at: At) -> TwimlResponse:
    """Somebody sent us an SMS."""
    return TwimlResponse(twiml.text_reply(await _reply(at, form)))


@router.post("/status", status_code=204)
async def moved(
    form: Annotated[TextStatusForm, Form()],
    escalation: Annotated[EscalationId, Query()],
    page: Annotated[PageId, Query()],
    at: At,
) -> Response:
    """How far an SMS of ours has come."""
    if form.status in NOT_TOLD:
        return Response(status_code=204)
    standing = standing_of(form.status, form.error)
    if standing is None:
        log.info("unknown message status", status=form.status)
        return Response(status_code=204)
    error = f"error {form.error}" if form.error else None
    evidence = Evidence(standing, form.sid, at.door.now(), error)
    news = PageNews(page=page, channel=Channel.TEXT, evidence=evidence)
    return noted(await at.mention(escalation, "page_moved", news))


def standing_of(status: str, error: str | None) -> Standing | None:
    """What Twilio's word for a message means for the page; None for a word we do not know."""
    if status in ON_ITS_WAY:
        return Standing.SUBMITTED
    if status in {"delivered", "read"}:
        return Standing.REACHED
    if status in {"undelivered", "failed"}:
        return Standing.UNANSWERED if error == HANDSET_UNREACHABLE else Standing.FAILED
    return Standing.WITHDRAWN if status == "canceled" else None


async def _reply(at: Desk, form: TextForm) -> str | None:
    """What to answer; None for no answer at all."""
    people = _people(at, form.sender)
    if not people:
        log.info("text from a number that is nobody's", sender=masked(form.sender), message=form.sid)
        return None
    match meaning(form.body):
        case ForCarrier():
            return None
        case _ if form.opt_out:
            return None
        case Unclear(code):
            return f"Please reply {code} to take it, or {code} NO to pass." if code else HELP
        case Meant() as meant:
            return await _act(at, form, people, meant)


async def _act(at: Desk, form: TextForm, people: list[PersonId], meant: Meant) -> str:
    """Find the page of this code, and act on it."""
    for person in people:
        text = TextCame(person, meant.code, meant.kind, form.sid, at.door.now())
        try:
            match = await at.acts.page_of(person, meant.code, form.sid)
        except NoAnswerError as error:
            log.error("text spooled, no answer", person=person, error=str(error))
            return RECEIVED if await at.spool.keep(text) else HELP
        if match is not None:
            return await _perform(at, text, match)
    return NO_SUCH_PAGE


async def _perform(at: Desk, text: TextCame, match: TextMatch) -> str:
    assert match.escalation is not None, "a match names its escalation"  # noqa: S101
    heard = await at.acts.perform(match.escalation, text_act(text, match))
    log.info("text answered a page", person=text.person, page=match.page, act=text.does)
    match heard:
        case ActReply():
            return heard.sentence
        case Closed():
            return CLOSED
        case Pending():
            return RECEIVED


def _people(at: Desk, number: str) -> list[PersonId]:
    """Who uses this number, for SMS or for calls."""
    people = at.configuration.current().people
    return [PersonId(name) for name, person in people.items() if number in {person.sms_number, person.phone}]
