"""Design section 4, the room, with the shells in their server: who is in it, whom the AI coaches, how it ends."""

import pytest

from tests.shells.exchange import seconds
from tests.shells.servers import Night
from tests.shells.town import LINE, Caller, PageCall, Town, ladder, rung
from workflows import orders
from workflows.messages import LeftRoom, Recording
from workflows.values import ActKind, CallSid

BRIDGE = "bridge-1"


def moves(town: Town, since: int = 0) -> list[str]:
    """What was ordered of the AI's leg and of its bridge, in order."""
    told: list[str] = []
    for _, order in town.exchange.ordered[since:]:
        match order:
            case orders.Instruction(what="quiet"):
                told.append("quiet")
            case orders.Instruction(what="role", role=role, person=person):
                told.append(f"be {role} {person}".strip())
            case orders.SetParticipant(muted=True):
                told.append("mute")
            case orders.SetParticipant(muted=False):
                told.append("unmute")
            case orders.SetParticipant(uncoach=True):
                told.append("coach nobody")
            case orders.SetParticipant(coached=leg):
                told.append(f"coach {leg}")
            case orders.ConfirmCoaching(coached=leg):
                told.append(f"confirm {leg}")
            case _:
                pass
    return told


async def ana_is_coached(town: Town) -> tuple[Caller, PageCall, CallSid]:
    """The way into most of these stories: a caller, the AI on a bridge, and ana in the room."""
    caller = await town.caller_reports("burst pipe", line=LINE)
    await town.opens(BRIDGE)
    leg = await caller.assistant_comes(bridge=BRIDGE)
    ana = await town.rings("ana")
    await ana.presses("accept")
    await ana.enters_the_room_of(caller)
    await town.exchange.until(lambda: "be coach Ana" in moves(town))
    return caller, ana, leg


async def test_the_ai_answers_until_a_responder_is_there_and_coaches_from_then_on(town: Town) -> None:
    """Quiet first, muted second, only then coaching; confirmed before it may be heard again."""
    caller, ana, leg = await ana_is_coached(town)
    assert moves(town) == [
        "be answering",
        "quiet",
        "mute",
        f"coach {ana.sid}",
        f"confirm {ana.sid}",
        "unmute",
        "be coach Ana",
    ]
    assert {order.sid for order in town.exchange.of("set_participant")} == {leg}
    assert (await caller.stands()).coaching == ana.sid
    assert (await caller.emergency.stands()).phase == "attended"


async def test_the_coach_follows_a_change_of_owner(night: Night) -> None:
    async with night(ladder(rung("ana", "ben"))) as town:
        caller, ana, _ = await ana_is_coached(town)
        await (await town.rings("ben")).ends("canceled")
        await town.settles()
        before = len(town.exchange.ordered)
        assert (await caller.emergency.act(ActKind.DECLINE, "ana")).verdict == "declined"
        ben = await town.rings("ben")
        await ben.presses("accept")
        await ben.enters_the_room_of(caller)
        await town.settles()
        await ana.leaves_the_room_of(caller)
        await town.exchange.until(lambda: "be coach Ben" in moves(town))
        assert moves(town, before) == [
            "quiet",
            "mute",
            f"coach {ben.sid}",
            f"confirm {ben.sid}",
            "unmute",
            "be coach Ben",
        ]


async def test_a_responder_who_leaves_in_the_middle_of_the_switch_leaves_no_coach_behind(town: Town) -> None:
    caller = await town.caller_reports("burst pipe", line=LINE)
    await town.opens(BRIDGE)
    await caller.assistant_comes(bridge=BRIDGE)
    ana = await town.rings("ana")
    await ana.presses("accept")
    confirming = town.exchange.holds("confirm_coaching")
    await ana.enters_the_room_of(caller)
    await town.exchange.ordering("confirm_coaching")
    await ana.leaves_the_room_of(caller)
    await town.settles()
    confirming.set()
    await town.exchange.until(lambda: moves(town).count("be answering") == 2)
    assert moves(town)[1:] == [
        "quiet",
        "mute",
        f"coach {ana.sid}",
        f"confirm {ana.sid}",
        "coach nobody",
        "confirm None",
        "unmute",
        "be answering",
    ]
    assert (await caller.stands()).coaching is None
    await town.rings("ana")  # who dropped is rung first


