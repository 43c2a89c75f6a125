"""How punctual the sandbox's sound is: conferences of three, everybody speaking all the time, each with a stream.

The sandbox is a process of its own. This one answers its webhooks and is the other end of its streams, on the other
core: it reads every frame, and has the assistant speak without a pause. A third does nothing but tick every 20 ms:
how late its ticks are is what the machine itself adds.
"""

import asyncio
import base64
import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import numpy as np
import yaml
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from bench.arithmetic import quantile
from bench.figures import Figure, rule, shown

TITLES = {"mixing": "The sandbox's sound, in time"}
ROOMS = (10, 50, 80)
SECONDS = 20.0
SPEECH_S = 5.0  # pieces in which the assistant speaks
LINE, ACCOUNT, TOKEN = "+15550000100", "AC" + "0" * 32, "sandbox-token"
APPLICATION = "AP" + "0" * 31 + "1"
AIM_ROOMS = 50  # must be in time on one core


@dataclass(frozen=True)
class Heard:
    """One run's figures. late: ticks that came when the next was due."""

    rooms: int
    by_ms: Mapping[int, int]
    late: int
    share: float
    frames: int
    idle_ms: Sequence[float]

    def percentile_ms(self, share: float) -> int:
        wanted, seen = share * sum(self.by_ms.values()), 0
        for late_ms in sorted(self.by_ms):
            seen += self.by_ms[late_ms]
            if seen >= wanted:
                return late_ms
        return max(self.by_ms, default=0)


async def measure(_: frozenset[str] = frozenset(TITLES)) -> Mapping[str, Sequence[Figure]]:
    """One sandbox for each number of rooms."""
    figures: list[Figure] = []
    for rooms in ROOMS:
        heard = await _run(rooms)
        p50, p99, longest = (heard.percentile_ms(share) for share in (0.5, 0.99, 1.0))
        figures.append(
            Figure(
                f"{rooms} conferences of three: lateness of a tick",
                f"p50 {p50} ms  p99 {p99} ms  max {longest} ms; {heard.late} late; {heard.share:.0%} of a core",
                f"{sum(heard.by_ms.values())} ticks, {heard.frames} frames read by the other side; ticks of a process"
                f" that does nothing: p99 {shown(quantile(heard.idle_ms, 0.99))},"
                f" max {shown(max(heard.idle_ms))}",
                "no tick later than 20 ms" if rooms == AIM_ROOMS else "",
                "whatever else runs on the two cores; the work itself is Python for each line and each message",
                {
                    "rooms": rooms,
                    "p50_ms": p50,
                    "p99_ms": p99,
                    "max_ms": longest,
                    "late": heard.late,
                    "share": heard.share,
                    "idle_p99_ms": quantile(heard.idle_ms, 0.99),
                    "idle_max_ms": max(heard.idle_ms),
                },
            )
        )
        figures.append(
            rule(
                f"{rooms} conferences: frames the other side missed",
                _missed(heard),
                samples=f"of {rooms * round(SECONDS * 50)} expected, a second of them allowed at either end",
            )
        )
    return {"mixing": figures}


def _missed(heard: Heard) -> int:
    expected = heard.rooms * 50 * (SECONDS - 1)
    return max(0, round(expected - heard.frames))


async def _run(rooms: int) -> Heard:
    async with (
        _product() as product,
        _sandbox(product) as (sandbox, pid),
        httpx.AsyncClient(base_url=sandbox, timeout=30) as client,
    ):
        await _fill(client, product, rooms)
        before, frames, spent, began = await _sound(client), product.frames, _cpu_s(pid), _now()
        idle_ms = await _idle_lateness_ms(SECONDS)
        after = await _sound(client)
        share = (_cpu_s(pid) - spent) / (_now() - began)
        read = product.frames - frames
    by_ms = {late: count - before.get(late, 0) for late, count in after.items()}
    late = sum(count for late_ms, count in by_ms.items() if late_ms >= 20)
    return Heard(
        rooms, {late_ms: count for late_ms, count in by_ms.items() if count}, late, share, read, idle_ms
    )


IDLE = """
import asyncio, json
async def tick():
    loop = asyncio.get_running_loop()
    began, late = loop.time(), []
    for number in range(1, {ticks}):
        await asyncio.sleep(began + number * 0.02 - loop.time())
        late.append(max(0.0, loop.time() - began - number * 0.02) * 1000)
    print(json.dumps(late))
asyncio.run(tick())
"""


