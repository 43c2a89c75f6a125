"""Talking to a call's workflow while Temporal does not answer."""

import asyncio
from datetime import UTC, datetime, timedelta

from bridge.calls import Calls
from bridge.driver import Driver
from bridge.models import RealtimeModels
from bridge.signature import Signatures
from rung.bridge import access
from tests.bridge.scene import Bridge, Scene
from tests.temporal_server import TemporalServer
from workflows.tokens import StreamToken
from workflows.values import CallSid
from workflows.voice import Speaker, ToolCall, ToolOutcome, Turn, Turns, VoiceTrouble

HASTY = timedelta(milliseconds=200)


def leg(night: Scene, nonce: str = "n1") -> StreamToken:
    return StreamToken(night.sid, 1, nonce)


async def test_one_question_is_put_until_it_is_answered_and_counts_once(
    night: Scene, server: TemporalServer
) -> None:
    calls = Calls(night.client, "bridge-test", HASTY)
    with server.silent():
        asking = asyncio.create_task(calls.attach(leg(night), "MZ1"))
        done, _ = await asyncio.wait({asking}, timeout=1.0)  # several attempts fail meanwhile
        assert not done

    answer = await asking

    assert answer.accepted
    assert [attach.nonce for attach in (await night.heard()).attached] == ["n1"]


async def test_a_farewell_is_told_when_temporal_is_back(night: Scene, server: TemporalServer) -> None:
    calls = Calls(night.client, "bridge-test", HASTY)
    with server.silent():
        telling = asyncio.create_task(calls.tell_detached(leg(night)))
        done, _ = await asyncio.wait({telling}, timeout=1.0)
        assert not done

    await telling

    assert (await night.until(detached=1)).detached[0].queue == "bridge-test"


async def test_a_call_that_is_over_accepts_nothing_and_needs_no_farewell(night: Scene) -> None:
    calls = Calls(night.client, "bridge-test")
    over = StreamToken(CallSid("CA" + "e" * 32), 1, "n1")

    assert not (await calls.attach(over, "MZ1")).accepted
    await calls.tell_detached(over)


async def test_another_stream_with_the_same_token_asks_a_question_of_its_own(
    night: Scene,
) -> None:
    calls = Calls(night.client, "bridge-test")

    assert (await calls.attach(leg(night), "MZ1")).accepted
    assert not (await calls.attach(leg(night), "MZ1")).accepted


async def test_a_leg_that_comes_back_while_there_is_no_temporal_is_attached_when_there_is(
    night: Scene, server: TemporalServer
) -> None:
    """Its older stream has ended meanwhile: that farewell is dropped, or came first."""
    calls = Calls(night.client, "bridge-test", HASTY)
    settings = night.bridge.settings
    token = settings.twilio_auth_token.get_secret_value()
    driver = Driver(
        calls, night.tokens, Signatures(token, settings.stream_url), RealtimeModels(access(settings))
    )
    async with driver.listening("127.0.0.1", 0) as port:
        bridge = Bridge(settings, port=port)
        first = await night.started(night.token(), bridge=bridge)
        await night.until(attached=1)
        with server.gone():
            first.transport.abort()
            await asyncio.sleep(1)  # the farewell fails, several times, and waits longer and longer
            second = await night.started(night.token(), "MZ2", bridge=bridge)
        await night.until(attached=2)
        assert second.close_code is None
    # The bridge has ended, and with it the second stream: whatever was to be told has been.
    heard = await night.until(detached=1)
    assert "-".join(heard.order) in {
        "attached-attached-detached",
        "attached-detached-attached-detached",
    }


async def test_a_tool_call_counts_once_however_often_it_is_put(night: Scene, server: TemporalServer) -> None:
    calls = Calls(night.client, "bridge-test", HASTY)
    call = ToolCall(id="call_1", name="note", arguments="{}", generation=1)
    with server.silent():
        asking = asyncio.create_task(calls.use_tool(leg(night), call))
        done, _ = await asyncio.wait({asking}, timeout=1.0)  # several attempts fail meanwhile
        assert not done

    assert await asking == ToolOutcome(output="note done", speak=False)
    assert await calls.use_tool(leg(night), call) == ToolOutcome(output="note done", speak=False)
    assert (await night.heard()).tools == (call,)


async def test_a_tool_that_the_call_refuses_says_why(night: Scene) -> None:
    calls = Calls(night.client, "bridge-test")
    call = ToolCall(id="call_1", name="fail", arguments="{}", generation=1)

    outcome = await calls.use_tool(leg(night), call)

    assert "nobody may do that" in outcome.output
    assert outcome.speak


async def test_turns_and_trouble_are_told_when_temporal_is_back(night: Scene, server: TemporalServer) -> None:
    calls = Calls(night.client, "bridge-test", HASTY)
    turn = Turn(Speaker.CALLER, "It leaks.", datetime(2026, 1, 1, tzinfo=UTC))
    turns = Turns(generation=1, first=3, turns=(turn,))
    trouble = VoiceTrouble(generation=1, what="model-lost", detail="1006")
    with server.silent():
        telling = asyncio.gather(calls.tell_trouble(leg(night), trouble), calls.tell_turns(leg(night), turns))
        done, _ = await asyncio.wait({telling}, timeout=1.0)
        assert not done

    await telling

    heard = await night.told(1)
    assert heard.turns[0] == turns
    assert heard.troubles[0] == trouble
