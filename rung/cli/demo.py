"""`rung demo`: the story of a night, with real processes over real HTTP and web sockets."""

import asyncio
import contextlib
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer
import yaml
from rich.console import Console
from rich.table import Table
from temporalio.client import Client

from configuration.check import check
from configuration.model import Configuration
from rung import logs, town
from rung.cli import terminal
from rung.cli.up import children
from rung.demo.story import Record, Story
from rung.settings import Settings
from rung.supervisor import Supervisor, SupervisorError
from rung.temporal import TemporalError, connect
from workflows.ladder import Phase
from workflows.messages import CallOutcome, EscalationOutcome, call_workflow_id
from workflows.pages import LAST_RESORT, WAY_IN, Page
from workflows.values import CallSid, EscalationId

FAILED = 1
TOO_LONG = timedelta(seconds=120)
CALLER = "+12025550199"


class WentWrongError(Exception):
    """The story did not end as it must; the message says how."""


def demo(
    stay: Annotated[
        bool, typer.Option("--stay", help="Leave everything running afterwards, to look around.")
    ] = False,
) -> None:
    """Play the story of a night, in under a minute.

    Nobody answers, a voicemail does and does not count, one declines, one takes it.
    """
    console = terminal.console()
    folder = Path(tempfile.mkdtemp(prefix="rung-demo-"))
    try:
        asyncio.run(_play(folder, console, stay=stay))
    except (WentWrongError, SupervisorError, TemporalError, TimeoutError) as error:
        typer.echo(
            f"\nThe demo went wrong: {error or 'it took too long'}\nLogs: {folder / 'logs'}/", err=True
        )
        raise typer.Exit(FAILED) from None
    shutil.rmtree(folder, ignore_errors=True)


async def _play(folder: Path, console: Console, *, stay: bool) -> None:
    settings, configuration, names = _set_up(folder)
    logs.set_up(settings)
    console.print("Starting Temporal, a telephone network, the worker, the door and the bridge …")
    async with Supervisor(children(settings, configuration), folder, say=_silent) as supervisor:
        async with asyncio.timeout(TOO_LONG.total_seconds()):
            await supervisor.ready()
            client = await connect(settings)
            line = next(iter(configuration.lines.values()))
            async with httpx.AsyncClient(base_url=f"{settings.twilio_base_url}/_sandbox") as sandbox:
                steps = [{"wait": 4}, {"press": "1"}, {"wait": 3}, {"press": "1"}, "stay"]
                dialled = await sandbox.post(
                    "/dial", json={"from": CALLER, "to": line.number, "steps": steps}
                )
                call = CallSid(dialled.raise_for_status().json()["call"])
                telling = asyncio.create_task(_tell(sandbox, Story(names), console))
                try:
                    night = await _outcomes(client, call)
                finally:
                    telling.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await telling
        escalation, outcome, closed = night
        console.print(_summary(outcome))
        console.print(f"escalation {outcome.phase}, owner {outcome.owner}; call closed as {closed.closing}")
        _must_be_so(outcome, closed)
        runs = f"http://127.0.0.1:{settings.temporal_ui_port}/namespaces/{client.namespace}/workflows"
        console.print(f"\nThe run in Temporal's UI: {runs}/{escalation}", soft_wrap=True)
        if not stay:
            console.print("(gone in a moment; `make demo STAY=1` leaves it running)")
            return
        console.print(f"Everything stays up until ctrl-c. Phones: {settings.twilio_base_url}/_sandbox/state")
        stop = asyncio.Event()
        for one in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(one, stop.set)
        await supervisor.until(stop)


