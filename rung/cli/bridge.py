"""`rung bridge`: the sidecar that carries AI legs' audio, alone."""

import asyncio
import signal
from typing import Annotated

import structlog
import typer
import uvloop

from rung import logs
from rung.bridge import serve
from rung.settings import Settings, SettingsError
from rung.temporal import TemporalError
from rung.traces import TracesError, sending

FAILED, USAGE = 1, 2

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.bridge")


def bridge(
    unsigned: Annotated[
        bool,
        typer.Option("--unsigned", help="Take streams without Twilio's signature, by their token alone."),
    ] = False,
) -> None:
    """Run a bridge: it takes Twilio's media streams. Any number may run."""
    try:
        settings = Settings.load()
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE) from None
    logs.set_up(settings)
    try:
        uvloop.run(_until_told(settings, signed=not unsigned))
    except (OSError, TemporalError, TracesError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from None
    except Exception as error:  # the outermost edge: a bridge that may not go on is started anew
        log.exception("bridge failed")
        raise typer.Exit(FAILED) from error


async def _until_told(settings: Settings, *, signed: bool) -> None:
    stop = asyncio.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    with sending("bridge", settings.telemetry) as interceptors:
        await serve(
            settings,
            stop,
            lambda port: print(f"READY bridge {port}", flush=True),
            signed=signed,
            interceptors=interceptors,
        )
