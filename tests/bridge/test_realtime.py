"""The Realtime protocol: what we send, what comes, and its own rules, held to the official package's types."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.realtime import RealtimeClientEvent, RealtimeServerEvent
from pydantic import TypeAdapter

from bridge.model import (
    AddContext,
    Answers,
    AppendAudio,
    Audio,
    Configure,
    Ending,
    Forget,
    ItemDone,
    Limits,
    Meaning,
    News,
    Order,
    Ready,
    Remember,
    Respond,
    ResponseOver,
    ResponseStarted,
    SayExactly,
    SpeechStarted,
    SpeechStopped,
    Stop,
    ToolCalled,
    ToolResult,
    ToolUse,
    Transcript,
    Trouble,
)
from bridge.realtime import EVENTS, Access, Realtime
from tests.bridge.line import TOOLS, UNIX_S
from tests.workflows.night import at
from workflows.voice import Speaker, Turn

ACCESS = Access("wss://model.example", "gpt-realtime-2.1", "key")
CONFIGURE = Configure("Listen.", TOOLS, "marin", "es-MX", first=True)
CLIENT: TypeAdapter[Any] = TypeAdapter(RealtimeClientEvent)
SERVER: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)


def event(kind: str, **fields: object) -> bytes:
    return json.dumps({"type": kind, "event_id": "event_1", **fields}).encode()


def response(kind: str, response_id: str = "r1", **fields: object) -> bytes:
    return event(kind, response={"id": response_id, "object": "realtime.response", **fields})


def error(code: str, event_id: str | None = None) -> bytes:
    inside = {"type": "invalid_request_error", "code": code, "message": "no", "event_id": event_id}
    return event("error", error=inside)


def sent(*orders: Order, session: Realtime | None = None) -> list[dict[str, Any]]:
    """What these orders send, each frame held to the package's types."""
    session = session or Realtime(ACCESS)
    frames = [frame for order in orders for frame in session.write(order)]
    for frame in frames:
        CLIENT.validate_json(frame, strict=True)
    return [json.loads(frame) for frame in frames]


TURNS = (
    Turn(Speaker.CALLER, "It leaks.", at(0)),
    Turn(Speaker.ASSISTANT, "Where?", at(2)),
    Turn(Speaker.RESPONDER, "Which valve?", at(4)),
    ToolUse("call_1", "note", '{"text": "dry"}', "noted"),
)

ORDERS: list[Order] = [
    CONFIGURE,
    Configure("Coach.", (), "marin", "en", answers=False),
    Answers(yes=False),
    AppendAudio("////"),
    Remember(TURNS),
    SayExactly("say-1", 'The "second" engineer is being rung.'),
    Respond(),
    AddContext("The engineer is called Ana."),
    ToolResult("call_1", "done"),
    Forget("item_1", 1240),
    Forget("item_1", 0),
]


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: type(order).__name__)
def test_every_order_is_what_the_protocol_takes(order: Order) -> None:
    assert sent(order)


def test_a_session_is_configured_for_telephone_sound_without_a_rate() -> None:
    [update] = sent(CONFIGURE)

    session = update["session"]
    assert (
        session["audio"]["input"]["format"] == session["audio"]["output"]["format"] == {"type": "audio/pcmu"}
    )
    assert session["audio"]["input"]["transcription"] == {"model": "gpt-transcribe", "language": "es"}
    assert session["audio"]["input"]["turn_detection"]["interrupt_response"]
    assert session["audio"]["output"]["voice"] == "marin"
    assert [tool["name"] for tool in session["tools"]] == ["note", "escalate"]


def test_a_role_changes_instructions_and_tools_and_never_the_voice() -> None:
    [update] = sent(Configure("Coach.", (), "marin", "en"))

    assert update["session"]["instructions"] == "Coach."
    assert update["session"]["tools"] == []
    assert "output" not in update["session"]["audio"]


def test_what_was_never_heard_is_deleted_since_nothing_is_no_length_to_truncate_at() -> None:
    assert sent(Forget("i", 0))[0]["type"] == "conversation.item.delete"
    assert sent(Forget("i", 20))[0] == {
        "type": "conversation.item.truncate",
        "item_id": "i",
        "content_index": 0,
        "audio_end_ms": 20,
    }


def test_a_new_session_is_told_the_conversation_and_not_to_greet() -> None:
    items = [one["item"] for one in sent(Remember(TURNS))]

    assert [item.get("role", item["type"]) for item in items] == [
        "user",
        "assistant",
        "user",
        "function_call",
        "function_call_output",
        "system",
    ]
    assert items[2]["content"][0]["text"] == "(responder) Which valve?"
    assert "do not greet" in items[-1]["content"][0]["text"]


