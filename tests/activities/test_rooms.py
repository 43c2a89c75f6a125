"""Conferences: the AI's leg, coaching, announcements, the end, and what is true of a room."""

from dataclasses import dataclass, replace
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from temporalio.exceptions import ApplicationError

from activities.errors import TOO_EARLY
from activities.rooms import ROOM_EVENTS, Rooms
from sandbox.assumptions import Assumptions
from sandbox.faults import FaultKind
from sandbox.ids import CallSid as TheirCallSid
from sandbox.phones import NoAnswer, Stay
from tests.activities.town import (
    ANA,
    CALLER,
    IN_THE_ROOM,
    LINE,
    LINE_NUMBER,
    ROOM,
    SITS_THERE,
    TOKENS,
    Town,
    forms,
    query,
)
from workflows.labels import assistant_label
from workflows.orders import (
    GONE,
    REFUSED,
    AddAssistant,
    AnnounceFact,
    ConfirmCoaching,
    EndRoom,
    LookAtRoom,
    Present,
    SetParticipant,
)
from workflows.tokens import FACT, LEG, FactToken, LegToken
from workflows.values import CallSid, ConferenceSid, Fact, HoldSound, LineId

CALL = CallSid("CA" + "1" * 32)
NO_ROOM = ConferenceSid("CF" + "f" * 32)
NO_LEG = CallSid("CA" + "f" * 32)
FACT_TO_TELL = Fact("fact-1", "ringing", rung=2)


@dataclass
class Scene:
    """A caller in a room, and perhaps an AI leg."""

    town: Town
    sid: ConferenceSid
    caller: CallSid
    ai: CallSid

    @property
    def rooms(self) -> Rooms:
        return self.town.rooms


def add(generation: int = 1, conference: ConferenceSid | None = None) -> AddAssistant:
    return AddAssistant(CALL, LINE, ROOM, conference, assistant_label(CALL, generation), generation)


async def caller_in_the_room(town: Town) -> CallSid:
    town.network.add_number("+12025550103", voice_url=town.document("room", IN_THE_ROOM))
    sid = town.network.dial(CALLER, "+12025550103", Stay())
    await town.pass_time(2)
    return CallSid(sid)


async def scene(town: Town) -> Scene:
    caller = await caller_in_the_room(town)
    submission = await town.environment.run(town.rooms.add_assistant, add())
    await town.pass_time(2)
    assert submission.sid is not None
    assert submission.conference is not None
    return Scene(town, submission.conference, caller, CallSid(submission.sid))


def participants(town: Town, method: str = "POST") -> list[dict[str, object]]:
    return [dict(forms(record)) for record in town.requests(method, "/Participants.json")]


async def test_the_ai_leg_is_our_application_told_which_leg_it_is(town: Town) -> None:
    submission = await town.environment.run(town.rooms.add_assistant, add(generation=3))

    [form] = participants(town)
    application, _, told = str(form["To"]).partition("?")
    assert application == f"app:{town.app.sid}"
    assert TOKENS.open(LEG, parse_qs(told)["leg"][0]) == LegToken(CALL, 3)
    assert submission.what == "placed"
    assert submission.conference is not None


async def test_the_ai_leg_never_ends_the_room_and_enters_it_silently(town: Town) -> None:
    await town.environment.run(town.rooms.add_assistant, add())

    [form] = participants(town)
    assert (form["EndConferenceOnExit"], form["StartConferenceOnEnter"]) == ("false", "true")
    assert (form["Beep"], form["EarlyMedia"], form["WaitUrl"]) == ("false", "false", "")
    assert form["JitterBufferSize"] == "off"
    assert int(str(form["TimeLimit"])) > 0
    assert form["ConferenceStatusCallback"] == f"{town.public_url}/conference/{CALL}"
    assert form["ConferenceStatusCallbackEvent"] == ROOM_EVENTS
    leg = query(form["StatusCallback"])["leg"]
    assert TOKENS.open(LEG, leg) == LegToken(CALL, 1)
    assert "/ai-leg/status" in str(form["StatusCallback"])


async def test_a_repeat_of_the_same_generation_takes_the_leg_that_is_there(town: Town) -> None:
    first = await scene(town)

    by_name = await town.environment.run(town.rooms.add_assistant, add())
    by_sid = await town.environment.run(town.rooms.add_assistant, add(conference=first.sid))

    for again in (by_name, by_sid):
        assert (again.what, again.sid, again.conference) == ("placed", first.ai, first.sid)
    assert len(list(town.network.rooms.newest_first())) == 1


async def test_the_next_generation_is_a_leg_of_its_own(town: Town) -> None:
    first = await scene(town)

    second = await town.environment.run(town.rooms.add_assistant, add(2, first.sid))

    assert second.what == "placed"
    assert second.sid != first.ai


