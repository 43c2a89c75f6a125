"""Frames that are cut, doubled, out of order, absurd or no frames at all: a stream that is otherwise usable goes on.

`make fuzz` runs these for as many examples as it is told, each time others, and prints their numbers.
"""

import asyncio
import json
import logging
import os
from collections.abc import Generator, Sequence
from random import Random
from typing import cast

import pytest
import structlog
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from bridge.session import At
from tests.bridge import frames
from tests.bridge.test_short_way import CHUNKS, DELTAS, NEWS, End, chunk, delta

EXAMPLES = int(os.environ.get("RUNG_FUZZ_EXAMPLES", "0"))
FUZZ = settings(
    derandomize=not EXAMPLES,
    max_examples=EXAMPLES or 120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
LONGEST = 45  # fifty broken frames of Twilio's in a row end a stream, and shall

Heard = tuple[bytes, bool]  # a frame, and whether it is the model's

ABSURD: tuple[object, ...] = (10**12, 10**30, -1, 1e308, "9" * 400, "x" * 20_000, "", None, [], {"a": {}})
HUGE = st.sampled_from(ABSURD)
OF_TWILIOS = (
    "media.timestamp",
    "media.chunk",
    "media.payload",
    "media.track",
    "mark.name",
    "streamSid",
    "event",
)
OF_MODELS = ("delta", "item_id", "response_id", "response.id", "response.status", "type", "event_id")
PATHS = st.sampled_from([*OF_TWILIOS, *OF_MODELS])
TWILIOS = st.sampled_from(
    [frames.CONNECTED, frames.DTMF, frames.MARK, frames.start(None), frames.start("t", "MZ2")]
)
MODELS = st.sampled_from(
    [
        '{"type":"error","error":{"type":"server_error","code":"x","message":"y"}}',
        '{"type":"error"}',
        '{"type":"session.updated","session":{"expires_at":1e300}}',
        '{"type":"rate_limits.updated","rate_limits":[{"name":"tokens"}]}',
        '{"type":"response.done","response":{"id":"r9","output":[{"type":"function_call"}]}}',
        '{"type":"response.function_call_arguments.done","call_id":"c","name":"note","arguments":"{"}',
        '{"type":"conversation.item.truncated","item_id":"a","audio_end_ms":-5}',
        '{"type":"something.new","delta":"AAAA"}',
        "[]",
        "null",
        '"media"',
    ]
)
GOOD = st.one_of(
    CHUNKS.map(lambda one: (one[0].encode(), one[1])),
    DELTAS.map(lambda one: (one[0].encode(), one[1])),
    NEWS.map(lambda one: (one[0].encode(), one[1])),
    TWILIOS.map(lambda frame: (frame.encode(), False)),
    MODELS.map(lambda frame: (frame.encode(), True)),
)


def cut_off(one: Heard, share: float) -> Heard:
    """So much of a frame."""
    return one[0][: int(len(one[0]) * share)], one[1]


def again(one: Heard, times: int) -> Heard:
    """A frame several times in one."""
    return one[0] * times, one[1]


def with_absurd(one: Heard, path: str, value: object) -> Heard:
    """A frame with something else at a place, if it has that place."""
    message: object = json.loads(one[0])
    *above, last = path.split(".")
    at = message
    for name in above:
        at = cast("dict[str, object]", at).get(name) if isinstance(at, dict) else None
    if isinstance(at, dict) and last in at:
        at[last] = value
    return json.dumps(message, separators=(",", ":")).encode(), one[1]


DAMAGED: st.SearchStrategy[Heard] = st.one_of(
    GOOD,
    st.builds(cut_off, GOOD, st.floats(0, 1)),
    st.builds(with_absurd, GOOD, PATHS, HUGE),
    st.builds(again, GOOD, st.integers(2, 4)),
    st.tuples(st.binary(max_size=300), st.booleans()),
    st.tuples(st.text(max_size=100).map(str.encode), st.booleans()),
)


@pytest.fixture(autouse=True, scope="module")
def hushed() -> Generator[None]:
    """Some lines of a log for each of thousands of streams."""
    configured = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**configured)


async def carried() -> End:
    """A stream with its plan, and a session at the model that is ready."""
    one = End(short=True)
    for _ in range(10):
        await asyncio.sleep(0)
    return one


def goes_on(one: End) -> None:
    """Sound still passes, both ways."""
    told: Sequence[tuple[str, bool]] = (
        ('{"type":"input_audio_buffer.speech_stopped","item_id":"u"}', True),
        *(
            (f'{{"type":"response.done","response":{{"id":"r{n}","status":"completed"}}}}', True)
            for n in (1, 2)
        ),
        ('{"type":"response.created","response":{"id":"fresh"}}', True),
    )
    for frame, of_the_model in told:
        one.happens(frame, of_the_model=of_the_model)
    to_twilio, to_model = len(one.pipe.written), len(one.models.pipe.written)
    one.happens(delta("fresh", "fresh", 160, spaced=False)[0], of_the_model=True)
    for n in range(200):  # however far a timestamp has jumped: the sound that follows is heard within seconds
        one.happens(chunk(n * 20, 160, spaced=False)[0], of_the_model=False)
    assert len(one.pipe.written) > to_twilio, "the model's sound reaches Twilio"
    assert len(one.models.pipe.written) > to_model, "the caller's sound reaches the model"


@FUZZ
@given(story=st.lists(DAMAGED, max_size=LONGEST))
async def test_no_frames_however_damaged_end_a_stream_that_is_otherwise_usable(story: list[Heard]) -> None:
    one = await carried()
    for frame, of_the_model in story:
        one.clock += 0.013
        if of_the_model:
            assert one.models.wire is not None
            one.models.wire.listener.text(frame)
        else:
            one.leg.text(frame)

    event(f"frames: {len(story) // 10 * 10} and more")
    event(
        f"broken: {min(one.leg.session.counts.broken, 5)}{'+' if one.leg.session.counts.broken > 5 else ''}"
    )
    assert one.leg.session.at is At.CARRIED
    goes_on(one)
    one.leg.closed(1000, "")


@FUZZ
@given(story=st.lists(GOOD, max_size=20), order=st.randoms(use_true_random=False))
async def test_no_order_of_frames_ends_a_stream_that_is_otherwise_usable(
    story: list[Heard], order: Random
) -> None:
    one = await carried()
    shuffled = sorted(story, key=lambda _: order.random())
    for frame, of_the_model in [*shuffled, *story]:
        one.happens(frame.decode(), of_the_model=of_the_model)
    assert one.leg.session.at is At.CARRIED
    goes_on(one)
    one.leg.closed(1000, "")


async def test_what_cannot_be_read_is_counted_and_told_once_at_the_end() -> None:
    one = await carried()
    for _ in range(30):
        one.leg.text(b"\xff\x00 no frame")
    assert one.leg.session.counts.broken == 30
    goes_on(one)
    one.leg.closed(1000, "")


async def test_a_second_of_nothing_but_broken_frames_is_not_twilio() -> None:
    one = await carried()
    for _ in range(50):
        one.leg.text(b"{}")
    assert one.leg.session.at is not At.CARRIED
    one.leg.closed(1000, "")
