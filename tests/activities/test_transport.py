"""The transport under the official client: it keeps its time, and tells what was sent from what was not."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from activities.errors import NotSentError, ReplyLostError
from activities.transport import Transport
from tests.activities.town import client_for


@dataclass
class Host:
    """A host that answers every request so; None: not at all."""

    answer: bytes | None
    address: str = ""
    received: list[bytes] = field(default_factory=list[bytes])
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.received.append(await reader.readuntil(b"\r\n\r\n"))
        self.asked.set()
        if self.answer is None:
            await reader.read()  # until the other side has had enough
        else:
            writer.write(self.answer)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def host(answer: bytes | None) -> AsyncGenerator[Host]:
    there = Host(answer)
    server = await asyncio.start_server(there.serve, "127.0.0.1", 0)
    there.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield there
    finally:
        server.close()


async def test_a_host_that_does_not_answer_is_given_up_in_time_and_the_reply_is_lost() -> None:
    async with host(None) as there, Transport(reply_s=0.2) as transport:
        with pytest.raises(ReplyLostError):
            await transport.request("POST", f"{there.address}/Calls.json", data={"To": "x"})

    assert there.received  # it was sent


async def test_a_refused_connection_sent_nothing() -> None:
    async with Transport() as transport:
        with pytest.raises(NotSentError):
            await transport.request("POST", "http://127.0.0.1:9/Calls.json", data={})


async def test_waiting_for_a_free_connection_sends_nothing() -> None:
    async with (
        host(None) as there,
        Transport(reply_s=5, connect_s=0.2, connections=1) as transport,
    ):
        holding = asyncio.create_task(transport.request("GET", there.address))
        await asyncio.wait_for(there.asked.wait(), 2)
        with pytest.raises(NotSentError):
            await transport.request("POST", there.address)
        holding.cancel()

    assert len(there.received) == 1


async def test_a_reply_that_is_cut_short_is_lost() -> None:
    cut = b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{}"
    async with host(cut) as there, Transport() as transport:
        with pytest.raises(ReplyLostError):
            await transport.request("POST", f"{there.address}/Calls.json")


async def test_a_closed_transport_sends_nothing() -> None:
    with pytest.raises(NotSentError):
        await Transport().request("GET", "http://127.0.0.1:9")


async def test_names_of_rooms_and_labels_are_encoded_once() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    async with host(ok) as there, Transport() as transport:
        client = client_for(transport, there.address)
        await client.conferences("af-ü x").participants("a b%2Dc").fetch_async()

    assert b"/Conferences/af-%C3%BC%20x/Participants/a%20b-c.json " in there.received[0]


async def test_lists_are_repeated_keys_and_credentials_are_basic() -> None:
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    async with host(ok) as there, Transport() as transport:
        await transport.request(
            "GET", f"{there.address}/x", params={"Event": ["a", "b"], "To": "+1"}, auth=("AC1", "secret")
        )

    assert there.received[0].startswith(b"GET /x?Event=a&Event=b&To=%2B1 HTTP/1.1")
    assert b"Authorization: Basic QUMxOnNlY3JldA==" in there.received[0]
