"""The short way for sound comes to the same as the long one: same frames out, in the same order, same counts."""

import asyncio
import base64
import json
from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.protocol import State

from bench.relay import InMemory, OpenDoor
from bridge.leg import Leg
from bridge.realtime import Access, Realtime
from bridge.signature import Signatures
from bridge.wire_ends import ClientWire, Masks, ServerWire
from bridge.wires import Listener, Wire
from tests.bridge import frames
from tests.bridge.test_wires import REQUEST, Pipe
from workflows.tokens import Tokens


class Unmasked(ClientWire):
    """A client's wire whose frames can be compared."""

    def _framed(self, text: bytes) -> bytes:
        return text


class Piped:
    """A model whose socket is a pipe."""

    def __init__(self) -> None:
        self.pipe = Pipe()
        self.wire: ClientWire | None = None

    def session(self) -> Realtime:
        return Realtime(Access("ws://model", "m", "k", trusting=True))

    async def connect(self, listener: Listener, keep: Callable[[Wire], None]) -> None:
        self.wire = Unmasked(listener, "ws://model/", [], Masks(), max_bytes=1 << 20)
        keep(self.wire)
        self.wire.connection_made(self.pipe)
        self.pipe.written.clear()
        self.wire.open = True
        self.wire._protocol.state = State.OPEN  # pyright: ignore[reportPrivateUsage]  # no handshake here
        listener.opened()


class End:
    """One leg between two pipes, on a clock of its own."""

    def __init__(self, *, short: bool) -> None:
        self.models = Piped()
        driver = OpenDoor(InMemory(), Tokens("x" * 20), Signatures("", "ws://x", required=False), self.models)
        self.leg = Leg(driver, InMemory(), self.models)
        self.leg.short = short
        self.clock = self.leg.loop.time()
        self.leg.now = lambda: self.clock
        self.leg.session.unix_s = 0.0
        self.pipe = Pipe()
        self.leg.wire = ServerWire(self.leg, lambda _path, _headers: None, max_bytes=1 << 16, open_s=5)
        self.leg.wire.connection_made(self.pipe)
        self.leg.wire.data_received(REQUEST)
        self.pipe.written.clear()
        self.leg.text(frames.start(None).encode())

    def happens(self, frame: str, *, of_the_model: bool) -> None:
        self.clock += 0.013
        if of_the_model:
            assert self.models.wire is not None
            self.models.wire.listener.text(frame.encode())
        else:
            self.leg.text(frame.encode())


def chunk(at_ms: int, size: int, *, spaced: bool) -> tuple[str, bool]:
    frame = json.loads(frames.media(at_ms))
    frame["media"]["payload"] = base64.b64encode(bytes([at_ms % 251]) * size).decode()
    return json.dumps(frame, separators=None if spaced else (",", ":")), False


def delta(item: str, response: str, size: int, *, spaced: bool) -> tuple[str, bool]:
    sound = base64.b64encode(b"\x55" * size).decode()
    event = {"type": "response.output_audio.delta", "event_id": "e", "response_id": response, "item_id": item}
    return json.dumps(event | {"delta": sound}, separators=None if spaced else (",", ":")), True


def event(kind: str, **fields: object) -> tuple[str, bool]:
    return json.dumps({"type": kind, **fields}), True


SIZES = st.sampled_from([0, 1, 160, 160, 160, 320, 333, 1600])
NEWS = st.sampled_from(
    [
        event("response.created", response={"id": "r1"}),
        event("response.created", response={"id": "r2"}),
        event("response.done", response={"id": "r1", "status": "completed"}),
        event("response.output_audio.done", item_id="a"),
        event("input_audio_buffer.speech_started", item_id="u"),
        event("input_audio_buffer.speech_stopped", item_id="u"),
        (json.dumps({"event": "mark", "streamSid": frames.STREAM, "mark": {"name": "0:a:200"}}), False),
    ]
)
CHUNKS = st.builds(chunk, st.sampled_from([0, 20, 40, 60, 80, 100, 400, 5000]), SIZES, spaced=st.booleans())
DELTAS = st.builds(
    delta,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["r1", "r2"]),
    SIZES,
    spaced=st.just(False) | st.booleans(),
)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(story=st.lists(st.one_of(CHUNKS, DELTAS, DELTAS, NEWS), max_size=40))
async def test_both_ways_come_to_the_same(story: list[tuple[str, bool]]) -> None:
    short, long = End(short=True), End(short=False)
    for _ in range(10):
        await asyncio.sleep(0)  # the plan is there, and the model's session is open
    long.clock = short.clock
    for frame, of_the_model in story:
        short.happens(frame, of_the_model=of_the_model)
        long.happens(frame, of_the_model=of_the_model)

    assert b"".join(short.pipe.written) == b"".join(long.pipe.written)
    assert short.models.pipe.written == long.models.pipe.written
    assert short.leg.session.counts == long.leg.session.counts
    assert short.leg.figures.told() == long.leg.figures.told()
    for one in (short, long):
        one.leg.closed(1000, "")


async def test_most_of_a_calls_sound_takes_the_short_way() -> None:
    one = End(short=True)
    for _ in range(10):
        await asyncio.sleep(0)
    one.happens(chunk(0, 160, spaced=False)[0], of_the_model=False)
    one.happens(delta("a", "r1", 160, spaced=False)[0], of_the_model=True)

    assert one.leg.session.passes(frames.STREAM, 20, 160, one.clock) == 1
    assert one.leg.session.plays(1, "r1", "a", 160, one.clock)[0]
    one.leg.closed(1000, "")
