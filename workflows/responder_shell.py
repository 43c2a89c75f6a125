"""A person's phone made durable: one call at a time, looked after until its end is known.

What is decided is in `responder`; here is only how. Lives while somebody may still need this person.
"""

from dataclasses import replace

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

from workflows import orders, responder
from workflows.messages import (
    Message,
    NotUnderstoodError,
    PageNews,
    PageRequest,
    PickedUp,
    ResponderInput,
    RingProgress,
    Script,
    ScriptItem,
    TextIn,
    TextMatch,
    Withdrawal,
    understood,
)
from workflows.responder import Item, Phone, Ring, decide, due_at
from workflows.shell import Loop, begin, now, perform, tell
from workflows.values import CallSid, Channel, RingId


@workflow.defn(name="ResponderWorkflow")
class ResponderWorkflow:
    """One person's phone."""

    @workflow.init
    def __init__(self, start: ResponderInput) -> None:
        self.start = understood(start)
        self.loop = Loop[responder.Event, Phone]()
        self.phone = start.phone or Phone(seed=workflow.uuid4().hex)
        self.placing: dict[RingId, workflow.ActivityHandle[orders.Submission]] = {}

    @workflow.run
    async def run(self, start: ResponderInput) -> Phone:
        """The phone as it was left: idle."""
        await workflow.wait_condition(lambda: bool(self.loop.inbox) or start.phone is not None)
        while self.loop.inbox or not (self.phone.idle and await self.loop.settled()):
            asked = await self.loop.next(due_at(self.phone), "look at the call")
            self.phone, effects = decide(self.phone, asked.event if asked else responder.Due(now()))
            if asked is not None:
                asked.answers.append(self.phone)
            for effect in effects:
                self.loop.beside(self._perform(effect))
            suggested = workflow.info().is_continue_as_new_suggested() and not self.placing
            if suggested and await self.loop.settled(due_at(self.phone), "look at the call"):
                workflow.continue_as_new(replace(start, phone=self.phone))
        return self.phone

    @workflow.signal
    def request(self, message: PageRequest) -> None:
        """An escalation asks for this phone to ring."""
        self._hear(message, responder.Requested(message.request, now()))

    @workflow.signal
    def withdraw(self, message: Withdrawal) -> None:
        """An escalation needs this person no more."""
        if message.page is None:
            self._hear(message, responder.Withdrawn(message.escalation, message.owner, now()))
        else:
            self._hear(message, responder.Expired(message.page, now()))

    @workflow.signal
    def progress(self, message: RingProgress) -> None:
        """The provider says what the call is doing."""
        self._hear(message, responder.Progressed(message.ring, message.sid, message.status, now()))

    @workflow.update
    async def picked_up(self, message: PickedUp) -> Script:
        """The person is on the line: what is it about by now?"""
        phone = await self.loop.ask(responder.Progressed(message.ring, message.sid, "in-progress", now()))
        ring = phone.ring
        if ring is None or ring.id != message.ring:
            return Script(items=())
        return Script(
            items=tuple(_script_item(item) for item in ring.items if not item.over), taken_by=ring.taken_by
        )

    @workflow.update
    async def match_text(self, message: TextIn) -> TextMatch:
        """Which open page do these digits belong to?"""
        for request in reversed(self.phone.open):
            if request.code == message.code:
                return TextMatch(page=request.page, escalation=request.escalation)
        return TextMatch()

    @picked_up.validator
    def check_picked_up(self, message: PickedUp) -> None:
        """Shape only."""
        understood(message)

    @match_text.validator
    def check_match_text(self, message: TextIn) -> None:
        """Shape only."""
        understood(message)

    @workflow.query
    def status(self) -> Phone:
        """What this phone is doing for us."""
        return self.phone

    def _hear(self, message: Message, event: responder.Event) -> None:
        try:
            understood(message)
        except NotUnderstoodError as error:
            workflow.logger.error("message refused", extra={"why": str(error)})
            return
        self.loop.hear(event)

    async def _perform(self, effect: responder.Effect) -> None:
        match effect:
            case responder.Place(ring):
                await self._place(ring)
            case responder.Unplace(ring_id):
                if ring_id in self.placing:
                    self.placing[ring_id].cancel()
            case responder.LookFor(ring, ignoring):
                await self._look_for(ring, ignoring)
            case responder.LookAt(ring_id, sid):
                await self._look_at(ring_id, sid)
            case responder.HangUp(sid):
                await self._cancel(sid)
            case responder.Report(request, evidence):
                news = PageNews(
                    page=request.page, channel=Channel.VOICE, evidence=evidence, ring=request.ring
                )
                await tell(request.escalation, "page_moved", news)

    async def _place(self, ring: Ring) -> None:
        """Ring the phone once. No answer is a doubt, never a reason to ring again unseen."""
        order = orders.PlacePageCall(self.start.person, ring.to, ring)
        join = any(item.request.kind == "join" for item in ring.items)
        severity = min((item.request.case.severity for item in ring.items), key=lambda s: s.rank)
        priority = orders.JOIN_FIRST if join else orders.page_priority(severity)
        handle = begin(
            orders.PLACE_PAGE_CALL,
            order,
            f"ring {self.start.person} for {ring.items[0].request.page}",
            priority=priority,
        )
        self.placing[ring.id] = handle
        try:
            placed = await handle
        except ActivityError as error:
            withdrawn = is_cancelled_exception(error)
            self.loop.hear(
                responder.Unplaced(ring.id, now()) if withdrawn else responder.Doubtful(ring.id, now())
            )
            return
        finally:
            del self.placing[ring.id]
        if placed.what == "placed" and placed.sid is not None:
            self.loop.hear(responder.Placed(ring.id, CallSid(placed.sid), now()))
        elif placed.what == "refused":
            self.loop.hear(responder.Refused(ring.id, placed.error or "refused", now()))
        else:
            self.loop.hear(responder.Doubtful(ring.id, now()))

    async def _look_for(self, ring: Ring, ignoring: tuple[CallSid, ...]) -> None:
        since = ring.placed_at or ring.since
        order = orders.FindCall(ring.to, ring.from_, since, ignoring)
        try:
            found = await perform(orders.FIND_CALL, order, f"was the call to {self.start.person} placed?")
        except FailureError:
            found = orders.Found()
        sid = CallSid(found.sid) if found.sid else None
        self.loop.hear(responder.LookedFor(ring.id, sid, now()))

    async def _look_at(self, ring: RingId, sid: CallSid) -> None:
        try:
            seen = await perform(orders.LOOK_AT_CALL, orders.OneCall(sid), f"what is {sid} doing?")
        except FailureError:
            return  # the next look asks again
        self.loop.hear(responder.Progressed(ring, sid, seen.status, now()))

    async def _cancel(self, sid: CallSid) -> None:
        try:
            await perform(orders.CANCEL_CALL, orders.OneCall(sid), f"stop ringing {self.start.person}")
        except FailureError as error:
            workflow.logger.warning(
                "call not cancelled", extra={"call": sid, "why": str(error.cause or error)}
            )


def _script_item(item: Item) -> ScriptItem:
    request = item.request
    return ScriptItem(
        page=request.page,
        escalation=request.escalation,
        kind=request.kind,
        spoken=request.case.spoken,
        severity=request.case.severity,
        line_name=request.case.line.name,
        accept=item.accept,
        decline=item.decline,
        conference=request.conference,
        test=request.case.test,
    )