@pytest.mark.parametrize("kind", [FaultKind.ERROR_AFTER, FaultKind.REPLY_DROPPED])
async def test_an_ai_leg_in_doubt_is_settled_by_asking_for_its_label_again(
    town: Town, kind: FaultKind
) -> None:
    await caller_in_the_room(town)
    town.fault(kind, "participants.create")

    doubtful = await town.environment.run(town.rooms.add_assistant, add())
    settled = await town.environment.run(town.rooms.add_assistant, add())

    assert doubtful.what == "doubtful"
    assert settled.what == "placed"
    assert len([c for c in town.network.calls.newest_first() if c.to.startswith("app:")]) == 1


async def test_a_finished_room_refuses_the_ai_instead_of_opening_an_empty_one(town: Town) -> None:
    over = await scene(town)
    await town.environment.run(over.rooms.end_room, EndRoom(over.sid, [over.caller, over.ai]))
    await town.pass_time(1)

    submission = await town.environment.run(town.rooms.add_assistant, add(2, over.sid))

    assert submission.what == "refused"
    assert "16022" in (submission.error or "")
    assert town.network.room(ROOM) is None


async def test_coaching_and_mute_are_set_as_ordered_and_what_is_none_stays(town: Town) -> None:
    there = await scene(town)

    await town.environment.run(there.rooms.set_participant, SetParticipant(there.sid, there.ai, muted=True))
    coached = SetParticipant(there.sid, there.ai, coached=there.caller)
    await town.environment.run(there.rooms.set_participant, coached)
    await town.environment.run(
        there.rooms.confirm_coaching, ConfirmCoaching(there.sid, there.ai, there.caller)
    )

    room = town.network.room(ROOM)
    assert room is not None
    member = room.members[TheirCallSid(there.ai)]
    assert (member.muted, member.coaching) == (True, True)
    assert member.coaches == TheirCallSid(there.caller)

    uncoached = SetParticipant(there.sid, there.ai, coached=there.caller, uncoach=True)
    await town.environment.run(there.rooms.set_participant, uncoached)
    await town.environment.run(there.rooms.confirm_coaching, ConfirmCoaching(there.sid, there.ai, None))
    assert room.members[TheirCallSid(there.ai)].muted


@pytest.mark.parametrize(
    ("sound", "hears"),
    [("silence", "/hold/silence"), ("words", "/hold/words/clinic"), ("music", None)],
)
async def test_a_leg_is_held_with_the_sound_that_was_chosen_and_released(
    town: Town, sound: HoldSound, hears: str | None
) -> None:
    there = await scene(town)
    held = SetParticipant(there.sid, there.ai, held=True, sound=sound, line=LineId("clinic"))

    await town.environment.run(there.rooms.set_participant, held)

    room = town.network.room(ROOM)
    assert room is not None
    assert room.members[TheirCallSid(there.ai)].hold
    [record] = town.requests("POST", f"/Participants/{there.ai}.json")
    form = forms(record)
    assert form.get("HoldUrl") == (f"{town.public_url}{hears}" if hears else None)
    await town.environment.run(there.rooms.set_participant, SetParticipant(there.sid, there.ai, held=False))
    assert not room.members[TheirCallSid(there.ai)].hold


async def test_a_leg_that_nobody_may_hear_is_added_muted(town: Town) -> None:
    await town.environment.run(town.rooms.add_assistant, replace(add(), muted=True))

    assert participants(town)[0]["Muted"] == "true"


async def test_coaching_that_is_not_yet_so_is_not_confirmed(town: Town) -> None:
    there = await scene(town)

    with pytest.raises(ApplicationError) as raised:
        await town.environment.run(
            there.rooms.confirm_coaching, ConfirmCoaching(there.sid, there.ai, there.caller)
        )

    assert (raised.value.type, raised.value.non_retryable) == (TOO_EARLY, False)


async def test_a_coached_leg_that_is_not_in_the_room_yet_is_asked_for_again(town: Town) -> None:
    there = await scene(town)

    with pytest.raises(ApplicationError) as raised:
        await town.environment.run(
            there.rooms.set_participant, SetParticipant(there.sid, there.ai, coached=NO_LEG)
        )

    assert (raised.value.type, raised.value.non_retryable) == (TOO_EARLY, False)
    assert "16028" in str(raised.value)


async def test_a_leg_or_a_room_that_is_gone_is_gone_for_good(town: Town) -> None:
    there = await scene(town)
    attempts = (
        town.environment.run(there.rooms.set_participant, SetParticipant(there.sid, NO_LEG, muted=True)),
        town.environment.run(there.rooms.set_participant, SetParticipant(NO_ROOM, there.ai, muted=True)),
        town.environment.run(there.rooms.confirm_coaching, ConfirmCoaching(there.sid, NO_LEG, None)),
        town.environment.run(there.rooms.announce_fact, AnnounceFact(there.sid, NO_LEG, LINE, FACT_TO_TELL)),
    )
    for attempt in attempts:
        with pytest.raises(ApplicationError) as raised:
            await attempt
        assert (raised.value.type, raised.value.non_retryable) == (GONE, True)


