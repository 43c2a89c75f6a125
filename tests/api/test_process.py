"""The door as a process: starts and answers with or without Temporal, and stops when told."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import httpx
import pytest
import typer
from typer.testing import CliRunner

from configuration.holder import ConfigurationError
from rung.api import alert_token, door_of, serve
from rung.cli.door import api
from rung.settings import Settings
from tests.api.twilio_side import call_sid, path_of, signature

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "rung.example.yaml"
RUN = "import typer; from rung.cli.door import api; typer.run(api)"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, **more: str) -> dict[str, str]:
    ours = ("RUNG_", "TWILIO_", "TEMPORAL_")
    given = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**given, "RUNG_STATE_DIR": str(folder), "RUNG_CONFIG": str(EXAMPLE), **more}


async def test_it_answers_callers_without_temporal_and_a_kill_forgets_nothing(tmp_path: Path) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", RUN),
        env=environment(tmp_path, RUNG_API_PORT=str(port), RUNG_TEMPORAL_PORT="9"),
        cwd=ROOT,
        stdout=PIPE,
        stderr=DEVNULL,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            word, _, ready = (await process.stdout.readline()).decode().partition(" ")
        assert word == "READY"
        sids = await _rings_three_times(json.loads(ready)["address"], tmp_path)
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()
    lines = (tmp_path / "spool.jsonl").read_text().splitlines()
    assert [sid in line for sid, line in zip(sids, lines, strict=True)] == [True] * 3


async def _rings_three_times(address: str, folder: Path) -> list[str]:
    token = json.loads((folder / "secrets.json").read_text())["sandbox_token"]
    sids = [call_sid() for _ in range(3)]
    url = f"{address}/voice/incoming"
    async with httpx.AsyncClient(base_url=address) as http:
        assert (await http.get("/health")).json() == {"status": "alive"}
        for sid in sids:
            sent = {"CallSid": sid, "From": "+12025550199", "To": "+12025550103", "CallStatus": "ringing"}
            signed = {"X-Twilio-Signature": signature(url, list(sent.items()), token)}
            answer = await http.post(path_of(url), data=sent, headers=signed)
            assert answer.headers["content-type"] == "text/xml; charset=utf-8"
            assert "The people on duty are being rung" in answer.text
            assert (await http.post(path_of(url), data=sent)).status_code == 403
        ready = await http.get("/ready")
        assert (ready.status_code, ready.json()["spool"]) == (503, 3)
        assert "/voice/incoming" in (await http.get("/openapi.json")).json()["paths"]
    return [str(sid) for sid in sids]


def _ignored(_signal: int, _frame: FrameType | None) -> None:
    """What SIGTERM does here."""


@pytest.fixture
def survives_sigterm() -> Iterator[None]:
    """The server hands the signal on when it has stopped; this process shall live."""
    before = signal.signal(signal.SIGTERM, _ignored)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("survives_sigterm")
async def test_it_stops_when_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings.apart(state_dir=tmp_path, config=EXAMPLE, api_port=free_port(), temporal_port=9)
    serving = asyncio.create_task(serve(settings, "127.0.0.1"))
    async with httpx.AsyncClient(base_url=settings.public_url) as http, asyncio.timeout(20):
        while "READY" not in capsys.readouterr().out:  # noqa: ASYNC110  # it says so on its output only
            await asyncio.sleep(0.02)
        assert (await http.get("/health")).status_code == 200
        signal.raise_signal(signal.SIGTERM)
        with contextlib.suppress(asyncio.CancelledError):
            await serving


async def test_a_port_in_use_is_an_error_to_be_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings.apart(state_dir=tmp_path, config=EXAMPLE, api_port=taken.getsockname()[1])
        with pytest.raises(OSError, match="in use"):
            await serve(settings, "127.0.0.1")


async def test_a_broken_configuration_with_no_earlier_one_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("people: {}\n")
    settings = Settings.apart(state_dir=tmp_path / "state", config=broken, api_port=free_port())
    with pytest.raises(ConfigurationError, match="cannot be used"):
        await serve(settings, "127.0.0.1")


def test_the_alert_token_is_printed_for_whoever_may_run_commands(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(api)
    ran = CliRunner().invoke(app, ["--alert-token"], env={"RUNG_STATE_DIR": str(tmp_path)})
    assert ran.exit_code == 0
    assert len(ran.output.strip()) == 64


def test_each_secret_of_the_door_is_its_own(tmp_path: Path) -> None:
    settings = Settings.apart(state_dir=tmp_path, config=EXAMPLE)
    door = door_of(settings)
    secret = settings.link_secret.get_secret_value()
    assert len({secret, door.alert_token, door.digest_key.hex(), door.auth_token}) == 4
    assert alert_token(settings) == door.alert_token
    assert secret not in repr(door)
    assert door.alert_token not in repr(door)
