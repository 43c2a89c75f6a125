"""What only the real server can show: lists, races, priority and rate, summaries, and what it keeps in clear."""

import asyncio
import base64
import json
import re

import pytest
from google.protobuf.json_format import MessageToJson

from tests.shells.exchange import Does, seconds, whose
from tests.shells.servers import Night
from tests.shells.town import CALLER_NUMBER, LINE, Emergency, Town, everywhere, ladder, rung
from workflows import orders
from workflows.escalation import EscalationWorkflow
from workflows.messages import CallerNews, ConferenceNews
from workflows.values import ActKind, ActReply, CallSid, Channel, ConferenceSid, Severity, Via

SHORT = 1.5  # seconds: a rung here passes in real time
LONGER = 5.0  # and here not before its worker is closed


async def listed(town: Town, query: str) -> set[str]:
    """The ids of the escalations an operator finds by a query."""
    found = town.client.list_workflows(f"WorkflowType = 'EscalationWorkflow' AND {query}")
    return {one.id async for one in found}


async def lists(town: Town, query: str, *ids: str) -> None:
    """As soon as the list has caught up, a query finds just these."""
    for _ in range(200):
        if await listed(town, query) == set(ids):
            return
        await asyncio.sleep(0.05)
    assert await listed(town, query) == set(ids), query


async def test_an_operator_lists_escalations_by_state_line_severity_and_responder(city: Night) -> None:
    async with city(ladder(rung("ana", "ben"))) as town:
        caller = await town.caller_reports("burst pipe", severity=Severity.ROUTINE)
        first = caller.emergency
        await town.rings("ana")
        await town.rings("ben")
        second = await town.alert_comes("power failure", ladder=ladder("cem"))
        cem = await town.rings("cem")

        await lists(town, "RungState = 'paging'", first.id, second.id)
        await lists(town, "RungLine = 'riverside' AND RungSeverity = 'routine'", first.id)
        await lists(town, "RungResponders = 'ben'", first.id)
        await lists(town, "RungCaller = 'digest'", first.id)

        await cem.presses("accept")
        await lists(town, "RungState = 'acknowledged' AND RungResponders = 'cem'", second.id)
        await second.resolve("cem")
        await lists(town, "RungState = 'resolved'", second.id)
        await first.cancel("ana")
        await lists(town, "RungState = 'cancelled'", first.id)


async def test_of_two_keys_pressed_within_50_ms_exactly_one_wins_and_the_other_hears_who(city: Night) -> None:
    async with city(ladder(rung("ana", "ben"))) as town:
        spreads: list[float] = []
        loop = asyncio.get_running_loop()

        async def presses(name: str, emergency: Emergency) -> ActReply:
            pressed.append(loop.time())
            return await emergency.acknowledge(name, via=Via.KEY, leg=CallSid(f"CA{name}"))

        for nth in range(10):
            emergency = await town.alert_comes("power failure")
            await town.rings("ana")
            await town.rings("ben")
            pressed: list[float] = []
            order = ("ana", "ben") if nth % 2 else ("ben", "ana")
            replies = await asyncio.gather(*(presses(name, emergency) for name in order))
            spreads.append(pressed[1] - pressed[0])
            assert sorted(reply.verdict for reply in replies) == ["taken", "yours"]
            assert len({reply.owner for reply in replies}) == 1, "both are told the same name"
            await emergency.resolve("ana")
            await town.settles()
            for call in town.exchange.ringing.values():
                if call.status == "ringing":
                    await town.exchange.progress(call, "canceled")
        assert max(spreads) < 0.05


async def test_the_queue_of_calls_serves_ways_in_then_assistants_then_pages_by_severity(city: Night) -> None:
    """A first call takes the account's turn; before the next one, four seconds on, all the others wait in line."""
    async with city(ladder("eli"), rate=0.25) as town:
        await town.alert_comes("a lamp", severity=Severity.ROUTINE, ladder=ladder("fay"))
        await town.rings("fay")
        await town.alert_comes("dripping tap", severity=Severity.ROUTINE, ladder=ladder("ana"))
        await town.alert_comes("power failure", severity=Severity.URGENT, ladder=ladder("ben"))
        await town.alert_comes("gas", severity=Severity.LIFE, ladder=ladder("cem"))
        caller = await town.caller_reports("burst pipe", line=LINE)
        await town.exchange.until(lambda: any(whose(o) == "eli" for o in town.exchange.of("relay_page")))
        await caller.emergency.acknowledge("eli")

        await town.exchange.until(lambda: len(created(town)) == 6)
        assert created(town) == ["fay", "eli", "assistant", "cem", "ben", "ana"]
        for name in ("ana", "ben", "cem", "eli"):
            await town.rings(name)


