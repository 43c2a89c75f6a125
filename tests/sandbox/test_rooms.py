"""Conferences over REST and TwiML: seats, events, coaching, announcements, endings."""

import httpx
import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException

from sandbox.ids import named_sid
from sandbox.phones import Answers, HangUp, NoAnswer, Press, Say, Stay, Wait
from tests.sandbox.conftest import CALLER, LINE, Scene

ANA = "+15550000201"
APP = named_sid("AP", "ai-leg")
ALL = "start end join leave mute hold modify announcement"


def into_room(scene: Scene, label: str = "caller", more: str = "", dial: str = "") -> str:
    """TwiML that puts a leg into the room of the incident."""
    told = f'statusCallback="{scene.product.url}/room" statusCallbackEvent="{ALL}"'
    return (
        f'<Dial {dial}><Conference participantLabel="{label}" beep="false" {told} {more}>'
        "incident</Conference></Dial>"
    )


async def caller_in_room(scene: Scene, *steps: object, dial: str = "") -> str:
    """A caller rings the line and sits in the room."""
    scene.product.says("/voice", into_room(scene, dial=dial) + "<Say>You left the room</Say>")
    call = scene.network.dial(CALLER, LINE, *(steps or (Stay(),)))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    await scene.pass_time(0)
    return call


async def add(scene: Scene, to: str, **more: object) -> str:
    participants = scene.client.conferences("incident").participants
    made = await scene.request(lambda: participants.create(from_=LINE, to=to, beep="false", **more))
    return str(made.call_sid)


async def room_sid(scene: Scene) -> str:
    found = await scene.request(
        lambda: scene.client.conferences.list(friendly_name="incident", status="in-progress")
    )
    return str(found[0].sid)


async def ai_and_ana_in_room(scene: Scene) -> tuple[str, str, str, str]:
    """The caller, the AI and Ana: gives the room and the three calls."""
    scene.phone(ANA, Answers(1, Stay()))
    scene.product.says("/ai", "<Gather timeout='3600'/>")
    caller = await caller_in_room(scene)
    ai = await add(scene, f"app:{APP}?leg=7", label="ai", early_media=False)
    ana = await add(scene, ANA, label="human", early_media=False)
    await scene.pass_time(10)
    return await room_sid(scene), caller, ai, ana


async def test_the_first_comer_waits_with_music_until_a_second_starts_it(scene: Scene) -> None:
    caller = await caller_in_room(scene)
    assert scene.network.heard(caller) == "[music]"
    scene.product.says("/ai", "<Gather timeout='60'/>")
    await add(scene, f"app:{APP}?leg=7", label="ai")
    await scene.pass_time(2)
    assert scene.product.events("/room", "StatusCallbackEvent") == [
        "participant-join",
        "participant-join",
        "conference-start",
    ]
    assert scene.product.events("/room", "SequenceNumber") == ["1", "2", "3"]


async def test_an_application_gets_its_parameters_bare_in_the_body(scene: Scene) -> None:
    scene.product.says("/ai", "<Gather timeout='60'/>")
    await caller_in_room(scene)
    ai = await add(scene, f"app:{APP}?leg=a%2Fb&turn=2", label="ai")
    await scene.pass_time(2)
    form = scene.product.asked("/ai")[0].form
    assert (form["leg"], form["turn"], form["ApplicationSid"]) == ("a/b", "2", APP)
    assert form["CallSid"] == ai


async def test_an_application_may_have_a_call_of_its_own(scene: Scene) -> None:
    scene.network.assume_the_worst(pessimistic=True)
    scene.product.says("/ai", "<Gather timeout='60'/>")
    await caller_in_room(scene)
    ai = await add(scene, f"app:{APP}?leg=7", label="ai")
    await scene.pass_time(5)
    form = scene.product.asked("/ai")[0].form
    assert form["CallSid"] != ai
    assert form["ParentCallSid"] == ai


async def test_what_an_application_says_is_heard_by_the_room(scene: Scene) -> None:
    scene.product.says("/ai", "<Pause length='2'/><Say>I am still here</Say><Pause length='9'/>")
    caller = await caller_in_room(scene)
    await add(scene, f"app:{APP}?leg=7", label="ai")
    await scene.pass_time(6)
    assert "I am still here" in scene.network.heard(caller)


