"""The static documents for another host: a whole night that asks nothing of ours."""

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from api.fallback import documents, rota
from configuration.check import check
from configuration.model import Configuration
from rung.cli.door import fallback
from tests.api.house import NIGHT
from tests.api.twilio_side import Twiml

FILE = Path(__file__).with_name("night.yaml")
EXAMPLE = Path(__file__).parents[2] / "rung.example.yaml"
HOST = "https://static.example.net/rung"


@pytest.fixture(scope="module")
def night() -> Configuration:
    found = check(FILE.read_text(), str(FILE)).configuration
    assert found is not None
    return found


def document(night: Configuration, name: str) -> Twiml:
    return Twiml(200, documents(night, HOST, NIGHT)[name])


def test_one_document_a_line_and_four_that_they_share(night: Configuration) -> None:
    assert set(documents(night, HOST, NIGHT)) == {
        "clinic.xml",
        "hotel.xml",
        "screen.xml",
        "connect.xml",
        "thanks.xml",
        "one-moment.xml",
    }


def test_whoever_is_on_a_page_call_while_the_door_is_away_is_led_back_to_where_they_were(
    night: Configuration,
) -> None:
    found = document(night, "one-moment.xml")
    assert found.verbs == ["Say", "Say", "Pause", "Redirect"]
    assert found.says.startswith("One moment, please.")
    assert found.one("Redirect").text == "{{ErrorUrl}}"


def test_danger_comes_first_in_every_language_of_the_line(night: Configuration) -> None:
    says = document(night, "clinic.xml").says
    assert says.startswith(
        "If anyone is in danger, hang up and dial 911. Si alguien está en peligro, cuelgue"
    )


def test_one_person_is_rung_after_the_other_and_a_recording_ends_it(night: Configuration) -> None:
    found = document(night, "clinic.xml")
    between = ["Dial", "Say", "Pause"]
    assert found.verbs == ["Say", "Say", "Say", *between * 4, "Say", "Record", "Redirect"]
    rung = [[number.text for number in dial.iter("Number")] for dial in found.root.iter("Dial")]
    assert rung == [["+12025550111"], ["+12025550112"], ["+12025550113"], ["+12025550111"]]
    assert "If you have been helped, hang up. Otherwise, please stay on the line." in found.says


def test_nobody_is_connected_without_a_key(night: Configuration) -> None:
    found = document(night, "clinic.xml")
    assert {number.attrib["url"] for number in found.root.iter("Number")} == {f"{HOST}/screen.xml"}
    screen = document(night, "screen.xml")
    assert screen.verbs == ["Gather", "Hangup"]
    assert screen.attribute("Gather", "action") == f"{HOST}/connect.xml"
    assert screen.attribute("Gather", "actionOnEmptyResult") == "false"
    assert "Riverside Clinic, Hotel Sur" in screen.says
    assert document(night, "connect.xml").verbs == ["Say"]


def test_nothing_is_asked_of_any_other_host_and_only_by_get(night: Configuration) -> None:
    for name, text in documents(night, HOST, NIGHT).items():
        for element in ElementTree.fromstring(text).iter():  # noqa: S314  # what we wrote ourselves
            for attribute in ("action", "url"):
                assert element.attrib.get(attribute, HOST).startswith(HOST), name
            if "action" in element.attrib or "url" in element.attrib:
                assert element.attrib["method"] == "GET", (name, element.tag)
            if element.tag == "Redirect":
                assert (element.text or "").startswith((HOST, "{{ErrorUrl}}"))


def test_a_dial_in_a_static_document_goes_on_to_the_next_verb(night: Configuration) -> None:
    assert "action" not in document(night, "clinic.xml").one("Dial").attrib


def test_the_rota_is_that_hours(night: Configuration) -> None:
    assert rota(night, "clinic", NIGHT) == ("+12025550111", "+12025550112", "+12025550113", "+12025550111")


@pytest.fixture
def command() -> typer.Typer:
    app = typer.Typer()
    app.command()(fallback)
    return app


def test_rung_fallback_writes_them_and_says_when_to_write_them_anew(
    command: typer.Typer, tmp_path: Path
) -> None:
    options = ["--out", str(tmp_path / "out"), "--base-url", HOST, "--file", str(EXAMPLE)]
    ran = CliRunner().invoke(command, [*options, "--at", "2026-03-03T07:18:00"])
    assert ran.exit_code == 0, ran.output
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {
        "clinic.xml",
        "property.xml",
        "screen.xml",
        "connect.xml",
        "thanks.xml",
        "one-moment.xml",
    }
    assert f"+12025550101: {HOST}/clinic.xml" in ran.output
    assert "the rota changes next at 2026-03-03 23:00 UTC" in ran.output


def test_another_hour_has_another_rota(command: typer.Typer, tmp_path: Path) -> None:
    wrote: list[str] = []
    for at in ("2026-03-03T07:18:00", "2026-03-10T07:18:00"):
        options = ["--out", str(tmp_path), "--base-url", HOST, "--file", str(EXAMPLE), "--line", "clinic"]
        assert CliRunner().invoke(command, [*options, "--at", at]).exit_code == 0
        wrote.append((tmp_path / "clinic.xml").read_text())
    assert wrote[0] != wrote[1]
    assert not (tmp_path / "property.xml").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--line", "clinc"], "no line is called 'clinc'"),
        (["--at", "tonight"], "'tonight' is not a time"),
        (["--base-url", "static.example.net"], "is not an address"),
        (["--file", "nothing.yaml"], "nothing.yaml cannot be read"),
    ],
)
def test_a_mistake_is_told_with_what_to_give_instead(
    command: typer.Typer, tmp_path: Path, options: list[str], said: str
) -> None:
    given = ["--out", str(tmp_path), "--base-url", HOST, "--file", str(EXAMPLE), *options]
    ran = CliRunner().invoke(command, given)
    assert ran.exit_code == 2
    assert said in ran.output
    assert list(tmp_path.iterdir()) == []


def test_the_time_may_have_a_zone(command: typer.Typer, tmp_path: Path) -> None:
    options = ["--out", str(tmp_path), "--base-url", HOST, "--file", str(EXAMPLE)]
    at = datetime(2026, 3, 3, 2, 18, tzinfo=UTC).isoformat()
    assert CliRunner().invoke(command, [*options, "--at", at]).exit_code == 0
