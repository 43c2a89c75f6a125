"""What goes wrong on order: at the handshake, in a session, in the middle of an answer. And that it can be repeated."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sandbox.speech.faults import Fault, Faults, Kind, Point
from tests.speech.talk import Event
from tests.speech.wire import checked_server

MODEL = "gpt-realtime-2.1"
SENTENCE = "Please stay on the line while I am ringing the second engineer, who is on call tonight."


@asynccontextmanager
async def session(address: str) -> AsyncGenerator[ClientConnection]:
    """On the telephone, ready to speak."""
    url = f"ws{address.removeprefix('http')}/v1/realtime?model={MODEL}"
    headers = {"Authorization": "Bearer sk-test"}
    async with connect(url, additional_headers=headers, compression=None, max_size=None) as socket:
        pcmu = {"format": {"type": "audio/pcmu"}}
        update = {"type": "realtime", "audio": {"input": pcmu, "output": pcmu}}
        await socket.send(json.dumps({"type": "session.update", "session": update}))
        yield socket


async def ask(socket: ClientConnection) -> None:
    order = f'Say exactly this and nothing else: "{SENTENCE}"'
    await socket.send(json.dumps({"type": "response.create", "response": {"instructions": order}}))


async def until(socket: ClientConnection, kind: str) -> list[Event]:
    """All events up to the first of that kind."""
    events: list[Event] = []
    while not events or events[-1]["type"] != kind:
        events.append(checked_server(json.loads(await asyncio.wait_for(socket.recv(), 20))))
    return events


async def to_the_end(socket: ClientConnection) -> tuple[list[Event], ConnectionClosed]:
    events: list[Event] = []
    while True:
        try:
            events.append(checked_server(json.loads(await asyncio.wait_for(socket.recv(), 20))))
        except ConnectionClosed as closed:
            return events, closed


async def set_fault(hand: httpx.AsyncClient, **fault: object) -> None:
    (await hand.post("/faults", json=fault)).raise_for_status()


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_a_connection_is_refused_as_often_as_ordered(
    address: str, hand: httpx.AsyncClient, status: int
) -> None:
    await set_fault(hand, kind="refuse", code=status, times=1)
    with pytest.raises(InvalidStatus) as refused:
        async with session(address):
            pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body)["error"]["message"]
    async with session(address) as socket:
        await until(socket, "session.updated")


async def test_a_socket_is_dropped_in_the_middle_of_an_answer(address: str, hand: httpx.AsyncClient) -> None:
    await set_fault(hand, kind="drop", on="response", after_ms=600)
    async with session(address) as socket:
        await ask(socket)
        events, closed = await to_the_end(socket)
    assert closed.rcvd is None, "without a word"
    heard = sum(event["type"] == "response.output_audio.delta" for event in events)
    assert heard >= 3
    assert not [event for event in events if event["type"] == "response.done"]


async def test_a_socket_is_dropped_so_long_after_the_session_began(
    address: str, hand: httpx.AsyncClient
) -> None:
    await set_fault(hand, kind="drop", after_ms=50)
    async with session(address) as socket:
        _, closed = await to_the_end(socket)
    assert closed.rcvd is None


async def test_a_socket_is_dropped_now(address: str, hand: httpx.AsyncClient) -> None:
    async with session(address) as socket:
        await until(socket, "session.updated")
        struck = await hand.post("/strike", json={"kind": "drop"})
        assert struck.json() == {"struck": 1}
        await to_the_end(socket)


async def test_a_session_is_closed_with_a_code(address: str, hand: httpx.AsyncClient) -> None:
    async with session(address) as socket:
        await until(socket, "session.updated")
        await hand.post("/strike", json={"kind": "close", "code": 1012})
        _, closed = await to_the_end(socket)
    assert closed.rcvd is not None
    assert closed.rcvd.code == 1012


async def test_a_session_expires_early_as_it_would_at_its_limit(
    address: str, hand: httpx.AsyncClient
) -> None:
    async with session(address) as socket:
        await until(socket, "session.updated")
        await hand.post("/strike", json={"kind": "expire"})
        events, closed = await to_the_end(socket)
    assert events[-1]["error"]["code"] == "session_expired"
    assert closed.rcvd is not None
    assert closed.rcvd.code == 1001


async def test_a_response_fails_by_the_rate_limit_and_the_next_one_does_not(
    address: str, hand: httpx.AsyncClient
) -> None:
    await set_fault(hand, kind="fail", code="rate_limit_exceeded", times=1)
    async with session(address) as socket:
        await ask(socket)
        failed = (await until(socket, "response.done"))[-1]["response"]
        assert failed["status_details"]["error"]["code"] == "rate_limit_exceeded"
        await ask(socket)
        assert (await until(socket, "response.done"))[-1]["response"]["status"] == "completed"


async def test_an_error_out_of_nowhere_leaves_the_session_usable(
    address: str, hand: httpx.AsyncClient
) -> None:
    async with session(address) as socket:
        await until(socket, "session.updated")
        await hand.post("/strike", json={"kind": "error", "code": "server_overloaded"})
        assert (await until(socket, "error"))[-1]["error"]["code"] == "server_overloaded"
        await ask(socket)
        await until(socket, "response.done")


async def test_first_audio_is_slow_and_the_rest_is_not(address: str, hand: httpx.AsyncClient) -> None:
    await set_fault(hand, kind="slow", lasts_ms=400)
    loop = asyncio.get_running_loop()
    async with session(address) as socket:
        await until(socket, "session.updated")
        await ask(socket)
        await until(socket, "response.created")
        began = loop.time()
        await until(socket, "response.output_audio.delta")
        assert loop.time() - began >= 0.35
        await until(socket, "response.done")


async def test_an_answer_stalls_in_its_middle_and_then_goes_on(address: str, hand: httpx.AsyncClient) -> None:
    await set_fault(hand, kind="stall", on="response", after_ms=400, lasts_ms=400)
    loop = asyncio.get_running_loop()
    async with session(address) as socket:
        await ask(socket)
        await until(socket, "response.output_audio.delta")
        await until(socket, "response.output_audio.delta")
        began = loop.time()
        await until(socket, "response.done")
        assert loop.time() - began >= 0.35


@pytest.mark.parametrize("how", ["json", "binary", "unknown", "array", "bare"])
async def test_a_frame_is_garbled(address: str, hand: httpx.AsyncClient, how: str) -> None:
    async with session(address) as socket:
        await until(socket, "session.updated")
        await hand.post("/strike", json={"kind": "garble", "code": how})
        frame = await asyncio.wait_for(socket.recv(), 5)
        with pytest.raises((ValueError, TypeError)):
            checked_server(json.loads(frame))
        await ask(socket)
        await until(socket, "response.done")


async def test_what_the_model_remembers_can_be_looked_at(address: str, hand: httpx.AsyncClient) -> None:
    async with session(address) as socket:
        await ask(socket)
        await until(socket, "response.done")
        (seen,) = (await hand.get("/sessions")).json()
    assert [item["known"] for item in seen["items"]] == [SENTENCE]


async def test_a_mistake_in_a_fault_is_told(hand: httpx.AsyncClient) -> None:
    for body in (
        {"kind": "explode"},
        {"kind": "refuse", "code": 200},
        {"kind": "drop", "on": "connection"},
        7,
    ):
        reply = await hand.post("/faults", json=body)
        assert reply.status_code == 400
        assert reply.json()["error"]


def test_the_same_seed_strikes_the_same() -> None:
    def strikes(seed: int) -> list[int]:
        faults = Faults(seed)
        faults.add(Fault(Kind.REFUSE, Point.CONNECTION, probability=0.3))
        return [len(list(faults.strike(Point.CONNECTION))) for _ in range(50)]

    assert strikes(7) == strikes(7)
    assert strikes(7) != strikes(8)


def test_a_fault_spares_the_first_and_strikes_so_often() -> None:
    faults = Faults(0)
    faults.add(Fault(Kind.DROP, Point.SESSION, times=2, skip=1))
    assert [len(list(faults.strike(Point.SESSION))) for _ in range(5)] == [0, 1, 1, 0, 0]


async def process(*arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "speech", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert running.stdout is not None
    return running, (await asyncio.wait_for(running.stdout.readline(), 30)).decode()


async def test_as_a_process_it_says_where_it_listens_and_ends_by_a_signal() -> None:
    running, line = await process("--seed", "7", "--fault", '{"kind": "refuse", "code": 429, "times": 1}')
    word, _, rest = line.partition(" ")
    ready = json.loads(rest)
    assert (word, ready["organs"], ready["seed"]) == ("READY", "light", 7)
    with pytest.raises(InvalidStatus):
        async with session(ready["address"]):
            pass
    async with session(ready["address"]) as socket:
        await until(socket, "session.updated")
        running.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.wait(), 10) == 0


async def test_a_wrong_fault_on_the_command_line_ends_it_with_2() -> None:
    running, line = await process("--fault", "never")
    assert (line, await running.wait()) == ("", 2)
