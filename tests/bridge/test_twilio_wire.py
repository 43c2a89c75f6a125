"""Media Streams frames, read and written."""

import json

import pytest

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