async def test_an_application_that_is_done_leaves_the_room(scene: Scene) -> None:
    scene.product.says("/ai", "<Gather timeout='5'/><Hangup/>")
    await caller_in_room(scene)
    ai = await add(scene, f"app:{APP}?leg=7", label="ai")
    await scene.pass_time(20)
    assert scene.network.call(ai).status.value == "completed"
    room = scene.network.room("incident")
    assert room is not None
    assert ai not in room.members


async def test_a_coach_is_heard_by_the_coached_leg_alone(scene: Scene) -> None:
    scene.product.says("/voice", into_room(scene))
    caller = scene.network.dial(CALLER, LINE)
    scene.phone("+15550000202", Answers(0))
    scene.phone(ANA, Answers(0))
    await scene.pass_time(0)
    ana = await add(scene, ANA, label="human")
    await scene.pass_time(3)
    coach = await add(scene, "+15550000202", label="coach", coaching=True, call_sid_to_coach=ana)
    await scene.pass_time(3)
    scene.network.speak(coach, "her name is Vera")
    scene.network.speak(ana, "hello Vera")
    assert "her name is Vera" in scene.network.heard(ana)
    assert "her name is Vera" not in scene.network.heard(caller)
    assert "hello Vera" in scene.network.heard(caller)
    assert "hello Vera" in scene.network.heard(coach)


async def test_coaching_is_switched_on_the_live_leg(scene: Scene) -> None:
    room, _, ai, ana = await ai_and_ana_in_room(scene)
    seat = scene.client.conferences(room).participants(ai)
    await scene.request(lambda: seat.update(muted=True))
    changed = await scene.request(lambda: seat.update(coaching=True, call_sid_to_coach=ana))
    assert (changed.coaching, changed.call_sid_to_coach) == (True, ana)
    await scene.request(lambda: seat.update(muted=False))
    await scene.network.settled()
    events = scene.product.events("/room", "StatusCallbackEvent")
    assert events[-3:] == ["participant-mute", "participant-modify", "participant-unmute"]
    assert scene.product.asked("/room")[-1].form["Coaching"] == "true"


async def test_in_pessimistic_mode_coaching_comes_late_and_an_unmute_at_once(scene: Scene) -> None:
    room, caller, ai, ana = await ai_and_ana_in_room(scene)
    scene.network.assume_the_worst(pessimistic=True)
    seat = scene.client.conferences(room).participants(ai)
    await scene.request(lambda: seat.update(muted=True))
    changed = await scene.request(lambda: seat.update(coaching=True, call_sid_to_coach=ana, muted=False))
    assert not changed.coaching
    scene.network.exchange.legs[scene.network.call(ai).sid].say("a secret")
    assert "a secret" in scene.network.heard(caller)
    await scene.pass_time(1)
    scene.network.exchange.legs[scene.network.call(ai).sid].say("another")
    assert "another" not in scene.network.heard(caller)
    assert "another" in scene.network.heard(ana)


async def test_coaching_somebody_who_is_not_there_is_refused(scene: Scene) -> None:
    room, _, ai, _ = await ai_and_ana_in_room(scene)
    seat = scene.client.conferences(room).participants(ai)
    with pytest.raises(TwilioRestException) as refused:
        await scene.request(lambda: seat.update(coaching=True, call_sid_to_coach="CA" + "1" * 32))
    assert refused.value.code == 16028


async def test_a_taken_label_is_refused_and_a_bad_one_too(scene: Scene) -> None:
    await ai_and_ana_in_room(scene)
    for label, code in (("ai", 16026), ("a/b", 16023), ("CA" + "1" * 32, 16023), ("x" * 129, 16023)):
        with pytest.raises(TwilioRestException) as refused:
            await add(scene, ANA, label=label)
        assert refused.value.code == code


async def test_a_taken_label_in_a_document_sends_the_leg_to_the_next_verb(scene: Scene) -> None:
    await caller_in_room(scene)
    scene.product.says("/voice", into_room(scene) + "<Say>Try again</Say>")
    second = scene.network.dial("+15550000302", LINE, Stay())
    await scene.pass_time(5)
    assert "Try again" in scene.network.heard(second)
    assert scene.network.journal.of("alert", code=16025)


