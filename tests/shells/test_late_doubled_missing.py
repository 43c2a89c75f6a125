"""Design sections 4 and 5 with the shells in their server: everything is late, doubled, missing or in doubt."""

import asyncio
import logging
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from tests.shells.exchange import Does, seconds
from tests.shells.servers import Night
from tests.shells.town import LINE, Town, everywhere, ladder, person, rung
from workflows import orders
from workflows.labels import responder_label
from workflows.messages import CallerNews, PageNews, PageRequest
from workflows.pages import Evidence, Standing
from workflows.values import ActKind, Channel, PageId, Via

WRITTEN = person("ana", phone=False, text=True)


# A page under doubt is settled by looking


async def test_a_doubtful_text_that_is_found_is_not_sent_again(night: Night) -> None:
    async with night(ladder(rung(WRITTEN))) as town:
        town.exchange.will(Channel.TEXT, "ana", Does.LOSE_ANSWER)
        emergency = await town.alert_comes("power failure")
        await town.exchange.ordering("send_text")
        await town.pass_time(seconds(4))
        (page,) = (await emergency.stands()).pages
        assert (page.text.standing, page.text.provider_id) == ("submitted", town.exchange.texts[0][0])
        assert len(town.exchange.of("send_text")) == 1


async def test_a_doubtful_text_is_sent_again_once_only_when_it_was_looked_for_and_not_found(
    night: Night,
) -> None:
    async with night(ladder(rung(WRITTEN))) as town:
        town.exchange.will(Channel.TEXT, "ana", Does.LOSE_ORDER)
        emergency = await town.alert_comes("power failure")
        await town.exchange.ordering("send_text")
        await town.settles()
        assert (await emergency.stands()).pages[0].text.standing == "submission-unknown"
        await town.pass_time(seconds(12))
        assert len(town.exchange.of("send_text")) == 1, "it may still show"
        await town.pass_time(seconds(2))
        await town.exchange.until(lambda: len(town.exchange.of("send_text")) == 2)
        assert len(town.exchange.of("find_text")) == 2
        assert len(town.exchange.texts) == 1
        assert (await emergency.until(lambda v: v.pages[0].text.standing == "submitted")).rung == 1


async def test_a_text_that_is_in_doubt_twice_has_failed(night: Night) -> None:
    async with night(ladder(rung(WRITTEN), "ben")) as town:
        town.exchange.will(Channel.TEXT, "ana", Does.LOSE_ORDER, Does.LOSE_ORDER)
        await town.alert_comes("power failure")
        await town.exchange.ordering("send_text")
        await town.pass_time(seconds(14))
        await town.pass_time(seconds(14))
        await town.rings("ben")
        assert len(town.exchange.of("send_text")) == 2


async def test_a_doubtful_call_is_looked_for_and_not_rung_twice(night: Night) -> None:
    async with night(ladder("ana")) as town:
        town.exchange.will(Channel.VOICE, "ana", Does.LOSE_ANSWER)
        caller = await town.caller_reports("burst pipe")
        ana = await town.rings("ana")
        view = await caller.emergency.until(lambda v: v.pages[0].voice.standing == "submission-unknown")
        assert view.next_is == "calls still queued: alert the operator", "the clock has not started"
        await town.pass_time(seconds(2))
        view = await caller.emergency.stands()
        assert (view.pages[0].voice.standing, view.pages[0].voice.provider_id) == ("submitted", ana.sid)
        assert len(town.exchange.of("place_page_call")) == 1
        assert (await ana.presses("accept")).verdict == "yours"


async def test_a_doubtful_call_that_four_looks_do_not_find_is_placed_once_more(night: Night) -> None:
    async with night(ladder("ana")) as town:
        town.exchange.will(Channel.VOICE, "ana", Does.LOSE_ORDER)
        await town.caller_reports("burst pipe")
        await town.exchange.ordering("place_page_call")
        for wait_s, looks in ((1.1, 1), (3.1, 2), (8.1, 3)):
            await town.pass_time(seconds(wait_s))
            assert (len(town.exchange.of("find_call")), len(town.exchange.of("place_page_call"))) == (
                looks,
                1,
            )
        await town.pass_time(seconds(20.1))
        await town.rings("ana")
        assert len(town.exchange.of("place_page_call")) == 2


async def test_who_picks_up_a_doubtful_call_has_settled_the_doubt(night: Night) -> None:
    async with night(ladder("ana")) as town:
        town.exchange.will(Channel.VOICE, "ana", Does.LOSE_ANSWER)
        await town.caller_reports("burst pipe")
        ana = await town.rings("ana")
        await town.settles()
        assert (await ana.presses("accept")).verdict == "yours"
        assert not town.exchange.of("find_call")


async def test_a_worker_stopped_while_it_places_a_call_leaves_a_doubt_not_a_withdrawal(night: Night) -> None:
    async with night(ladder("ana")) as town:
        town.exchange.will(Channel.VOICE, "ana", Does.KILL_WORKER)
        caller = await town.caller_reports("burst pipe")
        ana = await town.rings("ana")
        await town.closes(orders.CALLS)
        await caller.emergency.until(lambda v: v.pages[0].voice.standing == "submission-unknown")
        await town.opens(orders.CALLS)
        await town.pass_time(seconds(2))
        view = await caller.emergency.stands()
        assert (view.pages[0].voice.standing, view.pages[0].voice.provider_id) == ("submitted", ana.sid)


