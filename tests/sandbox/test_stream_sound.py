"""Media Streams with sound: frames out, sound in, marks when it was played, and what goes wrong."""

import base64
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from sandbox.faults import Fault, FaultKind
from sandbox.phones import Press, Say, Stay, Wait
from sandbox.sound import modem, mulaw
from sandbox.sound.compare import frames_heard
from tests.sandbox.conftest import CALLER, LINE, Scene
from tests.sandbox.test_streams import Bridge, connect, ring, running_bridge

FRAME_BYTES = 160


@pytest.fixture
async def bridge() -> AsyncGenerator[Bridge]:
    async with running_bridge() as bridge:
        yield bridge


def media(bridge: Bridge, track: str = "inbound") -> list[dict[str, str]]:
    return [
        message["media"]
        for message in bridge.received
        if message["event"] == "media" and message["media"]["track"] == track
    ]


def heard(bridge: Bridge, track: str = "inbound") -> str:
    wire = b"".join(base64.b64decode(one["payload"]) for one in media(bridge, track))
    return modem.understand(mulaw.decode(wire))


async def has(bridge: Bridge, event: str, count: int) -> None:
    """Wait until so many messages of that kind have arrived."""
    while bridge.events().count(event) < count:
        bridge.arrived.clear()
        await bridge.arrived.wait()


async def plays(bridge: Bridge, sound: mulaw.Samples, *marks: str) -> None:
    sid = bridge.received[1]["streamSid"]
    payload = base64.b64encode(mulaw.encode(sound)).decode()
    await bridge.send(event="media", streamSid=sid, media={"payload": payload})
    for name in marks:
        await bridge.send(event="mark", streamSid=sid, mark={"name": name})


async def test_each_frame_is_counted_and_stamped_and_none_is_early_or_late(
    sounding: Scene, bridge: Bridge
) -> None:
    await ring(sounding, connect(bridge.url))
    await bridge.receives("start")
    await sounding.pass_time(0.1)
    await has(bridge, "media", 5)
    frames = media(bridge)
    assert [one["chunk"] for one in frames] == ["1", "2", "3", "4", "5"]
    assert [one["timestamp"] for one in frames] == ["20", "40", "60", "80", "100"]
    assert {len(base64.b64decode(one["payload"])) for one in frames} == {FRAME_BYTES}
    numbers = [message["sequenceNumber"] for message in bridge.received if message["event"] != "connected"]
    assert numbers == [str(number) for number in range(1, len(numbers) + 1)]


async def test_the_product_hears_what_the_caller_says(sounding: Scene, bridge: Bridge) -> None:
    await ring(sounding, connect(bridge.url), Wait(0.3), Say("Hello?"), Stay())
    await sounding.pass_time(1)
    await has(bridge, "media", 50)
    assert heard(bridge) == "Hello?"


async def test_the_caller_hears_what_the_product_plays_and_the_mark_comes_back_when_it_was_played(
    sounding: Scene, bridge: Bridge
) -> None:
    call = await ring(sounding, connect(bridge.url))
    await bridge.receives("start")
    tape = sounding.network.tapes.record(call)
    sound = modem.speak("Hello")
    await plays(bridge, sound, "said")
    await bridge_is_read(sounding, bridge)
    frames = len(sound) // FRAME_BYTES
    await sounding.pass_time(0.02 * (frames - 1))
    assert "mark" not in bridge.events()
    await sounding.pass_time(0.02)
    await bridge.receives("mark")
    assert bridge.events().count("media") <= frames
    await sounding.pass_time(0.5)
    assert modem.understand(tape.track("heard").samples) == "Hello"


async def bridge_is_read(scene: Scene, bridge: Bridge) -> None:
    """Everything the bridge has sent has been read: an answer to a ping comes after it."""
    await (await bridge.sockets[-1].ping())
    await scene.network.settled()


async def test_clear_drops_what_is_queued_and_returns_every_mark_at_once(
    sounding: Scene, bridge: Bridge
) -> None:
    call = await ring(sounding, connect(bridge.url))
    await bridge.receives("start")
    tape = sounding.network.tapes.record(call)
    await plays(bridge, modem.speak("I will be interrupted"), "first", "second")
    await bridge_is_read(sounding, bridge)
    await sounding.pass_time(0.3)
    await bridge.send(event="clear", streamSid=bridge.received[1]["streamSid"])
    await has(bridge, "mark", 2)
    await sounding.pass_time(2)
    assert modem.understand(tape.track("heard").samples) == "I wil"


async def test_a_mark_with_nothing_queued_comes_back_at_once(sounding: Scene, bridge: Bridge) -> None:
    await ring(sounding, connect(bridge.url))
    await bridge.receives("start")
    await bridge.send(event="mark", streamSid=bridge.received[1]["streamSid"], mark={"name": "now"})
    assert (await bridge.receives("mark"))["mark"] == {"name": "now"}


