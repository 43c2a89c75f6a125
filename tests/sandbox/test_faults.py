"""What goes wrong on purpose, and that it can be repeated."""

import asyncio

import pytest
import requests
from twilio.base.exceptions import TwilioRestException

from sandbox.faults import Fault, FaultKind, Faults
from sandbox.phones import Answers, Busy, HangUp, NoAnswer
from tests.sandbox.conftest import CALLER, LINE, Scene

ANA = "+15550000201"


async def create(scene: Scene) -> str:
    told = {
        "status_callback": scene.product.url + "/status",
        "status_callback_event": ["initiated", "ringing", "answered", "completed"],
    }
    call = await scene.request(
        lambda: scene.client.calls.create(
            to=ANA, from_=LINE, twiml="<Response><Pause length='3'/></Response>", **told
        )
    )
    return str(call.sid)


@pytest.mark.parametrize(
    ("kind", "status", "effect"),
    [
        (FaultKind.TOO_MANY_REQUESTS, 429, 0),
        (FaultKind.ERROR_BEFORE, 500, 0),
        (FaultKind.ERROR_AFTER, 500, 1),
    ],
)
async def test_a_create_may_fail_before_or_after_its_effect(
    scene: Scene, kind: FaultKind, status: int, effect: int
) -> None:
    scene.phone(ANA, Busy())
    scene.network.faults.add(Fault(kind, on="calls.create", times=1))
    with pytest.raises(TwilioRestException) as failed:
        await create(scene)
    assert failed.value.status == status
    assert len(list(scene.network.calls.newest_first())) == effect
    await create(scene)


async def test_a_reply_may_be_dropped_although_the_call_was_placed(scene: Scene) -> None:
    scene.phone(ANA, Busy())
    scene.network.faults.add(Fault(FaultKind.REPLY_DROPPED, on="calls.create", times=1))
    with pytest.raises(requests.ConnectionError):
        await create(scene)
    assert len(list(scene.network.calls.newest_first())) == 1


async def test_latency_takes_the_sandboxes_time(scene: Scene) -> None:
    scene.network.faults.add(Fault(FaultKind.LATENCY, on="calls.list", seconds=30, times=1))
    listing = asyncio.create_task(scene.request(scene.client.calls.list))
    await scene.network.journal.wait_for("fault", kind_of_fault="latency")
    await scene.pass_time(29)
    assert not listing.done()
    await scene.pass_time(1)
    assert await listing == []


async def test_a_callback_may_be_lost_doubled_or_late(scene: Scene) -> None:
    scene.phone(ANA, Answers(1, HangUp()))
    scene.network.faults.add(
        Fault(FaultKind.CALLBACK_LOST, on="call.initiated"),
        Fault(FaultKind.CALLBACK_DOUBLED, on="call.ringing"),
        Fault(FaultKind.CALLBACK_DELAYED, on="call.answered", seconds=60),
    )
    await create(scene)
    await scene.pass_time(30)
    seen = ["ringing", "ringing", "completed"]
    assert scene.product.events("/status", "CallStatus") == seen
    await scene.pass_time(60)
    assert scene.product.events("/status", "CallStatus") == [*seen, "in-progress"]


async def test_a_callback_may_arrive_after_the_next_one(scene: Scene) -> None:
    scene.phone(ANA, Answers(1, HangUp()))
    scene.network.faults.add(Fault(FaultKind.CALLBACK_REORDERED, on="call.ringing", times=1))
    await create(scene)
    await scene.pass_time(30)
    assert scene.product.events("/status", "SequenceNumber") == ["0", "2", "1", "3"]


async def test_a_reordered_last_callback_still_arrives(scene: Scene) -> None:
    scene.phone(ANA, Busy())
    scene.network.faults.add(Fault(FaultKind.CALLBACK_REORDERED, on="call.completed"))
    await create(scene)
    await scene.pass_time(30)
    assert scene.product.events("/status", "CallStatus") == ["initiated", "busy"]


async def test_a_webhook_may_be_refused_and_is_tried_again(scene: Scene) -> None:
    scene.product.says("/voice", "<Say>Hello</Say>")
    scene.network.faults.add(Fault(FaultKind.WEBHOOK_REFUSED, on="voice", times=1))
    call = scene.network.dial(CALLER, LINE)
    await scene.pass_time(5)
    assert "Hello" in scene.network.heard(call)
    token = scene.product.asked("/voice")[0].headers.get("I-Twilio-Idempotency-Token")
    assert token is not None


async def test_a_fault_may_be_meant_for_one_number_only(scene: Scene) -> None:
    scene.phone(ANA, NoAnswer())
    scene.network.faults.add(Fault(FaultKind.ERROR_BEFORE, on="calls", number="+15550000999"))
    assert await create(scene)


def struck(seed: int, count: int = 200) -> list[bool]:
    faults = Faults(seed)
    faults.add(Fault(FaultKind.LATENCY, "calls", probability=0.3))
    return [faults.strike(FaultKind.LATENCY, "calls.create") is not None for _ in range(count)]


def test_the_same_seed_strikes_the_same_points() -> None:
    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 30 < sum(struck(1)) < 90


def test_a_fault_lets_pass_what_it_should_and_stops_after_its_times() -> None:
    faults = Faults(0)
    faults.add(Fault(FaultKind.LATENCY, "calls", skip=2, times=1))
    strikes = [faults.strike(FaultKind.LATENCY, "calls.fetch") is not None for _ in range(5)]
    assert strikes == [False, False, True, False, False]


def test_points_are_matched_by_whole_words() -> None:
    fault = Fault(FaultKind.LATENCY, "call")
    assert fault.covers("call.completed", ())
    assert not fault.covers("calls.create", ())


def test_the_number_of_faults_is_bounded() -> None:
    faults = Faults(0)
    faults.add(*[Fault(FaultKind.LATENCY)] * 1_000)
    with pytest.raises(ValueError, match="more than"):
        faults.add(Fault(FaultKind.LATENCY))
