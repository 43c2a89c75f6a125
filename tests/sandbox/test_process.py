"""`python -m sandbox` as a process, with the official async client, in real time."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from sandbox.sound import modem, wav

TOWN = """
numbers: [{number: "+15550000100"}]
phones:
  - number: "+15550000201"
    calls: [{answer: 1, steps: [{press_heard: 'press (\\w+)'}, stay]}]
"""


@asynccontextmanager
async def process(*arguments: str) -> AsyncGenerator[tuple[asyncio.subprocess.Process, str]]:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert running.stdout is not None
    try:
        yield running, (await asyncio.wait_for(running.stdout.readline(), 20)).decode()
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


async def test_a_page_is_answered_in_real_time_through_the_async_client(tmp_path: Path) -> None:
    (tmp_path / "town.yaml").write_text(TOWN)
    arguments = ("--town", str(tmp_path / "town.yaml"), "--seed", "3", "--speed", "20")
    async with process(*arguments) as (running, line):
        word, _, rest = line.partition(" ")
        ready = json.loads(rest)
        assert word == "READY"
        async with AsyncTwilioHttpClient() as http:
            client = Client(ready["account"], "sandbox-token", http_client=http)  # type: ignore[no-untyped-call]
            client.api.base_url = ready["address"]
            twiml = '<Response><Gather numDigits="1"><Say>press nine</Say></Gather></Response>'
            call = await client.calls.create_async(to="+15550000201", from_="+15550000100", twiml=twiml)
        async with httpx.AsyncClient(base_url=ready["control"]) as hand:
            page = await hand.get("/journal", params={"wait_s": 5, "kind": "gather"})
        gathered = page.json()["records"][0]
        assert (gathered["call"], gathered["details"]["digits"]) == (call.sid, "9")
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), 10) == 0


SOUNDING = """
numbers: [{number: "+15550000100", voice_url: "${SANDBOX}/_sandbox/static/line"}]
static: {line: {text: "<Response><Say>Good evening</Say><Pause length='9'/></Response>"}}
dials: [{from: "+15550000301", to: "+15550000100", steps: [{wait: 2}, hang_up]}]
"""


async def test_every_leg_of_a_night_can_be_recorded(tmp_path: Path) -> None:
    (tmp_path / "town.yaml").write_text(SOUNDING)
    folder = tmp_path / "heard"
    arguments = ("--town", str(tmp_path / "town.yaml"), "--voice", "light", "--record", str(folder))
    async with process(*arguments) as (running, line):
        ready = json.loads(line.partition(" ")[2])
        async with httpx.AsyncClient(base_url=ready["control"]) as hand:
            ended = await hand.get("/journal", params={"wait_s": 20, "kind": "call.ended"})
            sid = ended.json()["records"][0]["call"]
            sound = (await hand.get("/sound")).json()
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), 10) == 0
    assert modem.understand(wav.read((folder / f"{sid}.heard.wav").read_bytes())) == "Good evening"
    assert (folder / f"{sid}.said.wav").exists()
    assert sound["left_out"] == 0
    assert sound["ticks"] > 0


async def test_a_broken_town_is_told_and_nothing_listens(tmp_path: Path) -> None:
    (tmp_path / "town.yaml").write_text("phones: [{number: '+1', calls: [sing]}]")
    async with process("--town", str(tmp_path / "town.yaml")) as (running, line):
        assert line == ""
        assert await running.wait() == 2
        assert running.stderr is not None
        assert b"cannot 'sing'" in await running.stderr.read()
