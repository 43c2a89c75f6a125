"""Who of those in the room speaks."""

import asyncio
import base64
import math
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bridge.ears import LOUDNESS, Ear, Ears, Loud
from bridge.effects import Overheard
from bridge.hearsay import Hearsay, read, written
from bridge.model import Transcript
from bridge.session import At, Session
from bridge.twilio_wire import Media, Start
from sandbox.sound import mulaw
from tests.bridge.line import CALL, STREAM, UNIX_S, Line
from workflows.tokens import EarToken
from workflows.values import CallSid
from workflows.voice import Speaker

LOUD = Loud(Speaker.CALLER, "", UNIX_S, 100)


def tone(amplitude: float) -> bytes:
    """A chunk of 20 ms. amplitude: of 32767."""
    samples = amplitude * np.sin(2 * math.pi * 300 * np.arange(160) / 8000)
    return bytes(mulaw.encode(samples.astype(np.int16)))


def heard_ms(*chunks: bytes) -> int:
    ear = Ear()
    return sum(ear.hears(chunk) for chunk in chunks)


def test_loudness_follows_the_law() -> None:
    assert LOUDNESS[0xFF] == LOUDNESS[0x7F] == 0
    assert LOUDNESS[0x00] == LOUDNESS[0x80] == 255
    assert list(LOUDNESS[0x80:]) == sorted(LOUDNESS[0x80:], reverse=True)


def test_speech_is_loud_and_silence_and_a_hiss_are_not() -> None:
    assert heard_ms(*[tone(6000)] * 50) == 1000
    assert heard_ms(*[b"\xff" * 160] * 50) == 0
    assert heard_ms(*[tone(150)] * 50) == 0


def test_over_a_noise_that_stays_only_what_is_louder_is_speech() -> None:
    quiet_then_loud = [tone(1200)] * 2000 + [tone(9000)] * 50

    ear = Ear()
    told = [ear.hears(chunk) for chunk in quiet_then_loud]

    assert sum(told[1800:2000]) == 0
    assert sum(told[2000:]) >= 900


def test_a_turn_is_whose_leg_was_loud_for_most_of_it() -> None:
    ears = Ears()
    for n in range(10):
        ears.heard(Loud(Speaker.RESPONDER, "Ana", 10 + n * 0.1, 100))
    ears.heard(Loud(Speaker.CALLER, "", 10.5, 40))

    assert ears.who(10.0, 11.0) == (Speaker.RESPONDER, "Ana")


def test_without_an_ear_or_for_a_cough_it_was_the_room() -> None:
    ears = Ears()
    assert ears.who(10.0, 11.0) == (Speaker.ROOM, "")

    ears.heard(Loud(Speaker.CALLER, "", 10.5, 20))

    assert ears.who(10.0, 11.0) == (Speaker.ROOM, "")


def test_what_was_loud_at_another_time_says_nothing() -> None:
    ears = Ears()
    ears.heard(Loud(Speaker.CALLER, "", 5.0, 100))

    assert ears.who(10.0, 11.0) == (Speaker.ROOM, "")


def test_an_ears_stream_only_tells_when_its_leg_speaks() -> None:
    session = Session(UNIX_S)
    session.received(Start(STREAM, "AC1", "CA2", {"token": "t"}), 0.0)
    session.claimed_as_ear(EarToken(CALL, CallSid("CA2"), Speaker.RESPONDER, "Ana"))
    assert session.at is At.LISTENING
    payload = base64.b64encode(tone(6000)).decode()
    effects = [
        effect for n in range(5) for effect in session.received(Media(STREAM, n * 20, payload), n * 0.02)
    ]

    [overheard] = effects
    assert overheard == Overheard(CALL, Loud(Speaker.RESPONDER, "Ana", UNIX_S + 0.08, 100))


def test_a_turn_gets_its_true_speaker() -> None:
    line = Line()
    line.somebody_speaks()
    line.passes(1000)
    for n in range(10):
        line.session.overheard(Loud(Speaker.RESPONDER, "Ana", UNIX_S + line.now - n * 0.1, 100))
    line.somebody_stops()
    line.says(Transcript(Speaker.CALLER, "u1", "Which valve?"))

    assert [turn.speaker for turn in line.turns] == [Speaker.RESPONDER]


# Between processes


def test_what_is_told_to_another_process_is_what_it_reads() -> None:
    heard = Overheard(CALL, LOUD)

    assert read(written(heard)) == heard


@given(st.binary(max_size=60) | st.just(b'["CA1","nobody","",1,2]') | st.just(b"[1]"))
def test_a_datagram_that_is_none_of_ours_is_nothing(datagram: bytes) -> None:
    assert read(datagram) is None


async def test_bridges_of_one_host_hear_from_each_other(tmp_path: Path) -> None:
    told: asyncio.Queue[Overheard] = asyncio.Queue()
    one, other = Hearsay(tmp_path / "ears"), Hearsay(tmp_path / "ears")
    await one.listen(lambda _: None)
    await other.listen(told.put_nowait)

    one.tell(Overheard(CALL, LOUD))

    assert await asyncio.wait_for(told.get(), 5) == Overheard(CALL, LOUD)
    one.end()
    other.end()
    assert list((tmp_path / "ears").iterdir()) == []


async def test_the_socket_of_a_bridge_that_was_killed_is_cleared_away(tmp_path: Path) -> None:
    one, killed = Hearsay(tmp_path / "ears"), Hearsay(tmp_path / "ears")
    await one.listen(lambda _: None)
    await killed.listen(lambda _: None)
    killed.cut()

    one.tell(Overheard(CALL, LOUD))

    assert len(list((tmp_path / "ears").iterdir())) == 1
    one.end()


async def test_a_bridge_without_a_place_for_its_socket_carries_sound_all_the_same(tmp_path: Path) -> None:
    alone = Hearsay(tmp_path / ("x" * 120))

    await alone.listen(lambda _: None)

    alone.tell(Overheard(CALL, LOUD))
    alone.end()