async def test_what_twilio_will_never_do_is_not_asked_again(town: Town) -> None:
    there = await scene(town)
    town.fault(FaultKind.ERROR_BEFORE, "participants.update", code=400)

    with pytest.raises(ApplicationError) as raised:
        await town.environment.run(
            there.rooms.set_participant, SetParticipant(there.sid, there.ai, muted=True)
        )

    assert (raised.value.type, raised.value.non_retryable) == (REFUSED, True)


async def test_a_fact_is_announced_to_one_leg_as_a_signed_url(town: Town) -> None:
    there = await scene(town)

    order = AnnounceFact(there.sid, there.caller, LINE, FACT_TO_TELL)
    await town.environment.run(there.rooms.announce_fact, order)

    [record] = town.requests("POST", f"/Participants/{there.caller}.json")
    url = str(forms(record)["AnnounceUrl"])
    assert url.startswith(f"{town.public_url}/announce/")
    token = unquote(urlsplit(url).path.rpartition("/")[2])
    assert TOKENS.open(FACT, token) == FactToken(LINE.id, FACT_TO_TELL)


async def test_ending_a_room_ends_it_and_every_leg(town: Town) -> None:
    there = await scene(town)
    town.ana.on_calls(NoAnswer())
    dialled = await town.twilio.calls.create_async(
        to=ANA, from_=LINE_NUMBER, url=town.document("held", SITS_THERE)
    )
    legs = [there.caller, there.ai, CallSid(str(dialled.sid)), NO_LEG]

    await town.environment.run(there.rooms.end_room, EndRoom(there.sid, legs))
    await town.environment.run(there.rooms.end_room, EndRoom(there.sid, legs))

    assert town.network.room(ROOM) is None
    statuses = {str(call.sid): call.status.value for call in town.network.calls.newest_first()}
    assert {statuses[leg] for leg in legs if leg in statuses} <= {"completed", "canceled"}


async def test_a_leg_is_ended_even_where_the_room_cannot_be(town: Town) -> None:
    there = await scene(town)
    town.fault(FaultKind.ERROR_BEFORE, "conferences.update")

    with pytest.raises(ApplicationError) as raised:
        await town.environment.run(there.rooms.end_room, EndRoom(there.sid, [there.caller, there.ai]))

    assert not raised.value.non_retryable
    assert town.network.call(there.caller).status.value == "completed"
    assert town.network.call(there.ai).status.value == "completed"


async def test_a_look_tells_who_is_in_the_room_and_which_calls_are_over(town: Town) -> None:
    there = await scene(town)
    over = await town.twilio.calls.create_async(
        to=ANA, from_=LINE_NUMBER, url=town.document("held", SITS_THERE)
    )
    await town.twilio.calls(str(over.sid)).update_async(status="canceled")
    calls = (there.caller, there.ai, CallSid(str(over.sid)), NO_LEG)

    by_name = await town.environment.run(there.rooms.look_at_room, LookAtRoom(None, ROOM, calls))
    by_sid = await town.environment.run(there.rooms.look_at_room, LookAtRoom(there.sid, ROOM, calls))

    for seen in (by_name, by_sid):
        assert (seen.conference, seen.over) == (there.sid, False)
        assert set(seen.present) == {
            Present(there.caller, ""),
            Present(there.ai, assistant_label(CALL, 1)),
        }
        assert set(seen.ended) == {over.sid, NO_LEG}


async def test_a_leg_that_is_still_being_dialled_is_not_in_the_room(town: Town) -> None:
    caller = await caller_in_the_room(town)
    town.ana.on_calls(NoAnswer())
    await town.twilio.conferences(ROOM).participants.create_async(
        from_=LINE_NUMBER, to=ANA, label="responder-ana-1"
    )
    await town.pass_time(1)

    seen = await town.environment.run(town.rooms.look_at_room, LookAtRoom(None, ROOM, ()))

    assert [one.sid for one in seen.present] == [caller]


async def test_a_room_that_was_is_over_and_one_that_never_was_is_not_there(town: Town) -> None:
    never = await town.environment.run(town.rooms.look_at_room, LookAtRoom(None, ROOM, ()))
    there = await scene(town)
    await town.environment.run(there.rooms.end_room, EndRoom(there.sid, [there.caller, there.ai]))
    await town.pass_time(1)

    for order in (LookAtRoom(there.sid, ROOM, ()), LookAtRoom(None, ROOM, ())):
        was = await town.environment.run(town.rooms.look_at_room, order)
        assert (was.conference, was.over, was.present) == (there.sid, True, ())
    unknown = await town.environment.run(town.rooms.look_at_room, LookAtRoom(NO_ROOM, ROOM, ()))
    assert unknown.over
    assert (never.conference, never.over) == (None, False)


async def test_the_leg_is_confirmed_by_the_pessimistic_network_too(town: Town) -> None:
    there = await scene(town)
    town.network.world.assumptions = replace(Assumptions(), coach_switch_s=5)

    await town.environment.run(
        there.rooms.set_participant, SetParticipant(there.sid, there.ai, coached=there.caller)
    )
    await town.pass_time(6)
    await town.environment.run(
        there.rooms.confirm_coaching, ConfirmCoaching(there.sid, there.ai, there.caller)
    )
