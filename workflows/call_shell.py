"""A call made durable: the room, its legs and the AIs' roles, until everything about the call is over.

What is decided is in `call` and its tables; here is only how. Knows nothing of ladders.
"""

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from temporalio import workflow
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.exceptions import FailureError
from temporalio.workflow import ParentClosePolicy

from workflows import aides, attributes, call_state, floor, orders, sentences
from workflows import call_news as news
from workflows.answering import standing
from workflows.assistant import Post, Role, Wanted
from workflows.call import decide, due_at
from workflows.call_state import (
    Call,
)
from workflows.call_view import view_of
from workflows.instructions import Scene, plan
from workflows.legs import Legs
from workflows.messages import (
    Attach,
    Attached,
    CallerComes,
    CallerNews,
    CallInput,
    CallOutcome,
    CallView,
    CaseNote,
    ConferenceNews,
    ConversationView,
    Detached,
    Dismissal,
    EscalationInput,
    Keys,
    LeftRoom,
    LegNews,
    Message,
    Note,
    NotUnderstoodError,
    Recording,
    Report,
    ReportReply,
    Resume,
    Resumed,
    RoomNews,
    SeatOrder,
    Tell,
    WhatNow,
    Worse,
    conference_name,
    understood,
)
from workflows.room_acts import RoomAct, RoomReply
from workflows.shell import Loop, now, perform, tell
from workflows.talk import outcome_of
from workflows.tools import KnownIncidents, ToolRefusedError
from workflows.tools import understood as understood_tool
from workflows.values import CallSid, Case, EscalationId, Fact
from workflows.voice import Plan, ToolCall, ToolOutcome, Turns, VoiceTrouble

ACT_CONFIRMED_S = (
    5.0  # whoever acted waits for the answer; an AI's leg takes some hundred milliseconds a step
)


