"""Media Streams: the sandbox as Twilio's web socket client."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pytest
from twilio.request_validator import RequestValidator
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from sandbox.faults import Fault, FaultKind
from sandbox.ids import AccountSid, CallSid, StreamSid
from sandbox.phones import HangUp, Press, Stay, Wait
from sandbox.stream_protocol import Audio, Clear, Mark, StreamTalk, Warned
from tests.sandbox.conftest import CALLER, LINE, Scene


@dataclass
class Bridge:
    """The product's web socket server. `close_after`: closes on that event."""

    url: str = ""
    received: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    headers: dict[str, str] = field(default_factory=dict[str, str])
    sockets: list[ServerConnection] = field(default_factory=list[ServerConnection])
    close_after: str = ""
    refuse: bool = False
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        self.headers = {name.lower(): value for name, value in socket.request.headers.raw_items()}
        self.sockets.append(socket)
        try:
            async for frame in socket:
                message = json.loads(frame)
                self.received.append(message)
                self.arrived.set()
                if message["event"] == self.close_after:
                    return
        except ConnectionClosed:
            pass

    def admit(self, socket: ServerConnection, _: Request) -> Response | None:
        return socket.respond(HTTPStatus.FORBIDDEN, "no") if self.refuse else None

    def events(self) -> list[str]:
        return [str(message["event"]) for message in self.received]

    async def receives(self, event: str) -> dict[str, Any]:
        async with asyncio.timeout(5):
            while event not in self.events():
                self.arrived.clear()
                await self.arrived.wait()
        return next(message for message in self.received if message["event"] == event)

    async def send(self, **message: object) -> None:
        await self.sockets[-1].send(json.dumps(message))


@asynccontextmanager
async def running_bridge() -> AsyncGenerator[Bridge]:
    bridge = Bridge()
    async with serve(bridge.handle, "127.0.0.1", 0, process_request=bridge.admit) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        bridge.url = f"ws://127.0.0.1:{port}/stream"
        yield bridge


@pytest.fixture
async def bridge() -> AsyncGenerator[Bridge]:
    async with running_bridge() as bridge:
        yield bridge


def connect(url: str) -> str:
    return (
        f'<Connect><Stream url="{url}" name="main" statusCallback="/stream-status">'
        '<Parameter name="token" value="t1"/></Stream></Connect><Say>The stream is over</Say>'
    )


async def ring(scene: Scene, twiml: str, *steps: Any) -> str:
    scene.product.says("/voice", twiml)
    call = scene.network.dial(CALLER, LINE, *(steps or (Stay(),)))
    await scene.pass_time(0)
    return call


async def test_a_stream_opens_signed_and_starts_with_its_parameters(scene: Scene, bridge: Bridge) -> None:
    call = await ring(scene, connect(bridge.url))
    start = await bridge.receives("start")
    assert bridge.events() == ["connected", "start"]
    assert bridge.received[0] == {"event": "connected", "protocol": "Call", "version": "1.0.0"}
    assert start["sequenceNumber"] == "1"
    assert start["start"]["callSid"] == call
    assert start["start"]["tracks"] == ["inbound"]
    assert start["start"]["customParameters"] == {"token": "t1"}
    assert start["start"]["mediaFormat"] == {
        "encoding": "audio/x-mulaw",
        "sampleRate": 8000,
        "channels": 1,
    }
    validator = RequestValidator(scene.network.world.account.token)  # type: ignore[no-untyped-call]
    assert validator.validate(bridge.url, {}, bridge.headers["x-twilio-signature"])  # type: ignore[no-untyped-call]
    await scene.network.settled()
    assert scene.product.events("/stream-status", "StreamEvent") == ["stream-started"]


async def test_when_the_product_closes_it_the_next_verb_runs(scene: Scene, bridge: Bridge) -> None:
    bridge.close_after = "start"
    call = await ring(scene, connect(bridge.url))
    await scene.network.journal.wait_for("stream.closed", by="product")
    await scene.pass_time(5)
    assert "The stream is over" in scene.network.heard(call)
    assert scene.product.events("/stream-status", "StreamEvent")[-1] == "stream-stopped"
    assert scene.network.journal.of("alert", code=31921)


async def test_the_end_of_the_call_sends_stop_and_closes(scene: Scene, bridge: Bridge) -> None:
    call = await ring(scene, connect(bridge.url), Wait(5), HangUp())
    await scene.pass_time(10)
    stop = await bridge.receives("stop")
    assert stop["stop"] == {"accountSid": scene.network.world.account.sid, "callSid": call}
    assert stop["sequenceNumber"] == "2"


async def test_keys_reach_the_stream(scene: Scene, bridge: Bridge) -> None:
    await ring(scene, connect(bridge.url), Wait(1), Press("5"), Stay())
    await scene.pass_time(2)
    assert (await bridge.receives("dtmf"))["dtmf"] == {"track": "inbound_track", "digit": "5"}


