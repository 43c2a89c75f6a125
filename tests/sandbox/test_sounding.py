"""A network with sound: what is spoken can be recorded where it is heard, and read back from the recording."""

from dataclasses import replace
from datetime import timedelta

import httpx
import numpy as np
import pytest
from aiohttp import web

from sandbox.interpreter import Fetch
from sandbox.phones import Answers, Hum, Press, Say, SayOver, Stay, Step, Wait, WhenHeard
from sandbox.sound import modem, wav
from sandbox.sound.compare import frames_heard
from sandbox.sound.tape import Tape
from sandbox.sound.turns import is_loud
from tests.sandbox.conftest import CALLER, LINE, Scene

ANA, BEN = "+15550000201", "+15550000202"


def words(tape: Tape, side: str) -> str:
    return modem.understand(tape.track("heard" if side == "heard" else "said").samples)


async def ring(scene: Scene, twiml: str, *steps: Step) -> str:
    scene.product.says("/voice", twiml)
    return scene.network.dial(CALLER, LINE, *(steps or (Stay(),)))


async def test_what_is_said_to_a_caller_can_be_read_back_from_what_they_heard(sounding: Scene) -> None:
    call = await ring(sounding, "<Pause length='1'/><Say>Good evening</Say><Pause length='1'/>")
    await sounding.pass_time(0.5)
    tape = sounding.network.tapes.record(call)
    await sounding.pass_time(5)
    assert words(tape, "heard") == "Good evening"
    assert sounding.network.heard(call) == "Good evening"


async def test_a_sentence_lasts_as_long_as_its_sound(sounding: Scene) -> None:
    text = "Twelve bytes"
    await ring(sounding, f"<Say>{text}</Say><Pause length='1'/>")
    await sounding.pass_time(5)
    said = sounding.network.journal.of("leg.heard", text=text)[0].at
    begun = sounding.network.journal.of("twiml", verb="say")[0].at
    assert said - begun == timedelta(milliseconds=60 * len(text))


async def test_of_a_sentence_that_is_cut_the_same_part_is_heard_as_text_and_as_sound(sounding: Scene) -> None:
    call = await ring(sounding, "<Say>We will never get to the end of this sentence</Say>")
    await sounding.pass_time(0)
    tape = sounding.network.tapes.record(call)
    await sounding.pass_time(0.98)
    sounding.product.says("/other", "<Pause/><Say>Enough</Say>")
    sounding.network.exchange.redirect(sounding.network.call(call), Fetch(sounding.product.url + "/other"))
    await sounding.pass_time(3)
    cut = sounding.network.journal.of("leg.heard", whole=False)[0].details["text"]
    assert cut == "We will never ge"
    assert words(tape, "heard") == f"{cut}Enough"


async def room_of_two(scene: Scene, *caller: Step, ana: tuple[Step, ...] = ()) -> tuple[str, str]:
    """A caller and Ana in one room, both recorded; buffers of 160 ms."""
    room = "<Dial><Conference beep='false' waitUrl='' jitterBufferSize='small'>incident</Conference></Dial>"
    scene.phone(ANA, Answers(0, *ana))
    call = await ring(scene, room, *caller)
    await scene.pass_time(0)
    participants = scene.client.conferences("incident").participants
    made = await scene.request(
        lambda: participants.create(
            from_=LINE,
            to=ANA,
            label="ana",
            beep="false",
            jitter_buffer_size="small",
            early_media=False,
            wait_url="",
        )
    )
    await scene.pass_time(1)
    for sid in (call, str(made.call_sid)):
        scene.network.tapes.record(sid)
    return call, str(made.call_sid)


async def test_in_a_room_each_hears_the_other_late_by_the_jitter_buffer_and_never_themselves(
    sounding: Scene,
) -> None:
    call, ana = await room_of_two(sounding, Wait(2), Say("Water everywhere"), Stay())
    await sounding.pass_time(5)
    caller, other = sounding.network.tapes.of(call), sounding.network.tapes.of(ana)
    assert words(other, "heard") == "Water everywhere"
    assert words(caller, "heard") == ""
    assert "Water everywhere" in sounding.network.heard(ana)
    found = frames_heard(caller.track("said"), other.track("heard"))
    assert found.present == found.sent > 30
    assert found.delay_ms == 160
    assert frames_heard(caller.track("said"), caller.track("heard")).present == 0


