"""Every mistake an owner can make is told, in one pass, with its line and what to write instead."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from configuration.check import check
from configuration.mistake import Mistake
from configuration.numbers import masked_within, never_dialled
from configuration.rules import RULES

HERE = Path(__file__).parent
EXAMPLE = HERE.parents[1] / "rung.example.yaml"
CLINIC = (HERE / "clinic.yaml").read_text(encoding="utf-8")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Slip:
    """One slip of the owner's pen, and what must be told of it; see slips.yaml."""

    text: str
    on: str
    told: str
    instead: str
    severity: str

    @classmethod
    def of(cls, row: Mapping[str, str]) -> "Slip":
        text = edited((row["for"], row["write"]))
        return cls(text, row["on"], row["told"], row["instead"], row.get("severity", "error"))

    def is_told_by(self, mistake: Mistake) -> bool:
        return self.told in mistake.what and self.instead in mistake.instead


def slips() -> dict[str, Mapping[str, str]]:
    rows: object = yaml.safe_load((HERE / "slips.yaml").read_text(encoding="utf-8"))
    return cast("dict[str, Mapping[str, str]]", rows)


def edited(*edits: tuple[str, str]) -> str:
    text = CLINIC
    for before, after in edits:
        assert text.count(before) == 1, f"{before!r} is not once in the clinic's file"
        text = text.replace(before, after)
    return text


def line_of(text: str, piece: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if piece in line)


SLIPS = slips()


def test_the_clinic_has_no_mistake() -> None:
    checked = check(CLINIC, "clinic.yaml", NOW)
    assert checked.mistakes == ()
    assert checked.configuration is not None
    assert list(checked.configuration.lines) == ["clinic"]


def test_the_example_has_no_mistake() -> None:
    checked = check(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE.name, NOW)
    assert checked.mistakes == ()


def test_the_example_has_eight_rungs_of_two_minutes() -> None:
    configuration = check(EXAMPLE.read_text(encoding="utf-8"), EXAMPLE.name, NOW).configuration
    assert configuration is not None
    rungs = configuration.ladders["night"].rungs
    assert [rung.wait_s for rung in rungs] == [120] * 8
    assert [rung.page for rung in rungs[:2]] == [("primary",), ("secondary",)]


@pytest.mark.parametrize("rule", SLIPS)
def test_slip_is_told_with_its_line_and_what_to_write(rule: str) -> None:
    slip = Slip.of(SLIPS[rule])
    checked = check(slip.text, "clinic.yaml", NOW)
    told = [mistake for mistake in checked.mistakes if slip.is_told_by(mistake)]
    assert told, f"not told; told was {list(map(str, checked.mistakes))}"
    assert told[0].line == line_of(slip.text, slip.on), told[0]
    assert told[0].severity == slip.severity
    assert (checked.configuration is None) == (slip.severity == "error")


@pytest.mark.parametrize("rule", SLIPS)
def test_slip_alone_is_told_once(rule: str) -> None:
    slip = Slip.of(SLIPS[rule])
    told = check(slip.text, "clinic.yaml", NOW).mistakes
    assert len([mistake for mistake in told if slip.is_told_by(mistake)]) == 1


def test_every_mistake_is_told_in_one_pass_in_the_order_of_lines() -> None:
    text = edited(
        ("phone: +12025550112", "phone: 202-555-0112"),
        ("people: [ana, ben]", "people: [ana, bem]"),
        ("person: cy", "person: cyy"),
        ("page: [cy]", "page: [cyy]\n        wait_s: 0"),
        ("emergency_number: 911", "emergancy_number: 911"),
        ("water: { key: 2", "water: { key: 1"),
        ("severity: life", "severity: death"),
    )
    told = check(text, "clinic.yaml", NOW).errors
    pieces = [
        "E.164",
        "'bem'",
        "'cyy'",
        "'cyy'",
        "zero",
        "no emergency number",
        "emergancy",
        "death",
        "key 1",
    ]
    for piece in pieces:
        assert any(piece in mistake.what for mistake in told), piece
    assert [mistake.line for mistake in told] == sorted(mistake.line for mistake in told)
    assert len(told) == len(pieces)


