"""What people did while Temporal was down: kept in a synced file, handed over when it answers again.

One JSON object a line, appended and synced before the person is answered. A line that was handed over is
removed by writing the rest beside and renaming, so a kill at any point loses nothing; at worst a record is
handed over twice, and its id (an act id, a call SID) makes the repeat harmless. A torn last line was never
answered for. Lines that cannot be read are moved to a file of their own.

Records carry page ids and person ids; those of callers carry the number they rang from, so the files are
readable by this user alone.
"""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Awaitable, Callable, Collection, Generator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import uuid4

import structlog
from pydantic import Field, TypeAdapter, ValidationError

from workflows.messages import CallInput, Recording
from workflows.values import Act, ActKind, CallSid, EscalationId, PersonId

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.spool")


@dataclass(frozen=True)
class ActDone:
    """A person acted on a page."""

    escalation: EscalationId
    act: Act
    kind: Literal["act"] = "act"


@dataclass(frozen=True)
class TextCame:
    """A person's SMS with a code; whose page it is, only their workflow knows."""

    person: PersonId
    code: str
    does: ActKind
    message: str
    at: datetime
    kind: Literal["text"] = "text"


@dataclass(frozen=True)
class CallFailedOver:
    """A caller was answered without a workflow."""

    call: CallInput
    kind: Literal["call"] = "call"


@dataclass(frozen=True)
class MessageLeft:
    """A caller left a recorded message."""

    call: CallSid
    recording: Recording
    kind: Literal["message"] = "message"


Kept = Annotated[ActDone | TextCame | CallFailedOver | MessageLeft, Field(discriminator="kind")]


@dataclass(frozen=True)
class Record:
    """A line of the file. id: by which it is removed."""

    id: str
    kept: Kept


_RECORD: TypeAdapter[Record] = TypeAdapter(Record)


class Spool:
    """The file. Safe for several processes; the blocking parts are run off the event loop by `keep`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def keep(self, kept: ActDone | TextCame | CallFailedOver | MessageLeft) -> bool:
        """Write it down and sync; false where the disk refuses, which is logged as an error."""
        try:
            await asyncio.to_thread(self.append, Record(uuid4().hex, kept))
        except OSError as error:
            log.error("spool not written, this is lost", kind=kept.kind, error=str(error))
            return False
        log.warning("spooled", kind=kept.kind)
        return True

    def append(self, record: Record) -> None:
        """Add one line; on return it survives a power cut. Raises OSError."""
        line = _RECORD.dump_json(record) + b"\n"
        with self._locked():
            fresh = not self.path.exists()
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                size = os.fstat(handle).st_size
                if size and os.pread(handle, 1, size - 1) != b"\n":
                    line = b"\n" + line  # the torn end of a line whose writer was killed
                _write_all(handle, line)
                os.fsync(handle)
            finally:
                os.close(handle)
            if fresh:
                _sync_directory(self.path.parent)

    def read(self) -> list[Record]:
        """What is in the file, in the order of writing; unreadable lines are passed over."""
        return [record for _, record in self._lines() if record is not None]

    def __len__(self) -> int:
        """How many lines wait, readable or not."""
        return len(self._lines())

    def remove(self, ids: Collection[str]) -> None:
        """Take these records out, and put unreadable lines aside. Raises OSError."""
        with self._locked():
            lines = self._lines()
            torn = [line for line, record in lines if record is None]
            if torn:
                self._set_aside(torn)
            kept = [line for line, record in lines if record is not None and record.id not in ids]
            if len(kept) == len(lines):
                return
            draft = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                _write_all(handle, b"".join(line + b"\n" for line in kept))
                os.fsync(handle)
            finally:
                os.close(handle)
            os.replace(draft, self.path)
            _sync_directory(self.path.parent)

    def _lines(self) -> list[tuple[bytes, Record | None]]:
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return []
        return [(line, _parsed(line)) for line in raw.split(b"\n") if line.strip()]

    def _set_aside(self, lines: list[bytes]) -> None:
        """Bad lines are nobody's to throw away."""
        aside = self.path.with_name(self.path.name + ".bad")
        handle = os.open(aside, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            _write_all(handle, b"".join(line + b"\n" for line in lines))
            os.fsync(handle)
        finally:
            os.close(handle)
        log.error("unreadable lines in the spool, kept aside", count=len(lines), file=str(aside))

    @contextlib.contextmanager
    def _locked(self) -> Generator[None, None, None]:
        """One writer at a time; the lock is its own file, since ours is replaced."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path.with_name(self.path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


Delivery = Literal["done", "later", "never"]
Deliver = Callable[[Kept], Awaitable[Delivery]]
"""Hands one record over: done, not now (Temporal is still down), or never (nobody wants it)."""


async def hand_over(spool: Spool, deliver: Deliver) -> int:
    """Hand over what is in the spool, in order, until one cannot be; how many were.

    A kill in between repeats at most what was handed over since the last removal.
    """
    count = 0
    await asyncio.to_thread(spool.remove, ())  # puts aside what cannot be read
    for record in await asyncio.to_thread(spool.read):
        match await deliver(record.kept):
            case "later":
                break
            case "done":
                log.info("spooled record handed over", kind=record.kept.kind)
            case "never":
                log.warning("spooled record is not wanted any more", kind=record.kept.kind)
        count += 1
        await asyncio.to_thread(spool.remove, {record.id})
    return count


def _parsed(line: bytes) -> Record | None:
    try:
        return _RECORD.validate_json(line)
    except ValidationError:
        return None


def _write_all(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
