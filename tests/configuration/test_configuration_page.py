"""docs/configuration-file.md names every key of the file, under the heading of its part."""

import re
from pathlib import Path

import pytest

from configuration import model
from configuration.model import Configuration, Part

PAGE = (Path(__file__).parents[2] / "docs" / "configuration-file.md").read_text(encoding="utf-8")
PARTS = {
    name: part
    for name, part in vars(model).items()
    if isinstance(part, type) and issubclass(part, Part) and part is not Part
}
# The words before the table of each part.
BEFORE = {
    "Agent": "## An agent",
    "Assistant": "## The AI of a line",
    "Alerts": "## Alerts",
    "Category": "A category:",
    "Configuration": "## The whole file",
    "EmergencyChoice": "`emergency`, `message` and `open_case`:",
    "HandOver": "A hand-over:",
    "Holiday": "A holiday:",
    "Ladder": "## A ladder",
    "Layer": "A layer:",
    "Line": "## A line",
    "Menu": "## The menu of a line",
    "MessageChoice": "`emergency`, `message` and `open_case`:",
    "OpenCaseChoice": "`emergency`, `message` and `open_case`:",
    "Opening": "Opening hours:",
    "Override": "## An override",
    "Person": "## A person",
    "Rotation": "## A rotation",
    "Rung": "A rung:",
    "Window": "Hours:",
}


def table(part: str) -> dict[str, str]:
    """The rows of the part's table, by key."""
    after = PAGE.split(f"\n{BEFORE[part]}", maxsplit=1)[1]
    rows = after.split("| key |", maxsplit=1)[1].split("\n\n", maxsplit=1)[0].splitlines()[2:]
    return {match[1]: row for row in rows if (match := re.match(r"\| `(\w+)` \|", row))}


def keys(part: type[Part]) -> set[str]:
    return {str(field.validation_alias or name) for name, field in part.model_fields.items()}


@pytest.mark.parametrize("part", PARTS)
def test_every_key_of_a_part_is_in_its_table_and_no_other(part: str) -> None:
    assert set(table(part)) == keys(PARTS[part])


@pytest.mark.parametrize("part", PARTS)
def test_every_key_that_must_be_given_says_so(part: str) -> None:
    needed = {
        str(field.validation_alias or name)
        for name, field in PARTS[part].model_fields.items()
        if field.is_required()
    }
    rows = table(part)
    assert {key for key in rows if "| required |" in rows[key]} == needed


@pytest.mark.parametrize("part", PARTS)
def test_every_clock_of_the_page_has_its_unit_and_default(part: str) -> None:
    for name, field in PARTS[part].model_fields.items():
        if name.endswith("_s") and isinstance(field.default, int | float):
            row = table(part)[name]
            assert "seconds" in row
            assert f"| `{field.default:g}` |" in row


def test_the_whole_file_is_every_part() -> None:
    assert set(BEFORE) == set(PARTS)
    assert Configuration in PARTS.values()
