"""Keeps the processes of one machine running: starts them in order, restarts what dies, stops all.

Knows processes only, nothing of Rung. A child writes straight into its log file, never into a pipe of ours:
a worker whose output nobody reads freezes in mid-work, and children outlive a supervisor that was killed.
Such leftovers are found at the next start by the lock each child holds through an inherited file descriptor
(a process id alone may meanwhile be somebody else's), and ended.

A child is *ready* when it has printed a line that begins with READY, or when its `answers` returns.
Before everything was ready once, a child that cannot start three times in a row ends the whole; afterwards
it is tried for ever, since the others still have a promise to keep.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import structlog

READY = "READY"
STARTS_IN_A_ROW = 3
TAIL_LINES = 20
LOOK_PAUSE_S = 0.05
ECHO_PAUSE_S = 0.2
LOG_BYTES = 16_000_000  # a log longer than this is set aside when its child starts

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.supervisor")


class SupervisorError(Exception):
    """The children cannot be kept running; the message says which and why."""


class CouldNotStartError(SupervisorError):
    """A child did not become ready, three times in a row."""


@dataclass(frozen=True)
class ChildSpec:
    """A process to keep running.

    needs: names of the children that must be ready before this one is started for the first time.
    answers: returns once the child serves; None if it prints READY.
    port: what it listens on, and the setting that would move it.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    needs: tuple[str, ...] = ()
    answers: Callable[[], Awaitable[None]] | None = None
    echo: bool = True
    port: int | None = None
    port_setting: str = ""
    start_limit: timedelta = timedelta(seconds=60)  # a cold machine imports for many seconds
    grace: timedelta = timedelta(seconds=25)  # a worker drains for 20


@dataclass(frozen=True)
class Pace:
    """How quickly a dead child comes back."""

    first: timedelta = timedelta(milliseconds=100)
    longest: timedelta = timedelta(seconds=15)
    settled: timedelta = timedelta(seconds=60)
    """Whoever lived this long is restarted at the first pause again."""

    def pause(self, deaths: int) -> timedelta:
        """The pause after so many deaths in a row, from 1."""
        doublings: int = 2 ** min(deaths - 1, 20)
        return min(self.first * doublings, self.longest)


