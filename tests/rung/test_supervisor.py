"""Children are kept running, restarted when they die, and stopped in order. All are real processes."""

import asyncio
import os
import signal
import socket
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from rung.supervisor import ChildSpec, CouldNotStartError, LogTail, Pace, Supervisor, SupervisorError

QUICK = Pace(first=timedelta(milliseconds=10), longest=timedelta(milliseconds=40))
SERVES = "import time; print('READY', flush=True); time.sleep(600)"
FAILS = "import sys; sys.exit('no configuration at all')"


def child(name: str, code: str = SERVES, **more: Any) -> ChildSpec:
    return ChildSpec(name, (sys.executable, "-S", "-c", code), {"PATH": os.environ["PATH"]}, **more)


def recording(name: str, file: Path) -> ChildSpec:
    """A child that writes its name when it is asked to end."""
    return child(
        name,
        f"""
import signal, sys, time
def bye(*_):
    open({str(file)!r}, "a").write("{name} ")
    sys.exit()
signal.signal(signal.SIGTERM, bye)
print("READY", flush=True)
time.sleep(600)
""",
    )


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z" if Path("/proc").exists() else True


async def test_a_child_killed_with_kill_9_is_started_again(tmp_path: Path) -> None:
    async with Supervisor([child("worker")], tmp_path, pace=QUICK) as supervisor:
        await supervisor.ready()
        first = supervisor.pid("worker")
        assert first is not None

        os.kill(first, signal.SIGKILL)
        await supervisor.watch(lambda: supervisor.times_ready("worker") == 2)

        assert supervisor.pid("worker") not in {first, None}
        assert not alive(first)


async def test_children_are_stopped_in_the_reverse_order_of_starting(tmp_path: Path) -> None:
    stopped = tmp_path / "stopped"
    specs = [recording(name, stopped) for name in ("temporal", "worker", "api")]

    async with Supervisor(specs, tmp_path) as supervisor:
        await supervisor.ready()

    assert stopped.read_text().split() == ["api", "worker", "temporal"]


async def test_a_child_that_does_not_end_is_killed_after_its_grace(tmp_path: Path) -> None:
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + SERVES
    async with Supervisor([child("deaf", deaf, grace=timedelta(seconds=0.2))], tmp_path) as supervisor:
        await supervisor.ready()
        pid = supervisor.pid("deaf")

    assert pid is not None
    assert not alive(pid)


async def test_what_a_child_has_started_ends_with_it(tmp_path: Path) -> None:
    parent = (
        "import subprocess, sys, time;"
        f"print('READY', subprocess.Popen([sys.executable, '-S', '-c', {SERVES!r}]).pid, flush=True);"
        "time.sleep(600)"
    )
    async with Supervisor([child("parent", parent)], tmp_path) as supervisor:
        await supervisor.ready()
        grandchild = int((tmp_path / "logs" / "parent.log").read_text().split()[1])
        assert alive(grandchild)

    await gone(grandchild)


async def test_a_child_that_cannot_start_three_times_in_a_row_is_reported_with_its_log(
    tmp_path: Path,
) -> None:
    async with Supervisor([child("temporal"), child("worker", FAILS)], tmp_path, pace=QUICK) as supervisor:
        with pytest.raises(CouldNotStartError) as told:
            await supervisor.ready()

    assert "worker could not start: ended with code 1 before it was ready" in str(told.value)
    assert "no configuration at all" in str(told.value)
    assert (tmp_path / "logs" / "worker.log").read_text().count("no configuration") == 3


async def test_a_child_that_never_says_ready_counts_as_not_started(tmp_path: Path) -> None:
    mute = child("mute", "import time; time.sleep(600)", start_limit=timedelta(milliseconds=100))
    async with Supervisor([mute], tmp_path, pace=QUICK) as supervisor:
        with pytest.raises(CouldNotStartError, match="not ready after"):
            await supervisor.ready()


