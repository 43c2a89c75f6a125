"""Design section 4, clock and queue, with the shells in their server: what is rung when."""

import pytest

from tests.shells.exchange import Does, seconds
from tests.shells.servers import Night
from tests.shells.town import PEOPLE, Town, everywhere, ladder, person, rung
from workflows import orders
from workflows.values import Channel, Severity


async def test_the_whole_ladder_is_climbed_rung_by_rung_every_120_seconds(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    for nth, name in enumerate(PEOPLE[:8], start=1):
        await town.rings(name)
        view = await caller.emergency.until(lambda view: view.next_at is not None)
        assert (view.phase, view.rung, view.rungs) == ("paging", nth, 8)
        await town.pass_time(seconds(122))

    await town.exchange.ordering("alert_operator")
    await town.rings("ana")
    assert (await caller.emergency.stands()).round == 2


async def test_at_119_seconds_it_is_still_rung_1_at_122_it_is_rung_2(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    await town.rings("ana")

    await town.pass_time(seconds(119))
    assert (await caller.emergency.stands()).rung == 1

    await town.pass_time(seconds(3))
    assert (await caller.emergency.stands()).rung == 2
    await town.rings("ben")


async def test_all_channels_of_all_responders_of_a_rung_go_at_once(night: Night) -> None:
    async with night(ladder(rung(everywhere("ana"), everywhere("ben")))) as town:
        await town.caller_reports("burst pipe")
        await town.rings("ana")
        await town.rings("ben")
        await town.exchange.until(lambda: len(town.exchange.of("send_text")) == 2)
        await town.exchange.until(lambda: len(town.exchange.of("push")) == 2)


@pytest.mark.parametrize("does", [Does.RAISE, Does.REFUSE, Does.LOSE_ORDER])
@pytest.mark.parametrize("channel", list(Channel))
async def test_one_channels_failure_never_delays_another(night: Night, channel: Channel, does: Does) -> None:
    async with night(ladder(rung(everywhere("ana")))) as town:
        town.exchange.will(channel, "ana", does)
        await town.caller_reports("burst pipe")
        if channel is not Channel.VOICE:
            await town.rings("ana")
        await town.exchange.ordering("send_text")
        await town.exchange.ordering("push")
        await town.settles()


@pytest.mark.parametrize("slow", ["send_text", "push"])
async def test_a_channel_that_hangs_delays_neither_the_others_nor_the_clock(night: Night, slow: str) -> None:
    async with night(ladder(rung(everywhere("ana")))) as town:
        hanging = town.exchange.holds(slow)
        caller = await town.caller_reports("burst pipe")
        await town.rings("ana")
        await town.exchange.ordering("push" if slow == "send_text" else "send_text")
        await caller.emergency.until(lambda view: view.next_is == "rung expires: climb")
        hanging.set()


async def test_the_clock_starts_when_the_first_call_is_submitted_not_before(night: Night) -> None:
    """While calls are queued, SMS and push go at once and the caller hears that the call is being placed."""
    rungs = ladder(rung(everywhere("ana"), wait_s=0.5), "ben", submit_limit_s=1.0)
    async with night(rungs, closed={orders.CALLS}) as town:
        caller = await town.caller_reports("burst pipe")
        await town.exchange.ordering("send_text")
        await town.exchange.ordering("push")
        assert (await town.exchange.ordering("announce_fact")).fact.kind == "placing"

        alert = await town.exchange.ordering("alert_operator")
        assert "queued" in alert.reason
        await town.exchange.ordering("alert_operator", 2)
        assert (await caller.emergency.stands()).rung == 1, "a queued rung does not climb"

        await town.opens(orders.CALLS)
        await town.rings("ana")
        await caller.hears_it_out()
        assert (await town.exchange.ordering("announce_fact", 2)).fact.kind == "ringing"
        await town.rings("ben")


async def test_a_page_whose_case_was_taken_is_withdrawn_before_it_is_dialled(night: Night) -> None:
    async with night(
        ladder(rung("ana", person("ben", phone=False, text=True))), closed={orders.CALLS}
    ) as town:
        caller = await town.caller_reports("burst pipe")
        await town.until_queued("ana")
        await caller.emergency.acknowledge("ben")
        await town.settles()
        await town.opens(orders.CALLS)
        await town.settles()
        assert not town.exchange.of("place_page_call")
        assert not town.exchange.cancelled, "what was never dialled needs no hanging up"


async def test_a_page_whose_rung_has_expired_is_withdrawn_before_it_is_dialled(night: Night) -> None:
    async with night(ladder(rung("ana", "ben", wait_s=1.0), "cem")) as town:
        relay = town.exchange.holds("relay_page ben")
        caller = await town.caller_reports("burst pipe")
        await town.rings("ana")
        await town.closes(orders.CALLS)
        relay.set()
        await town.until_queued("ben")
        await caller.emergency.until(lambda view: view.rung == 2)
        await town.settles()
        await town.opens(orders.CALLS)
        await town.rings("cem")


async def test_a_person_is_rung_twice_within_a_rung(night: Night) -> None:
    async with night(ladder(rung("ana", again_s=60), "ben")) as town:
        caller = await town.caller_reports("burst pipe")
        first = await town.rings("ana")
        await first.lets_it_ring()
        await town.pass_time(seconds(59))
        assert not town.exchange.surprises
        await town.pass_time(seconds(2))
        await town.rings("ana")
        await town.pass_time(seconds(57))
        assert (await caller.emergency.stands()).rung == 1, "being rung again does not restart the clock"
        await town.pass_time(seconds(4))
        await town.rings("ben")


async def test_decline_by_all_advances_at_once(night: Night) -> None:
    async with night(ladder(rung("ana", "ben"), "cem")) as town:
        await town.caller_reports("burst pipe")
        ana, ben = await town.rings("ana"), await town.rings("ben")
        assert (await ana.presses("decline")).verdict == "declined"
        await town.settles()
        assert not town.exchange.surprises, "ben may still answer"
        assert (await ben.presses("decline")).verdict == "declined"
        await town.rings("cem")


async def test_definite_failure_of_every_channel_advances_at_once(night: Night) -> None:
    async with night(ladder(rung(person("ana", text=True)), "ben")) as town:
        town.exchange.will(Channel.VOICE, "ana", Does.REFUSE)
        town.exchange.will(Channel.TEXT, "ana", Does.REFUSE)
        await town.caller_reports("burst pipe")
        await town.rings("ben")


@pytest.mark.parametrize("status", ["busy", "no-answer", "completed", "canceled"])
async def test_busy_and_no_answer_are_no_failure(night: Night, status: str) -> None:
    async with night(ladder("ana", "ben")) as town:
        caller = await town.caller_reports("burst pipe")
        await (await town.rings("ana")).ends(status)
        await town.pass_time(seconds(118))
        assert (await caller.emergency.stands()).rung == 1


async def test_exhausted_is_not_an_end(night: Night) -> None:
    """Last resort, the truth for the caller, and round again after a pause that grows."""
    rungs = ladder("ana", last_resort=(person("ivo"),), pauses_s=(60.0, 300.0))
    async with night(rungs) as town:
        caller = await town.caller_reports("burst pipe")
        await (await town.rings("ana")).lets_it_ring()
        await town.pass_time(seconds(121))

        view = await caller.emergency.reaches("exhausted")
        assert view.next_is == "go round the ladder again"
        await (await town.rings("ivo")).lets_it_ring()
        assert "nobody" in (await town.exchange.ordering("alert_operator")).reason
        told = [order.fact for order in town.exchange.of("announce_fact")]
        assert told[-1].kind == "exhausted" or (await caller.stands()).telling is not None

        await town.pass_time(seconds(61))
        await (await town.rings("ana")).lets_it_ring()
        assert (await caller.emergency.stands()).round == 2
        await town.pass_time(seconds(121))
        await (await town.rings("ivo")).lets_it_ring()
        view = await caller.emergency.reaches("exhausted")
        assert view.next_at is not None
        assert view.next_at - await town.now() > seconds(290), "the second pause is longer"


async def test_rungs_that_never_reached_a_phone_come_first_in_the_next_round(night: Night) -> None:
    async with night(ladder("ana", "ben")) as town:
        await town.caller_reports("burst pipe")
        ana = await town.rings("ana")
        await ana.rings_in_their_hand()
        await ana.lets_it_ring()
        await town.pass_time(seconds(121))
        await (await town.rings("ben")).lets_it_ring()
        await town.pass_time(seconds(121))
        await town.rings("ben")


async def test_a_queued_call_holds_no_other_persons_phone(night: Night) -> None:
    """Two emergencies page one person: one call, with a drawn key for each."""
    async with night(ladder("ana"), closed={orders.CALLS}) as town:
        first = await town.caller_reports("burst pipe", severity=Severity.ROUTINE)
        await town.until_queued("ana")
        second = await town.caller_reports("no heating")
        await town.exchange.ordering("relay_page", 2)
        await town.settles()
        await town.opens(orders.CALLS)
        ana = await town.rings("ana")
        script = await ana.hears()
        assert [item.escalation for item in script.items] == [first.emergency.id, second.emergency.id]
        assert len({key for item in script.items for key in (item.accept, item.decline)}) == 4
        reply = await ana.presses("accept", nth=1)
        assert reply.conference == f"af-{second.sid}"
        assert (await first.emergency.stands()).phase == "paging"
