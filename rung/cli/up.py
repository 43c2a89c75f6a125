"""`rung up`: everything Rung needs, on this machine, until ctrl-c."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console
from rich.table import Table

from configuration.check import check
from configuration.model import Configuration
from rung import logs, town
from rung.settings import Settings, SettingsError, can_hear_and_speak
from rung.supervisor import ChildSpec, Supervisor, SupervisorError
from rung.temporal import EmbeddedTemporal, TemporalError, connect, ensure_search_attributes

FAILED, USAGE = 1, 2
A_CALLER = "+12025550199"  # fictional, and nobody's in the example

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.up")


def up() -> None:
    """Run everything on this machine, until ctrl-c.

    What is not configured, Rung brings itself: Temporal, and a telephone network.
    """
    settings, configuration = _started()
    try:
        asyncio.run(run(settings, configuration, Console(highlight=False)))
    except (SupervisorError, TemporalError) as error:
        typer.echo(f"\n{error}", err=True)
        raise typer.Exit(FAILED) from None


class Brought(StrEnum):
    """What the sandbox brings."""

    PHONES = "phones"
    SPEECH = "speech"


def sandbox_alone(
    what: Annotated[
        Brought,
        typer.Argument(
            help="phones: the telephone network. speech: the speech model, which hears and speaks."
        ),
    ] = Brought.PHONES,
) -> None:
    """Run the telephone network of this machine alone, or its speech model.

    Both are programs of their own with a manual: docs/sandbox.md and docs/speech-model.md.
    """
    settings, configuration = _started()
    if what is Brought.SPEECH:
        child = speech_child(settings)
        os.execve(child.argv[0], child.argv, child.env)  # noqa: S606  # no shell: it takes our place
    if not settings.sandboxed:
        typer.echo(
            "TWILIO_ACCOUNT_SID names an account: unset it to use the sandbox's (docs/configuration.md)",
            err=True,
        )
        raise typer.Exit(USAGE)
    child = sandbox_child(settings, configuration)
    os.execve(child.argv[0], child.argv, child.env)  # noqa: S606  # no shell: it takes our place


def _started() -> tuple[Settings, Configuration | None]:
    """What every start begins with: settings, logs, warnings, the owner's file. Ends the command on a mistake."""
    try:
        settings = for_terminal(Settings.load())
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(USAGE) from None
    logs.set_up(settings)
    for warning in settings.warnings():
        log.warning("settings", problem=warning)
    return settings, read_configuration(settings.config)


def children(settings: Settings, configuration: Configuration | None = None) -> list[ChildSpec]:
    """The processes of an installation on one machine, in the order of starting.

    Temporal unless the operator names a cluster, the sandbox unless they name a Twilio account, then ours.
    configuration: paces the sandbox as the owner's account is paced. Raises TemporalError.
    """
    brought: list[ChildSpec] = []
    if not settings.temporal:
        brought.append(EmbeddedTemporal.of(settings).child(settings))
    if settings.sandboxed:
        brought.append(sandbox_child(settings, configuration))
    if settings.speech_by in {"local", "light"}:
        brought.append(speech_child(settings))
    env = settings.environment()
    needs = tuple(child.name for child in brought)
    worker, api, bridge = (
        ChildSpec(name, (sys.executable, "-m", "rung", name), env, needs, port=port, port_setting=setting)
        for name, port, setting in (
            ("worker", None, ""),
            ("api", settings.api_port, "RUNG_API_PORT"),
            ("bridge", settings.bridge_port, "RUNG_BRIDGE_PORT"),
        )
    )
    return [*brought, worker, api, bridge]


def sandbox_child(settings: Settings, configuration: Configuration | None = None) -> ChildSpec:
    """The telephone network of this machine, with a phone for everybody in the owner's file."""
    options = ["--port", str(settings.sandbox_port)]
    if settings.speech_by != "off":  # who listens needs something to hear
        options += ["--voice", "light" if settings.speech_by == "light" else "local"]
    options += ["--account", settings.twilio_account_sid]
    options += ["--token", settings.twilio_auth_token.get_secret_value()]
    options += [
        "--set",
        f"API={settings.public_url}",
        "--set",
        f"APPLICATION={settings.twilio_application_sid}",
    ]
    there = settings.town
    if there is None and configuration is not None:
        there = town.write(settings.state_dir / "town.yaml", town.town(configuration))
    if there is not None:
        options += ["--town", str(there)]
    if configuration is not None:
        options += ["--calls-per-second", f"{configuration.calls_per_second:g}"]
    return ChildSpec(
        "sandbox",
        (sys.executable, "-m", "sandbox", *options),
        settings.surroundings(),
        port=settings.sandbox_port,
        port_setting="RUNG_SANDBOX_PORT",
    )


