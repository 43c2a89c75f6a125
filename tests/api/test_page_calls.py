"""A responder is woken: what they hear, what their key does, and what happens when nobody can answer it."""

import pytest

from tests.api.house import NIGHT, House, item, working
from tests.api.twilio_side import PUBLIC_URL, call_sid
from workflows.labels import responder_label
from workflows.tokens import PAGE, ROOM
from workflows.values import ActReply, Verdict

ROOM_NAME = "af-CA" + "2" * 32
YOURS = ActReply(Verdict.YOURS, "You have it. The caller is on the line.", owner="Ana", conference=ROOM_NAME)
YOURS_ALONE = ActReply(
    Verdict.YOURS, "You have it. Nobody is waiting on the line.", owner="Ana", can_ring=True
)
TAKEN = ActReply(Verdict.TAKEN, "Ben has it. Thank you.", owner="Ben")
DECLINED = ActReply(Verdict.DECLINED, "All right. The next person is being woken.")


async def test_whoever_picks_up_hears_line_kind_severity_and_keys_and_nothing_else(house: House) -> None:
    person = await house.responder(item("e-1", life=True))
    answer = await house.twilio.call(house.page_url(person, item("e-1", life=True)), call_sid())

    prompt = "Riverside Clinic: a patient in danger. Danger to life. Press 4 to take it, press 7 to pass."
    assert answer.says == prompt
    assert answer.verbs == ["Gather", "Redirect"]
    assert answer.attribute("Gather", "numDigits") == "1"
    assert answer.attribute("Gather", "actionOnEmptyResult") == "false"


async def test_a_page_is_read_out_three_times_and_then_it_was_a_voicemail(house: House) -> None:
    page, sid = item("e-1"), call_sid()
    url = house.page_url(await house.responder(page), page)
    heard: list[str] = []
    for _ in range(3):
        answer = await house.twilio.call(url, sid)
        heard.append(answer.says)
        url = answer.words("Redirect") if "Redirect" in answer.verbs else ""
    assert ["Press 4 to take it" in says for says in heard] == [True, True, True]
    assert heard[2].endswith("Goodbye.")
    assert url == ""


async def test_a_voicemail_that_presses_nothing_does_nothing(house: House) -> None:
    escalation = await house.escalation(YOURS)
    person = await house.responder(item(escalation))
    await house.twilio.call(house.page_url(person, item(escalation)), call_sid())
    assert await house.heard(escalation) == []


async def test_a_test_page_says_so(house: House) -> None:
    page = item("e-1", test=True)
    answer = await house.twilio.call(house.page_url(await house.responder(page), page), call_sid())
    assert answer.says.startswith("This is a test. Riverside Clinic")


async def test_a_responder_is_spoken_to_in_their_own_language(house: House) -> None:
    answer = await house.twilio.call(house.page_url("cleo", item("e-1")), call_sid())
    assert "Pulse 4 para aceptarlo, pulse 7 para pasarlo." in answer.says
    assert set(answer.languages) == {"es-MX"}


async def test_the_pages_are_read_as_they_stand_by_now_not_as_they_stood_at_dialling(house: House) -> None:
    late = item("e-2", accept="2", decline="9", spoken="a burst pipe")
    person = await house.responder(item("e-1"), late)
    answer = await house.twilio.call(house.page_url(person, item("e-1")), call_sid())

    assert answer.says.startswith("There are 2 cases for you.")
    assert "a burst pipe. It is urgent. Press 2 to take it, press 9 to pass." in answer.says
    token = answer.attribute("Gather", "action").split("/page/")[1].partition("/")[0]
    assert [one.page for one in house.tokens.open(PAGE, token).items] == ["e-1.1", "e-2.1"]


async def test_a_page_taken_meanwhile_says_who_has_it(house: House) -> None:
    person = await house.responder(taken_by="Ben")
    answer = await house.twilio.call(house.page_url(person, item("e-1")), call_sid())
    assert answer.says == "This has been taken by Ben. Thank you."
    assert answer.verbs == ["Say", "Hangup"]


async def test_whoever_has_it_already_is_offered_the_way_in(house: House) -> None:
    way_in = item("e-1", kind="join", conference=ROOM_NAME)
    answer = await house.twilio.call(house.page_url(await house.responder(way_in), way_in), call_sid())
    assert "You have it. Press 4 to join the caller." in answer.says
    assert "pass" not in answer.says


