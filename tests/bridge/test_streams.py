"""The bridge's door: real web sockets, a real Temporal server, and a stand-in for the call's workflow."""

import asyncio
import json
from collections.abc import Callable

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer
from websockets.exceptions import InvalidStatus

from tests.bridge import frames
from tests.bridge.model_server import model_server
from tests.bridge.scene import Bridge, Scene, closed, scene, signed_by_twilio
from tests.temporal_server import TemporalServer
from workflows.assistant import Role
from workflows.orders import GONE, Instruction
from workflows.tokens import EAR, LEG, STREAM, EarToken, LegToken, StreamToken, Tokens
from workflows.values import CallSid
from workflows.voice import Plan, Speaker

SECOND_STREAM = "MZ" + "0" * 31 + "2"


async def test_a_stream_with_its_token_is_attached_to_its_call_and_stays_open(night: Scene) -> None:
    socket = await night.started(night.token("n1"))

    heard = await night.until(attached=1)

    [attach] = heard.attached
    assert (attach.generation, attach.nonce, attach.stream) == (1, "n1", frames.STREAM)
    assert attach.queue.startswith("bridge-")
    await socket.send(frames.media())
    assert (await night.bridge.health())["streams"] == 1
    assert socket.close_code is None
    await socket.close()


class ThreeMinutesAgo(TimestampSigner):
    """Signs as three minutes ago: a stream's token lasts two."""

    def get_timestamp(self) -> int:
        return super().get_timestamp() - 180


def expired(night: Scene) -> str:
    secret = night.bridge.settings.link_secret.get_secret_value()
    stale = URLSafeTimedSerializer(secret, salt="rung/stream", signer=ThreeMinutesAgo)
    return str(stale.dumps({"call": night.sid, "generation": 1, "nonce": "n1"}))


BAD_TOKENS: dict[str, Callable[[Scene], str | None]] = {
    "none": lambda _: None,
    "forged": lambda _: "eyJjYWxsIjoiQ0EifQ.forged",
    "of another purpose": lambda night: night.tokens.make(LEG, LegToken(night.sid, 1)),
    "of another secret": lambda night: Tokens("another").make(STREAM, StreamToken(night.sid, 1, "n1")),
    "expired": expired,
}


@pytest.mark.parametrize("which", BAD_TOKENS)
async def test_without_a_good_token_a_stream_is_closed_and_no_workflow_hears_of_it(
    night: Scene, which: str
) -> None:
    socket = await night.started(BAD_TOKENS[which](night))

    assert await closed(socket) == 1008
    assert (await night.heard()).attached == ()


async def test_a_token_is_good_for_one_stream(night: Scene) -> None:
    token = night.token()
    first = await night.started(token)
    await night.until(attached=1)

    second = await night.started(token, SECOND_STREAM)

    assert await closed(second) == 1008
    assert first.close_code is None
    assert len((await night.heard_in_all()).detached) == 1  # the first one's, at the bridge's end


async def test_a_newer_stream_of_the_same_leg_replaces_the_older_one_when_the_call_accepts_it(
    night: Scene,
) -> None:
    first = await night.started(night.token("n1"))
    await night.until(attached=1)

    second = await night.started(night.token("n2"), SECOND_STREAM)

    assert await closed(first) == 1001
    assert [attach.nonce for attach in (await night.until(attached=2)).attached] == ["n1", "n2"]
    assert await night.order(Instruction(night.sid, 1, "quiet")) == "done"
    assert json.loads(await second.recv()) == {"event": "clear", "streamSid": SECOND_STREAM}
    assert len((await night.heard_in_all()).detached) == 1  # the second one's, at the bridge's end


async def test_a_leg_of_an_older_generation_is_refused(night: Scene) -> None:
    socket = await night.started(night.token(generation=2))

    assert await closed(socket) == 1008
    assert (await night.heard_in_all()).detached == ()  # what was never let in takes no leave


