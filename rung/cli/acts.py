"""`rung ack`, `decline`, `resolve`, `cancel`: a human's word, from a terminal."""

import uuid
from datetime import UTC, datetime
from typing import Annotated

import typer
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from rung.cli.terminal import FAILED, find, run
from rung.settings import Settings
from workflows.values import Act, ActId, ActKind, ActReply, PersonId, Verdict, Via

Id = Annotated[str, typer.Argument(metavar="ID", help="The escalation: its id, or the end of it.")]
As = Annotated[
    str, typer.Option("--as", metavar="PERSON", help="Whose word this is, as in the owner's file.")
]
Note = Annotated[str, typer.Option("--note", "-m", help="What the record should say.")]

_REFUSED = {Verdict.REFUSED, Verdict.TAKEN, Verdict.OVER}


def ack(escalation: Id, person: As) -> None:
    """Take an escalation in a person's name."""
    _act(ActKind.ACKNOWLEDGE, escalation, person)


def decline(escalation: Id, person: As) -> None:
    """Say "not me" in a person's name.

    The ladder goes on at once when nobody else is left on the rung.
    """
    _act(ActKind.DECLINE, escalation, person)


def resolve(escalation: Id, person: As = "operator", note: Note = "") -> None:
    """Close an escalation as resolved.

    The AI leaves the room, the humans talk on.
    """
    _act(ActKind.RESOLVE, escalation, person, note)


def cancel(escalation: Id, person: As = "operator", note: Note = "") -> None:
    """Close an escalation that never was an emergency.

    Nobody else is rung, and the caller is told.
    """
    _act(ActKind.CANCEL, escalation, person, note)


def _act(kind: ActKind, name: str, person: str, note: str = "") -> None:
    async def tell(client: Client, _: Settings) -> ActReply | str:
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
            reply: ActReply = await handle.execute_update(kind, act, id=act.id, result_type=ActReply)
        except WorkflowUpdateFailedError as error:
            return str(error.cause)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return f"{escalation} is closed, or never was: see `rung status`"
        return reply

    reply = run(tell)
    if isinstance(reply, str):
        typer.echo(reply, err=True)
        raise typer.Exit(FAILED)
    typer.echo(f"{reply.verdict}: {reply.sentence}")
    if reply.verdict in _REFUSED:
        raise typer.Exit(FAILED)
