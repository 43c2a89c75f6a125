"""An installation of its own: every process Rung has, a Temporal, a telephone network, and a hand that kills.

The processes are kept running by the same supervisor that `rung up` uses, so whoever is killed comes back.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx
from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from configuration.check import check
from configuration.model import Configuration
from rung import town
from rung.cli.up import children
from rung.settings import Settings
from rung.supervisor import Pace, Supervisor
from rung.temporal import connect
from tests.night.journal import Journal, NeverHappenedError
from tests.night.owners_file import OwnersFile
from workflows.emergency import Phase
from workflows.messages import CallOutcome, CallView, EscalationOutcome, EscalationView, call_workflow_id
from workflows.values import Act, ActReply, CallSid, EscalationId

Process = Literal["worker", "api", "bridge", "temporal", "speech"]
PROCESSES: tuple[Process, ...] = ("worker", "api", "bridge", "temporal")

GRACE = timedelta(seconds=1)  # nobody waits for what is under way when the stories are over
READY_S = 90.0  # a cold machine with other work to do
LOOK_PAUSE_S = 0.1
RECORDINGS = "recordings"
# Nothing of a story depends on how fast a sentence is spoken, but everybody waits for its end.
QUICK_TALK = {"speech_characters_per_second": 60}

T = TypeVar("T")


@dataclass(frozen=True)
class Installation:
    """Everything a story can lay its hands on."""

    settings: Settings
    configuration: Configuration
    supervisor: Supervisor
    sandbox: httpx.AsyncClient
    door: httpx.AsyncClient
    client: Client
    speech: httpx.AsyncClient
    recordings: Path
    journal: Journal

    # killing

    def signal(self, how: signal.Signals, *names: Process) -> None:
        """Send a signal to these processes, all in the same breath."""
        pids = {name: self.supervisor.pid(name) for name in names}
        assert None not in pids.values(), f"not running: {pids}"
        for pid in pids.values():
            if pid is not None:
                os.kill(pid, how)

    async def kill(self, *names: Process) -> None:
        """Kill -9, and wait until the supervisor has each of them serving again."""
        with self.killed(*names) as ready:
            await ready()

    @contextlib.contextmanager
    def killed(self, *names: Process) -> Generator[Callable[[], Awaitable[None]]]:
        """Kill -9 now; what is yielded waits until all serve again."""
        before = {name: self.supervisor.times_ready(name) for name in names}
        self.signal(signal.SIGKILL, *names)

        async def ready() -> None:
            async with asyncio.timeout(READY_S):
                await self.supervisor.watch(
                    lambda: all(self.supervisor.times_ready(name) > before[name] for name in names)
                )

        yield ready

    @asynccontextmanager
    async def dead(self, name: Process) -> AsyncGenerator[None, None]:
        """Keep a process dead: whatever the supervisor starts anew is killed at once."""
        before = self.supervisor.times_ready(name)
        self.signal(signal.SIGKILL, name)
        killing = asyncio.create_task(self._killing(name))
        try:
            yield
        finally:
            killing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await killing
            async with asyncio.timeout(READY_S):
                await self.supervisor.watch(lambda: self.supervisor.times_ready(name) > before)

    async def _killing(self, name: Process) -> None:
        while True:
            await asyncio.sleep(0.02)
            pid = self.supervisor.pid(name)
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    # the telephone network

    async def asks(self, method: str, path: str, content: object = None) -> dict[str, Any]:
        """A request to the sandbox's control API."""
        reply = await self.sandbox.request(method, path, json=content)
        assert reply.is_success, f"{method} {path}: {reply.text}"
        answer: dict[str, Any] = reply.json() if reply.content else {}
        return answer

    async def goes_wrong(self, **fault: object) -> None:
        """Set a fault (docs/sandbox.md, Faults)."""
        await self.asks("POST", "/faults", fault)

    async def ends_at_twilio(self, call: str) -> None:
        """Twilio ends a leg."""
        settings = self.settings
        account = settings.twilio_account_sid
        auth = (account, settings.twilio_auth_token.get_secret_value())
        url = f"{settings.twilio_base_url}/2010-04-01/Accounts/{account}/Calls/{call}.json"
        reply = await self.sandbox.post(url, data={"Status": "completed"}, auth=auth)
        assert reply.is_success, reply.text

    async def model_fails(self, **fault: object) -> None:
        """Set a fault of the speech model (docs/speech-model.md, Faults)."""
        reply = await self.speech.post("/faults", json=fault)
        assert reply.is_success, reply.text

    # the workflows

    async def comes_true(self, look: Callable[[], Awaitable[bool]], within_s: float) -> bool:
        """Ask Temporal again and again, which has no event for it; whether it came true."""
        try:
            async with asyncio.timeout(within_s):
                while not await _answered(look):  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_PAUSE_S)
        except TimeoutError:
            return False
        return True

    async def escalation(self, escalation: EscalationId) -> EscalationView:
        """How an escalation stands."""
        handle = self.client.get_workflow_handle(escalation)
        return await _answered(lambda: handle.query("status", result_type=EscalationView))

    async def call(self, call: CallSid) -> CallView:
        """How a call stands."""
        handle = self.client.get_workflow_handle(call_workflow_id(call))
        return await _answered(lambda: handle.query("status", result_type=CallView))

    async def is_in(self, escalation: EscalationId, *phases: Phase, within_s: float = 30.0) -> EscalationView:
        """Wait until an escalation is in one of these phases. Raises NeverHappenedError."""
        view = None
        try:
            async with asyncio.timeout(within_s):
                while (view := await self.escalation(escalation)).phase not in phases:  # noqa: ASYNC110
                    await asyncio.sleep(LOOK_PAUSE_S)  # a query has no event
                return view
        except TimeoutError:
            wanted = " or ".join(phases)
            raise NeverHappenedError(f"{escalation} never {wanted} within {within_s:g} s: {view}") from None

    async def act(self, escalation: EscalationId, act: Act) -> ActReply:
        """An act from the console."""
        handle = self.client.get_workflow_handle(escalation)
        return await _answered(lambda: handle.execute_update(act.kind, act, id=act.id, result_type=ActReply))

    async def escalation_ended(self, escalation: EscalationId, within_s: float = 60.0) -> EscalationOutcome:
        """Wait for the outcome of an escalation."""
        handle = self.client.get_workflow_handle(escalation, result_type=EscalationOutcome)
        return await _in_time(handle.result, f"{escalation} ends", within_s)

    async def call_closed(self, call: CallSid, within_s: float = 60.0) -> CallOutcome:
        """Wait for the closing of a call."""
        handle = self.client.get_workflow_handle(call_workflow_id(call), result_type=CallOutcome)
        return await _in_time(handle.result, f"call {call} is closed", within_s)