async def test_a_started_stream_carries_both_tracks_each_counted_by_itself(
    sounding: Scene, bridge: Bridge
) -> None:
    twiml = f'<Start><Stream url="{bridge.url}" track="both_tracks"/></Start><Say>Who is there</Say><Pause length="9"/>'
    await ring(sounding, twiml, Wait(1.5), Say("Me"), Stay())
    await bridge.receives("start")
    await sounding.pass_time(1.8)
    await has(bridge, "media", 180)
    assert heard(bridge, "outbound") == "Who is there"
    assert heard(bridge, "inbound") == "Me"
    assert [one["chunk"] for one in media(bridge, "outbound")][:3] == ["1", "2", "3"]
    assert [one["timestamp"] for one in media(bridge)] == [
        one["timestamp"] for one in media(bridge, "outbound")
    ]


async def test_a_gap_leaves_frames_out_and_the_timestamps_tell(sounding: Scene, bridge: Bridge) -> None:
    sounding.network.faults.add(Fault(FaultKind.STREAM_GAP, skip=2, times=1, seconds=0.06))
    await ring(sounding, connect(bridge.url))
    await bridge.receives("start")
    await sounding.pass_time(0.2)
    await has(bridge, "media", 7)
    frames = media(bridge)
    assert [one["timestamp"] for one in frames] == ["20", "40", "120", "140", "160", "180", "200"]
    assert [one["chunk"] for one in frames] == ["1", "2", "3", "4", "5", "6", "7"]


async def test_a_reader_that_is_too_slow_loses_frames_and_31930_says_so(
    sounding: Scene, bridge: Bridge
) -> None:
    assumptions = sounding.network.world.assumptions
    sounding.network.world.assumptions = replace(assumptions, stream_backlog_bytes=-1)
    await ring(sounding, connect(bridge.url))
    await bridge.receives("start")
    await sounding.pass_time(0.1)
    assert len(sounding.network.journal.of("alert", code=31930)) == 1
    sounding.network.world.assumptions = assumptions
    await sounding.pass_time(0.1)
    await has(bridge, "media", 5)
    assert [one["timestamp"] for one in media(bridge)] == ["120", "140", "160", "180", "200"]


async def test_more_than_the_queue_holds_is_discarded_and_31931_says_so_once(
    sounding: Scene, bridge: Bridge
) -> None:
    assumptions = replace(sounding.network.world.assumptions, stream_queue_s=0.1)
    sounding.network.world.assumptions = assumptions
    await ring(sounding, connect(bridge.url))
    await bridge.receives("start")
    for _ in range(3):
        await plays(bridge, modem.speak("!"))
    await bridge_is_read(sounding, bridge)
    assert len(sounding.network.journal.of("alert", code=31931)) == 1


async def test_keys_and_marks_and_frames_share_one_sequence(sounding: Scene, bridge: Bridge) -> None:
    await ring(sounding, connect(bridge.url), Wait(0.05), Press("5"), Stay())
    await bridge.receives("start")
    await sounding.pass_time(0.4)
    await has(bridge, "media", 20)
    numbers = [int(message["sequenceNumber"]) for message in bridge.received[1:]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert "dtmf" in bridge.events()


async def test_an_application_in_a_room_hears_the_room_and_is_heard_by_it(
    sounding: Scene, bridge: Bridge
) -> None:
    sounding.product.says("/ai", connect(bridge.url))
    room = "<Dial><Conference beep='false' waitUrl='' jitterBufferSize='small'>incident</Conference></Dial>"
    sounding.product.says("/voice", room)
    call = sounding.network.dial(CALLER, LINE, Wait(3), Say("Help"), Stay())
    await sounding.pass_time(0)
    app = next(iter(sounding.network.directory.applications))
    participants = sounding.client.conferences("incident").participants
    made = await sounding.request(
        lambda: participants.create(
            from_=LINE, to=f"app:{app}", label="ai", beep="false", jitter_buffer_size="small"
        )
    )
    await sounding.pass_time(1)
    await bridge.receives("start")
    caller, ai = (sounding.network.tapes.record(sid) for sid in (call, str(made.call_sid)))
    await plays(bridge, modem.speak("What happened?"))
    await bridge_is_read(sounding, bridge)
    await sounding.pass_time(4)
    assert modem.understand(caller.track("heard").samples) == "What happened?"
    assert modem.understand(ai.track("heard").samples) == "Help"
    assert heard(bridge) == "Help"
    found = frames_heard(ai.track("said"), caller.track("heard"))
    assert (found.present, found.delay_ms) == (found.sent, 160)
