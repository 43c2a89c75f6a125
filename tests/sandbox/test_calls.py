"""Calls by request: how they ring, end, and are told about."""

from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from sandbox.exchange import Order
from sandbox.interpreter import Fetch
from sandbox.phones import (
    Answers,
    Busy,
    CallBehaviour,
    HangUp,
    Held,
    NoAnswer,
    Press,
    PressHeard,
    Refuses,
    Stay,
    Unreachable,
    Voicemail,
    Wait,
)
from tests.sandbox.conftest import LINE, Scene

ANA = "+15550000201"
BEN = "+15550000202"
EVENTS = ["initiated", "ringing", "answered", "completed"]


async def page(scene: Scene, to: str = ANA, **more: object) -> str:
    """Place a call by the official client, with all its progress told to /status."""
    url = scene.product.url + "/page"
    told = {"status_callback": scene.product.url + "/status", "status_callback_event": EVENTS}
    call = await scene.request(
        lambda: scene.client.calls.create(to=to, from_=LINE, **{"url": url, **told, **more})
    )
    return str(call.sid)


async def test_an_answered_call_runs_its_document_and_tells_its_progress(scene: Scene) -> None:
    scene.phone(ANA, Answers(3, Stay()))
    scene.product.says("/page", "<Say>Pipe burst</Say>")
    call = await page(scene)

    await scene.pass_time(10)

    statuses = ["initiated", "ringing", "in-progress", "completed"]
    assert scene.product.events("/status", "CallStatus") == statuses
    assert scene.product.events("/status", "SequenceNumber") == ["0", "1", "2", "3"]
    last = scene.product.asked("/status")[-1].form
    assert last["CallDuration"] == "1"
    assert last["SipResponseCode"] == "200"
    assert last["CallbackSource"] == "call-progress-events"
    assert last["Timestamp"].endswith("+0000")
    assert scene.network.heard(call) == "Pipe burst"


@pytest.mark.parametrize(
    ("behaviour", "status", "sip"),
    [
        pytest.param(NoAnswer(), "no-answer", "487", id="lets it ring"),
        pytest.param(Busy(), "busy", "486", id="busy"),
        pytest.param(Unreachable(), "failed", "404", id="unreachable"),
        pytest.param(Answers(21), "no-answer", "487", id="too slow"),
    ],
)
async def test_a_call_that_is_not_answered_ends_by_its_reason(
    scene: Scene, behaviour: CallBehaviour, status: str, sip: str
) -> None:
    scene.phone(ANA, behaviour)
    call = await page(scene, timeout=20)
    await scene.pass_time(30)
    last = scene.product.asked("/status")[-1].form
    assert (last["CallStatus"], last["SipResponseCode"]) == (status, sip)
    assert scene.network.call(call).status.value == status
    assert scene.product.asked("/page") == []


async def test_a_number_nobody_has_fails(scene: Scene) -> None:
    call = await page(scene, "+15550009999")
    await scene.pass_time(5)
    assert scene.network.call(call).status.value == "failed"


async def test_behaviours_are_used_up_call_by_call_and_the_last_repeats(scene: Scene) -> None:
    scene.phone(ANA, Busy(), NoAnswer(), Answers(1, HangUp()))
    scene.product.says("/page", "<Pause length='5'/>")
    statuses: list[str] = []
    for _ in range(4):
        call = await page(scene, timeout=10)
        await scene.pass_time(20)
        statuses.append(scene.network.call(call).status.value)
    assert statuses == ["busy", "no-answer", "completed", "completed"]


async def test_the_account_places_one_call_a_second_and_tells_the_wait(scene: Scene) -> None:
    scene.phone(ANA, NoAnswer())
    calls = [await page(scene) for _ in range(3)]
    assert [scene.network.call(call).queue_ms for call in calls] == [0, 1000, 2000]

    await scene.pass_time(1.6)
    assert [scene.network.call(call).status.value for call in calls] == [
        "ringing",
        "ringing",
        "queued",
    ]
    fetched = await scene.request(scene.client.calls(calls[2]).fetch)
    assert str(fetched.queue_time) == "2000"


async def test_a_queued_call_can_be_withdrawn_before_it_is_dialled(scene: Scene) -> None:
    phone = scene.phone(ANA, NoAnswer())
    await page(scene, BEN)
    call = await page(scene)
    await scene.request(lambda: scene.client.calls(call).update(status="canceled"))
    await scene.pass_time(10)
    assert scene.network.call(call).status.value == "canceled"
    assert phone.rung == 0


