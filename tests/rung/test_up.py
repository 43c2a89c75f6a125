"""`rung up` brings what is not configured, says where it is, and ends with one ctrl-c."""

import asyncio
import io
import json
import os
import re
import shlex
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from configuration.check import check
from configuration.model import Configuration
from rung import town
from rung.cli.up import children, ring, sandbox_child, speech_child, summary
from rung.settings import SANDBOX_ACCOUNT, Settings
from rung.supervisor import ChildSpec
from tests.rung.test_temporal import free_port

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "rung.example.yaml"
ACCOUNT = "AC" + "1" * 32


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.apart(state_dir=tmp_path, town=None)


@pytest.fixture
def example() -> Configuration:
    configuration = check(EXAMPLE.read_text(), str(EXAMPLE), datetime.now(UTC)).configuration
    assert configuration is not None
    return configuration


def names(specs: list[ChildSpec]) -> list[str]:
    return [spec.name for spec in specs]


def options(spec: ChildSpec) -> dict[str, list[str]]:
    """What stands behind each option of a command."""
    found: dict[str, list[str]] = {}
    for option, value in zip(spec.argv, spec.argv[1:], strict=False):
        if option.startswith("--"):
            found.setdefault(option, []).append(value)
    return found


def test_on_a_bare_machine_everything_is_brought(settings: Settings) -> None:
    specs = children(settings)

    assert names(specs) == ["temporal", "sandbox", "worker", "api", "bridge"]
    for ours in specs[2:]:
        assert ours.argv == (sys.executable, "-m", "rung", ours.name)
        assert ours.needs == ("temporal", "sandbox")
        assert ours.env["RUNG_STATE_DIR"] == str(settings.state_dir)


def test_a_cluster_of_the_operators_takes_the_place_of_the_server(settings: Settings) -> None:
    cluster = settings.model_copy(update={"temporal": {"TEMPORAL_ADDRESS": "cluster:7233"}})
    specs = children(cluster)

    assert names(specs) == ["sandbox", "worker", "api", "bridge"]
    assert specs[-1].env["TEMPORAL_ADDRESS"] == "cluster:7233"


def test_an_account_of_the_operators_takes_the_place_of_the_sandbox(settings: Settings) -> None:
    real = settings.model_copy(update={"twilio_account_sid": ACCOUNT, "twilio_base_url": None})
    specs = children(real)

    assert names(specs) == ["temporal", "worker", "api", "bridge"]
    assert specs[-1].env["TWILIO_ACCOUNT_SID"] == ACCOUNT


def test_servers_that_are_not_ours_get_none_of_our_secrets(settings: Settings) -> None:
    temporal, sandbox, *ours = children(settings)

    key = str(settings.codec_keys[0])
    assert key in ours[0].env.values()
    for stranger in (temporal, sandbox):
        assert key not in stranger.env.values()
        assert not [name for name in stranger.env if name.startswith(("RUNG_", "TWILIO_"))]


def test_the_sandbox_is_told_what_the_product_expects(settings: Settings, example: Configuration) -> None:
    told = options(sandbox_child(settings, example))

    assert told["--port"] == ["8001"]
    assert told["--account"] == [SANDBOX_ACCOUNT]
    assert told["--token"] == [settings.twilio_auth_token.get_secret_value()]
    assert told["--set"] == ["API=http://127.0.0.1:8000", f"APPLICATION={settings.twilio_application_sid}"]
    assert told["--calls-per-second"] == [f"{example.calls_per_second:g}"]


def test_everybody_in_the_owners_file_has_a_phone(settings: Settings, example: Configuration) -> None:
    [written] = options(sandbox_child(settings, example))["--town"]

    numbers = {phone["number"] for phone in yaml.safe_load(Path(written).read_text())["phones"]}
    assert {person.phone for person in example.people.values() if person.phone} <= numbers


def test_a_town_of_the_operators_is_used_as_it_is(settings: Settings, example: Configuration) -> None:
    own = settings.model_copy(update={"town": Path("my-town.yaml")})

    assert options(sandbox_child(own, example))["--town"] == ["my-town.yaml"]


def test_the_towns_example_fits_the_example(example: Configuration) -> None:
    given: dict[str, Any] = yaml.safe_load((ROOT / "town.example.yaml").read_text())
    drawn = town.town(example)

    assert given["numbers"] == drawn["numbers"]
    assert given["applications"] == drawn["applications"]
    assert {phone["number"] for phone in given["phones"]} == {phone["number"] for phone in drawn["phones"]}


def test_the_summary_says_where_everything_is(settings: Settings, example: Configuration) -> None:
    console = Console(width=200, file=io.StringIO())
    with console.capture() as captured:
        console.print(summary(settings, example))
    said = captured.get()

    for line in example.lines.values():
        assert line.number in said
    assert "http://127.0.0.1:8233/namespaces/rung/workflows" in said
    assert str(settings.state_dir / "logs") in said
    assert "ctrl-c" in said


def test_the_command_to_ring_the_line_is_one_a_shell_takes(settings: Settings) -> None:
    curl, option, body, url = shlex.split(ring(settings, "+12025550101"))

    assert (curl, option, url) == ("curl", "-d", "http://127.0.0.1:8001/_sandbox/dial")
    assert json.loads(body)["to"] == "+12025550101"


UP = """
import asyncio, os, sys
from pathlib import Path
from rich.console import Console
from rung.cli.up import run
from rung.settings import Settings
from rung.supervisor import ChildSpec

state, code = Path(sys.argv[1]), sys.argv[2]
specs = [ChildSpec("api", (sys.executable, "-S", "-c", code), dict(os.environ))]
asyncio.run(run(Settings.apart(state_dir=state), None, Console(), specs))
"""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_one_signal_stops_everything(tmp_path: Path, how: signal.Signals) -> None:
    code = "import os, time; print('READY', os.getpid(), flush=True); time.sleep(600)"
    up = await asyncio.create_subprocess_exec(
        sys.executable, "-c", UP, str(tmp_path), code, stdout=asyncio.subprocess.PIPE
    )
    assert up.stdout is not None
    async for line in up.stdout:
        if b"ctrl-c" in line:
            break
    child = int((tmp_path / "logs" / "api.log").read_text().split()[1])

    up.send_signal(how)
    rest = (await up.stdout.read()).decode()

    assert await up.wait() == 0
    assert "Stopped." in rest
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_the_documented_default_of_ports_is_the_real_one(settings: Settings) -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    for name, port in re.findall(r"^\| `RUNG_(\w+_PORT)` \| (\d+) \|", text, re.MULTILINE):
        assert getattr(settings, name.lower()) == int(port)


async def test_the_speech_model_can_be_started_by_itself(tmp_path: Path) -> None:
    environment = Settings.apart(
        state_dir=tmp_path, town=None, speech="light", speech_port=free_port()
    ).environment()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rung", "sandbox", "speech", env=environment, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        ready = (await process.stdout.readline()).decode()
        told = json.loads(ready.removeprefix("READY "))
        assert (told["organs"], told["realtime"][:5]) == ("light", "ws://")
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize("speech", ["off", "openai"])
def test_a_speech_model_that_is_asked_for_hears_in_tones_where_it_cannot_hear_words(
    tmp_path: Path, speech: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rung.cli.up.can_hear_and_speak", lambda: False)
    child = speech_child(Settings.apart(state_dir=tmp_path, town=None, speech=speech, speech_key="any"))
    assert options(child)["--organs"] == ["light"]