async def test_the_accepting_key_seats_the_same_leg_in_the_room_once_the_workflow_said_so(
    house: House,
) -> None:
    escalation = await house.escalation(YOURS)
    person, sid = await house.responder(item(escalation)), call_sid()
    asked = await house.twilio.call(house.page_url(person, item(escalation)), sid)
    seated = await house.twilio.call(asked.attribute("Gather", "action"), sid, "4")

    assert seated.says == "You have it. The caller is on the line."
    assert seated.words("Conference") == ROOM_NAME
    assert seated.attribute("Conference", "participantLabel") == responder_label(person, sid)
    assert seated.attribute("Conference", "statusCallback") == f"{PUBLIC_URL}/conference/CA{'2' * 32}"
    assert seated.attribute("Conference", "endConferenceOnExit") == "false"
    assert "waitUrl" not in seated.one("Conference").attrib
    dial = seated.one("Dial").attrib
    assert (dial["hangupOnStar"], dial["timeLimit"]) == ("true", "14400")
    token = dial["action"].split("/room/")[1].removesuffix("/left")
    room = house.tokens.open(ROOM, token)
    assert (room.person, room.escalation, room.conference) == (person, escalation, ROOM_NAME)
    (act,) = await house.told(escalation, "acknowledge")
    assert act["id"] == f"key:{sid}:{escalation}.1:acknowledge"
    assert (act["by"], act["via"], act["leg"], act["page"]) == (person, "key", sid, f"{escalation}.1")
    assert act["pressed_at"] == NIGHT.isoformat().replace("+00:00", "Z")


async def test_a_repeated_key_is_one_act_with_one_answer(house: House) -> None:
    escalation = await house.escalation(YOURS)
    person, sid = await house.responder(item(escalation)), call_sid()
    asked = await house.twilio.call(house.page_url(person, item(escalation)), sid)
    key = asked.attribute("Gather", "action")
    first = await house.twilio.call(key, sid, "4")
    assert (await house.twilio.call(key, sid, "4")).says == first.says
    assert len(await house.told(escalation, "acknowledge")) == 1


async def test_the_way_in_is_an_acknowledgement_with_the_leg(house: House) -> None:
    escalation = await house.escalation(YOURS)
    way_in, sid = item(escalation, kind="join", conference=ROOM_NAME), call_sid()
    asked = await house.twilio.call(house.page_url(await house.responder(way_in), way_in), sid)
    seated = await house.twilio.call(asked.attribute("Gather", "action"), sid, "4")
    assert seated.words("Conference") == ROOM_NAME
    assert (await house.told(escalation, "acknowledge"))[0]["leg"] == sid


@pytest.mark.parametrize(("reply", "key", "said"), [(TAKEN, "4", "Ben has it"), (DECLINED, "7", "All right")])
async def test_whoever_does_not_get_it_hears_why_and_goodbye(
    house: House, reply: ActReply, key: str, said: str
) -> None:
    escalation = await house.escalation(reply)
    person, sid = await house.responder(item(escalation)), call_sid()
    asked = await house.twilio.call(house.page_url(person, item(escalation)), sid)
    answer = await house.twilio.call(asked.attribute("Gather", "action"), sid, key)
    assert said in answer.says
    assert answer.verbs[-1] == "Hangup"


async def test_a_reply_is_rendered_in_the_responders_language(house: House) -> None:
    escalation = await house.escalation(TAKEN)
    asked = await house.twilio.call(house.page_url("cleo", item(escalation)), call_sid())
    answer = await house.twilio.call(asked.attribute("Gather", "action"), call_sid(), "4")
    assert answer.says == "Ya se ocupa Ben. Gracias. Adiós."


async def test_with_nobody_on_the_line_the_caller_can_be_rung_back(house: House) -> None:
    escalation = await house.escalation(YOURS_ALONE, contact="+12025550150")
    await house.stands(escalation, case=house.case(contact="+12025550150"), callers_waiting=0)
    person, sid = await house.responder(item(escalation)), call_sid()
    asked = await house.twilio.call(house.page_url(person, item(escalation)), sid)
    offered = await house.twilio.call(asked.attribute("Gather", "action"), sid, "4")
    assert "Press 1 to ring the caller back through the line." in offered.says
    assert offered.verbs == ["Gather", "Say", "Hangup"]

    ringing = await house.twilio.call(offered.attribute("Gather", "action"), sid, "1")
    assert ringing.words("Number") == "+12025550150"
    assert ringing.attribute("Dial", "callerId") == "+12025550101"


@pytest.mark.parametrize("digit", ["1", "0", "*"])
async def test_a_wrong_key_is_asked_again_and_does_nothing(house: House, digit: str) -> None:
    escalation = await house.escalation(YOURS)
    person, sid = await house.responder(item(escalation)), call_sid()
    asked = await house.twilio.call(house.page_url(person, item(escalation)), sid)
    wrong = await house.twilio.call(asked.attribute("Gather", "action"), sid, digit)
    assert wrong.verbs == ["Say", "Redirect"]
    again = await house.twilio.call(wrong.words("Redirect"), sid)
    assert "Press 4 to take it" in again.says
    assert await house.heard(escalation) == []


async def test_a_key_that_was_lost_on_its_way_is_asked_for_anew_without_a_word_of_blame(house: House) -> None:
    escalation = await house.escalation(YOURS)
    person, sid = await house.responder(item(escalation)), call_sid()
    asked = await house.twilio.call(house.page_url(person, item(escalation)), sid)
    led_back = await house.twilio.call(asked.attribute("Gather", "action"), sid, "")
    assert led_back.verbs == ["Redirect"]
    again = await house.twilio.call(led_back.words("Redirect"), sid)
    assert "Press 4 to take it" in again.says


