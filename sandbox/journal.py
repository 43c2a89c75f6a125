"""Everything that happens in the sandbox, in order.

Appending is cheap and never waits. Readers outside ask for what came after a number and may
wait for more; a record never changes once written.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice

from sandbox.clock import Clock

KEPT_RECORDS = 50_000  # some 500 bytes each, webhooks and requests 1 KB: 40 MB at the most


class Kind(StrEnum):
    """What a record tells; docs/sandbox.md lists the details of each."""

    CALL_CREATED = "call.created"
    CALL_DIALLED = "call.dialled"
    CALL_RINGING = "call.ringing"
    CALL_ANSWERED = "call.answered"
    CALL_ENDED = "call.ended"
    CALL_REDIRECTED = "call.redirected"
    CALL_AMD = "call.amd"
    LEG_HEARD = "leg.heard"
    LEG_SAID = "leg.said"
    LEG_UNDERSTOOD = "leg.understood"
    LEG_KEYS = "leg.keys"
    TWIML = "twiml"
    GATHER = "gather"
    RECORD = "record"
    DIAL = "dial"
    CONFERENCE = "conference"
    MESSAGE_CREATED = "message.created"
    MESSAGE_STATUS = "message.status"
    MESSAGE_RECEIVED = "message.received"
    STREAM_OPENED = "stream.opened"
    STREAM_STARTED = "stream.started"
    STREAM_MARK = "stream.mark"
    STREAM_CLEAR = "stream.clear"
    STREAM_DTMF = "stream.dtmf"
    STREAM_CLOSED = "stream.closed"
    STREAM_FAILED = "stream.failed"
    WEBHOOK = "webhook"
    REST = "rest"
    ALERT = "alert"
    FAULT = "fault"
    PUSH = "push"


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened. `seq` counts from 1 without gaps."""

    seq: int
    at: datetime
    kind: Kind
    call: str | None
    conference: str | None
    message: str | None
    number: str | None
    details: Mapping[str, object]

    def as_json(self) -> dict[str, object]:
        return {
            "seq": self.seq,
            "at": self.at.isoformat(),
            "kind": self.kind.value,
            "call": self.call,
            "conference": self.conference,
            "message": self.message,
            "number": self.number,
            "details": dict(self.details),
        }

    def matches(self, wanted: Mapping[str, object]) -> bool:
        """Whether every wanted field (an id, or else a detail) has that value."""
        return all(
            (getattr(self, name) if name in _IDS else self.details.get(name)) == value
            for name, value in wanted.items()
        )


_IDS = frozenset({"call", "conference", "message", "number"})


class Journal:
    """The records, latest last. Beyond `kept`, the oldest are dropped."""

    def __init__(self, clock: Clock, kept: int = KEPT_RECORDS) -> None:
        self._clock = clock
        self._records: deque[Record] = deque(maxlen=kept)
        self._last = 0
        self._waiting: list[asyncio.Future[None]] = []

    @property
    def last(self) -> int:
        return self._last

    def write(
        self,
        kind: Kind,
        *,
        call: str | None = None,
        conference: str | None = None,
        message: str | None = None,
        number: str | None = None,
        more: Mapping[str, object] | None = None,
        **details: object,
    ) -> Record:
        """Note that something happened. more: details whose names are no Python names."""
        if more is not None:
            details |= more
        self._last += 1
        record = Record(self._last, self._clock.now(), kind, call, conference, message, number, details)
        self._records.append(record)
        if self._waiting:
            waiting, self._waiting = self._waiting, []
            for waiter in waiting:
                if not waiter.done():
                    waiter.set_result(None)
        return record

    def __iter__(self) -> Iterator[Record]:
        return iter(tuple(self._records))

    def since(self, seq: int) -> list[Record]:
        """The records after that number, oldest first."""
        missing = self._last - seq
        if missing <= 0:
            return []
        newest_first = islice(reversed(self._records), missing)
        return list(newest_first)[::-1]

    def of(self, kind: Kind | str, **wanted: object) -> list[Record]:
        """All records of a kind whose ids or details have these values."""
        return [record for record in self._records if record.kind == kind and record.matches(wanted)]

    async def wait_matching(
        self, wanted: Callable[[Record], bool], after: int, timeout_s: float
    ) -> list[Record]:
        """Such records after that number; waits (real seconds) for the first. May be empty."""
        return await self._wait_until(self._fresh(wanted, after), timeout_s)

    async def wait_for(
        self, kind: Kind | str, timeout_s: float = 5.0, *, after: int = 0, **wanted: object
    ) -> Record:
        """The first such record after that number, waiting real seconds for it.

        Raises TimeoutError, saying what was waited for.
        """
        found = self._fresh(lambda record: record.kind == kind and record.matches(wanted), after)
        records = await self._wait_until(found, timeout_s)
        if not records:
            message = f"no {kind} with {wanted} within {timeout_s} s"
            raise TimeoutError(message)
        return records[0]

    def _fresh(self, wanted: Callable[[Record], bool], after: int) -> Callable[[], list[Record]]:
        """Looks through what came since the last look."""
        seen = after

        def look() -> list[Record]:
            nonlocal seen
            fresh, seen = self.since(seen), self._last
            return [record for record in fresh if wanted(record)]

        return look

    async def _wait_until(self, look: Callable[[], list[Record]], timeout_s: float) -> list[Record]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        while not (records := look()) and loop.time() < deadline:
            waiter = loop.create_future()
            self._waiting.append(waiter)
            await asyncio.wait([waiter], timeout=deadline - loop.time())
        return records
