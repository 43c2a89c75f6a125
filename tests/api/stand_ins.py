"""Workflows that only record what they hear and answer what they were told to: the door's other side."""

from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from temporalio import workflow

from workflows.emergency import Phase
from workflows.messages import (
    CallInput,
    CallView,
    ConferenceNews,
    EscalationInput,
    EscalationView,
    Keys,
    LeftRoom,
    LegNews,
    Note,
    PageNews,
    PickedUp,
    Recording,
    Report,
    ReportReply,
    ResponderInput,
    Resume,
    Resumed,
    RingProgress,
    Script,
    TextIn,
    TextMatch,
    WhatNow,
    conference_name,
)
from workflows.values import Act, ActReply, EscalationId, Verdict

Heard = list[tuple[str, Any]]


class Recorder:
    """What all stand-ins have in common."""

    def __init__(self) -> None:
        self.heard_so_far: Heard = []
        self.over = False

    def hear(self, name: str, message: object) -> None:
        plain = TypeAdapter(type(message)).dump_python(message, mode="json")
        self.heard_so_far.append((name, plain))

    async def until_over(self) -> None:
        await workflow.wait_condition(lambda: self.over, timeout=timedelta(minutes=2))
        await workflow.wait_condition(workflow.all_handlers_finished)


@workflow.defn(name="CallWorkflow", sandboxed=False)
class StandInCall(Recorder):
    @workflow.init
    def __init__(self, start: CallInput) -> None:
        super().__init__()
        self.start = start
        self.rejoin = True
        self.again = True

    @workflow.run
    async def run(self, start: CallInput) -> None:
        await self.until_over()

    @workflow.signal
    def end(self) -> None:
        self.over = True

    @workflow.signal
    def will(self, rejoin: bool) -> None:
        self.rejoin = self.again = rejoin

    @workflow.update
    async def report(self, message: Report) -> ReportReply:
        self.hear("report", message)
        room = conference_name(self.start.sid)
        return ReportReply(escalation=EscalationId(f"escalation-{self.start.sid}"), conference=room)

    @workflow.update
    async def left_room(self, message: LeftRoom) -> WhatNow:
        self.hear("left_room", message)
        return WhatNow(rejoin=self.rejoin, conference=conference_name(self.start.sid))

    @workflow.update
    async def resume(self, message: Resume) -> Resumed:
        self.hear("resume", message)
        return Resumed(again=self.again)

    @workflow.signal
    def note(self, message: Note) -> None:
        self.hear("note", message)

    @workflow.signal
    def keys(self, message: Keys) -> None:
        self.hear("keys", message)

    @workflow.signal
    def message_left(self, message: Recording) -> None:
        self.hear("message_left", message)

    @workflow.signal
    def conference(self, message: ConferenceNews) -> None:
        self.hear("conference", message)

    @workflow.signal
    def caller_ended(self, message: LegNews) -> None:
        self.hear("caller_ended", message)

    @workflow.signal
    def leg(self, message: LegNews) -> None:
        self.hear("leg", message)

    @workflow.query
    def status(self) -> CallView:
        return CallView(
            sid=self.start.sid,
            line=self.start.line,
            caller="gone",
            caller_number=self.start.caller_number,
            escalation=None,
            conference=conference_name(self.start.sid),
            conference_sid=None,
            assistant_role="gone",
            assistant_leg=None,
            coaching=None,
            responders=(),
            telling=None,
        )

    @workflow.query
    def heard(self) -> Heard:
        return self.heard_so_far

    @workflow.query
    def begun_with(self) -> CallInput:
        return self.start


@workflow.defn(name="EscalationWorkflow", sandboxed=False)
class StandInEscalation(Recorder):
    @workflow.init
    def __init__(self, start: EscalationInput) -> None:
        super().__init__()
        self.start = start
        self.reply = ActReply(Verdict.OVER, "Nobody said what to answer.")
        self.view = EscalationView(
            id=start.id,
            case=start.case,
            phase=Phase.PAGING,
            round=1,
            rung=2,
            rungs=3,
            rung_name="Second",
            pages=(),
            owner=None,
            callers_waiting=1,
            next_is=None,
            next_at=None,
            note="",
        )

    @workflow.run
    async def run(self, start: EscalationInput) -> None:
        await self.until_over()

    @workflow.signal
    def end(self) -> None:
        self.over = True

    @workflow.signal
    def will_answer(self, reply: ActReply) -> None:
        self.reply = reply

    @workflow.signal
    def stands(self, view: EscalationView) -> None:
        self.view = view

    @workflow.update
    async def acknowledge(self, act: Act) -> ActReply:
        self.hear("acknowledge", act)
        return self.reply

    @workflow.update
    async def decline(self, act: Act) -> ActReply:
        self.hear("decline", act)
        return self.reply

    @workflow.update
    async def resolve(self, act: Act) -> ActReply:
        self.hear("resolve", act)
        return self.reply

    @workflow.signal(name="acknowledge")
    def acknowledge_signalled(self, act: Act) -> None:
        self.hear("acknowledge signalled", act)

    @workflow.signal(name="decline")
    def decline_signalled(self, act: Act) -> None:
        self.hear("decline signalled", act)

    @workflow.signal(name="resolve")
    def resolve_signalled(self, act: Act) -> None:
        self.hear("resolve signalled", act)

    @workflow.signal
    def page_moved(self, news: PageNews) -> None:
        self.hear("page_moved", news)

    @workflow.query
    def status(self) -> EscalationView:
        return self.view

    @workflow.query
    def heard(self) -> Heard:
        return self.heard_so_far

    @workflow.query
    def begun_with(self) -> EscalationInput:
        return self.start


@workflow.defn(name="ResponderWorkflow", sandboxed=False)
class StandInResponder(Recorder):
    @workflow.init
    def __init__(self, start: ResponderInput) -> None:
        super().__init__()
        self.script = Script(items=())
        self.match = TextMatch()
        self.code = ""

    @workflow.run
    async def run(self, start: ResponderInput) -> None:
        await self.until_over()

    @workflow.signal
    def end(self) -> None:
        self.over = True

    @workflow.signal
    def reads(self, script: Script) -> None:
        self.script = script

    @workflow.signal
    def has_page(self, match: TextMatch) -> None:
        self.match = match

    @workflow.update
    async def picked_up(self, message: PickedUp) -> Script:
        self.hear("picked_up", message)
        return self.script

    @workflow.update
    async def match_text(self, message: TextIn) -> TextMatch:
        self.hear("match_text", message)
        return self.match if message.code == "4711" else TextMatch()

    @workflow.signal
    def progress(self, message: RingProgress) -> None:
        self.hear("progress", message)

    @workflow.query
    def heard(self) -> Heard:
        return self.heard_so_far


STAND_INS = (StandInCall, StandInEscalation, StandInResponder)