async def test_a_member_muted_in_mid_sentence_is_heard_so_far_as_text_and_as_sound(sounding: Scene) -> None:
    call, ana = await room_of_two(sounding, Wait(2), Say("One two three four five six seven"), Stay())
    await sounding.pass_time(1)
    room = sounding.network.room("incident")
    assert room is not None
    member = sounding.client.conferences(room.sid).participants(call)
    await sounding.pass_time(1)
    await sounding.request(lambda: member.update(muted=True))
    await sounding.pass_time(5)
    heard = words(sounding.network.tapes.of(ana), "heard")
    assert "One two".startswith(heard[:7])
    assert 2 < len(heard) < 30
    assert sounding.network.heard(ana).endswith(heard)


async def test_talk_over_talk_is_a_sum_in_which_each_can_be_found(sounding: Scene) -> None:
    call, ana = await room_of_two(
        sounding,
        Wait(2),
        Say("All of it is under water"),
        Stay(),
        ana=(Wait(1.5), Say("I am here, I am here"), Stay()),
    )
    assert call
    room = sounding.network.room("incident")
    assert room is not None
    sounding.phone(BEN, Answers(0, Stay()))
    participants = sounding.client.conferences(room.sid).participants
    ben = await sounding.request(
        lambda: participants.create(from_=LINE, to=BEN, beep="false", early_media=False)
    )
    await sounding.pass_time(0.6)
    tape = sounding.network.tapes.record(str(ben.call_sid))
    await sounding.pass_time(5)
    said = [sounding.network.tapes.of(sid).track("said") for sid in (call, ana)]
    for one, other in (said, said[::-1]):
        found = frames_heard(one, tape.track("heard"), [other])
        assert found.present + found.unclear >= found.sent * 0.95


async def test_ears_understand_what_was_said_and_someone_speaks_over_it(sounding: Scene) -> None:
    call = await ring(
        sounding,
        "<Say>Please hold the line, somebody will be with you in a moment</Say><Pause length='5'/>",
        SayOver("But listen", when_heard="hold the line"),
        WhenHeard("in a moment"),
        Stay(),
    )
    await sounding.pass_time(0)
    tape = sounding.network.tapes.record(call)
    await sounding.pass_time(8)
    assert words(tape, "said") == "But listen"
    said = sounding.network.journal.of("leg.said", text="But listen")[0].at
    heard = sounding.network.journal.of("leg.heard")[0].at
    assert said < heard
    assert sounding.network.journal.of("leg.understood")


async def test_without_anybody_listening_a_network_with_sound_does_not_tick(sounding: Scene) -> None:
    await ring(sounding, "<Say>Good evening</Say><Pause length='60'/>")
    await sounding.pass_time(5)
    assert sounding.network.world.studio is not None
    assert sounding.network.world.studio.plane.lateness.ticks == 0


async def test_tracks_of_several_legs_lie_on_the_same_frames(sounding: Scene) -> None:
    call, ana = await room_of_two(sounding, Stay())
    await sounding.pass_time(1)
    one, other = (sounding.network.tapes.of(sid).track("heard") for sid in (call, ana))
    assert one.first == other.first
    assert np.array_equal(one.samples, other.samples)


GATHER = (
    "<Gather input='{}' timeout='3' speechTimeout='1' action='/taken'><Say>Tell me about it</Say></Gather>"
)


@pytest.mark.parametrize("input_", ["speech", "dtmf speech"])
async def test_a_gather_understands_what_is_said_to_it(sounding: Scene, input_: str) -> None:
    sounding.product.says("/taken", "<Hangup/>")
    await ring(sounding, GATHER.format(input_), Wait(2), Say("Water is coming in"), Stay())
    await sounding.pass_time(10)
    taken = sounding.product.asked("/taken")[0].form
    assert taken["SpeechResult"] == "Water is coming in"
    assert taken["Confidence"] == "0.9"
    assert "Digits" not in taken


async def test_speech_cuts_the_prompt_and_a_key_wins_if_it_comes_first(sounding: Scene) -> None:
    sounding.product.says("/taken", "<Hangup/>")
    call = await ring(sounding, GATHER.format("dtmf speech"), Wait(0.3), Press("1"), Say("One"), Stay())
    await sounding.pass_time(10)
    assert sounding.product.asked("/taken")[0].form["Digits"] == "1"
    assert sounding.network.heard(call).startswith("Tell me")
    assert "about it" not in sounding.network.heard(call)


