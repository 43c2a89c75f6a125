"""Design section 4, acts, with the shells in their server: one winner, told in the same breath."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from tests.shells.exchange import seconds
from tests.shells.servers import Night
from tests.shells.town import Emergency, Town, everywhere, ladder, person, rung
from workflows import orders
from workflows.escalation import EscalationWorkflow
from workflows.values import ActKind, Via


async def test_who_acknowledges_is_told_in_the_same_breath(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    ana = await town.rings("ana")
    reply = await ana.presses("accept")
    assert (reply.verdict, reply.owner, reply.conference) == ("yours", "Ana", f"af-{caller.sid}")
    assert (await caller.emergency.stands()).phase == "connecting"


async def test_a_second_acknowledger_is_told_who_has_it(night: Night) -> None:
    async with night(ladder(rung("ana", "ben"))) as town:
        await town.caller_reports("burst pipe")
        ana, ben = await town.rings("ana"), await town.rings("ben")
        await ben.hears()
        await ana.presses("accept")
        reply = await ben.presses("accept")
        assert (reply.verdict, reply.sentence) == ("taken", "Ana has it. Thank you.")


async def test_a_late_key_from_rung_1_wins_while_rung_2_rings(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    ana = await town.rings("ana")
    await ana.hears()
    await town.pass_time(seconds(121))
    ben = await town.rings("ben")
    assert (await ana.presses("accept")).verdict == "yours"
    await town.exchange.ordering("cancel_call")
    assert town.exchange.cancelled == [ben.sid]
    assert (await caller.emergency.stands()).owner == "Ana"


async def test_ringing_legs_are_cancelled_and_answered_ones_told_but_never_cut_off(night: Night) -> None:
    async with night(ladder(rung("ana", "ben", "cem"))) as town:
        await town.caller_reports("burst pipe")
        ana, ben, cem = await town.rings("ana"), await town.rings("ben"), await town.rings("cem")
        await ben.hears()
        await ana.presses("accept")
        await town.settles()
        assert town.exchange.cancelled == [cem.sid]
        assert (await ben.presses("accept")).owner == "Ana"


async def test_whoever_picks_up_as_the_case_is_taken_hears_who_has_it(night: Night) -> None:
    async with night(ladder(rung("ana", "ben"))) as town:
        await town.caller_reports("burst pipe")
        ana, ben = await town.rings("ana"), await town.rings("ben")
        await ana.presses("accept")
        await town.settles()
        script = await ben.hears()
        assert (script.items, script.taken_by) == ((), "Ana")


@pytest.mark.parametrize("first", ["signal", "update"])
async def test_a_signal_with_the_id_of_an_update_is_the_same_act(night: Night, first: str) -> None:
    """The door falls back to the signal when it got no answer, and asks again with the same id."""
    async with night(ladder(rung("ana", "ben"))) as town:
        caller = await town.caller_reports("burst pipe")
        ana, _ = await town.rings("ana"), await town.rings("ben")
        how: dict[str, Any] = {"id": "press-1", "via": Via.KEY, "leg": ana.sid}
        if first == "signal":
            await caller.emergency.signal(ActKind.ACKNOWLEDGE, "ana", **how)
        replies = [await caller.emergency.acknowledge("ana", **how)]
        await caller.emergency.signal(ActKind.ACKNOWLEDGE, "ana", **how)
        replies.append(await caller.emergency.acknowledge("ana", **how))
        await town.settles()
        assert [reply.verdict for reply in replies] == ["yours", "yours"]
        assert len(await told_to_the_caller(town, caller.emergency, "taken")) == 1


async def told_to_the_caller(town: Town, emergency: Emergency, kind: str) -> list[str]:
    """The facts of a kind that the escalation sent to the call: each is one signal."""
    history = await emergency.handle.fetch_history()
    sent: list[str] = []
    for event in history.events:
        about = event.signal_external_workflow_execution_initiated_event_attributes
        if about.signal_name == "tell":
            decoded = await town.client.data_converter.decode(list(about.input.payloads))
            sent += [decoded[0]["fact"]["id"]] if decoded[0]["fact"]["kind"] == kind else []
    return sent


async def test_an_act_of_another_version_is_rejected_by_name(
    town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    caller = await town.caller_reports("burst pipe")
    await town.rings("ana")
    with pytest.raises(WorkflowUpdateFailedError) as told:
        await caller.emergency.acknowledge("ana", version=2)
    assert "Act version 2 is not understood here (this build speaks 1)" in str(told.value.cause)

    caplog.set_level(logging.WARNING)
    await caller.emergency.signal(ActKind.ACKNOWLEDGE, "ana", version=2)
    await town.settles()
    assert "act refused" in caplog.text
    assert (await caller.emergency.stands()).phase == "paging"


def every_cause(error: BaseException | None) -> str:
    """What an error says, and what its causes say."""
    said: list[str] = []
    while error is not None:
        said.append(str(error))
        error = error.__cause__
    return "; ".join(said)


@pytest.mark.parametrize(
    ("kind", "act", "why"),
    [
        pytest.param(
            "acknowledge", {"kind": "decline", "id": "1", "by": "ana"}, "sent as", id="another kind"
        ),
        pytest.param("acknowledge", {"kind": "acknowledge", "id": "", "by": "ana"}, "needs `id`", id="no id"),
        pytest.param("decline", {"kind": "decline", "id": "1", "by": ""}, "needs `id`", id="by nobody"),
        pytest.param("resolve", {"kind": "resolve", "id": "1"}, "by", id="by missing"),
        pytest.param("cancel", {"kind": "cancel", "id": "1", "by": ["ana"]}, "by", id="by of another type"),
        pytest.param("acknowledge", {"kind": "shout", "id": "1", "by": "ana"}, "kind", id="an unknown kind"),
    ],
)
async def test_a_malformed_act_is_refused_and_the_escalation_lives_on(
    town: Town, kind: str, act: dict[str, Any], why: str
) -> None:
    caller = await town.caller_reports("burst pipe")
    ana = await town.rings("ana")
    with pytest.raises(WorkflowUpdateFailedError) as told:
        await caller.emergency.handle.execute_update(kind, act)
    assert why in every_cause(told.value)
    await caller.emergency.handle.signal(kind, act)
    await town.settles()
    assert (await caller.emergency.stands()).phase == "paging"
    assert (await ana.presses("accept")).verdict == "yours"


async def test_a_human_acknowledges_in_plain_json_and_anything_else_unsealed_is_dropped(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    await town.rings("ana")
    by_hand = Client(town.client.service_client).get_workflow_handle(caller.emergency.id)

    await by_hand.signal("acknowledge", {"id": "by-hand-1", "by": "ana"})
    await by_hand.signal("caller_gone", {"call": caller.sid})
    await by_hand.signal("acknowledge", "ana")
    await town.settles()
    assert (await caller.emergency.stands()).phase == "paging"
    assert (await caller.emergency.stands()).callers_waiting == 1

    await by_hand.signal("acknowledge", {"kind": "acknowledge", "id": "by-hand-2", "by": "ana"})
    assert (await caller.emergency.until(lambda view: view.owner is not None)).owner == "Ana"
    await town.settles()


@pytest.mark.parametrize("how", ["signal", "update"])
async def test_an_act_pressed_before_the_deadline_beats_a_timer_that_fired_meanwhile(
    night: Night, how: str
) -> None:
    """No worker was up: the deadline and the key press come in one task, and nobody further is woken."""
    async with night(ladder(rung("ana", wait_s=1.0), "ben"), restarts=True) as town:
        caller = await town.caller_reports("burst pipe")
        ana = await town.rings("ana")
        item = await ana.item()
        await town.settles()
        await town.closes(orders.WORKFLOWS)
        await town.real_time(seconds(1.2))

        act = town.new_act(
            ActKind.ACKNOWLEDGE,
            "ana",
            via=Via.KEY,
            leg=ana.sid,
            page=item.page,
            pressed_at=await town.now() - timedelta(seconds=0.9),
        )
        handle = caller.emergency.handle
        if how == "signal":
            await handle.signal("acknowledge", act)
            await town.opens(orders.WORKFLOWS)
        else:
            pending = await town.started(handle.execute_update(EscalationWorkflow.acknowledge, act))
            await town.opens(orders.WORKFLOWS)
            assert (await pending).verdict == "yours"
        assert (await caller.emergency.until(lambda view: view.owner is not None)).owner == "Ana"
        await town.settles()


async def test_nobody_is_lost_when_no_worker_is_up(night: Night) -> None:
    """Acts by signal wait for a worker."""
    async with night(ladder(rung("ana", wait_s=600)), restarts=True) as town:
        caller = await town.caller_reports("burst pipe")
        await town.rings("ana")
        await town.settles()
        await town.closes(orders.WORKFLOWS)
        await caller.emergency.signal(ActKind.ACKNOWLEDGE, "ana")
        await caller.emergency.signal(ActKind.RESOLVE, "ana")
        await town.opens(orders.WORKFLOWS)
        await caller.emergency.reaches("resolved")


async def test_not_me_stops_that_phone_and_keeps_the_others(night: Night) -> None:
    async with night(ladder(rung("ana", "ben"), "cem")) as town:
        caller = await town.caller_reports("burst pipe")
        ana, ben = await town.rings("ana"), await town.rings("ben")
        assert (await caller.emergency.act(ActKind.DECLINE, "ana")).verdict == "declined"
        await town.settles()
        assert town.exchange.cancelled == [ana.sid]
        assert (await ben.presses("accept")).verdict == "yours"


async def test_a_voicemail_cannot_acknowledge(town: Town) -> None:
    """It answers and is told everything, and presses nothing."""
    caller = await town.caller_reports("burst pipe")
    ana = await town.rings("ana")
    await ana.hears()
    await ana.ends("completed")
    view = await caller.emergency.until(lambda view: view.pages[0].voice.standing == "unanswered")
    assert (view.phase, view.owner) == ("paging", None)
    await town.pass_time(seconds(122))
    await town.rings("ben")


async def test_a_text_acknowledges_only_with_the_code_of_the_persons_own_page(night: Night) -> None:
    async with night(ladder(rung(person("ana", text=True), person("ben", text=True)))) as town:
        caller = await town.caller_reports("burst pipe")
        await town.rings("ana")
        await town.rings("ben")
        await town.settles()
        anas, bens = (await caller.emergency.stands()).pages
        assert (await town.text_comes("ana", anas.code)).page == anas.id
        assert (await town.text_comes("ana", "0000")).page is None
        if anas.code != bens.code:
            assert (await town.text_comes("ana", bens.code)).page is None

        emergency = caller.emergency
        wrong = await emergency.acknowledge("ana", via=Via.TEXT, page=anas.id, code="0000")
        stolen = await emergency.acknowledge("ana", via=Via.TEXT, page=bens.id, code=bens.code)
        bare = await emergency.acknowledge("ana", via=Via.TEXT)
        assert [wrong.verdict, stolen.verdict, bare.verdict] == ["refused"] * 3
        right = await emergency.acknowledge("ana", via=Via.TEXT, page=anas.id, code=anas.code)
        assert right.verdict == "yours"


async def test_after_a_text_the_ringing_call_becomes_the_way_in(night: Night) -> None:
    async with night(ladder(rung(person("ana", text=True)))) as town:
        caller = await town.caller_reports("burst pipe")
        ana = await town.rings("ana")
        await town.settles()
        page = (await caller.emergency.stands()).pages[0]
        await caller.emergency.acknowledge("ana", via=Via.TEXT, page=page.id, code=page.code)
        await town.settles()

        script = await ana.hears()
        assert [item.kind for item in script.items] == ["join"]
        assert script.items[0].conference == f"af-{caller.sid}"
        assert (await ana.presses("accept")).verdict == "yours"
        await ana.enters_the_room_of(caller)
        await caller.emergency.reaches("attended")
        assert not town.exchange.cancelled


async def test_after_a_text_with_no_phone_ringing_a_join_call_is_placed(night: Night) -> None:
    async with night(ladder(rung(person("ana", text=True)))) as town:
        caller = await town.caller_reports("burst pipe")
        await (await town.rings("ana")).lets_it_ring()
        await town.settles()
        page = (await caller.emergency.stands()).pages[0]
        await caller.emergency.acknowledge("ana", via=Via.TEXT, page=page.id, code=page.code)
        join = await town.rings("ana")
        assert [item.kind for item in (await join.hears()).items] == ["join"]
        assert (await join.presses("accept")).verdict == "yours"
        await join.enters_the_room_of(caller)
        await caller.emergency.reaches("attended")


async def test_an_owner_who_does_not_come_within_the_join_clock_loses_it(night: Night) -> None:
    async with night(ladder(rung(person("ana", text=True)), "ben")) as town:
        caller = await town.caller_reports("burst pipe")
        await (await town.rings("ana")).lets_it_ring()
        await town.settles()
        page = (await caller.emergency.stands()).pages[0]
        await caller.emergency.acknowledge("ana", via=Via.TEXT, page=page.id, code=page.code)
        join = await town.rings("ana")
        await caller.emergency.reaches("connecting")
        await join.lets_it_ring()
        await town.rings("ana")  # once more
        await town.pass_time(seconds(80))
        assert (await caller.emergency.stands()).owner == "Ana"

        await town.pass_time(seconds(10))
        assert (await caller.emergency.stands()).owner is None
        await town.rings("ana")
        await caller.emergency.reaches("paging")


async def test_an_owner_with_nobody_waiting_is_asked_and_then_the_ladder_goes_on(night: Night) -> None:
    async with night(ladder(rung(everywhere("ana")), "ben")) as town:
        emergency = await town.alert_comes("power failure")
        ana = await town.rings("ana")
        reply = await ana.presses("accept")
        assert (reply.conference, reply.can_ring) == (None, True)
        await ana.ends()
        await town.pass_time(seconds(601))
        assert [order.kind for order in town.exchange.of("send_text")] == ["page", "ask-owner"]
        assert [order.kind for order in town.exchange.of("push")] == ["page", "ask-owner"]
        await town.pass_time(seconds(601))
        assert (await emergency.stands()).phase == "paging"
        await town.rings("ana")


async def test_the_owner_is_asked_on_every_channel_even_when_one_fails(night: Night) -> None:
    async with night(ladder(rung(everywhere("ana")))) as town:
        emergency = await town.alert_comes("power failure")
        ana = await town.rings("ana")
        await ana.presses("accept")
        await ana.ends()
        await town.settles()
        town.exchange.broken.add("send_text")
        await town.pass_time(seconds(601))
        assert [order.kind for order in town.exchange.of("push")] == ["page", "ask-owner"]
        assert (await emergency.stands()).owner == "Ana"


async def test_cancel_stops_every_phone_and_the_caller_hears_that_it_is_over(night: Night) -> None:
    async with night(ladder(rung("ana", "ben"))) as town:
        caller = await town.caller_reports("burst pipe")
        ana, ben = await town.rings("ana"), await town.rings("ben")
        assert (await caller.emergency.cancel("ana")).verdict == "cancelled"
        await town.settles()
        assert {*town.exchange.cancelled} == {ana.sid, ben.sid}
        outcome = await caller.emergency.handle.result()
        assert (outcome.phase, outcome.owner) == ("cancelled", None)


async def test_what_nobody_has_taken_cannot_be_resolved(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    await town.rings("ana")
    assert (await caller.emergency.resolve("ana")).verdict == "refused"
    assert (await caller.emergency.stands()).phase == "paging"


async def test_an_act_after_the_end_is_not_found_at_the_client(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    ana = await town.rings("ana")
    await ana.presses("accept")
    await caller.emergency.resolve("ana", note="stopped the main valve")
    outcome = await caller.emergency.handle.result()
    assert (outcome.phase, outcome.owner, outcome.note) == ("resolved", "ana", "stopped the main valve")
    for kind in (ActKind.ACKNOWLEDGE, ActKind.RESOLVE):
        with pytest.raises(RPCError) as late:
            await caller.emergency.act(kind, "ben")
        assert late.value.status is RPCStatusCode.NOT_FOUND
    with pytest.raises(RPCError) as late:
        await caller.emergency.signal(ActKind.ACKNOWLEDGE, "ben")
    assert late.value.status is RPCStatusCode.NOT_FOUND


async def test_an_act_before_the_ladder_is_known_is_answered_once_it_is(night: Night) -> None:
    async with night(closed={orders.CALLS}) as town:
        plan = town.exchange.holds("plan_ladder")
        emergency = await town.alert_comes("power failure")
        await town.exchange.ordering("plan_ladder")
        pending = await town.started(emergency.acknowledge("ana"))
        plan.set()
        assert (await pending).verdict == "yours"


async def test_a_request_that_a_withdrawal_overtook_rings_nobody(night: Night) -> None:
    """The way to ben's phone was slow, and the case was taken meanwhile."""
    async with night(ladder(rung("ana", "ben"))) as town:
        slow = town.exchange.holds("relay_page ben")
        await town.caller_reports("burst pipe")
        ana = await town.rings("ana")
        await town.exchange.until(lambda: len(town.exchange.of("relay_page")) == 2)
        await town.closes(orders.CALLS)
        await ana.presses("accept")
        await town.settles()
        slow.set()
        await town.settles()
        assert (await town.phone("ben")).open == ()
        await town.opens(orders.CALLS)