async def test_an_order_that_is_never_answered_is_in_doubt_after_its_time_out(night: Night) -> None:
    """Eight real seconds: while an activity runs, the server's clock skips nothing. A call and a text at once."""
    async with night(ladder(rung("ana", person("ben", phone=False, text=True)))) as town:
        town.exchange.will(Channel.VOICE, "ana", Does.KILL_WORKER)
        town.exchange.will(Channel.TEXT, "ben", Does.KILL_WORKER)
        caller = await town.caller_reports("burst pipe")
        await town.rings("ana")
        await town.exchange.ordering("send_text")
        await town.real_time(seconds(8.3))
        await caller.emergency.until(
            lambda v: (
                {v.pages[0].voice.standing, v.pages[1].text.standing} == {Standing.UNKNOWN}
                or Standing.SUBMITTED in {v.pages[0].voice.standing, v.pages[1].text.standing}
            )
        )
        await town.pass_time(seconds(4))
        ana, ben = (await caller.emergency.stands()).pages
        assert (ana.voice.standing, ben.text.standing) == ("submitted", "submitted")
        assert len(town.exchange.of("place_page_call")) == len(town.exchange.of("send_text")) == 1


# Doubled, late, missing


async def test_a_page_request_that_comes_twice_rings_once(night: Night) -> None:
    async with night(ladder("ana")) as town:
        await town.caller_reports("burst pipe")
        await town.rings("ana")
        request = town.exchange.of("relay_page")[0].request
        handle = town.client.get_workflow_handle("responder-ana")
        await handle.signal("request", PageRequest(request=request))
        await town.settles()


async def test_callbacks_out_of_order_come_to_the_same_end(night: Night) -> None:
    async with night(ladder("ana")) as town:
        caller = await town.caller_reports("burst pipe")
        ana = await town.rings("ana")
        for status in ("completed", "ringing", "initiated", "completed", "in-progress"):
            await town.exchange.progress(ana.ringing, status)
        await town.settles()
        view = await caller.emergency.stands()
        assert (view.phase, view.pages[0].voice.standing) == ("paging", "unanswered")


async def test_a_call_whose_end_was_never_told_is_looked_at(night: Night) -> None:
    async with night(ladder("ana", "ben")) as town:
        caller = await town.caller_reports("burst pipe")
        await town.rings("ana")
        await town.pass_time(seconds(61))
        assert (await town.exchange.ordering("look_at_call")).sid
        view = await caller.emergency.until(lambda v: v.pages[0].voice.standing == "unanswered")
        assert view.rung == 1


async def test_conference_news_that_never_came_is_made_up_for_by_a_look(town: Town) -> None:
    caller = await town.caller_reports("burst pipe", line=LINE)
    await caller.assistant_comes()
    ana = await town.rings("ana")
    await ana.presses("accept")
    await ana.enters_the_room_of(caller, told=False)
    await town.pass_time(seconds(31))
    assert (await caller.emergency.stands()).phase == "attended"
    assert (await caller.stands()).coaching == ana.sid


async def test_doubled_and_late_conference_news_changes_nothing(town: Town) -> None:
    caller = await town.caller_reports("burst pipe", line=LINE)
    leg = await caller.assistant_comes()
    ana = await town.rings("ana")
    await ana.presses("accept")
    for _ in range(2):
        await ana.enters_the_room_of(caller)
        await town.exchange.conference(caller.sid, "participant-join", leg, f"ai-x{caller.sid}-1")
    await town.settles()
    assert (await caller.stands()).coaching == ana.sid
    assert len(town.exchange.of("confirm_coaching")) == 1
    assert len(town.exchange.of("add_assistant")) == 1


