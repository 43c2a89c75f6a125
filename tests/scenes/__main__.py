"""Plays the twelve scenes and prints what came of each: `python -m tests.scenes [light|local] [SCENE…]`."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.night.installation import installed
from tests.scenes.played import ORGANS, Played, played_all
from tests.scenes.twelve import TWELVE, lines


def table(played: list[Played]) -> str:
    """A line for each scene, and one for each thing that is not so."""
    rows = [f"{'scene':26} {'criteria':>8} result"]
    for one in played:
        scene = TWELVE[one.scene]
        rows.append(f"{scene.title:26} {one.passed:3} of {len(scene.pass_when):2} {one.verdict}")
        rows += [f"    not so: {words.splitlines()[0]}" for words in one.failed]
    passed = sum(not one.failed for one in played)
    return "\n".join([*rows, f"{passed} of {len(played)} scenes passed, in the sandbox"])


async def main(organs: str, chosen: list[str]) -> int:
    """0 where all passed."""
    file, made = lines()
    with tempfile.TemporaryDirectory() as folder:
        async with (
            installed(Path(folder), file, speech=ORGANS[organs]) as night,
            played_all(night, {name: made[name] for name in chosen}, organs) as playing,
        ):
            played = [await playing[name] for name in chosen]
    print(table(played))
    return int(any(one.failed for one in played))


if __name__ == "__main__":
    named = sys.argv[1:]
    by = named.pop(0) if named and named[0] in ORGANS else "light"
    unknown = [name for name in named if name not in TWELVE]
    if unknown:
        sys.exit(f"there is no scene {unknown[0]!r}; there are: {', '.join(TWELVE)}")
    sys.exit(asyncio.run(main(by, named or list(TWELVE))))
