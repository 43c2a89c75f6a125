"""How a caller is answered: the menu, the emergency, the room, a message."""

import asyncio
from pathlib import Path

import pytest
from temporalio.common import SearchAttributeKey

from tests.api.house import CLINIC, OPENING_HOURS, House, connected, house_of, working
from tests.api.twilio_side import PUBLIC_URL, Twiml, call_sid, conference_sid
from workflows.emergency import Phase
from workflows.labels import caller_label
from workflows.messages import CallInput, call_workflow_id
from workflows.tokens import EAR
from workflows.values import CallSid, Severity
from workflows.voice import Speaker

UNKNOWN = "+12025550177"
CALLER = "+12025550199"


async def test_the_danger_sentence_comes_first_in_every_language_of_the_line(house: House) -> None:
    answer = await house.twilio.call("/voice/incoming", call_sid())

    assert answer.says.startswith("If anyone is in danger, hang up and dial 911. Si alguien está en peligro")
    assert answer.languages[:2] == ["en-US", "es-MX"]
    assert "You have reached Riverside Clinic. To report an emergency, press 1." in answer.says


async def test_an_incoming_call_starts_its_workflow_with_the_line_and_a_digest_of_the_caller(
    house: House,
) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)

    handle = house.client.get_workflow_handle(call_workflow_id(sid))
    start = await handle.query("begun_with", result_type=CallInput)
    assert (start.line.id, start.caller_number) == ("clinic", CALLER)
    found = (await handle.describe()).typed_search_attributes[SearchAttributeKey.for_keyword("RungCaller")]
    assert found == start.caller_digest == house.desk.digest(CALLER)
    assert CALLER not in found
    assert len(found) == 32


async def test_a_repeated_webhook_finds_the_same_call(house: House) -> None:
    sid = call_sid()
    first = await house.twilio.call("/voice/incoming", sid)
    assert await house.twilio.call("/voice/incoming", sid) == first


async def test_a_call_that_is_over_is_not_started_again(house: House) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    handle = house.client.get_workflow_handle(call_workflow_id(sid))
    await handle.signal("end")
    await handle.result()

    assert (await house.twilio.call("/voice/incoming", sid)).status == 200
    assert (await handle.describe()).close_time is not None


@pytest.mark.parametrize("caller", ["anonymous", "unknown", "+266696687", "sip:ana@example.org"])
async def test_a_withheld_number_has_no_digest(house: House, caller: str) -> None:
    assert house.desk.digest(caller) == ""
    sid = call_sid()
    answer = await house.twilio.call("/voice/incoming", sid, From=caller)
    assert "To report an emergency" in answer.says


