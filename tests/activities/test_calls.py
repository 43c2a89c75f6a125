"""Page calls, by the official client over HTTP, and what becomes of them when the network is unkind."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from temporalio.exceptions import ApplicationError

from activities.calls import TIME_LIMIT_S, Calls
from activities.submission import Submitter
from activities.transport import Transport
from sandbox.faults import Fault, FaultKind
from sandbox.phones import Answers, NoAnswer, Refuses, Stay
from tests.activities.town import (
    ANA,
    BEN,
    CASE,
    LINE_NUMBER,
    NOW,
    SITS_THERE,
    TOKENS,
    Town,
    client_for,
    query,
    ring,
)
from workflows.orders import GONE, FindCall, Found, OneCall, PlacePageCall
from workflows.tokens import PAGE, PageToken
from workflows.values import CallSid, Severity

NOBODY = CallSid("CA" + "f" * 32)


async def test_a_page_call_carries_everything_a_key_press_needs_signed(town: Town) -> None:
    routine = replace(CASE, severity=Severity.ROUTINE, spoken="no heating", test=True)

    submission = await town.environment.run(town.calls.place_page_call, ring(CASE, routine))

    [form] = town.created()
    assert submission.what == "placed"
    assert submission.sid in {call.sid for call in town.network.calls.newest_first()}
    url = str(form["Url"])
    assert url.startswith(f"{town.public_url}/page/")
    token: PageToken = TOKENS.open(PAGE, url.removeprefix(f"{town.public_url}/page/"))
    assert (token.person, token.ring, token.line) == ("ana", "1-page-0", "clinic")
    told = [(i.spoken, i.accept, i.decline, i.conference, i.life, i.test) for i in token.items]
    assert told == [
        ("a patient in danger", "1", "2", "af-CAcaller", True, False),
        ("no heating", "3", "4", "af-CAcaller", False, True),
    ]


async def test_a_page_call_rings_for_its_time_and_is_bounded_and_reported(town: Town) -> None:
    await town.environment.run(town.calls.place_page_call, ring(ring_s=25.0))

    [form] = town.created()
    assert (form["To"], form["From"]) == (ANA, LINE_NUMBER)
    assert (form["Timeout"], form["TimeLimit"]) == ("25", str(TIME_LIMIT_S))
    assert form["StatusCallbackEvent"] == ["ringing", "answered", "completed"]
    assert str(form["StatusCallback"]).startswith(f"{town.public_url}/page/status?")
    assert query(form["StatusCallback"]) == {"person": "ana", "ring": "1-page-0"}


async def test_a_page_call_knows_another_host_for_when_the_door_does_not_answer(town: Town) -> None:
    await town.environment.run(town.calls.place_page_call, ring())
    assert "FallbackUrl" not in town.created()[-1]
    elsewhere = Calls(town.twilio, town.addresses, fallback_url="https://other.example/one-moment.xml")
    await town.environment.run(elsewhere.place_page_call, ring())
    form = town.created()[-1]
    assert (form["FallbackUrl"], form["FallbackMethod"]) == ("https://other.example/one-moment.xml", "GET")


async def test_a_number_that_twilio_refuses_is_refused_for_good_with_its_code(town: Town) -> None:
    town.ana.on_calls(Refuses(21216))

    submission = await town.environment.run(town.calls.place_page_call, ring())

    assert submission.what == "refused"
    assert "21216" in (submission.error or "")


async def test_what_twilio_says_of_a_refusal_shows_no_whole_number(town: Town) -> None:
    order = ring()
    from_elsewhere = replace(order, ring=replace(order.ring, from_=BEN))

    submission = await town.environment.run(town.calls.place_page_call, from_elsewhere)

    assert submission.what == "refused"
    assert "0112" in (submission.error or "")
    assert BEN.strip("+") not in (submission.error or "")


@pytest.mark.parametrize("number", ["+1911", "+44999", "+34112", "911", "+19005550100", "client:ana"])
async def test_emergency_and_premium_numbers_are_never_dialled(town: Town, number: str) -> None:
    submission = await town.environment.run(town.calls.place_page_call, ring(to=number))

    assert submission.what == "refused"
    assert town.created() == []


async def test_a_call_without_a_page_is_never_placed(town: Town) -> None:
    order = ring()
    empty = replace(order, ring=replace(order.ring, items=()))

    assert (await town.environment.run(town.calls.place_page_call, empty)).what == "refused"
    assert town.created() == []


async def test_a_429_was_not_processed_and_is_sent_again(town: Town) -> None:
    town.fault(FaultKind.TOO_MANY_REQUESTS, "calls.create", times=2)

    submission = await town.environment.run(town.calls.place_page_call, ring())

    assert submission.what == "placed"
    assert len(list(town.network.calls.newest_first())) == 1


async def test_a_create_that_never_got_through_in_its_time_is_doubtful_and_looking_finds_nothing(
    town: Town,
) -> None:
    town.fault(FaultKind.TOO_MANY_REQUESTS, "calls.create", times=None)
    calls = Calls(town.twilio, town.addresses, Submitter(patience=timedelta(seconds=1)))

    submission = await town.environment.run(calls.place_page_call, ring())

    assert submission.what == "doubtful"
    assert "20429" in (submission.error or "")
    assert await town.environment.run(town.calls.find_call, sought()) == Found()


@pytest.mark.parametrize("kind", [FaultKind.ERROR_AFTER, FaultKind.REPLY_DROPPED])
async def test_a_lost_reply_is_doubtful_is_not_sent_again_and_is_found_by_looking(
    town: Town, kind: FaultKind
) -> None:
    town.fault(kind, "calls.create")

    submission = await town.environment.run(town.calls.place_page_call, ring())

    assert submission.what == "doubtful"
    [placed] = town.network.calls.newest_first()
    assert await town.environment.run(town.calls.find_call, sought()) == Found(placed.sid)


async def test_a_5xx_before_the_effect_is_doubtful_too_and_looking_finds_nothing(town: Town) -> None:
    town.fault(FaultKind.ERROR_BEFORE, "calls.create")

    submission = await town.environment.run(town.calls.place_page_call, ring())

    assert submission.what == "doubtful"
    assert await town.environment.run(town.calls.find_call, sought()) == Found()


async def test_a_reply_that_comes_too_late_is_doubtful_and_the_call_is_found(town: Town) -> None:
    town.network.faults.add(Fault(FaultKind.LATENCY, "calls.create", times=1, seconds=60))
    async with Transport(reply_s=0.3) as transport:
        hasty = Calls(client_for(transport, town.address), town.addresses)
        submission = await town.environment.run(hasty.place_page_call, ring())
    await town.pass_time(60)

    assert submission.what == "doubtful"
    assert len(list(town.network.calls.newest_first())) <= 1


async def test_a_provider_that_nobody_reaches_is_doubtful_and_never_an_exception(town: Town) -> None:
    async with Transport() as transport:
        away = client_for(transport, "http://127.0.0.1:9")
        calls = Calls(away, town.addresses, Submitter(patience=timedelta(seconds=1)))
        submission = await town.environment.run(calls.place_page_call, ring())

    assert submission.what == "doubtful"
    assert "no connection" in (submission.error or "")


async def test_looking_takes_the_oldest_call_it_can_be_and_ignores_the_others(town: Town) -> None:
    before = await placed(town)
    await town.pass_time(60)
    since = town.clock.now()
    first = await placed(town)
    await town.pass_time(1)
    second = await placed(town)
    await placed(town, ring(to=BEN, name="ben"))

    assert await town.environment.run(town.calls.find_call, sought(since)) == Found(first)
    assert await town.environment.run(town.calls.find_call, sought(since, first)) == Found(second)
    assert await town.environment.run(town.calls.find_call, sought(since, first, second)) == Found()
    assert before not in {first, second}


async def test_clocks_that_differ_by_seconds_do_not_hide_a_call(town: Town) -> None:
    sid = await placed(town)

    late = sought(town.clock.now() + timedelta(seconds=4))
    too_late = sought(town.clock.now() + timedelta(seconds=30))

    assert await town.environment.run(town.calls.find_call, late) == Found(sid)
    assert await town.environment.run(town.calls.find_call, too_late) == Found()


async def test_a_call_that_rings_is_cancelled(town: Town) -> None:
    town.ana.on_calls(NoAnswer())
    sid = await placed(town)
    await town.pass_time(3)

    await town.environment.run(town.calls.cancel_call, OneCall(sid))

    assert await status(town, sid) == "canceled"


async def test_a_call_that_was_answered_is_never_cut_off_by_a_cancel(town: Town) -> None:
    sid = await answered(town)

    await town.environment.run(town.calls.cancel_call, OneCall(sid))

    assert await status(town, sid) == "in-progress"


async def test_hanging_up_ends_a_call_that_was_answered(town: Town) -> None:
    sid = await answered(town)

    await town.environment.run(town.calls.hang_up, OneCall(sid))
    await town.environment.run(town.calls.hang_up, OneCall(sid))

    assert await status(town, sid) == "completed"


async def test_ending_a_call_that_is_over_or_was_never_there_is_done(town: Town) -> None:
    sid = await placed(town)
    await town.environment.run(town.calls.cancel_call, OneCall(sid))

    for over in (sid, NOBODY):
        await town.environment.run(town.calls.cancel_call, OneCall(over))
        await town.environment.run(town.calls.hang_up, OneCall(over))


async def test_looking_at_a_call_that_is_not_there_fails_for_good(town: Town) -> None:
    with pytest.raises(ApplicationError) as raised:
        await town.environment.run(town.calls.look_at_call, OneCall(NOBODY))

    assert (raised.value.type, raised.value.non_retryable) == (GONE, True)


@pytest.mark.parametrize(
    "kind", [FaultKind.ERROR_BEFORE, FaultKind.TOO_MANY_REQUESTS, FaultKind.REPLY_DROPPED]
)
async def test_trouble_that_may_pass_lets_temporal_ask_again(town: Town, kind: FaultKind) -> None:
    sid = await placed(town)
    town.fault(kind, "calls.fetch", times=None)

    with pytest.raises(ApplicationError) as raised:
        await town.environment.run(town.calls.look_at_call, OneCall(sid))

    assert not raised.value.non_retryable


async def placed(town: Town, order: PlacePageCall | None = None) -> CallSid:
    """Place a page call that works."""
    submission = await town.environment.run(town.calls.place_page_call, order or ring())
    assert submission.sid is not None
    return CallSid(submission.sid)


async def answered(town: Town) -> CallSid:
    """A call that is in progress: our TwiML holds whoever answers."""
    town.ana.on_calls(Answers(1, Stay()))
    held = town.document("held", SITS_THERE)
    call = await town.twilio.calls.create_async(to=ANA, from_=LINE_NUMBER, url=held)
    await town.pass_time(5)
    return CallSid(str(call.sid))


async def status(town: Town, sid: CallSid) -> str:
    return (await town.environment.run(town.calls.look_at_call, OneCall(sid))).status


def sought(since: datetime = NOW, *ignoring: CallSid) -> FindCall:
    return FindCall(ANA, LINE_NUMBER, since, ignoring)