def created(town: Town) -> list[str]:
    """Whom the creations of calls were for, in order."""
    return [
        getattr(order, "person", "assistant")
        for name, order in town.exchange.ordered
        if name in {"place_page_call", "add_assistant"}
    ]


async def test_calls_are_created_at_the_accounts_rate(city: Night) -> None:
    names = ("ana", "ben", "cem", "dora", "eli", "fay", "gus", "hana")
    rate = 2.0
    async with city(closed={orders.CALLS}, rate=rate) as town:
        await town.alert_comes("power failure", ladder=ladder(rung(*names)))
        for name in names:
            await town.until_queued(name)
        await town.opens(orders.CALLS)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await town.exchange.until(lambda: len(created(town)) == len(names))
        burst = rate + 1  # what a second's worth allows at the start
        assert loop.time() - began > (len(names) - burst) / rate - 0.1
        for name in names:
            await town.rings(name)


READABLE = re.compile(r"^[\w .,:;?()'+-]+$")


async def a_night_with_everything(town: Town) -> None:
    """A caller, all channels, an act, a coach, a question, an end."""
    town.exchange.will(Channel.TEXT, "ana", Does.LOSE_ANSWER)
    caller = await town.caller_reports("Mrs Okafor's flat is flooded", line=LINE)
    await town.opens("bridge-1")
    await caller.assistant_comes(bridge="bridge-1")
    ana = await town.rings("ana")
    await ana.presses("accept")
    await ana.enters_the_room_of(caller)
    await caller.emergency.reaches("attended")
    await town.settles()
    await caller.emergency.resolve("ana", note="main valve closed for Mrs Okafor")
    await caller.hangs_up()
    await ana.leaves_the_room_of(caller)
    await town.exchange.ordering("end_room")
    await caller.room_ends()
    await caller.handle.result()
    await caller.emergency.handle.result()
    await town.settles()


async def test_every_timer_activity_and_workflow_has_a_summary_a_human_can_read(city: Night) -> None:
    async with city(ladder(rung(everywhere("ana")))) as town:
        await a_night_with_everything(town)
        kinds: set[str] = set()
        for workflow_id in sorted(town.seen):
            history = await town.client.get_workflow_handle(workflow_id).fetch_history()
            for event in history.events:
                kind = event.WhichOneof("attributes")
                if kind == "workflow_execution_started_event_attributes" and "responder-" in workflow_id:
                    continue  # started by the relay of a page, which says who in its id
                if kind in {
                    "workflow_execution_started_event_attributes",
                    "timer_started_event_attributes",
                    "activity_task_scheduled_event_attributes",
                }:
                    summary = json.loads(event.user_metadata.summary.data or b'""')
                    assert READABLE.match(summary), f"{kind} of {workflow_id}: {summary!r}"
                    kinds.add(kind)
        assert len(kinds) == 3


async def test_the_server_keeps_no_number_and_no_word_of_a_caller_in_clear(city: Night) -> None:
    async with city(ladder(rung(everywhere("ana")))) as town:
        await a_night_with_everything(town)
        for workflow_id in sorted(town.seen):
            handle = town.client.get_workflow_handle(workflow_id)
            described = await handle.describe()
            text = (await handle.fetch_history()).to_json() + MessageToJson(described.raw_description)
            opened = [base64.b64decode(data) for data in re.findall(r'"data": ?"([^"]+)"', text)]
            kept = text + "\n".join(data.decode(errors="replace") for data in opened)
            for word in (CALLER_NUMBER, LINE.number, "2025550", "Okafor", "flooded", "valve", "ntfy://"):
                assert word not in kept, f"{word} in {workflow_id}"


# Long lives


SMALL = ("limit.historyCount.suggestContinueAsNew=60",)


async def test_a_long_escalation_goes_on_in_a_new_run_and_remembers_who_acted(city: Night) -> None:
    async with city(ladder(rung("ana", wait_s=600.0)), dynamic=SMALL) as town:
        caller = await town.caller_reports("burst pipe")
        ana = await town.rings("ana")
        first = (await caller.emergency.handle.describe()).run_id
        refused = await caller.emergency.resolve("ana", id="too-early")
        assert refused.verdict == "refused"
        for _ in range(70):
            await ana.rings_in_their_hand()
            await caller.emergency.handle.signal("caller_gone", CallerNews(call=CallSid("CAnobody")))
        await town.settles()
        assert (await caller.emergency.handle.describe()).run_id != first

        assert (await ana.presses("accept")).verdict == "yours"
        again = await caller.emergency.resolve("ana", id="too-early")
        assert again == refused, "the act was judged in the first run"
        assert (await caller.emergency.stands()).owner == "Ana"
        await lists(town, "ExecutionStatus = 'Running' AND RungState = 'connecting'", caller.emergency.id)
        assert (await caller.emergency.resolve("ana")).verdict == "resolved"


