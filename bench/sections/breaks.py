"""When it breaks, and when the AI falls to whispering: what the caller hears, on the recordings of the sandbox.

Real processes, the light voice and ears: what is measured is our own share and the sandbox's, no real model's.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.figures import Figure, rule, shown, spread
from tests.night.silence import AT_MOST_MS, BREAKS, broken_night, silent_ms
from tests.night.whisper_sound import Counted
from tests.night.whispering import VARIANTS, recorded_night, told

TITLES = {
    "coach": "The whisper, five ways to come to it, in the sandbox",
    "silence": "Something breaks while the caller talks with the AI: the longest silence they hear",
}
MODES = {"normal": False, "pessimistic": True}


async def measure(chosen: frozenset[str] = frozenset(TITLES)) -> Mapping[str, Sequence[Figure]]:
    """Measure what was chosen, each in an installation of its own."""
    found: dict[str, Sequence[Figure]] = {}
    if "coach" in chosen:
        found["coach"] = [figure for mode in MODES for figure in await _coach(mode)]
    if "silence" in chosen:
        found["silence"] = await _silence()
    return found


async def _coach(mode: str) -> list[Figure]:
    with TemporaryDirectory(prefix="rung-bench-") as folder:
        async with recorded_night(Path(folder), pessimistic=MODES[mode]) as night:
            counts = await told(night, list(VARIANTS))
    figures: list[Figure] = []
    heard: list[Counted] = []
    for name, one in counts.items():
        if isinstance(one, Exception):
            figures.append(Figure(f"{name}, {mode} mode", f"came to nothing: {one}", holds=False))
            continue
        heard.append(one)
        figures += _whispered(f"{name}, {mode} mode", one)
    switches = [switch for one in heard for switch in one.switches]
    limits = "one step of the call's workflow and one request each: quiet, mute, coach, confirm, unmute"
    samples = f"switches, {mode} mode"
    return [
        *figures,
        spread(
            "somebody is in the room → the AI may whisper to them",
            [s.took_ms for s in switches],
            samples=samples,
        ),
        spread("… of it, muted", [s.silent_ms for s in switches], samples=samples, limits=limits),
    ]


def _whispered(name: str, one: Counted) -> list[Figure]:
    there = rule(
        f"{name}: whisper frames heard by the caller",
        one.by_caller - one.by_caller_then,
        samples=f"of {one.whispered}; by the coached {one.by_coached} of {one.to_coached}",
    )
    if not one.orphaned:
        return [there]
    gone = Figure(
        "… when the coached had gone, until the AI was muted",
        f"{one.by_caller_then} of {one.orphaned}",
        aim="0 where an orphaned coach is heard by nobody",
        limits="how soon we hear that they have gone",
        numbers={"frames": float(one.by_caller_then)},
    )
    return [there, gone]


async def _silence() -> list[Figure]:
    figures: list[Figure] = []
    with TemporaryDirectory(prefix="rung-bench-") as folder:
        async with broken_night(Path(folder)) as night:
            for name in BREAKS:
                ms = await silent_ms(night, name)
                figures.append(
                    Figure(
                        name,
                        shown(ms),
                        "1 call",
                        f"≤ {AT_MOST_MS / 1000:.0f} s",
                        numbers={"ms": float(ms)},
                        holds=ms <= AT_MOST_MS,
                    )
                )
    return figures