async def _in_time(ask: Callable[[], Awaitable[T]], what: str, within_s: float) -> T:
    try:
        async with asyncio.timeout(within_s):
            return await _answered(ask)
    except TimeoutError:
        raise NeverHappenedError(f"never happened within {within_s:g} s: {what}") from None


async def _answered(ask: Callable[[], Awaitable[T]], within_s: float = READY_S) -> T:
    """Ask Temporal until it answers: it, or the worker, may be dead just now, or the workflow yet to begin."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                return await ask()
            except RPCError as error:
                if error.status is RPCStatusCode.INVALID_ARGUMENT:
                    raise
            except WorkflowQueryFailedError:  # the ladder is being looked up
                pass
            await asyncio.sleep(LOOK_PAUSE_S)


@asynccontextmanager
async def installed(
    folder: Path,
    owners_file: OwnersFile,
    assumptions: dict[str, Any] | None = None,
    speech: Literal["off", "light", "local"] = "off",
    *,
    recorded: bool = False,
    pessimistic: bool = False,
) -> AsyncGenerator[Installation, None]:
    """Start everything on free ports, its state in this folder. assumptions, pessimistic: of the sandbox.

    recorded: keep the sound of every leg.
    """
    api, sandbox, bridge, voice, temporal, ui = _free_ports(6)
    text = owners_file.written(sandbox)
    file = folder / "night.yaml"
    file.write_text(text)
    checked = check(text, str(file))
    configuration = checked.configuration
    assert configuration is not None, f"the owner's file has mistakes: {checked.errors}"
    settings = Settings.apart(
        state_dir=folder / "state",
        config=file,
        town=town.write(
            folder / "town.yaml",
            town.town(
                configuration,
                segments_per_second=5,
                assumptions=assumptions or QUICK_TALK,
                pessimistic=pessimistic,
            ),
        ),
        api_port=api,
        sandbox_port=sandbox,
        bridge_port=bridge,
        speech=speech,
        speech_port=voice,
        temporal_port=temporal,
        temporal_ui_port=ui,
    )
    recordings = folder / RECORDINGS
    more = {"sandbox": ("--record", str(recordings))} if recorded else {}
    async with contextlib.AsyncExitStack() as stack:
        supervisor = await stack.enter_async_context(
            Supervisor(
                [
                    replace(spec, grace=GRACE, argv=(*spec.argv, *more.get(spec.name, ())))
                    for spec in children(settings, configuration)
                ],
                settings.state_dir,
                pace=Pace(longest=timedelta(seconds=1)),  # who is kept dead on purpose comes back at once
            )
        )
        control = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"{settings.twilio_base_url}/_sandbox", timeout=20)
        )
        door = await stack.enter_async_context(httpx.AsyncClient(base_url=settings.public_url, timeout=20))
        model = await stack.enter_async_context(
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.speech_port}/_sandbox", timeout=20)
        )
        await supervisor.ready()
        shared = list(configuration.lines)[:1]  # the sandbox's other host is small
        await town.publish(f"{settings.twilio_base_url}", configuration, datetime.now(UTC), shared)
        journal = Journal()
        following = asyncio.create_task(journal.follow(control), name="journal")
        stack.push_async_callback(_ended, following)
        stack.callback(journal.keep, folder / "journal.txt")
        yield Installation(
            settings,
            configuration,
            supervisor,
            control,
            door,
            await connect(settings),
            model,
            recordings,
            journal,
        )


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in held]
