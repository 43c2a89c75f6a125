"""What `session.update` changes, and what it refuses."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.speech.mind import Say
from sandbox.speech.session import Timing
from tests.speech.talk import PCMU, Event, Scripted, Talk


def settings(talk: Talk) -> Event:
    session: Event = talk.last("session.updated")["session"]
    return session


def test_a_fresh_session_is_what_the_service_starts_with() -> None:
    session = Talk().last("session.created")["session"]
    assert session["model"] == "gpt-realtime-2.1"
    assert session["audio"]["input"]["format"] == {"type": "audio/pcm", "rate": 24_000}
    assert session["audio"]["input"]["turn_detection"]["type"] == "server_vad"
    assert session["expires_at"] == 1_900_000_000


def test_only_what_is_present_changes() -> None:
    talk = Talk()
    note: Event = {"type": "function", "name": "note", "parameters": {"type": "object"}}
    talk.configure(instructions="Be brief.", tools=[note])
    talk.configure(audio={"input": {"format": PCMU}})
    session = settings(talk)
    assert session["instructions"] == "Be brief."
    assert [tool["name"] for tool in session["tools"]] == ["note"]
    assert session["audio"]["input"]["format"] == {"type": "audio/pcmu"}
    assert session["audio"]["input"]["turn_detection"] is not None
    assert session["audio"]["output"]["format"]["type"] == "audio/pcm"


def test_null_and_nothing_clear() -> None:
    talk = Talk().on_the_telephone(instructions="Be brief.")
    talk.configure(
        instructions="", tools=[], audio={"input": {"turn_detection": None, "transcription": None}}
    )
    session = settings(talk)
    assert (session["instructions"], session["tools"]) == ("", [])
    assert session["audio"]["input"]["turn_detection"] is None
    assert session["audio"]["input"]["transcription"] is None


def test_two_updates_in_flight_both_count() -> None:
    talk = Talk(Scripted(), Timing(update_ms=300))
    talk.configure(instructions="One.")
    talk.configure(audio={"input": {"format": PCMU}})
    talk.passes(1_000)
    assert settings(talk)["instructions"] == "One."


def test_the_voice_is_fixed_once_it_was_heard() -> None:
    talk = Talk(Scripted([Say("Hello.")])).on_the_telephone()
    talk.configure(audio={"output": {"voice": "cedar"}})
    talk.respond()
    refused = talk.configure(instructions="Other.", audio={"output": {"voice": "marin"}})
    assert talk.error(refused)["code"] == "cannot_update_voice"
    talk.configure(audio={"output": {"voice": "cedar"}})
    assert settings(talk)["instructions"] == "", "a refused update changes nothing"


@pytest.mark.parametrize(
    ("session", "param"),
    [
        ({"type": "realtime", "temperature": 0.8}, "session.temperature"),
        ({"instructions": "x"}, "session.type"),
        ({"type": "transcription"}, "session.type"),
        ({"type": "realtime", "output_modalities": ["audio", "text"]}, "session.output_modalities"),
        (
            {"type": "realtime", "audio": {"input": {"format": {"type": "g711_ulaw"}}}},
            "session.audio.input.format.type",
        ),
        (
            {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcmu", "rate": 8000}}}},
            "session.audio.input.format.rate",
        ),
        (
            {"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcm", "rate": 8000}}}},
            "session.audio.input.format.rate",
        ),
        ({"type": "realtime", "audio": {"output": {"voice": "nobody"}}}, "session.audio.output.voice"),
        ({"type": "realtime", "input_audio_format": "g711_ulaw"}, "session.input_audio_format"),
        ({"type": "realtime", "instructions": 7}, "session.instructions"),
        (
            {
                "type": "realtime",
                "audio": {"input": {"turn_detection": {"type": "server_vad", "threshold": 2}}},
            },
            "session.audio.input.turn_detection.threshold",
        ),
        ({"type": "realtime", "tools": [{"type": "function"}]}, "session.tools[0].name"),
    ],
)
def test_what_the_service_refuses_is_refused_with_its_path(session: Event, param: str) -> None:
    talk = Talk()
    error = talk.error(
        talk.send_raw(json.dumps({"type": "session.update", "event_id": "e1", "session": session}))
    )
    assert (error["type"], error["param"], error["event_id"]) == ("invalid_request_error", param, "e1")
    assert not talk.of("session.updated")


def test_an_older_model_refuses_to_reason() -> None:
    talk = Talk()
    talk.configure(reasoning={"effort": "low"})
    assert settings(talk)["reasoning"] == {"effort": "low"}
    older = Talk(model="gpt-realtime-1.5")
    refused = older.configure(reasoning={"effort": "low"}, instructions="Be brief.")
    assert older.error(refused)["code"] == "unsupported_parameter"
    assert not older.of("session.updated")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("hello", "invalid_json"),
        ("[1]", "invalid_json"),
        ("{}", "missing_required_parameter"),
        ('{"type": "session.destroy"}', "invalid_value"),
        ('{"type": "output_audio_buffer.clear"}', "invalid_value"),
        ('{"type": "input_audio_buffer.append", "audio": "%%%"}', "invalid_value"),
        ('{"type": "input_audio_buffer.append"}', "missing_required_parameter"),
        (
            '{"type": "conversation.item.truncate", "item_id": "i", "content_index": 0}',
            "missing_required_parameter",
        ),
        ('{"type": "response.create", "response": {"modalities": ["text"]}}', "unknown_parameter"),
    ],
)
def test_what_is_not_understood_is_answered_by_an_error_and_the_session_goes_on(text: str, code: str) -> None:
    talk = Talk()
    assert talk.error(talk.send_raw(text))["code"] == code
    assert talk.configure(instructions="Still here.")[0]["type"] == "session.updated"


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = st.sampled_from(
    ["session", "audio", "item", "item_id", "response", "response_id", "previous_item_id", "content_index",
     "audio_end_ms", "event_id", "input", "output", "format", "type", "role", "content", "tools", "turn_detection",
     "metadata", "conversation", "instructions", "call_id", "text"]
)  # fmt: skip
_TYPES = st.sampled_from(
    ["session.update", "input_audio_buffer.append", "input_audio_buffer.commit", "input_audio_buffer.clear",
     "conversation.item.create", "conversation.item.delete", "conversation.item.retrieve",
     "conversation.item.truncate", "response.create", "response.cancel", "message", "realtime", "function_call"]
)  # fmt: skip
_NESTED = st.recursive(
    st.dictionaries(_FIELDS, _JSON | _TYPES, max_size=4),
    lambda inner: st.dictionaries(_FIELDS, inner | _TYPES | st.lists(inner, max_size=2), max_size=4),
    max_leaves=6,
)


@given(st.lists(st.tuples(_TYPES, _NESTED), min_size=1, max_size=6))
def test_no_message_of_a_client_breaks_a_session(messages: list[tuple[str, Event]]) -> None:
    talk = Talk()
    for kind, content in messages:
        talk.send_raw(json.dumps({**content, "type": kind}))
    talk.passes(2_000)
    assert talk.configure(instructions="Still here.")[-1]["type"] == "session.updated"


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_no_frame_breaks_a_session(frame: str | bytes) -> None:
    talk = Talk()
    talk.send_raw(frame)
    assert talk.configure(instructions="Still here.")[-1]["type"] == "session.updated"
