"""Creating something at a provider that knows no idempotency key: intent is on record, so send once, then look.

Why, and what the workflows do with a doubtful one: docs/adr/0004-creates-without-idempotency.md.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog

from activities.errors import PROBLEMS, Fate, Problem, ReplyLostError, problem
from configuration.numbers import is_emergency, is_premium, masked
from workflows.orders import PLACE_PAGE_CALL, Submission
from workflows.values import ConferenceSid

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

PATIENCE = PLACE_PAGE_CALL.start_to_close - timedelta(seconds=1)  # so that the answer still gets home
PAUSES_S = (0.25, 0.5, 1.0, 1.5)  # after a 429 or a refused connection; the sum stays within the patience

Now = Callable[[], datetime]


def utc_now() -> datetime:
    """The wall clock; activities may read it."""
    return datetime.now(UTC)


class Created(NamedTuple):
    """What the provider made."""

    sid: str | None
    conference: str | None = None


@dataclass(frozen=True)
class Submitter:
    """Sends creates, and says what became of each."""

    now: Now = utc_now
    patience: timedelta = PATIENCE

    async def submit(self, what: str, create: Callable[[], Awaitable[Created]]) -> Submission:
        """Create one thing. Never raises for what a provider does.

        what: for the log, without numbers. Sends again only what was provably not done; when that does not
        succeed in time either, the answer is `doubtful`, and looking will find nothing.
        """
        until = asyncio.get_running_loop().time() + self.patience.total_seconds()
        pauses = iter(PAUSES_S)
        while True:
            found = await self._try(create, until)
            if isinstance(found, Submission):
                return found
            pause = next(pauses, None)
            out_of_time = pause is None or asyncio.get_running_loop().time() + pause >= until
            if found.fate is Fate.NOT_DONE and pause is not None and not out_of_time:
                await asyncio.sleep(pause)
                continue
            return self.settled(what, found)

    def settled(self, what: str, found: Problem) -> Submission:
        """What a failed create comes to."""
        refused = found.fate is Fate.REFUSED
        log.warning("create refused" if refused else "create doubtful", what=what, problem=found.words)
        return Submission("refused" if refused else "doubtful", self.now(), error=found.words)

    def refused(self, what: str, because: str) -> Submission:
        """A create that we ourselves will never send."""
        log.error("create refused by ourselves", what=what, problem=because)
        return Submission("refused", self.now(), error=because)

    async def _try(self, create: Callable[[], Awaitable[Created]], until: float) -> Submission | Problem:
        try:
            async with asyncio.timeout_at(until):
                created = await create()
        except TimeoutError:
            return problem(ReplyLostError("no reply in time"))
        except PROBLEMS as error:
            return problem(error)
        if created.sid is None:
            return problem(ReplyLostError("the reply names nothing that was made"))
        placed = Submission("placed", self.now(), sid=created.sid)
        if created.conference:
            placed = replace(placed, conference=ConferenceSid(created.conference))
        return placed


def not_to_be_dialled(number: str) -> str | None:
    """Why this number must never be called or sent to; None if it may.

    The owner's file is checked for the same, but a number can also come by other ways.
    """
    if not number.startswith("+"):
        return "it is not in E.164 form"
    if is_emergency(number, "US"):  # the country is the number's own
        return f"{masked(number)} is an emergency number: Rung never dials one"
    if is_premium(number):
        return f"{masked(number)} is a premium number: Rung never dials one"
    return None
