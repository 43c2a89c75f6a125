"""Sound through real sockets: Twilio's end, the bridge's driver, and a speech model."""

import asyncio
import base64
import contextlib
import json
import os
import signal
import ssl
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from bench.carriage.measure import certificate_in
from bench.relay import InMemory, OpenDoor
from bridge.admission import Admission
from bridge.effects import Effect, Overheard
from bridge.leg import Leg
from bridge.models import RealtimeModels
from bridge.realtime import Access
from bridge.signature import Signatures
from tests.bridge import frames
from tests.bridge.model_server import PATIENCE_S, ModelServer, model_server
from workflows.assistant import Role
from workflows.orders import Instruction
from workflows.tokens import EarToken, StreamToken, Tokens
from workflows.values import CallSid
from workflows.voice import Plan, Speaker, Tool, ToolCall, ToolOutcome, Turn, Turns, VoiceTrouble

CALL = CallSid(frames.STREAM)  # the open door takes a stream for a call of its own
NOTE = Tool("note", "Notes.", '{"type": "object"}')
PLAN = Plan("Listen.", (NOTE,), "marin", "en")


class Ledger(InMemory):
    """The workflow's side, which remembers."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.calls: list[ToolCall] = []
        self.done: list[str] = []
        self.turns: list[Turn] = []
        self.first: list[int] = []
        self.troubles: list[str] = []
        self.detached = asyncio.Event()
        self.news = asyncio.Event()
        self.answer: asyncio.Event | None = None

    async def use_tool(self, leg: StreamToken, call: ToolCall) -> ToolOutcome:
        self.calls.append(call)
        self.news.set()
        if self.answer is not None:
            await self.answer.wait()
        self.done.append(call.id)
        return ToolOutcome(output="noted")

    async def tell_turns(self, leg: StreamToken, turns: Turns) -> None:
        self.first.append(turns.first)
        self.turns += turns.turns
        self.news.set()

    async def tell_trouble(self, leg: StreamToken, trouble: VoiceTrouble) -> None:
        self.troubles.append(trouble.what)
        self.news.set()

    async def tell_detached(self, leg: StreamToken) -> None:
        self.detached.set()

    async def until(self, count: int, what: list[Any]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(what) < count:
                self.news.clear()
                await self.news.wait()


@dataclass
class Twilio:
    """Twilio's end of one stream: plays nothing, returns each mark at once, keeps what came."""

    socket: ClientConnection
    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    news: asyncio.Event = field(default_factory=asyncio.Event)
    returns_marks: bool = True

    async def read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for frame in self.socket:
                message = json.loads(frame)
                self.messages.append(message)
                if message["event"] == "mark" and self.returns_marks:
                    await self.socket.send(json.dumps(message | {"sequenceNumber": "9"}))
                self.news.set()

    async def says(self, sound: bytes, first_ms: int = 0) -> None:
        for n in range(len(sound) // 160):
            payload = base64.b64encode(sound[n * 160 : (n + 1) * 160]).decode()
            frame = json.loads(frames.media(first_ms + 20 * n))
            frame["media"]["payload"] = payload
            await self.socket.send(json.dumps(frame))

    def of(self, event: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["event"] == event]

    @property
    def heard(self) -> bytes:
        return b"".join(base64.b64decode(one["media"]["payload"]) for one in self.of("media"))

    async def until(self, count: int, event: str) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while len(self.of(event)) < count:
                self.news.clear()
                await self.news.wait()


@dataclass
class Carried:
    """A stream that is carried, and everybody around it."""

    twilio: Twilio
    model: ModelServer
    ledger: Ledger
    driver: OpenDoor
    port: int


def a_driver(model: ModelServer, ledger: Ledger, streams: int = 10) -> OpenDoor:
    return OpenDoor(
        ledger,
        Tokens("secret-secret-secret"),
        Signatures("", "ws://bridge", required=False),
        RealtimeModels(Access(model.url, "gpt-realtime-2.1", "key")),
        admission=Admission(streams),
    )


@asynccontextmanager
async def carried(plan: Plan = PLAN, *, ready: bool = True, streams: int = 10) -> AsyncGenerator[Carried]:
    ledger = Ledger(plan)
    async with model_server() as model:
        driver = a_driver(model, ledger, streams)
        async with driver.listening("127.0.0.1", 0) as port, connect(f"ws://127.0.0.1:{port}/") as socket:
            await socket.send(frames.CONNECTED)
            await socket.send(frames.start("any"))
            twilio = Twilio(socket)
            reading = asyncio.create_task(twilio.read())
            if ready:
                await model.event("session.update")
            yield Carried(twilio, model, ledger, driver, port)
            reading.cancel()


async def test_sound_goes_both_ways_byte_for_byte() -> None:
    async with carried() as line:
        spoken = os.urandom(160 * 50)
        await line.twilio.says(spoken)
        await line.model.until(lambda model: len(model.sound) >= len(spoken))

        await line.model.answers(1000)
        await line.twilio.until(10, "media")

        assert line.model.sound == spoken
        assert line.twilio.heard == bytes([1]) * 8000
        assert line.model.paths == ["/v1/realtime?model=gpt-realtime-2.1"]


async def test_what_is_said_before_the_model_is_ready_is_heard_when_it_is() -> None:
    async with carried(ready=False) as line:
        spoken = os.urandom(160 * 20)
        await line.twilio.says(spoken)

        await line.model.until(lambda model: len(model.sound) >= len(spoken))

        assert line.model.sound == spoken


@pytest.mark.parametrize("believed", [True, False])
async def test_the_model_is_spoken_to_over_tls_and_must_show_a_certificate_that_is_believed(
    tmp_path: Path, *, believed: bool
) -> None:
    certificate = certificate_in(tmp_path)
    ledger = Ledger(PLAN)
    tls = ssl.create_default_context(cafile=str(certificate) if believed else None)
    async with model_server(certificate) as model:
        driver = OpenDoor(
            ledger,
            Tokens("secret-secret-secret"),
            Signatures("", "ws://bridge", required=False),
            RealtimeModels(Access(model.url, "gpt-realtime-2.1", "key"), tls),
        )
        async with driver.listening("127.0.0.1", 0) as port, connect(f"ws://127.0.0.1:{port}/") as socket:
            await socket.send(frames.start("any"))
            if believed:
                await model.event("session.update")
                await Twilio(socket).says(b"\x01" * 1600)
                await model.until(lambda model: len(model.sound) == 1600)
            else:
                await ledger.until(1, ledger.troubles)

    assert ledger.troubles == ([] if believed else ["model-unreachable"])


async def test_who_speaks_over_the_assistant_is_heard_and_nothing_stale_follows() -> None:
    async with carried() as line:
        line.twilio.returns_marks = False
        item = await line.model.answers(5000)
        await line.twilio.until(50, "media")

        await line.model.sends("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=0)
        truncate = await line.model.until(
            lambda model: model.of("conversation.item.truncate") + model.of("conversation.item.delete")
        )
        await line.twilio.until(1, "clear")

        assert truncate[0]["item_id"] == item
        assert line.twilio.messages[-1]["event"] == "clear"
        health = line.driver.health()
        assert health["streams"] == 1


async def test_a_tool_is_used_and_its_outcome_brought_back() -> None:
    async with carried() as line:
        call = {
            "id": "i9",
            "type": "function_call",
            "status": "completed",
            "call_id": "call_1",
            "name": "note",
            "arguments": '{"text": "dry"}',
        }
        await line.model.sends("response.created", response={"id": "r9"})
        await line.model.sends("response.output_item.done", response_id="r9", output_index=0, item=call)
        await line.model.sends("response.done", response={"id": "r9", "status": "completed"})

        outcome = await line.model.event("conversation.item.create")
        await line.model.event("response.create")

        assert outcome["item"] == {"type": "function_call_output", "call_id": "call_1", "output": "noted"}
        assert line.ledger.calls[0].arguments == '{"text": "dry"}'


async def test_sound_flows_while_a_tool_waits_for_the_workflow() -> None:
    async with carried() as line:
        line.ledger.answer = asyncio.Event()
        call = {"id": "i", "type": "function_call", "call_id": "c", "name": "note", "arguments": "{}"}
        await line.model.sends("response.output_item.done", response_id="r9", output_index=0, item=call)
        spoken = os.urandom(1600)

        await line.twilio.says(spoken)
        await line.model.until(lambda model: model.sound == spoken)
        await line.model.answers(200)
        await line.twilio.until(2, "media")

        assert line.model.of("conversation.item.create") == []
        line.ledger.answer.set()
        await line.model.event("conversation.item.create")


async def test_a_tool_call_outlives_the_stream_that_asked_for_it() -> None:
    async with carried() as line:
        line.ledger.answer = asyncio.Event()
        call = {"id": "i", "type": "function_call", "call_id": "c", "name": "note", "arguments": "{}"}
        await line.model.sends("response.output_item.done", response_id="r9", output_index=0, item=call)
        await line.ledger.until(1, line.ledger.calls)

        await line.twilio.socket.send(frames.STOP)
        await line.twilio.socket.wait_closed()
        assert not line.ledger.detached.is_set()
        line.ledger.answer.set()

        await asyncio.wait_for(line.ledger.detached.wait(), PATIENCE_S)
        assert line.ledger.done == ["c"]


async def test_turns_are_told_in_batches_with_their_numbers() -> None:
    async with carried(Plan("Listen.", (), "marin", "en", opening="Hello.")) as line:
        create = await line.model.event("response.create")
        await line.model.answers(200, "Hello.", metadata=create["response"]["metadata"])
        await line.model.sends(
            "conversation.item.input_audio_transcription.completed", item_id="u1", transcript="It leaks."
        )

        await line.ledger.until(2, line.ledger.turns)

        told = {(turn.speaker, turn.text) for turn in line.ledger.turns}
        assert told == {(Speaker.ASSISTANT, "Hello."), (Speaker.ROOM, "It leaks.")}
        assert line.ledger.first == sorted(line.ledger.first)


async def test_a_leg_that_resumes_goes_on_with_higher_numbers() -> None:
    async with carried() as line:
        heard = {"item_id": "u1", "transcript": "It leaks."}
        await line.model.sends("conversation.item.input_audio_transcription.completed", **heard)
        await line.ledger.until(1, line.ledger.turns)
        async with connect(f"ws://127.0.0.1:{line.port}/") as next_stream:
            await next_stream.send(frames.start("any"))
            await line.model.event("session.update", 2)
            await line.model.sends("conversation.item.input_audio_transcription.completed", **heard)
            await line.ledger.until(2, line.ledger.turns)

    assert line.ledger.first[1] > line.ledger.first[0]


async def test_turns_not_told_yet_are_told_before_the_farewell() -> None:
    async with carried() as line:
        await line.model.sends(
            "conversation.item.input_audio_transcription.completed", item_id="u1", transcript="Bye."
        )
        await line.model.answers(100)
        await line.twilio.until(1, "media")
        await line.twilio.socket.send(frames.STOP)

        await asyncio.wait_for(line.ledger.detached.wait(), PATIENCE_S)

        assert [turn.text for turn in line.ledger.turns] == ["Bye."]


async def test_a_model_that_drops_its_socket_is_replaced_and_remembers() -> None:
    async with carried() as line:
        await line.model.sends(
            "conversation.item.input_audio_transcription.completed", item_id="u1", transcript="It leaks."
        )
        await line.model.answers(100)
        await line.twilio.until(1, "media")

        line.model.sessions[0].transport.abort()

        await line.model.event("session.update", 2)
        remembered = await line.model.event("conversation.item.create")
        assert remembered["item"]["content"][0]["text"] == "(room) It leaks."
        await line.ledger.until(2, line.ledger.troubles)
        assert line.ledger.troubles == ["model-lost", "model-back"]
        spoken = os.urandom(1600)
        await line.twilio.says(spoken)
        await line.model.until(lambda model: model.sound.endswith(spoken))


async def test_a_model_that_refuses_is_told_to_the_workflow_and_tried_again() -> None:
    ledger = Ledger(PLAN)
    async with model_server() as model:
        model.refuses = HTTPStatus.SERVICE_UNAVAILABLE
        driver = a_driver(model, ledger)
        async with driver.listening("127.0.0.1", 0) as port, connect(f"ws://127.0.0.1:{port}/") as socket:
            await socket.send(frames.start("any"))
            await ledger.until(1, ledger.troubles)
            model.refuses = None
            await model.event("session.update")
            await ledger.until(2, ledger.troubles)
    assert ledger.troubles == ["model-unreachable", "model-back"]


async def test_orders_reach_the_model_and_the_line() -> None:
    async with carried() as line:
        await line.driver.instruct_bridge(Instruction(CALL, 1, "say", text="Ana has it.", fact="esc#2"))
        said = await line.model.event("response.create")
        assert said["response"]["instructions"] == 'Say exactly this and nothing else: "Ana has it."'

        await line.driver.instruct_bridge(Instruction(CALL, 1, "quiet"))
        await line.twilio.until(1, "clear")
        silenced = await line.model.event("session.update", 2)
        assert not silenced["session"]["audio"]["input"]["turn_detection"]["create_response"]

        coach = Plan("Coach Ana.", (), "marin", "en", role=Role.COACH, person="Ana")
        await line.driver.instruct_bridge(Instruction(CALL, 1, "role", Role.COACH, "Ana", coach))
        configured = await line.model.event("session.update", 3)
        assert configured["session"]["instructions"] == "Coach Ana."


async def test_a_turn_is_whose_own_stream_was_loud() -> None:
    loud, ledger = bytes([0x90, 0x10]) * 80, Ledger(PLAN)
    async with model_server() as model:
        driver = EarsToo(
            ledger,
            Tokens("secret-secret-secret"),
            Signatures("", "ws://bridge", required=False),
            RealtimeModels(Access(model.url, "gpt-realtime-2.1", "key")),
        )
        async with driver.listening("127.0.0.1", 0) as port, connect(f"ws://127.0.0.1:{port}/") as socket:
            await socket.send(frames.start("any"))
            await model.event("session.update")
            async with connect(f"ws://127.0.0.1:{port}/") as ear:
                await ear.send(frames.start("ear", "MZ2"))
                await model.sends("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=0)
                for n in range(10):
                    frame = json.loads(frames.media(20 * n, "MZ2"))
                    frame["media"]["payload"] = base64.b64encode(loud).decode()
                    await ear.send(json.dumps(frame))
                await ear.ping()
                async with asyncio.timeout(PATIENCE_S):
                    while driver.overheard_ms < 200:
                        driver.news.clear()
                        await driver.news.wait()
                await model.sends("input_audio_buffer.speech_stopped", item_id="u1", audio_end_ms=200)
                await model.sends(
                    "conversation.item.input_audio_transcription.completed",
                    item_id="u1",
                    transcript="The valve.",
                )
                await ledger.until(1, ledger.turns)

    assert [(turn.speaker, turn.text) for turn in ledger.turns] == [(Speaker.RESPONDER, "The valve.")]


class EarsToo(OpenDoor):
    """An open door for which the token `ear` is a responder's own stream."""

    overheard_ms = 0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.news = asyncio.Event()

    def opened(self, leg: Leg, token: str) -> list[Effect]:
        if token != "ear":
            return super().opened(leg, token)
        return leg.session.claimed_as_ear(EarToken(CALL, CallSid("CA3"), Speaker.RESPONDER, "Ana"))

    def overheard(self, heard: Overheard) -> None:
        super().overheard(heard)
        self.overheard_ms += heard.loud.ms
        self.news.set()


async def test_a_bridge_that_is_told_to_stop_lets_what_is_being_said_be_heard_first() -> None:
    ledger = Ledger(PLAN)
    async with model_server() as model:
        driver = OpenDoor(
            ledger,
            Tokens("secret-secret-secret"),
            Signatures("", "ws://bridge", required=False),
            RealtimeModels(Access(model.url, "gpt-realtime-2.1", "key")),
            drain_s=5.0,
        )
        listening = driver.listening("127.0.0.1", 0)
        port = await listening.__aenter__()
        async with connect(f"ws://127.0.0.1:{port}/") as socket:
            await socket.send(frames.start("any"))
            twilio = Twilio(socket, returns_marks=False)
            reading = asyncio.create_task(twilio.read())
            await model.event("session.update")
            await model.answers(200, "Hold on.")
            await twilio.until(1, "mark")
            stopping = asyncio.create_task(listening.__aexit__(None, None, None))
            await asyncio.wait({stopping}, timeout=0.5)
            assert socket.close_code is None
            with pytest.raises(ConnectionRefusedError):
                await connect(f"ws://127.0.0.1:{port}/")

            for mark in twilio.of("mark"):
                await socket.send(json.dumps(mark))
            await reading
            await stopping

    assert socket.close_code == 1012
    assert [turn.text for turn in ledger.turns] == ["Hold on."]


async def test_a_process_that_is_full_answers_so() -> None:
    async with carried(streams=1) as line:
        with pytest.raises(InvalidStatus) as raised:
            await connect(f"ws://127.0.0.1:{line.port}/")
        assert raised.value.response.status_code == 503


async def test_what_the_model_sends_wrongly_is_skipped() -> None:
    async with carried() as line:
        session = line.model.sessions[-1]
        for frame in ("hello", "[]", "{}", '{"type": "response.mood"}', b"\x00", '{"type": 7}'):
            await session.send(frame)

        await line.model.answers(100)
        await line.twilio.until(1, "media")


async def test_two_drivers_share_one_port() -> None:
    async with model_server() as model:
        one, other = a_driver(model, Ledger(PLAN)), a_driver(model, Ledger(PLAN))
        listening = one.listening("127.0.0.1", 0, share=True)
        async with listening as port, other.listening("127.0.0.1", port, share=True) as same:
            assert same == port


async def test_the_relay_alone_carries_any_stream_until_it_is_ended() -> None:
    async with model_server() as model:
        relay = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bench.relay", "--port", "0", "--upstream", model.url),
            *("--path", "/media-stream"),
            stdout=asyncio.subprocess.PIPE,
        )
        assert relay.stdout is not None
        ready, port = (await asyncio.wait_for(relay.stdout.readline(), 30)).decode().split()
        assert ready == "READY"
        async with connect(f"ws://127.0.0.1:{port}/media-stream") as socket:
            await socket.send(frames.start(None))
            twilio = Twilio(socket)
            await model.event("session.update")
            await twilio.says(b"\x01" * 1600)
            await model.until(lambda model: len(model.sound) == 1600)
        relay.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(relay.wait(), 15) == 0
