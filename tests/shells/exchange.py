"""A telephone exchange for workflow tests: carries out the workflows' orders on scripted phones.

It stands where Twilio and the bridge stand, at the border of activities, so that the durable shells run on the
time-skipping server with nothing of theirs replaced. The activities themselves are tested against the sandbox.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from workflows import orders
from workflows.messages import (
    ConferenceNews,
    PageRequest,
    PickedUp,
    ResponderInput,
    RingProgress,
    Script,
    responder_workflow_id,
)
from workflows.orders import Done, Found, RoomSeen, Submission
from workflows.values import CallSid, ConferenceSid, Ladder

ROOM = ConferenceSid("CF" + "0" * 32)


@dataclass
class Ringing:
    """A page call that goes out."""

    sid: CallSid
    order: orders.PlacePageCall


@dataclass
class Exchange:
    """Everything ordered, in order, and what each phone does about it."""

    client: Client
    ladder: Ladder
    ordered: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    refuses: set[str] = field(default_factory=set[str])
    loses_answer: set[str] = field(default_factory=set[str])
    ringing: dict[CallSid, Ringing] = field(default_factory=dict[CallSid, Ringing])
    cancelled: list[CallSid] = field(default_factory=list[CallSid])
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    hold_calls: asyncio.Event | None = None
    _sids: int = 0

    def of(self, name: str) -> list[Any]:
        """The orders of one kind."""
        return [arg for order, arg in self.ordered if order == name]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Until what was ordered makes this true."""
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(condition), 20)

    async def rings(self, person: str, nth: int = 1) -> Ringing:
        """The nth call to this person, as soon as it goes out."""

        def calls() -> list[Ringing]:
            return [r for r in self.ringing.values() if r.order.person == person]

        await self.until(lambda: len(calls()) >= nth)
        return calls()[nth - 1]

    async def progress(self, ringing: Ringing, status: str) -> None:
        """The network tells what a call is doing."""
        news = RingProgress(ring=ringing.order.ring.id, sid=ringing.sid, status=status)
        handle = self.client.get_workflow_handle(responder_workflow_id(ringing.order.person))
        await handle.signal("progress", news)

    async def picks_up(self, ringing: Ringing) -> Script:
        """The person answers and hears what it is about."""
        handle = self.client.get_workflow_handle(responder_workflow_id(ringing.order.person))
        message = PickedUp(ring=ringing.order.ring.id, sid=ringing.sid)
        script: Script = await handle.execute_update("picked_up", message, result_type=Script)
        return script

    async def conference(
        self, call: CallSid, event: str, leg: CallSid | None = None, label: str = ""
    ) -> None:
        """An event in a call's room."""
        news = ConferenceNews(event=event, conference=ROOM, name=f"af-{call}", leg=leg, label=label)
        await self.client.get_workflow_handle(f"call-{call}").signal("conference", news)

    # The orders

    async def _ordered(self, name: str, arg: object) -> None:
        async with self.changed:
            self.ordered.append((name, arg))
            self.changed.notify_all()

    def _sid(self, kind: str) -> str:
        self._sids += 1
        return f"{kind}{self._sids:032x}"

    @activity.defn(name=orders.PLAN_LADDER.name)
    async def plan_ladder(self, order: orders.PlanLadder) -> Ladder:
        await self._ordered("plan_ladder", order)
        return self.ladder

    @activity.defn(name=orders.RELAY_PAGE.name)
    async def relay_page(self, order: orders.RelayPage) -> Done:
        person = order.request.responder.id
        await self.client.start_workflow(
            "ResponderWorkflow",
            ResponderInput(person=person),
            id=responder_workflow_id(person),
            task_queue=orders.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal="request",
            start_signal_args=[PageRequest(request=order.request)],
        )
        await self._ordered("relay_page", order)
        return Done()

    @activity.defn(name=orders.PLACE_PAGE_CALL.name)
    async def place_page_call(self, order: orders.PlacePageCall) -> Submission:
        at = datetime.now(UTC)
        if order.to in self.refuses:
            await self._ordered("refused_call", order)
            return Submission("refused", at, error="21211")
        sid = CallSid(self._sid("CA"))
        self.ringing[sid] = Ringing(sid, order)
        await self._ordered("place_page_call", order)
        if order.to in self.loses_answer:
            return Submission("doubtful", at)
        return Submission("placed", at, sid)

    @activity.defn(name=orders.FIND_CALL.name)
    async def find_call(self, order: orders.FindCall) -> Found:
        await self._ordered("find_call", order)
        return Found(next((sid for sid, r in self.ringing.items() if r.order.to == order.to), None))

    @activity.defn(name=orders.LOOK_AT_CALL.name)
    async def look_at_call(self, order: orders.OneCall) -> orders.CallStatus:
        await self._ordered("look_at_call", order)
        return orders.CallStatus("no-answer")

    @activity.defn(name=orders.CANCEL_CALL.name)
    async def cancel_call(self, order: orders.OneCall) -> Done:
        self.cancelled.append(order.sid)
        await self._ordered("cancel_call", order)
        return Done()

    @activity.defn(name=orders.SEND_TEXT.name)
    async def send_text(self, order: orders.SendText) -> Submission:
        await self._ordered("send_text", order)
        return Submission("placed", datetime.now(UTC), self._sid("SM"))

    @activity.defn(name=orders.PUSH.name)
    async def push(self, order: orders.Push) -> Submission:
        await self._ordered("push", order)
        return Submission("placed", datetime.now(UTC))

    @activity.defn(name=orders.ALERT_OPERATOR.name)
    async def alert_operator(self, order: orders.AlertOperator) -> Done:
        await self._ordered("alert_operator", order)
        return Done()

    @activity.defn(name=orders.ADD_ASSISTANT.name)
    async def add_assistant(self, order: orders.AddAssistant) -> Submission:
        await self._ordered("add_assistant", order)
        return Submission("placed", datetime.now(UTC), self._sid("CA"), conference=ROOM)

    @activity.defn(name=orders.SET_PARTICIPANT.name)
    async def set_participant(self, order: orders.SetParticipant) -> Done:
        await self._ordered("set_participant", order)
        return Done()

    @activity.defn(name=orders.CONFIRM_COACHING.name)
    async def confirm_coaching(self, order: orders.ConfirmCoaching) -> Done:
        await self._ordered("confirm_coaching", order)
        return Done()

    @activity.defn(name=orders.ANNOUNCE_FACT.name)
    async def announce_fact(self, order: orders.AnnounceFact) -> Done:
        await self._ordered("announce_fact", order)
        return Done()

    @activity.defn(name=orders.HANG_UP.name)
    async def hang_up(self, order: orders.OneCall) -> Done:
        await self._ordered("hang_up", order)
        return Done()

    @activity.defn(name=orders.END_ROOM.name)
    async def end_room(self, order: orders.EndRoom) -> Done:
        await self._ordered("end_room", order)
        return Done()

    @activity.defn(name=orders.LOOK_AT_ROOM.name)
    async def look_at_room(self, order: orders.LookAtRoom) -> RoomSeen:
        await self._ordered("look_at_room", order)
        return RoomSeen(order.conference, over=False, present=(), ended=())

    @activity.defn(name=orders.DELIVER_MESSAGE.name)
    async def deliver_message(self, order: orders.DeliverMessage) -> Done:
        await self._ordered("deliver_message", order)
        return Done()

    @property
    def activities(self) -> list[Callable[..., Any]]:
        """All of the above."""
        names = [order.name for order in orders.ORDERS if order is not orders.INSTRUCT_BRIDGE]
        return [getattr(self, name) for name in names if hasattr(self, name)]
