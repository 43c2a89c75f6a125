"""A telephone exchange for workflow tests: carries out the workflows' orders on scripted phones.

It stands where Twilio and the bridge stand, at the border of activities, so that the durable shells run on the
time-skipping server with nothing of theirs replaced. The activities themselves are tested against the sandbox.

What it does about an order is fine unless a test says otherwise: `will` for what a phone's provider does about
the next orders, `fails` for an activity whose next attempts fail, `broken` for one that always does, `held`
for one that takes its time ("push", or "push ana").
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

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
from workflows.orders import Done, Found, Present, RoomSeen, Submission
from workflows.values import CallSid, Channel, ConferenceSid, Ladder

PATIENCE_S = 45.0  # real seconds for something that needs only milliseconds
# With the workflow cache off the SDK loses a task now and then: when it meets a query of the same run. The server
# waits so long before it gives it out again; by default, long enough for a caller to be sent to the menu.
TASK_TIMEOUT = timedelta(seconds=3)
LONGEST = timedelta(days=2)  # no story is longer; without it an idle time-skipping server runs on for years


class Does(Enum):
    """What the provider does about one order to ring or to write to somebody."""

    TAKE = "takes it and says so"
    REFUSE = "refuses it for good"
    LOSE_ANSWER = "takes it; its answer is lost, so the activity says doubtful"
    LOSE_ORDER = "never gets it; the activity cannot know and says doubtful"
    KILL_WORKER = "takes it; the worker dies before it can say so"
    RAISE = "fails for good, in a way the activity had no word for"


@dataclass(eq=False)
class Ringing:
    """A page call that goes out. status: Twilio's word. expected: a test has taken notice of it."""

    sid: CallSid
    order: orders.PlacePageCall
    at: datetime
    status: str = "ringing"
    expected: bool = False


@dataclass
class Room:
    """Who is in a call's conference, by the network's word. Finished rooms get a new SID."""

    sid: ConferenceSid
    present: dict[CallSid, str] = field(default_factory=dict[CallSid, str])
    over: bool = False


def seconds(n: float) -> timedelta:
    """So many seconds."""
    return timedelta(seconds=n)


def whose(order: object) -> str:
    """The person an order is about, if it is about one."""
    match order:
        case orders.PlacePageCall():
            return order.person
        case orders.SendText() | orders.Push():
            return order.to.id
        case orders.RelayPage():
            return order.request.responder.id
        case _:
            return ""