def test_a_mistake_reads_as_file_line_place_what_and_what_to_write() -> None:
    told = check(edited(("phone: +12025550112", "phone: 202-555-0112")), "rung.yaml").mistakes
    assert str(told[0]) == (
        "rung.yaml:8: people.ben.phone: '202-555-0112' is not a number in E.164 form. Write: +12025550112"
    )


def test_items_of_lists_are_counted_from_one() -> None:
    told = check(edited(("page: [cy]", "page: [cy, dy]")), "rung.yaml").mistakes
    assert told[0].where == "ladders.night.rungs[2].page[2]"


def test_a_warning_does_not_keep_the_file_from_being_used() -> None:
    checked = check(edited(("    last_resort: [ben]\n", "")), "clinic.yaml", NOW)
    assert [mistake.severity for mistake in checked.mistakes] == ["warning"]
    assert checked.configuration is not None


def test_a_mistake_never_shows_the_password_in_a_push_url() -> None:
    text = edited(("push: [ntfy://rung-ana]", "push: [slak://hunter2/x]\n    sms: slack://hunter2/x"))
    told = "\n".join(map(str, check(text, "clinic.yaml").mistakes))
    assert "slak" in told
    assert "hunter2" not in told


def test_numbers_are_advised_by_the_country_of_the_file() -> None:
    text = edited(("phone: +12025550112", "phone: 030 9018200"), ("alerts:", "country: DE\nalerts:"))
    assert "+49309018200" in {mistake.instead for mistake in check(text, "clinic.yaml").mistakes}


@pytest.mark.parametrize("number", ["911", "112", "999"])
def test_the_best_known_emergency_numbers_are_refused_in_every_country(number: str) -> None:
    text = edited(("phone: +12025550112", f"phone: {number}"), ("alerts:", "country: JP\nalerts:"))
    assert any("never dials" in mistake.what for mistake in check(text, "clinic.yaml", NOW).errors)


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("911", "an emergency number"),
        ("+49112", "an emergency number"),
        ("+19005550112", "a premium-rate number"),
        ("900 555 0112", "a premium-rate number"),
        ("+12025550112", None),
        ("not a number", None),
    ],
)
def test_whoever_dials_can_ask_what_is_never_dialled(number: str, why: str | None) -> None:
    assert never_dialled(number, "US") == why


def test_without_an_instant_a_rotation_may_begin_at_any_time() -> None:
    assert check(edited(("starts: 2026-01-05", "starts: 2030-01-07")), "clinic.yaml").mistakes == ()


def test_a_rotation_nobody_pages_may_begin_later() -> None:
    later = """rotations:
  summer:
    time_zone: America/New_York
    layers:
      - { people: [ana], hand_over: { weekday: monday, at: "09:00" }, starts: 2026-06-01 }
"""
    assert check(edited(("rotations:\n", later)), "clinic.yaml", NOW).mistakes == ()


def test_a_layer_that_waits_for_its_start_leaves_a_gap_until_then() -> None:
    mondays = 'starts: 2026-01-05\n        hours: [{ days: [monday], from: "00:00", until: "24:00" }]'
    rest = '      - { people: [cy], hand_over: { weekday: monday, at: "09:00" }, starts: 2026-05-04 }'
    text = edited(("starts: 2026-01-05", f"{mondays}\n{rest}"))
    told = check(text, "clinic.yaml", NOW).errors
    assert [mistake.what for mistake in told] == [
        "the rotation has not begun: nobody is on call before 2026-05-04"
    ]


def test_overrides_that_touch_do_not_overlap() -> None:
    after = "person: cy\n  - { rotation: primary, from: 2026-03-08 18:00, until: 2026-03-09, person: ben }"
    text = edited(("person: cy", after.replace("2026-03-09,", "2026-03-09 09:00,")))
    assert check(text, "clinic.yaml", NOW).mistakes == ()


def test_hours_until_midnight_make_sense() -> None:
    assert check(edited(('until: "18:00"', 'until: "24:00"')), "clinic.yaml", NOW).mistakes == ()


