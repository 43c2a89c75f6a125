"""One form for all logs of a process, and no telephone number in any of them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rung.logs import mask, of_temporal

SAYS = """
import logging, structlog, sys
from dataclasses import dataclass
from pathlib import Path
from rung.logs import set_up
from rung.settings import Settings

@dataclass
class Page:
    to: str

set_up(Settings.apart(state_dir=Path(sys.argv[1]), log_format=sys.argv[2], log_level="info"))
log = structlog.get_logger("rung.test")
log.info("page placed", rung=2, to="+12025550142", pages=[Page("+4930901820")], url="/sms?From=%2B12025550142")
log.debug("frame")
logging.getLogger("uvicorn.error").warning("hello from %s", "+1 (202) 555-0142")
logging.getLogger("uvicorn.access").info("GET /pages/signed-token")
logging.getLogger("temporalio.workflow").error(
    "dropping the signal", extra={"temporal_workflow": {"workflow_id": "escalation-1", "attempt": 1}}
)
try:
    raise ValueError("cannot call +12025550142")
except ValueError:
    log.exception("call failed")
print("READY")
"""


def said(tmp_path: Path, form: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-c", SAYS, str(tmp_path), form]
    return subprocess.run(argv, capture_output=True, text=True, check=True)  # noqa: S603  # our own script


def test_events_are_json_with_keys_and_values_for_a_machine(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in said(tmp_path, "auto").stderr.splitlines()]

    by_event = {line["event"]: line for line in lines}
    assert by_event["page placed"]["rung"] == 2
    assert by_event["page placed"]["level"] == "info"
    assert by_event["dropping the signal"]["workflow"] == "escalation-1"
    assert "ValueError" in by_event["call failed"]["exception"]
    assert list(by_event) == ["page placed", "hello from +1•••0142", "dropping the signal", "call failed"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_log_shows_a_number_whoever_wrote_it(tmp_path: Path, form: str) -> None:
    text = said(tmp_path, form).stderr

    assert "5550142" not in text
    assert "555-0142" not in text
    assert "30901820" not in text
    assert text.count("+1•••0142") >= 4
    assert "+49•••1820" in text


def test_standard_output_is_kept_for_ready(tmp_path: Path) -> None:
    assert said(tmp_path, "json").stdout == "READY\n"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+12025550142", "+1•••0142"),
        ("whatsapp:+12025550142,", "whatsapp:+1•••0142,"),
        ("+49 30 90 18 20", "+49•••1820"),
        ("From=%2B353861234567&To=x", "From=+353•••4567&To=x"),
        ("('+442079460018', '+12025550142')", "('+44•••0018', '+1•••0142')"),
    ],
)
def test_a_number_keeps_its_country_and_four_digits(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize("text", ["2026-03-08T02:30:00+00:00", "3+4=7", "CA0123456789", "took +1200 ms"])
def test_what_is_no_number_stays_as_it_is(text: str) -> None:
    assert mask(text) == text


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True), st.text(alphabet="\"' ,:=(){}[]/", max_size=3))
def test_every_number_in_e164_is_masked(number: str, around: str) -> None:
    assert number not in mask(f"{around}{number}{around}")
    assert "•••" in mask(f"{around}{number}{around}")


def test_lines_of_the_sdk_say_what_they_are_about_in_our_words() -> None:
    details = {"workflow_id": "call-CA1", "run_id": "r1", "namespace": "rung"}

    assert of_temporal(None, "", {"event": "x", "temporal_workflow": details}) == {
        "event": "x",
        "workflow": "call-CA1",
        "run": "r1",
    }
