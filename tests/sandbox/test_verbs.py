"""TwiML executed: prompts, keys, dialling numbers, recording, rejecting."""

import httpx
import pytest

from sandbox.assumptions import Assumptions
from sandbox.phones import (
    Answers,
    Busy,
    CallBehaviour,
    HangUp,
    NoAnswer,
    Press,
    Say,
    Stay,
    Step,
    Unreachable,
    Voicemail,
    Wait,
)
from tests.sandbox.conftest import CALLER, LINE, Scene

ANA, BEN = "+15550000201", "+15550000202"


async def ring(scene: Scene, twiml: str, *steps: Step, seconds: float = 60) -> str:
    """The caller rings, the line says this, and so much time passes."""
    scene.product.says("/voice", twiml)
    call = scene.network.dial(CALLER, LINE, *(steps or (Stay(),)))
    await scene.pass_time(seconds)
    return call


async def test_speaking_takes_its_time_and_a_cut_sentence_is_heard_in_part(scene: Scene) -> None:
    call = await ring(scene, "<Say>" + "x" * 150 + "</Say>", Wait(4.8), HangUp())
    heard = scene.network.journal.of("leg.heard", call=call)[0]
    assert heard.details["whole"] is False
    assert len(str(heard.details["text"])) == 75


async def test_play_and_loops_are_heard_as_often_as_asked(scene: Scene) -> None:
    call = await ring(scene, "<Play loop='2'>/ding.mp3</Play><Say loop='2'>again</Say>")
    assert scene.network.heard(call).splitlines() == ["[/ding.mp3]"] * 2 + ["again"] * 2


async def test_falling_off_the_end_hangs_up(scene: Scene) -> None:
    call = await ring(scene, "<Say>Bye</Say>")
    assert scene.network.call(call).status.value == "completed"


@pytest.mark.parametrize(("reason", "status"), [("busy", "busy"), ("rejected", "no-answer")])
async def test_a_rejected_call_is_never_answered(scene: Scene, reason: str, status: str) -> None:
    call = await ring(scene, f"<Reject reason='{reason}'/>")
    assert scene.network.call(call).status.value == status
    assert scene.network.journal.of("call.answered", call=call) == []


async def test_a_pause_first_lets_it_ring_on(scene: Scene) -> None:
    call = await ring(scene, "<Pause length='5'/><Say>Hello</Say>", seconds=4)
    assert scene.network.call(call).status.value == "ringing"
    await scene.pass_time(1.1)
    assert scene.network.call(call).status.value == "in-progress"


async def test_a_key_cuts_the_prompt_and_counts(scene: Scene) -> None:
    prompt = "<Say>" + "x" * 300 + "</Say>"
    call = await ring(
        scene, f"<Gather numDigits='1' action='/key'>{prompt}</Gather>", Wait(2), Press("7"), Stay()
    )
    assert scene.product.events("/key", "Digits") == ["7"]
    assert scene.network.journal.of("leg.heard", call=call)[0].details["whole"] is False


async def test_the_finishing_key_ends_and_is_not_part_of_the_digits(scene: Scene) -> None:
    await ring(scene, "<Gather action='/key'/>", Wait(1), Press("123#"), Stay())
    assert scene.product.events("/key", "Digits") == ["123"]


async def test_digits_end_by_silence_too(scene: Scene) -> None:
    await ring(scene, "<Gather action='/key' timeout='3'/>", Wait(1), Press("12"), Stay())
    assert scene.product.events("/key", "Digits") == ["12"]


async def test_no_key_falls_through_unless_the_empty_result_is_wanted(scene: Scene) -> None:
    call = await ring(scene, "<Gather action='/key' timeout='3'/><Say>Nothing heard</Say>")
    assert scene.product.asked("/key") == []
    assert "Nothing heard" in scene.network.heard(call)
    await ring(scene, "<Gather action='/key' timeout='3' actionOnEmptyResult='true'/>")
    assert scene.product.events("/key", "Digits") == [""]