async def test_an_unknown_number_gets_an_apology_and_a_record(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    sid = call_sid()
    answer = await house.twilio.call("/voice/incoming", sid, To=UNKNOWN)

    assert answer.verbs == ["Say", "Hangup"]
    assert "not in service" in answer.says
    assert not await house.exists(call_workflow_id(sid))
    record = capfd.readouterr()
    assert "call to a number that no line has" in record.out + record.err
    assert UNKNOWN not in record.out + record.err


async def test_a_call_back_number_leads_to_its_line(house: House) -> None:
    answer = await house.twilio.call("/voice/incoming", call_sid(), To="+12025550102")
    assert "Riverside Clinic" in answer.says


async def test_in_opening_hours_the_desk_is_rung_first(temporal: str, tmp_path: Path) -> None:
    client = await connected(temporal)
    async with working(temporal), house_of(client, tmp_path, now=OPENING_HOURS) as house:
        sid = call_sid()
        answer = await house.twilio.call("/voice/incoming", sid)
        assert answer.words("Number") == "+12025550100"
        assert answer.attribute("Dial", "timeout") == "25"
        assert not await house.exists(call_workflow_id(sid))

        there = answer.attribute("Dial", "action")
        nobody = await house.twilio.call(there, sid, DialCallStatus="no-answer")
        assert "To report an emergency" in nobody.says
        talked = await house.twilio.call(there, call_sid(), DialCallStatus="completed")
        assert talked.verbs == ["Hangup"]


async def test_where_there_is_a_voice_the_caller_comes_into_the_ais_room_behind_the_danger_sentence(
    temporal: str, tmp_path: Path
) -> None:
    client = await connected(temporal)
    async with working(temporal), house_of(client, tmp_path, voice=True) as house:
        sid = call_sid()
        answer = await house.twilio.call("/voice/incoming", sid)
        assert answer.verbs == ["Say", "Say", "Stop", "Start", "Dial", "Redirect"]
        assert answer.says.startswith("If anyone is in danger")
        assert answer.words("Conference") == f"af-{sid}"
        (ear,) = answer.one("Start")
        assert (ear.attrib["track"], ear.attrib["name"]) == ("inbound_track", "ear")
        token = house.tokens.open(EAR, ear[0].attrib["value"])
        assert (token.call, token.leg, token.speaker) == (sid, sid, Speaker.CALLER)
        handle = house.client.get_workflow_handle(call_workflow_id(sid))
        start = await handle.query("begun_with", result_type=CallInput)
        assert start.speech is not None
        assert "Riverside Clinic" in start.speech.greeting


async def test_a_caller_with_whom_nobody_talks_gets_the_menu(house: House) -> None:
    answer = await house.twilio.call("/voice/menu/again", call_sid())
    assert answer.says.startswith("If anyone is in danger")
    assert "To report an emergency, press 1." in answer.says


async def test_digits_go_to_the_call_and_the_caller_goes_back_into_the_room(house: House) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    asked = await house.twilio.call("/voice/keys/ask?about=place", sid)
    assert "house number" in asked.says
    assert asked.attribute("Gather", "finishOnKey") == "#"
    room = await house.twilio.call(asked.attribute("Gather", "action"), sid, "412")
    assert room.words("Conference") == f"af-{sid}"
    (keys,) = await house.told(call_workflow_id(sid), "keys")
    assert (keys["about"], keys["digits"]) == ("place", "412")


async def test_what_nobody_asks_for_is_refused(house: House) -> None:
    answer = await house.twilio.call("/voice/keys/ask?about=password", call_sid())
    assert answer.status == 422


async def test_silence_is_asked_twice_and_then_escalates_as_not_understood(house: House) -> None:
    sid = call_sid()
    first = await house.twilio.call("/voice/incoming", sid)
    second = await house.twilio.call(first.attribute("Gather", "action"), sid)
    assert second.says.startswith("If anyone is in danger")
    room = await house.twilio.call(second.attribute("Gather", "action"), sid)

    assert room.words("Conference") == f"af-{sid}"
    (report,) = await house.told(call_workflow_id(sid), "report")
    assert (report["category"], report["severity"]) == ("not-understood", "urgent")


async def test_silence_on_a_line_that_abandons_ends_the_call(house: House) -> None:
    sid = call_sid()
    first = await house.twilio.call("/voice/incoming", sid, To="+12025550103")
    second = await house.twilio.call(first.attribute("Gather", "action"), sid, To="+12025550103")
    last = await house.twilio.call(second.attribute("Gather", "action"), sid, To="+12025550103")
    assert last.verbs == ["Say", "Hangup"]
    assert await house.told(call_workflow_id(sid), "report") == []
    assert [note["what"] for note in await house.told(call_workflow_id(sid), "note")] == ["silent"]


async def test_an_emergency_is_reported_and_the_caller_enters_the_room(house: House) -> None:
    sid = call_sid()
    menu = await house.twilio.call("/voice/incoming", sid)
    categories = await house.twilio.call(menu.attribute("Gather", "action"), sid, "1")
    assert "For a problem with the building, press 3." in categories.says
    room = await house.twilio.call(categories.attribute("Gather", "action"), sid, "3")

    (report,) = await house.told(call_workflow_id(sid), "report")
    assert report["category"] == "building"
    assert report["severity"] == Severity.ROUTINE
    assert room.verbs == ["Say", "Dial", "Redirect"]
    assert room.attribute("Dial", "action") == f"{PUBLIC_URL}/voice/left?attempt=1"
    assert room.attribute("Dial", "timeLimit") == "14400"
    assert room.one("Conference").attrib == {
        "participantLabel": caller_label(sid),
        "beep": "false",
        "startConferenceOnEnter": "true",
        "endConferenceOnExit": "false",
        "jitterBufferSize": "small",
        "waitUrl": f"{PUBLIC_URL}/voice/wait/clinic",
        "statusCallback": f"{PUBLIC_URL}/conference/{sid}",
        "statusCallbackEvent": "end join leave announcement",
    }
    assert room.words("Conference") == f"af-{sid}"


async def test_a_repeated_key_reports_the_emergency_once(house: House) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    first = await house.twilio.call("/voice/category?attempt=1", sid, "3")
    assert await house.twilio.call("/voice/category?attempt=1", sid, "3") == first
    assert len(await house.told(call_workflow_id(sid), "report")) == 1


async def test_danger_to_life_says_the_sentence_again_and_asks_whether_they_called(house: House) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    asked = await house.twilio.call("/voice/category?attempt=1", sid, "1")

    assert asked.says.startswith("If anyone is in danger, hang up and dial 911.")
    assert asked.attribute("Gather", "timeout") == "5"
    assert (await house.told(call_workflow_id(sid), "report"))[0]["severity"] == "life"
    room = await house.twilio.call(asked.attribute("Gather", "action"), sid, "1")
    assert room.words("Conference") == f"af-{sid}"
    assert await house.told(call_workflow_id(sid), "note") == [{"version": 1, "what": "emergency-called"}]


async def test_whoever_stays_silent_after_the_danger_sentence_is_in_the_room_all_the_same(
    house: House,
) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    asked = await house.twilio.call("/voice/category?attempt=1", sid, "1")
    room = await house.twilio.call(asked.attribute("Gather", "action"), sid)
    assert room.words("Conference") == f"af-{sid}"
    assert await house.told(call_workflow_id(sid), "note") == []


async def test_a_line_without_categories_escalates_at_the_emergency_key(house: House) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid, To="+12025550103")
    room = await house.twilio.call("/voice/menu?attempt=1", sid, "1", To="+12025550103")
    assert room.words("Conference") == f"af-{sid}"
    assert (await house.told(call_workflow_id(sid), "report"))[0]["category"] == "emergency"