class Supervisor:
    """Runs children for as long as it is entered.

    async with Supervisor(children, state_dir) as supervisor:
        await supervisor.ready()
        await supervisor.until(stop)
    """

    def __init__(
        self,
        children: Sequence[ChildSpec],
        state_dir: Path,
        *,
        say: Callable[[str], None] | None = None,
        pace: Pace | None = None,
    ) -> None:
        """say: receives each line of the children's output, prefixed with the child's name."""
        self._children = {spec.name: _Child(spec, state_dir) for spec in children}
        self._state_dir = state_dir
        self._say = say
        self._pace = pace or Pace()
        self._keepers: dict[str, asyncio.Task[None]] = {}
        self._echoes: list[asyncio.Task[None]] = []
        self._begun = False  # everything has been ready once
        self._news = asyncio.Condition()
        self._own_lock: int | None = None

    async def __aenter__(self) -> Self:
        self._own_lock = _lock(self._state_dir / "run" / "up.lock")
        if self._own_lock is None:
            holder = _holder(self._state_dir / "run" / "up.lock")
            raise SupervisorError(
                f"Rung is already running in {self._state_dir} (process {holder}): stop that one first,"
                " or set RUNG_STATE_DIR to another folder"
            )
        try:
            _write_pid(self._own_lock, os.getpid())
            for child in self._children.values():
                await child.end_leftover()
            _demand_free_ports(child.spec for child in self._children.values())
        except BaseException:
            os.close(self._own_lock)
            raise
        for name, child in self._children.items():
            self._keepers[name] = asyncio.create_task(self._keep(child), name=f"keep {name}")
            self._echoes.append(asyncio.create_task(self._echo(child), name=f"echo {name}"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._stop()
        finally:
            if self._own_lock is not None:
                os.close(self._own_lock)

    async def ready(self) -> None:
        """Wait until every child is ready. Raises CouldNotStartError."""
        await self._unless_failed(
            self.watch(lambda: all(child.is_ready for child in self._children.values()))
        )
        self._begun = True

    async def until(self, stop: asyncio.Event) -> None:
        """Supervise until told to stop. Raises CouldNotStartError."""
        await self._unless_failed(stop.wait())

    async def watch(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition on the children holds; asked whenever one of them changes."""
        async with self._news:
            await self._news.wait_for(condition)

    def pid(self, name: str) -> int | None:
        """The process that is a child now."""
        process = self._children[name].process
        return process.pid if process and process.returncode is None else None

    def times_ready(self, name: str) -> int:
        """How often a child has become ready."""
        return self._children[name].times_ready

    def kill(self) -> None:
        """End every child now, without grace: the second ctrl-c."""
        for child in self._children.values():
            child.kill()

    async def _unless_failed(self, awaited: Awaitable[object]) -> None:
        """Wait, but not beyond the failure of a keeper."""
        waiting = asyncio.ensure_future(awaited)
        try:
            await asyncio.wait({waiting, *self._keepers.values()}, return_when=asyncio.FIRST_COMPLETED)
            for keeper in self._keepers.values():
                if keeper.done():
                    keeper.result()  # raises
            await waiting
        finally:
            waiting.cancel()

    async def _keep(self, child: "_Child") -> None:
        """Run one child for ever."""
        name, loop = child.spec.name, asyncio.get_running_loop()
        needed = [self._children[need] for need in child.spec.needs]
        await self.watch(lambda: all(other.times_ready for other in needed))
        deaths = failed_starts = 0
        while True:
            await child.start()
            began = loop.time()
            problem = await child.become_ready()
            if problem is None:
                failed_starts = 0
                log.info("child ready", child=name, after_s=round(loop.time() - began, 1))
                await self._tell()
                problem = await child.end()
            else:
                failed_starts += 1
                child.kill()
                await child.end()
            lived = loop.time() - began
            deaths = 1 if lived > self._pace.settled.total_seconds() else deaths + 1
            if failed_starts == STARTS_IN_A_ROW and not self._begun:
                raise CouldNotStartError(child.report(problem))
            if failed_starts and failed_starts % STARTS_IN_A_ROW == 0:
                log.error("child cannot start", child=name, problem=problem, log=str(child.log_file))
            pause = self._pace.pause(deaths)
            log.warning("child died", child=name, problem=problem, restart_in_s=pause.total_seconds())
            await self._tell()
            await asyncio.sleep(pause.total_seconds())

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _echo(self, child: "_Child") -> None:
        """Relay what a child writes, beside everything else: a terminal on hold must not hold us."""
        while True:
            await asyncio.to_thread(self._relay, child)
            await asyncio.sleep(ECHO_PAUSE_S)

    def _relay(self, child: "_Child") -> None:
        if self._say and child.spec.echo:
            for line in child.echoed.lines():
                self._say(f"{child.spec.name:<8} │ {line}")

    async def _stop(self) -> None:
        """Stop the children, the last started first."""
        for keeper in self._keepers.values():
            keeper.cancel()
        await asyncio.gather(*self._keepers.values(), return_exceptions=True)
        for child in reversed(self._children.values()):
            await child.stop()
        for echo in self._echoes:
            echo.cancel()
        with contextlib.suppress(TimeoutError):  # their last words, if anybody listens
            async with asyncio.timeout(1):
                for child in self._children.values():
                    await asyncio.to_thread(self._relay, child)


class LogTail:
    """Reads the whole lines that were added to a file since the last look; one reader at a time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._offset = file.stat().st_size if file.exists() else 0
        self._partial = b""
        self._reading = threading.Lock()

    def lines(self) -> list[str]:
        """The lines that are new; none while another thread reads."""
        if not self._reading.acquire(blocking=False):
            return []
        try:
            return self._read()
        finally:
            self._reading.release()

    def _read(self) -> list[str]:
        if not self._file.exists():
            return []
        if self._file.stat().st_size < self._offset:  # set aside, and begun anew
            self._offset, self._partial = 0, b""
        with self._file.open("rb") as file:
            file.seek(self._offset)
            added = file.read()
        self._offset += len(added)
        *whole, self._partial = (self._partial + added).split(b"\n")
        return [line.decode(errors="replace").rstrip("\r") for line in whole]


class _Child:
    """One child process, its log and its lock."""

    def __init__(self, spec: ChildSpec, state_dir: Path) -> None:
        self.spec = spec
        self.log_file = state_dir / "logs" / f"{spec.name}.log"
        self.lock_file = state_dir / "run" / f"{spec.name}.lock"
        self.process: asyncio.subprocess.Process | None = None
        self.echoed = LogTail(self.log_file)
        self.is_ready = False
        self.times_ready = 0

    async def start(self) -> None:
        """Start the process; its output goes to the log, its lock with it."""
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > LOG_BYTES:
            self.log_file.rename(self.log_file.with_suffix(".log.1"))
        output = os.open(self.log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        said = LogTail(self.log_file)
        lock = await _free_within(self.lock_file, timedelta(seconds=5))  # what it had started may linger
        try:
            if lock is None:
                raise SupervisorError(f"{self.spec.name} runs already: {self.lock_file} is held")
            self.process = await asyncio.create_subprocess_exec(
                *self.spec.argv,
                env=dict(self.spec.env),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,  # ctrl-c reaches us alone; we stop the children in order
                pass_fds=(lock,),
            )
            _write_pid(lock, self.process.pid)
            self._said = said
        except OSError as error:
            raise CouldNotStartError(f"{self.spec.name} cannot be run: {error}") from error
        finally:
            os.close(output)
            if lock is not None:
                os.close(lock)  # the child's copy keeps it locked

    async def become_ready(self) -> str | None:
        """Wait until the child serves; None, or why it does not."""
        limit = self.spec.start_limit.total_seconds()
        serving = asyncio.ensure_future(self.spec.answers() if self.spec.answers else self._says_ready())
        ended = asyncio.ensure_future(self.end())
        try:
            await asyncio.wait({serving, ended}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                return f"{ended.result()} before it was ready"
            if not serving.done():
                return f"not ready after {limit:.0f} s"
            if error := serving.exception():
                return str(error)
        finally:
            serving.cancel()
            ended.cancel()
        self.is_ready = True
        self.times_ready += 1
        return None

    async def _says_ready(self) -> None:
        said = self._said
        while not any(line.startswith(READY) for line in said.lines()):  # noqa: ASYNC110  # files have no event
            await asyncio.sleep(LOOK_PAUSE_S)

    async def end(self) -> str:
        """Wait until the process has ended; how it did."""
        assert self.process  # noqa: S101  # only called between start and end
        code = await self.process.wait()
        self.is_ready = False
        _signal_group(self.process.pid, signal.SIGKILL)  # what it had started itself
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    async def stop(self) -> None:
        """Ask the process to end, and end it after the grace."""
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            async with asyncio.timeout(self.spec.grace.total_seconds()):
                await self.process.wait()
        except TimeoutError:
            log.warning("child killed", child=self.spec.name, after_s=self.spec.grace.total_seconds())
            self.kill()
        await self.end()

    def kill(self) -> None:
        """End the process and all it has started, now."""
        if self.process is not None and self.process.returncode is None:
            _signal_group(self.process.pid, signal.SIGKILL)

    async def end_leftover(self) -> None:
        """End this child as an earlier supervisor left it behind."""
        if (lock := _lock(self.lock_file)) is not None:
            os.close(lock)
            return
        pid = _holder(self.lock_file)
        log.warning("child left over", child=self.spec.name, pid=pid)
        for how, patience in ((signal.SIGTERM, self.spec.grace), (signal.SIGKILL, timedelta(seconds=5))):
            if pid is not None:
                _signal_group(pid, how)
            if (lock := await _free_within(self.lock_file, patience)) is not None:
                os.close(lock)
                return
        raise SupervisorError(
            f"{self.spec.name} of an earlier run (process {pid}) does not end: end it by hand"
        )

    def report(self, problem: str) -> str:
        """Why this child could not start, with the end of its log."""
        text = self.log_file.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        tail = "\n".join(f"  {line}" for line in text)
        return f"{self.spec.name} could not start: {problem}. The end of {self.log_file}:\n{tail}"


def _demand_free_ports(specs: Iterable[ChildSpec]) -> None:
    """Raise for all ports at once that somebody else holds."""
    taken: list[str] = []
    for spec in specs:
        if spec.port is None:
            continue
        with socket.socket() as probe:
            probe.setsockopt(
                socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
            )  # as the child will: ended calls linger
            try:
                probe.bind(("127.0.0.1", spec.port))
            except OSError:
                hint = f": end it, or set {spec.port_setting}" if spec.port_setting else ""
                taken.append(f"port {spec.port}, which {spec.name} needs, is held by another program{hint}")
    if taken:
        raise SupervisorError("\n".join(taken))


def _lock(file: Path) -> int | None:
    """Hold a lock file; None if somebody else does. It is free again when the last holder has ended."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


async def _free_within(file: Path, patience: timedelta) -> int | None:
    """Hold a lock file as soon as it is free; None if that takes too long."""
    loop = asyncio.get_running_loop()
    until = loop.time() + patience.total_seconds()
    while (lock := _lock(file)) is None and loop.time() < until:  # noqa: ASYNC110  # a lock has no event
        await asyncio.sleep(LOOK_PAUSE_S)
    return lock


def _write_pid(lock: int, pid: int) -> None:
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(pid).encode(), 0)


def _holder(file: Path) -> int | None:
    text = file.read_text().strip()
    return int(text) if text.isdigit() else None


def _signal_group(pid: int, how: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, how)