async def test_wrong_keys_without_end_come_to_an_end(house: House) -> None:
    person, sid = await house.responder(item("e-1")), call_sid()
    answer = await house.twilio.call(house.page_url(person, item("e-1")), sid)
    for _ in range(10):
        if answer.verbs[-1] == "Hangup" and "Gather" not in answer.verbs:
            return
        wrong = await house.twilio.call(answer.attribute("Gather", "action"), sid, "0")
        answer = await house.twilio.call(wrong.words("Redirect"), sid)
    pytest.fail("a tone that repeats itself keeps the phone busy")


async def test_further_pages_of_the_same_call_are_asked_for_one_after_the_other(house: House) -> None:
    first, second = await house.escalation(DECLINED), await house.escalation(YOURS)
    pages = item(first), item(second, accept="2", decline="9", spoken="a burst pipe")
    person, sid = await house.responder(*pages), call_sid()
    asked = await house.twilio.call(house.page_url(person, *pages), sid)
    declined = await house.twilio.call(asked.attribute("Gather", "action"), sid, "7")
    assert declined.verbs == ["Say", "Redirect"]
    rest = await house.twilio.call(declined.words("Redirect"), sid)
    assert "burst pipe" in rest.says
    assert "patient" not in rest.says
    seated = await house.twilio.call(rest.attribute("Gather", "action"), sid, "2")
    assert seated.words("Conference") == ROOM_NAME


async def test_a_key_for_a_case_that_is_closed_is_answered_kindly(house: House) -> None:
    person, sid = await house.responder(item("e-gone")), call_sid()
    asked = await house.twilio.call(house.page_url(person, item("e-gone")), sid)
    answer = await house.twilio.call(asked.attribute("Gather", "action"), sid, "4")
    assert answer.says == "This case is closed. Thank you. Goodbye."


async def test_call_progress_reaches_the_persons_workflow(house: House) -> None:
    person, sid = await house.responder(), call_sid()
    answer = await house.twilio.call(f"/page/status?person={person}&ring=1-p", sid, CallStatus="no-answer")
    assert answer.status == 204
    (news,) = await house.told(f"responder-{person}", "progress")
    assert (news["ring"], news["sid"], news["status"]) == ("1-p", sid, "no-answer")


async def test_call_progress_of_a_person_nobody_needs_any_more_is_no_news(house: House) -> None:
    answer = await house.twilio.call(
        "/page/status?person=nobody&ring=1-p", call_sid(), CallStatus="completed"
    )
    assert answer.status == 204


# While no worker is up


async def test_without_a_worker_the_token_says_what_the_page_is_about(no_worker: House) -> None:
    person = await no_worker.responder()
    answer = await no_worker.twilio.call(no_worker.page_url(person, item("e-1", life=True)), call_sid())
    assert "Riverside Clinic: a patient in danger. Danger to life. Press 4 to take it" in answer.says


async def test_of_several_pages_in_a_token_no_line_is_named_that_may_be_another(no_worker: House) -> None:
    pages = item("e-1"), item("e-2", accept="2", decline="9")
    answer = await no_worker.twilio.call(no_worker.page_url("ana", *pages), call_sid())
    assert "Riverside Clinic" not in answer.says


async def test_an_unanswered_act_is_signalled_and_asked_for_again_under_the_same_id(
    no_worker: House, temporal: str
) -> None:
    escalation = await no_worker.escalation(YOURS)
    sid = call_sid()
    asked = await no_worker.twilio.call(no_worker.page_url("ana", item(escalation)), sid)
    moment = await no_worker.twilio.call(asked.attribute("Gather", "action"), sid, "4")
    assert moment.says == "One moment, please."
    assert "you have it" not in moment.text.lower()
    still = await no_worker.twilio.call(moment.words("Redirect"), sid)
    assert still.verbs == ["Say", "Redirect"]

    async with working(temporal):
        seated = await no_worker.twilio.call(still.words("Redirect"), sid)
        acts = await no_worker.heard(escalation)
    assert seated.words("Conference") == ROOM_NAME
    assert {name for name, _ in acts} == {"acknowledge", "acknowledge signalled"}
    assert len([name for name, _ in acts if name == "acknowledge"]) == 1
    assert len({act["id"] for _, act in acts}) == 1
    assert len({act["pressed_at"] for _, act in acts}) == 1


async def test_when_no_answer_ever_comes_the_willing_person_is_seated_all_the_same(no_worker: House) -> None:
    escalation = await no_worker.escalation()
    page, sid = item(escalation, conference=ROOM_NAME), call_sid()
    asked = await no_worker.twilio.call(no_worker.page_url("ana", page), sid)
    answer = await no_worker.twilio.call(asked.attribute("Gather", "action"), sid, "4")
    rounds = 0
    while "Redirect" in answer.verbs:
        answer = await no_worker.twilio.call(answer.words("Redirect"), sid)
        rounds += 1
    assert rounds == 5
    assert answer.says == "I cannot confirm this now. I am joining you with the caller."
    assert answer.words("Conference") == ROOM_NAME
