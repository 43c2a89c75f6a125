"""`rung api` and `rung fallback`: the door, and what answers in its place."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.fallback import documents
from configuration.check import check
from configuration.holder import ConfigurationError
from configuration.model import Configuration
from configuration.schedule import next_change
from configuration.values import did_you_mean
from rung import logs
from rung.api import alert_token, serve
from rung.settings import Settings, SettingsError
from rung.temporal import TemporalError
from rung.traces import TracesError, sending

FAILED, USAGE = 1, 2


def api(
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    show_alert_token: Annotated[
        bool, typer.Option("--alert-token", help="Print the token for POST /alerts, and end.")
    ] = False,
) -> None:
    """Serve Twilio's webhooks, acknowledgement links and alerts."""
    try:
        settings = Settings.load()
    except SettingsError as error:
        raise _failed(str(error), USAGE) from None
    if show_alert_token:
        typer.echo(alert_token(settings))
        return
    logs.set_up(settings)
    try:
        with sending("api", settings.telemetry) as interceptors:
            asyncio.run(serve(settings, host, interceptors=interceptors))
    except (ConfigurationError, TemporalError, TracesError) as error:
        raise _failed(str(error), FAILED) from None
    except OSError as error:
        raise _failed(f"cannot listen at {host}:{settings.api_port}: {error.strerror}", FAILED) from None


def fallback(
    out: Annotated[Path, typer.Option(help="The folder to write into; made if it is not there.")],
    base_url: Annotated[str, typer.Option(help="Where the folder will be served from: another host.")],
    at: Annotated[str, typer.Option(help="An ISO time, in UTC unless it says otherwise, or `now`.")] = "now",
    line: Annotated[
        list[str] | None, typer.Option(help="A line's name in the file; may be repeated. [default: all]")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="The owner's file. [default: as set]")
    ] = None,
) -> None:
    """Write what answers callers while the door itself is down.

    Static: each line's own rings that hour's rota, rung after rung, and needs nothing of ours. Write them anew
    at each hand-over, or from a timer; what is said at the end tells when the rota changes next.
    """
    path = file or _usual_file()
    configuration = _read(path)
    for name in line or ():
        if name not in configuration.lines:
            near = did_you_mean(name, configuration.lines, ", ".join(configuration.lines))
            raise _failed(f"no line is called {name!r}; instead: {near}", USAGE)
    if not base_url.startswith(("https://", "http://")):
        raise _failed(
            f"{base_url!r} is not an address; give one such as https://static.example.org/rung", USAGE
        )
    instant = _instant(at)
    written = documents(configuration, base_url, instant, line or None)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, text in written.items():
            _replace(out / name, text)
    except OSError as error:
        raise _failed(f"cannot write into {out}: {error.strerror}", FAILED) from None
    for name in line or configuration.lines:
        typer.echo(f"{configuration.lines[name].number}: {base_url.rstrip('/')}/{name}.xml")
    change = next_change(configuration, instant)
    typer.echo(
        f"the rota changes next at {change.astimezone(UTC):%Y-%m-%d %H:%M} UTC: write these anew then"
        if change
        else "the rota does not change within a year"
    )


def _usual_file() -> Path:
    try:
        return Settings.load().config
    except SettingsError as error:
        raise _failed(f"{error}\n(or name the owner's file with --file)", USAGE) from None


def _read(path: Path) -> Configuration:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _failed(f"{path} cannot be read: {error}", USAGE) from None
    checked = check(text, str(path), datetime.now(UTC))
    if checked.configuration is None:
        raise _failed("\n".join(map(str, checked.errors)), FAILED)
    return checked.configuration


def _instant(at: str) -> datetime:
    if at == "now":
        return datetime.now(UTC)
    try:
        given = datetime.fromisoformat(at)
    except ValueError:
        raise _failed(f"{at!r} is not a time; give one such as 2026-03-08T02:30, or now", USAGE) from None
    return given if given.tzinfo else given.replace(tzinfo=UTC)


def _replace(path: Path, text: str) -> None:
    """Put the whole document in its place: a web server must never serve half of one."""
    draft = path.with_name(f".{path.name}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _failed(what: str, code: int) -> typer.Exit:
    typer.echo(what, err=True)
    return typer.Exit(code)
