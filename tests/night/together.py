"""Stories told at the same time, and an outage that several of them live through."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.night.installation import Installation, Process

COME_TOGETHER_S = 60.0  # a story that has gone wrong never comes

Tale = TypeVar("Tale", bound=Callable[..., Any])


class Together:
    """Stories that are told at once; each test waits for its own."""

    def __init__(self, chosen: Collection[Callable[..., Any]]) -> None:
        self._chosen = chosen
        self._told: dict[object, asyncio.Task[None]] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._told.values():
            task.cancel()
        await asyncio.gather(*self._told.values(), return_exceptions=True)

    def chosen(self, among: Iterable[Tale]) -> list[Tale]:
        """Those that this run shall tell."""
        return [story for story in among if story in self._chosen]

    async def tell(
        self, story: Tale, among: Iterable[Tale], begin: Callable[[Tale], Awaitable[None]]
    ) -> None:
        """Begin all that were chosen among these, unless they have begun, and wait for this one."""

        async def told(one: Tale) -> None:
            await begin(one)

        if story not in self._told:
            self._told |= {one: asyncio.create_task(told(one)) for one in self.chosen(among)}
        await self._told[story]


class Outage:
    """A process that is dead while stories live through it: from when the last of them is ready, till all are through.

    async with outage: …
    """

    def __init__(self, night: Installation, process: Process, *, shared_by: int) -> None:
        self._night = night
        self._process: Process = process
        self._shared_by = shared_by
        self._came = self._went = 0
        self._news = asyncio.Condition()
        self._dead: AbstractAsyncContextManager[None] | None = None

    async def __aenter__(self) -> Self:
        async with self._news:
            self._came += 1
            if self._came == self._shared_by:
                self._dead = self._night.dead(self._process)
                await self._dead.__aenter__()
                self._news.notify_all()
            async with asyncio.timeout(COME_TOGETHER_S):
                await self._news.wait_for(lambda: self._dead is not None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with self._news:
            self._went += 1
            if self._went == self._shared_by and self._dead is not None:
                await self._dead.__aexit__(None, None, None)
                self._dead = None
                self._news.notify_all()
            async with asyncio.timeout(COME_TOGETHER_S):
                await self._news.wait_for(lambda: self._dead is None)
