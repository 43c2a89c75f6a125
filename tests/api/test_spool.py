"""The spool on a real disk: nothing that was answered for is lost, whenever a process is killed."""

import asyncio
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.spool import ActDone, Delivery, Kept, Record, Spool, hand_over
from workflows.values import Act, ActId, ActKind, EscalationId, PersonId, Via

ROOT = Path(__file__).parents[2]

# Programs for processes that are killed: each tells on its output what it has answered for.
MAKE = """
import asyncio, sys
from pathlib import Path
from api.spool import ActDone, Record, Spool, hand_over
from workflows.values import Act, ActId, ActKind, EscalationId, PersonId, Via
spool = Spool(Path(sys.argv[1]))
def record(number):
    act = Act(ActKind.ACKNOWLEDGE, ActId(f"act-{number}"), PersonId("ana"), Via.KEY)
    return Record(f"r-{number}", ActDone(EscalationId("e-1"), act))
"""
WRITER = (
    MAKE
    + """
for number in range(int(sys.argv[2])):
    spool.append(record(number))
    print(f"act-{number}", flush=True)
"""
)
EMPTIER = (
    MAKE
    + """
async def deliver(kept):
    print(kept.act.id, flush=True)
    return "done"
asyncio.run(hand_over(spool, deliver))
"""
)


def act(number: int) -> ActDone:
    done = Act(ActKind.ACKNOWLEDGE, ActId(f"act-{number}"), PersonId("ana"), Via.KEY)
    return ActDone(EscalationId("e-1"), done)


def record(number: int) -> Record:
    return Record(f"r-{number}", act(number))


def ids(spool: Spool) -> list[str]:
    return [found.id for found in spool.read()]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "state" / "spool.jsonl")


class Recipient:
    """Takes records, or says that it cannot."""

    def __init__(self, *, open_for: int = 1_000_000, unwanted: str = "") -> None:
        self.open_for = open_for
        self.unwanted = unwanted
        self.got: list[str] = []

    async def __call__(self, kept: Kept) -> Delivery:
        assert isinstance(kept, ActDone)
        if kept.act.id == self.unwanted:
            return "never"
        if self.open_for <= len(self.got):
            return "later"
        self.got.append(kept.act.id)
        return "done"


async def test_what_was_kept_is_handed_over_once_in_order_and_removed(spool: Spool) -> None:
    for number in range(3):
        assert await spool.keep(act(number))
    to = Recipient()
    assert await hand_over(spool, to) == 3
    assert to.got == ["act-0", "act-1", "act-2"]
    assert len(spool) == 0
    assert await hand_over(spool, to) == 0


async def test_what_cannot_be_handed_over_stays_in_its_order(spool: Spool) -> None:
    for number in range(4):
        await spool.keep(act(number))
    assert await hand_over(spool, Recipient(open_for=2)) == 2
    later = Recipient()
    await hand_over(spool, later)
    assert later.got == ["act-2", "act-3"]


async def test_what_nobody_wants_holds_nothing_up(spool: Spool) -> None:
    for number in range(3):
        await spool.keep(act(number))
    to = Recipient(unwanted="act-0")
    assert await hand_over(spool, to) == 3
    assert to.got == ["act-1", "act-2"]


async def test_what_comes_while_it_is_emptied_is_kept(spool: Spool) -> None:
    await spool.keep(act(1))

    async def deliver(kept: Kept) -> Delivery:
        await spool.keep(act(2))
        return "done"

    assert await hand_over(spool, deliver) == 1
    assert [one.kept for one in spool.read()] == [act(2)]


def test_only_this_user_can_read_it(spool: Spool) -> None:
    spool.append(record(1))
    assert stat.S_IMODE(spool.path.stat().st_mode) == 0o600
    spool.append(record(2))
    spool.remove({"r-1"})
    assert stat.S_IMODE(spool.path.stat().st_mode) == 0o600


def test_an_empty_spool_is_no_file_and_no_error(spool: Spool) -> None:
    assert (len(spool), spool.read()) == (0, [])
    spool.remove({"r-1"})


@given(cut=st.integers(min_value=0, max_value=400))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_line_torn_by_a_kill_spoils_no_other(tmp_path: Path, cut: int) -> None:
    spool = Spool(tmp_path / f"{cut}.jsonl")
    spool.path.unlink(missing_ok=True)
    spool.append(record(1))
    whole = spool.path.read_bytes()
    spool.append(record(2))
    end = min(len(whole) + cut, spool.path.stat().st_size)
    os.truncate(spool.path, end)

    spool.append(record(3))
    assert [one for one in ids(spool) if one != "r-2"] == ["r-1", "r-3"]


def test_bad_lines_are_put_aside_for_somebody_to_look_at(spool: Spool) -> None:
    spool.append(record(1))
    with spool.path.open("ab") as file:
        file.write(b'{"id": "r-2", "kept": {"kind": "act"\n\xff\xfe\n{"kind": "wish"}\n')
    spool.append(record(3))
    assert len(spool) == 5
    spool.remove({"r-1"})

    assert ids(spool) == ["r-3"]
    assert len(spool) == 1
    aside = spool.path.with_name("spool.jsonl.bad").read_bytes()
    assert aside == b'{"id": "r-2", "kept": {"kind": "act"\n\xff\xfe\n{"kind": "wish"}\n'


async def test_a_disk_that_refuses_is_reported_not_raised(tmp_path: Path) -> None:
    (tmp_path / "spool.jsonl").mkdir()
    assert not await Spool(tmp_path / "spool.jsonl").keep(act(1))


def _killed_after(process: "subprocess.Popen[str]", count: int) -> list[str]:
    """Let it answer for so many acts, kill it in mid-work; all that it has answered for."""
    assert process.stdout is not None
    said: list[str] = []
    while len(said) < count:
        said += [line for line in [process.stdout.readline()] if line.startswith("act-")]
    process.send_signal(signal.SIGKILL)
    rest = process.stdout.read().splitlines(keepends=True)
    process.wait()
    process.stdout.close()
    said += [line for line in rest if line.startswith("act-") and line.endswith("\n")]
    return [line.strip() for line in said]


def _start(program: str, path: Path, count: int = 100_000) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # noqa: S603  # our own Python
        [sys.executable, "-c", program, str(path), str(count)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def test_a_writer_killed_in_mid_work_loses_nothing_it_answered_for(spool: Spool) -> None:
    answered = _killed_after(_start(WRITER, spool.path), 40)
    spool.append(record(-1))
    found = ids(spool)
    assert found[-1] == "r--1"
    assert {act.replace("act", "r") for act in answered} <= set(found)


@pytest.mark.parametrize("after", [1, 7])
async def test_an_emptier_killed_in_mid_work_loses_nothing_and_doubles_at_most_one(
    spool: Spool, after: int
) -> None:
    for number in range(100):
        spool.append(record(number))
    first = await asyncio.to_thread(_killed_after, _start(EMPTIER, spool.path), after)
    rest = Recipient()
    await hand_over(spool, rest)

    assert set(first) | set(rest.got) == {f"act-{number}" for number in range(100)}
    assert len(set(first) & set(rest.got)) <= 1


def test_two_processes_share_it(spool: Spool) -> None:
    both = [_start(WRITER, spool.path, 50) for _ in range(2)]
    for process in both:
        assert process.wait() == 0
        assert process.stdout is not None
        process.stdout.close()
    assert len(spool.read()) == 100