async def test_participants_are_found_by_label_and_listed_by_flag(scene: Scene) -> None:
    room, caller, ai, ana = await ai_and_ana_in_room(scene)
    participants = scene.client.conferences(room).participants
    human = await scene.request(participants("human").fetch)
    assert (human.call_sid, str(human.status)) == (ana, "connected")
    await scene.request(lambda: participants("ai").update(muted=True))
    muted = await scene.request(lambda: participants.list(muted=True))
    everybody = await scene.request(participants.list)
    assert [one.call_sid for one in muted] == [ai]
    assert {one.call_sid for one in everybody} == {caller, ai, ana}


async def test_a_room_is_fetched_by_sid_and_never_by_name(scene: Scene) -> None:
    await ai_and_ana_in_room(scene)
    with pytest.raises(TwilioException, match="20404"):  # what the client makes of a list's 404
        await scene.request(scene.client.conferences("incident").participants.list)
    with pytest.raises(TwilioRestException) as unknown:
        await scene.request(scene.client.conferences("incident").fetch)
    assert (unknown.value.status, unknown.value.code) == (404, 20404)


async def test_a_leg_on_its_way_can_be_fetched_but_not_changed(scene: Scene) -> None:
    scene.phone(ANA, NoAnswer())
    await caller_in_room(scene)
    ana = await add(scene, ANA, label="human")
    sid = next(iter(scene.network.rooms.newest_first())).sid
    seat = scene.client.conferences(sid).participants(ana)
    assert str((await scene.request(seat.fetch)).status) == "connecting"
    await scene.pass_time(2)
    assert str((await scene.request(seat.fetch)).status) == "ringing"
    with pytest.raises(TwilioRestException) as early:
        await scene.request(lambda: seat.update(muted=True))
    assert early.value.code == 20404


async def test_a_callee_that_never_answers_leaves_without_having_joined(scene: Scene) -> None:
    scene.phone(ANA, NoAnswer())
    caller = await caller_in_room(scene)
    await add(scene, ANA, label="human", timeout=10)
    await scene.pass_time(20)
    left = scene.product.asked("/room")[-1].form
    assert left["StatusCallbackEvent"] == "participant-leave"
    assert left["ReasonParticipantLeft"] == "participant_add_failed"
    assert left["ParticipantCallStatus"] == "no-answer"
    room = scene.network.room("incident")
    assert room is not None
    assert list(room.members) == [caller]


async def test_a_removed_leg_of_a_document_goes_on_after_dial(scene: Scene) -> None:
    room, caller, *_ = await ai_and_ana_in_room(scene)
    await scene.request(scene.client.conferences(room).participants(caller).delete)
    await scene.pass_time(5)
    assert "You left the room" in scene.network.heard(caller)


async def test_a_removed_leg_made_by_request_ends(scene: Scene) -> None:
    room, _, ai, _ = await ai_and_ana_in_room(scene)
    await scene.request(scene.client.conferences(room).participants("ai").delete)
    await scene.network.settled()
    assert scene.network.call(ai).status.value == "completed"


async def test_ending_the_room_drops_request_legs_and_sends_others_on(scene: Scene) -> None:
    room, caller, ai, ana = await ai_and_ana_in_room(scene)
    ended = await scene.request(lambda: scene.client.conferences(room).update(status="completed"))
    assert str(ended.status) == "completed"
    assert str(ended.reason_conference_ended) == "conference-ended-via-api"
    await scene.pass_time(1)
    assert scene.network.call(ai).status.value == "completed"
    assert scene.network.call(ana).status.value == "completed"
    assert scene.network.call(caller).status.value == "in-progress"
    await scene.pass_time(5)
    assert "You left the room" in scene.network.heard(caller)
    end = [one.form for one in scene.product.asked("/room")
           if one.form["StatusCallbackEvent"] == "conference-end"]  # fmt: skip
    assert end[0]["ReasonConferenceEnded"] == "conference-ended-via-api"


