"""A whole installation for a measurement: real processes in a folder of their own, and the hands to work them.

The server is the embedded one on a database file with the durable settings, the worker, the door and the bridge
are `rung …`, the telephone network is the sandbox. Nothing here knows what is measured.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import httpx
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from bench.people import Town
from configuration.check import check
from rung import town as towns
from rung.cli.up import children
from rung.settings import Settings
from rung.supervisor import ChildSpec, Pace, Supervisor
from rung.temporal import connect
from workflows import attributes, orders
from workflows.escalation import EscalationWorkflow
from workflows.messages import EscalationInput, EscalationOutcome
from workflows.values import Case, EscalationId, Ladder, Severity

START_LIMIT = timedelta(seconds=120)
RECORDS_A_PAGE = 5_000
JOURNAL = 200_000  # a night of a thousand escalations is read when it is over

T = TypeVar("T")


@dataclass(frozen=True)
class Record:
    """One line of the sandbox's journal."""

    seq: int
    at: datetime
    kind: str
    call: str | None
    number: str | None
    details: Mapping[str, Any]

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> "Record":
        """A record as the control API tells it."""
        return cls(
            raw["seq"],
            datetime.fromisoformat(raw["at"]),
            raw["kind"],
            raw["call"],
            raw["number"],
            raw["details"],
        )

    @property
    def call_created_to(self) -> str | None:
        """Whom a request to Twilio asked to ring; None for any other record."""
        rest = self.kind == "rest" and self.details["method"] == "POST"
        if not rest or not str(self.details["path"]).endswith("/Calls.json"):
            return None
        return form_value(self.details["form"], "To")


class Network:
    """The sandbox, by its control API."""

    def __init__(self, base_url: str) -> None:
        self._http = httpx.AsyncClient(base_url=f"{base_url}/_sandbox", timeout=90)

    async def journal(self, kinds: Iterable[str], after: int = 0) -> list[Record]:
        """All records of these kinds after that number."""
        found: list[Record] = []
        for kind in kinds:
            seen = after
            while True:
                query: dict[str, str | int] = {"after": seen, "kind": kind, "limit": RECORDS_A_PAGE}
                page = (await self._http.get("/journal", params=query)).raise_for_status().json()
                found += [Record.read(raw) for raw in page["records"]]
                if len(page["records"]) < RECORDS_A_PAGE:
                    break
                seen = page["records"][-1]["seq"]
        return sorted(found, key=lambda record: record.seq)

    async def last(self) -> int:
        """The number of the newest record."""
        page = (await self._http.get("/journal", params={"after": 2**40})).raise_for_status().json()
        return int(page["last"])

    async def dial(self, from_: str, to: str, steps: Sequence[Any]) -> str:
        """Somebody rings a line; the SID of their call."""
        reply = await self._http.post("/dial", json={"from": from_, "to": to, "steps": list(steps)})
        return str(reply.raise_for_status().json()["call"])

    async def hang_up(self, sid: str) -> None:
        """Somebody hangs up, if they still can."""
        await self._http.post(f"/calls/{sid}/hangup")

    async def live_calls(self) -> int:
        """How many calls are queued, ringing or on."""
        return int((await self._http.get("/health")).raise_for_status().json()["calls"])

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.aclose()


