"""`python -m sandbox`: the telephone network as a process; `python -m sandbox speech`: the speech model as another."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from sandbox.errors import SandboxError
from sandbox.journal import KEPT_RECORDS
from sandbox.serve import Options, serve
from sandbox.sound.speech import Kind as Voice
from sandbox.speech.cli import speech

app = typer.Typer(add_completion=False)
app.command("speech")(speech)


@app.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    town: Annotated[Path | None, typer.Option(help="The town file.")] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="NAME=VALUE for ${NAME} in the town file.")
    ] = None,
    account: Annotated[str | None, typer.Option(help="Account SID.")] = None,
    token: Annotated[str | None, typer.Option(help="Auth token.")] = None,
    calls_per_second: Annotated[float | None, typer.Option(help="The account's call rate.")] = None,
    seed: Annotated[int | None, typer.Option(help="For SIDs and faults.")] = None,
    speed: Annotated[float, typer.Option(help="How much faster time runs.")] = 1.0,
    manual_clock: Annotated[
        bool, typer.Option(help="Time moves by request only.")
    ] = False,  # typer's way of writing a flag
    voice: Annotated[
        Voice, typer.Option(help="Texts without sound, with tones, or with a neural voice.")
    ] = Voice.NONE,
    record: Annotated[Path | None, typer.Option(help="A folder for the sound of every leg.")] = None,
    journal: Annotated[int, typer.Option(min=1, help="How many records are kept.")] = KEPT_RECORDS,
) -> None:
    """Run a telephone network on this machine; docs/sandbox.md is its manual."""
    if context.invoked_subcommand is not None:
        return
    pairs = [item.partition("=") for item in set_ or []]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise typer.BadParameter(f"--set needs NAME=VALUE, not {wrong[0]!r}")
    options = Options(
        host=host,
        port=port,
        town=town,
        variables={name: value for name, _, value in pairs},
        account=account,
        token=token,
        calls_per_second=calls_per_second,
        seed=seed,
        speed=speed,
        manual_clock=manual_clock,
        voice=voice,
        record=record,
        journal=journal,
    )
    try:
        asyncio.run(serve(options))
    except SandboxError as error:
        typer.echo(f"sandbox: {error}", err=True)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


if __name__ == "__main__":
    app()