async def test_once_everything_ran_a_failing_child_is_tried_for_ever(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    sometimes = f"import os, sys; os.path.exists({str(broken)!r}) and sys.exit('broken');" + SERVES
    log = tmp_path / "logs" / "worker.log"
    async with Supervisor([child("worker", sometimes)], tmp_path, pace=QUICK) as supervisor:
        await supervisor.ready()
        broken.touch()
        pid = supervisor.pid("worker")
        assert pid is not None

        os.kill(pid, signal.SIGKILL)
        await supervisor.watch(lambda: log.read_text().count("broken") > 3)
        broken.unlink()
        await supervisor.watch(lambda: supervisor.times_ready("worker") == 2)


async def test_a_program_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    async with Supervisor([ChildSpec("ghost", (str(tmp_path / "ghost"),), {})], tmp_path) as supervisor:
        with pytest.raises(CouldNotStartError, match="ghost cannot be run"):
            await supervisor.ready()


async def test_a_child_waits_until_what_it_needs_is_ready(tmp_path: Path) -> None:
    up = tmp_path / "up"
    temporal = child("temporal", f"import time; time.sleep(0.2); open({str(up)!r}, 'w');" + SERVES)
    worker = child("worker", f"open({str(up)!r});" + SERVES, needs=("temporal",))

    async with Supervisor([worker, temporal], tmp_path) as supervisor:
        await supervisor.ready()
        assert supervisor.times_ready("worker") == 1


async def test_a_child_may_be_asked_whether_it_serves_instead_of_saying_so(tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def answers() -> None:
        asked.set()

    silent = child("temporal", "import time; time.sleep(600)", answers=answers)
    async with Supervisor([silent], tmp_path) as supervisor:
        await supervisor.ready()
    assert asked.is_set()


async def test_output_is_kept_in_a_file_and_said_with_the_childs_name(tmp_path: Path) -> None:
    said: list[str] = []
    async with Supervisor(
        [child("api", "print('listening');" + SERVES)], tmp_path, say=said.append
    ) as supervisor:
        await supervisor.ready()

    assert said == ["api      │ listening", "api      │ READY"]
    assert (tmp_path / "logs" / "api.log").read_text() == "listening\nREADY\n"


async def test_a_child_that_writes_much_is_never_held_up(tmp_path: Path) -> None:
    """Three megabytes, while whoever shows them does not read: a pipe holds 64 KB."""
    listening = asyncio.Event()
    loop = asyncio.get_running_loop()

    def a_terminal_on_hold(_line: str) -> None:
        asyncio.run_coroutine_threadsafe(listening.wait(), loop).result()

    chatty = "[print('x' * 1000) for _ in range(3000)];" + SERVES
    async with Supervisor([child("chatty", chatty)], tmp_path, say=a_terminal_on_hold) as supervisor:
        await supervisor.ready()
        listening.set()


async def test_a_port_that_somebody_else_holds_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        port = stranger.getsockname()[1]
        specs = [child("api", port=port, port_setting="RUNG_API_PORT"), child("bridge", port=port)]

        with pytest.raises(SupervisorError) as told:
            async with Supervisor(specs, tmp_path):
                pass

    assert f"port {port}, which api needs, is held by another program: end it, or set RUNG_API_PORT" in str(
        told.value
    )
    assert "which bridge needs" in str(told.value)
    assert not (tmp_path / "logs").exists()


async def test_a_second_supervisor_of_the_same_folder_is_refused(tmp_path: Path) -> None:
    async with Supervisor([child("api")], tmp_path):
        with pytest.raises(SupervisorError, match=f"already running in .* \\(process {os.getpid()}\\)"):
            async with Supervisor([child("api")], tmp_path):
                pass


async def test_children_of_a_supervisor_killed_with_kill_9_are_ended_at_the_next_start(
    tmp_path: Path,
) -> None:
    first = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        f"""
import asyncio, pathlib
from tests.rung.test_supervisor import *
async def main():
    async with Supervisor([child("worker")], pathlib.Path({str(tmp_path)!r})) as supervisor:
        await supervisor.ready()
        print(supervisor.pid("worker"), flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
""",
        stdout=asyncio.subprocess.PIPE,
    )
    assert first.stdout is not None
    orphan = await printed_number(first.stdout)
    first.kill()
    await first.wait()
    assert alive(orphan)

    async with Supervisor([child("worker")], tmp_path) as supervisor:
        await supervisor.ready()
        assert supervisor.pid("worker") != orphan
        await gone(orphan)


def test_pauses_between_restarts_grow_and_have_an_end() -> None:
    pace = Pace()
    pauses = [pace.pause(deaths).total_seconds() for deaths in range(1, 12)]

    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses == sorted(pauses)
    assert pace.pause(10_000) == pace.longest


def test_a_tail_gives_whole_lines_only_and_survives_a_log_set_aside(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("before\n")
    tail = LogTail(log)

    with log.open("a") as file:
        file.write("one\ntw")
    assert tail.lines() == ["one"]
    with log.open("a") as file:
        file.write("o\n")
    assert tail.lines() == ["two"]

    log.rename(tmp_path / "a.log.1")
    assert tail.lines() == []
    log.write_text("anew\n")
    assert tail.lines() == ["anew"]


async def gone(pid: int) -> None:
    """Wait until a process that is nobody's child of ours has ended."""
    async with asyncio.timeout(5):
        while alive(pid):  # noqa: ASYNC110  # the end of a stranger has no event
            await asyncio.sleep(0.01)


async def printed_number(stream: asyncio.StreamReader) -> int:
    """The first line that is a number."""
    async for line in stream:
        if line.strip().isdigit():
            return int(line)
    raise AssertionError("no number was printed")