async def test_a_finished_name_opens_a_new_room_and_a_finished_sid_refuses(scene: Scene) -> None:
    room, *_ = await ai_and_ana_in_room(scene)
    await scene.request(lambda: scene.client.conferences(room).update(status="completed"))
    await scene.pass_time(1)
    with pytest.raises(TwilioRestException) as over:
        await scene.request(lambda: scene.client.conferences(room).participants.create(from_=LINE, to=ANA))
    assert over.value.code == 16022
    await add(scene, ANA, label="human")
    fresh = scene.network.room("incident")
    assert fresh is not None
    assert fresh.sid != room


async def test_a_leg_that_ends_the_room_on_exit_takes_all_along(scene: Scene) -> None:
    scene.product.says("/voice", into_room(scene, more='endConferenceOnExit="true"'))
    scene.network.dial(CALLER, LINE, Wait(20), HangUp())
    scene.phone(ANA, Answers(1, Stay()))
    await scene.pass_time(0)
    ana = await add(scene, ANA, label="human")
    await scene.pass_time(25)
    assert scene.network.call(ana).status.value == "completed"
    end = scene.product.asked("/room")[-1].form
    assert end["ParticipantLabelEndingConference"] == "caller"


async def test_redirecting_a_leg_takes_it_out_of_the_room(scene: Scene) -> None:
    room, caller, *_ = await ai_and_ana_in_room(scene)
    url = scene.product.says("/digits", "<Gather timeout='60'/>")
    await scene.request(lambda: scene.client.calls(caller).update(url=url))
    await scene.network.settled()
    left = scene.product.asked("/room")[-1].form
    assert left["ReasonParticipantLeft"] == "participant_updated_via_api"
    listed = await scene.request(scene.client.conferences(room).participants.list)
    assert caller not in {one.call_sid for one in listed}


async def test_star_leads_out_of_the_room_to_the_action(scene: Scene) -> None:
    scene.product.says("/menu", "<Say>Press 1 to resolve</Say>")
    caller = await caller_in_room(
        scene, Wait(5), Press("*"), Stay(), dial='hangupOnStar="true" action="/menu"'
    )
    await scene.pass_time(10)
    assert scene.product.asked("/menu")[0].form["DialCallStatus"] == "answered"
    assert "Press 1 to resolve" in scene.network.heard(caller)


async def test_keys_in_a_room_reach_nobody(scene: Scene) -> None:
    await caller_in_room(scene, Wait(1), Press("1"), Stay())
    await scene.pass_time(3)
    keys = scene.network.journal.of("leg.keys")
    assert [record.details["taken_by"] for record in keys] == ["nobody"]


async def test_hanging_up_in_the_room_is_told_to_room_and_action(scene: Scene) -> None:
    await caller_in_room(scene, Wait(5), HangUp(), dial='action="/after"')
    await scene.pass_time(10)
    left = [one.form for one in scene.product.asked("/room")
            if one.form["StatusCallbackEvent"] == "participant-leave"]  # fmt: skip
    assert left[0]["ReasonParticipantLeft"] == "participant_hung_up"
    assert scene.product.asked("/after")[0].form["CallStatus"] == "completed"


async def test_an_announcement_is_heard_by_one_or_by_all(scene: Scene) -> None:
    room, caller, _, ana = await ai_and_ana_in_room(scene)
    danger = scene.product.says("/danger", "<Say>Hang up and dial 112</Say>")
    everyone = scene.product.says("/everyone", "<Say>Ana is here</Say>")
    participants = scene.client.conferences(room).participants
    await scene.request(lambda: participants(caller).update(announce_url=danger))
    await scene.request(lambda: scene.client.conferences(room).update(announce_url=everyone))
    await scene.pass_time(5)
    assert "Hang up and dial 112" in scene.network.heard(caller)
    assert "Hang up and dial 112" not in scene.network.heard(ana)
    assert "Ana is here" in scene.network.heard(ana)
    ends = [one.form for one in scene.product.asked("/room")
            if one.form["StatusCallbackEvent"] == "announcement-end"]  # fmt: skip
    assert {form["AnnounceUrl"] for form in ends} == {danger, everyone}


