"""A town at night, in the words of a story: callers, phones, people, bridges and what they do to the shells.

The shells run as they are, on a server of their own; only the activities are played by an `Exchange`. A phone
that rings must be expected by the story (`rings`), or the town is not content when the night ends.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from rung.worker import STICKY, WORKFLOWS
from tests.shells.exchange import LONGEST, PATIENCE_S, TASK_TIMEOUT, Exchange, Ringing, whose
from workflows import orders
from workflows.agents import Speech
from workflows.assistant import Post
from workflows.call_shell import CallWorkflow
from workflows.codec import CodecKey
from workflows.escalation import EscalationWorkflow
from workflows.labels import assistant_label, caller_label, responder_label
from workflows.messages import (
    Attach,
    Attached,
    CallerComes,
    CallInput,
    CallOutcome,
    CallView,
    EscalationInput,
    EscalationOutcome,
    EscalationView,
    LegNews,
    Note,
    Report,
    Resume,
    Resumed,
    Script,
    ScriptItem,
    TextIn,
    TextMatch,
    call_workflow_id,
    conference_name,
    responder_workflow_id,
)
from workflows.responder import Phone
from workflows.responder_shell import ResponderWorkflow
from workflows.room_acts import RoomAct, RoomActKind, RoomReply, Whom
from workflows.runner import runner
from workflows.values import (
    Act,
    ActId,
    ActKind,
    ActReply,
    CallSid,
    Case,
    EscalationId,
    HoldSound,
    Ladder,
    Line,
    LineId,
    OpenCase,
    PageId,
    PersonId,
    Responder,
    Rung,
    Severity,
    Via,
)
from workflows.voice import ToolCall, ToolOutcome, Turn, Turns

KEY = CodecKey(
    "tests", bytes(range(32))
)  # fixed, so that recorded histories can be read by every later build
# Set by `make test-no-cache`: every workflow task of these tests replays the workflow's whole history.
NO_CACHE = "RUNG_TEST_NO_CACHE"
QUEUES = (orders.WORKFLOWS, orders.CALLS, orders.TELEPHONE, orders.NOTICES)
LINE = Line(LineId("riverside"), "Riverside Clinic", "+12025550100", "911")
QUIET_LINE = Line(LineId("riverside"), "Riverside Clinic", "+12025550100", "911", assistant=False)
CALLER_NUMBER = "+12025550199"
PEOPLE = ("ana", "ben", "cem", "dora", "eli", "fay", "gus", "hana", "ivo")

T = TypeVar("T")


def person(name: str, *, phone: bool = True, text: bool = False, push: bool = False) -> Responder:
    """Somebody who can be paged, under a fictional number."""
    number = f"+120255501{PEOPLE.index(name) + 1:02}"
    return Responder(
        id=PersonId(name),
        name=name.capitalize(),
        phone=number if phone else None,
        text_to=number if text else None,
        push=(f"ntfy://push.example/{name}",) if push else (),
    )


def everywhere(name: str) -> Responder:
    """Somebody with all three channels."""
    return person(name, text=True, push=True)


def rung(*people: str | Responder, wait_s: float = 120.0, again_s: float = 0.0) -> Rung:
    """A rung; its phones ring once unless again_s says otherwise, and nobody waiting changes nothing."""
    responders = tuple(person(one) if isinstance(one, str) else one for one in people)
    names = " and ".join(one.name for one in responders)
    return Rung(names, responders, wait_s=wait_s, wait_nobody_s=wait_s, ring_again_s=again_s)


def ladder(*rungs: Rung | str, **clocks: Any) -> Ladder:
    """A ladder of these rungs; a name alone is a rung of its own."""
    return Ladder(tuple(rung(one) if isinstance(one, str) else one for one in rungs), **clocks)


EIGHT = ladder(*PEOPLE[:8])


@dataclass(eq=False)
class PageCall:
    """A person's phone that rings for us."""

    town: "Town"
    ringing: Ringing
    script: Script | None = None

    @property
    def sid(self) -> CallSid:
        """The call's SID."""
        return self.ringing.sid

    @property
    def person(self) -> PersonId:
        """Whose phone it is."""
        return self.ringing.order.person

    async def hears(self) -> Script:
        """Pick up and be told what it is about."""
        self.script = await self.town.exchange.picks_up(self.ringing)
        return self.script

    async def item(self, nth: int = 0) -> ScriptItem:
        """One of the pages read out."""
        script = self.script or await self.hears()
        return script.items[nth]

    async def presses(self, key: Literal["accept", "decline"], nth: int = 0, **how: Any) -> ActReply:
        """Press the key drawn for accepting or declining a page, and hear the answer."""
        item = await self.item(nth)
        kind = ActKind.ACKNOWLEDGE if key == "accept" else ActKind.DECLINE
        how = {"via": Via.KEY, "page": item.page, "leg": self.sid, "id": f"{self.sid}:{key}", **how}
        return await Emergency(self.town, item.escalation).act(kind, self.person, **how)

    async def rings_in_their_hand(self) -> None:
        """The network says that a handset rings."""
        await self.town.exchange.progress(self.ringing, "ringing")

    async def lets_it_ring(self) -> None:
        """Nobody answers."""
        await self.town.exchange.progress(self.ringing, "no-answer")

    async def ends(self, status: str = "completed") -> None:
        """The call is over."""
        await self.town.exchange.progress(self.ringing, status)

    async def enters_the_room_of(self, caller: "Caller", *, told: bool = True) -> None:
        """The accepted leg is in the conference."""
        label = responder_label(self.person, self.sid)
        await self.town.exchange.conference(caller.sid, "participant-join", self.sid, label, told=told)

    async def leaves_the_room_of(self, caller: "Caller", *, hangs_up: bool = True) -> None:
        """The leg leaves the conference, as a rule by hanging up."""
        await self.town.exchange.conference(caller.sid, "participant-leave", self.sid)
        if hangs_up:
            await self.ends("completed")
            await caller.handle.signal("leg", LegNews(sid=self.sid, what="gone"))

    async def presses_star(self, caller: "Caller") -> None:
        """Step out of the room into the menu."""
        await self.town.exchange.conference(caller.sid, "participant-leave", self.sid)
        await caller.handle.signal("leg", LegNews(sid=self.sid, what="menu"))


