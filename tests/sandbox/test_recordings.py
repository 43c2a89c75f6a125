"""Listening in from outside: recordings over the control API, of one leg or of all, and the steps that make sound."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest

from sandbox.control import BEGAN_HEADER, FIRST_FRAME_HEADER
from sandbox.errors import TownError
from sandbox.ids import CallSid
from sandbox.phones import Say, Stay, Wait
from sandbox.serve import Options, build
from sandbox.sound import modem, wav
from sandbox.sound.mulaw import FRAME
from sandbox.sound.speech import Kind
from sandbox.sound.tape import Track, read_track
from sandbox.sound.turns import is_loud
from sandbox.town import Town, steps_from
from tests.sandbox.conftest import CALLER, LINE, Scene


async def test_a_leg_is_recorded_on_request_and_can_be_heard_after_its_end(sounding: Scene) -> None:
    sounding.product.says("/voice", "<Pause length='1'/><Say>Hello</Say><Pause length='3'/>")
    call = sounding.network.dial(CALLER, LINE, Wait(2), Say("Good bye"))
    await sounding.pass_time(0.5)
    async with httpx.AsyncClient(base_url=f"{sounding.address}/_sandbox/calls/{call}") as client:
        begun = (await client.post("/recording")).json()
        assert (await client.post("/recording")).json() == begun
        await sounding.pass_time(9)
        assert sounding.network.calls.live == 0
        heard, said = await client.get("/heard.wav"), await client.get("/said.wav")
    assert modem.understand(wav.read(heard.content)) == "Hello"
    assert modem.understand(wav.read(said.content)) == "Good bye"
    assert heard.headers[FIRST_FRAME_HEADER] == said.headers[FIRST_FRAME_HEADER] == str(begun["first_frame"])
    began = datetime.fromisoformat(heard.headers[BEGAN_HEADER])
    assert (began - sounding.network.world.studio.plane.zero).total_seconds() == 0.5  # type: ignore[union-attr]
    assert began.isoformat().encode() in heard.content


async def test_what_is_not_recorded_and_what_has_no_sound_says_so(scene: Scene, sounding: Scene) -> None:
    for town, status in ((scene, 400), (sounding, 200)):
        town.product.says("/voice", "<Pause length='60'/>")
        call = town.network.dial(CALLER, LINE, Stay())
        await town.pass_time(0)
        async with httpx.AsyncClient(base_url=f"{town.address}/_sandbox/calls") as client:
            assert (await client.get(f"/{call}/heard.wav")).status_code == 404
            assert (await client.post(f"/{call}/recording")).status_code == status
            assert (await client.post("/CAnobody/recording")).status_code == 404


async def test_recordings_lie_on_the_same_frames_whether_fetched_or_at_hand(sounding: Scene) -> None:
    sounding.product.says("/voice", "<Say>Hello</Say><Pause length='9'/>")
    calls = [
        sounding.network.dial(number, LINE, Say("Hi there"), Stay()) for number in (CALLER, CALLER + "1")
    ]
    tracks: list[Track] = []
    for sid in calls:
        await sounding.pass_time(0.13)
        at_hand = sounding.network.tapes.record(sid)
        await sounding.pass_time(1)
        async with httpx.AsyncClient() as client:
            reply = await client.get(f"{sounding.address}/_sandbox/calls/{sid}/said.wav")
        tracks.append(read_track(reply.content))
        assert np.array_equal(tracks[-1].samples, at_hand.track("said").samples)
        assert tracks[-1].began == at_hand.began
    between = (tracks[1].began - tracks[0].began).total_seconds()
    assert tracks[1].first - tracks[0].first == round(between * 50)
    with pytest.raises(wav.NotASound, match="first sample"):
        read_track(wav.write(modem.speak("Hello")))


async def test_every_leg_is_recorded_where_that_is_asked(sounding: Scene, tmp_path: Path) -> None:
    sounding.network.record_all(tmp_path / "night")
    sounding.product.says("/voice", "<Say>Hello</Say>")
    call = sounding.network.dial(CALLER, LINE, Stay())
    await sounding.pass_time(3)
    assert modem.understand(wav.read((tmp_path / f"night/{call}.heard.wav").read_bytes())) == "Hello"
    assert not wav.read((tmp_path / f"night/{call}.said.wav").read_bytes()).any()


async def test_phones_play_files_hum_and_stand_in_noise(sounding: Scene, tmp_path: Path) -> None:
    sound = modem.speak("Woof")
    (tmp_path / "dog.wav").write_bytes(wav.write(sound))
    steps = steps_from([{"wait": 1}, {"play": "dog.wav"}, {"hum": 0.5}, {"noise": -30}, "stay"], tmp_path)
    sounding.product.says("/voice", "<Gather timeout='60'/>")
    call = sounding.network.dial(CALLER, LINE, *steps)
    await sounding.pass_time(0.5)
    tape = sounding.network.tapes.record(call)
    await sounding.pass_time(3)
    said = tape.track("said").samples
    assert modem.understand(said[:5_920]) == "Woof"
    assert is_loud(said[7_000:7_160])
    assert float(np.std(said[-8_000:])) == pytest.approx(32_767 * 10**-1.5, rel=0.05)
    assert [one.details["text"] for one in sounding.network.journal.of("leg.said")] == ["[dog.wav]", "[hum]"]


def test_a_sound_file_that_is_not_there_is_a_mistake_of_the_town(tmp_path: Path) -> None:
    with pytest.raises(TownError, match=r"cannot play .*none\.wav"):
        steps_from([{"play": "none.wav"}], tmp_path)


def test_a_voice_can_be_chosen_for_each_phone() -> None:
    network = build(Options(voice=Kind.LIGHT), "http://127.0.0.1:1")
    Town.parse('phones: [{number: "+15550000201", voice: low, language: es}]').move_in(network)
    ana = network.phone("+15550000201")
    assert (ana.voice, ana.language) == ("low", "es")


def test_recording_without_sound_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TownError, match="--voice"):
        build(Options(record=tmp_path), "http://127.0.0.1:1")


async def test_ears_write_down_a_recording_with_its_instants(sounding: Scene) -> None:
    sounding.product.says("/voice", "<Say>One</Say><Pause length='2'/><Say>Two</Say><Pause length='9'/>")
    call = sounding.network.dial(CALLER, LINE, Stay())
    await sounding.pass_time(0)
    sounding.network.tapes.record(call)
    begun = sounding.clock.now()
    await sounding.pass_time(5)
    async with httpx.AsyncClient() as client:
        reply = await client.get(f"{sounding.address}/_sandbox/calls/{call}/transcript")
    lines = reply.json()["lines"]
    assert [line["text"] for line in lines] == ["One", "Two"]
    instants = [(datetime.fromisoformat(line["at"]) - begun).total_seconds() for line in lines]
    assert instants == pytest.approx([0, 2.18], abs=0.05)


async def test_one_failing_listener_does_not_silence_the_others(sounding: Scene) -> None:
    noticed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: noticed.append(context))
    sounding.product.says("/voice", "<Say>One</Say><Pause length='9'/>")
    call = sounding.network.dial(CALLER, LINE, Stay())
    await sounding.pass_time(0)
    leg, studio = sounding.network.exchange.legs[CallSid(call)], sounding.network.world.studio
    assert studio is not None
    assert leg.circuit is not None

    def full_disk(_: int, __: object) -> None:
        raise OSError("no space")

    studio.plane.listen(leg.circuit, "heard", full_disk)
    tape = sounding.network.tapes.record(call)
    with pytest.raises(OSError, match="no space"):
        await sounding.pass_time(2)
    assert len(noticed) == 1
    assert modem.understand(tape.track("heard").samples) == "One"


def test_a_track_is_cut_at_whole_frames() -> None:
    track = Track(np.arange(5 * FRAME, dtype=np.int16), 10, datetime(2026, 1, 5, tzinfo=UTC))
    part = track.between(track.began + timedelta(milliseconds=30), track.began + timedelta(milliseconds=90))
    assert (part.first, list(part.numbers)) == (12, [12, 13])
    assert part.began == track.began + timedelta(milliseconds=40)
    assert np.array_equal(part.frame(12), track.frame(12))
    assert not part.frame(14).any()
