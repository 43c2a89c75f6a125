"""`python -m bench [SECTION …]`: measure, and print one table."""

import asyncio
import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Annotated

import structlog
import typer
from rich.console import Console

from bench.figures import Figure, Result, as_json, print_table
from bench.sections import answer, breaks, carriage, cost, crowd, hearing, keys, latency, mixing, soak, storm
from rung.leaving import leave

SECTIONS: Mapping[str, ModuleType] = {
    name: module
    for module in (latency, keys, crowd, storm, cost, carriage, mixing, hearing, answer, breaks, soak)
    for name in module.TITLES
}


def main(
    sections: Annotated[
        list[str] | None, typer.Argument(help=f"What to measure: {', '.join(SECTIONS)}. Nothing: all of it.")
    ] = None,
    as_json_: Annotated[bool, typer.Option("--json", help="Print JSON instead of the table.")] = False,
    minutes: Annotated[float, typer.Option(help="soak: how long.")] = soak.MINUTES,
    calls: Annotated[int, typer.Option(help="soak: calls at a time.")] = soak.CALLS,
) -> None:
    """Measure with real processes, and print one table. Takes minutes; best on a machine that does nothing else."""
    chosen = sections or list(SECTIONS)
    if unknown := [name for name in chosen if name not in SECTIONS]:
        typer.echo(f"there is no section {unknown[0]!r}; there are: {', '.join(SECTIONS)}", err=True)
        raise typer.Exit(2)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    told = Console(stderr=True, highlight=False)
    before, began = os.getloadavg()[0], time.monotonic()
    modules = dict.fromkeys(SECTIONS[name] for name in chosen)
    wishes: Mapping[ModuleType, Mapping[str, float]] = {soak: {"minutes": minutes, "calls": calls}}
    results = [
        result
        for module in modules
        for result in _measured(module, frozenset(chosen), told, wishes.get(module, {}))
    ]
    machine = {
        "cores": os.cpu_count(),
        "memory_gib": _memory_gib(),
        "python": platform.python_version(),
        "load_before": round(before, 2),
        "took_s": round(time.monotonic() - began),
    }
    if as_json_:
        typer.echo(json.dumps(as_json(results, machine), indent=2))
    else:
        console = Console(highlight=False, width=None if sys.stdout.isatty() else 170)
        print_table(console, results)
        console.print(
            f"{machine['cores']} cores, {machine['memory_gib']} GiB, Python {machine['python']}; load before:"
            f" {machine['load_before']}; {machine['took_s']} s in all"
        )
    broken = [
        f"{result.section}: {figure.what}"
        for result in results
        for figure in result.figures
        if figure.holds is False
    ]
    for line in broken:
        typer.echo(f"rule broken: {line}", err=True)
    if broken:
        raise typer.Exit(1)


def _measured(
    module: ModuleType, chosen: frozenset[str], told: Console, wishes: Mapping[str, float]
) -> list[Result]:
    """The chosen sections of one module, which share an installation. wishes: what else it is told."""
    titles: Mapping[str, str] = {name: title for name, title in module.TITLES.items() if name in chosen}
    told.print(f"{'; '.join(titles.values())} …")
    began = time.monotonic()
    found: Mapping[str, Sequence[Figure]] = asyncio.run(module.measure(frozenset(titles), **wishes))
    took = time.monotonic() - began
    for figure in (figure for name in titles for figure in found[name]):
        told.print(f"  {figure.what}: {figure.value}", style="dim", soft_wrap=True)
    return [Result(name, title, found[name], took) for name, title in titles.items()]


def _memory_gib() -> int:
    lines = Path("/proc/meminfo").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith("MemTotal:")) / 1024**2)


if __name__ == "__main__":
    try:
        typer.run(main)
    except SystemExit as done:
        leave(done.code if isinstance(done.code, int) else 1 if done.code else 0)