@dataclass(frozen=True)
class Emergency:
    """One escalation, as people and the story see it."""

    town: "Town"
    id: EscalationId

    @property
    def handle(self) -> WorkflowHandle[EscalationWorkflow, EscalationOutcome]:
        """The workflow."""
        return self.town.client.get_workflow_handle_for(EscalationWorkflow.run, self.id)

    async def act(self, kind: ActKind, by: str, **how: Any) -> ActReply:
        """An act by update: told in the same breath. Without an `id` it is an act of its own."""
        reply: ActReply = await self.handle.execute_update(
            kind.value, self.town.new_act(kind, by, **how), result_type=ActReply
        )
        return reply

    async def acknowledge(self, by: str, **how: Any) -> ActReply:
        """Take it."""
        return await self.act(ActKind.ACKNOWLEDGE, by, **how)

    async def resolve(self, by: str, **how: Any) -> ActReply:
        """It is over."""
        return await self.act(ActKind.RESOLVE, by, **how)

    async def cancel(self, by: str, **how: Any) -> ActReply:
        """It never was one."""
        return await self.act(ActKind.CANCEL, by, **how)

    async def signal(self, kind: ActKind, by: str, **how: Any) -> None:
        """An act by signal: nobody waits for the answer."""
        await self.handle.signal(kind.value, self.town.new_act(kind, by, **how))

    async def stands(self) -> EscalationView:
        """How it stands now."""
        return await self.handle.query(EscalationWorkflow.status)

    async def until(self, condition: Callable[[EscalationView], bool]) -> EscalationView:
        """How it stands as soon as this is true."""
        return await until(self.stands, condition)

    async def reaches(self, phase: str) -> EscalationView:
        """How it stands as soon as it is in this phase."""
        return await self.until(lambda view: view.phase == phase)


