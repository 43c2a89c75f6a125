"""An installation of its own on which a scene is played: processes, a town, and a hand that dials and speaks."""

import asyncio
import contextlib
import os
import signal
import socket
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

import httpx
import yaml
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

from configuration.check import check
from configuration.model import Configuration
from rung import town
from rung.cli.up import children
from rung.demo.story import Record, about
from rung.settings import Settings
from rung.supervisor import ChildSpec, Supervisor
from rung.temporal import connect
from workflows.assistant import Post
from workflows.messages import CallOutcome, CallView, ConversationView, EscalationOutcome, call_workflow_id
from workflows.room_acts import RoomAct, RoomActKind, RoomReply, Whom
from workflows.values import ActId, CallSid, EscalationId, PersonId
from workflows.voice import Speaker, Turn

CALLER = "+12025550199"
LOOK_S = 0.25  # a query has no event
RECORDINGS = "recordings"


class WentWrongError(Exception):
    """The scene did not end as it must; the message says how."""


@dataclass
class Stage:
    """What a scene can lay its hands on. names: whose number is whose. records: the network's journal so far."""

    settings: Settings
    configuration: Configuration
    supervisor: Supervisor
    client: Client
    sandbox: httpx.AsyncClient
    speech: httpx.AsyncClient
    names: dict[str, str]
    records: list[Record] = field(default_factory=list[Record])
    call: CallSid = field(default=CallSid(""))

    @property
    def recordings(self) -> Path:
        """The folder of every leg's sound."""
        return self.settings.state_dir / RECORDINGS

    async def dial(self, steps: Sequence[object] = (), line_id: str | None = None) -> CallSid:
        """Somebody rings a line, else the first; the call is the scene's from now on."""
        line = self.configuration.lines[line_id or next(iter(self.configuration.lines))]
        dialled = await self.sandbox.post(
            "/dial", json={"from": CALLER, "to": line.number, "steps": [*steps, "stay"]}
        )
        self.call = CallSid(dialled.raise_for_status().json()["call"])
        return self.call

    async def say(self, text: str, call: CallSid | None = None) -> None:
        """The caller, or whoever is on that call, speaks."""
        reply = await self.sandbox.post(f"/calls/{call or self.call}/say", json={"text": text})
        reply.raise_for_status()

    async def press(self, digits: str, call: CallSid) -> None:
        """Somebody presses keys."""
        reply = await self.sandbox.post(f"/calls/{call}/press", json={"digits": digits})
        reply.raise_for_status()

    async def hang_up(self, call: CallSid | None = None) -> None:
        """The caller, or whoever is on that call, hangs up."""
        (await self.sandbox.post(f"/calls/{call or self.call}/hangup")).raise_for_status()

    async def turns(self) -> Sequence[Turn]:
        """What was said with the AI until now."""
        try:
            return (await self.conversation()).turns
        except RPCError:
            return ()  # the worker is yet to begin with it

    async def conversation(self) -> ConversationView:
        """What was said and done in the call until now."""
        view: ConversationView = await self._call().query("conversation", result_type=ConversationView)
        return view

    async def acts(self, kind: RoomActKind, whom: str) -> None:
        """Somebody at the console does this to the room. Raises WentWrongError where it is refused."""
        act = RoomAct(id=ActId(uuid.uuid4().hex), kind=kind, whom=Whom(whom), by=PersonId("operator"))
        reply: RoomReply = await self._call().execute_update("act", act, id=act.id, result_type=RoomReply)
        if not reply.done:
            raise WentWrongError(f"{kind} {whom}: {reply.sentence}")

    async def sits(self, post: Post) -> None:
        """Wait until this AI is in the room, and is what it should be."""
        while True:
            view: CallView = await self._call().query("status", result_type=CallView)
            if any(ai.post is post and ai.there for ai in view.ais):
                return
            await asyncio.sleep(LOOK_S)

    async def noted(self, words: str) -> None:
        """Wait until a note says this."""
        while True:
            if any(words.lower() in note.lower() for note in (await self.conversation()).notes):
                return
            await asyncio.sleep(LOOK_S)

    def _call(self) -> WorkflowHandle[object, object]:
        return self.client.get_workflow_handle(call_workflow_id(self.call))

    async def hears(self, words: str, *, speaker: Speaker = Speaker.ASSISTANT, after: int = 0) -> int:
        """Wait until somebody has said this; how many turns there were then."""
        while True:
            said = await self.turns()
            for number, turn in enumerate(said[after:], start=after + 1):
                if turn.speaker is speaker and turn.whole and words.lower() in turn.text.lower():
                    return number
            await asyncio.sleep(LOOK_S)

    async def happens(self, kind: str, **details: str) -> Record:
        """Wait for something on the telephone network."""
        seen = 0
        while True:
            for record in self.records[seen:]:
                known = about(record)
                if record["kind"] == kind and all(
                    known.get(k, record.get(k)) == v for k, v in details.items()
                ):
                    return record
            seen = len(self.records)
            await asyncio.sleep(LOOK_S)

    async def enters_the_room(self, name: str) -> CallSid:
        """Wait until this person is in a conference; their leg."""
        number = next(number for number, whose in self.names.items() if whose.lower() == name)
        while True:
            legs = {
                str(r["call"])
                for r in self.records
                if r["kind"] == "call.created" and about(r).get("to") == number
            }
            for record in self.records:
                details = about(record)
                joined = record["kind"] == "conference" and details.get("event") == "participant-join"
                if joined and str(record.get("call")) in legs:
                    return CallSid(str(record["call"]))
            await asyncio.sleep(LOOK_S)

    def whose(self, leg: str) -> str:
        """Whose leg it is."""
        created = [r for r in self.records if r["kind"] == "call.created" and str(r["call"]) == leg]
        numbers = [about(record).get(end) for record in created for end in ("to", "from")]
        return next((self.names[str(number)] for number in numbers if number in self.names), "somebody")

    def kill(self, process: str) -> None:
        """Kill -9."""
        pid = self.supervisor.pid(process)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)

    async def fault(self, **fault: object) -> None:
        """Make the speech model fail (docs/sandbox.md)."""
        (await self.speech.post("/faults", json=fault)).raise_for_status()

    async def closed(self) -> CallOutcome:
        """How the call was closed; waits for it."""
        handle = self.client.get_workflow_handle(call_workflow_id(self.call), result_type=CallOutcome)
        while True:
            with contextlib.suppress(RPCError):
                closed: CallOutcome = await handle.result()
                return closed
            await asyncio.sleep(LOOK_S)

    async def ended(self, escalation: EscalationId) -> EscalationOutcome:
        """How the escalation ended; waits for it."""
        handle = self.client.get_workflow_handle(escalation, result_type=EscalationOutcome)
        outcome: EscalationOutcome = await handle.result()
        return outcome