async def _idle_lateness_ms(seconds: float) -> Sequence[float]:
    """How late the ticks of an idle process are, measured that long."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IDLE.format(ticks=round(seconds * 50)), stdout=asyncio.subprocess.PIPE
    )
    measured: list[float] = json.loads((await child.communicate())[0])
    return measured


def _now() -> float:
    return asyncio.get_running_loop().time()


def _cpu_s(pid: int) -> float:
    """Processor seconds that process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _sound(client: httpx.AsyncClient) -> dict[int, int]:
    by_ms: dict[str, int] = (await client.get("/_sandbox/sound")).json()["by_ms"]
    return {int(late_ms): count for late_ms, count in by_ms.items()}


async def _fill(client: httpx.AsyncClient, product: "_Product", rooms: int) -> None:
    """Callers, then in each one's room the assistant and a second person."""
    noise = [{"noise": -35}, "stay"]
    for room in range(rooms):
        caller = f"+1555100{room:04}"
        await client.post("/_sandbox/dial", json={"from": caller, "to": LINE, "steps": noise})
        for to in (f"app:{APPLICATION}", f"+1555200{room:04}"):
            if not to.startswith("app"):
                await client.post(f"/_sandbox/phones/{to}", json={"calls": [{"answer": 0, "steps": noise}]})
            made = await client.post(
                f"/2010-04-01/Accounts/{ACCOUNT}/Conferences/room-{caller[1:]}/Participants.json",
                auth=(ACCOUNT, TOKEN),
                data={
                    "From": LINE,
                    "To": to,
                    "Beep": "false",
                    "EarlyMedia": "false",
                    "JitterBufferSize": "small",
                },
            )
            made.raise_for_status()
    async with asyncio.timeout(60):
        while product.streams < rooms:
            await product.opened.wait()
            product.opened.clear()
    await asyncio.sleep(2)  # the last phones are picked up


class _Product:
    """Webhooks, and the assistant at the other end of every stream."""

    def __init__(self) -> None:
        self.frames = 0
        self.streams = 0
        self.opened = asyncio.Event()
        self.stream_url = self.http_url = ""
        drawn = np.random.default_rng(1).integers(0, 256, round(SPEECH_S * 8_000), dtype=np.uint8)
        self._speech = base64.b64encode(drawn.tobytes()).decode()

    async def answer(self, request: web.Request) -> web.Response:
        form = await request.post()
        body = {
            "/voice": f'<Dial><Conference beep="false" waitUrl="" jitterBufferSize="small">'
            f"room-{str(form.get('From', ''))[1:]}</Conference></Dial>",
            "/ai": f'<Connect><Stream url="{self.stream_url}"/></Connect>',
        }.get(request.path, "")
        return web.Response(text=f"<Response>{body}</Response>", content_type="text/xml")

    async def talk(self, socket: ServerConnection) -> None:
        speaking: asyncio.Task[None] | None = None
        try:
            async for message in socket:
                if isinstance(message, str) and message.startswith('{"event": "media"'):
                    self.frames += 1
                elif (start := json.loads(message))["event"] == "start":
                    self.streams += 1
                    self.opened.set()
                    speaking = asyncio.create_task(self._speak(socket, start["streamSid"]))
        finally:
            if speaking is not None:
                speaking.cancel()

    async def _speak(self, socket: ServerConnection, stream: str) -> None:
        message = json.dumps({"event": "media", "streamSid": stream, "media": {"payload": self._speech}})
        with contextlib.suppress(ConnectionClosed):
            while True:
                await socket.send(message)
                await asyncio.sleep(SPEECH_S)


@asynccontextmanager
async def _product() -> AsyncGenerator[_Product]:
    product = _Product()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", product.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    product.http_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with serve(product.talk, "127.0.0.1", 0, compression=None, ping_interval=None) as server:
        product.stream_url = f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"
        yield product
    await runner.cleanup()


@asynccontextmanager
async def _sandbox(product: _Product) -> AsyncGenerator[tuple[str, int]]:
    """The real process; gives its address and its number."""
    with TemporaryDirectory() as folder:
        arguments = ("-m", "sandbox", "--voice", "light", "--town", _town(product, Path(folder)))
        child = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdout=asyncio.subprocess.PIPE
        )
        try:
            assert child.stdout is not None
            ready = (await child.stdout.readline()).decode()
            yield json.loads(ready.removeprefix("READY "))["address"], child.pid
        finally:
            child.terminate()
            await child.wait()


def _town(product: _Product, folder: Path) -> str:
    town = {
        "calls_per_second": 10_000,
        "numbers": [{"number": LINE, "voice_url": f"{product.http_url}/voice"}],
        "applications": [{"name": "ai", "sid": APPLICATION, "voice_url": f"{product.http_url}/ai"}],
    }
    file = folder / "town.yaml"
    file.write_text(yaml.safe_dump(town))
    return str(file)
