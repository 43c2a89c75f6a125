"""`python -m bench.carriage`: a relay under load and in the scenes, ours or another given as a command line."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from bench.carriage.measure import OURS, SPLICE, Carried, bench
from bench.carriage.scenes import Seen, play_scenes


def main(
    relay: Annotated[
        str,
        typer.Option(help="A command line with {port}, {upstream} and {ca}; it prints READY and its port."),
    ] = "",
    streams: Annotated[str, typer.Option(help="How many streams, one count after another.")] = "1,50,100",
    seconds: Annotated[float, typer.Option(help="How long each count lasts.")] = 10.0,
    path: Annotated[str, typer.Option(help="The path of streams.")] = "/media-stream",
    tls: Annotated[bool, typer.Option("--tls", help="TLS to the model.")] = False,
    scenes: Annotated[
        bool, typer.Option("--scenes", help="The scenes of a barge-in instead of load.")
    ] = False,
    splice: Annotated[bool, typer.Option("--splice", help="The relay ours is compared with.")] = False,
) -> None:
    """Measure."""
    command = relay or (SPLICE if splice else OURS)
    console = Console(highlight=False)
    if scenes:
        for name, seen in asyncio.run(play_scenes(command, path)).items():
            console.print(scene_line(name, seen))
        return
    asyncio.run(_load(console, command, [int(count) for count in streams.split(",")], seconds, path, tls=tls))


async def _load(
    console: Console, command: str, counts: list[int], seconds: float, path: str, *, tls: bool
) -> None:
    async with bench(command, tls=tls, path=path) as running:
        base_kb = running.rss_kb()
        for count in counts:
            opened = await running.streams(count)
            console.print(load_line(await running.count(count, seconds), base_kb), f"({opened} open)")


def load_line(carried: Carried, base_kb: int) -> str:
    """One count as one reads it."""
    return (
        f"{carried.streams} streams: {carried.cpu_ms:.2f} ms CPU per stream-second; round trip p50"
        f" {carried.p50_ms:.2f} p95 {carried.p95_ms:.2f} p99 {carried.p99_ms:.2f} max {carried.max_ms:.1f} ms;"
        f" lost {carried.lost} of {carried.sent}; {(carried.rss_kb - base_kb) / carried.streams:.0f} KB per stream"
    )


def scene_line(name: str, seen: Seen) -> str:
    """One scene as one reads it."""
    cleared = "never" if seen.cleared_ms is None else f"after {seen.cleared_ms:.1f} ms"
    return (
        f"{name}: error {seen.error_ms:+.0f} ms; heard {dict(seen.heard_ms)}, believed"
        f" {seen.believed_ms}; cleared {cleared}; API errors {seen.errors}; stale sound {seen.stale_ms:.0f} ms"
    )


if __name__ == "__main__":
    typer.run(main)
