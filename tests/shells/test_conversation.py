"""A caller who talks with the AI, with the shells in their server: tools, truth, danger, and a voice that fails."""

from datetime import datetime

import pytest

from tests.shells.exchange import seconds
from tests.shells.town import LINE, Caller, Town
from tests.workflows.test_talk import SPEECH
from workflows import orders
from workflows.emergency import Phase
from workflows.messages import ConversationView, Keys, conference_name
from workflows.values import OpenCase, Severity
from workflows.voice import Speaker, Turn, VoiceTrouble

BRIDGE = "bridge-1"
WATER = '{"category": "water", "severity": "urgent", "reason": "burst pipe", "place": "412 Oak Street"}'


def turn(speaker: Speaker, text: str, at: datetime, *, fact: str | None = None) -> Turn:
    return Turn(speaker, text, at, fact=fact)


async def caller_talks(town: Town) -> Caller:
    """The way into these stories: a caller in the room, and the AI on a bridge."""
    caller = await town.caller_rings(line=LINE, speech=SPEECH)
    await caller.enters_the_room()
    await town.opens(BRIDGE)
    await caller.assistant_comes(bridge=BRIDGE)
    await town.exchange.until(lambda: any(order.what == "role" for order in told(town)))
    return caller


def told(town: Town) -> list[orders.Instruction]:
    """What the bridge was told, in order."""
    return [order for order in town.exchange.of("instruct_bridge") if isinstance(order, orders.Instruction)]


async def now(town: Town) -> datetime:
    return await town.env.get_current_time()


async def conversation(caller: Caller) -> ConversationView:
    view: ConversationView = await caller.handle.query("conversation", result_type=ConversationView)
    return view


async def test_the_ai_is_told_who_it_is_and_greets_once(town: Town) -> None:
    caller = await caller_talks(town)
    role = next(order for order in told(town) if order.what == "role")
    assert role.plan is not None
    assert role.plan.opening == SPEECH.greeting
    assert {"escalate", "end_call"} <= {tool.name for tool in role.plan.tools}
    await caller.hangs_up()


async def test_an_emergency_that_the_ai_reports_wakes_people_and_it_tells_the_caller_what_happens(
    town: Town,
) -> None:
    caller = await caller_talks(town)
    await caller.talks(turn(Speaker.CALLER, "water everywhere", await now(town)))
    outcome = await caller.ai_asks("escalate", WATER)
    assert "being woken" in outcome.output
    ana = await town.rings("ana")
    await town.exchange.until(lambda: any(order.what == "say" and order.fact for order in told(town)))
    said = next(order for order in told(town) if order.what == "say")
    await caller.talks(turn(Speaker.ASSISTANT, said.text, await now(town), fact=said.fact), first=1)
    assert town.exchange.of("announce_fact") == []
    await ana.presses("accept")
    await ana.enters_the_room_of(caller)
    await town.exchange.until(lambda: any(order.person == "Ana" for order in told(town)))
    coach = next(order for order in told(town) if order.person == "Ana")
    assert coach.plan is not None
    assert coach.plan.opening.startswith("Ana: burst pipe. At 412 Oak Street.")
    assert coach.plan.pace
    await caller.ai_asks("note", '{"text": "main valve closed"}', "call_2")
    view = await caller.emergency.until(lambda view: bool(view.notes))
    assert view.notes == ("main valve closed",)
    await caller.emergency.resolve("ana")


async def test_a_tool_call_that_is_sent_again_is_done_once(town: Town) -> None:
    caller = await caller_talks(town)
    first = await caller.ai_asks("take_message", '{"text": "the bins"}')
    again = await caller.ai_asks("take_message", '{"text": "the bins"}')
    assert first == again
    await town.settles()
    assert len(town.exchange.of("deliver_message")) == 1
    await caller.hangs_up()


@pytest.mark.parametrize("arguments", ["", "{", '{"category": 3}', '{"nonsense": true}'])
async def test_what_is_no_valid_tool_call_is_answered_with_the_reason(town: Town, arguments: str) -> None:
    caller = await caller_talks(town)
    outcome = await caller.ai_asks("escalate", arguments)
    assert outcome.output.startswith("Not understood: ")
    await caller.hangs_up()


async def test_what_is_open_on_the_line_is_told_without_names(town: Town) -> None:
    caller = await caller_talks(town)
    outcome = await caller.ai_asks("known_incidents", "{}")
    assert outcome.output == "water: paging, reported 12 minutes ago"
    await caller.hangs_up()


