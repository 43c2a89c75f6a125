"""A phone held from outside: a program at a web socket rings, talks, presses and hangs up."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.typing import Origin

from sandbox.sound import modem, mulaw
from sandbox.sound.frames import QUIET
from sandbox.sound.live import HELD_BACK, TOO_MUCH, LiveMic
from sandbox.sound.mulaw import FRAME
from tests.sandbox.conftest import LINE, Scene

ANA = "+15550000201"


@dataclass
class Handset:
    """Reads all the time, as a browser does."""

    socket: ClientConnection
    heard: bytearray = field(default_factory=bytearray)
    told: deque[dict[str, str]] = field(default_factory=deque[dict[str, str]])
    fresh: asyncio.Event = field(default_factory=asyncio.Event)
    closed: str = ""

    async def read(self) -> None:
        try:
            async for message in self.socket:
                if isinstance(message, bytes):
                    self.heard += message
                else:
                    self.told.append(json.loads(message))
                self.fresh.set()
        except ConnectionClosedError:
            pass
        self.closed = self.socket.close_reason or "closed"
        self.fresh.set()

    async def news(self) -> None:
        self.fresh.clear()
        await self.fresh.wait()

    async def is_told(self, event: str) -> dict[str, str]:
        """The next message of that kind."""
        while True:
            while self.told:
                if (message := self.told.popleft())["event"] == event:
                    return message
            if self.closed:
                raise ConnectionError(self.closed)
            await self.news()

    async def hears(self, seconds: float) -> str:
        while len(self.heard) < seconds * 8_000:
            await self.news()
        return modem.understand(mulaw.decode(bytes(self.heard)))

    async def does(self, event: str, **details: str) -> None:
        await self.socket.send(json.dumps({"event": event, **details}))


@asynccontextmanager
async def held(scene: Scene, number: str) -> AsyncGenerator[Handset]:
    url = scene.address.replace("http", "ws") + f"/_sandbox/phones/{number}/audio"
    async with connect(url, proxy=None) as socket:
        handset = Handset(socket)
        reading = asyncio.create_task(handset.read())
        await handset.is_told("ready")
        yield handset
    await reading


async def test_it_rings_is_picked_up_and_talks_both_ways(sounding: Scene) -> None:
    sounding.phone(ANA, name="ana")
    url = sounding.product.says(
        "/page", "<Say>Can you come</Say><Gather timeout='9' numDigits='1' action='/key'/>"
    )
    sounding.product.says("/key", "<Say>Thanks</Say><Pause length='1'/>")
    async with held(sounding, "ana") as ana:
        call = await sounding.request(lambda: sounding.client.calls.create(to=ANA, from_=LINE, url=url))
        await sounding.pass_time(5)
        assert await ana.is_told("ring") == {"event": "ring", "call": call.sid, "from": LINE, "to": ANA}
        await ana.does("answer")
        await ana.is_told("talk")
        tape = sounding.network.tapes.record(str(call.sid))
        await sounding.pass_time(1.5)
        assert await ana.hears(1.4) == "Can you come"
        await ana.socket.send(mulaw.encode(modem.speak("On my way")))
        await ana.does("press", digits="1")
        await sounding.network.journal.wait_for("leg.keys")
        await sounding.pass_time(2)
        assert sounding.product.asked("/key")[0].form["Digits"] == "1"
        assert modem.understand(tape.track("said").samples) == "On my way"
        await ana.is_told("end")
    assert sounding.network.calls.live == 0


async def test_it_dials_a_number_of_the_account(sounding: Scene) -> None:
    sounding.phone(ANA)
    sounding.product.says("/voice", "<Say>Good evening</Say><Pause length='9'/>")
    async with held(sounding, ANA) as ana:
        await ana.does("dial", to=LINE)
        await ana.is_told("dialled")
        await ana.is_told("talk")
        await sounding.pass_time(2)
        assert await ana.hears(1) == "Good evening"
        await ana.does("dial", to=LINE)
        assert "taken" in (await ana.is_told("error"))["error"]


async def test_closing_the_socket_hangs_up_and_gives_the_phone_back(sounding: Scene) -> None:
    phone = sounding.phone(ANA)
    sounding.product.says("/voice", "<Say>Good evening</Say><Pause length='99'/>")
    async with held(sounding, ANA) as ana:
        await ana.does("dial", to=LINE)
        await ana.is_told("dialled")
        with pytest.raises(ConnectionError, match="other hands"):
            async with held(sounding, ANA):
                pass
    await sounding.network.journal.wait_for("call.ended")
    assert phone.holder is None


async def test_who_rings_during_a_talk_gets_busy(sounding: Scene) -> None:
    sounding.phone(ANA)
    url = sounding.product.says("/page", "<Gather timeout='99'/>")
    async with held(sounding, ANA) as ana:
        for expected in ("in-progress", "busy"):
            call = await sounding.request(lambda: sounding.client.calls.create(to=ANA, from_=LINE, url=url))
            await sounding.pass_time(3)
            if expected == "in-progress":
                await ana.is_told("ring")
                await ana.does("answer")
                await ana.is_told("talk")
            assert sounding.network.call(str(call.sid)).status.value == expected


@pytest.mark.parametrize(
    "message", ["nonsense", "[]", '{"event": "fly"}', '{"event": "press"}', '{"event": "answer"}']
)
async def test_what_cannot_be_done_is_told(sounding: Scene, message: str) -> None:
    sounding.phone(ANA)
    async with held(sounding, ANA) as ana:
        await ana.socket.send(message)
        assert (await ana.is_told("error"))["error"]


@pytest.mark.parametrize(
    ("origin", "welcome"), [("http://localhost:3000", True), ("https://elsewhere.example", False)]
)
async def test_only_pages_of_this_machine_may_hold_a_phone(
    sounding: Scene, origin: str, welcome: bool
) -> None:
    sounding.phone(ANA)
    url = sounding.address.replace("http", "ws") + f"/_sandbox/phones/{ANA}/audio"
    if welcome:
        async with connect(url, proxy=None, origin=Origin(origin)) as socket:
            assert json.loads(await socket.recv())["event"] == "ready"
    else:
        with pytest.raises(InvalidStatus):
            await connect(url, proxy=None, origin=Origin(origin))


async def test_without_sound_there_is_no_handset_from_outside(scene: Scene) -> None:
    scene.phone(ANA)
    with pytest.raises(ConnectionError, match="without sound"):
        async with held(scene, ANA):
            pass


def test_live_sound_is_held_back_a_little_and_never_piles_up() -> None:
    mic, frame = LiveMic(), modem.speak("a")[:FRAME]
    mic.add(frame)
    assert mic.take() is QUIET
    for _ in range(HELD_BACK // FRAME):
        mic.add(frame)
    assert mic.take() is not QUIET
    for _ in range(TOO_MUCH // FRAME + 1):
        mic.add(frame)
    played = 0
    while mic.take() is not QUIET:
        played += 1
    assert played <= TOO_MUCH // FRAME