async def test_a_stream_of_a_call_that_is_over_is_closed(night: Scene) -> None:
    socket = await night.started(night.token(call=CallSid("CA" + "e" * 32)))

    assert await closed(socket) == 1008


async def test_what_twilio_did_not_sign_is_turned_away(night: Scene) -> None:
    over_http = signed_by_twilio(
        night.bridge.settings, night.bridge.settings.stream_url.replace("ws", "http")
    )
    for signature in ("", "bm9uc2Vuc2U=", over_http):
        with pytest.raises(InvalidStatus) as raised:
            await night.bridge.stream(signature)
        assert raised.value.response.status_code == 403


@pytest.mark.parametrize("path", ["", "/", "/stream"])
async def test_a_signature_over_the_public_address_is_good_with_and_without_its_path(
    night: Scene, path: str
) -> None:
    socket = await night.bridge.stream(path=path)

    await socket.close()


async def test_a_bridge_told_so_takes_streams_by_their_token_alone(night: Scene) -> None:
    async with Bridge(night.bridge.settings).running(signed=False) as open_bridge:
        socket = await open_bridge.stream("")
        await socket.send(frames.start(night.token()))
        await night.until(attached=1)
        await socket.close()


async def test_quiet_clears_what_twilio_has_not_played_yet(night: Scene) -> None:
    socket = await night.started(night.token())
    await night.until(attached=1)

    assert await night.order(Instruction(night.sid, 1, "quiet")) == "done"

    assert json.loads(await socket.recv()) == {"event": "clear", "streamSid": frames.STREAM}
    assert await night.order(Instruction(night.sid, 1, "role", Role.COACH, "Ana")) == "done"
    await socket.close()


async def test_an_instruction_for_a_leg_that_is_not_carried_here_is_gone_for_good(night: Scene) -> None:
    socket = await night.started(night.token())
    await night.until(attached=1)

    assert await night.order(Instruction(night.sid, 2, "quiet")) == GONE
    await socket.close()
    await night.until(detached=1)
    assert await night.order(Instruction(night.sid, 1, "quiet")) == GONE


async def test_the_call_is_told_when_its_stream_stops(night: Scene) -> None:
    socket = await night.started(night.token())
    [attach] = (await night.until(attached=1)).attached

    await socket.send(frames.STOP)

    [detached] = (await night.until(detached=1)).detached
    assert (detached.generation, detached.queue) == (1, attach.queue)
    assert await closed(socket) == 1000


async def test_the_call_is_told_when_the_socket_is_cut(night: Scene) -> None:
    socket = await night.started(night.token())
    await night.until(attached=1)

    socket.transport.abort()

    await night.until(detached=1)


async def test_a_stream_that_resumes_on_the_same_bridge_is_attached_after_it_was_detached(
    night: Scene,
) -> None:
    first = await night.started(night.token())
    await night.until(attached=1)
    first.transport.abort()
    await night.until(detached=1)

    second = await night.started(night.token(), SECOND_STREAM)

    await night.until(attached=2)
    assert await night.order(Instruction(night.sid, 1, "quiet")) == "done"
    await second.close()


async def test_streams_that_were_cut_before_they_were_attached_make_nobody_give_way(
    night: Scene, server: TemporalServer
) -> None:
    with server.silent():
        for number in range(4):
            cut = await night.started(night.token(), f"MZ{number:032x}")
            cut.transport.abort()
        last = await night.started(night.token(), SECOND_STREAM)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(closed(last), 1)
    assert await night.order(Instruction(night.sid, 1, "quiet")) == "done"
    await last.close()


async def test_the_audio_does_not_wait_for_temporal(night: Scene, server: TemporalServer) -> None:
    with server.silent():
        socket = await night.started(night.token())
        for number in range(20):
            await socket.send(frames.media(20 * number))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(closed(socket), 0.5)

    assert len((await night.until(attached=1)).attached) == 1
    assert socket.close_code is None
    await socket.close()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param([frames.media()], id="audio first"),
        pytest.param([frames.CONNECTED, frames.STOP], id="stop first"),
        pytest.param(["hello"], id="no frame at all"),
        pytest.param([b"\x00\x01"], id="binary"),
        pytest.param(['{"event": "start"}'], id="an empty start"),
    ],
)
async def test_whatever_comes_before_start_ends_the_stream(night: Scene, sent: list[str | bytes]) -> None:
    socket = await night.bridge.stream()
    for frame in sent:
        await socket.send(frame)

    assert await closed(socket) == 1002
    assert (await night.heard()).attached == ()