async def test_cancelling_leaves_an_answered_call_alone_and_completing_ends_it(
    scene: Scene,
) -> None:
    scene.phone(ANA, Answers(1, Stay()))
    scene.product.says("/page", "<Pause length='600'/>")
    call = await page(scene)
    await scene.pass_time(5)

    await scene.request(lambda: scene.client.calls(call).update(status="canceled"))
    await scene.network.settled()
    assert scene.network.call(call).status.value == "in-progress"

    await scene.request(lambda: scene.client.calls(call).update(status="completed"))
    await scene.network.settled()
    assert scene.network.call(call).status.value == "completed"


async def test_a_live_call_can_be_redirected_and_an_ended_one_cannot(scene: Scene) -> None:
    scene.phone(ANA, Answers(1, Stay()))
    scene.product.says("/page", "<Pause length='600'/>")
    other = scene.product.says("/other", "<Say>Somebody else has it</Say>")
    call = await page(scene)
    await scene.pass_time(5)
    await scene.request(lambda: scene.client.calls(call).update(url=other))
    await scene.pass_time(5)
    assert "Somebody else has it" in scene.network.heard(call)

    with pytest.raises(TwilioRestException) as refused:
        await scene.request(lambda: scene.client.calls(call).update(url=other))
    assert refused.value.code == 21220


async def test_a_redirect_by_inline_document_works_too(scene: Scene) -> None:
    scene.phone(ANA, Answers(1, Stay()))
    scene.product.says("/page", "<Pause length='600'/>")
    call = await page(scene)
    await scene.pass_time(5)
    said = "<Response><Say>Ben has it</Say></Response>"
    await scene.request(lambda: scene.client.calls(call).update(twiml=said))
    await scene.pass_time(5)
    assert "Ben has it" in scene.network.heard(call)


async def test_the_time_limit_ends_a_call(scene: Scene) -> None:
    scene.phone(ANA, Answers(0, Stay()))
    scene.product.says("/page", "<Pause length='600'/>")
    call = await page(scene, time_limit=30)
    await scene.pass_time(29)
    assert scene.network.call(call).status.value == "in-progress"
    await scene.pass_time(3)
    assert scene.network.call(call).duration_s == 30


async def test_the_drawn_key_is_pressed_and_reaches_the_action(scene: Scene) -> None:
    scene.phone(ANA, Answers(2, PressHeard(r"press ([\w, ]+) to take"), Stay()))
    gather = '<Gather numDigits="1" action="/key"><Say>Please press four to take it</Say></Gather>'
    scene.product.says("/page", gather)
    scene.product.says("/key", "<Say>You have it</Say>")
    call = await page(scene)
    await scene.pass_time(30)
    assert scene.product.events("/key", "Digits") == ["4"]
    assert "You have it" in scene.network.heard(call)


async def test_a_key_pressed_just_before_hanging_up_is_still_asked_about(scene: Scene) -> None:
    scene.phone(ANA, Answers(1, Wait(1), Press("1"), HangUp()))
    scene.product.says("/page", '<Gather numDigits="1" action="/key"/>')
    call = await page(scene)
    await scene.pass_time(10)
    assert scene.product.events("/key", "Digits") == ["1"]
    assert scene.network.call(call).status.value == "completed"


async def test_a_voicemail_greets_records_hangs_up_and_never_presses(scene: Scene) -> None:
    scene.phone(ANA, Voicemail(after_s=5, greeting_s=4, records_s=10))
    prompt = '<Gather numDigits="1" action="/key"><Say>Press 1</Say></Gather>'
    scene.product.says("/page", prompt + "<Redirect/>")
    call = await page(scene)
    await scene.pass_time(60)
    assert scene.product.asked("/key") == []
    record = scene.network.call(call)
    assert record.status.value == "completed"
    assert record.duration_s == 14
    said = [entry.details["text"] for entry in scene.network.journal.of("leg.said", call=call)]
    assert said[-1] == "[beep]"


@pytest.mark.parametrize(
    ("behaviour", "mode", "verdict", "after"),
    [
        (Answers(1, Stay()), "Enable", "human", 2),
        (Voicemail(1), "Enable", "machine_start", 4),
        (Voicemail(1, greeting_s=6), "DetectMessageEnd", "machine_end_beep", 6.5),
    ],
)
async def test_detection_delays_the_document_and_gives_its_verdict(
    scene: Scene, behaviour: CallBehaviour, mode: str, verdict: str, after: float
) -> None:
    scene.phone(ANA, behaviour)
    scene.product.says("/page", "<Pause length='60'/>")
    call = await page(scene, machine_detection=mode)
    await scene.pass_time(1.5 + after - 0.1)
    assert scene.product.asked("/page") == []
    await scene.pass_time(0.2)
    form = scene.product.asked("/page")[0].form
    assert form["AnsweredBy"] == verdict
    assert form["MachineDetectionDuration"] == str(round(after * 1000))
    fetched = await scene.request(scene.client.calls(call).fetch)
    assert fetched.answered_by == verdict


