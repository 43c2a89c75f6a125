"""`rung ack`, `decline`, `resolve`, `cancel`: a human's word, from a terminal."""

import uuid
from datetime import UTC, datetime
from typing import Annotated

import typer
from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from configuration.check import check
from rung.cli.terminal import FAILED, PATIENCE, UNCONFIRMED, USAGE, find, run
from rung.settings import Settings
from workflows.values import Act, ActId, ActKind, ActReply, PersonId, Verdict, Via

Id = Annotated[str, typer.Argument(metavar="ID", help="The escalation: its id, or the end of it.")]
As = Annotated[
    str, typer.Option("--as", metavar="PERSON", help="Whose word this is, as in the owner's file.")
]
Note = Annotated[str, typer.Option("--note", "-m", help="What the record should say.")]

OPERATOR = "operator"  # whoever runs the system, who need not be on any ladder

_REFUSED = {Verdict.REFUSED, Verdict.TAKEN, Verdict.OVER}


class UnconfirmedError(Exception):
    """Said, and kept by the server, but no worker has answered."""


def ack(escalation: Id, person: As) -> None:
    """Take an escalation in a person's name."""
    _act(ActKind.ACKNOWLEDGE, escalation, person)


def decline(escalation: Id, person: As) -> None:
    """Say "not me" in a person's name.

    The ladder goes on at once when nobody else is left on the rung.
    """
    _act(ActKind.DECLINE, escalation, person)


def resolve(escalation: Id, person: As = OPERATOR, note: Note = "") -> None:
    """Close an escalation as resolved.

    The AI leaves the room, the humans talk on.
    """
    _act(ActKind.RESOLVE, escalation, person, note)


def cancel(escalation: Id, person: As = OPERATOR, note: Note = "") -> None:
    """Close an escalation that never was an emergency.

    Nobody else is rung, and the caller is told.
    """
    _act(ActKind.CANCEL, escalation, person, note)


def _act(kind: ActKind, name: str, person: str, note: str = "") -> None:
    async def tell(client: Client, settings: Settings) -> ActReply | str:
        known = _people(settings)
        if known and person not in known:
            typer.echo(f"nobody is called {person!r}; there are: {', '.join(known)}", err=True)
            raise typer.Exit(USAGE)
        escalation = await find(client, name)
        act = Act(
            kind=kind,
            id=ActId(f"console:{uuid.uuid4()}"),
            by=PersonId(person),
            via=Via.CONSOLE,
            pressed_at=datetime.now(UTC),
            note=note,
        )
        handle = client.get_workflow_handle(escalation)
        try:
            reply: ActReply = await handle.execute_update(
                kind, act, id=act.id, result_type=ActReply, rpc_timeout=PATIENCE
            )
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            await handle.signal(kind, act)  # the same act: it counts once, as soon as a worker is up
            raise UnconfirmedError(
                f"No worker answers. Your word is kept and counts as soon as one does: see `rung status {name}`"
            ) from None
        except WorkflowUpdateFailedError as error:
            return str(error.cause)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return f"{escalation} is closed, or never was: see `rung status`"
        return reply

    try:
        reply = run(tell)
    except UnconfirmedError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(UNCONFIRMED) from None
    if isinstance(reply, str):
        typer.echo(reply, err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"{reply.verdict}: {reply.sentence}")
    if reply.verdict in _REFUSED:
        raise typer.Exit(FAILED)


def _people(settings: Settings) -> list[str]:
    """Whose word it can be; empty where the owner's file is not at hand, and the workflow alone decides."""
    try:
        configuration = check(settings.config.read_text(), str(settings.config)).configuration
    except (OSError, UnicodeDecodeError):
        return []
    return [*configuration.people, OPERATOR] if configuration else []