async def test_a_gather_without_action_asks_its_own_document(scene: Scene) -> None:
    await ring(scene, "<Gather numDigits='1'/>", Wait(1), Press("5"), HangUp())
    assert scene.product.events("/voice", "Digits") == ["", "5"]


async def test_keys_outside_a_gather_are_lost(scene: Scene) -> None:
    await ring(scene, "<Say>xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx</Say><Gather action='/key'/>",
               Wait(1), Press("1"), Stay())  # fmt: skip
    assert scene.product.asked("/key") == []


async def test_a_number_is_dialled_connected_and_reported(scene: Scene) -> None:
    scene.phone(ANA, Answers(2, Wait(1), Say("Ana here"), Wait(3), HangUp()))
    call = await ring(scene, f"<Dial action='/after'>{ANA}</Dial>", Wait(4), Say("Help"), Stay())
    form = scene.product.asked("/after")[0].form
    assert form["DialCallStatus"] == "completed"
    assert int(form["DialCallDuration"]) > 3
    child = form["DialCallSid"]
    assert "Ana here" in scene.network.heard(call)
    assert "Help" in scene.network.heard(child)
    assert scene.network.call(child).parent == call
    assert scene.network.call(child).direction == "outbound-dial"


@pytest.mark.parametrize(
    ("behaviour", "status"),
    [(NoAnswer(), "no-answer"), (Busy(), "busy"), (Unreachable(), "failed")],
)
async def test_a_number_that_cannot_be_had_is_reported(
    scene: Scene, behaviour: CallBehaviour, status: str
) -> None:
    scene.phone(ANA, behaviour)
    await ring(scene, f"<Dial action='/after' timeout='10'>{ANA}</Dial>")
    assert scene.product.events("/after", "DialCallStatus") == [status]


async def test_the_first_of_several_wins_and_the_others_stop_ringing(scene: Scene) -> None:
    scene.phone(ANA, Answers(9, Stay()))
    scene.phone(BEN, Answers(3, Wait(2), HangUp()))
    await ring(scene, f"<Dial><Number>{ANA}</Number><Number>{BEN}</Number></Dial>")
    ended = {record.number: record.details["status"] for record in
             scene.network.journal.of("call.ended")}  # fmt: skip
    assert ended[ANA] == "canceled"
    assert ended[BEN] == "completed"


async def test_a_screened_number_is_connected_only_after_the_key(scene: Scene) -> None:
    screen = "<Gather numDigits='1' action='/screened'><Say>Press 1</Say></Gather><Hangup/>"
    scene.product.says("/screen", screen)
    scene.product.says("/screened", "")
    scene.phone(ANA, Voicemail(2, greeting_s=3))
    scene.phone(BEN, Answers(2, Wait(1), Press("1"), Wait(1), Say("Ben here"), HangUp()))
    dial = "<Dial timeout='10'><Number url='/screen'>{}</Number></Dial>"
    call = await ring(scene, dial.format(ANA) + dial.format(BEN) + "<Say>Nobody</Say>")
    dialled = [record.details["status"] for record in scene.network.journal.of("dial", call=call)]
    assert dialled == ["no-answer", "completed"]
    assert "Ben here" in scene.network.heard(call)
    assert "The person you are calling" not in scene.network.heard(call)


async def test_others_may_ring_on_until_one_is_connected(scene: Scene) -> None:
    scene.network.world.assumptions = Assumptions(first_answer_cancels_others=False)
    scene.product.says("/screen", "<Gather numDigits='1' action='/screened'/><Hangup/>")
    scene.product.says("/screened", "")
    scene.phone(ANA, Voicemail(1))
    scene.phone(BEN, Answers(4, Wait(1), Press("1"), Wait(1), Say("Ben here"), HangUp()))
    numbers = "".join(f"<Number url='/screen'>{number}</Number>" for number in (ANA, BEN))
    call = await ring(scene, f"<Dial>{numbers}</Dial>")
    assert "Ben here" in scene.network.heard(call)