async def test_noise_without_words_is_no_answer_to_a_gather(sounding: Scene) -> None:
    call = await ring(sounding, GATHER.format("speech") + "<Say>Nothing</Say>", Wait(2), Hum(1), Stay())
    await sounding.pass_time(10)
    assert not sounding.product.asked("/taken")
    assert "Nothing" in sounding.network.heard(call)


async def test_without_sound_a_gather_takes_what_is_told_to_have_been_said(scene: Scene) -> None:
    scene.product.says("/taken", "<Hangup/>")
    await ring(scene, GATHER.format("speech"), Wait(2), Say("Water is coming in"), Stay())
    await scene.pass_time(10)
    assert scene.product.asked("/taken")[0].form["SpeechResult"] == "Water is coming in"


async def test_a_message_is_recorded_as_sound_and_silence_ends_it(sounding: Scene) -> None:
    sounding.product.says("/kept", "<Hangup/>")
    twiml = "<Record timeout='2' playBeep='true' action='/kept'/>"
    await ring(sounding, twiml, Wait(1), Say("This takes longer than the silence that ends it"), Stay())
    await sounding.pass_time(10)
    kept = sounding.product.asked("/kept")[0].form
    async with httpx.AsyncClient() as client:
        sound = wav.read((await client.get(kept["RecordingUrl"] + ".wav")).content)
    assert modem.understand(sound) == "This takes longer than the silence that ends it"


async def test_a_wav_file_is_fetched_and_played(sounding: Scene) -> None:
    file = wav.write(modem.speak("Recorded before"))
    sounding.product.says("/notice.wav", lambda _: web.Response(body=file, content_type="audio/wav"))
    call = await ring(
        sounding, "<Say>Hi</Say><Play>/notice.wav</Play><Play>/none.mp3</Play><Pause length='9'/>"
    )
    await sounding.pass_time(0.1)
    tape = sounding.network.tapes.record(call)
    await sounding.pass_time(5)
    assert words(tape, "heard").endswith("Recorded before")
    assert [one.details["code"] for one in sounding.network.journal.of("alert")] == [12300]


async def test_who_waits_hears_music_until_the_conference_starts(sounding: Scene) -> None:
    call = await ring(sounding, "<Dial><Conference>incident</Conference></Dial>", Stay())
    await sounding.pass_time(1)
    tape = sounding.network.tapes.record(call)
    await sounding.pass_time(10)
    assert all(
        is_loud(tape.track("heard").frame(number)) for number in list(tape.track("heard").numbers)[:400]
    )
    sounding.phone(ANA, Answers(0, Stay()))
    participants = sounding.client.conferences("incident").participants
    await sounding.request(lambda: participants.create(from_=LINE, to=ANA, beep="false", early_media=False))
    await sounding.pass_time(3)
    assert not tape.track("heard").samples[-8_000:].any()


async def test_a_member_on_hold_hears_the_hold_audio_only_and_an_announcement_reaches_one(
    sounding: Scene,
) -> None:
    call, ana = await room_of_two(sounding, Wait(3), Say("Is anybody there"), Stay())
    sounding.product.says("/hold", "<Say>hold</Say>")
    sounding.product.says("/news", "<Say>news</Say>")
    room = sounding.network.room("incident")
    assert room is not None
    participants = sounding.client.conferences(room.sid).participants
    await sounding.request(
        lambda: participants(ana).update(hold=True, hold_url=sounding.product.url + "/hold")
    )
    await sounding.pass_time(5)
    await sounding.request(lambda: participants(call).update(announce_url=sounding.product.url + "/news"))
    await sounding.pass_time(2)
    caller, other = sounding.network.tapes.of(call), sounding.network.tapes.of(ana)
    assert words(other, "heard").startswith("holdhold")
    assert "Is" not in words(other, "heard")
    assert words(caller, "heard") == "news"


DIAL_BEN = f"<Dial timeout='20'>{BEN}</Dial>"


async def test_a_caller_hears_the_ring_back_until_a_dialled_phone_is_picked_up_then_each_the_other(
    sounding: Scene,
) -> None:
    sounding.phone(BEN, Answers(4, Wait(1), Say("This is Ben"), Stay()))
    call = await ring(sounding, "<Say>Hi</Say>" + DIAL_BEN, Wait(8), Say("This is the caller"), Stay())
    await sounding.pass_time(1)
    caller = sounding.network.tapes.record(call)
    await sounding.pass_time(2.5)
    assert sum(is_loud(caller.track("heard").frame(number)) for number in caller.track("heard").numbers) > 50
    await sounding.pass_time(1.5)
    child = next(sid for sid, leg in sounding.network.exchange.legs.items() if leg.call.to == BEN)
    ben = sounding.network.tapes.record(child)
    quiet_from = len(caller.track("heard").samples)
    await sounding.pass_time(8)
    assert modem.understand(caller.track("heard").samples[quiet_from:]) == "This is Ben"
    assert words(ben, "heard") == "This is the caller"
    assert "This is Ben" in sounding.network.heard(call)
    assert "This is the caller" in sounding.network.heard(child)


