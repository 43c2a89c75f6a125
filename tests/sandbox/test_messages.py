"""Messages: carried, refused, lost, answered."""

import pytest
from twilio.base.exceptions import TwilioRestException

from sandbox.faults import Fault, FaultKind
from sandbox.messages import segments
from sandbox.phones import Delivers, Loses, Refuses, TextBehaviour, Undeliverable
from tests.sandbox.conftest import LINE, Scene

ANA = "+15550000201"


async def send(scene: Scene, body: str = "Emergency 7Q: reply 7Q to take it", **more: object) -> str:
    message = await scene.request(
        lambda: scene.client.messages.create(
            to=ANA, from_=LINE, body=body, status_callback=scene.product.url + "/sms-status", **more
        )
    )
    return str(message.sid)


def town_with(scene: Scene, *behaviours: TextBehaviour) -> None:
    scene.network.add_phone(ANA).on_texts(*behaviours)


async def test_a_message_is_queued_sent_delivered_and_each_is_told(scene: Scene) -> None:
    town_with(scene, Delivers(2))
    sid = await send(scene)
    fetched = await scene.request(scene.client.messages(sid).fetch)
    assert str(fetched.status) in {"queued", "sending"}
    await scene.pass_time(5)
    assert scene.product.events("/sms-status", "MessageStatus") == ["queued", "sent", "delivered"]
    last = scene.product.asked("/sms-status")[-1].form
    assert (last["MessageSid"], last["SmsStatus"]) == (sid, "delivered")
    assert len(last["RawDlrDoneDate"]) == 10


@pytest.mark.parametrize("code", [30003, 30006, 30007])
async def test_a_carrier_gives_a_message_up_with_its_code(scene: Scene, code: int) -> None:
    town_with(scene, Undeliverable(code))
    sid = await send(scene)
    await scene.pass_time(5)
    last = scene.product.asked("/sms-status")[-1].form
    assert (last["MessageStatus"], last["ErrorCode"]) == ("undelivered", str(code))
    fetched = await scene.request(scene.client.messages(sid).fetch)
    assert fetched.error_code == code


async def test_a_carrier_may_never_confirm(scene: Scene) -> None:
    town_with(scene, Loses())
    sid = await send(scene)
    await scene.pass_time(3600)
    message = scene.network.messages.get(sid)
    assert message is not None
    assert message.status.value == "sent"


async def test_messages_leave_one_segment_a_second(scene: Scene) -> None:
    town_with(scene, Delivers(0))
    first, second = await send(scene, "x" * 300), await send(scene)
    await scene.pass_time(1.5)
    assert scene.network.journal.of("message.status", message=first, status="delivered")
    assert not scene.network.journal.of("message.status", message=second, status="sending")
    await scene.pass_time(2)
    assert scene.network.journal.of("message.status", message=second, status="delivered")


async def test_a_message_whose_validity_is_over_fails_unsent(scene: Scene) -> None:
    town_with(scene, Delivers(0))
    await send(scene, "x" * 1500)
    late = await send(scene, validity_period=5)
    await scene.pass_time(20)
    message = scene.network.messages.get(late)
    assert message is not None
    assert (message.status.value, message.error_code) == ("failed", 30036)


async def test_a_reply_reaches_the_line_and_is_answered(scene: Scene) -> None:
    town_with(scene, Delivers(1, reply_heard=r"reply (\w+)", reply_after_s=2), Delivers(1))
    scene.product.says("/sms", "<Message>You have it</Message>")
    await send(scene)
    await scene.pass_time(10)
    form = scene.product.asked("/sms")[0].form
    assert (form["From"], form["To"], form["Body"]) == (ANA, LINE, "7Q")
    assert (form["SmsStatus"], form["NumMedia"]) == ("received", "0")
    assert form["MessageSid"] == form["SmsSid"] == form["SmsMessageSid"]
    answers = scene.network.journal.of("message.created", body="You have it")
    assert len(answers) == 1


async def test_an_empty_answer_sends_nothing(scene: Scene) -> None:
    scene.product.says("/sms", "")
    scene.network.text(ANA, LINE, "hello")
    await scene.pass_time(5)
    assert scene.network.journal.of("message.created") == []


async def test_who_says_stop_gets_nothing_until_they_say_start(scene: Scene) -> None:
    town_with(scene, Delivers(0))
    scene.network.text(ANA, LINE, " stop ")
    await scene.network.settled()
    with pytest.raises(TwilioRestException) as refused:
        await send(scene)
    assert refused.value.code == 21610
    scene.network.text(ANA, LINE, "START")
    await scene.network.settled()
    assert await send(scene)


@pytest.mark.parametrize(
    ("to", "from_", "body", "code"),
    [
        ("nonsense", LINE, "x", 21211),
        (ANA, "+15550007777", "x", 21606),
        (ANA, "nonsense", "x", 21212),
        (ANA, LINE, "", 21602),
        (ANA, LINE, "x" * 1601, 21617),
    ],
)
async def test_a_wrong_message_is_refused(scene: Scene, to: str, from_: str, body: str, code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await scene.request(lambda: scene.client.messages.create(to=to, from_=from_, body=body))
    assert refused.value.code == code


async def test_a_phone_can_have_messages_refused_at_create(scene: Scene) -> None:
    town_with(scene, Refuses(21610))
    with pytest.raises(TwilioRestException) as refused:
        await send(scene)
    assert refused.value.code == 21610


async def test_a_fault_can_make_any_carrier_fail(scene: Scene) -> None:
    town_with(scene, Delivers(0))
    scene.network.faults.add(Fault(FaultKind.CARRIER_ERROR, number=ANA, times=1, code=30007))
    await send(scene)
    await send(scene)
    await scene.pass_time(10)
    statuses = [record.details["status"] for record in scene.network.journal.of("message.status")]
    assert statuses.count("undelivered") == 1
    assert statuses.count("delivered") == 1


async def test_messages_are_found_by_end_and_date(scene: Scene) -> None:
    town_with(scene, Delivers(0))
    sid = await send(scene)
    await scene.pass_time(100)
    now = scene.clock.now()
    listed = await scene.request(lambda: scene.client.messages.list(to=ANA, from_=LINE))
    assert [message.sid for message in listed] == [sid]
    later = await scene.request(lambda: scene.client.messages.list(date_sent_after=now))
    assert later == []


async def test_a_body_can_be_redacted(scene: Scene) -> None:
    town_with(scene, Delivers(0))
    sid = await send(scene)
    await scene.pass_time(5)
    redacted = await scene.request(lambda: scene.client.messages(sid).update(body=""))
    assert redacted.body == ""


@pytest.mark.parametrize(("body", "count"), [("x" * 160, 1), ("x" * 161, 2), ("ü" * 70, 1), ("ü" * 71, 2)])
def test_long_texts_are_sent_in_segments(body: str, count: int) -> None:
    assert segments(body) == count