@asynccontextmanager
async def stage(
    folder: Path, town_file: str, speech: str, night: str = "night.yaml"
) -> AsyncGenerator[Stage, None]:
    """Start everything, and end it. night: the owner's file. Raises SupervisorError, TemporalError."""
    settings, configuration, names = set_up(folder, town_file, speech, night)
    specs = children(settings, configuration)
    if speech != "off":
        specs = [_recorded(spec, folder / RECORDINGS) for spec in specs]
    async with Supervisor(specs, folder, say=_silent) as supervisor:
        await supervisor.ready()
        control = f"{settings.twilio_base_url}/_sandbox"
        model = f"http://127.0.0.1:{settings.speech_port}/_sandbox"
        async with httpx.AsyncClient(base_url=control) as sandbox, httpx.AsyncClient(base_url=model) as voice:
            yield Stage(settings, configuration, supervisor, await connect(settings), sandbox, voice, names)


def set_up(
    folder: Path, town_file: str, speech: str, owners: str = "night.yaml"
) -> tuple[Settings, Configuration, dict[str, str]]:
    """Ports, state, configuration and town of an installation of its own. Raises WentWrongError."""
    api, sandbox, bridge, voice, temporal, ui = _free_ports(6)
    ours = resources.files("rung.demo")
    night = (ours / owners).read_text().replace("${SANDBOX_PORT}", str(sandbox))
    config = folder / "night.yaml"
    config.write_text(night)
    configuration = check(night, str(config)).configuration
    if configuration is None:
        raise WentWrongError(f"{config} has mistakes: see `rung check {config}`")
    scripted: dict[str, Any] = yaml.safe_load((ours / town_file).read_text())
    there = town.write(folder / "town.yaml", town.town(configuration, **scripted))
    settings = Settings.apart(
        state_dir=folder,
        config=config,
        town=there,
        api_port=api,
        sandbox_port=sandbox,
        bridge_port=bridge,
        speech=speech,
        speech_port=voice,
        temporal_port=temporal,
        temporal_ui_port=ui,
    )
    names = {str(phone["number"]): str(phone["name"]).capitalize() for phone in scripted["phones"]}
    return settings, configuration, names | {CALLER: "caller"}


async def journal(sandbox: httpx.AsyncClient) -> AsyncIterator[Record]:
    """Everything that happens on the telephone network, for ever."""
    after = 0
    while True:
        reply = await sandbox.get("/journal", params={"after": after, "wait_s": 20}, timeout=30)
        page = reply.raise_for_status().json()
        for record in page["records"]:
            yield record
        after = page["last"]


def _recorded(spec: ChildSpec, folder: Path) -> ChildSpec:
    """The telephone network keeps the sound of every leg."""
    return replace(spec, argv=(*spec.argv, "--record", str(folder))) if spec.name == "sandbox" else spec


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in held]


def _silent(_: str) -> None:
    """The children's logs are in files; the scene is what is told."""