@dataclass(frozen=True)
class Caller:
    """Somebody who rang the line."""

    town: "Town"
    sid: CallSid

    @property
    def handle(self) -> WorkflowHandle[CallWorkflow, CallOutcome]:
        """The call's workflow."""
        return self.town.client.get_workflow_handle_for(CallWorkflow.run, call_workflow_id(self.sid))

    @property
    def emergency(self) -> Emergency:
        """What this caller reported first."""
        return Emergency(self.town, EscalationId(f"escalation-{self.sid}"))

    async def reports(
        self, spoken: str, *, category: str = "water", severity: Severity = Severity.URGENT
    ) -> Emergency:
        """Report an emergency in the menu."""
        report = Report(category=category, spoken=spoken, severity=severity)
        reply = await self.handle.execute_update(CallWorkflow.report, report)
        self.town.seen.add(reply.escalation)
        return Emergency(self.town, reply.escalation)

    async def enters_the_room(self) -> None:
        """Wait in the conference."""
        await self.town.exchange.conference(self.sid, "participant-join", self.sid, caller_label(self.sid))

    async def talks(self, *turns: Turn, first: int = 0, generation: int = 1) -> None:
        """What was said on the AI's leg, as its bridge tells it."""
        await self.handle.signal("turns", Turns(generation=generation, first=first, turns=turns))

    async def ai_asks(
        self, tool: str, arguments: str, call_id: str = "call_1", generation: int = 1
    ) -> ToolOutcome:
        """The speech model wants something done."""
        message = ToolCall(id=call_id, name=tool, arguments=arguments, generation=generation)
        return await self.handle.execute_update(CallWorkflow.use_tool, message, id=call_id)

    async def hears_it_out(self) -> None:
        """An announcement has ended."""
        await self.town.exchange.conference(self.sid, "announcement-end")

    async def hangs_up(self) -> None:
        """End the call, from wherever the caller is."""
        self.town.exchange.ended.add(self.sid)
        if self.sid in self.town.exchange.room(self.sid).present:
            await self.town.exchange.conference(self.sid, "participant-leave", self.sid)
        await self.handle.signal("caller_ended", LegNews(sid=self.sid, what="gone"))

    async def room_ends(self) -> None:
        """Twilio says that the conference is over."""
        await self.town.exchange.conference(self.sid, "conference-end")

    async def notes(self, what: Literal["emergency-called", "case-heard", "failed-over"]) -> None:
        """Something done in the menu that needs no answer."""
        await self.handle.signal("note", Note(what=what))

    async def stands(self) -> CallView:
        """How the call stands now."""
        return await self.handle.query(CallWorkflow.status)

    async def until(self, condition: Callable[[CallView], bool]) -> CallView:
        """How it stands as soon as this is true."""
        return await until(self.stands, condition)

    async def assistant_comes(self, generation: int = 1, *, bridge: str | None = None) -> CallSid:
        """The AI's leg of this generation enters the room, and a bridge carries its audio."""
        await self.town.exchange.ordering("add_assistant", generation)
        label = assistant_label(self.sid, generation)
        ended = self.town.exchange.ended
        view = await self.until(
            lambda view: view.assistant_leg is not None and view.assistant_leg not in ended
        )
        leg = view.assistant_leg
        assert leg is not None
        await self.town.exchange.conference(self.sid, "participant-join", leg, label)
        if bridge is not None:
            assert (await self.bridge_attaches(bridge, generation)).accepted
        return leg

    async def ai_comes(self, post: Post, *, bridge: str) -> CallSid:
        """The leg of a second AI enters the room, and a bridge carries its audio."""
        exchange = self.town.exchange

        def asked() -> list[orders.AddAssistant]:
            return [order for order in exchange.of("add_assistant") if order.label.startswith(f"{post}-")]

        await exchange.until(lambda: bool(asked()))
        order = asked()[-1]
        view = await self.until(lambda view: any(ai.post is post and ai.leg is not None for ai in view.ais))
        leg = next(ai.leg for ai in view.ais if ai.post is post)
        assert leg is not None
        await exchange.conference(self.sid, "participant-join", leg, order.label)
        assert (await self.bridge_attaches(bridge, order.generation)).accepted
        return leg

    async def acts(
        self,
        kind: RoomActKind,
        whom: str,
        *,
        act_id: str = "",
        sound: HoldSound = "words",
        language: str = "",
    ) -> RoomReply:
        """Somebody at the console does this to the room."""
        act = RoomAct(
            id=ActId(act_id or f"console:{kind}-{whom}-{language}"),
            kind=kind,
            whom=Whom(whom),
            by=PersonId("operator"),
            sound=sound,
            language=language,
        )
        return await self.handle.execute_update(CallWorkflow.act, act)

    async def bridge_attaches(self, queue: str, generation: int = 1, nonce: str = "") -> Attached:
        """A bridge asks to carry the AI leg's audio."""
        message = Attach(
            generation=generation, nonce=nonce or f"{queue}-{generation}", queue=queue, stream="MZ1"
        )
        return await self.handle.execute_update(CallWorkflow.attach, message)

    async def stream_ends(self, generation: int = 1) -> Resumed:
        """The AI leg's stream ended; Twilio asks what now."""
        return await self.handle.execute_update(CallWorkflow.resume, Resume(generation=generation))


