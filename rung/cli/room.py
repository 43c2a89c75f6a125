"""`rung room`: who is in a call's room, and what a person can do there."""

import uuid
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from rung.cli.acts import OPERATOR
from rung.cli.terminal import FAILED, PATIENCE, UNCONFIRMED, USAGE, NotFoundError, console, find, run
from rung.settings import Settings
from workflows.messages import CallView, call_workflow_id
from workflows.room_acts import ALL_AIS, RoomAct, RoomActKind, RoomReply, Whom
from workflows.values import ActId, CallSid, HoldSound, PersonId

VERBS = [*RoomActKind, "private", "together"]
ANSWERED = 2 * PATIENCE  # the workflow itself waits for the network's word
NOBODY_ANSWERS = "No worker answers. It may still be done once one does: look again."
SOUNDS: tuple[HoldSound, ...] = ("words", "music", "silence")


def room(
    call: Annotated[str, typer.Argument(metavar="CALL", help="The call's SID, or its escalation.")],
    verb: Annotated[
        str | None, typer.Argument(help=f"What to do: {', '.join(VERBS)}. Without one: who is there.")
    ] = None,
    whom: Annotated[
        str | None, typer.Argument(help="caller, a responder's id, ai, notes, interpreter, or ais.")
    ] = None,
    sound: Annotated[str, typer.Option(help=f"What a human on hold hears: {', '.join(SOUNDS)}.")] = SOUNDS[0],
    speaks: Annotated[
        str, typer.Option(metavar="LANGUAGE", help="The caller's language, for `bring interpreter`.")
    ] = "",
    person: Annotated[str, typer.Option("--as", metavar="PERSON", help="Whose word this is.")] = OPERATOR,
) -> None:
    """Show a call's room; hold, mute, remove or bring somebody; move the AI.

    `private` lets the humans talk without any AI, which then hears nothing; `together` ends that.
    """
    if verb is None:
        console().print(shown(run(lambda client, _: _view(client, call))))
        return
    kind, about = _meant(verb, whom)
    heard: HoldSound | None = next((one for one in SOUNDS if one == sound), None)
    if heard is None:
        raise _misunderstood(f"there is no sound {sound!r}; there are: {', '.join(SOUNDS)}")
    act = RoomAct(
        id=ActId(f"console:{uuid.uuid4()}"),
        kind=kind,
        whom=about,
        by=PersonId(person),
        sound=heard,
        language=speaks,
    )
    reply = run(lambda client, settings: _tell(client, settings, call, act))
    if not reply.done:
        typer.echo(f"refused: {reply.sentence}", err=True)
        raise typer.Exit(FAILED)
    typer.echo(reply.sentence)
    if not reply.confirmed:
        typer.echo("(ordered, but not confirmed yet: see `rung room`)", err=True)
        raise typer.Exit(UNCONFIRMED)


def shown(view: CallView) -> RenderableType:
    """A room, as something to look at."""
    table = Table(box=None, pad_edge=False)
    for heading in ("who", "is", "leg"):
        table.add_column(heading)
    for one in view.people:
        is_ = [f"on hold ({one.hold})" if one.hold else "", "muted" if one.muted else ""]
        now = ", ".join(part for part in is_ if part) or "in the room"
        table.add_row(one.who, now + ("" if one.so else " (not confirmed)"), one.leg)
    for ai in view.ais:
        between = f" between {' and '.join(ai.languages)}" if ai.languages else ""
        held = ", on hold: hears nothing" if ai.held else ""
        coming = "" if ai.there or ai.leg is None else " (on the way)"
        table.add_row(ai.post, f"{ai.role}{between}{held}{coming}", ai.leg or "-")
    return Group(f"{view.conference}: the caller is in the {view.caller}", table)


def _meant(verb: str, whom: str | None) -> tuple[RoomActKind, Whom]:
    if verb in {"private", "together"}:
        return (RoomActKind.HOLD if verb == "private" else RoomActKind.UNHOLD), ALL_AIS
    kind = next((one for one in RoomActKind if one.value == verb), None)
    if kind is None:
        raise _misunderstood(f"there is no verb {verb!r}; there are: {', '.join(VERBS)}")
    if whom is None:
        raise _misunderstood(f"{verb} whom? caller, a responder's id, ai, notes, interpreter, or ais")
    return kind, Whom(whom)


def _misunderstood(why: str) -> typer.Exit:
    typer.echo(why, err=True)
    return typer.Exit(USAGE)


async def _call(client: Client, name: str) -> CallSid:
    """The call of that SID, or the one whose emergency goes by that name. Raises NotFoundError."""
    if name.startswith("CA"):
        return CallSid(name)
    escalation = await find(client, name)
    sid = escalation.removeprefix("escalation-").partition("-")[0]
    if not sid.startswith("CA"):
        raise NotFoundError(f"{escalation} came without a call: it has no room")
    return CallSid(sid)


async def _view(client: Client, name: str) -> CallView:
    workflow = call_workflow_id(await _call(client, name))
    try:
        view: CallView = await client.get_workflow_handle(workflow).query(
            "status", result_type=CallView, rpc_timeout=PATIENCE
        )
    except RPCError as error:
        raise NotFoundError(f"{workflow} does not answer: {error.message}. Is a worker up?") from error
    return view


async def _tell(client: Client, _: Settings, name: str, act: RoomAct) -> RoomReply:
    workflow = call_workflow_id(await _call(client, name))
    try:
        reply: RoomReply = await client.get_workflow_handle(workflow).execute_update(
            "act", act, id=act.id, result_type=RoomReply, rpc_timeout=ANSWERED
        )
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        return RoomReply(done=True, sentence=NOBODY_ANSWERS)
    except WorkflowUpdateFailedError as error:
        return RoomReply(done=False, sentence=str(error.cause))
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return RoomReply(done=False, sentence=f"{workflow} is closed, or never was")
    return reply
