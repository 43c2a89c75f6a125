"""Private talk, two AIs in one room, humans held and let back: with the shells in their server."""

from datetime import UTC, datetime

from tests.shells.town import LINE, Caller, PageCall, Town
from workflows.agents import Agent, AgentId, Speech
from workflows.assistant import Post, Role
from workflows.room_acts import RoomActKind
from workflows.values import CallSid
from workflows.voice import Speaker, Turn

BRIDGE = "bridge-1"
SPEECH = Speech((Agent(AgentId("desk"), "the desk"),), (), "Hello.")


def ordered(town: Town, leg: CallSid) -> list[str]:
    """What was ordered of one leg, in order."""
    told: list[str] = []
    for order in town.exchange.of("set_participant"):
        if order.sid != leg:
            continue
        if order.held is not None:
            told.append(f"hold, {order.sound}" if order.held else "unhold")
        if order.coached is not None:
            told.append(f"coach {order.coached}")
        elif order.muted is not None:
            told.append("mute" if order.muted else "unmute")
    return told


def told(town: Town, generation: int) -> list[str]:
    """What the bridge of an AI's leg was told to be or do, in order."""
    of = [order for order in town.exchange.of("instruct_bridge") if order.generation == generation]
    return [order.role if order.what == "role" else order.what for order in of]


async def ana_is_coached(town: Town, speech: Speech = SPEECH) -> tuple[Caller, PageCall, CallSid]:
    """A caller, the AI on a bridge, and ana in the room."""
    caller = await town.caller_rings(line=LINE, speech=speech)
    await caller.reports("burst pipe")
    await caller.enters_the_room()
    await town.opens(BRIDGE)
    leg = await caller.assistant_comes(bridge=BRIDGE)
    ana = await town.rings("ana")
    await ana.presses("accept")
    await ana.enters_the_room_of(caller)
    await town.exchange.until(lambda: Role.COACH in told(town, 1))
    return caller, ana, leg


async def test_humans_talk_in_private_and_the_ai_comes_back(town: Town) -> None:
    caller, ana, leg = await ana_is_coached(town)
    before = len(ordered(town, leg))
    reply = await caller.acts(RoomActKind.HOLD, "ai")
    assert (reply.done, reply.confirmed) == (True, True)
    assert ordered(town, leg)[before:] == ["mute", "hold, silence"]
    assert told(town, 1)[-1] == "quiet"
    reply = await caller.acts(RoomActKind.UNHOLD, "ai")
    assert (reply.done, reply.confirmed) == (True, True)
    assert ordered(town, leg)[before + 2 :] == ["unhold", "unmute"]
    assert told(town, 1)[-1] == Role.COACH
    assert (await caller.stands()).coaching == ana.sid


async def test_private_talk_outlasts_the_leg_of_the_ai(town: Town) -> None:
    caller, _, leg = await ana_is_coached(town)
    await caller.acts(RoomActKind.HOLD, "ai")
    await town.exchange.conference(caller.sid, "participant-leave", leg)
    await town.settles()
    assert len(town.exchange.of("add_assistant")) == 1, "who is to hear nothing is not brought in"
    reply = await caller.acts(RoomActKind.UNHOLD, "ai")
    assert (reply.done, reply.confirmed) == (True, False), "its leg is yet to come, and that is told"
    second = await town.exchange.ordering("add_assistant", 2)
    assert (second.generation, second.muted) == (2, True), "who coaches is added muted"
    await caller.assistant_comes(2, bridge=BRIDGE)
    await town.exchange.until(lambda: Role.COACH in told(town, 2))


async def test_a_note_taker_beside_the_coach_has_a_leg_a_bridge_and_a_role_of_its_own(town: Town) -> None:
    caller, ana, leg = await ana_is_coached(town)
    assert (await caller.acts(RoomActKind.BRING, "notes")).done
    notes = await caller.ai_comes(Post.NOTES, bridge=BRIDGE)
    [added] = [order for order in town.exchange.of("add_assistant") if order.generation == 2]
    assert (added.label, added.muted) == (f"notes-x{caller.sid}-2", True)
    await town.exchange.until(lambda: told(town, 2) == [Role.NOTES])
    assert "unmute" not in ordered(town, notes)
    view = await caller.until(lambda view: all(ai.there for ai in view.ais))
    assert [(ai.post, ai.role, ai.leg) for ai in view.ais] == [
        (Post.ASSISTANT, Role.COACH, leg),
        (Post.NOTES, Role.NOTES, notes),
    ]
    assert view.coaching == ana.sid
    kept = await caller.ai_asks("note", '{"text": "main valve closed"}', generation=2)
    assert kept.output == "Kept."
    refused = await caller.ai_asks("set_eta", '{"minutes": 20}', "call_2", generation=2)
    assert "There is no tool 'set_eta' now. You have: note." in refused.output


