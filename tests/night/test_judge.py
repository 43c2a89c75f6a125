"""The one who judges the kill table must itself notice a page that was lost, and one that was doubled."""

from datetime import UTC, datetime

import pytest

from tests.night.journal import Record
from tests.night.judge import Allowance, Reached, complaints, reached
from tests.night.owners_file import Line, OwnersFile

ONCE = Reached(calls=1, texts=1, pushes=1)


@pytest.fixture
def line() -> Line:
    return OwnersFile().line("pipes", [["ana"], ["ben"]])


def night_of(line: Line) -> list[Record]:
    """A night on which both people of the line are paged once, on every channel."""
    records: list[Record] = []

    def happens(kind: str, **details: object) -> None:
        at = datetime(2026, 1, 5, 2, 18, tzinfo=UTC)
        records.append(Record(len(records) + 1, at, kind, None, None, None, None, details))

    happens("call.created", **{"from": line.caller, "to": line.number, "direction": "inbound"})
    for person in line.people:
        happens("call.created", **{"from": line.number, "to": person.number, "direction": "outbound-api"})
        happens("message.created", to=person.number, body="Reply 1234 to take it, 1234 NO to pass.")
        happens("message.created", to=person.number, body="You have it.")
        happens("push", person=person.key, body={"message": "Reply 1234 to take it, 1234 NO to pass."})
    return records


def test_a_night_that_went_well_gives_no_complaint(line: Line) -> None:
    assert complaints({"ana": ONCE, "ben": ONCE}, reached(line, night_of(line))) == []


@pytest.mark.parametrize("kind", ["call.created", "message.created", "push"])
def test_a_lost_page_is_noticed(line: Line, kind: str) -> None:
    night = night_of(line)
    to_ben = [
        r for r in night if r.kind == kind and line.people[1].key in (r.says("person"), _key_of(line, r))
    ]
    night.remove(to_ben[0])

    (complaint,) = complaints({"ana": ONCE, "ben": ONCE}, reached(line, night))
    assert complaint.startswith("lost: ben had 0")


@pytest.mark.parametrize("kind", ["call.created", "message.created", "push"])
def test_a_doubled_page_is_noticed(line: Line, kind: str) -> None:
    night = night_of(line)
    to_ana = [
        r for r in night if r.kind == kind and line.people[0].key in (r.says("person"), _key_of(line, r))
    ]
    night.append(to_ana[0])

    (complaint,) = complaints({"ana": ONCE, "ben": ONCE}, reached(line, night))
    assert complaint.startswith("doubled: ana had 2")


def test_somebody_who_should_have_slept_is_noticed(line: Line) -> None:
    assert complaints({"ana": ONCE}, reached(line, night_of(line))) == [
        "doubled: ben had 1 calls, the story asks for 0",
        "doubled: ben had 1 texts, the story asks for 0",
        "doubled: ben had 1 pushes, the story asks for 0",
    ]


def test_what_a_rule_allows_is_no_complaint_and_nothing_beyond_it(line: Line) -> None:
    push_again = Allowance("a push may be repeated", pushes=1)
    twice, thrice = Reached(1, 1, 2), Reached(1, 1, 3)

    assert complaints({"ana": ONCE}, {"ana": twice}, push_again) == []
    assert complaints({"ana": ONCE}, {"ana": thrice}, push_again)
    assert complaints({"ana": ONCE}, {"ana": Reached(2, 1, 1)}, push_again)


def _key_of(line: Line, record: Record) -> str:
    return {person.number: person.key for person in line.people}.get(record.says("to"), "")