def speech_child(settings: Settings) -> ChildSpec:
    """The speech model of this machine: neural where its packages are installed, else in tones."""
    organs = settings.speech_by if settings.speech_by in {"local", "light"} else None
    organs = organs or ("local" if can_hear_and_speak() else "light")
    options = ("--port", str(settings.speech_port), "--organs", organs)
    return ChildSpec(
        "speech",
        (sys.executable, "-m", "sandbox", "speech", *options),
        settings.surroundings(),
        port=settings.speech_port,
        port_setting="RUNG_SPEECH_PORT",
    )


async def run(
    settings: Settings,
    configuration: Configuration | None,
    console: Console,
    specs: Sequence[ChildSpec] | None = None,
) -> None:
    """Start all children, say where everything is, and supervise until a signal.

    specs: other children than an installation's. Raises SupervisorError, TemporalError.
    """
    stop = asyncio.Event()
    if settings.temporal:
        await introduce_ourselves(settings)
    specs_are_ours = specs is None
    specs = children(settings, configuration) if specs is None else specs
    async with Supervisor(specs, settings.state_dir, say=print) as supervisor:

        def asked_to_stop() -> None:
            if stop.is_set():
                supervisor.kill()  # asked twice
            stop.set()

        for one in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(one, asked_to_stop)
        console.print("Starting (the first time takes a while) …")
        if await happened_before(supervisor.ready(), stop):
            console.print(summary(settings, configuration))
            if settings.sandboxed and configuration and specs_are_ours:
                await town.publish(f"{settings.twilio_base_url}", configuration, datetime.now(UTC))
            if settings.sandboxed and configuration:
                lines = configuration.lines.values()
                number = next((one for one in lines if one.opening is None), next(iter(lines))).number
                console.print(
                    "\nRing the line and report an emergency:",
                    ring(settings, number),
                    sep="\n",
                    soft_wrap=True,
                )
            await supervisor.until(stop)
        console.print("Stopping; running calls keep their place …")
    console.print("Stopped. `rung up` goes on where this left off.")


async def introduce_ourselves(settings: Settings) -> None:
    """Make the operator's cluster know our search attributes, where we may. Raises TemporalError."""
    client = await connect(settings)
    try:
        await ensure_search_attributes(client)
    except TemporalError as error:
        log.warning("search attributes", problem=str(error))  # they may be there, unseen by us


async def happened_before(awaited: Awaitable[None], stop: asyncio.Event) -> bool:
    """Wait for something unless told to stop first; whether it happened."""
    happening, stopping = asyncio.ensure_future(awaited), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({happening, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if happening.done():
            happening.result()  # raises
        return happening.done()
    finally:
        happening.cancel()
        stopping.cancel()


def summary(settings: Settings, configuration: Configuration | None) -> Table:
    """Where everything is, for the person who started it."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    lines = configuration.lines.values() if configuration else ()
    for line in lines:
        table.add_row("line", f"[bold]{line.number}[/]  {line.name}")
    if settings.sandboxed:
        table.add_row("phones", f"all on this machine: {settings.twilio_base_url}/_sandbox/state")
    else:
        table.add_row(
            "phones", f"Twilio account {settings.twilio_account_sid}, webhooks at {settings.public_url}"
        )
    if settings.temporal:
        table.add_row("temporal", settings.temporal.get("TEMPORAL_ADDRESS", "as your profile says"))
    else:
        ui = f"http://127.0.0.1:{settings.temporal_ui_port}/namespaces/rung/workflows"
        table.add_row("temporal", f"{ui}  (look, and act)")
    table.add_row("logs", f"{settings.state_dir / 'logs'}/")
    table.add_row("stop", "ctrl-c; running escalations go on at the next start")
    return table


def ring(settings: Settings, number: str) -> str:
    """The command with which a caller of the sandbox rings a line and reports an emergency."""
    by_key = [{"wait": 8}, {"press": "1"}, {"wait": 8}, {"press": "1"}, "stay"]
    by_voice = [
        *({"wait": 18}, {"say": "There is water coming through the ceiling."}),
        *({"wait": 9}, {"say": "412 Oak Street."}, {"wait": 9}, {"say": "Yes, that is right."}),
        "stay",
    ]
    steps = by_key if settings.speech_by == "off" else by_voice
    call = {"from": A_CALLER, "to": number, "steps": steps}
    return f"curl -d '{json.dumps(call)}' {settings.twilio_base_url}/_sandbox/dial"


def read_configuration(file: Path) -> Configuration | None:
    """The owner's file if it can be used; its mistakes are told, and the processes decide about them."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        log.error("configuration not read", file=str(file), problem=str(error))
        return None
    checked = check(text, str(file))
    if checked.configuration is None:
        log.error("configuration broken", file=str(file), mistakes=[str(error) for error in checked.errors])
    return checked.configuration


def for_terminal(settings: Settings) -> Settings:
    """Settings whose children log for the reader of this terminal, not for the file they write to."""
    if settings.log_format == "auto" and sys.stderr.isatty():
        return settings.model_copy(update={"log_format": "console"})
    return settings
