"""The acknowledgement link: a page that shows on GET and acts on POST. Not from Twilio, so nothing is signed
but the token in the path.

Message apps open links by themselves to show a preview: a GET must change nothing.
"""

from typing import Annotated

import structlog
from fastapi import APIRouter, Form
from fastapi.responses import HTMLResponse

from api import link_page
from api.acts import Closed, Pending
from api.alerts import summary_of
from api.desk import At, Desk
from api.errors import ClosedError, NoAnswerError
from api.link_page import Offered
from workflows.emergency import ENDED
from workflows.messages import EscalationView
from workflows.tokens import LINK, ForgedTokenError, LinkToken
from workflows.values import Act, ActId, ActKind, ActReply, Verdict, Via

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.links")

router = APIRouter(tags=["links"], default_response_class=HTMLResponse)

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address is the key
    "X-Robots-Tag": "noindex",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
}


@router.get("/a/{token}")
async def show(token: str, at: At) -> HTMLResponse:
    """What the page is about, and the button to take it."""
    try:
        link = at.opened(LINK, token)
    except ForgedTokenError:
        return _forged()
    try:
        view = await at.messenger.look(link.escalation, EscalationView)
    except ClosedError:
        return _html(link_page.closed(None), 404)
    except NoAnswerError as error:
        log.warning("link shown without its case", escalation=link.escalation, error=str(error))
        return _html(link_page.case(None, Offered.TAKE))
    if view.phase in ENDED:
        return _html(link_page.closed(view))
    theirs = view.owner is not None and view.owner == _name(at, link)
    return _html(
        link_page.case(view, _offered(view, theirs=theirs), await _alert(at, link) if theirs else None)
    )


@router.post("/a/{token}")
async def act(token: str, at: At, do: Annotated[ActKind, Form()] = ActKind.ACKNOWLEDGE) -> HTMLResponse:
    """Take it; or, once it is theirs, say that it is resolved, or hand it over."""
    pressed_at = at.door.now()
    try:
        link = at.opened(LINK, token)
    except ForgedTokenError:
        return _forged()
    done = Act(
        kind=do,
        id=ActId(f"link:{link.page}" if do is ActKind.ACKNOWLEDGE else f"link:{link.page}:{do}"),
        by=link.person,
        via=Via.LINK,
        page=link.page,
        pressed_at=pressed_at,
    )
    heard = await at.acts.perform(link.escalation, done)
    log.info("link used", person=link.person, page=link.page, act=do)
    match heard:
        case ActReply():
            summary = await _alert(at, link) if heard.verdict is Verdict.YOURS else None
            return _html(link_page.told(heard.sentence, summary))
        case Closed():
            return _html(link_page.closed(None))
        case Pending("nowhere"):
            return _html(link_page.told("This could not be received. Please try again in a moment."), 503)
        case Pending():
            return _html(link_page.told("Received, not yet confirmed. Open the link again in a minute."), 202)


def _offered(view: EscalationView, *, theirs: bool) -> Offered:
    if theirs:
        return Offered.CLOSE
    return Offered.TAKE if view.owner is None else Offered.NOTHING


def _name(at: Desk, link: LinkToken) -> str | None:
    people = at.configuration.current().people
    return people[link.person].name if link.person in people else None


async def _alert(at: Desk, link: LinkToken) -> str | None:
    try:
        return summary_of((await at.messenger.memo(link.escalation))[1])
    except (NoAnswerError, ClosedError):
        return None


def _forged() -> HTMLResponse:
    log.warning("link refused: forged or too old")
    return _html(link_page.forged(), 403)


def _html(text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(text, status, headers=HEADERS)