async def test_the_room_hears_the_ringing_of_whom_it_waits_for_only_where_that_is_asked(
    sounding: Scene,
) -> None:
    call, _ = await room_of_two(sounding, Stay())
    sounding.phone(BEN, Answers(3, Stay()))
    room = sounding.network.room("incident")
    assert room is not None
    participants = sounding.client.conferences(room.sid).participants
    tape = sounding.network.tapes.of(call)
    for early, rings in ((False, False), (True, True)):
        before = len(tape.track("heard").samples)
        ben = await sounding.request(
            participants.create, from_=LINE, to=BEN, beep="false", early_media=early, wait_url=""
        )
        await sounding.pass_time(4)
        heard = tape.track("heard").samples[before:]
        assert bool(heard.any()) is rings
        await sounding.pass_time(2)
        assert not tape.track("heard").samples[-8_000:].any()
        await sounding.request(participants(str(ben.call_sid)).delete)


async def test_beeps_are_heard_by_all_who_are_there(sounding: Scene) -> None:
    call, _ = await room_of_two(sounding, Stay())
    sounding.phone(BEN, Answers(0, Stay()))
    room = sounding.network.room("incident")
    assert room is not None
    participants = sounding.client.conferences(room.sid).participants
    await sounding.request(
        participants.create, from_=LINE, to=BEN, beep="true", early_media=False, wait_url=""
    )
    await sounding.pass_time(3)
    heard = sounding.network.tapes.of(call).track("heard")
    assert 14 <= sum(is_loud(heard.frame(number)) for number in heard.numbers) <= 17


async def test_what_a_member_says_while_another_joins_is_heard_from_then_on(sounding: Scene) -> None:
    await room_of_two(sounding, Wait(2.2), Say("One two three four five six seven eight nine ten"), Stay())
    sounding.phone(BEN, Answers(2, Stay()))
    room = sounding.network.room("incident")
    assert room is not None
    participants = sounding.client.conferences(room.sid).participants
    ben = await sounding.request(
        participants.create, from_=LINE, to=BEN, beep="false", early_media=False, wait_url=""
    )
    await sounding.pass_time(8)
    heard = sounding.network.heard(str(ben.call_sid))
    assert heard.endswith("nine ten")
    assert not heard.startswith("One")
    assert [one.details["whole"] for one in sounding.network.journal.of("leg.heard", call=ben.call_sid)] == [
        False
    ]


async def test_who_comes_into_a_room_in_mid_sentence_is_heard_from_then_on(sounding: Scene) -> None:
    _, ana = await room_of_two(sounding, Stay())
    room = "<Dial><Conference beep='false' waitUrl='' jitterBufferSize='small'>incident</Conference></Dial>"
    sounding.product.says("/voice", f"<Say>One moment</Say>{room}")
    text = "Hello hello hello can anybody hear me"
    ben = sounding.network.dial(BEN, LINE, Say(text), Stay())
    await sounding.pass_time(5)
    heard = sounding.network.heard(ana)
    assert text.endswith(heard)
    assert 5 < len(heard) < len(text) - 5
    by_ear = words(sounding.network.tapes.of(ana), "heard")
    assert abs(len(by_ear) - len(heard)) <= 1
    assert sounding.network.journal.of("leg.said", call=ben, text=text)


async def test_an_announcement_may_replace_the_conference_while_it_lasts(sounding: Scene) -> None:
    assumptions = sounding.network.world.assumptions
    sounding.network.world.assumptions = replace(assumptions, announcement="replace")
    call, ana = await room_of_two(sounding, Stay(), ana=(Wait(2), Say("I talk and talk and talk"), Stay()))
    sounding.product.says("/news", "<Say>Important</Say>")
    room = sounding.network.room("incident")
    assert room is not None
    participant = sounding.client.conferences(room.sid).participants(call)
    await sounding.pass_time(1)
    await sounding.request(lambda: participant.update(announce_url=sounding.product.url + "/news"))
    await sounding.pass_time(5)
    assert ana
    assert "Important" in words(sounding.network.tapes.of(call), "heard")
