"""What the pages claim of the code is so."""

import re
from pathlib import Path

import pytest

from rung.cli import VERBS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS = set(VERBS)
NOT_FILES = ("matching", "text/", "America/")  # a setting, a media type, a time zone


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_a_page_names_is_there(page: Path) -> None:
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*\w)`|\]\((?!http)([^)#]+)\)", page.read_text())
    missing = [
        name
        for inline, link in named
        for name in [inline or link]
        if not (ROOT / name).exists() and not (page.parent / name).exists() and not name.startswith(NOT_FILES)
    ]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_a_page_names_exists(page: Path) -> None:
    named = set(re.findall(r"(?:`|bin/)rung ([a-z]+)", page.read_text()))
    assert named - COMMANDS == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_target_a_page_names_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(), re.MULTILINE))
    assert named - targets == set()


def test_every_alarm_has_its_heading_in_the_runbook() -> None:
    files = ("ladder", "climbing", "ownership", "escalation")
    code = "".join((ROOT / f"workflows/{name}.py").read_text() for name in files)
    reasons = re.findall(r'(?:reason = |_alert\(|AlertOperator\()f"([^"]+)"', code)
    headings = [
        _letters(line)
        for line in (ROOT / "docs/runbook.md").read_text().splitlines()
        if line.startswith("## ")
    ]
    assert reasons, "no alarm found in the code: has the way they are written changed?"
    unknown = [reason for reason in reasons if not any(_letters(reason).startswith(h) for h in headings)]
    assert unknown == []


def test_every_command_is_named_in_the_readme_or_the_changelog() -> None:
    text = (ROOT / "README.md").read_text() + (ROOT / "CHANGELOG.md").read_text()
    assert [name for name in sorted(COMMANDS) if f"{name}`" not in text and f"rung {name}" not in text] == []


def _letters(text: str) -> str:
    """A sentence without what is filled in, so that `of {state.id} have` and `of … have` are one."""
    return re.sub(r"[^a-z]+", "", re.sub(r"\{[^}]*\}|…|## ", " ", text))
