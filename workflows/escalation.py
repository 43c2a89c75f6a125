"""An escalation made durable: wait, decide, perform. What is decided is in `ladder`; here is only how.

Owns the ladder, the pages, the acknowledgement, ownership and resolution of one emergency, and lives until it is
resolved. Knows nothing of Twilio, of rooms or of what a phone is doing.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from workflows import attributes, emergency, ladder, orders
from workflows.emergency import Caller, Decision, Escalation
from workflows.ladder import armed, decide
from workflows.messages import (
    CallerComes,
    CallerNews,
    CaseNote,
    Dismissal,
    EscalationInput,
    EscalationOutcome,
    EscalationView,
    Message,
    NotUnderstoodError,
    PageNews,
    RoomNews,
    SeatOrder,
    Tell,
    Withdrawal,
    Worse,
    call_workflow_id,
    responder_workflow_id,
    understood,
)
from workflows.pages import Evidence, Page, Standing
from workflows.responder import Request
from workflows.shell import Asked, Loop, now, perform, tell
from workflows.values import Act, ActKind, ActReply, CallSid, Channel, Ladder, PersonId

LOOK_FOR_TEXT_S = (3.0, 10.0)  # carriers' queues show a message within seconds
PLAN_AGAIN_S = 30.0  # a file that cannot be read is being mended by somebody


@workflow.defn(name="EscalationWorkflow")
class EscalationWorkflow:
    """One emergency: pages people rung by rung until one accepts, and sees it through."""

    @workflow.init
    def __init__(self, start: EscalationInput) -> None:
        self.start = understood(start)
        self.loop = Loop[emergency.Event, ActReply]()
        self.state: Escalation | None = start.state
        self.listed: tuple[object, ...] = ()
        self.withdrawn: dict[PersonId, Withdrawal] = {}
        self.lines: dict[CallSid, asyncio.Lock] = {}

    @workflow.run
    async def run(self, start: EscalationInput) -> EscalationOutcome:
        if self.state is None:
            plan = start.ladder or await self._plan()
            callers = (Caller(start.call, start.conference),) if start.call and start.conference else ()
            begun = ladder.begin(start.id, start.case, plan, workflow.uuid4().hex, callers, now())
            self._carry_out(begun)
        while not (self._state.over and await self.loop.settled()):
            timer = armed(self._state)
            asked = await self.loop.next(timer.at if timer else None, timer.kind if timer else "")
            event = asked.event if asked else emergency.TimerFired(now())
            self._carry_out(decide(self._state, event), asked)
            if workflow.info().is_continue_as_new_suggested():
                timer = armed(
                    self._state
                )  # what runs beside may take long, and the ladder must not wait for it
                if await self.loop.settled(timer.at if timer else None, timer.kind if timer else ""):
                    workflow.continue_as_new(replace(start, state=self._state))
        state = self._state
        return EscalationOutcome(
            phase=state.phase,
            owner=state.owner.responder.id if state.owner else None,
            rounds=state.round,
            pages=state.pages,
            note=state.outcome_note,
        )

    # What people do: told at once who has it

    @workflow.update
    async def acknowledge(self, act: Act) -> ActReply:
        """Take it. The reply says who has it."""
        return await self.loop.ask(emergency.Acted(act, now()))

    @workflow.update
    async def decline(self, act: Act) -> ActReply:
        """Not me."""
        return await self.loop.ask(emergency.Acted(act, now()))

    @workflow.update
    async def resolve(self, act: Act) -> ActReply:
        """It is over, and well."""
        return await self.loop.ask(emergency.Acted(act, now()))

    @workflow.update
    async def cancel(self, act: Act) -> ActReply:
        """It never was an emergency."""
        return await self.loop.ask(emergency.Acted(act, now()))

    @acknowledge.validator
    def check_acknowledge(self, act: Act) -> None:
        """Shape only: what is refused must be on record."""
        _well_formed(act, ActKind.ACKNOWLEDGE)

    @decline.validator
    def check_decline(self, act: Act) -> None:
        """Shape only."""
        _well_formed(act, ActKind.DECLINE)

    @resolve.validator
    def check_resolve(self, act: Act) -> None:
        """Shape only."""
        _well_formed(act, ActKind.RESOLVE)

    @cancel.validator
    def check_cancel(self, act: Act) -> None:
        """Shape only."""
        _well_formed(act, ActKind.CANCEL)

    # The same acts for Temporal's own UI, for the spool, and while no worker is up

    @workflow.signal(name="acknowledge")
    def acknowledge_signalled(self, act: Act) -> None:
        """Take it; nobody waits for the reply."""
        self._act_signalled(act, ActKind.ACKNOWLEDGE)

    @workflow.signal(name="decline")
    def decline_signalled(self, act: Act) -> None:
        """Not me; nobody waits for the reply."""
        self._act_signalled(act, ActKind.DECLINE)

    @workflow.signal(name="resolve")
    def resolve_signalled(self, act: Act) -> None:
        """It is over; nobody waits for the reply."""
        self._act_signalled(act, ActKind.RESOLVE)

    @workflow.signal(name="cancel")
    def cancel_signalled(self, act: Act) -> None:
        """It never was one; nobody waits for the reply."""
        self._act_signalled(act, ActKind.CANCEL)

    def _act_signalled(self, act: Act, kind: ActKind) -> None:
        try:
            _well_formed(act, kind)
        except ApplicationError as error:
            workflow.logger.warning("act refused", extra={"why": error.message})
            return
        self.loop.hear(emergency.Acted(act, now()))

    # News

    @workflow.signal
    def page_moved(self, news: PageNews) -> None:
        """A channel of a page has moved."""
        self._hear(news, emergency.PageMoved(news.page, news.channel, news.evidence, now(), news.ring))

    @workflow.signal
    def caller_attached(self, news: CallerComes) -> None:
        """A call belongs to this emergency, and its caller waits."""
        self._hear(news, emergency.CallerAttached(news.call, news.conference, now()))
        if self.state is not None and self.state.over:  # closed in the instant in which they came back
            self.loop.beside(self._tell_call(news.call, "dismiss_assistant", Dismissal()))

    @workflow.signal
    def caller_gone(self, news: CallerNews) -> None:
        """An attached caller hung up."""
        self._hear(news, emergency.CallerGone(news.call, now()))

    @workflow.signal
    def responder_joined(self, news: RoomNews) -> None:
        """A responder is in the room."""
        self._hear(news, emergency.ResponderJoined(news.person, news.leg, now(), news.conference))

    @workflow.signal
    def responder_left(self, news: RoomNews) -> None:
        """A responder left the room for good."""
        self._hear(news, emergency.ResponderLeft(news.person, news.leg, now()))

    @workflow.signal
    def worsened(self, message: Worse) -> None:
        """It is worse than it was reported."""
        self._hear(message, emergency.Worsened(message.case, now()))

    @workflow.signal
    def note(self, message: CaseNote) -> None:
        """Something to be kept with the case."""
        self._hear(message, emergency.Noted(message.text, now()))

    @workflow.query
    def status(self) -> EscalationView:
        """How it stands."""
        state, timer = self._state, armed(self._state)
        return EscalationView(
            id=state.id,
            case=state.case,
            phase=state.phase,
            round=state.round,
            rung=state.position + 1,
            rungs=len(state.order),
            rung_name=state.rung.name,
            pages=state.pages,
            owner=state.owner.responder.name if state.owner else None,
            callers_waiting=len(state.waiting),
            next_is=timer.kind if timer else None,
            next_at=timer.at if timer else None,
            note=state.outcome_note,
            notes=state.notes,
            owner_room=state.owner_room,
        )

    def _hear(self, message: Message, event: emergency.Event) -> None:
        try:
            understood(message)
        except NotUnderstoodError as error:
            workflow.logger.error("message refused", extra={"why": str(error)})
            return
        self.loop.hear(event)

    # How it is done

    @property
    def _state(self) -> Escalation:
        if self.state is None:
            raise ApplicationError("the ladder is still being looked up", type="Starting")
        return self.state

    async def _plan(self) -> Ladder:
        """The ladder as the owner's file has it now; asked for until there is one."""
        case = self.start.case
        order = orders.PlanLadder(case.line.id, case.category, case.severity, now())
        while True:
            try:
                plan = await perform(orders.PLAN_LADDER, order, f"who is on call for {case.line.id}")
                if plan.rungs:
                    return plan
                why = "it has no rungs"
            except FailureError as error:
                why = str(error.cause or error)
            self.loop.beside(self._alert(f"no ladder for {self.start.id}: {why}"))
            await workflow.sleep(
                timedelta(seconds=PLAN_AGAIN_S), summary="the owner's file could not be read"
            )

    def _carry_out(self, decision: Decision, asked: Asked[emergency.Event, ActReply] | None = None) -> None:
        self.state = decision.state
        if asked is not None and decision.reply is not None:
            asked.answers.append(decision.reply)
        self._list(decision.state)
        for effect in decision.effects:
            self.loop.beside(self._perform(effect))

    async def _perform(self, effect: emergency.Effect) -> None:
        match effect:
            case emergency.RingPage(page, ring):
                await self._relay(self._request(page, ring=ring))
            case emergency.CallIn(page, conference):
                request = self._request(page, ring=page.rings)
                await self._relay(replace(request, conference=conference, kind="join"))
            case emergency.TextPage(page):
                await self._text(page)
            case emergency.PushPage(page):
                await self._push(page)
            case emergency.Withdraw(people, owner):
                withdrawal = Withdrawal(escalation=self.start.id, owner=owner)
                for person in people:
                    self.loop.beside(self._withdraw(person, withdrawal))
            case emergency.Unring(page):
                withdrawal = Withdrawal(escalation=self.start.id, page=page.id)
                await self._withdraw(page.responder.id, withdrawal)
            case emergency.TellCaller(call, fact):
                async with self.lines.setdefault(call, asyncio.Lock()):  # said in the order decided
                    await self._tell_call(call, "tell", Tell(fact=fact))
            case emergency.Seat(call, responder, leg):
                await self._tell_call(call, "seat", SeatOrder(person=responder, leg=leg))
            case emergency.DismissAssistant(call):
                await self._tell_call(call, "dismiss_assistant", Dismissal())
            case emergency.AskOwner(page):
                await self._ask_owner(page)
            case emergency.AlertOperator(reason):
                await self._alert(reason)

    def _request(self, page: Page, *, ring: int = 1) -> Request:
        waiting = self._state.waiting
        room = waiting[0].conference if waiting else None
        return Request(
            page.id, self.start.id, page.responder, self._state.case, page.code, room, now(), ring=ring
        )

    async def _relay(self, request: Request) -> None:
        person = request.responder.id
        self.withdrawn.pop(person, None)
        try:
            await perform(
                orders.RELAY_PAGE, orders.RelayPage(request), f"{request.kind} {request.responder.id}"
            )
        except FailureError as error:
            evidence = Evidence(Standing.FAILED, at=now(), error=str(error.cause or error))
            self.loop.hear(emergency.PageMoved(request.page, Channel.VOICE, evidence, now(), request.ring))
        if person in self.withdrawn:  # the request was slow, and the withdrawal overtook it
            await tell(responder_workflow_id(person), "withdraw", self.withdrawn[person])

    async def _withdraw(self, person: PersonId, withdrawal: Withdrawal) -> None:
        self.withdrawn[person] = withdrawal
        await tell(responder_workflow_id(person), "withdraw", withdrawal)

    async def _text(self, page: Page) -> None:
        """Send the SMS; in doubt look for it, and only when it is not there send it again, once."""
        order = orders.SendText("page", page.id, self.start.id, page.responder, self._state.case, page.code)
        for _ in range(2):
            since = now()
            try:
                sent = await perform(orders.SEND_TEXT, order, f"text {page.responder.id}")
            except FailureError:  # the worker died with it, or it took too long
                sent = orders.Submission("doubtful", now())
            if sent.what == "doubtful":
                self._moved(page, Channel.TEXT, Standing.UNKNOWN)
                sent = await self._find_text(page, since)
            if sent.what == "placed":
                return self._moved(page, Channel.TEXT, Standing.SUBMITTED, sid=sent.sid)
            if sent.what == "refused":
                return self._moved(page, Channel.TEXT, Standing.FAILED, error=sent.error)
        return self._moved(page, Channel.TEXT, Standing.FAILED, error="no answer, and no such message found")

    async def _find_text(self, page: Page, since: datetime) -> orders.Submission:
        """Look for a text that may have been sent; still doubtful when it is nowhere."""
        to, from_ = page.responder.text_to or "", self.start.case.line.number
        for wait_s in LOOK_FOR_TEXT_S:
            await workflow.sleep(
                timedelta(seconds=wait_s), summary=f"was the text to {page.responder.id} sent?"
            )
            order = orders.FindText(to, from_, since, page.code)
            try:
                found = await perform(orders.FIND_TEXT, order, f"look for the text to {page.responder.id}")
            except FailureError:
                continue
            if found.sid is not None:
                return orders.Submission("placed", now(), found.sid)
        return orders.Submission("doubtful", now())

    async def _push(self, page: Page) -> None:
        order = orders.Push("page", page.id, self.start.id, page.responder, self._state.case, page.code)
        try:
            sent = await perform(orders.PUSH, order, f"push {page.responder.id}")
        except FailureError as error:
            self._moved(page, Channel.PUSH, Standing.FAILED, error=str(error.cause or error))
            return
        standing = Standing.SUBMITTED if sent.what == "placed" else Standing.FAILED
        self._moved(page, Channel.PUSH, standing, sid=sent.sid, error=sent.error)

    async def _ask_owner(self, page: Page) -> None:
        case, responder = self._state.case, page.responder
        if responder.text_to:
            text = orders.SendText("ask-owner", page.id, self.start.id, responder, case, page.code)
            self.loop.beside(self._ask(orders.SEND_TEXT, text, responder.id))
        if responder.push:
            push = orders.Push("ask-owner", page.id, self.start.id, responder, case, page.code)
            self.loop.beside(self._ask(orders.PUSH, push, responder.id))

    async def _ask(
        self, order: orders.Order[orders.In, orders.Submission], arg: orders.In, person: PersonId
    ) -> None:
        try:
            asked = await perform(order, arg, f"ask {person} whether it is resolved")
            why_not = asked.error if asked.what == "refused" else None
        except FailureError as error:
            why_not = str(error.cause or error)
        if why_not is not None:
            await self._alert(f"{person}, who owns {self.start.id}, could not be asked: {why_not}")

    async def _alert(self, reason: str) -> None:
        try:
            await perform(
                orders.ALERT_OPERATOR, orders.AlertOperator(reason, self.start.case), "alert the operator"
            )
        except FailureError as error:
            workflow.logger.error("operator not alerted", extra={"why": str(error.cause or error)})

    async def _tell_call(self, call: CallSid, signal: str, message: Tell | SeatOrder | Dismissal) -> None:
        """Tell a call; one that is closed has no caller on the line any more."""
        told = await tell(call_workflow_id(call), signal, message)
        if not told and not self._state.over:
            self.loop.hear(emergency.CallerGone(call, now()))

    def _moved(
        self, page: Page, channel: Channel, to: Standing, *, sid: str | None = None, error: str | None = None
    ) -> None:
        self.loop.hear(emergency.PageMoved(page.id, channel, Evidence(to, sid, now(), error), now()))

    def _list(self, state: Escalation) -> None:
        """Let an operator list it by state, line, severity and responder: one upsert a change."""
        owner = state.owner
        people = [owner.responder.id] if owner else [page.responder.id for page in state.rung_pages]
        listed = (state.phase, tuple(people))
        if listed == self.listed:
            return
        self.listed = listed
        if self.start.searchable:
            workflow.upsert_search_attributes(
                [
                    attributes.STATE.value_set(state.phase),
                    attributes.RESPONDERS.value_set([str(person) for person in people]),
                ]
            )
        who = ", ".join(people) or "nobody"
        where = f"rung {state.position + 1} of {len(state.order)}, round {state.round}"
        workflow.set_current_details(f"**{state.phase}**: {where}; {who}")


def _well_formed(act: Act, kind: ActKind) -> None:
    """Raise an ApplicationError, which rejects an update, when the act is not of this shape or version."""
    try:
        understood(act)
    except NotUnderstoodError as error:
        raise ApplicationError(str(error), type="NotUnderstood") from error
    if act.kind is not kind:
        raise ApplicationError(f"a {act.kind} was sent as {kind}", type="NotUnderstood")
    if not act.id or not act.by:
        raise ApplicationError(f"{kind} needs `id` and `by`", type="NotUnderstood")
