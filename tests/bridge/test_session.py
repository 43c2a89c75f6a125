"""One stream's session: no socket, no clock, no workflow."""

from dataclasses import replace

import pytest

from bridge.effects import AskToAttach, Claim, End
from bridge.errors import LocalProtocolError
from bridge.session import BROKEN_IN_A_ROW, PROTOCOL_ERROR, At, Session
from bridge.twilio_wire import (
    Connected,
    Dtmf,
    FromTwilio,
    Mark,
    Media,
    SendClear,
    Start,
    Stop,
    StreamSid,
    Unknown,
)
from workflows.assistant import Role
from workflows.orders import Instruction
from workflows.tokens import StreamToken
from workflows.values import CallSid

STREAM, OTHER = StreamSid("MZ1"), StreamSid("MZ2")
CALL = CallSid("CA1")
LEG = StreamToken(CALL, 1, "nonce")
START = Start(STREAM, "AC1", "CA2", {"token": "t"})
QUIET = Instruction(CALL, 1, "quiet")
COACH = Instruction(CALL, 1, "role", Role.COACH, "Ana")


def claiming() -> Session:
    session = Session()
    session.received(Connected(), 0.0)
    session.received(START, 0.0)
    session.claimed(LEG)
    return session


def carried() -> Session:
    session = claiming()
    session.attached(None, 0.0)
    return session


def test_a_stream_is_asked_for_as_soon_as_its_token_is_known_to_be_ours() -> None:
    session = Session()

    assert session.received(Connected(), 0.0) == []
    assert session.received(START, 0.0) == [Claim("t")]
    assert session.claimed(LEG) == [AskToAttach(LEG, STREAM)]
    assert claiming().at is At.CLAIMING
    assert session.attached(None, 0.0) == []
    assert session.at is At.CARRIED


def test_a_stream_without_a_token_is_closed() -> None:
    session = Session()
    assert session.received(replace(START, parameters={}), 0.0) == [Claim("")]

    [end] = session.forged()

    assert isinstance(end, End)
    assert session.at is At.OVER


def test_a_stream_with_a_forged_token_is_closed() -> None:
    session = Session()
    session.received(START, 0.0)

    [end] = session.forged()

    assert isinstance(end, End)


@pytest.mark.parametrize(
    "message", [Media(STREAM, 0, ""), Dtmf(STREAM, "1"), Mark(STREAM, "m"), Stop(STREAM)], ids=repr
)
def test_nothing_comes_before_start(message: FromTwilio) -> None:
    session = Session()

    [end] = session.received(message, 0.0)

    assert isinstance(end, End)
    assert end.code == PROTOCOL_ERROR


@pytest.mark.parametrize("message", [START, Connected()], ids=["start", "connected"])
def test_a_stream_starts_once_and_what_begins_it_again_is_counted(message: FromTwilio) -> None:
    session = carried()

    assert session.received(message, 0.0) == []
    assert (session.at, session.counts.misplaced) == (At.CARRIED, 1)


def test_audio_flows_while_the_workflow_has_not_answered_yet() -> None:
    session = claiming()

    assert session.received(Media(STREAM, 40, ""), 0.0) == []
    assert session.at is At.CLAIMING
    assert session.counts.media == 1


def test_the_timestamp_is_the_clock_not_the_number_of_frames() -> None:
    session = carried()
    for timestamp_ms in (20, 900, 880):
        session.received(Media(STREAM, timestamp_ms, ""), 0.0)

    assert session.heard_ms == 900


def test_keys_marks_and_unknown_events_are_counted() -> None:
    session = carried()
    for message in (Dtmf(STREAM, "1"), Mark(STREAM, "m"), Mark(STREAM, "n"), Unknown("weather")):
        assert session.received(message, 0.0) == []

    assert (session.counts.keys, session.counts.marks, session.counts.unknown) == (1, 2, 1)


def test_frames_of_another_stream_are_not_ours() -> None:
    session = carried()

    assert session.received(Stop(OTHER), 0.0) == []
    assert session.at is At.CARRIED
    assert session.counts.foreign == 1


def test_a_stop_ends_the_stream_and_nothing_follows() -> None:
    session = carried()

    [end] = session.received(Stop(STREAM), 0.0)

    assert isinstance(end, End)
    assert session.received(Media(STREAM, 20, ""), 0.0) == []
    assert session.broken("late") == []


def test_a_broken_frame_is_skipped_on_a_running_stream() -> None:
    session = carried()

    assert session.broken("no event") == []
    assert session.counts.broken == 1


def test_nothing_but_broken_frames_ends_the_stream() -> None:
    session = carried()
    for _ in range(BROKEN_IN_A_ROW - 1):
        assert session.broken("no event") == []
    session.received(Media(STREAM, 20, ""), 0.0)
    for _ in range(BROKEN_IN_A_ROW - 1):
        assert session.broken("no event") == []

    [end] = session.broken("no event")

    assert isinstance(end, End)


def test_a_broken_frame_before_start_ends_the_stream() -> None:
    [end] = Session().broken("no event")

    assert isinstance(end, End)


def test_quiet_clears_what_was_sent_and_lasts_until_a_role_is_given() -> None:
    session = carried()

    assert session.instructed(QUIET, 0.0) == [SendClear(STREAM)]
    assert session.instructed(QUIET, 0.0) == [SendClear(STREAM)]
    assert session.quiet

    assert session.instructed(COACH, 0.0) == []
    assert (session.quiet, session.role) == (False, Role.COACH)


def test_the_workflow_may_speak_before_its_acceptance_has_reached_us() -> None:
    assert claiming().instructed(QUIET, 0.0) == [SendClear(STREAM)]


def test_a_refused_stream_is_closed() -> None:
    session = claiming()

    [end] = session.refused("replaced")

    assert isinstance(end, End)
    assert end.because == "replaced"


def test_instructing_a_stream_that_is_over_is_our_own_mistake() -> None:
    session = carried()
    session.received(Stop(STREAM), 0.0)

    with pytest.raises(LocalProtocolError):
        session.instructed(QUIET, 0.0)


def test_an_acceptance_that_comes_after_the_end_changes_nothing() -> None:
    session = claiming()
    session.received(Stop(STREAM), 0.0)

    assert session.attached(None, 0.0) == []
    assert session.at is At.OVER