@pytest.mark.parametrize(
    ("written", "read"),
    [("12:30", "12:30"), ("9:05", "09:05"), ("10:00", "10:00")],
    ids=["not_base_sixty", "one_digit_hours", "an_hour_without_quotes"],
)
def test_times_need_no_quotes(written: str, read: str) -> None:
    configuration = check(edited(('at: "09:00"', f"at: {written}")), "clinic.yaml", NOW).configuration
    assert configuration is not None
    at = configuration.rotations["primary"].layers[0].hand_over.at
    assert f"{at:%H:%M}" == read


def test_a_word_is_never_taken_for_yes_or_no() -> None:
    configuration = check(edited(("name: Ben", "name: No")), "clinic.yaml", NOW).configuration
    assert configuration is not None
    assert configuration.people["ben"].name == "No"


def test_one_name_may_stand_for_a_list_of_one() -> None:
    configuration = check(edited(("page: [cy]", "page: cy")), "clinic.yaml", NOW).configuration
    assert configuration is not None
    assert configuration.ladders["night"].rungs[1].page == ("cy",)
    assert "cyy" in check(edited(("page: [cy]", "page: cyy")), "clinic.yaml").mistakes[0].what


def test_a_key_with_nothing_behind_it_counts_as_left_out() -> None:
    text = edited(("      holidays:\n        - date: 2026-12-25\n", "      holidays:\n"))
    assert check(text, "clinic.yaml", NOW).mistakes == ()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "---\n",
        "just words",
        "- a\n- b\n",
        "{",
        "a: &a [*a]",
        "[" * 5000,
        "\x00",
        "a: 1\n---\nb: 2\n",
    ],
    ids=["empty", "comment", "mark", "words", "list", "open", "self", "deep", "control", "two_documents"],
)
def test_text_that_is_no_configuration_is_told_not_raised(text: str) -> None:
    checked = check(text, "x.yaml")
    assert checked.configuration is None
    assert checked.errors


def test_aliases_of_aliases_are_cut_short() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
    )
    assert any("far too much" in mistake.what for mistake in check(bomb, "x.yaml").errors)


JUNK = st.sampled_from(
    [
        "null",
        "true",
        "12",
        "-1.5",
        "''",
        "ana",
        "911",
        "[]",
        "[[1]]",
        "{}",
        "{a: {b: c}}",
        "[{}]",
        "[null]",
        "*x",
    ]
)


@settings(max_examples=150, deadline=None)
@given(line=st.integers(0, len(CLINIC.splitlines()) - 1), junk=JUNK)
@example(line=9, junk="[[1]]")
def test_any_value_in_any_place_is_told_never_raised(line: int, junk: str) -> None:
    lines = CLINIC.splitlines()
    lines[line] = re.sub(r"(^\s*(?:- )?\w+:|^\s*-).*", rf"\1 {junk}", lines[line])
    checked = check("\n".join(lines), "x.yaml", NOW)
    assert (checked.configuration is None) == bool(checked.errors)
    assert all(1 <= mistake.line <= len(lines) + 1 for mistake in checked.mistakes)
    assert all(mistake.instead for mistake in checked.mistakes)


@settings(max_examples=100, deadline=None)
@example(cut=620)  # a line without anything in it
@given(cut=st.integers(0, len(CLINIC)))
def test_a_file_cut_off_anywhere_is_told_never_raised(cut: int) -> None:
    checked = check(CLINIC[:cut], "x.yaml", NOW)
    assert (checked.configuration is None) == bool(checked.errors)


def test_every_rule_says_in_a_sentence_what_it_holds() -> None:
    assert all(rule.__doc__ and rule.__doc__.endswith(".") for rule in RULES)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+12025550142 is premium", "•••0142 is premium"),
        ("'(202) 555-0142' is not", "'(•••0142' is not"),
        ("before 2026-03-09 18:00", "before 2026-03-09 18:00"),
        ("100000 seconds, line 12", "100000 seconds, line 12"),
    ],
    ids=["e164", "as_written", "dates_stay", "short_numbers_stay"],
)
def test_whole_numbers_are_masked_in_what_is_logged(text: str, masked: str) -> None:
    assert masked_within(text) == masked