async def test_in_the_menu_the_ai_is_muted_and_coaches_again_on_return(town: Town) -> None:
    caller, ana, _ = await ana_is_coached(town)
    before = len(town.exchange.ordered)
    await ana.presses_star(caller)
    await town.settles()
    assert moves(town, before) == ["quiet", "mute"]
    await ana.enters_the_room_of(caller)
    await town.settles()
    assert moves(town, before)[2:] == ["unmute", "be coach Ana"]
    assert (await caller.emergency.stands()).phase == "attended"


async def test_a_bridge_that_is_gone_is_replaced_before_its_leg_is_removed(town: Town) -> None:
    """Nobody works on its queue: noticed by the schedule-to-start time-out of 3 s."""
    caller = await town.caller_reports("burst pipe", line=LINE)
    old = await caller.assistant_comes()
    assert (await caller.bridge_attaches("bridge-that-dies")).accepted
    second = await town.exchange.ordering("add_assistant", 2)
    assert (second.generation, second.label) == (2, f"ai-x{caller.sid}-2")
    await town.settles()
    assert not town.exchange.of("hang_up"), "the old leg stays until the new one is in the room"

    await town.opens(BRIDGE)
    new = await caller.assistant_comes(2, bridge=BRIDGE)
    assert (await town.exchange.ordering("hang_up")).sid == old
    await town.exchange.until(lambda: moves(town)[-1:] == ["be answering"])
    assert (await caller.stands()).assistant_leg == new
    await town.rings("ana")


async def test_a_bridge_of_an_older_leg_may_not_attach_and_a_token_is_good_once(town: Town) -> None:
    caller = await town.caller_reports("burst pipe", line=LINE)
    await caller.assistant_comes()
    await town.opens(BRIDGE)
    assert (await caller.bridge_attaches(BRIDGE, nonce="n1")).accepted
    again = await caller.bridge_attaches("bridge-2", nonce="n1")
    assert (again.accepted, again.because) == (False, "this stream token was used before")
    assert not (await caller.bridge_attaches("bridge-2", generation=2)).accepted
    assert (await caller.stream_ends()).again
    assert not (await caller.stream_ends(generation=0)).again
    await town.rings("ana")


async def test_two_bridges_with_one_token_at_once_do_not_both_attach(night: Night) -> None:
    async with night(restarts=True) as town:
        caller = await town.caller_reports("burst pipe", line=LINE)
        await caller.assistant_comes()
        await town.opens(BRIDGE)
        await town.rings("ana")
        await town.settles()
        await town.closes(orders.WORKFLOWS)
        first = await town.started(caller.bridge_attaches(BRIDGE, nonce="n1"))
        second = await town.started(caller.bridge_attaches(BRIDGE, nonce="n1"))
        await town.opens(orders.WORKFLOWS)
        assert sorted([(await first).accepted, (await second).accepted]) == [False, True]


async def test_resolve_removes_the_ai_while_the_humans_talk_on(town: Town) -> None:
    caller, ana, leg = await ana_is_coached(town)
    assert (await caller.emergency.resolve("ana")).verdict == "resolved"
    assert (await town.exchange.ordering("hang_up")).sid == leg
    await town.exchange.conference(caller.sid, "participant-leave", leg)
    assert (await caller.emergency.handle.result()).phase == "resolved"
    await town.settles()
    assert not town.exchange.of("end_room")
    assert len(town.exchange.of("add_assistant")) == 1
    assert {*town.exchange.room(caller.sid).present} == {caller.sid, ana.sid}

    await caller.hangs_up()
    await town.settles()
    assert not town.exchange.of("end_room"), "ana is still in the room"
    await ana.leaves_the_room_of(caller)
    await town.exchange.ordering("end_room")
    await caller.room_ends()
    outcome = await caller.handle.result()
    assert (outcome.closing, outcome.escalation) == ("escalated", caller.emergency.id)


