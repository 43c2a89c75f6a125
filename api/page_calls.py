"""How a responder is asked, and how their key is heard: page calls.

The token in the URL carries the pages and their keys, so that a key means something also while Temporal is
down. Nobody hears "you have it" before the workflow has said so; who cannot be answered in time hears "one
moment", with the act already on record, and is asked for again under the same act id.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import APIRouter, Form, Query, Response
from pydantic import AwareDatetime

from api import prompts, twiml
from api.acts import Closed, Heard, Pending
from api.alerts import summary_of
from api.desk import At, Desk, FromTwilio, TwimlResponse, noted
from api.errors import ClosedError, NoAnswerError, NotTakenError
from api.forms import ProgressForm, VoiceForm
from api.keys import Press, pressed
from api.phrases import Spoken, phrase, verdict
from api.rooms import enter, ring_back_menu
from workflows.messages import PickedUp, RingProgress, Script, responder_workflow_id
from workflows.sentences import Language
from workflows.tokens import PAGE, PageItem, PageToken, RoomToken
from workflows.values import Act, ActKind, ActReply, CallSid, PageId, PersonId, RingId, Verdict, Via

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.page_calls")

router = APIRouter(prefix="/page", tags=["responder"], dependencies=[FromTwilio])

PROMPTS = 3  # said so often; then it was a voicemail, or somebody asleep again
KEY_WAIT_S = 4.0
WRONG_KEYS_AT_MOST = 5
ASKS_AT_MOST = 5  # of 2.5 s each: longer than a worker takes to start, shorter than a person holds on

VoiceBody = Annotated[VoiceForm, Form()]


@dataclass(frozen=True)
class Keyed:
    """A key pressed on a page call, at the instant it reached us."""

    page: PageToken
    press: Press
    sid: CallSid
    pressed_at: datetime
    language: Language

    @property
    def act(self) -> Act:
        """The same for every repeat of the webhook."""
        return Act(
            kind=self.press.kind,
            id=self.press.act_id(self.sid),
            by=self.page.person,
            via=Via.KEY,
            page=self.press.item.page,
            leg=self.sid,
            pressed_at=self.pressed_at,
        )

    @property
    def left(self) -> PageToken:
        """The pages of this call that nobody has answered yet."""
        left = tuple(item for item in self.page.items if item.page != self.press.item.page)
        return replace(self.page, items=left)

    def room(self, conference: str | None) -> RoomToken:
        """Where this key leads."""
        item = self.press.item
        return RoomToken(self.page.person, item.escalation, item.page, self.page.line, conference)


@router.post("/status", status_code=204)
async def progress(
    form: Annotated[ProgressForm, Form()],
    person: Annotated[PersonId, Query()],
    ring: Annotated[RingId, Query()],
    at: At,
) -> Response:
    """How far a page call has come."""
    news = RingProgress(ring=ring, sid=form.sid, status=form.status)
    return noted(await at.mention(responder_workflow_id(person), "progress", news))


@router.post("/{token}")
async def answered(token: str, form: VoiceBody, at: At) -> TwimlResponse:
    """Somebody, or their voicemail, picked up."""
    page = at.opened(PAGE, token)
    log.info("page call answered", person=page.person, ring=page.ring, call=form.sid)
    return await _read_out(at, page, form.sid, among=None, attempt=1)


@router.post("/{token}/again")
async def again(
    token: str, form: VoiceBody, at: At, attempt: Annotated[int, Query(ge=1)] = 1
) -> TwimlResponse:
    """Read out what is left to be answered."""
    page = at.opened(PAGE, token)
    if attempt > WRONG_KEYS_AT_MOST:
        return TwimlResponse(twiml.say_goodbye([phrase("goodbye", _language(at, page))]))
    return await _read_out(at, page, form.sid, among=page.items, attempt=attempt)


@router.post("/{token}/key")
async def key(token: str, form: VoiceBody, at: At, attempt: Annotated[int, Query(ge=1)] = 1) -> TwimlResponse:
    """A key was pressed on a page call: taken at the instant it reached us."""
    pressed_at = at.door.now()
    page = at.opened(PAGE, token)
    press = pressed(page.items, form.digits)
    if press is None:  # without a key at all: asked anew by the other host, and the key was lost on its way
        says = [phrase("wrong_key", _language(at, page))] if form.digits else []
        return TwimlResponse(twiml.redirect(says, at.addresses.page_again(page, attempt + 1)))
    keyed = Keyed(page, press, form.sid, pressed_at, _language(at, page))
    heard = await at.acts.perform(press.item.escalation, keyed.act)
    log.info("key pressed", person=page.person, page=press.item.page, act=press.kind, came_to=_name(heard))
    return await _answer(at, keyed, heard, asked=0)


@router.post("/{token}/asked")
async def asked_again(
    token: str,
    form: VoiceBody,
    at: At,
    act: Annotated[ActKind, Query()],
    page: Annotated[PageId, Query()],
    pressed_at: Annotated[AwareDatetime, Query(alias="at")],
    asked: Annotated[int, Query(ge=1)],
) -> TwimlResponse:
    """The act is on record, the answer is not there yet: ask for it again."""
    opened = at.opened(PAGE, token)
    item = next((item for item in opened.items if item.page == page), None)
    if item is None:
        return TwimlResponse(twiml.say_goodbye([phrase("nothing_left", _language(at, opened))]))
    keyed = Keyed(opened, Press(item, act), form.sid, pressed_at, _language(at, opened))
    heard: Heard
    try:
        heard = await at.acts.ask(item.escalation, keyed.act)
    except NoAnswerError:
        heard = Pending("temporal")
    return await _answer(at, keyed, heard, asked=asked)


async def _read_out(
    at: Desk, page: PageToken, sid: CallSid, *, among: tuple[PageItem, ...] | None, attempt: int
) -> TwimlResponse:
    """The pages as they stand by now, else as they stood when the call was placed."""
    language = _language(at, page)
    script = await _script(at, page, sid, again="" if among is None else f"{len(among)}.{attempt}")
    if script is None:
        lines = at.configuration.current().lines
        name = lines[page.line].name if page.line in lines else None
        offers = prompts.offers_of_token(page.items, name)
    else:
        offers = prompts.offers_of_script(script, among)
    if not offers:
        by = script.taken_by if script else None
        told = phrase("taken_by", language, name=by) if by else phrase("nothing_left", language)
        return TwimlResponse(twiml.say_goodbye([told]))
    current = PageToken(page.person, page.ring, page.line, tuple(offer.item for offer in offers))
    menu = twiml.Menu(prompts.read_out(offers, language), at.addresses.page_key(current, attempt), KEY_WAIT_S)
    if attempt < PROMPTS:  # asked anew, so that who has it by now is told between two readings
        return TwimlResponse(twiml.ask_or(menu, [], at.addresses.page_again(current, attempt + 1)))
    return TwimlResponse(twiml.ask_or(menu, [phrase("goodbye", language)]))


async def _script(at: Desk, page: PageToken, sid: CallSid, *, again: str) -> Script | None:
    """What the person's workflow would have read out; None where it does not answer."""
    try:
        return await at.messenger.ask(
            responder_workflow_id(page.person),
            "picked_up",
            PickedUp(ring=page.ring, sid=sid),
            Script,
            update_id=f"picked-up:{sid}" + (f":{again}" if again else ""),
            limit_s=at.door.patience.script_s,
        )
    except (NoAnswerError, ClosedError, NotTakenError) as error:
        log.warning("page read out from its token", person=page.person, ring=page.ring, error=str(error))
        return None