async def test_a_message_is_recorded_and_passed_on(house: House) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    tone = await house.twilio.call("/voice/menu?attempt=1", sid, "2")
    thanks = await house.twilio.call(
        tone.attribute("Record", "action"),
        sid,
        RecordingUrl="https://api.example.org/RE1",
        RecordingDuration="12",
    )
    assert thanks.verbs == ["Say", "Hangup"]
    (left,) = await house.told(call_workflow_id(sid), "message_left")
    assert (left["url"], left["seconds"]) == ("https://api.example.org/RE1", 12)


async def test_an_empty_recording_is_no_message(house: House) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    answer = await house.twilio.call("/voice/message", sid)
    assert "No message was recorded" in answer.says
    assert await house.told(call_workflow_id(sid), "message_left") == []


async def test_a_caller_hears_how_their_open_case_stands_and_is_back_in_the_menu(house: House) -> None:
    caller = "+12025550188"
    escalation = await house.escalation(caller_digest=house.desk.digest(caller))
    await house.stands(escalation, owner="Ana")
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid, From=caller)

    answer = await _until_listed(house, sid, caller)
    assert answer.says.startswith("Your case is open, and Ana has it.")
    assert "To report an emergency" in answer.says
    assert {"version": 1, "what": "case-heard"} in await house.told(call_workflow_id(sid), "note")


async def _until_listed(house: House, sid: CallSid, caller: str) -> Twiml:
    """Temporal lists a workflow a moment after it was started."""
    for _ in range(50):
        answer = await house.twilio.call("/voice/menu?attempt=1", sid, "3", From=caller)
        if "no open case" not in answer.says:
            return answer
        await asyncio.sleep(0.1)
    raise AssertionError("the open case was never listed")


async def test_another_caller_hears_nothing_of_it(house: House) -> None:
    await house.escalation(caller_digest=house.desk.digest("+12025550187"))
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    answer = await house.twilio.call("/voice/menu?attempt=1", sid, "3", From="+12025550186")
    assert "There is no open case" in answer.says


async def test_a_caller_whose_room_collapsed_goes_back_in(house: House) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    room = await house.twilio.call("/voice/left?attempt=1", sid)
    assert room.words("Conference") == f"af-{sid}"
    assert room.attribute("Dial", "action") == f"{PUBLIC_URL}/voice/left?attempt=2"


async def test_a_caller_whose_case_is_over_hears_goodbye(house: House) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    await house.client.get_workflow_handle(call_workflow_id(sid)).signal("will", False)
    assert (await house.twilio.call("/voice/left", sid)).verbs == ["Say", "Hangup"]


async def test_a_room_that_throws_the_caller_out_again_and_again_ends_in_the_fallback(house: House) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    answer = await house.twilio.call("/voice/left?attempt=10", sid)
    assert answer.words("Number") == "+12025550111"


async def test_a_caller_who_hung_up_in_the_room_is_told_to_the_call(house: House) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    assert (await house.twilio.call("/voice/left", sid, CallStatus="completed")).verbs == []
    assert (await house.twilio.call("/voice/ended", sid, CallStatus="completed")).status == 204
    news = await house.told(call_workflow_id(sid), "caller_ended")
    assert [one["what"] for one in news] == ["gone", "gone"]


