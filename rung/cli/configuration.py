"""`rung check` and `rung who`: the owner's file, tried by daylight."""

import json as json_format
from collections.abc import Collection
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from configuration.check import check as checked
from configuration.model import Configuration, Line
from configuration.numbers import masked
from configuration.schedule import PlannedLadder, PlannedPerson, PlannedRung, is_open, planned_ladder
from configuration.values import did_you_mean
from configuration.wall_clock import moment, shown

USUAL_FILES = (Path("rung.yaml"), Path("rung.example.yaml"))
MISTAKES, USAGE = 1, 2

ConfigurationPath = Annotated[
    Path | None,
    typer.Argument(
        envvar="RUNG_CONFIG", help="The owner's file. [default: rung.yaml, else rung.example.yaml]"
    ),
]
ConfigurationOption = Annotated[
    Path | None,
    typer.Option(
        "--file", "-f", envvar="RUNG_CONFIG", help="The owner's file. [default: as for `rung check`]"
    ),
]


def check(file: ConfigurationPath = None) -> None:
    """Check the owner's file: every mistake, and its mend."""
    path = _found(file)
    result = checked(_text(path), str(path), datetime.now(UTC))
    for mistake in result.mistakes:
        typer.echo(str(mistake))
    count = f"{_many(len(result.errors), 'mistake')}, {_many(len(result.warnings), 'warning')}"
    if result.configuration is None:
        typer.echo(f"{path}: {count}")
        raise typer.Exit(MISTAKES)
    typer.echo(f"{path}: {count}; {_summary(result.configuration)}")


def who(
    line: Annotated[str, typer.Argument(help="The line's name in the file.")],
    at: Annotated[str, typer.Option(help="An ISO time, in the line's time zone, or `now`.")] = "now",
    file: ConfigurationOption = None,
    category: Annotated[str | None, typer.Option(help="The category the caller chose.")] = None,
    json: Annotated[bool, typer.Option("--json", help="For programs: the plan as JSON.")] = False,
) -> None:
    """Tell who would be paged, by which channel, and why."""
    path = _found(file)
    configuration = _configuration(path)
    answered = configuration.lines.get(line)
    if answered is None:
        raise _usage(f"no line is called {line!r}", _choices("lines", line, configuration.lines))
    if category is not None and category not in answered.categories:
        raise _usage(
            f"line {line} has no category {category!r}",
            _choices("categories", category, answered.categories),
        )
    plan = planned_ladder(configuration, line, category, _instant(at, answered.time_zone))
    typer.echo(_as_json(plan) if json else _as_text(plan, answered))


def _found(file: Path | None) -> Path:
    if file is not None:
        if file.is_file():
            return file
        raise _usage(f"there is no file {file}", "give the path of a configuration file")
    for path in USUAL_FILES:
        if path.is_file():
            return path
    usual = " or ".join(map(str, USUAL_FILES))
    raise _usage(f"there is no {usual} here", "give a FILE, or set RUNG_CONFIG")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _usage(f"{path} cannot be read: {error}", "give a text file in UTF-8") from error


def _configuration(path: Path) -> Configuration:
    result = checked(_text(path), str(path), datetime.now(UTC))
    if result.configuration is not None:
        return result.configuration
    for mistake in result.errors:
        typer.echo(str(mistake), err=True)
    typer.echo(f"{path}: {_many(len(result.errors), 'mistake')}; nobody can be planned from it", err=True)
    raise typer.Exit(MISTAKES)


def _usage(what: str, instead: str) -> typer.Exit:
    typer.echo(f"{what}; {instead}", err=True)
    return typer.Exit(USAGE)


def _choices(kind: str, asked: str, known: Collection[str]) -> str:
    near = did_you_mean(asked, known, "")
    meant = f"did you mean {near}? " if near else ""
    return f"{meant}{kind} in this file: {', '.join(known) or 'none'}"