@dataclass(frozen=True)
class House:
    """An installation that runs."""

    settings: Settings
    client: Client
    supervisor: Supervisor
    network: Network

    async def escalate(
        self, name: str, ladder: Ladder, line: Any, severity: Severity = Severity.URGENT
    ) -> WorkflowHandle[EscalationWorkflow, EscalationOutcome]:
        """Start an escalation that nobody's call waits for, as an alert does."""
        escalation = EscalationId(f"escalation-{name}")
        case = Case(line, "water", "a burst pipe", severity)
        pairs = [
            SearchAttributePair(attributes.STATE, "paging"),
            SearchAttributePair(attributes.LINE, line.id),
            SearchAttributePair(attributes.SEVERITY, str(severity)),
        ]
        return await self.client.start_workflow(
            EscalationWorkflow.run,
            EscalationInput(id=escalation, case=case, ladder=ladder),
            id=escalation,
            task_queue=orders.WORKFLOWS,
            search_attributes=TypedSearchAttributes(pairs),
            static_summary=f"{line.id}: water ({severity})",
            priority=orders.page_priority(severity),
            rpc_timeout=timedelta(seconds=60),
        )

    async def calls_requested(self) -> dict[str, list[datetime]]:
        """When Twilio was asked to ring each number."""
        found: dict[str, list[datetime]] = {}
        for record in await self.network.journal(["rest"]):
            if to := record.call_created_to:
                found.setdefault(to, []).append(record.at)
        return found

    async def events(self, workflow_id: str, run_id: str | None = None) -> list[HistoryEvent]:
        """The history of a workflow."""
        handle = self.client.get_workflow_handle(workflow_id, run_id=run_id)
        return list((await handle.fetch_history()).events)

    def kill(self, name: str) -> None:
        """kill -9; the supervisor starts another one at once."""
        pid = self.supervisor.pid(name)
        assert pid is not None, f"{name} is not running"
        os.kill(pid, signal.SIGKILL)

    async def restarted(self, name: str, times: int) -> None:
        """Wait until a child has become ready so often."""
        await self.supervisor.watch(lambda: self.supervisor.times_ready(name) >= times)

    def cpu_s(self, name: str) -> float:
        """The processor time a child has used."""
        fields = Path(f"/proc/{self.supervisor.pid(name)}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident_kib(self, name: str) -> int:
        """The resident memory of a child."""
        status = Path(f"/proc/{self.supervisor.pid(name)}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


@asynccontextmanager
async def house(
    town: Town,
    *,
    without: Iterable[str] = (),
    speech: Literal["off", "light"] = "off",
    journal: int = JOURNAL,
) -> AsyncGenerator[House, None]:
    """An installation for the duration of the block, in a folder that goes with it.

    without: children that this measurement does not need. speech: off, and the menu answers; light, and the
    network has sound and the light model answers. journal: how many records the sandbox keeps.
    """
    folder = Path(tempfile.mkdtemp(prefix="rung-bench-"))
    try:
        async with _running(folder, town, frozenset(without), speech, journal) as running:
            yield running
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt | asyncio.CancelledError):
            error.add_note(f"The logs of the processes: {folder / 'logs'}/")
            raise
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def _running(
    folder: Path, town: Town, without: frozenset[str], speech: Literal["off", "light"], journal: int
) -> AsyncGenerator[House, None]:
    api, sandbox, bridge, temporal, ui, model = _free_ports(6)
    text = town.owners_file(sandbox)
    config = folder / "rung.yaml"
    config.write_text(text)
    checked = check(text, str(config))
    configuration = checked.configuration
    assert configuration is not None, "\n".join(str(error) for error in checked.errors)
    settings = Settings.apart(
        state_dir=folder,
        config=config,
        town=towns.write(
            folder / "town.yaml", towns.town(configuration, town.phones(), segments_per_second=100)
        ),
        api_port=api,
        sandbox_port=sandbox,
        bridge_port=bridge,
        speech=speech,
        speech_port=model,
        temporal_port=temporal,
        temporal_ui_port=ui,
        log_level="warning",
    )
    specs = [
        _as_wanted(child, town.speed, journal)
        for child in children(settings, configuration)
        if child.name not in without
    ]
    async with Supervisor(specs, folder, pace=Pace(settled=timedelta(0))) as supervisor:
        async with asyncio.timeout(START_LIMIT.total_seconds()):
            await supervisor.ready()
        network = Network(str(settings.twilio_base_url))
        try:
            yield House(settings, await connect(settings), supervisor, network)
        finally:
            await network.close()


def _as_wanted(child: ChildSpec, speed: float, journal: int) -> ChildSpec:
    """The sandbox with its clock running so fast and its journal so long; any other child as it is."""
    if child.name != "sandbox":
        return child
    return replace(child, argv=(*child.argv, "--speed", f"{speed:g}", "--journal", str(journal)))


async def until(
    look: Callable[[], Awaitable[T]], true: Callable[[T], bool], limit_s: float, pause_s: float = 1.0
) -> T:
    """Look again and again until it is so, or the time is over; what was seen last, either way."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limit_s
    while not true(seen := await look()) and loop.time() < end:  # noqa: ASYNC110  # other processes have no event
        await asyncio.sleep(pause_s)
    return seen


async def many(works: Iterable[Coroutine[Any, Any, T]], at_once: int) -> list[T]:
    """Do all of these, so many at a time; the results in their order."""
    slots = asyncio.Semaphore(at_once)

    async def one(work: Coroutine[Any, Any, T]) -> T:
        async with slots:
            return await work

    return await asyncio.gather(*(one(work) for work in works))


def when(event: HistoryEvent) -> datetime:
    """The server's time of an event."""
    return event.event_time.ToDatetime(tzinfo=UTC)


def scheduled(events: Iterable[HistoryEvent], activity: str) -> list[HistoryEvent]:
    """Where activities of this name were ordered."""
    return [
        event
        for event in events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        and event.activity_task_scheduled_event_attributes.activity_type.name == activity
    ]


def form_value(form: Any, name: str) -> str | None:
    """A field of a request as the journal keeps it: one value, or a list of them."""
    value = cast("Mapping[str, Any]", form).get(name)
    if isinstance(value, list):
        return str(cast("Sequence[object]", value)[0])
    return None if value is None else str(value)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in held]
