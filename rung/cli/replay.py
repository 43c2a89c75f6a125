"""`rung replay`: does this code still agree with what it did then?"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.json_format import ParseError
from temporalio.client import Client, WorkflowHistory
from temporalio.worker import Replayer

from rung import logs
from rung.cli.terminal import FAILED, USAGE, find, run
from rung.settings import Settings, SettingsError
from workflows.admission import OneMessage
from workflows.call_shell import CallWorkflow
from workflows.codec import data_converter
from workflows.escalation import EscalationWorkflow
from workflows.responder_shell import ResponderWorkflow
from workflows.runner import runner

WORKFLOWS = [EscalationWorkflow, ResponderWorkflow, CallWorkflow]


def replay(
    recorded: Annotated[
        str, typer.Argument(metavar="ID|FILE", help="An escalation, a workflow id, or a history as JSON.")
    ],
) -> None:
    """Run a recorded history against this code.

    Says whether this code would do the same.
    """
    path = Path(recorded)
    if path.suffix == ".json" and not path.exists():
        typer.echo(f"there is no file {path}", err=True)
        raise typer.Exit(USAGE)
    history = _history(path) if path.is_file() else None

    async def of_server(client: Client, settings: Settings) -> tuple[str, int, Exception | None]:
        whole = recorded.startswith(("escalation-", "call-", "responder-"))
        name = recorded if whole else await find(client, recorded)
        return await _replay(await client.get_workflow_handle(name).fetch_history(), settings)

    name, events, failure = _alone(history) if history else run(of_server)
    if failure is not None:
        typer.echo(f"{name}: this code would have done something else.\n{failure}", err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"{name}: {events} events replayed, no difference")


def _history(path: Path) -> WorkflowHistory:
    try:
        history = WorkflowHistory.from_json(path.stem, path.read_text())
    except (ValueError, OSError, ParseError) as error:
        typer.echo(f"{path} is no history as Temporal exports it: {error}", err=True)
        raise typer.Exit(USAGE) from None
    if not history.events:
        typer.echo(f"{path} is a history without events", err=True)
        raise typer.Exit(USAGE)
    return history


def _alone(history: WorkflowHistory) -> tuple[str, int, Exception | None]:
    try:
        settings = Settings.load()
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE) from None
    logs.set_up(settings)
    return asyncio.run(_replay(history, settings))


async def _replay(history: WorkflowHistory, settings: Settings) -> tuple[str, int, Exception | None]:
    replayer = Replayer(
        workflows=WORKFLOWS,
        data_converter=data_converter(settings.codec_keys),
        interceptors=[OneMessage()],
        workflow_runner=runner(),
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    return history.workflow_id, len(history.events), result.replay_failure