async def _answer(at: Desk, keyed: Keyed, heard: Heard, asked: int) -> TwimlResponse:
    """What the person hears of their key."""
    if isinstance(heard, Closed):
        return _go_on(at, keyed, [phrase("case_closed", keyed.language)])
    if isinstance(heard, ActReply):
        return await _replied(at, keyed, heard)
    if heard.where == "temporal" and asked < ASKS_AT_MOST:
        press = keyed.press
        url = at.addresses.page_asked(keyed.page, press.item.page, press.kind, keyed.pressed_at, asked + 1)
        return TwimlResponse(twiml.redirect([phrase("one_moment", keyed.language)], url))
    return _unconfirmed(at, keyed)


async def _replied(at: Desk, keyed: Keyed, reply: ActReply) -> TwimlResponse:
    """The workflow has decided."""
    says = [verdict(reply, keyed.language)]
    if reply.verdict is not Verdict.YOURS:
        return _go_on(at, keyed, says)
    room = keyed.room(reply.conference)
    if reply.conference is not None:
        return enter(at, room, keyed.sid, says, keyed.language)
    says += await _alert(at, keyed.press.item, keyed.language)
    if reply.can_ring:
        then = at.addresses.page_again(keyed.left, 1) if keyed.left.items else None
        return ring_back_menu(at, room, says, keyed.language, then)
    return _go_on(at, keyed, says)


def _unconfirmed(at: Desk, keyed: Keyed) -> TwimlResponse:
    """Nobody can say who has it. A caller who waits is worth more than two who come."""
    room = keyed.room(keyed.press.item.conference)
    if keyed.press.kind is ActKind.ACKNOWLEDGE and room.conference is not None:
        joining = [phrase("unconfirmed_joining", keyed.language)]
        return enter(at, room, keyed.sid, joining, keyed.language)
    return _go_on(at, keyed, [phrase("unconfirmed", keyed.language)])


def _go_on(at: Desk, keyed: Keyed, says: list[Spoken]) -> TwimlResponse:
    """To the pages of this call that are still open, or goodbye."""
    if keyed.left.items:
        return TwimlResponse(twiml.redirect(says, at.addresses.page_again(keyed.left, 1)))
    return TwimlResponse(twiml.say_goodbye([*says, phrase("goodbye", keyed.language)]))


async def _alert(at: Desk, item: PageItem, language: Language) -> list[Spoken]:
    """What an alert said, for whoever has it now; nothing for a case that a caller reported."""
    try:
        summary = summary_of((await at.messenger.memo(item.escalation))[1])
    except (NoAnswerError, ClosedError):
        return []
    return [phrase("alert_says", language, summary=summary)] if summary else []


def _language(at: Desk, page: PageToken) -> Language:
    return at.language_of(page.person, page.line)


def _name(heard: Heard) -> str:
    match heard:
        case ActReply():
            return heard.verdict
        case Closed():
            return "closed"
        case Pending():
            return f"pending in {heard.where}"
