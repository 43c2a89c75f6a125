"""SMS to responders: pages, and questions to an owner who has been silent."""

import re
from datetime import datetime

import structlog
from temporalio import activity
from twilio.rest import Client

from activities.addresses import Addresses
from activities.calls import CLOCKS_DIFFER, LOOKED_THROUGH
from activities.errors import PROBLEMS, failure, problem
from activities.submission import Created, Submitter, not_to_be_dialled
from workflows import sentences
from workflows.orders import FIND_TEXT, SEND_TEXT, FindText, Found, Push, SendText, Submission
from workflows.tokens import LinkToken

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

VALID_S = 120  # a page that waits in a carrier's queue until the morning is worse than none


class Texts:
    """Sends and finds messages."""

    def __init__(self, twilio: Client, addresses: Addresses, submitter: Submitter | None = None) -> None:
        self._twilio = twilio
        self._addresses = addresses
        self._submitter = submitter or Submitter()

    @activity.defn(name=SEND_TEXT.name)
    async def send_text(self, order: SendText) -> Submission:
        """Send one SMS to a responder.

        Not idempotent: a repeat after a lost reply sends it twice. Has one attempt; what may or may not have
        been sent comes back as `doubtful`.
        """
        what = f"{order.kind} text to {order.to.id}, page {order.page}"
        to = order.to.text_to
        if to is None:
            return self._submitter.refused(what, f"{order.to.id} has no number for SMS")
        submission = await self.send(
            what,
            to,
            order.case.line.number,
            words_for(order, self._addresses),
            status_url=self._addresses.text_status(order.escalation, order.page),
        )
        if submission.what == "placed":
            log.info("text placed", kind=order.kind, page=order.page, person=order.to.id, text=submission.sid)
        return submission

    async def send(
        self, what: str, to: str, from_: str, body: str, *, status_url: str | None = None
    ) -> Submission:
        """Send one SMS. Not idempotent."""
        if because := not_to_be_dialled(to):
            return self._submitter.refused(what, because)

        async def create() -> Created:
            told = {} if status_url is None else {"status_callback": status_url}
            message = await self._twilio.messages.create_async(
                to=to, from_=from_, body=body, validity_period=VALID_S, **told
            )
            return Created(message.sid)

        return await self._submitter.submit(what, create)

    @activity.defn(name=FIND_TEXT.name)
    async def find_text(self, order: FindText) -> Found:
        """Look for a message that may have been sent. Only looks: a repeat does no harm."""
        try:
            messages = await self._twilio.messages.list_async(
                to=order.to, from_=order.from_, limit=LOOKED_THROUGH, page_size=LOOKED_THROUGH
            )
        except PROBLEMS as error:
            raise failure("texts not listed", problem(error)) from error
        code = re.compile(rf"(?<!\w){re.escape(order.code)}(?!\w)")
        for message in messages:
            created: object = message.date_created
            recent = isinstance(created, datetime) and created >= order.since - CLOCKS_DIFFER
            if recent and message.sid and code.search(message.body or ""):
                return Found(message.sid)
        return Found()


def words_for(order: SendText | Push, addresses: Addresses) -> str:
    """The words of a page or a question, by SMS and by push alike."""
    link = addresses.link(LinkToken(order.to.id, order.page, order.escalation))
    if order.kind == "ask-owner":
        return sentences.owner_question(order.case, link)
    return sentences.page_text(order.case, order.code, link)