async def test_danger_that_the_ai_does_not_report_is_reported_without_it(town: Town) -> None:
    caller = await caller_talks(town)
    await caller.talks(turn(Speaker.CALLER, "I smell gas", await now(town)))
    await town.pass_time(seconds(SPEECH.danger_s + 1))
    await town.rings("ana")
    assert (await caller.emergency.stands()).case.severity is Severity.LIFE
    await caller.emergency.cancel("ana")


async def test_a_false_claim_is_corrected_aloud(town: Town) -> None:
    caller = await caller_talks(town)
    await caller.talks(turn(Speaker.ASSISTANT, "Help is on the way.", await now(town)))
    await town.exchange.until(lambda: any("correct myself" in order.text for order in told(town)))
    assert (await conversation(caller)).corrections == 1
    await caller.hangs_up()


async def test_a_caller_whose_ai_has_lost_its_voice_is_sent_to_the_menu(town: Town) -> None:
    caller = await caller_talks(town)
    trouble = VoiceTrouble(generation=1, what="model-unreachable", detail="503")
    await caller.handle.signal("voice_trouble", trouble)
    await town.exchange.until(lambda: bool(town.exchange.of("send_caller")))
    (sent,) = town.exchange.of("send_caller")
    assert isinstance(sent, orders.SendCaller)
    assert sent.to == "menu"
    await caller.hangs_up()


async def test_digits_that_the_caller_pressed_are_read_back(town: Town) -> None:
    caller = await caller_talks(town)
    await caller.ai_asks("ask_for_keys", '{"purpose": "place"}')
    await town.exchange.until(lambda: bool(town.exchange.of("send_caller")))
    await caller.handle.signal("keys", Keys(about="place", digits="412"))
    await town.exchange.until(lambda: any("4 1 2" in order.text for order in told(town)))
    await caller.hangs_up()


async def test_who_rings_again_is_back_with_their_case_and_wakes_nobody_again(town: Town) -> None:
    caller = await caller_talks(town)
    await caller.ai_asks("escalate", WATER)
    ana = await town.rings("ana")
    await caller.hangs_up()
    case = (await caller.emergency.stands()).case
    again = await town.caller_rings(speech=SPEECH, open_case=OpenCase(caller.emergency.id, case))
    await again.enters_the_room()
    view = await caller.emergency.until(lambda view: view.callers_waiting == 1)
    assert view.rung == 1
    await town.exchange.until(lambda: bool(town.exchange.of("announce_fact")))
    await ana.presses("accept")
    await ana.enters_the_room_of(again)
    assert (await caller.emergency.until(lambda view: view.phase is Phase.ATTENDED)).owner == "Ana"
    await caller.emergency.resolve("ana")


async def test_who_rings_again_while_the_owner_sits_alone_comes_into_their_room(town: Town) -> None:
    caller = await caller_talks(town)
    await caller.ai_asks("escalate", WATER)
    ana = await town.rings("ana")
    await ana.presses("accept")
    await ana.enters_the_room_of(caller)
    await caller.emergency.until(lambda view: view.phase is Phase.ATTENDED)
    await caller.hangs_up()
    alone = await caller.emergency.until(lambda view: bool(view.owner_room))
    assert alone.owner_room == conference_name(caller.sid)
    there = OpenCase(alone.id, alone.case, alone.owner_room)
    again = await town.caller_rings(speech=SPEECH, open_case=there)
    await caller.emergency.until(lambda view: view.callers_waiting == 1)
    assert (await again.stands()).conference == conference_name(caller.sid)
    assert (await again.stands()).assistant_role == "gone"
    await again.hangs_up()
    assert (await again.handle.result()).closing == "escalated"
    await caller.emergency.resolve("ana")


async def test_a_case_that_was_closed_meanwhile_is_nothing_to_come_back_to(town: Town) -> None:
    caller = await caller_talks(town)
    await caller.ai_asks("escalate", WATER)
    await town.rings("ana")
    case = (await caller.emergency.stands()).case
    await caller.hangs_up()
    await caller.emergency.cancel("ana")
    await caller.emergency.handle.result()
    again = await town.caller_rings(speech=SPEECH, open_case=OpenCase(caller.emergency.id, case))
    await again.enters_the_room()
    await again.until(lambda view: view.escalation is None)
    await again.hangs_up()


async def test_a_caller_who_has_said_goodbye_is_let_go(town: Town) -> None:
    caller = await caller_talks(town)
    await caller.talks(turn(Speaker.CALLER, "that was all, goodbye", await now(town)))
    await caller.ai_asks("end_call", "{}")
    await caller.talks(turn(Speaker.ASSISTANT, "Goodbye.", await now(town)), first=1)
    await town.exchange.until(
        lambda: any(
            isinstance(o, orders.OneCall) and o.sid == caller.sid for o in town.exchange.of("hang_up")
        )
    )
    await caller.hangs_up()