async def test_both_ais_leave_when_the_case_is_resolved(town: Town) -> None:
    caller, ana, leg = await ana_is_coached(town)
    await caller.acts(RoomActKind.BRING, "notes")
    notes = await caller.ai_comes(Post.NOTES, bridge=BRIDGE)
    assert (await caller.emergency.resolve("ana")).verdict == "resolved"
    await town.exchange.ordering("hang_up", 2)
    assert {order.sid for order in town.exchange.of("hang_up")} == {leg, notes}
    assert {*town.exchange.room(caller.sid).present} == {caller.sid, ana.sid}


async def test_a_bridge_that_attaches_to_a_coachs_new_leg_says_nothing_before_it_has_its_role(
    town: Town,
) -> None:
    caller, _, leg = await ana_is_coached(town)
    await town.exchange.conference(caller.sid, "participant-leave", leg)
    await town.exchange.ordering("add_assistant", 2)
    view = await caller.until(lambda view: view.assistant_leg not in {None, leg})
    assert view.assistant_leg is not None
    label = f"ai-x{caller.sid}-2"
    await town.exchange.conference(caller.sid, "participant-join", view.assistant_leg, label)
    attached = await caller.bridge_attaches(BRIDGE, 2)
    assert attached.plan is not None
    assert attached.plan.role is Role.SILENT
    await town.exchange.until(lambda: told(town, 2)[-1:] == [Role.COACH])
    assert ordered(town, view.assistant_leg)[-1] == "unmute"


async def test_an_interpreter_is_on_record_with_what_it_said(town: Town) -> None:
    caller, _, _ = await ana_is_coached(town)
    refused = await caller.acts(RoomActKind.BRING, "interpreter")
    assert (refused.done, refused.sentence) == (False, "both speak en: say which language the caller speaks")
    reply = await caller.acts(RoomActKind.BRING, "interpreter", language="es")
    assert reply.done
    await caller.ai_comes(Post.INTERPRETER, bridge=BRIDGE)
    await town.exchange.until(lambda: told(town, 2) == [Role.INTERPRETER])
    [role] = [order for order in town.exchange.of("instruct_bridge") if order.generation == 2]
    assert "The caller speaks Spanish, Ana speaks English" in role.plan.instructions
    assert role.plan.tools == ()
    at = datetime(2026, 1, 5, 2, 18, tzinfo=UTC)
    await caller.talks(Turn(Speaker.ASSISTANT, "There is water.", at), generation=2)
    await caller.talks(Turn(Speaker.CALLER, "Hay agua.", at), Turn(Speaker.ROOM, "Water.", at), generation=1)
    await town.settles()
    view = await caller.handle.query("conversation")
    assert [(turn["speaker"], turn["text"]) for turn in view["turns"]] == [
        ("interpreter", "There is water."),
        ("caller", "Hay agua."),
        ("room", "Water."),
    ]


async def test_a_caller_on_hold_is_let_back_when_the_human_drops(town: Town) -> None:
    caller, ana, _ = await ana_is_coached(town)
    reply = await caller.acts(RoomActKind.HOLD, "caller", sound="music")
    assert (reply.sentence, reply.confirmed) == (
        "the caller is on hold: hears nobody, and is heard by nobody",
        True,
    )
    await ana.leaves_the_room_of(caller)
    await town.exchange.until(lambda: "unhold" in ordered(town, caller.sid))
    assert ordered(town, caller.sid) == ["hold, music", "unmute", "unhold", "unmute"]
    await town.rings("ana")


async def test_what_cannot_be_done_is_refused_and_on_record_and_asked_twice_is_done_once(town: Town) -> None:
    caller, _, _ = await ana_is_coached(town)
    refused = await caller.acts(RoomActKind.REMOVE, "ana")
    assert (refused.done, refused.sentence) == (
        False,
        "ana is the last human with an open case: hand it over or resolve it first",
    )
    await caller.acts(RoomActKind.MUTE, "caller", act_id="once")
    await caller.acts(RoomActKind.UNMUTE, "caller")
    await caller.acts(RoomActKind.MUTE, "caller", act_id="once")
    assert [person.muted for person in (await caller.stands()).people] == [False, False]