def _set_up(folder: Path) -> tuple[Settings, Configuration, dict[str, str]]:
    """An installation of its own: ports, state, configuration and town."""
    api, sandbox, bridge, temporal, ui = _free_ports(5)
    ours = resources.files("rung.demo")
    night = (ours / "night.yaml").read_text().replace("${SANDBOX_PORT}", str(sandbox))
    config = folder / "night.yaml"
    config.write_text(night)
    configuration = check(night, str(config)).configuration
    if configuration is None:
        raise WentWrongError(f"{config} has mistakes: see `rung check {config}`")
    scripted: dict[str, Any] = yaml.safe_load((ours / "town.yaml").read_text())
    there = town.write(folder / "town.yaml", town.town(configuration, **scripted))
    settings = Settings.apart(
        state_dir=folder,
        config=config,
        town=there,
        api_port=api,
        sandbox_port=sandbox,
        bridge_port=bridge,
        speech="off",
        temporal_port=temporal,
        temporal_ui_port=ui,
    )
    names = {str(phone["number"]): str(phone["name"]).capitalize() for phone in scripted["phones"]}
    return settings, configuration, names | {CALLER: "caller"}


async def _tell(sandbox: httpx.AsyncClient, story: Story, console: Console) -> None:
    """Print the story as it happens."""
    began: datetime | None = None
    async for record in _journal(sandbox):
        for sentence in story.tell(record):
            began = began or sentence.at
            since = (sentence.at - began).total_seconds()
            style = "bold" if sentence.loud else "dim"
            console.print(f"{since:6.1f} s  {sentence.text}", style=style, soft_wrap=True)


async def _journal(sandbox: httpx.AsyncClient) -> AsyncIterator[Record]:
    after = 0
    while True:
        reply = await sandbox.get("/journal", params={"after": after, "wait_s": 20}, timeout=30)
        page = reply.raise_for_status().json()
        for record in page["records"]:
            yield record
        after = page["last"]


async def _outcomes(client: Client, call: CallSid) -> tuple[EscalationId, EscalationOutcome, CallOutcome]:
    """How the call and its escalation ended."""
    ringing = client.get_workflow_handle(call_workflow_id(call), result_type=CallOutcome)
    while True:
        with contextlib.suppress(Exception):
            closed = await ringing.result()
            break
        await asyncio.sleep(0.1)
    escalation = closed.escalation
    if escalation is None:
        raise WentWrongError(f"the call was closed as {closed.closing}, with nobody woken")
    ended = client.get_workflow_handle(escalation, result_type=EscalationOutcome)
    return escalation, await ended.result(), closed


def _summary(outcome: EscalationOutcome) -> Table:
    """Who, when, by what evidence."""
    table = Table(
        title="\nWho was woken, and by what evidence we know it",
        title_justify="left",
        box=None,
        pad_edge=False,
    )
    for heading in ("rung", "who", "voice", "text", "push", "outcome"):
        table.add_column(heading)
    for page in outcome.pages:
        rung = {LAST_RESORT: "last resort", WAY_IN: "way in"}.get(page.rung, str(page.rung + 1))
        came = (
            "took it"
            if page.responder.id == outcome.owner
            else "declined"
            if page.declined
            else "did not count"
        )
        table.add_row(rung, page.responder.name, _voice(page), page.text.standing, page.push.standing, came)
    return table


def _voice(page: Page) -> str:
    at = f" {page.voice.at:%H:%M:%S}" if page.voice.at else ""
    why = f" ({page.voice.error})" if page.voice.error else ""
    return f"{page.voice.standing}{why}{at}"


def _must_be_so(outcome: EscalationOutcome, closed: CallOutcome) -> None:
    """Raise WentWrongError unless the night went as the script of the town says it must."""
    declined = [page.responder.id for page in outcome.pages if page.declined]
    woken = [page.responder.id for page in outcome.pages]
    facts = {
        "resolved": outcome.phase is Phase.RESOLVED,
        "taken by dee": outcome.owner == "dee",
        "declined by cleo alone": declined == ["cleo"],
        "ana, ben, cleo and dee woken, in that order, and nobody else": woken
        == ["ana", "ben", "cleo", "dee"],
        "the call closed as escalated": closed.closing == "escalated",
    }
    wrong = [fact for fact, true in facts.items() if not true]
    if wrong:
        raise WentWrongError(f"not so: {'; '.join(wrong)}")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in held]


def _silent(_: str) -> None:
    """The children's logs are in files; the story is what is told here."""