def test_the_address_is_the_given_one_or_the_api_at_a_host() -> None:
    assert ACCESS.address == "wss://model.example/v1/realtime?model=gpt-realtime-2.1"
    assert Access("ws://127.0.0.1:9/v1/", "m").address == "ws://127.0.0.1:9/v1/realtime?model=m"
    assert Access("ws://127.0.0.1:9/x?a=1", "m").address == "ws://127.0.0.1:9/x?a=1&model=m"
    assert dict(ACCESS.headers) == {"Authorization": "Bearer key"}
    assert Access("ws://127.0.0.1:9", "m").headers == []


# What comes


def read(*frames: bytes, session: Realtime | None = None) -> list[News]:
    session = session or Realtime(ACCESS)
    return [news for frame in frames for news in session.read(frame)]


COMES: list[tuple[bytes, list[News]]] = [
    (
        event(
            "response.output_audio.delta",
            response_id="r1",
            item_id="i1",
            output_index=0,
            content_index=0,
            delta="////",
        ),
        [Audio("r1", "i1", "////")],
    ),
    (event("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=3), [SpeechStarted("u1")]),
    (event("input_audio_buffer.speech_stopped", item_id="u1", audio_end_ms=9), [SpeechStopped("u1")]),
    (
        event("response.output_audio.done", response_id="r1", item_id="i1", output_index=0, content_index=0),
        [ItemDone("i1")],
    ),
    (
        event(
            "response.output_audio_transcript.delta",
            response_id="r1",
            item_id="i1",
            output_index=0,
            content_index=0,
            delta="He",
        ),
        [Transcript(Speaker.ASSISTANT, "i1", "He", whole=False)],
    ),
    (
        event(
            "response.output_audio_transcript.done",
            response_id="r1",
            item_id="i1",
            output_index=0,
            content_index=0,
            transcript="Hello",
        ),
        [Transcript(Speaker.ASSISTANT, "i1", "Hello")],
    ),
    (
        event(
            "conversation.item.input_audio_transcription.completed",
            item_id="u1",
            content_index=0,
            transcript="It leaks",
            usage={"type": "duration", "seconds": 1.0},
        ),
        [Transcript(Speaker.CALLER, "u1", "It leaks")],
    ),
    (
        event(
            "response.output_item.done",
            response_id="r1",
            output_index=0,
            item={
                "id": "i2",
                "type": "function_call",
                "status": "completed",
                "call_id": "call_1",
                "name": "note",
                "arguments": "{}",
            },
        ),
        [ToolCalled("r1", "call_1", "note", "{}")],
    ),
    (
        event(
            "response.output_item.done",
            response_id="r1",
            output_index=0,
            item={
                "id": "i2",
                "type": "function_call",
                "status": "incomplete",
                "call_id": "call_1",
                "name": "note",
                "arguments": '{"te',
            },
        ),
        [],
    ),
    (
        event(
            "rate_limits.updated",
            rate_limits=[{"name": "tokens", "limit": 9, "remaining": 3, "reset_seconds": 1.5}],
        ),
        [Limits("tokens", 3, 9, 1.5)],
    ),
    (response("response.created", status="in_progress"), [ResponseStarted("r1")]),
    (response("response.created", metadata={"saying": "say-1"}), [ResponseStarted("r1", "say-1")]),
    (response("response.done", status="completed"), [ResponseOver("r1", Ending.WHOLE)]),
    (
        response(
            "response.done",
            status="cancelled",
            status_details={"type": "cancelled", "reason": "turn_detected"},
        ),
        [ResponseOver("r1", Ending.CANCELLED, "turn_detected")],
    ),
    (
        response(
            "response.done",
            status="failed",
            status_details={
                "type": "failed",
                "error": {"type": "server_error", "code": "rate_limit_exceeded"},
            },
        ),
        [ResponseOver("r1", Ending.FAILED, "rate_limit_exceeded")],
    ),
    (event("conversation.item.done", item={"id": "i", "type": "message", "role": "user", "content": []}), []),
    (error("response_cancel_not_active"), [Trouble("response_cancel_not_active", "no")]),
    (error("session_expired"), [Trouble("session_expired", "no", Meaning.ENDED)]),
    (error("insufficient_quota"), [Trouble("insufficient_quota", "no", Meaning.HOPELESS)]),
]


@pytest.mark.parametrize(("frame", "news"), COMES)
def test_each_event_becomes_its_news(frame: bytes, news: list[News]) -> None:
    SERVER.validate_json(frame)

    assert read(frame) == news


def test_every_event_that_is_known_here_is_one_of_the_protocols() -> None:
    union = get_args(get_args(RealtimeServerEvent)[0])
    official = {get_args(model.model_fields["type"].annotation)[0] for model in union}
    before_it_was_ga = {
        "response.audio.done",
        "response.audio_transcript.delta",
        "response.audio_transcript.done",
    }
    assert set(EVENTS) - before_it_was_ga <= official


def test_nothing_is_ready_before_the_configuration_was_taken() -> None:
    session = Realtime(ACCESS)
    session.write(CONFIGURE)

    assert (
        read(event("session.created", session={"type": "realtime", "expires_at": 7}), session=session) == []
    )
    assert read(event("session.updated", session={"type": "realtime"}), session=session) == [Ready(7.0)]
    assert read(event("session.updated", session={"type": "realtime"}), session=session) == []


def test_a_configuration_that_is_refused_ends_the_session() -> None:
    assert read(error("invalid_value", "configuration")) == [Trouble("invalid_value", "no", Meaning.ENDED)]


@pytest.mark.parametrize(
    "frame", [b"", b"hello", b"[]", b"{}", b'{"type": 7}', b"\xff\xfe", b"[" * 9000], ids=repr
)
def test_what_is_no_event_is_counted_and_skipped(frame: bytes) -> None:
    session = Realtime(ACCESS)

    assert session.read(frame) == []
    assert session.broken == 1


def test_an_event_that_is_new_is_counted_and_skipped() -> None:
    session = Realtime(ACCESS)

    assert session.read(event("response.mood.changed")) == []
    assert session.unknown == 1


@pytest.mark.parametrize("delta", ["//", "not base64!", 'AAAA","x":"', None, "AA==\n"])
def test_sound_that_is_no_base64_is_dropped(delta: object) -> None:
    session = Realtime(ACCESS)

    assert session.read(event("response.output_audio.delta", response_id="r", item_id="i", delta=delta)) == []
    assert session.broken == 1


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["response", "item", "item_id", "delta", "transcript", "session", "error", "rate_limits", "response_id"]
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    kind=st.sampled_from([json.loads(frame)["type"] for frame, _ in COMES] + ["session.updated"]),
    fields=st.dictionaries(FIELDS, VALUES),
)
def test_no_event_however_malformed_breaks_the_session(kind: str, fields: dict[str, object]) -> None:
    session = Realtime(ACCESS)

    session.read(event(kind, **fields))
    session.unsent()


# One response at a time


def test_a_second_answer_waits_for_the_end_of_the_first() -> None:
    session = Realtime(ACCESS)
    assert [one["type"] for one in sent(Respond(), Respond(), session=session)] == ["response.create"]
    session.read(response("response.created"))
    assert session.unsent() == []

    session.read(response("response.done", status="completed"))

    assert [json.loads(frame)["type"] for frame in session.unsent()] == ["response.create"]


def test_an_answer_refused_because_another_runs_is_asked_for_again_after_it() -> None:
    session = Realtime(ACCESS)
    sent(SayExactly("say-1", "Hello."), session=session)

    assert session.read(error("conversation_already_has_active_response")) == []
    assert session.unsent() == []
    session.read(response("response.done", "auto", status="completed"))

    [again] = [json.loads(frame) for frame in session.unsent()]
    assert again["response"]["metadata"] == {"saying": "say-1"}


def test_only_an_answer_that_runs_is_cancelled() -> None:
    session = Realtime(ACCESS)
    assert sent(Stop(), session=session) == []

    session.read(response("response.created"))

    assert sent(Stop(), session=session) == [{"type": "response.cancel", "response_id": "r1"}]


def test_an_answer_that_was_asked_for_and_is_unwanted_is_cancelled_when_it_begins() -> None:
    session = Realtime(ACCESS)
    sent(Respond(), Stop(), session=session)

    session.read(response("response.created"))

    [cancel] = [json.loads(frame) for frame in session.unsent()]
    assert cancel == {"type": "response.cancel", "response_id": "r1"}


def test_time_is_the_models_own() -> None:
    session = Realtime(ACCESS)

    assert read(event("session.updated", session={"expires_at": UNIX_S + 60}), session=session) == [
        Ready(UNIX_S + 60)
    ]
