"""`python -m sandbox speech`: what the command line of the speech model says."""

import asyncio
import json
from enum import Enum
from pathlib import Path
from typing import Annotated, cast

import typer

from sandbox.errors import SandboxError
from sandbox.speech.faults import Fault, read_fault
from sandbox.speech.fields import Fields, Json
from sandbox.speech.local import local
from sandbox.speech.organs import Organs, light
from sandbox.speech.serve import Options, serve
from sandbox.speech.session import Timing

CHECKED = "One moment, please."


class Kind(Enum):
    LIGHT = "light"
    LOCAL = "local"


def speech(
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes a free one.")] = 0,
    organs: Annotated[
        Kind, typer.Option(help="light: tones, no model. local: neural ears and voice.")
    ] = Kind.LIGHT,
    weights: Annotated[
        Path | None,
        typer.Option(help="A folder with a Whisper model for ctranslate2, instead of the packaged one."),
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Where joined weights are kept.")] = None,
    seed: Annotated[int, typer.Option(help="For identifiers and faults.")] = 0,
    fault: Annotated[
        list[str] | None, typer.Option(help='A fault as JSON, such as {"kind": "refuse", "code": 429}.')
    ] = None,
    session_s: Annotated[float, typer.Option(help="The longest session.")] = 3_600,
    check: Annotated[bool, typer.Option(help="Load the organs, listen to a word, and end.")] = False,
    longest_turn_s: Annotated[float, typer.Option(help="A turn of speech is ended there.")] = 15,
) -> None:
    """Run a speech model on this machine that speaks the Realtime protocol; docs/sandbox.md is its manual."""
    try:
        faults = [read_option(text) for text in fault or []]
        timing = Timing(lasts_ms=round(session_s * 1_000), longest_turn_ms=round(longest_turn_s * 1_000))
        options = Options(host, port, seed, faults, timing)
        chosen_organs = chosen(organs, weights, cache)
        if check:
            understood = chosen_organs.ears.understand(chosen_organs.voice.speak(CHECKED, "en"), "en")
            typer.echo(f"{organs.value}: said {CHECKED!r}, heard {understood!r}")
            return
        asyncio.run(serve(options, chosen_organs))
    except SandboxError as error:
        typer.echo(f"sandbox: {error}", err=True)
        raise typer.Exit(2) from error
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def read_option(text: str) -> Fault:
    """A fault as it stands on the command line. Raises SandboxError."""
    try:
        content: object = json.loads(text)
    except ValueError:
        content = None
    if not isinstance(content, dict):
        message = f"--fault needs a JSON object, not {text!r}"
        raise SandboxError(message)
    return read_fault(Fields(cast("Json", content)))


def chosen(kind: Kind, weights: Path | None, cache: Path | None) -> Organs:
    """Raises WeightsError where the local ones cannot be had."""
    if kind is Kind.LIGHT:
        return light()
    return local(weights, cache)
