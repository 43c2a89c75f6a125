"""Scenes played on one installation, a few at a time, and what came of each."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal

from tests.night.installation import Installation
from tests.night.owners_file import Line
from tests.scenes.stage import set_for
from tests.scenes.twelve import TWELVE

ORGANS: Mapping[str, Literal["light", "local"]] = {"light": "light", "local": "local"}
AT_ONCE: Mapping[str, int] = {"light": 4, "local": 2}  # neural ears share two cores with everything else


@dataclass(frozen=True)
class Played:
    """What came of a scene. failed: of its criteria, and what kept it from being played to its end."""

    scene: str
    failed: tuple[str, ...]
    passed: int
    transcript: str = ""

    @property
    def verdict(self) -> str:
        """In a word."""
        return "failed" if self.failed else "passed"


@asynccontextmanager
async def played_all(
    night: Installation, chosen: Mapping[str, Line], organs: str
) -> AsyncGenerator[dict[str, "asyncio.Task[Played]"]]:
    """Play these scenes on their lines, as many at once as the organs bear."""
    room = asyncio.Semaphore(AT_ONCE[organs])

    async def one(name: str, line: Line) -> Played:
        async with room:
            return await play(night, name, line)

    playing = {name: asyncio.create_task(one(name, line)) for name, line in chosen.items()}
    try:
        yield playing
    finally:
        for task in playing.values():
            task.cancel()
        await asyncio.gather(*playing.values(), return_exceptions=True)


async def play(night: Installation, name: str, line: Line) -> Played:
    """One scene, and whether it passes."""
    scene = TWELVE[name]
    the = await set_for(night, line)
    went_wrong: list[str] = []
    try:
        await scene.play(the)
    except AssertionError as error:
        went_wrong.append(str(error))
    seen = await the.aftermath()
    failed = [one.words for one in scene.pass_when if not one.holds(seen)]
    return Played(name, (*went_wrong, *failed), len(scene.pass_when) - len(failed), seen.transcript)
