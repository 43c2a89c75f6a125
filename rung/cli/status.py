"""`rung status`: what is open, and how far up the ladder it is."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text
from temporalio.client import Client
from temporalio.service import RPCError

from rung.cli.terminal import PATIENCE, NotFoundError, console, find, run, running, short
from rung.settings import Settings
from workflows.emergency import ENDED
from workflows.messages import EscalationView
from workflows.pages import Evidence, Page, Standing
from workflows.values import EscalationId

REFRESH_S = 1.0


def status(
    escalation: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One escalation: its id, or the end of it.")
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep showing it until it is over.")] = False,
) -> None:
    """Show what is open, or one escalation's ladder."""
    screen = console()

    async def show(client: Client, _: Settings) -> None:
        if escalation is None:
            screen.print(await _open(client))
            return
        name = await find(client, escalation)
        if not watch:
            screen.print(ladder(await _view(client, name)))
            return
        with Live(console=screen, auto_refresh=False) as live:
            while True:
                view = await _view(client, name)
                live.update(ladder(view), refresh=True)
                if view.phase in ENDED:
                    return
                await asyncio.sleep(REFRESH_S)

    run(show)


async def _view(client: Client, name: EscalationId) -> EscalationView:
    try:
        view: EscalationView = await client.get_workflow_handle(name).query(
            "status", result_type=EscalationView, rpc_timeout=PATIENCE
        )
    except RPCError as error:
        raise NotFoundError(f"{name} does not answer: {error.message}. Is a worker up?") from error
    return view


async def _open(client: Client) -> RenderableType:
    ids = [one async for one in running(client)]
    if not ids:
        return "Nothing is open."
    views = await asyncio.gather(*(_view(client, one) for one in ids), return_exceptions=True)
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "line", "what", "state", "rung", "who", "next"):
        table.add_column(heading)
    for escalation, view in zip(ids, views, strict=True):
        if isinstance(view, NotFoundError):
            table.add_row(short(escalation), "?", "no worker answers for it", "open", "?", "?", "-")
            continue
        if isinstance(view, BaseException):
            raise view
        table.add_row(
            short(view.id),
            view.case.line.id,
            f"{view.case.category} ({view.case.severity})",
            view.phase,
            f"{view.rung}/{view.rungs}" + (f" round {view.round}" if view.round > 1 else ""),
            view.owner or ", ".join(dict.fromkeys(p.responder.name for p in _on_rung(view))),
            _next(view),
        )
    return table


def ladder(view: EscalationView) -> RenderableType:
    """One escalation, as something to look at while it climbs."""
    head = Text(f"{view.id}\n{view.case.line.name}: {view.case.category} ({view.case.severity})")
    state = f"{view.phase}, rung {view.rung} of {view.rungs} ({view.rung_name}), round {view.round}"
    waiting = f"{view.callers_waiting} caller(s) waiting" if view.callers_waiting else "nobody waiting"
    owner = f"; {view.owner} has it" if view.owner else ""
    table = Table(box=None, pad_edge=False)
    for heading in ("round", "rung", "who", "voice", "text", "push", ""):
        table.add_column(heading)
    for page in view.pages:
        rung = {-1: "last resort", -2: "way in"}.get(page.rung, str(page.rung + 1))
        said = "declined" if page.declined else ""
        table.add_row(
            str(page.round),
            rung,
            page.responder.name,
            _evidence(page.voice, page.rings),
            _evidence(page.text),
            _evidence(page.push),
            said,
        )
    return Group(head, Text(f"{state}; {waiting}{owner}"), Text(f"next: {_next(view)}"), table)


def _on_rung(view: EscalationView) -> list[Page]:
    return [p for p in view.pages if p.round == view.round][-8:]


def _evidence(evidence: Evidence, rings: int = 0) -> str:
    if evidence.standing is Standing.ABSENT:
        return "-"
    word = evidence.standing + (f" ({evidence.error})" if evidence.error else "")
    return f"{word} x{rings}" if rings > 1 else word


def _next(view: EscalationView) -> str:
    if view.next_at is None or view.next_is is None:
        return "-"
    left = max(0, int((view.next_at - datetime.now(UTC)).total_seconds()))
    return f"{left} s: {view.next_is}"