@dataclass(eq=False)
class Exchange:
    """Everything ordered, in order, and what each phone does about it."""

    client: Client
    ladder: Ladder
    ordered: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    ringing: dict[CallSid, Ringing] = field(default_factory=dict[CallSid, Ringing])
    texts: list[tuple[str, orders.SendText]] = field(default_factory=list[tuple[str, orders.SendText]])
    rooms: dict[str, Room] = field(default_factory=dict[str, Room])
    ended: set[CallSid] = field(default_factory=set[CallSid])
    cancelled: list[CallSid] = field(default_factory=list[CallSid])
    fails: dict[str, list[ApplicationError]] = field(default_factory=dict[str, list[ApplicationError]])
    held: dict[str, asyncio.Event] = field(default_factory=dict[str, asyncio.Event])
    broken: set[str] = field(default_factory=set[str])
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _will: dict[tuple[Channel, str], list[Does]] = field(
        default_factory=dict[tuple[Channel, str], list[Does]]
    )
    _sids: int = 0

    # What a test says and asks

    def will(self, channel: Channel, person: str, *does: Does) -> None:
        """Script the provider's next answers for one person on one channel; after these, it takes orders."""
        self._will.setdefault((channel, person), []).extend(does)

    def of(self, name: str) -> list[Any]:
        """The orders of one kind."""
        return [arg for order, arg in self.ordered if order == name]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Until what was ordered makes this true."""
        async with self.changed:
            await asyncio.wait_for(self.changed.wait_for(condition), PATIENCE_S)

    async def ordering(self, name: str, nth: int = 1) -> Any:
        """The nth order of a kind, as soon as it comes."""
        await self.until(lambda: len(self.of(name)) >= nth)
        return self.of(name)[nth - 1]

    async def rings(self, person: str) -> Ringing:
        """The next call to this person that nobody has taken notice of, as soon as it goes out."""

        def fresh() -> list[Ringing]:
            return [r for r in self.ringing.values() if r.order.person == person and not r.expected]

        try:
            await self.until(lambda: bool(fresh()))
        except TimeoutError:
            raise AssertionError(f"{person}'s phone did not ring; ordered so far: {self.story()}") from None
        ringing = fresh()[0]
        ringing.expected = True
        return ringing

    def story(self) -> list[str]:
        """What was ordered, in short, for whoever reads a failed test."""
        return [f"{name} {whose(arg)}".strip() for name, arg in self.ordered]

    def holds(self, name: str) -> asyncio.Event:
        """Let orders of a kind take their time, until the event is set."""
        return self.held.setdefault(name, asyncio.Event())

    @property
    def surprises(self) -> list[str]:
        """Whose phone rang without the test having expected it."""
        return [str(r.order.person) for r in self.ringing.values() if not r.expected]

    def fail_once(self, name: str) -> None:
        """The next order of a kind cannot be carried out, for a reason that may pass."""
        self.fails.setdefault(name, []).append(ApplicationError(f"{name}: 503"))

    # News the network sends

    async def progress(self, ringing: Ringing, status: str) -> None:
        """The network tells what a call is doing."""
        ringing.status = status
        if status in {"completed", "busy", "no-answer", "canceled", "failed"}:
            self.ended.add(ringing.sid)
        news = RingProgress(ring=ringing.order.ring.id, sid=ringing.sid, status=status)
        handle = self.client.get_workflow_handle(responder_workflow_id(ringing.order.person))
        await handle.signal("progress", news)

    async def picks_up(self, ringing: Ringing) -> Script:
        """The person answers and hears what it is about."""
        ringing.status = "in-progress"
        handle = self.client.get_workflow_handle(responder_workflow_id(ringing.order.person))
        message = PickedUp(ring=ringing.order.ring.id, sid=ringing.sid)
        script: Script = await handle.execute_update("picked_up", message, result_type=Script)
        return script

    def room(self, call: CallSid) -> Room:
        """The room of a call; opened by the first who asks."""
        return self.rooms.setdefault(call, Room(ConferenceSid(self._sid("CF"))))

    async def conference(
        self, call: CallSid, event: str, leg: CallSid | None = None, label: str = "", *, told: bool = True
    ) -> None:
        """Something happens in a call's room; told: whether its callback reaches us."""
        room = self.room(call)
        if leg is not None and event == "participant-join":
            if room.over:  # a finished name silently opens another room
                room = self.rooms[call] = Room(ConferenceSid(self._sid("CF")))
            room.present[leg] = label
        elif leg is not None and event == "participant-leave":
            room.present.pop(leg, None)
        elif event == "conference-end":
            room.over = True
            room.present.clear()
        if told:
            news = ConferenceNews(event=event, conference=room.sid, name=f"af-{call}", leg=leg, label=label)
            await self.client.get_workflow_handle(f"call-{call}").signal("conference", news)

    # The orders

    async def _ordered(self, name: str, arg: object) -> None:
        async with self.changed:
            self.ordered.append((name, arg))
            self.changed.notify_all()
        held = self.held.get(f"{name} {whose(arg)}") or self.held.get(name)
        if held is not None:
            await held.wait()
        if name in self.broken:
            raise ApplicationError(f"{name} is broken", type=orders.REFUSED, non_retryable=True)
        if self.fails.get(name):
            raise self.fails[name].pop(0)

    def _sid(self, kind: str) -> str:
        self._sids += 1
        return f"{kind}{self._sids:032x}"

    def _does(self, channel: Channel, person: str) -> Does:
        script = self._will.get((channel, person))
        return script.pop(0) if script else Does.TAKE

    async def _answer(self, does: Does, sid: str) -> Submission:
        at = datetime.now(UTC)
        match does:
            case Does.TAKE:
                return Submission("placed", at, sid)
            case Does.REFUSE:
                return Submission("refused", at, error="21211: not a valid number")
            case Does.LOSE_ANSWER | Does.LOSE_ORDER:
                return Submission("doubtful", at, error="no answer")
            case Does.KILL_WORKER:
                await asyncio.Event().wait()
                raise AssertionError("a dead worker does not answer")
            case Does.RAISE:
                raise ApplicationError("no word for it", non_retryable=True)

    @activity.defn(name=orders.PLAN_LADDER.name)
    async def plan_ladder(self, order: orders.PlanLadder) -> Ladder:
        await self._ordered("plan_ladder", order)
        return self.ladder

    @activity.defn(name=orders.RELAY_PAGE.name)
    async def relay_page(self, order: orders.RelayPage) -> Done:
        await self._ordered("relay_page", order)
        person = order.request.responder.id
        await self.client.start_workflow(
            "ResponderWorkflow",
            ResponderInput(person=person),
            id=responder_workflow_id(person),
            task_queue=orders.WORKFLOWS,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            execution_timeout=LONGEST,
            task_timeout=TASK_TIMEOUT,
            start_signal="request",
            start_signal_args=[PageRequest(request=order.request)],
        )
        return Done()

    @activity.defn(name=orders.PLACE_PAGE_CALL.name)
    async def place_page_call(self, order: orders.PlacePageCall) -> Submission:
        does = self._does(Channel.VOICE, order.person)
        sid = CallSid(self._sid("CA"))
        if does in {Does.TAKE, Does.LOSE_ANSWER, Does.KILL_WORKER} and "place_page_call" not in self.broken:
            self.ringing[sid] = Ringing(sid, order, activity.info().scheduled_time)
        await self._ordered("place_page_call", order)
        return await self._answer(does, sid)

    @activity.defn(name=orders.FIND_CALL.name)
    async def find_call(self, order: orders.FindCall) -> Found:
        await self._ordered("find_call", order)
        there = [sid for sid, r in self.ringing.items() if r.order.to == order.to]
        return Found(next((sid for sid in there if sid not in order.ignoring), None))

    @activity.defn(name=orders.LOOK_AT_CALL.name)
    async def look_at_call(self, order: orders.OneCall) -> orders.CallStatus:
        """A phone that nobody picked up has been let ring once its time is up, by the server's clock."""
        await self._ordered("look_at_call", order)
        ringing = self.ringing[order.sid]
        ring_s = max((item.request.ring_s for item in ringing.order.ring.items), default=0.0)
        if ringing.status == "ringing" and activity.info().scheduled_time - ringing.at >= seconds(ring_s):
            ringing.status = "no-answer"
        return orders.CallStatus(ringing.status)

    @activity.defn(name=orders.CANCEL_CALL.name)
    async def cancel_call(self, order: orders.OneCall) -> Done:
        self.cancelled.append(order.sid)
        await self._ordered("cancel_call", order)
        return Done()

    @activity.defn(name=orders.SEND_TEXT.name)
    async def send_text(self, order: orders.SendText) -> Submission:
        does = self._does(Channel.TEXT, order.to.id)
        sid = self._sid("SM")
        if does in {Does.TAKE, Does.LOSE_ANSWER, Does.KILL_WORKER}:
            self.texts.append((sid, order))
        await self._ordered("send_text", order)
        return await self._answer(does, sid)

    @activity.defn(name=orders.FIND_TEXT.name)
    async def find_text(self, order: orders.FindText) -> Found:
        await self._ordered("find_text", order)
        there = (sid for sid, text in self.texts if (text.to.text_to, text.code) == (order.to, order.code))
        return Found(next(there, None))

    @activity.defn(name=orders.PUSH.name)
    async def push(self, order: orders.Push) -> Submission:
        does = self._does(Channel.PUSH, order.to.id)
        await self._ordered("push", order)
        return await self._answer(does, self._sid("PU"))

    @activity.defn(name=orders.ALERT_OPERATOR.name)
    async def alert_operator(self, order: orders.AlertOperator) -> Done:
        await self._ordered("alert_operator", order)
        return Done()

    @activity.defn(name=orders.ADD_ASSISTANT.name)
    async def add_assistant(self, order: orders.AddAssistant) -> Submission:
        await self._ordered("add_assistant", order)
        room = self.room(order.call)
        return Submission("placed", datetime.now(UTC), self._sid("CA"), conference=room.sid)

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
        self.ended.add(order.sid)
        for room in self.rooms.values():
            room.present.pop(order.sid, None)
        await self._ordered("hang_up", order)
        return Done()

    @activity.defn(name=orders.END_ROOM.name)
    async def end_room(self, order: orders.EndRoom) -> Done:
        self.ended.update(order.legs)
        for room in self.rooms.values():
            if room.sid == order.conference:
                self.ended.update(room.present)
                room.over = True
                room.present.clear()
        await self._ordered("end_room", order)
        return Done()

    @activity.defn(name=orders.LOOK_AT_ROOM.name)
    async def look_at_room(self, order: orders.LookAtRoom) -> RoomSeen:
        await self._ordered("look_at_room", order)
        ended = tuple(sid for sid in order.calls if sid in self.ended)
        room = self.rooms.get(order.name.removeprefix("af-"))
        if room is None:
            return RoomSeen(order.conference, over=False, present=(), ended=ended)
        present = tuple(Present(sid, label) for sid, label in room.present.items())
        return RoomSeen(room.sid, over=room.over, present=present, ended=ended)

    @activity.defn(name=orders.DELIVER_MESSAGE.name)
    async def deliver_message(self, order: orders.DeliverMessage) -> Done:
        await self._ordered("deliver_message", order)
        return Done()

    @activity.defn(name=orders.SEND_CALLER.name)
    async def send_caller(self, order: orders.SendCaller) -> Done:
        await self._ordered("send_caller", order)
        return Done()

    @activity.defn(name=orders.FIND_INCIDENTS.name)
    async def find_incidents(self, order: orders.FindIncidents) -> orders.Incidents:
        await self._ordered("find_incidents", order)
        return orders.Incidents((orders.Incident("water", "paging", 12),))

    @activity.defn(name=orders.INSTRUCT_BRIDGE.name)
    async def instruct_bridge(self, order: orders.Instruction) -> Done:
        await self._ordered("instruct_bridge", order)
        return Done()

    def activities(self, queue: str | None) -> list[Callable[..., Any]]:
        """What carries out the orders of one task queue; None: those of a bridge's own."""
        return [getattr(self, order.name) for order in orders.ORDERS if order.queue == queue]
