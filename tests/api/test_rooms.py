"""Out of the room and back: the `*` menu, and ringing back a caller who is gone."""

import pytest

from tests.api.house import CLINIC, House
from tests.api.twilio_side import PUBLIC_URL, call_sid
from workflows.emergency import Phase
from workflows.labels import responder_label
from workflows.messages import call_workflow_id
from workflows.tokens import ROOM, RoomToken
from workflows.values import ActReply, CallSid, EscalationId, PageId, PersonId, Verdict

RESOLVED = ActReply(Verdict.RESOLVED, "Resolved. The assistant leaves; you can talk on.")
DECLINED = ActReply(Verdict.DECLINED, "All right. The next person is being woken.")
OVER = ActReply(Verdict.OVER, "This case is already resolved. Thank you.")
CONTACT = "+12025550150"


async def room_of(house: House, escalation: EscalationId, sid: CallSid | None) -> str:
    conference = f"af-{sid}" if sid else None
    token = RoomToken(PersonId("ana"), escalation, PageId(f"{escalation}.1"), CLINIC, conference)
    return f"{PUBLIC_URL}/room/{house.tokens.make(ROOM, token)}"


async def a_call(house: House) -> CallSid:
    sid = call_sid()
    await house.twilio.call("/voice/incoming", sid)
    return sid


async def test_a_responder_who_hung_up_is_gone_from_the_call(house: House) -> None:
    escalation, caller, leg = await house.escalation(), await a_call(house), call_sid()
    room = await room_of(house, escalation, caller)
    assert (await house.twilio.call(f"{room}/left", leg, CallStatus="completed")).verbs == []
    assert await house.told(call_workflow_id(caller), "leg") == [{"version": 1, "sid": leg, "what": "gone"}]


async def test_star_leads_to_the_menu_and_the_call_knows(house: House) -> None:
    escalation, caller, leg = await house.escalation(), await a_call(house), call_sid()
    menu = await house.twilio.call(f"{await room_of(house, escalation, caller)}/left", leg)

    assert menu.says == (
        "Press 2 to go back to the caller. Press 1 if it is resolved."
        " Press 3 to hand it over to the next person."
    )
    assert await house.told(call_workflow_id(caller), "leg") == [{"version": 1, "sid": leg, "what": "menu"}]


@pytest.mark.parametrize("digits", ["2", None, "9", "4"])
async def test_back_silence_and_keys_without_meaning_lead_back_to_the_waiting_caller(
    house: House, digits: str | None
) -> None:
    escalation, caller, leg = await house.escalation(), await a_call(house), call_sid()
    menu = await house.twilio.call(f"{await room_of(house, escalation, caller)}/left", leg)
    back = await house.twilio.call(menu.attribute("Gather", "action"), leg, digits)
    assert back.words("Conference") == f"af-{caller}"
    assert back.attribute("Conference", "participantLabel") == responder_label(PersonId("ana"), leg)
    assert await house.heard(escalation) == []


async def test_resolved_leads_back_to_the_caller_since_humans_talk_on(house: House) -> None:
    escalation, caller, leg = await house.escalation(RESOLVED), await a_call(house), call_sid()
    menu = await house.twilio.call(f"{await room_of(house, escalation, caller)}/left", leg)
    back = await house.twilio.call(menu.attribute("Gather", "action"), leg, "1")
    assert back.says.startswith("Resolved.")
    assert back.words("Conference") == f"af-{caller}"
    (act,) = await house.told(escalation, "resolve")
    assert (act["by"], act["via"], act["page"]) == ("ana", "key", f"{escalation}.1")


async def test_a_key_in_the_menu_is_one_act_and_in_a_later_showing_another(house: House) -> None:
    escalation, caller, leg = await house.escalation(RESOLVED), await a_call(house), call_sid()
    room = await room_of(house, escalation, caller)
    first = (await house.twilio.call(f"{room}/left", leg)).attribute("Gather", "action")
    await house.twilio.call(first, leg, "1")
    await house.twilio.call(first, leg, "1")
    assert len(await house.told(escalation, "resolve")) == 1
    second = (await house.twilio.call(f"{room}/left", leg)).attribute("Gather", "action")
    await house.twilio.call(second, leg, "1")
    assert len({act["id"] for act in await house.told(escalation, "resolve")}) == 2


