"""`rung demo`: a scene of a night, with real processes over real HTTP, web sockets and, spoken, real sound."""

import asyncio
import contextlib
import shutil
import signal
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from rung import logs
from rung.cli import terminal
from rung.demo.scenes import SCENES, Ending, Scene
from rung.demo.stage import Stage, WentWrongError, journal, stage
from rung.demo.story import AI, Story, about
from rung.demo.whispers import between, heard_by, whispers
from rung.settings import can_hear_and_speak
from rung.supervisor import SupervisorError
from rung.temporal import TemporalError
from workflows.assistant import Post
from workflows.messages import EscalationOutcome
from workflows.pages import LAST_RESORT, WAY_IN, Page
from workflows.voice import Speaker, Turn

FAILED, USAGE = 1, 2
TOO_LONG = timedelta(seconds=300)


def demo(
    scene: Annotated[
        str | None, typer.Argument(help=f"Which scene: {', '.join(SCENES)}. Without one: night, or keys.")
    ] = None,
    stay: Annotated[
        bool, typer.Option("--stay", help="Leave everything running afterwards, to look around.")
    ] = False,
    keep: Annotated[
        Path | None, typer.Option(help="Keep the sound of every leg, and who heard what, in this folder.")
    ] = None,
    light: Annotated[
        bool, typer.Option("--light", help="Speak in tones that only programs understand: needs no model.")
    ] = False,
) -> None:
    """Play a scene of a night, in a minute or two.

    Nobody answers, a voicemail does and does not count, one declines, one takes it.
    """
    console = terminal.console()
    chosen, speech = _chosen(scene, console, light=light)
    folder = Path(tempfile.mkdtemp(prefix="rung-demo-"))
    try:
        asyncio.run(_play(folder, console, chosen, speech, stay=stay, keep=keep))
    except (WentWrongError, SupervisorError, TemporalError, TimeoutError) as error:
        typer.echo(
            f"\nThe demo went wrong: {error or 'it took too long'}\nLogs: {folder / 'logs'}/", err=True
        )
        raise typer.Exit(FAILED) from None
    shutil.rmtree(folder, ignore_errors=True)


def _chosen(name: str | None, console: Console, *, light: bool) -> tuple[Scene, str]:
    """The scene, and whose voice speaks in it."""
    able = light or can_hear_and_speak()
    if name is None and not able:
        console.print("The packages of the local voice are not installed: this is the night by keys.")
    name = name or ("night" if able else "keys")
    if name not in SCENES:
        typer.echo(f"there is no scene {name!r}; there are: {', '.join(SCENES)}", err=True)
        raise typer.Exit(USAGE)
    chosen = SCENES[name]
    if chosen.in_tones and not light:
        console.print("The local voice's Spanish is seldom understood: this scene is told in tones.")
    light = light or chosen.in_tones
    if chosen.spoken and not (able or light):
        typer.echo(f"scene {name} is spoken, and needs the local voice: make voice, or --light", err=True)
        raise typer.Exit(USAGE)
    return chosen, ("light" if light else "local") if chosen.spoken else "off"


async def _play(
    folder: Path, console: Console, scene: Scene, speech: str, *, stay: bool, keep: Path | None
) -> None:
    console.print(f"Starting everything on this machine, for: {scene.title} …")
    async with stage(folder, scene.town, speech, scene.night) as here:
        logs.set_up(here.settings)
        async with asyncio.timeout(TOO_LONG.total_seconds()):
            telling = asyncio.create_task(_tell(here, Story(here.names), console))
            try:
                await scene.play(here)
                said = await here.turns()
                closed = await here.closed()
                outcome = await here.ended(closed.escalation) if closed.escalation and scene.waits else None
            finally:
                telling.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await telling
        if outcome is not None:
            console.print(_summary(outcome))
            console.print(f"escalation {outcome.phase}, owner {outcome.owner}")
        console.print(f"call closed as {closed.closing}")
        scene.check(Ending(closed, outcome))
        if scene.spoken:
            _measured(here, console)
        if keep is not None:
            _keep(here, said, keep)
            console.print(f"The sound of every leg, and who heard what: {keep}")
        runs = (
            f"http://127.0.0.1:{here.settings.temporal_ui_port}/namespaces/{here.client.namespace}/workflows"
        )
        console.print(f"\nThe run in Temporal's UI: {runs}/call-{here.call}", soft_wrap=True)
        if not stay:
            console.print("(gone in a moment; `make demo STAY=1` leaves it running)")
            return
        console.print(
            f"Everything stays up until ctrl-c. Phones: {here.settings.twilio_base_url}/_sandbox/state"
        )
        stop = asyncio.Event()
        for one in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(one, stop.set)
        await here.supervisor.until(stop)


