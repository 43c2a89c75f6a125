"""What the decisions do to the telephone network: page calls, and what becomes of them."""

from datetime import datetime, timedelta

import structlog
from temporalio import activity
from twilio.base import values
from twilio.rest import Client

from activities.addresses import Addresses
from activities.errors import PROBLEMS, failure, problem
from activities.submission import Created, Submitter, not_to_be_dialled
from workflows.orders import (
    CANCEL_CALL,
    FIND_CALL,
    HANG_UP,
    LOOK_AT_CALL,
    PLACE_PAGE_CALL,
    SEND_CALLER,
    CallStatus,
    Done,
    FindCall,
    Found,
    OneCall,
    PlacePageCall,
    SendCaller,
    Submission,
)
from workflows.responder import Ring
from workflows.tokens import PageItem, PageToken
from workflows.values import PersonId, Severity

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

TIME_LIMIT_S = 4 * 60 * 60  # every leg's backstop: the same call may be seated in a room for hours
RING_S = (5, 600)  # what Twilio takes
TOLD = ["ringing", "answered", "completed"]  # "initiated" is what the reply to the create says
CLOCKS_DIFFER = timedelta(seconds=5)  # between ours and the provider's, whose dates have whole seconds
LOOKED_THROUGH = 100  # of the newest calls or messages between two numbers; the one we seek is seconds old


class Calls:
    """Places, finds, looks at and ends calls."""

    def __init__(
        self,
        twilio: Client,
        addresses: Addresses,
        submitter: Submitter | None = None,
        *,
        fallback_url: str = "",
    ) -> None:
        """fallback_url: on another host, what a page call is told while the door does not answer; "": nothing."""
        self._twilio = twilio
        self._addresses = addresses
        self._fallback_url = fallback_url
        self._submitter = submitter or Submitter()

    @activity.defn(name=PLACE_PAGE_CALL.name)
    async def place_page_call(self, order: PlacePageCall) -> Submission:
        """Ring one person and return at once; the rest arrives by webhook.

        Not idempotent: a repeat after a lost reply rings the phone twice. Has one attempt; what may or may
        not have been placed comes back as `doubtful`.
        """
        what = f"page call of {order.person}, ring {order.ring.id}"
        if not order.ring.items:
            return self._submitter.refused(what, "there is no page in this call")
        if because := not_to_be_dialled(order.to):
            return self._submitter.refused(what, because)

        async def create() -> Created:
            call = await self._twilio.calls.create_async(
                to=order.to,
                from_=order.ring.from_ or order.ring.items[0].request.case.line.calls_from,
                url=self._addresses.page(page_token(order.person, order.ring)),
                fallback_url=self._fallback_url or values.unset,
                fallback_method="GET" if self._fallback_url else values.unset,
                status_callback=self._addresses.page_status(order.person, order.ring.id),
                status_callback_event=TOLD,
                timeout=_ring_s(order.ring),
                time_limit=TIME_LIMIT_S,
            )
            return Created(call.sid)

        submission = await self._submitter.submit(what, create)
        if submission.what == "placed":
            log.info("page call placed", person=order.person, ring=order.ring.id, call=submission.sid)
        return submission

    @activity.defn(name=FIND_CALL.name)
    async def find_call(self, order: FindCall) -> Found:
        """Look for a call that may have been placed; the oldest that it can be.

        Only looks: a repeat does no harm, and may find what was not listed before.
        """
        try:
            calls = await self._twilio.calls.list_async(
                to=order.to, from_=order.from_, limit=LOOKED_THROUGH, page_size=LOOKED_THROUGH
            )
        except PROBLEMS as error:
            raise failure("calls not listed", problem(error)) from error
        # A queued call has no start time, so Twilio's own filter by time would hide the one we seek.
        possible = [
            (created, call.sid)
            for call in calls
            if call.sid is not None
            and call.sid not in order.ignoring
            and (created := _date(call.date_created)) is not None
            and created >= order.since - CLOCKS_DIFFER
        ]
        found = min(possible, default=None)
        log.info("doubtful call looked for", found=found[1] if found else None)
        return Found(found[1] if found else None)

    @activity.defn(name=LOOK_AT_CALL.name)
    async def look_at_call(self, order: OneCall) -> CallStatus:
        """What a call is doing, in Twilio's words. Only looks: a repeat does no harm."""
        try:
            call = await self._twilio.calls(order.sid).fetch_async()
        except PROBLEMS as error:
            raise failure(f"call {order.sid} not looked at", problem(error)) from error
        return CallStatus(str(call.status))

    @activity.defn(name=HANG_UP.name)
    async def hang_up(self, order: OneCall) -> Done:
        """End a call, whatever it is doing. One that is over already is left so: a repeat does no harm."""
        return await self._end(order, "completed")

    @activity.defn(name=CANCEL_CALL.name)
    async def cancel_call(self, order: OneCall) -> Done:
        """Stop a call that is queued or rings; one that was answered is left alone.

        A repeat does no harm.
        """
        return await self._end(order, "canceled")

    @activity.defn(name=SEND_CALLER.name)
    async def send_caller(self, order: SendCaller) -> Done:
        """Have a caller's leg leave the room for a document of ours. A repeat asks for the same document again.

        Raises Gone where the call is over.
        """
        to = self._addresses.caller_menu() if order.to == "menu" else self._addresses.caller_keys(order.about)
        try:
            await self._twilio.calls(order.call).update_async(url=to, method="POST")
        except PROBLEMS as error:
            raise failure(f"call {order.call} not sent to the {order.to}", problem(error)) from error
        return Done()

    async def _end(self, order: OneCall, status: str) -> Done:
        try:
            await self._twilio.calls(order.sid).update_async(status=status)
        except PROBLEMS as error:
            found = problem(error)
            if not found.over:
                raise failure(f"call {order.sid} not {status}", found) from error
        return Done()


def page_token(person: PersonId, ring: Ring) -> PageToken:
    """Everything a key press on this call needs, also while Temporal is down."""
    return PageToken(
        person=person,
        ring=ring.id,
        line=ring.items[0].request.case.line.id,
        items=tuple(
            PageItem(
                page=item.request.page,
                escalation=item.request.escalation,
                kind=item.request.kind,
                spoken=item.request.case.spoken,
                accept=item.accept,
                decline=item.decline,
                conference=item.request.conference,
                life=item.request.case.severity is Severity.LIFE,
                test=item.request.case.test,
            )
            for item in ring.items
        ),
    )


def _ring_s(ring: Ring) -> int:
    shortest, longest = RING_S
    wanted = max(item.request.ring_s for item in ring.items)
    return min(max(round(wanted), shortest), longest)


def _date(value: object) -> datetime | None:
    """A date of the client's, which are strings where it could not read them."""
    return value if isinstance(value, datetime) else None