def _instant(at: str, zone: ZoneInfo) -> datetime:
    if at == "now":
        return datetime.now(UTC)
    try:
        given = datetime.fromisoformat(at)
    except ValueError:
        raise _usage(f"{at!r} is not a time", "give one such as 2026-03-08T02:30, or now") from None
    meant = moment(given, zone)
    if given.tzinfo is None and (often := shown(given, zone)) != "once":
        taken = meant.astimezone(zone).isoformat(timespec="minutes")
        typer.echo(f"{at} is {often} on the clock in {zone}; taken as {taken}", err=True)
    return meant


def _summary(configuration: Configuration) -> str:
    counts = (
        (len(configuration.people), "person", "people"),
        (len(configuration.rotations), "rotation", "rotations"),
        (len(configuration.ladders), "ladder", "ladders"),
        (len(configuration.lines), "line", "lines"),
    )
    return ", ".join(f"{count} {one if count == 1 else more}" for count, one, more in counts)


def _many(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"


def _as_text(plan: PlannedLadder, line: Line) -> str:
    local = plan.at.astimezone(line.time_zone)
    state = _state(line, plan.at)
    category = f"category {plan.category}" if plan.category else "no category"
    waits = ", ".join(f"{pause:g}" for pause in plan.pauses_s)
    said = [
        f"{line.name} ({plan.line}), {local:%A} {local.day} {local:%B %Y %H:%M} {line.time_zone.key}, {state}",
        f"{category}, {plan.severity}, ladder {plan.ladder}",
    ]
    if state == "open" and line.opening and line.opening.forward_to:
        said.append(f"calls are first forwarded to {masked(line.opening.forward_to)}")
    for number, rung in enumerate(plan.rungs, start=1):
        said += ["", f"{number}. {rung.name}: {_clocks(rung)}", *_people(rung)]
    said += ["", "Exhausted: the last resort is paged", *_people(plan.last_resort)]
    said += [f"   and it goes round again after pauses of {waits} s"]
    return "\n".join(said)


def _state(line: Line, at: datetime) -> str:
    if line.opening is None:
        return "answered by Rung at all hours"
    return "open" if is_open(line, at) else "closed"


def _clocks(rung: PlannedRung) -> str:
    again = f", rung again after {rung.ring_again_s:g} s" if rung.ring_again_s else ""
    return f"{rung.wait_s:g} s with a caller waiting, {rung.wait_nobody_s:g} s without{again}"


def _people(rung: PlannedRung) -> list[str]:
    lines: list[str] = []
    for person in rung.people:
        lines += [f"   {person.name}: {', '.join(_ways(person))}", f"      {person.because}"]
    lines += [f"   Nobody: {because}" for because in rung.nobody]
    return lines or ["   Nobody"]


def _ways(person: PlannedPerson) -> list[str]:
    voice = [f"phone {masked(person.voice)}"] if person.voice else []
    sms = [f"SMS {masked(person.sms)}"] if person.sms else []
    return [*voice, *sms, *(f"push {_service(url)}" for url in person.push)] or ["no channel"]


def _service(url: str) -> str:
    """The push service alone: the rest of the URL may be a password."""
    return url.split("://", maxsplit=1)[0]


def _as_json(plan: PlannedLadder) -> str:
    masked_rungs = [_masked_rung(rung) for rung in plan.rungs]
    told = asdict(plan) | {
        "at": plan.at.isoformat(),
        "rungs": [asdict(rung) for rung in masked_rungs],
        "last_resort": asdict(_masked_rung(plan.last_resort)),
    }
    return json_format.dumps(told, indent=2, ensure_ascii=False)


def _masked_rung(rung: PlannedRung) -> PlannedRung:
    return replace(rung, people=tuple(_masked_person(person) for person in rung.people))


def _masked_person(person: PlannedPerson) -> PlannedPerson:
    return replace(
        person,
        voice=masked(person.voice) if person.voice else None,
        sms=masked(person.sms) if person.sms else None,
        push=tuple(_service(url) for url in person.push),
    )