async def test_broken_and_unknown_frames_on_a_running_stream_are_skipped(night: Scene) -> None:
    socket = await night.started(night.token())
    await night.until(attached=1)
    for frame in ("hello", '{"event": "weather"}', b"\x00", frames.media(stream=SECOND_STREAM)):
        await socket.send(frame)

    assert await night.order(Instruction(night.sid, 1, "quiet")) == "done"
    assert json.loads(await socket.recv())["event"] == "clear"
    await socket.close()


async def test_a_second_start_is_passed_over_and_attaches_nothing(night: Scene) -> None:
    token = night.token()
    socket = await night.started(token)
    await night.until(attached=1)

    await socket.send(frames.CONNECTED)
    await socket.send(frames.start(night.token()))

    assert await night.order(Instruction(night.sid, 1, "quiet")) == "done"
    assert json.loads(await socket.recv())["event"] == "clear"
    await socket.close()
    assert len((await night.until(attached=1, detached=1)).attached) == 1


async def test_an_oversized_frame_ends_the_stream_and_the_call_is_told(night: Scene) -> None:
    socket = await night.started(night.token())
    await night.until(attached=1)

    await socket.send('{"event": "media", "payload": "' + "A" * 100_000 + '"}')

    assert await closed(socket) == 1009
    await night.until(detached=1)


async def test_a_bridge_told_to_stop_lets_its_streams_go_and_takes_no_new_ones(night: Scene) -> None:
    other = Bridge(night.bridge.settings)
    async with other.running():
        socket = await night.started(night.token(), bridge=other)
        await night.until(attached=1)

        other.stop.set()

        assert await closed(socket) == 1012
        with pytest.raises(ConnectionRefusedError):
            await other.stream()
    await night.until(detached=1)


async def test_an_ears_stream_is_taken_and_no_call_is_asked(night: Scene) -> None:
    ear = EarToken(night.sid, CallSid(frames.LEG), Speaker.CALLER, "")
    socket = await night.started(night.tokens.make(EAR, ear))

    await socket.send(frames.media())

    assert (await night.bridge.health())["streams"] == 1
    assert socket.close_code is None
    await socket.close()
    assert (await night.heard_in_all()).attached == ()


async def test_health_tells_how_many_streams_there_are(night: Scene) -> None:
    health = await night.bridge.health()

    assert (health["status"], health["streams"]) == ("ok", 0)


async def test_a_stream_with_a_plan_speaks_and_its_turns_reach_the_call(server: TemporalServer) -> None:
    """All of it at once: a signed stream, a plan from the call, a model, what was said back in the history."""
    await server.serves()
    plan = Plan("Listen.", (), "marin", "en", opening="Hello.")
    async with model_server() as model:
        settings = server.settings.model_copy(update={"speech_url": model.url})
        async with scene(settings, plan) as night:
            socket = await night.started(night.token())
            create = await model.event("response.create")
            await model.answers(200, "Hello.", metadata=create["response"]["metadata"])
            while (message := json.loads(await socket.recv()))["event"] != "mark":
                pass
            await socket.send(json.dumps(message))

            [batch] = (await night.told(1)).turns

            assert [(turn.text, turn.speaker, turn.whole) for turn in batch.turns] == [
                ("Hello.", "assistant", True)
            ]
            assert await night.order(Instruction(night.sid, 1, "context", text="Ana is coming.")) == "done"
            created = await model.event("conversation.item.create")
            assert created["item"]["content"][0]["text"] == "Ana is coming."
            await socket.close()