async def test_a_stranger_in_the_room_is_nobodys_responder(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    ana = await town.rings("ana")
    label = responder_label(ana.person, ana.sid)
    await town.exchange.conference(caller.sid, "participant-join", ana.sid, label)
    await town.settles()
    assert (await caller.stands()).responders == ()
    assert (await caller.emergency.stands()).phase == "paging"


async def test_news_of_another_version_is_dropped_by_name(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caller = await town.caller_reports("burst pipe")
    await town.rings("ana")
    caplog.set_level(logging.ERROR)
    await caller.emergency.handle.signal("caller_gone", CallerNews(call=caller.sid, version=2))
    await town.settles()
    assert "message refused" in caplog.text
    assert (await caller.emergency.stands()).callers_waiting == 1


async def test_news_of_a_page_that_is_not_ours_changes_nothing(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    await town.rings("ana")
    news = PageNews(page=PageId("nobody.1"), channel=Channel.VOICE, evidence=Evidence(Standing.FAILED))
    await caller.emergency.handle.signal("page_moved", news)
    await town.settles()
    assert (await caller.emergency.stands()).rung == 1


async def test_a_signal_to_a_closed_call_counts_as_caller_gone(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    await town.rings("ana")
    await town.settles()
    await caller.handle.terminate("the call is lost")
    await town.pass_time(seconds(121))
    await town.rings("ben")
    view = await caller.emergency.until(lambda view: view.callers_waiting == 0)
    assert (view.phase, view.rung) == ("paging", 2)


# What cannot be carried out never ends an escalation


@pytest.mark.parametrize("name", ["relay_page", "place_page_call", "send_text", "push", "alert_operator"])
async def test_an_order_that_fails_for_good_never_ends_the_escalation(night: Night, name: str) -> None:
    async with night(ladder(rung(everywhere("ana")), "ben", pauses_s=(600.0,))) as town:
        town.exchange.broken.add(name)
        caller = await town.caller_reports("burst pipe")
        if name not in {"relay_page", "place_page_call"}:
            await town.rings("ana")
        await town.exchange.ordering(name if name != "alert_operator" else "push")
        await town.settles()
        assert (await caller.emergency.stands()).phase == "paging"
        town.exchange.broken.clear()
        await town.pass_time(seconds(122))
        if name == "place_page_call":  # a doubt: looked for, and placed once more
            await town.rings("ana")
            await town.pass_time(seconds(40))
        await town.rings("ben")
        assert (await caller.emergency.acknowledge("ben")).verdict == "yours"


@pytest.mark.parametrize(
    "name",
    ["announce_fact", "look_at_room", "end_room", "set_participant", "confirm_coaching", "instruct_bridge"],
)
async def test_an_order_that_fails_for_good_never_ends_the_call(town: Town, name: str) -> None:
    caller = await town.caller_reports("burst pipe", line=LINE)
    await town.opens("bridge-1")
    await caller.assistant_comes(bridge="bridge-1")
    town.exchange.fails[name] = [
        ApplicationError(f"{name} is refused", type=orders.REFUSED, non_retryable=True)
        for _ in range(1 if name == "instruct_bridge" else 2)
    ]
    ana = await town.rings("ana")
    await ana.presses("accept")
    await ana.enters_the_room_of(caller)
    if name == "instruct_bridge":  # the bridge is given up for the next generation
        await town.opens("bridge-2")
        await town.exchange.ordering("add_assistant", 2)
        await caller.assistant_comes(2, bridge="bridge-2")
    await town.pass_time(seconds(5))
    await caller.until(lambda view: view.coaching == ana.sid)
    await caller.emergency.reaches("attended")


async def test_a_room_change_that_is_always_refused_is_not_tried_without_pause(town: Town) -> None:
    caller = await town.caller_reports("burst pipe", line=LINE)
    await caller.assistant_comes()
    town.exchange.broken.add("set_participant")
    ana = await town.rings("ana")
    await ana.presses("accept")
    await ana.enters_the_room_of(caller)
    await town.exchange.ordering("set_participant")
    await town.real_time(seconds(1.0))
    assert len(town.exchange.of("set_participant")) <= 3
    town.exchange.broken.clear()
    await town.pass_time(seconds(31))
    await caller.until(lambda view: view.coaching == ana.sid)


async def test_a_ladder_that_cannot_be_looked_up_alerts_the_operator_and_is_asked_for_again(
    night: Night,
) -> None:
    async with night(ladder("ana")) as town:
        town.exchange.broken.add("plan_ladder")
        emergency = await town.alert_comes("power failure")
        assert "no ladder" in (await town.exchange.ordering("alert_operator")).reason
        await town.pass_time(seconds(31))
        await town.exchange.until(lambda: len(town.exchange.of("alert_operator")) == 2)
        town.exchange.broken.clear()
        await town.pass_time(seconds(31))
        await town.rings("ana")
        assert (await emergency.stands()).phase == "paging"


async def test_a_ladder_without_rungs_is_no_ladder(night: Night) -> None:
    """It would freeze the escalation at its first step; the operator must mend the file instead."""
    async with night(ladder()) as town:
        await town.alert_comes("power failure")
        assert "no ladder" in (await town.exchange.ordering("alert_operator")).reason
        town.exchange.ladder = ladder("ana")
        await town.pass_time(seconds(31))
        await town.rings("ana")


async def test_a_key_that_meets_a_cold_worker_is_replayed_as_it_was_decided(night: Night) -> None:
    """The requests to the phones were answered by a task that ordered nothing: see workflows/runner.py."""
    async with night(ladder(rung("ana", "ben")), restarts=True) as town:
        caller = await town.caller_reports("burst pipe")
        ana, _ = await town.rings("ana"), await town.rings("ben")
        how: dict[str, Any] = {"id": "press-1", "via": Via.KEY, "leg": ana.sid}
        replies = [await caller.emergency.acknowledge("ana", **how)]
        await caller.emergency.signal(ActKind.ACKNOWLEDGE, "ana", **how)
        async with asyncio.timeout(
            8
        ):  # by a worker that knows only the history; the task's own time-out is 10 s
            replies.append(await caller.emergency.acknowledge("ana", **how))
        assert [reply.verdict for reply in replies] == ["yours", "yours"]
