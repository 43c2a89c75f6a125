"""Media Streams frames, read and written."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import RemoteProtocolError
from bridge.twilio_wire import (
    Connected,
    Dtmf,
    FromTwilio,
    Mark,
    Media,
    SendClear,
    SendMark,
    SendMedia,
    Start,
    Stop,
    StreamSid,
    Unknown,
    by_the_models,
    read,
    write,
)
from tests.bridge import frames

STREAM = StreamSid(frames.STREAM)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        pytest.param(frames.CONNECTED, Connected(), id="connected"),
        pytest.param(
            frames.start("t"), Start(STREAM, frames.ACCOUNT, frames.LEG, {"token": "t"}), id="start"
        ),
        pytest.param(frames.media(1240), Media(STREAM, 1240, "//////////8="), id="media"),
        pytest.param(frames.DTMF, Dtmf(STREAM, "1"), id="dtmf"),
        pytest.param(frames.MARK, Mark(STREAM, "said"), id="mark"),
        pytest.param(frames.STOP, Stop(STREAM), id="stop"),
        pytest.param('{"event": "weather", "rain": true}', Unknown("weather"), id="an event we do not know"),
    ],
)
def test_each_frame_becomes_its_message(frame: str, message: FromTwilio) -> None:
    assert read(frame) == message


def test_fields_that_twilio_adds_without_asking_are_let_pass() -> None:
    more = json.loads(frames.media()) | {"extra": {"deep": [1]}}

    assert read(json.dumps(more)) == read(frames.media())


@pytest.mark.parametrize(
    "frame",
    [
        b"\x00\x01",
        "",
        "hello",
        "[]",
        "null",
        "{}",
        '{"event": "media", "streamSid": "MZ1"}',
        '{"event": "media", "streamSid": "MZ1", "media": {"timestamp": "soon", "payload": ""}}',
        '{"event": "start", "streamSid": "MZ1", "start": {"customParameters": {"token": 7}}}',
        "[" * 5000,
    ],
)
def test_a_frame_that_is_none_is_the_other_sides_fault(frame: str | bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read(frame)


def test_a_broken_frame_is_not_quoted_for_it_may_carry_a_token() -> None:
    with pytest.raises(RemoteProtocolError) as raised:
        read('{"event": "start", "streamSid": "MZ1", "start": {"customParameters": {"token": ["s3cret"]}}}')

    assert "s3cret" not in str(raised.value)


def test_what_we_send_is_what_twilio_documents() -> None:
    sent = [write(SendMedia(STREAM, "AAAA")), write(SendMark(STREAM, "m")), write(SendClear(STREAM))]

    assert [json.loads(frame) for frame in sent] == [
        {"event": "media", "streamSid": STREAM, "media": {"payload": "AAAA"}},
        {"event": "mark", "streamSid": STREAM, "mark": {"name": "m"}},
        {"event": "clear", "streamSid": STREAM},
    ]


@pytest.mark.parametrize("payload", ["A", "AAA", "AA AA", 'AAAA"', "ÄÄÄÄ", "A===", "=AAA", "AAAA\n"])
def test_sound_that_is_no_base64_is_the_other_sides_fault(payload: str) -> None:
    frame = json.loads(frames.media())
    frame["media"]["payload"] = payload

    with pytest.raises(RemoteProtocolError):
        read(json.dumps(frame))


NOTHING: dict[str, object] = {}
ODD: st.SearchStrategy[object] = (
    st.none() | st.booleans() | st.integers(-5, 10**18) | st.text(max_size=6) | st.just(NOTHING)
)
PAYLOADS = st.binary(max_size=200).map(lambda sound: base64.b64encode(sound).decode()) | ODD
TIMES = (
    st.integers(0, 10**7).map(str)
    | st.integers(0, 10**7)
    | st.sampled_from(["-1", "٣", "1_0", " 1", "9" * 40])
    | ODD
)
BODIES = st.fixed_dictionaries(
    {}, optional={"timestamp": TIMES, "payload": PAYLOADS, "track": ODD, "chunk": ODD}
)
EVENTS = st.fixed_dictionaries(
    {},
    optional={
        "event": st.sampled_from(["media", "mark"]) | ODD,
        "streamSid": st.just("MZ1") | ODD,
        "media": BODIES | ODD,
        "mark": st.fixed_dictionaries({}, optional={"name": st.just("0:a:200") | ODD}) | ODD,
    },
)


def outcome(reading: "object", argument: object) -> object:
    try:
        return reading(argument)  # type: ignore[operator]  # either way of reading
    except RemoteProtocolError:
        return "refused"


@settings(derandomize=True, deadline=None, max_examples=1000)
@given(event=EVENTS, spaced=st.booleans(), order=st.booleans())
def test_the_short_way_for_sound_gives_what_the_long_way_gives(
    event: dict[str, object], *, spaced: bool, order: bool
) -> None:
    turned = dict(reversed(event.items())) if order else event
    frame = json.dumps(turned, separators=None if spaced else (",", ":"))

    assert outcome(read, frame) == outcome(by_the_models, json.loads(frame))


@given(frame=st.binary(max_size=200) | st.text(max_size=200))
def test_no_bytes_break_the_reading(frame: bytes | str) -> None:
    outcome(read, frame)