@workflow.defn(name="CallWorkflow")
class CallWorkflow:
    """One telephone call to a line."""

    @workflow.init
    def __init__(self, start: CallInput) -> None:
        self.start = understood(start)
        self.loop = Loop[news.Event, Call]()
        self.call = start.call or Call(
            sid=start.sid,
            line=start.line,
            caller_number=start.caller_number,
            conference=conference_name(start.sid),
            since=now(),
            looked_at=now(),
            speech=start.speech,
            open_case=start.open_case,
        )
        self.legs = Legs(self.loop.hear, lambda: self.call, self._plan)
        self.attaching: set[str] = set()
        self.escalating = asyncio.Lock()

    @workflow.run
    async def run(self, start: CallInput) -> CallOutcome:
        """How the call was closed."""
        if start.call is None and start.open_case is not None and start.straight_back:
            self.loop.hear(news.Returned(start.open_case.room or self.call.conference, now()))
        while self.loop.inbox or not (self.call.over and await self.loop.settled()):
            asked = await self.loop.next(due_at(self.call), "look at the room")
            self.call, effects = decide(self.call, asked.event if asked else news.Due(now()))
            if asked is not None:
                asked.answers.append(self.call)
            for effect in effects:
                self.loop.beside(self._perform(effect))
            suggested = workflow.info().is_continue_as_new_suggested()
            if suggested and await self.loop.settled(due_at(self.call), "look at the room"):
                workflow.continue_as_new(replace(start, call=self.call))
        return CallOutcome(closing=self.call.closing, escalation=self.call.escalation)

    # What must be answered

    @workflow.update
    async def report(self, message: Report) -> ReportReply:
        """The caller reports an emergency: people are woken from now on."""
        case = Case(
            line=self.start.line,
            category=message.category,
            spoken=message.spoken,
            severity=message.severity,
            contact=self.start.caller_number if self.start.caller_number.startswith("+") else None,
        )
        after = await self.loop.ask(news.Reported(case, now()))
        return ReportReply(escalation=after.escalation or EscalationId(""), conference=after.conference)

    @workflow.update
    async def left_room(self, message: LeftRoom) -> WhatNow:
        """The caller's <Dial> ended, the call goes on: back into the room, or goodbye?"""
        state = self.call
        waits = state.escalation is not None and not state.resolved
        rejoin = (waits or state.conversing) and not state.ending
        if rejoin and state.guest:  # the room of the other call is over
            state = await self.loop.ask(news.Returned(conference_name(state.sid), now()))
        return WhatNow(rejoin=rejoin, conference=state.conference)

    @workflow.update
    async def attach(self, message: Attach) -> Attached:
        """A bridge wants to carry the AI leg's audio; its token's nonce is good once."""
        why_not = aides.may_attach(self.call, message.generation, message.nonce)
        if message.nonce in self.attaching:
            why_not = "this stream token is being used"
        if why_not is not None:
            return Attached(accepted=False, because=why_not)
        self.attaching.add(message.nonce)
        broken_off = self.call.broken_off or self.call.assistant.bridge is not None
        await self.loop.ask(news.BridgeAttached(message.generation, message.queue, now(), message.nonce))
        self.attaching.discard(message.nonce)
        known = self._plan_at_first(message.generation)
        return Attached(accepted=True, plan=replace(known, broken_off=broken_off) if known else None)

    @workflow.update
    async def resume(self, message: Resume) -> Resumed:
        """The AI leg's stream ended: shall another be opened?"""
        aide = aides.of_generation(self.call, message.generation)
        if aide is not None and aide.leg.bridge is not None:
            await self.loop.ask(news.StreamEnded(message.generation, now()))
        return Resumed(again=aides.may_resume(self.call, message.generation))

    @workflow.update
    async def use_tool(self, message: ToolCall) -> ToolOutcome:
        """The AI asks for something; what the model is told. One outcome, however often it asks."""
        use, refusal = None, ""
        post = aides.post_of(self.call, message.generation) or Post.ASSISTANT
        try:
            use = understood_tool(message.name, message.arguments, self.call.wanted_as(post).role)
        except ToolRefusedError as error:
            refusal = str(error)
        if isinstance(use, KnownIncidents):
            outcome = ToolOutcome(output=await self._incidents(use))
            after = await self.loop.ask(news.ToolAnswered(message.id, outcome, now()))
        else:
            after = await self.loop.ask(news.ToolUsed(message.id, use, refusal, now()))
        return outcome_of(after.talk, message.id) or ToolOutcome(output="Nothing was done.")

    @workflow.update
    async def act(self, message: RoomAct) -> RoomReply:
        """A person does something to the room; answered when it is so, or when it is taking too long."""
        after = await self.loop.ask(news.Acted(message, now()))
        outcome = floor.outcome_of(after, message)
        if outcome is None or not outcome.done:
            return RoomReply(done=False, sentence=outcome.sentence if outcome else "it was done long ago")
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: floor.is_so(self.call, message), timeout=timedelta(seconds=ACT_CONFIRMED_S)
            )
        return RoomReply(done=True, sentence=outcome.sentence, confirmed=floor.is_so(self.call, message))

    @act.validator
    def check_act(self, message: RoomAct) -> None:
        """Shape only: what is refused must be on record."""
        understood(message)

    @use_tool.validator
    def check_use_tool(self, message: ToolCall) -> None:
        """Shape only: what is refused must be on record."""
        understood(message)

    @report.validator
    def check_report(self, message: Report) -> None:
        """Shape only."""
        understood(message)

    @left_room.validator
    def check_left_room(self, message: LeftRoom) -> None:
        """Shape only."""
        understood(message)

    @attach.validator
    def check_attach(self, message: Attach) -> None:
        """Shape only."""
        understood(message)

    @resume.validator
    def check_resume(self, message: Resume) -> None:
        """Shape only."""
        understood(message)

    # News

    @workflow.signal
    def note(self, message: Note) -> None:
        """The caller did something in the menu."""
        match message.what:
            case "emergency-called":
                self._hear(message, news.EmergencyCalled(now()))
            case "case-heard":
                self._hear(message, news.CaseHeard(now()))
            case "failed-over":
                self._hear(message, news.FoundFailedOver(now()))
            case "silent":
                self._hear(message, news.StayedSilent(now()))

    @workflow.signal
    def turns(self, message: Turns) -> None:
        """What was said on the AI's leg."""
        self._hear(message, news.Said(message.generation, message.first, message.turns, now()))

    @workflow.signal
    def voice_trouble(self, message: VoiceTrouble) -> None:
        """The speech model fails, is slow, or is back."""
        if message.what == "model-slow":
            self._hear(message, news.VoiceSlow(message.generation, now()))
            return
        back, silent_at = message.what == "model-back", now() + timedelta(milliseconds=message.playing_ms)
        self._hear(message, news.VoiceTroubled(message.generation, back, now(), silent_at))

    @workflow.signal
    def keys(self, message: Keys) -> None:
        """The caller has pressed the digits they were asked for."""
        self._hear(message, news.KeysPressed(message.about, message.digits, now()))

    @workflow.signal
    def message_left(self, message: Recording) -> None:
        """The caller left a recorded message."""
        self._hear(message, news.MessageLeft(message.url, message.seconds, now()))

    @workflow.signal
    def conference(self, message: ConferenceNews) -> None:
        """Something happened in a room of our name."""
        match message.event:
            case "participant-join" if message.leg is not None:
                self._hear(message, news.Joined(message.conference, message.leg, message.label or "", now()))
            case "participant-leave" if message.leg is not None:
                self._hear(message, news.Left(message.conference, message.leg, now()))
            case "conference-end":
                self._hear(message, news.RoomEnded(message.conference, now()))
            case "announcement-end" | "announcement-fail":
                self._hear(message, news.AnnouncementEnded(now()))
            case _:
                pass  # news that changes nothing here

    @workflow.signal
    def caller_ended(self, message: LegNews) -> None:
        """The caller's own call is over."""
        self._hear(message, news.CallerEnded(now()))

    @workflow.signal
    def leg(self, message: LegNews) -> None:
        """A responder's or the AI's leg is over, or a responder is in the menu."""
        if message.what == "menu":
            self._hear(message, news.SteppedOut(message.sid, now()))
        else:
            self._hear(message, news.LegEnded(message.sid, now()))

    @workflow.signal
    def tell(self, message: Tell) -> None:
        """The escalation has something true for the caller."""
        self._hear(message, news.Told(message.fact, now()))

    @workflow.signal
    def seat(self, message: SeatOrder) -> None:
        """A responder's leg is coming into the room."""
        self._hear(message, news.SeatExpected(message.person, message.leg, now()))

    @workflow.signal
    def dismiss_assistant(self, message: Dismissal) -> None:
        """The case is closed."""
        self._hear(message, news.Dismissed(now()))

    @workflow.signal
    def detached(self, message: Detached) -> None:
        """A bridge no longer carries the AI leg's audio."""
        self._hear(message, news.BridgeDetached(message.generation, message.queue, now()))

    @workflow.query
    def status(self) -> CallView:
        """How the call stands."""
        return view_of(self.call)

    @workflow.query
    def conversation(self) -> ConversationView:
        """What was said and done."""
        talk = self.call.talk
        return ConversationView(
            agent=talk.agent or "",
            turns=talk.turns,
            tools=tuple((call_id, outcome.output) for call_id, outcome in talk.outcomes),
            notes=talk.notes,
            contact=talk.contact,
            place=talk.place,
            danger=talk.danger,
            corrections=talk.corrections,
        )

    def _hear(self, message: Message, event: news.Event) -> None:
        try:
            understood(message)
        except NotUnderstoodError as error:
            workflow.logger.error("message refused", extra={"why": str(error)})
            return
        self.loop.hear(event)

    # How it is done

    async def _perform(self, effect: news.Effect) -> None:
        match effect:
            case news.StartEscalation(escalation, case):
                await self._start_escalation(escalation, case)
            case news.AttachCall(escalation, waits_in):
                await self._attach(escalation, waits_in)
            case news.ReportJoined(person, leg):
                room_news = RoomNews(person=person, leg=leg, conference=self.call.conference)
                await self._tell_escalation("responder_joined", room_news)
            case news.ReportLeft(person, leg):
                await self._tell_escalation("responder_left", RoomNews(person=person, leg=leg))
            case news.ReportCallerGone():
                await self._tell_escalation("caller_gone", CallerNews(call=self.start.sid))
            case news.Announce(leg, fact):
                await self._announce(leg, fact)
            case news.TakeStep():
                await self.legs.take(effect)
            case news.SetManner(leg, manner):
                await self.legs.set_manner(leg, manner)
            case news.RemoveLeg(sid):
                await self._try(orders.HANG_UP, orders.OneCall(sid), "remove a leg that was replaced")
            case news.EndRoom(legs):
                room = orders.EndRoom(self.call.conference_sid, legs)
                await self._try(orders.END_ROOM, room, "nobody is left to serve: end the room")
            case news.Look():
                await self._look()
            case news.DeliverMessage(recording, seconds, text):
                order = orders.DeliverMessage(self.start.line.id, self.start.sid, recording, seconds, text)
                await self._try(orders.DELIVER_MESSAGE, order, "tell whoever takes messages")
            case news.SayFact(fact):
                if not await self._instruct(
                    "say", _spoken(sentences.fact(fact, self.call.spoken_line)), fact.id
                ):
                    self.loop.hear(news.NotTold(fact.id, now()))
            case news.SayWords(words):
                text = sentences.words(words, self.call.spoken_line, self.call.last_state)
                await self._instruct("say", text, words.id)
            case news.Inform(text):
                await self._instruct("context", text)
            case news.SendCaller(to, about):
                await self._send_caller(orders.SendCaller(self.start.sid, to, about))
            case news.LetGo():
                await self._try(orders.HANG_UP, orders.OneCall(self.start.sid), "the conversation is over")
            case news.Worsened(case):
                await self._tell_escalation("worsened", Worse(case=case))
            case news.PassNote(text):
                await self._tell_escalation("note", CaseNote(text=text))

    async def _start_escalation(self, escalation: EscalationId, case: Case) -> None:
        start = EscalationInput(
            id=escalation,
            case=case,
            caller_digest=self.start.caller_digest,
            searchable=self.start.searchable,
            call=self.start.sid,
            conference=self.call.conference,
        )
        pairs: list[SearchAttributePair[str]] = [
            SearchAttributePair(attributes.STATE, "paging"),
            SearchAttributePair(attributes.LINE, case.line.id),
            SearchAttributePair(attributes.SEVERITY, case.severity),
            SearchAttributePair(attributes.CALLER, self.start.caller_digest or "unknown"),
        ]
        async with self.escalating:
            await workflow.start_child_workflow(
                "EscalationWorkflow",
                start,
                id=escalation,
                task_queue=orders.WORKFLOWS,
                parent_close_policy=ParentClosePolicy.ABANDON,  # the promise outlives the call
                search_attributes=TypedSearchAttributes(pairs) if self.start.searchable else None,
                static_summary=f"{case.line.id}: {case.category} ({case.severity})",
                priority=orders.page_priority(case.severity),
            )

    async def _attach(self, escalation: EscalationId, room: str) -> None:
        """Tell an open case of its caller; one that is over by now must not be waited for."""
        async with self.escalating:
            came = CallerComes(call=self.start.sid, conference=room)
            attached = await tell(escalation, "caller_attached", came)
        if not attached:
            self.loop.hear(news.CaseOver(conference_name(self.start.sid), now()))

    def _plan(self, wanted: Wanted, *, opens: bool = False) -> Plan | None:
        """What the speech model is to be, in this role."""
        state = self.call
        if state.speech is None:
            return None
        test = state.case is not None and state.case.test
        spoken = wanted.languages or (state.languages() if wanted.role in {Role.COACH, Role.NOTES} else ())
        scene = Scene(wanted.role, wanted.person, test=test, opens=opens, languages=spoken)
        return plan(state.speech, state.talk, state.line, scene, standing(state))

    def _plan_at_first(self, generation: int) -> Plan | None:
        """What a bridge that has just attached begins with: nothing is said to all that only one may hear."""
        aide = aides.of_generation(self.call, generation)
        post = aide.post if aide is not None else Post.ASSISTANT
        wanted = self.call.wanted_as(post)
        begins = self._plan(wanted if wanted.role is Role.ANSWERING else Wanted(Role.SILENT))
        if begins is None or post is Post.ASSISTANT:
            return begins
        return replace(begins, turns=())  # the conversation on record is the assistant's

    async def _instruct(self, what: Literal["say", "context"], text: str, fact: str | None = None) -> bool:
        """Have the AI say this word for word, or know it; whether its bridge took the order."""
        ai = self.call.assistant
        if ai.bridge is None:
            return False
        order = orders.Instruction(self.start.sid, ai.generation, what, text=text, fact=fact)
        try:
            await perform(orders.INSTRUCT_BRIDGE, order, f"AI: {what} a sentence of ours", queue=ai.bridge)
        except FailureError:
            return False
        return True

    async def _send_caller(self, order: orders.SendCaller) -> None:
        try:
            await perform(orders.SEND_CALLER, order, f"send the caller to the {order.to}")
        except FailureError:
            self.loop.hear(news.NotSent(now()))

    async def _incidents(self, use: KnownIncidents) -> str:
        order = orders.FindIncidents(self.start.line.id, use.category, self.call.escalation)
        try:
            found = await perform(orders.FIND_INCIDENTS, order, "what is open on this line?")
        except FailureError:
            return "It cannot be found out now. Go on as if nothing were known."
        lines = [f"{one.category}: {one.state}, reported {one.minutes} minutes ago" for one in found.open]
        return "\n".join(lines) or "Nothing is known."

    async def _tell_escalation(self, signal: str, message: Message) -> None:
        """In the order it happened: who left before the news that they came would be in the room for ever."""
        async with self.escalating:
            if self.call.escalation is not None:
                await tell(self.call.escalation, signal, message)

    async def _announce(self, leg: CallSid, fact: Fact) -> None:
        room = self.call.conference_sid
        if room is None:
            return
        order = orders.AnnounceFact(room, leg, self.start.line, fact, self.call.talk.language)
        try:
            await perform(orders.ANNOUNCE_FACT, order, f"tell the caller: {fact.kind}")
        except FailureError:
            self.loop.hear(news.AnnouncementEnded(now()))  # not heard: the next news is not held up

    async def _look(self) -> None:
        state = self.call
        legs = [leg.sid for leg in state.legs if leg.at is not call_state.LegAt.GONE]
        ours = [state.sid, *legs, *aides.legs(state)]
        order = orders.LookAtRoom(state.conference_sid, state.conference, ours)
        try:
            seen = await perform(orders.LOOK_AT_ROOM, order, "what is true of this call?")
        except FailureError:
            return  # the next look asks again
        present = tuple((one.sid, one.label) for one in seen.present)
        self.loop.hear(news.Looked(seen.conference, seen.over, present, tuple(seen.ended), now()))

    async def _try(self, order: orders.Order[orders.In, orders.Done], arg: orders.In, summary: str) -> None:
        try:
            await perform(order, arg, summary)
        except FailureError as error:
            workflow.logger.error(f"{order.name} failed", extra={"why": str(error.cause or error)})


def _spoken(sentences: tuple[tuple[str, str], ...]) -> str:
    return " ".join(sentence for _, sentence in sentences)