async def test_detection_beside_the_call_reports_by_callback(scene: Scene) -> None:
    scene.phone(ANA, Voicemail(1))
    scene.product.says("/page", "<Pause length='60'/>")
    amd = scene.product.url + "/amd"
    call = await page(scene, machine_detection="Enable", async_amd="true", async_amd_status_callback=amd)
    await scene.pass_time(2)
    assert "AnsweredBy" not in scene.product.asked("/page")[0].form
    await scene.pass_time(10)
    form = scene.product.asked("/amd")[0].form
    assert (form["CallSid"], form["AnsweredBy"]) == (call, "machine_start")


async def test_a_held_phone_rings_until_a_hand_takes_it(scene: Scene) -> None:
    scene.phone(ANA, Held())
    scene.product.says("/page", '<Gather numDigits="2" action="/key" timeout="60"/>')
    call = await page(scene)
    await scene.pass_time(20)
    scene.network.answer(call)
    await scene.network.settled()
    scene.network.press(call, "42")
    await scene.network.settled()
    assert scene.product.events("/key", "Digits") == ["42"]


async def test_declining_a_ringing_phone_by_hand_is_busy(scene: Scene) -> None:
    scene.phone(ANA, Held())
    call = await page(scene)
    await scene.pass_time(5)
    scene.network.hang_up(call)
    await scene.network.settled()
    assert scene.network.call(call).status.value == "busy"


@pytest.mark.parametrize(
    ("to", "from_", "code"),
    [
        ("123", LINE, 21211),
        ("+1555", LINE, 21211),
        ("app:AP" + "f" * 32, LINE, 21211),
        (ANA, "nonsense", 21212),
        (ANA, "+15550008888", 21210),
    ],
)
async def test_a_wrong_end_is_refused_at_once(scene: Scene, to: str, from_: str, code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await scene.request(lambda: scene.client.calls.create(to=to, from_=from_, url=scene.product.url))
    assert (refused.value.status, refused.value.code) == (400, code)


async def test_a_blocked_number_is_refused_with_its_code(scene: Scene) -> None:
    scene.phone(ANA, Refuses(21216), NoAnswer())
    with pytest.raises(TwilioRestException) as refused:
        await page(scene)
    assert refused.value.code == 21216
    assert await page(scene)


async def test_calls_can_be_found_again_by_end_state_and_time(scene: Scene) -> None:
    scene.phone(ANA, Answers(1, HangUp()))
    scene.phone(BEN, NoAnswer())
    began = scene.clock.now()
    first = await page(scene)
    await scene.pass_time(100)
    later = scene.clock.now()
    second = await page(scene)
    third = await page(scene, BEN)
    await scene.pass_time(2)

    async def found(**filters: Any) -> list[str]:
        calls = await scene.request(lambda: scene.client.calls.list(**filters))
        return [str(call.sid) for call in calls]

    assert await found(to=ANA) == [second, first]
    assert await found(to=ANA, start_time_after=later) == [second]
    assert await found(to=ANA, start_time_before=began) == [first]
    assert await found(from_=LINE, status="ringing") == [third]
    assert await found() == [third, second, first]


async def test_lists_come_in_pages(scene: Scene) -> None:
    scene.phone(ANA, Busy())
    placed = [await page(scene) for _ in range(5)]
    seen = await scene.request(lambda: scene.client.calls.list(page_size=2))
    assert [str(call.sid) for call in seen] == placed[::-1]


async def test_an_ended_call_can_be_deleted_and_is_then_unknown(scene: Scene) -> None:
    scene.phone(ANA, Busy())
    call = await page(scene)
    await scene.pass_time(2)
    await scene.request(scene.client.calls(call).delete)
    with pytest.raises(TwilioRestException) as gone:
        await scene.request(scene.client.calls(call).fetch)
    assert (gone.value.status, gone.value.code) == (404, 20404)


async def test_a_thousand_calls_at_fifty_a_second_are_all_placed(scene: Scene) -> None:
    scene.network.exchange.rate.per_second = 50
    scene.product.says("/page", "<Say>Press 1</Say>")
    scene.phone(ANA, Answers(1))

    for _ in range(1_000):
        scene.network.exchange.place(Order(LINE, ANA), Fetch(scene.product.url + "/page"))
    await scene.pass_time(25)
    assert len(scene.product.asked("/page")) == 1_000
