"""The journal: in order, without gaps, bounded, and worth waiting for."""

import asyncio

import pytest

from sandbox.clock import ManualClock
from sandbox.journal import Journal, Kind


def journal(kept: int = 100) -> Journal:
    return Journal(ManualClock(), kept)


def test_records_are_numbered_from_one_and_read_from_any_number() -> None:
    book = journal()
    for person in ("ana", "ben", "cid"):
        book.write(Kind.PUSH, person=person)
    assert [record.seq for record in book.since(0)] == [1, 2, 3]
    assert [record.details["person"] for record in book.since(1)] == ["ben", "cid"]
    assert book.since(3) == book.since(99) == []


def test_the_oldest_are_dropped_and_the_numbers_go_on() -> None:
    book = journal(kept=3)
    for number in range(10):
        book.write(Kind.PUSH, number=str(number))
    assert [record.seq for record in book.since(0)] == [8, 9, 10]
    assert book.last == 10


def test_records_are_found_by_kind_id_and_detail() -> None:
    book = journal()
    book.write(Kind.LEG_HEARD, call="CA1", text="hello")
    book.write(Kind.LEG_HEARD, call="CA2", text="hello")
    assert [record.call for record in book.of("leg.heard", call="CA2", text="hello")] == ["CA2"]


async def test_waiting_ends_with_the_first_record_that_fits() -> None:
    book = journal()
    book.write(Kind.ALERT, code=1)
    waiting = asyncio.create_task(book.wait_for("alert", code=2))
    await asyncio.sleep(0)
    book.write(Kind.ALERT, code=3)
    book.write(Kind.ALERT, code=2)
    assert (await waiting).seq == 3


async def test_waiting_for_what_was_already_does_not_wait() -> None:
    book = journal()
    book.write(Kind.ALERT, code=1)
    assert (await book.wait_for("alert", code=1)).seq == 1


async def test_waiting_in_vain_says_for_what() -> None:
    with pytest.raises(TimeoutError, match="alert"):
        await journal().wait_for("alert", timeout_s=0.01)