async def test_a_failed_announcement_is_an_event(scene: Scene) -> None:
    room, caller, *_ = await ai_and_ana_in_room(scene)
    seat = scene.client.conferences(room).participants(caller)
    await scene.request(lambda: seat.update(announce_url="http://127.0.0.1:1/none"))
    await scene.pass_time(1)
    form = scene.product.asked("/room")[-1].form
    assert form["StatusCallbackEvent"] == "announcement-fail"
    assert form["ReasonAnnouncementFailed"]


async def test_wait_documents_loop_until_the_room_starts(scene: Scene) -> None:
    scene.product.says("/wait", "<Say>We are calling somebody</Say><Pause length='3'/>")
    scene.product.says("/voice", into_room(scene, more='waitUrl="/wait"'))
    caller = scene.network.dial(CALLER, LINE, Stay())
    await scene.pass_time(12)
    before = len(scene.product.asked("/wait"))
    assert before >= 2
    assert "We are calling somebody" in scene.network.heard(caller)
    scene.product.says("/ai", "<Gather timeout='60'/>")
    await add(scene, f"app:{APP}?leg=7", label="ai")
    await scene.pass_time(1)
    before = len(scene.product.asked("/wait"))
    await scene.pass_time(20)
    assert len(scene.product.asked("/wait")) == before


async def test_held_members_hear_only_the_hold_document(scene: Scene) -> None:
    room, caller, ai, ana = await ai_and_ana_in_room(scene)
    hold = scene.product.says("/hold", "<Say>One moment please</Say><Pause length='30'/>")
    participants = scene.client.conferences(room).participants
    await scene.request(lambda: participants(caller).update(hold=True, hold_url=hold))
    await scene.pass_time(3)
    scene.network.speak(ana, "just between us")
    assert "just between us" not in scene.network.heard(caller)
    assert "One moment please" in scene.network.heard(caller)
    await scene.request(lambda: participants(caller).update(hold=False))
    scene.network.speak(ana, "back again")
    assert "back again" in scene.network.heard(caller)
    assert ai


async def test_only_the_first_comers_callback_counts(scene: Scene) -> None:
    scene.phone(ANA, Answers(0, Stay()))
    await add(scene, ANA, label="human", conference_status_callback=scene.product.url + "/first",
              conference_status_callback_event=["join"])  # fmt: skip
    await caller_in_room(scene)
    await scene.pass_time(5)
    assert len(scene.product.asked("/first")) == 2
    assert scene.product.asked("/room") == []


async def test_adding_one_of_our_own_numbers_runs_its_voice_url(scene: Scene) -> None:
    await caller_in_room(scene)
    voice = scene.product.says("/other", "<Say>Hello from the other line</Say><Pause length='9'/>")
    scene.network.add_number("+15550000101", voice_url=voice)
    await add(scene, "+15550000101", label="other")
    await scene.pass_time(4)
    assert scene.product.asked("/other")[0].form["To"] == "+15550000101"


async def test_early_media_lets_the_room_hear_the_ringing(scene: Scene) -> None:
    _, caller, *_ = await ai_and_ana_in_room(scene)
    scene.phone("+15550000203", NoAnswer())
    await add(scene, "+15550000203", label="ben", early_media=True)
    await scene.pass_time(5)
    assert "[ringing]" in scene.network.heard(caller)


async def test_what_is_said_in_the_room_takes_its_time(scene: Scene) -> None:
    scene.phone(ANA, Answers(0, Wait(2), Say("x" * 45), Stay()))
    caller = await caller_in_room(scene)
    await add(scene, ANA, label="human")
    await scene.pass_time(5)
    assert "x" not in scene.network.heard(caller)
    await scene.pass_time(1)
    assert "x" * 45 in scene.network.heard(caller)


async def test_amd_callback_parameters_of_calls_are_refused_for_participants(
    scene: Scene,
) -> None:
    body = {"From": LINE, "To": ANA, "AsyncAmd": "true"}
    url = f"{scene.address}/2010-04-01/Accounts/{scene.network.world.account.sid}"
    async with httpx.AsyncClient(auth=(scene.network.world.account.sid, "sandbox-token")) as http:
        reply = await http.post(f"{url}/Conferences/incident/Participants.json", data=body)
    assert reply.json()["code"] == 21263