async def _tell(here: Stage, story: Story, console: Console) -> None:
    """Print the story as it happens, and what the AI says as it is heard."""
    began: datetime | None = None
    told = 0
    async for record in journal(here.sandbox):
        here.records.append(record)
        sentences = [(one.at, one.text, one.loud) for one in story.tell(record)]
        if record["kind"] == "stream.mark" and here.call:
            said = await here.turns()
            sentences += [
                (turn.at, _spoken(turn), True)
                for turn in said[told:]
                if turn.speaker in {Speaker.ASSISTANT, Speaker.INTERPRETER}
            ]
            told = len(said)
        for at, text, loud in sentences:
            began = began or at
            console.print(
                f"{(at - began).total_seconds():6.1f} s  {text}",
                style="bold" if loud else "dim",
                soft_wrap=True,
            )


def _spoken(turn: Turn) -> str:
    if turn.speaker is Speaker.INTERPRETER:
        return f"the interpreter says, and all hear: “{turn.text}{'' if turn.whole else ' …'}”"
    to = "whispers, and only the responder hears" if turn.whispered else "says"
    return f"{AI} {to}: “{turn.text}{'' if turn.whole else ' …'}”"


def _measured(here: Stage, console: Console) -> None:
    """The whisper on the recordings: what the caller heard of it, and what the coached did; and the other AIs."""
    said = whispers(here.records)
    legs = [str(record["call"]) for record in here.records if record["kind"] == "call.created"]
    _measured_of_others(here, console, legs)
    caller = heard_by(here.call, said, legs, here.recordings)
    if not caller.whispered:
        return
    console.print(
        f"\nwhisper frames heard by the caller: {caller.heard} of {caller.whispered} (in the sandbox)"
        + (f", {caller.unclear} not to be told apart" if caller.unclear else "")
    )
    for coached in dict.fromkeys(one.coached for one in said):
        ear = heard_by(coached, [one for one in said if one.coached == coached], legs, here.recordings)
        console.print(f"whisper frames heard by the coached: {ear.heard} of {ear.whispered}")
    if caller.heard:
        raise WentWrongError("the caller heard a whisper")


def _measured_of_others(here: Stage, console: Console, legs: Sequence[str]) -> None:
    """What AIs on hold heard of the humans, and what all heard of an interpreter."""
    ais = {leg for post in Post for leg in _labelled(here, post)}
    humans = [leg for leg in legs if leg not in ais]
    for quiet in between(here.records, lambda details: bool(details.get("hold"))):
        if quiet.leg in ais:
            said = [replace(quiet, leg=human) for human in humans]
            found = heard_by(quiet.leg, said, legs, here.recordings)
            console.print(f"frames of private talk heard by an AI: {found.heard} of {found.whispered}")
            if found.heard:
                raise WentWrongError("an AI heard what was said in private")
    for leg in _labelled(here, Post.INTERPRETER):
        heard = [
            one for one in between(here.records, lambda details: not details.get("muted")) if one.leg == leg
        ]
        for human in humans:
            found = heard_by(human, heard, legs, here.recordings)
            console.print(
                f"frames of the interpreter heard by {here.whose(human)}: {found.heard} of {found.whispered}"
            )


def _labelled(here: Stage, post: Post) -> list[str]:
    """The legs that were an AI of this post."""
    labels = {
        str(r.get("call")): str(about(r).get("label")) for r in here.records if r["kind"] == "conference"
    }
    return [leg for leg, label in labels.items() if label.startswith(f"{post}-x")]


def _keep(here: Stage, said: Sequence[Turn], folder: Path) -> None:
    """Copy the recordings, and write down who said what."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in here.recordings.glob("*.wav"):
        shutil.copy(file, folder)
    lines = [
        f"{turn.at:%H:%M:%S} {turn.speaker}{' (whispered)' if turn.whispered else ''}: {turn.text}"
        for turn in said
    ]
    (folder / "transcript.txt").write_text("\n".join(lines) + "\n")


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
