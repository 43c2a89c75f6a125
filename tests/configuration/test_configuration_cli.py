"""`rung check` and `rung who`, as an owner and a script see them."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from rung.cli import configuration as commands

CLINIC = Path(__file__).parent / "clinic.yaml"
EXAMPLE = Path(__file__).parents[2] / "rung.example.yaml"


def rung(*arguments: str, environment: str | None = None) -> Result:
    app = typer.Typer()
    app.command()(commands.check)
    app.command()(commands.who)
    return CliRunner().invoke(app, list(arguments), env={"RUNG_CONFIG": environment, "COLUMNS": "200"})


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.yaml"
    text = CLINIC.read_text(encoding="utf-8")
    path.write_text(
        text.replace("+12025550112", "202-555-0112").replace("person: cy", "person: cyy"), "utf-8"
    )
    return path


def test_check_of_a_good_file_says_in_one_line_what_was_read() -> None:
    result = rung("check", str(CLINIC))
    assert result.exit_code == 0
    assert result.output == (f"{CLINIC}: 0 mistakes, 0 warnings; 4 people, 1 rotation, 1 ladder, 1 line\n")


def test_check_prints_every_mistake_and_their_count(broken: Path) -> None:
    result = rung("check", str(broken))
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{broken}:8: people.ben.phone: '202-555-0112' is not a number in E.164 form. Write: +12025550112",
        f"{broken}:27: overrides[1].person: no person is called 'cyy'. Write: cy",
        f"{broken}: 2 mistakes, 0 warnings",
    ]


def test_check_with_warnings_alone_is_clean(tmp_path: Path) -> None:
    path = tmp_path / "warned.yaml"
    path.write_text(CLINIC.read_text(encoding="utf-8").replace("    last_resort: [ben]\n", ""), "utf-8")
    result = rung("check", str(path))
    assert result.exit_code == 0
    assert "warning: ladders.night" in result.output
    assert "0 mistakes, 1 warning; 4 people" in result.output


def test_check_without_such_a_file_is_a_usage_error() -> None:
    result = rung("check", "nowhere.yaml")
    assert result.exit_code == 2
    assert "there is no file nowhere.yaml" in result.stderr


def test_check_takes_the_file_of_the_environment() -> None:
    assert rung("check", environment=str(CLINIC)).exit_code == 0


def test_check_takes_rung_yaml_else_the_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert rung("check").exit_code == 2
    (tmp_path / "rung.example.yaml").write_text(EXAMPLE.read_text(encoding="utf-8"), "utf-8")
    assert rung("check").output.startswith("rung.example.yaml: 0 mistakes")
    (tmp_path / "rung.yaml").write_text(CLINIC.read_text(encoding="utf-8"), "utf-8")
    assert rung("check").output.startswith("rung.yaml: 0 mistakes")


def test_check_of_a_file_that_is_no_text_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "rung.yaml"
    path.write_bytes(b"\xff\xfe\xff")
    assert rung("check", str(path)).exit_code == 2


def test_who_tells_the_rungs_in_order_with_channels_and_reasons() -> None:
    result = rung("who", "clinic", "--at", "2026-03-07T03:00", "--file", str(CLINIC))
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "Clinic (clinic), Saturday 7 March 2026 03:00 America/New_York, closed",
        "no category, urgent, ladder night",
        "",
        "1. rung 1: 120 s with a caller waiting, 300 s without, rung again after 60 s",
        "   Cy: phone •••0113, SMS •••0113",
        (
            "      primary rotation, week of 2 March, handed over Monday 09:00 America/New_York; "
            "override by Cy until Sunday 8 March 18:00"
        ),
        "",
        "2. rung 2: 120 s with a caller waiting, 300 s without, rung again after 60 s",
        "   Cy: phone •••0113, SMS •••0113",
        "      named on the rung",
        "",
        "Exhausted: the last resort is paged",
        "   Ben: phone •••0112, SMS •••0112",
        "      named as the last resort",
        "   and it goes round again after pauses of 0, 300, 900, 1800 s",
    ]


def test_who_takes_a_naive_time_in_the_lines_zone_and_any_other_as_written() -> None:
    naive = rung("who", "clinic", "--at", "2026-03-07 03:00", "--file", str(CLINIC))
    aware = rung("who", "clinic", "--at", "2026-03-07T08:00Z", "--file", str(CLINIC))
    assert naive.output == aware.output


def test_who_says_how_it_took_a_time_that_the_clock_shows_never_or_twice() -> None:
    never = rung("who", "clinic", "--at", "2026-03-08T02:30", "--file", str(CLINIC))
    assert "never on the clock in America/New_York; taken as 2026-03-08T03:00-04:00" in never.stderr
    twice = rung("who", "clinic", "--at", "2026-11-01T01:30", "--file", str(CLINIC))
    assert "twice on the clock in America/New_York; taken as 2026-11-01T01:30-04:00" in twice.stderr


def test_who_tells_whose_turn_changed_at_a_local_hand_over() -> None:
    before, after = (
        rung("who", "clinic", "--at", at, "--file", str(CLINIC)).output
        for at in ("2026-03-09T08:59:59", "2026-03-09T09:00")
    )
    assert "   Ana: phone •••0111, SMS •••0111, push ntfy" in before
    assert "   Ben: phone •••0112, SMS •••0112" in after


def test_who_tells_that_a_rotation_has_nobody() -> None:
    result = rung("who", "clinic", "--at", "2026-01-01T00:00", "--file", str(CLINIC))
    assert "   Nobody: primary rotation does not begin until Monday 5 January 09:00" in result.output


def test_who_tells_that_the_line_is_open_and_where_calls_go() -> None:
    result = rung("who", "clinic", "--at", "2026-03-06T12:00", "--file", str(CLINIC))
    assert "America/New_York, open\n" in result.output
    assert "calls are first forwarded to •••0100" in result.output


def test_who_takes_a_category() -> None:
    result = rung("who", "clinic", "--category", "medical", "--file", str(CLINIC))
    assert "category medical, life, ladder night" in result.output


def test_who_without_a_time_is_now() -> None:
    assert rung("who", "clinic", "--file", str(CLINIC)).exit_code == 0


def test_who_speaks_json_to_programs_with_numbers_masked() -> None:
    result = rung("who", "clinic", "--at", "2026-03-10T03:00", "--json", "--file", str(EXAMPLE))
    plan = json.loads(result.output)
    assert plan["at"] == "2026-03-10T07:00:00+00:00"
    assert len(plan["rungs"]) == 8
    assert plan["rungs"][0]["people"][0]["voice"] == "•••0112"
    assert "+1202555" not in result.output
    assert "127.0.0.1" not in result.output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("clinc",), "no line is called 'clinc'; did you mean clinic? lines in this file: clinic"),
        (("x",), "no line is called 'x'; lines in this file: clinic"),
        (("clinic", "--category", "watr"), "has no category 'watr'; did you mean water? categories in this"),
        (("clinic", "--at", "tonight"), "'tonight' is not a time; give one such as"),
    ],
    ids=["a_line_misspelt", "no_such_line", "no_such_category", "no_time"],
)
def test_who_says_what_there_is_instead(arguments: tuple[str, ...], told: str) -> None:
    result = rung("who", *arguments, "--file", str(CLINIC))
    assert result.exit_code == 2
    assert told in result.stderr


def test_who_from_a_broken_file_tells_its_mistakes(broken: Path) -> None:
    result = rung("who", "clinic", "--file", str(broken))
    assert result.exit_code == 1
    assert "overrides[1].person: no person is called 'cyy'" in result.stderr
    assert result.stdout == ""
