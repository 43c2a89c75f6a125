"""`rung worker`: the workflows and what they order, alone."""

import asyncio
import signal
from typing import Annotated

import structlog
import typer

from configuration.holder import ConfigurationError
from rung import logs
from rung.settings import Settings, SettingsError
from rung.temporal import TemporalError
from rung.traces import TracesError, sending
from rung.worker import CACHED, serve

FAILED, USAGE = 1, 2

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.worker")


def worker(
    calls_per_second: Annotated[
        float | None,
        typer.Option(min=0.1, help="How fast calls are placed, instead of the configuration's rate."),
    ] = None,
    cached_workflows: Annotated[
        int,
        typer.Option(min=0, help="Workflows kept in memory; 0 replays each one at every step."),
    ] = CACHED,
) -> None:
    """Run the worker: the workflows, and what they do to the world. Any number may run."""
    try:
        settings = Settings.load()
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE) from None
    logs.set_up(settings)
    try:
        asyncio.run(_until_told(settings, calls_per_second, cached_workflows))
    except (ConfigurationError, TemporalError, TracesError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(FAILED) from None
    except Exception as error:  # the outermost edge: a worker that may not go on is started anew
        log.exception("worker failed")
        raise typer.Exit(FAILED) from error


async def _until_told(settings: Settings, calls_per_second: float | None, cached_workflows: int) -> None:
    stop = asyncio.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    with sending("worker", settings.telemetry) as interceptors:
        await serve(
            settings,
            stop,
            lambda: print("READY worker", flush=True),
            calls_per_second=calls_per_second,
            cached_workflows=cached_workflows,
            interceptors=interceptors,
        )