async def test_the_end_of_a_call_that_is_over_is_no_news(house: House) -> None:
    assert (await house.twilio.call("/voice/ended", call_sid(), CallStatus="completed")).status == 204


async def test_an_empty_room_says_the_danger_sentence_in_all_languages(house: House) -> None:
    for answer in (
        await house.twilio.get("/voice/wait/clinic"),
        await house.twilio.post("/voice/wait/clinic"),
    ):
        assert answer.verbs == ["Say", "Say", "Pause"]
        assert answer.says.startswith("If anyone is in danger")


async def test_an_empty_room_of_a_line_that_was_removed_stays_open(house: House) -> None:
    assert (await house.twilio.get("/voice/wait/gone")).verbs == ["Say", "Pause"]


async def test_conference_events_reach_the_call(house: House) -> None:
    sid, room = call_sid(), conference_sid()
    await house.twilio.call("/voice/incoming", sid)
    answer = await house.twilio.post(
        f"/conference/{sid}",
        StatusCallbackEvent="participant-join",
        ConferenceSid=room,
        FriendlyName=f"af-{sid}",
        CallSid=sid,
        ParticipantLabel=caller_label(sid),
        SequenceNumber="1",
        Timestamp="Tue, 03 Mar 2026 07:18:00 +0000",
    )
    assert answer.status == 204
    (news,) = await house.told(call_workflow_id(sid), "conference")
    assert (news["event"], news["conference"], news["label"]) == ("participant-join", room, caller_label(sid))


async def test_conference_events_without_a_leg_reach_the_call_too(house: House) -> None:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    params = {"StatusCallbackEvent": "conference-end", "ConferenceSid": conference_sid(), "FriendlyName": "x"}
    assert (await house.twilio.post(f"/conference/{sid}", params)).status == 204
    assert (await house.told(call_workflow_id(sid), "conference"))[0]["leg"] is None


async def listed(house: House, caller: str) -> None:
    """Until a case of this caller's can be found: Temporal lists a moment later than it starts."""
    async with asyncio.timeout(20):
        while not await house.desk.messenger.open_cases(house.desk.digest(caller), CLINIC):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def begun_with(house: House, sid: CallSid) -> CallInput:
    handle = house.client.get_workflow_handle(call_workflow_id(sid))
    begun: CallInput = await handle.query("begun_with", result_type=CallInput)
    return begun


async def test_who_rings_again_within_four_hours_goes_straight_back_to_their_case(
    temporal: str, tmp_path: Path
) -> None:
    client = await connected(temporal)
    caller = "+12025550131"
    async with working(temporal), house_of(client, tmp_path, voice=True) as house:
        case = await house.escalation(caller_digest=house.desk.digest(caller))
        await house.stands(case)
        await listed(house, caller)
        sid = call_sid()
        answer = await house.twilio.call("/voice/incoming", sid, From=caller)
        assert answer.words("Conference") == f"af-{sid}"
        open_case = (await begun_with(house, sid)).open_case
        assert open_case is not None
        assert (open_case.escalation, open_case.room) == (case, "")


async def test_who_rings_again_comes_into_the_owners_room(house: House) -> None:
    caller = "+12025550132"
    room = f"af-{call_sid()}"
    case = await house.escalation(caller_digest=house.desk.digest(caller))
    await house.stands(case, owner_room=room, phase=Phase.ATTENDED)
    await listed(house, caller)
    answer = await house.twilio.call("/voice/incoming", call_sid(), From=caller)
    assert answer.says.startswith("If anyone is in danger")
    assert answer.words("Conference") == room


async def test_on_a_line_with_a_menu_who_rings_again_chooses_as_before(house: House) -> None:
    caller = "+12025550133"
    case = await house.escalation(caller_digest=house.desk.digest(caller))
    await house.stands(case)
    await listed(house, caller)
    sid = call_sid()
    assert "To report an emergency" in (await house.twilio.call("/voice/incoming", sid, From=caller)).says
    assert (await begun_with(house, sid)).open_case is not None, "what they report is merged into it"


async def test_a_case_that_is_closed_is_no_open_case(house: House) -> None:
    caller = "+12025550134"
    case = await house.escalation(caller_digest=house.desk.digest(caller))
    await house.stands(case, phase=Phase.RESOLVED)
    await listed(house, caller)
    assert await house.desk.open_case(CLINIC, caller) is None