@dataclass(eq=False)
class Town:
    """A night: a server, its workers, and everybody in it."""

    env: WorkflowEnvironment
    client: Client
    exchange: Exchange
    searchable: bool = False
    line: Line = QUIET_LINE
    rate: float | None = None
    cached: int = 100
    seen: set[str] = field(default_factory=set[str])
    _workers: dict[str, Worker] = field(default_factory=dict[str, Worker])
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _numbers: int = 0

    # Who rings

    async def caller_rings(
        self,
        *,
        line: Line | None = None,
        number: str = CALLER_NUMBER,
        speech: Speech | None = None,
        open_case: OpenCase | None = None,
    ) -> Caller:
        """Somebody rings the line and is in the menu, or on the way to the AI's room."""
        self._numbers += 1
        sid = CallSid(f"CA{self._numbers:028x}ca11")
        message = CallInput(
            sid=sid,
            line=line or self.line,
            caller_number=number,
            caller_digest="digest",
            searchable=self.searchable,
            speech=speech,
            open_case=open_case,
        )
        handle = await self.client.start_workflow(
            CallWorkflow.run,
            message,
            id=call_workflow_id(sid),
            task_queue=orders.WORKFLOWS,
            execution_timeout=LONGEST,
            task_timeout=TASK_TIMEOUT,
            static_summary=f"call to {message.line.id}",
        )
        self.seen.add(handle.id)
        return Caller(self, sid)

    async def caller_reports(self, spoken: str, *, line: Line | None = None, **what: Any) -> Caller:
        """Somebody rings, reports an emergency and waits in the room."""
        caller = await self.caller_rings(line=line)
        await caller.reports(spoken, **what)
        await caller.enters_the_room()
        return caller

    async def alert_comes(
        self,
        spoken: str,
        *,
        severity: Severity = Severity.URGENT,
        ladder: Ladder | None = None,
        test: bool = False,
    ) -> Emergency:
        """An emergency without a caller, by webhook; with a ladder of its own, a test page."""
        self._numbers += 1
        escalation = EscalationId(f"escalation-alert-{self._numbers}")
        case = Case(self.line, "power", spoken, severity, contact=CALLER_NUMBER, test=test)
        await self.client.start_workflow(
            EscalationWorkflow.run,
            EscalationInput(id=escalation, case=case, searchable=self.searchable, ladder=ladder),
            id=escalation,
            task_queue=orders.WORKFLOWS,
            execution_timeout=LONGEST,
            task_timeout=TASK_TIMEOUT,
            static_summary=f"{self.line.id}: {case.category} ({severity})",
            priority=orders.page_priority(severity),
        )
        self.seen.add(escalation)
        return Emergency(self, escalation)

    async def attach(self, caller: Caller, emergency: Emergency) -> None:
        """The caller's call belongs to an emergency that is open already."""
        message = CallerComes(call=caller.sid, conference=conference_name(caller.sid))
        await emergency.handle.signal("caller_attached", message)

    async def rings(self, name: str) -> PageCall:
        """The next call to this person: expected, and in their hand."""
        call = PageCall(self, await self.exchange.rings(name))
        self.seen.add(responder_workflow_id(call.person))
        return call

    async def until_queued(self, name: str) -> None:
        """Until a call to this person waits for the account's call rate."""
        await self.exchange.until(
            lambda: any(whose(order) == name for order in self.exchange.of("relay_page"))
        )
        await self.settles()
        ring = (await self.phone(name)).ring
        assert ring is not None, f"no call to {name}"
        assert ring.state == "placing", ring

    async def phone(self, name: str) -> Phone:
        """What we are doing with this person's phone."""
        handle = self.client.get_workflow_handle(responder_workflow_id(PersonId(name)))
        return await handle.query(ResponderWorkflow.status)

    async def text_comes(self, name: str, code: str) -> TextMatch:
        """A person's SMS: which page is it about?"""
        handle = self.client.get_workflow_handle(responder_workflow_id(PersonId(name)))
        return await handle.execute_update(ResponderWorkflow.match_text, TextIn(code=code))

    def new_act(self, kind: ActKind, by: str, **how: Any) -> Act:
        """An act as the door would send it; a repeat has the same id."""
        self._numbers += 1
        act_id = ActId(how.pop("id", f"act-{self._numbers}"))
        how.setdefault("via", Via.CONSOLE)
        if "page" in how:
            how["page"] = PageId(how["page"])
        return Act(kind, act_id, PersonId(by), **how)

    # Time

    async def pass_time(self, span: timedelta) -> None:
        """Let time pass, after what is under way has settled; then let what it brought settle."""
        await self.settles()
        await self.env.sleep(span)
        await self.settles()

    async def real_time(self, span: timedelta) -> None:
        """Let real time pass: while a task or an order waits for a worker, the server's clock skips nothing."""
        await asyncio.sleep(span.total_seconds())

    async def started(self, what: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Begin something that is answered later, and be sure that the server has it."""
        task = asyncio.create_task(what)
        await asyncio.sleep(0.2)  # nothing tells when an update without a worker has been admitted
        return task

    async def now(self) -> datetime:
        """The town's clock."""
        return (await self.env.get_current_time()).astimezone(UTC)

    async def settles(self) -> None:
        """Until nothing is under way but what nobody works on: then only time, or somebody, moves the story."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        calm = 0
        while calm < 2:  # a signal to another workflow shows in the one only after it left the other
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"the town does not settle: {await self.under_way()}")
            calm = 0 if await self.under_way() else calm + 1
            if not calm:
                await asyncio.sleep(0.005)

    async def is_content(self) -> None:
        """All has settled, no phone rang that the story did not expect, and no history was found to disagree."""
        await self.settles()
        surprises, story = self.exchange.surprises, self.exchange.story()
        assert not surprises, f"unexpected calls to {surprises}; ordered: {story}"
        failed = await self._failed_tasks()
        assert not failed, f"workflow tasks failed: {failed}"

    async def _failed_tasks(self) -> list[str]:
        """Workflow tasks that failed, by a bug or because a replay went another way; a retry hides them."""
        failed: list[str] = []
        for workflow_id in sorted(self.seen | self._relayed()):
            with contextlib.suppress(RPCError):
                history = await self.client.get_workflow_handle(workflow_id).fetch_history()
                about = [event.workflow_task_failed_event_attributes for event in history.events]
                failed += [
                    f"{workflow_id}: {task.failure.message}"
                    for task in about
                    # a workflow that would have ended as news came in looks at the news first: nobody's fault
                    if task.cause
                    not in (0, WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND)
                ]
        return failed

    async def under_way(self) -> list[str]:
        """What the workflows wait for that needs no time: tasks, activities with a worker, signals."""
        busy: list[str] = []
        for workflow_id in sorted(self.seen | self._relayed()):
            with contextlib.suppress(RPCError):  # a request to a phone may still be on its way
                history = await self.client.get_workflow_handle(workflow_id).fetch_history()
                busy += [f"{workflow_id}: {what}" for what in _open(history.events, self._waits_for_nobody)]
        return busy

    def _relayed(self) -> set[str]:
        requests = [order.request for order in self.exchange.of("relay_page")]
        return {responder_workflow_id(request.responder.id) for request in requests} if requests else set()

    def _waits_for_nobody(self, activity: str, queue: str) -> bool:
        held = [e for key, e in self.exchange.held.items() if key.split()[0] == activity]
        return queue not in self._workers or any(not event.is_set() for event in held)

    # Processes

    async def opens(self, queue: str) -> None:
        """Start a worker for a queue of ours, or for a bridge of that name."""
        bridge = queue not in QUEUES
        worker = Worker(
            self.client,
            task_queue=queue,
            workflows=WORKFLOWS if queue == orders.WORKFLOWS else (),
            activities=self.exchange.activities(None if bridge else queue),
            workflow_runner=runner(),
            max_cached_workflows=self.cached,
            sticky_queue_schedule_to_start_timeout=STICKY,
            max_task_queue_activities_per_second=self.rate if queue == orders.CALLS else None,
        )
        self._workers[queue] = worker
        await self._stack.enter_async_context(worker)

    async def closes(self, queue: str) -> None:
        """Stop the worker of a queue; what it was doing is not answered any more."""
        await self._workers.pop(queue).shutdown()

    async def ends(self) -> None:
        """The night is over."""
        await self._stack.aclose()


def _open(events: Any, ignored: Callable[[str, str], bool]) -> list[str]:
    """What in a history has begun and not ended, of the things that need no time."""
    tasks, begun = 0, dict[int, str]()
    for event in events:
        name = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_")
        match name:
            case "WORKFLOW_TASK_SCHEDULED":
                tasks += 1
            case "WORKFLOW_TASK_COMPLETED" | "WORKFLOW_TASK_FAILED" | "WORKFLOW_TASK_TIMED_OUT":
                tasks -= 1
            case "ACTIVITY_TASK_SCHEDULED":
                about = event.activity_task_scheduled_event_attributes
                if not ignored(about.activity_type.name, about.task_queue.name):
                    begun[event.event_id] = about.activity_type.name
            case (
                "ACTIVITY_TASK_COMPLETED"
                | "ACTIVITY_TASK_FAILED"
                | "ACTIVITY_TASK_TIMED_OUT"
                | "ACTIVITY_TASK_CANCELED"
            ):
                begun.pop(_about(event).scheduled_event_id, None)
            case "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED" | "START_CHILD_WORKFLOW_EXECUTION_INITIATED":
                begun[event.event_id] = name
            case (
                "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED"
                | "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED"
                | "CHILD_WORKFLOW_EXECUTION_STARTED"
                | "START_CHILD_WORKFLOW_EXECUTION_FAILED"
            ):
                begun.pop(_about(event).initiated_event_id, None)
            case (
                "WORKFLOW_EXECUTION_COMPLETED"
                | "WORKFLOW_EXECUTION_FAILED"
                | "WORKFLOW_EXECUTION_CANCELED"
                | "WORKFLOW_EXECUTION_TERMINATED"
                | "WORKFLOW_EXECUTION_TIMED_OUT"
                | "WORKFLOW_EXECUTION_CONTINUED_AS_NEW"
            ):
                return []
            case _:
                pass
    return [*begun.values(), *(["a workflow task"] if tasks > 0 else [])]


def _about(event: Any) -> Any:
    return getattr(event, event.WhichOneof("attributes"))


async def until(look: Callable[[], Awaitable[T]], condition: Callable[[T], bool]) -> T:
    """What is seen soon after this is true of it. Looks are queries, which cost: they become rarer."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    pause_s = 0.01
    while not condition(seen := await look()):
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"it never came true; last seen: {seen}")
        await asyncio.sleep(pause_s)
        pause_s = min(1.5 * pause_s, 0.5)
    return seen


@asynccontextmanager
async def town_of(
    env: WorkflowEnvironment,
    rungs: Ladder,
    *,
    closed: Collection[str] = (),
    searchable: bool = False,
    rate: float | None = None,
    cache: bool = True,
) -> AsyncGenerator[Town, None]:
    """A town on this server, with a worker for every queue that is not closed.

    cache: whether workflows are kept between their tasks; without it each task is a replay.
    """
    cached = 100 if cache and not os.environ.get(NO_CACHE) else 0
    town = Town(env, env.client, Exchange(env.client, rungs), searchable, rate=rate, cached=cached)
    try:
        for queue in QUEUES:
            if queue not in closed:
                await town.opens(queue)
        yield town
    finally:
        await town.ends()
