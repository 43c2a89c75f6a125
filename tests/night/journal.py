"""What happens on the telephone network, followed as it happens: the sandbox's journal, read once for everybody."""

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx

PAGE = 10_000
LONG_POLL_S = 20.0


class NeverHappenedError(AssertionError):
    """Something that the story waits for did not come; journal.txt and the logs beside it tell what did."""


@dataclass(frozen=True)
class Record:
    """One thing that happened (docs/sandbox.md, Journal)."""

    seq: int
    at: datetime
    kind: str
    call: str | None
    conference: str | None
    message: str | None
    number: str | None
    details: Mapping[str, object]

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> "Record":
        """A record from the sandbox's JSON."""
        at = datetime.fromisoformat(str(raw["at"]))
        keys = ("seq", "kind", "call", "conference", "message", "number")
        return cls(
            **{key: raw[key] for key in keys}, at=at, details=cast("dict[str, object]", raw["details"])
        )

    def says(self, key: str) -> str:
        """One of its details as a text; empty where there is none."""
        value = self.details.get(key)
        return "" if value is None else str(value)

    def __str__(self) -> str:
        about = " ".join(str(one) for one in (self.number, self.call, self.conference, self.message) if one)
        return (
            f"{self.seq:6} {self.at:%H:%M:%S.%f} {self.kind} {about} {json.dumps(dict(self.details))[:400]}"
        )


Wanted = Callable[[Record], bool]
T = TypeVar("T")


class Journal:
    """All records so far, and whoever waits for more."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._news = asyncio.Condition()

    @property
    def last(self) -> int:
        """The number of the latest record; what comes has a higher one."""
        return self.records[-1].seq if self.records else 0

    async def follow(self, sandbox: httpx.AsyncClient) -> None:
        """Read for ever."""
        while True:
            query = {"after": self.last, "wait_s": LONG_POLL_S, "limit": PAGE}
            reply = await sandbox.get("/journal", params=query, timeout=LONG_POLL_S + 30)
            fresh = [Record.read(raw) for raw in reply.raise_for_status().json()["records"]]
            if fresh:
                self.records.extend(fresh)
                async with self._news:
                    self._news.notify_all()

    def keep(self, file: Path) -> None:
        """Write it down, for whoever must find out why a night went wrong."""
        file.write_text("\n".join(map(str, self.records)))

    def since(self, after: int) -> Iterator[Record]:
        """What came after that number."""
        first = self.records[0].seq if self.records else 1
        return iter(self.records[max(0, after + 1 - first) :])

    async def first(self, what: str, wanted: Wanted, *, after: int = 0, within_s: float = 30.0) -> Record:
        """The first such record after that number, waited for. Raises NeverHappenedError."""
        looked_to = after

        def found() -> Record | None:
            nonlocal looked_to
            for record in self.since(looked_to):
                if wanted(record):
                    return record
            looked_to = max(looked_to, self.last)
            return None

        return await self.until(what, found, within_s=within_s)

    async def until(self, what: str, look: Callable[[], T | None], *, within_s: float = 30.0) -> T:
        """What a look finds, asked again whenever something happens. Raises NeverHappenedError."""
        try:
            async with asyncio.timeout(within_s), self._news:
                while (found := look()) is None:
                    await self._news.wait()
                return found
        except TimeoutError:
            raise NeverHappenedError(f"never happened within {within_s:g} s: {what}") from None
