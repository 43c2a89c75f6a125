"""Web sockets by hand and by the library: the same messages, the same refusals."""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Close, Frame, Opcode
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from bridge.wire_ends import ClientWire, Masks, ServerWire
from bridge.wires import Wire

MAX_BYTES = 2000
REQUEST = (
    b"GET /stream HTTP/1.1\r\nHost: bridge\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@dataclass
class Heard:
    """A listener that remembers."""

    opens: int = 0
    texts: list[bytes] = field(default_factory=list[bytes])
    binaries: int = 0
    fullness: list[bool] = field(default_factory=list[bool])
    closings: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def opened(self) -> None:
        self.opens += 1
        self.news.set()

    def text(self, frame: bytes) -> None:
        self.texts.append(frame)
        self.news.set()

    def binary(self) -> None:
        self.binaries += 1

    def full(self, *, full: bool) -> None:
        self.fullness.append(full)
        self.news.set()

    def closed(self, code: int, because: str) -> None:
        self.closings.append((code, because))
        self.news.set()

    async def until(self, so: Callable[[], object]) -> None:
        """Wait until it has heard enough."""
        async with asyncio.timeout(10):
            while not so():
                await self.news.wait()
                self.news.clear()


class Pipe(asyncio.Transport):
    """A transport whose other end is a list."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self.ended = True

    def abort(self) -> None:
        self.ended = True

    def is_closing(self) -> bool:
        return self.ended


def a_server(heard: Heard, max_bytes: int = MAX_BYTES) -> tuple[ServerWire, Pipe]:
    """A server's wire whose handshake is done."""
    wire = ServerWire(heard, lambda _path, _headers: None, max_bytes=max_bytes, open_s=5)
    pipe = Pipe()
    wire.connection_made(pipe)
    wire.data_received(REQUEST)
    assert wire.open
    pipe.written.clear()
    return wire, pipe


def fed(wire: Wire, stream: bytes, cuts: list[int]) -> None:
    """The stream arrives in these pieces."""
    edges = sorted({0, *(cut % (len(stream) + 1) for cut in cuts), len(stream)})
    for start, end in itertools.pairwise(edges):
        wire.data_received(stream[start:end])


def a_frame(opcode: int, data: bytes, head: int = 0x80) -> tuple[int, bytes]:
    """The first byte of a frame and what is in it. head: its bits for final and reserved."""
    return head | opcode, data


def in_bytes(first: int, data: bytes, *, masked: bool) -> bytes:
    """A frame, also one that the library would not write."""
    written = Frame(Opcode.BINARY, data).serialize(mask=masked)
    return bytes([first]) + written[1:]


SHORT, ANY = st.binary(max_size=20), st.binary(min_size=100, max_size=MAX_BYTES + 50)
FRAMES = st.lists(
    st.one_of(
        st.builds(a_frame, st.just(1), st.binary(max_size=300)),
        st.builds(a_frame, st.just(1), ANY),
        st.builds(a_frame, st.sampled_from([0, 1, 2]), SHORT, st.sampled_from([0, 0x80])),
        st.builds(a_frame, st.sampled_from([9, 10]), SHORT),
        st.builds(a_frame, st.just(8), st.just(Close(1000, "bye").serialize())),
        st.builds(a_frame, st.integers(0, 15), SHORT, st.sampled_from([0x80, 0, 0xC0, 0xA0, 0x90])),
    ),
    max_size=12,
)


def by_the_library(stream: bytes) -> tuple[list[bytes], int, list[bytes]]:
    """What the library makes of a client's frames: texts, binaries, and what it answers."""
    library = ServerProtocol(max_size=MAX_BYTES)
    library.receive_data(REQUEST)
    [request] = library.events_received()
    library.send_response(library.accept(request))  # type: ignore[arg-type]  # the first event is the request
    library.data_to_send()
    library.receive_data(stream)
    texts: list[bytes] = []
    binaries = 0
    parts: list[bytes] = []
    opcode = Opcode.TEXT
    for frame in library.events_received():
        assert isinstance(frame, Frame)
        if frame.opcode in {Opcode.TEXT, Opcode.BINARY}:
            opcode, parts = frame.opcode, [bytes(frame.data)]
        elif frame.opcode is Opcode.CONT:
            parts.append(bytes(frame.data))
        else:
            continue
        if frame.fin and opcode is Opcode.TEXT:
            texts.append(b"".join(parts))
        elif frame.fin:
            binaries += 1
    return texts, binaries, [data for data in library.data_to_send() if data]


@settings(derandomize=True, deadline=None, max_examples=400)
@given(frames=FRAMES, cuts=st.lists(st.integers(0, 5000), max_size=8), masked=st.just(True) | st.booleans())
async def test_by_hand_is_as_by_the_library(
    frames: list[tuple[int, bytes]], cuts: list[int], *, masked: bool
) -> None:
    stream = b"".join(in_bytes(first, data, masked=masked) for first, data in frames)
    heard = Heard()
    wire, pipe = a_server(heard)

    fed(wire, stream, cuts)

    texts, binaries, answers = by_the_library(stream)
    assert (heard.texts, heard.binaries) == (texts, binaries)
    assert b"".join(pipe.written) == b"".join(answers)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(stream=st.binary(max_size=400), cuts=st.lists(st.integers(0, 500), max_size=5))
async def test_no_bytes_break_a_wire(stream: bytes, cuts: list[int]) -> None:
    heard = Heard()
    wire, _ = a_server(heard)

    fed(wire, stream, cuts)

    assert heard.texts == by_the_library(stream)[0]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
async def test_what_is_framed_by_hand_is_read_by_the_library(size: int) -> None:
    heard = Heard()
    wire, pipe = a_server(heard)
    text = b"x" * size
    wire.send(text)
    library = ClientProtocol(parse_uri("ws://bridge/"), max_size=None)
    library.state = ServerProtocol(state=library.state).state.OPEN
    library.parser = super(ClientProtocol, library).parse()
    next(library.parser)

    library.receive_data(b"".join(pipe.written))

    [frame] = library.events_received()
    assert isinstance(frame, Frame)
    assert bytes(frame.data) == text


async def test_a_request_and_its_first_frames_may_come_at_once_or_byte_by_byte() -> None:
    stream = REQUEST + Frame(Opcode.TEXT, b"first").serialize(mask=True)
    for pieces in ([stream], [bytes([byte]) for byte in stream]):
        heard = Heard()
        wire = ServerWire(heard, lambda _path, _headers: None, max_bytes=MAX_BYTES, open_s=5)
        wire.connection_made(Pipe())
        for piece in pieces:
            wire.data_received(piece)
        assert (heard.opens, heard.texts) == (1, [b"first"])


async def test_what_is_not_admitted_is_answered_and_never_opens() -> None:
    heard = Heard()
    wire = ServerWire(heard, lambda _path, _headers: (403, "no\n"), max_bytes=MAX_BYTES, open_s=5)
    pipe = Pipe()
    wire.connection_made(pipe)

    wire.data_received(REQUEST + Frame(Opcode.TEXT, b"first").serialize(mask=True))

    assert b"".join(pipe.written).startswith(b"HTTP/1.1 403 ")
    assert pipe.ended
    assert (heard.opens, heard.texts) == (0, [])


@pytest.mark.parametrize("head", [b"hello\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"x" * 20_000], ids=len)
async def test_what_is_no_web_socket_request_ends_the_connection(head: bytes) -> None:
    heard = Heard()
    wire = ServerWire(heard, lambda _path, _headers: None, max_bytes=MAX_BYTES, open_s=5)
    pipe = Pipe()
    wire.connection_made(pipe)

    wire.data_received(head)

    assert pipe.ended
    assert heard.opens == 0


async def test_nothing_is_sent_on_a_wire_that_is_closing() -> None:
    wire, pipe = a_server(Heard())
    wire.close(1001, "going")
    sent = len(pipe.written)

    wire.send(b"late")

    assert len(pipe.written) == sent


# Both ends of ours, over TCP


async def connected(server: Heard, client: Heard) -> tuple[asyncio.Server, ServerWire, ClientWire]:
    loop = asyncio.get_running_loop()
    accepted: asyncio.Future[ServerWire] = loop.create_future()

    def called() -> ServerWire:
        wire = ServerWire(server, lambda _path, _headers: None, max_bytes=MAX_BYTES, open_s=5)
        accepted.set_result(wire)
        return wire

    listening = await loop.create_server(called, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    url = f"ws://127.0.0.1:{port}/x?y=1"
    _, mine = await loop.create_connection(
        lambda: ClientWire(client, url, [("Authorization", "Bearer k")], Masks(), max_bytes=MAX_BYTES),
        "127.0.0.1",
        port,
    )
    theirs = await accepted
    await server.until(lambda: server.opens)
    await client.until(lambda: client.opens)
    return listening, theirs, mine


async def test_messages_go_both_ways_and_a_close_tells_its_code() -> None:
    server, client = Heard(), Heard()
    listening, theirs, mine = await connected(server, client)
    mine.send(b"to the server")
    theirs.send(b"to the client")
    await server.until(lambda: server.texts)
    await client.until(lambda: client.texts)

    theirs.close(1012, "restarting")
    await server.until(lambda: server.closings)
    await client.until(lambda: client.closings)

    assert (server.texts, client.texts) == ([b"to the server"], [b"to the client"])
    assert client.closings == [(1012, "restarting")]
    assert server.closings == [(1012, "restarting")]
    listening.close()


async def test_a_cut_connection_is_told_as_abnormal() -> None:
    server, client = Heard(), Heard()
    listening, theirs, _ = await connected(server, client)

    theirs.abort()
    await client.until(lambda: client.closings)

    assert client.closings[0][0] == 1006
    listening.close()


async def test_a_peer_that_does_not_read_is_told_of_and_told_when_it_reads_again() -> None:
    server, client = Heard(), Heard()
    listening, theirs, mine = await connected(server, client)
    mine.read_on(on=False)
    for _ in range(100_000):
        theirs.send(b"x" * 1000)
        if server.fullness:
            break
        await asyncio.sleep(0)
    assert server.fullness == [True]

    mine.read_on(on=True)
    await server.until(lambda: len(server.fullness) == 2)

    assert server.fullness == [True, False]
    listening.close()


def test_masks_are_as_many_as_are_asked_for_and_differ() -> None:
    masks = Masks()

    drawn = [masks.draw() for _ in range(3000)]

    assert {len(key) for key in drawn} == {4}
    assert len(set(drawn)) > 2900