async def test_the_ladder_is_not_held_up_by_what_a_long_history_waits_for(city: Night) -> None:
    """A text hangs while continue-as-new is due: the deadline fires all the same."""
    async with city(ladder(rung(everywhere("ana"), wait_s=SHORT), "ben"), dynamic=SMALL) as town:
        hanging = town.exchange.holds("send_text")
        caller = await town.caller_reports("burst pipe")
        await town.rings("ana")
        for _ in range(40):
            await caller.emergency.handle.signal("caller_gone", CallerNews(call=CallSid("CAnobody")))
        await town.rings("ben")
        hanging.set()
        await town.settles()
        assert (await caller.emergency.acknowledge("ben")).verdict == "yours"


async def test_a_long_call_goes_on_in_a_new_run(city: Night) -> None:
    async with city(ladder(rung("ana", wait_s=600.0)), dynamic=SMALL) as town:
        caller = await town.caller_reports("burst pipe", line=LINE)
        leg = await caller.assistant_comes()
        ana = await town.rings("ana")
        first = (await caller.handle.describe()).run_id
        news = ConferenceNews(event="speaker-x", conference=ConferenceSid("CFother"), name="")
        for _ in range(70):
            await caller.handle.signal("conference", news)
            await town.exchange.conference(caller.sid, "participant-join", leg, f"ai-x{caller.sid}-1")
        await town.settles()
        assert (await caller.handle.describe()).run_id != first
        await ana.presses("accept")
        await ana.enters_the_room_of(caller)
        assert (await caller.until(lambda view: view.coaching == ana.sid)).assistant_leg == leg


async def test_a_person_rung_often_goes_on_in_a_new_run(city: Night) -> None:
    async with city(ladder(rung("ana", wait_s=600.0)), dynamic=SMALL) as town:
        caller = await town.caller_reports("burst pipe")
        ana = await town.rings("ana")
        first = (await town.client.get_workflow_handle("responder-ana").describe()).run_id
        for _ in range(70):
            await ana.rings_in_their_hand()
        await town.settles()
        assert (await town.client.get_workflow_handle("responder-ana").describe()).run_id != first
        assert (await ana.presses("accept")).conference == f"af-{caller.sid}"


# Restarts


async def test_a_caller_who_reports_and_hangs_up_at_once_is_known_to_be_gone(city: Night) -> None:
    """Report and hang-up come in one task: the news must not overtake the start of the escalation."""
    async with city() as town:
        caller = await town.caller_rings()
        await town.settles()
        await town.closes(orders.WORKFLOWS)
        reporting = await town.started(caller.reports("burst pipe"))
        await caller.hangs_up()
        await town.opens(orders.WORKFLOWS)
        emergency = await reporting
        await town.rings("ana")
        await town.settles()
        assert (await emergency.stands()).callers_waiting == 0


@pytest.mark.parametrize("how", ["signal", "update"])
async def test_a_key_and_a_deadline_in_one_task_after_a_restart(city: Night, how: str) -> None:
    async with city(ladder(rung("ana", wait_s=LONGER), "ben")) as town:
        caller = await town.caller_reports("burst pipe")
        ana = await town.rings("ana")
        await ana.item()
        await town.settles()
        pressed = await town.now()
        await town.closes(orders.WORKFLOWS)
        await town.real_time(seconds(LONGER + 0.2))
        act = town.new_act(ActKind.ACKNOWLEDGE, "ana", via=Via.KEY, leg=ana.sid, pressed_at=pressed)
        handle = caller.emergency.handle
        if how == "signal":
            await handle.signal("acknowledge", act)
            await town.opens(orders.WORKFLOWS)
        else:
            pending = await town.started(handle.execute_update(EscalationWorkflow.acknowledge, act))
            await town.opens(orders.WORKFLOWS)
            assert (await pending).verdict == "yours"
        await caller.emergency.until(lambda view: view.owner == "Ana")


async def test_what_is_withdrawn_as_it_is_being_dialled_stops_ringing(city: Night) -> None:
    """The race between the last moment of the queue and the first of the phone, many times over."""
    async with city(ladder(rung("ana", "ben"))) as town:
        for _ in range(6):
            emergency = await town.alert_comes("power failure")
            assert (await emergency.acknowledge("ana")).verdict == "yours"
            await town.settles()
            assert {*town.exchange.cancelled} == {*town.exchange.ringing}
            for call in town.exchange.ringing.values():
                call.expected = True
                if call.status == "ringing":
                    await town.exchange.progress(call, "canceled")
            await emergency.resolve("ana")
