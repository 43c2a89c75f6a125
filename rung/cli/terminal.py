"""What the operator's verbs share: the settings, the connection, and finding an escalation by a few letters."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import typer
from rich.console import Console
from temporalio.client import Client
from temporalio.service import RPCError

from rung import logs
from rung.settings import Settings, SettingsError
from rung.temporal import TemporalError, connect
from workflows.values import EscalationId

FAILED, USAGE, UNCONFIRMED = 1, 2, 3
PIPED_COLUMNS = 200  # whoever reads a pipe folds lines as they like
PATIENCE = timedelta(seconds=5)  # somebody sits at the terminal and waits
LISTED = 200

T = TypeVar("T")


class NotFoundError(Exception):
    """No escalation, or more than one, goes by that name; the message says which there are."""


def run(work: Callable[[Client, Settings], Awaitable[T]]) -> T:
    """Connect, do it, and end with a sentence and an exit code when it cannot be done."""
    try:
        settings = Settings.load()
        logs.set_up(settings.model_copy(update={"log_level": "warning"}))  # the answer is what was asked for
        return asyncio.run(_connected(work, settings))
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE) from None
    except (NotFoundError, TemporalError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from None
    except RPCError as error:
        typer.echo(f"Temporal says: {error.message}", err=True)
        raise typer.Exit(FAILED) from None


async def _connected(work: Callable[[Client, Settings], Awaitable[T]], settings: Settings) -> T:
    return await work(await connect(settings, patience=PATIENCE), settings)


async def find(client: Client, name: str) -> EscalationId:
    """The escalation of that id, or of an id that ends so. Raises NotFoundError."""
    if name.startswith("escalation-"):
        return EscalationId(name)
    ids = [one async for one in running(client)]
    found = [one for one in ids if one.endswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise NotFoundError(f"{name!r} fits {len(found)} open escalations: {', '.join(found)}")
    there = f"Open: {', '.join(short(one) for one in ids)}." if ids else "None is open."
    raise NotFoundError(f"no open escalation goes by {name!r}; a closed one by its whole id. {there}")


async def running(client: Client) -> AsyncIterator[EscalationId]:
    """The ids of the open escalations, the newest first."""
    query = "WorkflowType='EscalationWorkflow' AND ExecutionStatus='Running'"
    async for one in client.list_workflows(query, limit=LISTED):
        yield EscalationId(one.id)


def console() -> Console:
    """Where an answer is shown: as wide as the terminal, never folded in a pipe."""
    here = Console(highlight=False)
    return here if here.is_terminal else Console(highlight=False, width=PIPED_COLUMNS)


def short(escalation: EscalationId) -> str:
    """As many letters as an operator types."""
    return escalation[-6:]