async def test_whoever_hands_over_leaves_and_the_call_knows(house: House) -> None:
    escalation, caller, leg = await house.escalation(DECLINED), await a_call(house), call_sid()
    menu = await house.twilio.call(f"{await room_of(house, escalation, caller)}/left", leg)
    answer = await house.twilio.call(menu.attribute("Gather", "action"), leg, "3")
    assert answer.verbs == ["Say", "Say", "Hangup"]
    assert len(await house.told(escalation, "decline")) == 1
    assert [one["what"] for one in await house.told(call_workflow_id(caller), "leg")] == ["menu", "gone"]


async def test_a_case_that_was_closed_meanwhile_keeps_its_two_humans_together(house: House) -> None:
    escalation, caller, leg = await house.escalation(OVER), await a_call(house), call_sid()
    menu = await house.twilio.call(f"{await room_of(house, escalation, caller)}/left", leg)
    back = await house.twilio.call(menu.attribute("Gather", "action"), leg, "1")
    assert back.words("Conference") == f"af-{caller}"


async def test_a_caller_who_is_gone_can_be_rung_back_and_the_room_is_not_offered(house: House) -> None:
    escalation, caller, leg = await house.escalation(), await a_call(house), call_sid()
    await house.stands(
        escalation, callers_waiting=0, phase=Phase.FOLLOWING_UP, case=house.case(contact=CONTACT)
    )
    menu = await house.twilio.call(f"{await room_of(house, escalation, caller)}/left", leg)
    assert "Press 4 to ring the caller back" in menu.says
    assert "Press 2" not in menu.says

    ringing = await house.twilio.call(menu.attribute("Gather", "action"), leg, "4")
    assert (ringing.words("Number"), ringing.attribute("Dial", "callerId")) == (CONTACT, "+12025550101")
    after = await house.twilio.call(ringing.attribute("Dial", "action"), leg, DialCallStatus="completed")
    assert "Press 1 if it is resolved" in after.says


async def test_without_a_contact_the_number_of_the_call_is_rung(house: House) -> None:
    escalation, caller, leg = await house.escalation(), await a_call(house), call_sid()
    await house.stands(escalation, callers_waiting=0)
    menu = await house.twilio.call(f"{await room_of(house, escalation, caller)}/left", leg)
    ringing = await house.twilio.call(menu.attribute("Gather", "action"), leg, "4")
    assert ringing.words("Number") == "+12025550199"


@pytest.mark.parametrize("number", ["anonymous", "911", "+1911", "+19005550100", "+266696687"])
async def test_numbers_that_may_not_be_rung_are_not_offered(house: House, number: str) -> None:
    escalation, leg = await house.escalation(), call_sid()
    await house.stands(escalation, callers_waiting=0, case=house.case(contact=number))
    menu = await house.twilio.call(f"{await room_of(house, escalation, None)}/left", leg)
    assert "Press 4" not in menu.says
    refused = await house.twilio.call(menu.attribute("Gather", "action"), leg, "4")
    assert "Number" not in refused.text.replace("number", "")
    assert "There is no number" in refused.says


async def test_silence_with_nobody_waiting_ends_this_leg(house: House) -> None:
    escalation, caller, leg = await house.escalation(), await a_call(house), call_sid()
    await house.stands(escalation, callers_waiting=0)
    menu = await house.twilio.call(f"{await room_of(house, escalation, caller)}/left", leg)
    assert (await house.twilio.call(menu.attribute("Gather", "action"), leg)).verbs == ["Say", "Hangup"]


async def test_while_no_worker_is_up_the_menu_leads_back_and_acts_are_on_record(no_worker: House) -> None:
    escalation, leg = await no_worker.escalation(), call_sid()
    menu = await no_worker.twilio.call(f"{await room_of(no_worker, escalation, call_sid())}/left", leg)
    assert "Press 2 to go back" in menu.says
    answer = await no_worker.twilio.call(menu.attribute("Gather", "action"), leg, "1")
    assert "I cannot confirm this now. It has been written down." in answer.says
    assert "Conference" in answer.text