async def test_a_caller_who_hangs_up_takes_the_dialled_along(scene: Scene) -> None:
    scene.phone(ANA, Answers(2, Stay()))
    await ring(scene, f"<Dial>{ANA}</Dial>", Wait(5), HangUp())
    assert scene.network.calls.live == 0


async def test_the_dialled_number_tells_its_progress(scene: Scene) -> None:
    scene.phone(ANA, Answers(1, HangUp()))
    number = f"<Number statusCallback='/leg' statusCallbackEvent='ringing answered completed'>{ANA}</Number>"
    call = await ring(scene, f"<Dial>{number}</Dial>")
    assert scene.product.events("/leg", "CallStatus") == ["ringing", "in-progress", "completed"]
    assert scene.product.asked("/leg")[0].form["ParentCallSid"] == call


async def test_dialling_one_of_our_own_numbers_runs_its_voice_url(scene: Scene) -> None:
    other = "+15550000101"
    voice = scene.product.says("/other", "<Say>The other line</Say>")
    scene.network.add_number(other, voice_url=voice)
    call = await ring(scene, f"<Dial>{other}</Dial>")
    assert scene.product.asked("/other")[0].form["Direction"] == "inbound"
    assert "The other line" in scene.network.heard(call)


async def test_a_recording_is_kept_told_and_can_be_fetched(scene: Scene) -> None:
    record = "<Record action='/done' timeout='4' recordingStatusCallback='/recorded'/>"
    await ring(scene, record, Wait(1), Say("The boiler is leaking badly"), Stay())
    form = scene.product.asked("/done")[0].form
    assert int(form["RecordingDuration"]) >= 4
    told = scene.product.asked("/recorded")[0].form
    assert (told["RecordingSid"], told["RecordingStatus"]) == (form["RecordingSid"], "completed")
    async with httpx.AsyncClient() as http:
        sound = await http.get(form["RecordingUrl"])
    assert sound.content.startswith(b"RIFF")
    kept = scene.network.recordings.get(form["RecordingSid"])
    assert kept is not None
    assert kept.text == "The boiler is leaking badly"
    shown = await scene.request(scene.client.recordings(form["RecordingSid"]).fetch)
    assert shown.duration == form["RecordingDuration"]


async def test_silence_is_no_recording_and_falls_through(scene: Scene) -> None:
    call = await ring(scene, "<Record action='/done' timeout='4'/><Say>Nothing there</Say>")
    assert scene.product.asked("/done") == []
    assert "Nothing there" in scene.network.heard(call)


async def test_a_key_ends_a_recording_and_is_reported(scene: Scene) -> None:
    await ring(scene, "<Record action='/done' finishOnKey='#'/>",
               Wait(1), Say("Help"), Press("#"), Stay())  # fmt: skip
    assert scene.product.events("/done", "Digits") == ["#"]


async def test_hanging_up_ends_a_recording_and_the_action_is_asked(scene: Scene) -> None:
    await ring(scene, "<Record action='/done'/>", Wait(1), Say("Help"), HangUp())
    form = scene.product.asked("/done")[0].form
    assert (form["Digits"], form["CallStatus"]) == ("hangup", "completed")


async def test_warnings_about_a_document_are_alerts(scene: Scene) -> None:
    call = await ring(scene, "<Sing/><Say>Still here</Say>")
    assert "Still here" in scene.network.heard(call)
    assert scene.network.journal.of("alert", code=12200, call=call)


async def test_a_call_token_may_come_unsigned(scene: Scene) -> None:
    scene.network.world.assumptions = Assumptions(call_token="unsigned")
    await ring(scene, "<Hangup/>")
    assert "CallToken" in scene.product.asked("/voice")[0].form