async def test_a_caller_who_hangs_up_does_not_end_the_chase(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    ana = await town.rings("ana")
    await caller.hangs_up()
    await town.exchange.ordering("end_room")
    await caller.room_ends()
    assert (await caller.handle.result()).closing == "escalated"
    view = await caller.emergency.until(lambda view: view.callers_waiting == 0)
    assert view.phase == "paging"
    reply = await ana.presses("accept")
    assert (reply.verdict, reply.conference, reply.can_ring) == ("yours", None, True)
    assert (await caller.emergency.stands()).phase == "acknowledged"


async def test_an_owner_who_dropped_is_rung_first(town: Town) -> None:
    caller, ana, _ = await ana_is_coached(town)
    await ana.leaves_the_room_of(caller)
    again = await town.rings("ana")
    assert [item.kind for item in (await again.hears()).items] == ["join"]
    await again.presses("accept")
    await again.enters_the_room_of(caller)
    await caller.emergency.reaches("attended")


async def test_a_leg_that_the_network_refuses_once_is_added_again(town: Town) -> None:
    town.exchange.fail_once("add_assistant")
    caller = await town.caller_reports("burst pipe", line=LINE)
    await town.exchange.ordering("add_assistant", 2)
    labels = {order.label for order in town.exchange.of("add_assistant")}
    assert labels == {f"ai-x{caller.sid}-1"}, (
        "a repeat of the same generation joins the leg that may be there"
    )
    await town.rings("ana")


async def test_a_caller_whose_room_collapsed_is_led_back_into_it(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    await town.rings("ana")
    await caller.room_ends()
    what = await caller.handle.execute_update("left_room", LeftRoom())
    assert what == {"version": 1, "rejoin": True, "conference": f"af-{caller.sid}"}
    await caller.enters_the_room()
    assert (await caller.stands()).conference_sid == town.exchange.room(caller.sid).sid


@pytest.mark.parametrize(
    ("did", "closing"),
    [
        pytest.param(("nothing",), "abandoned", id="abandoned"),
        pytest.param(("case-heard",), "handled", id="handled"),
        pytest.param(("case-heard", "message"), "message-taken", id="message before handled"),
        pytest.param(("case-heard", "message", "report"), "escalated", id="escalated before message"),
        pytest.param(("message", "report", "failed-over"), "failed-over", id="failed over before all"),
    ],
)
async def test_a_call_closes_in_exactly_one_state(town: Town, did: tuple[str, ...], closing: str) -> None:
    caller = await town.caller_rings()
    for what in did:
        match what:
            case "case-heard" | "failed-over":
                await caller.notes(what)
            case "message":
                await caller.handle.signal("message_left", Recording(url="https://rec.example/1", seconds=9))
            case "report":
                await caller.reports("burst pipe")
                await town.rings("ana")
            case _:
                pass
    await caller.hangs_up()
    assert (await caller.handle.result()).closing == closing
    if "message" in did:
        assert (await town.exchange.ordering("deliver_message")).seconds == 9


async def test_a_call_is_not_closed_before_room_and_legs_are_confirmed_gone(town: Town) -> None:
    caller = await town.caller_reports("burst pipe", line=LINE)
    leg = await caller.assistant_comes()
    await town.rings("ana")
    await caller.hangs_up()
    assert leg in (await town.exchange.ordering("end_room")).legs
    await town.settles()
    assert (await caller.handle.describe()).close_time is None
    await caller.room_ends()
    assert (await caller.handle.result()).closing == "escalated"


async def test_a_second_caller_of_a_case_waits_in_their_own_room(town: Town) -> None:
    first = await town.caller_reports("burst pipe")
    ana = await town.rings("ana")
    second = await town.caller_rings(number="+12025550198")
    await town.attach(second, first.emergency)
    view = await first.emergency.until(lambda view: view.callers_waiting == 2)
    assert view.phase == "paging"
    reply = await ana.presses("accept")
    assert reply.conference == f"af-{first.sid}", "the longest waiting first"


async def test_the_last_wait_of_a_room_does_not_outlive_it(town: Town) -> None:
    """Nobody tells that the conference is over: the next look does."""
    caller = await town.caller_reports("burst pipe")
    await town.rings("ana")
    await caller.hangs_up()
    await town.exchange.ordering("end_room")
    await town.pass_time(seconds(31))
    assert (await caller.handle.result()).closing == "escalated"


async def test_a_leg_that_is_in_the_room_before_its_seat_was_announced_is_coached_at_once(town: Town) -> None:
    """The telephone network may be faster than the escalation's signal."""
    caller = await town.caller_reports("burst pipe", line=LINE)
    await town.opens(BRIDGE)
    await caller.assistant_comes(bridge=BRIDGE)
    ana = await town.rings("ana")
    await ana.hears()
    await ana.enters_the_room_of(caller)
    await town.settles()
    assert (await caller.stands()).responders == ()
    assert (await ana.presses("accept")).verdict == "yours"
    await town.exchange.until(lambda: "be coach Ana" in moves(town))
    await caller.emergency.reaches("attended")