async def test_marks_come_back_and_clear_is_taken(scene: Scene, bridge: Bridge) -> None:
    await ring(scene, connect(bridge.url))
    sid = (await bridge.receives("start"))["streamSid"]
    await bridge.send(event="media", streamSid=sid, media={"payload": "/////w=="})
    await bridge.send(event="mark", streamSid=sid, mark={"name": "turn-1"})
    await bridge.send(event="clear", streamSid=sid)
    assert (await bridge.receives("mark"))["mark"] == {"name": "turn-1"}
    await scene.network.journal.wait_for("stream.clear")


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/none", "http://127.0.0.1/x", "ws://{}?a=b"])
async def test_a_stream_that_cannot_be_is_told_and_the_next_verb_runs(scene: Scene, url: str) -> None:
    call = await ring(scene, connect(url.format("127.0.0.1:1/stream")))
    await scene.pass_time(5)
    told = scene.product.asked("/stream-status")[0].form
    assert told["StreamEvent"] == "stream-error"
    assert told["StreamError"]
    assert "The stream is over" in scene.network.heard(call)


async def test_a_refused_handshake_is_31920(scene: Scene, bridge: Bridge) -> None:
    bridge.refuse = True
    await ring(scene, connect(bridge.url))
    await scene.network.journal.wait_for("alert", code=31920)


async def test_a_fault_cuts_the_stream_after_its_seconds(scene: Scene, bridge: Bridge) -> None:
    scene.network.faults.add(Fault(FaultKind.STREAM_CUT, seconds=7, times=1))
    call = await ring(scene, connect(bridge.url))
    await scene.pass_time(6)
    assert scene.network.streams.open_lines
    await scene.pass_time(6)
    assert scene.network.journal.of("stream.closed", by="fault")
    assert "The stream is over" in scene.network.heard(call)


async def test_a_started_stream_runs_beside_the_other_verbs(scene: Scene, bridge: Bridge) -> None:
    twiml = (
        f'<Start><Stream url="{bridge.url}" track="both_tracks" name="ear"/></Start><Say>Good evening</Say>'
    )
    call = await ring(scene, twiml)
    start = await bridge.receives("start")
    assert start["start"]["tracks"] == ["inbound", "outbound"]
    await scene.pass_time(5)
    assert "Good evening" in scene.network.heard(call)
    await bridge.receives("stop")


async def test_an_application_in_a_room_streams_under_its_participants_sid(
    scene: Scene, bridge: Bridge
) -> None:
    scene.product.says("/ai", connect(bridge.url))
    scene.product.says("/voice", "<Dial><Conference>incident</Conference></Dial>")
    scene.network.dial(CALLER, LINE)
    app = next(iter(scene.network.directory.applications))
    participants = scene.client.conferences("incident").participants
    made = await scene.request(lambda: participants.create(from_=LINE, to=f"app:{app}?leg=1", label="ai"))
    await scene.pass_time(2)
    start = await bridge.receives("start")
    assert start["start"]["callSid"] == made.call_sid
    room = scene.network.room("incident")
    assert room is not None
    assert made.call_sid in room.members


def talk() -> StreamTalk:
    call, stream = CallSid("CA1"), StreamSid("MZ1")
    return StreamTalk(AccountSid("AC1"), call, stream, ("inbound",), {})


@pytest.mark.parametrize(
    "frame",
    [
        "no json",
        "[]",
        '{"event":"sing"}',
        '{"event":"media","streamSid":"MZ2","media":{"payload":""}}',
        '{"event":"media","streamSid":"MZ1"}',
        '{"event":"media","streamSid":"MZ1","media":{"payload":"§"}}',
        '{"event":"mark","streamSid":"MZ1","mark":{}}',
    ],
)
def test_a_malformed_message_is_warned_about_once_and_ignored(frame: str) -> None:
    one = talk()
    assert isinstance(one.receive(frame), Warned)
    assert one.receive(frame) is None


def test_a_binary_frame_is_31950() -> None:
    assert talk().receive(b"\x00") == Warned(31950, "a binary frame")


def test_every_message_after_start_has_the_next_number() -> None:
    one = talk()
    opening = [json.loads(sent.text) for sent in one.opening()]
    assert "sequenceNumber" not in opening[0]
    later = [one.media("inbound", 20, ""), one.key("1"), one.stop()]
    assert [json.loads(sent.text)["sequenceNumber"] for sent in later] == ["2", "3", "4"]


def test_what_the_other_side_may_send_is_read() -> None:
    one = talk()
    assert one.receive('{"event":"mark","streamSid":"MZ1","mark":{"name":"a"}}') == Mark("a")
    assert one.receive('{"event":"clear","streamSid":"MZ1"}') == Clear()
    media = '{"event":"media","streamSid":"MZ1","media":{"payload":"/////w=="}}'
    assert one.receive(media) == Audio(b"\xff\xff\xff\xff")


def test_on_a_stream_of_one_way_nothing_can_be_played() -> None:
    one = talk()
    one.both_ways = False
    assert isinstance(one.receive('{"event":"clear","streamSid":"MZ1"}'), Warned)


def test_a_frame_written_by_hand_is_the_message_that_json_would_write() -> None:
    one = talk()
    written = one.media("inbound", 40, "AAAA").text
    assert written == json.dumps(
        {
            "event": "media",
            "sequenceNumber": "1",
            "media": {"track": "inbound", "chunk": "1", "timestamp": "40", "payload": "AAAA"},
            "streamSid": "MZ1",
        }
    )
