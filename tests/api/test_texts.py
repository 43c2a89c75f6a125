"""SMS: an answer to a page, and what became of ours."""

import pytest
from temporalio.common import WorkflowIDConflictPolicy

from api.spool import hand_over
from api.texts import standing_of
from tests.api.house import NIGHT, House, working
from tests.api.twilio_side import Twiml, message_sid
from workflows.messages import ResponderInput, TextMatch, responder_workflow_id
from workflows.orders import WORKFLOWS
from workflows.pages import Standing
from workflows.values import ActReply, EscalationId, PageId, PersonId, Verdict

ANA, BENS_TEXTS = "+12025550111", "+12025550132"
YOURS = ActReply(Verdict.YOURS, "You have it. Nobody is waiting on the line.", owner="Ana")


async def text(house: House, body: str, sender: str = ANA, sid: str | None = None, **more: str) -> Twiml:
    given = {"MessageSid": sid or message_sid(), "From": sender, "To": "+12025550101", "Body": body, **more}
    return await house.twilio.post("/sms", given)


async def paged(house: House, person: str, escalation: EscalationId) -> None:
    """This person has an open page with the code 4711."""
    handle = await house.client.start_workflow(
        "ResponderWorkflow",
        ResponderInput(person=PersonId(person)),
        id=responder_workflow_id(PersonId(person)),
        task_queue=WORKFLOWS,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await handle.signal("has_page", TextMatch(page=PageId(f"{escalation}.1"), escalation=escalation))


async def test_the_code_takes_the_page_and_the_reply_says_so(house: House) -> None:
    escalation, sid = await house.escalation(YOURS), message_sid()
    await paged(house, "ana", escalation)
    answer = await text(house, " 4711 ", sid=sid)

    assert answer.words("Message") == "You have it. Nobody is waiting on the line."
    (act,) = await house.told(escalation, "acknowledge")
    assert (act["id"], act["by"], act["via"]) == (f"text:{sid}:acknowledge", "ana", "text")
    assert (act["page"], act["code"], act["leg"]) == (f"{escalation}.1", "4711", None)
    assert act["pressed_at"] == NIGHT.isoformat().replace("+00:00", "Z")


async def test_the_code_with_a_no_passes_it(house: House) -> None:
    escalation = await house.escalation(ActReply(Verdict.DECLINED, "All right."))
    await paged(house, "ben", escalation)
    answer = await text(house, "No. 4711", sender=BENS_TEXTS)
    assert answer.words("Message") == "All right."
    assert len(await house.told(escalation, "decline")) == 1


async def test_a_person_may_also_write_from_the_number_they_are_rung_at(house: House) -> None:
    escalation = await house.escalation(YOURS)
    await paged(house, "ben", escalation)
    assert "You have it" in (await text(house, "4711", sender="+12025550112")).text


async def test_a_message_delivered_twice_is_one_act(house: House) -> None:
    escalation, sid = await house.escalation(YOURS), message_sid()
    await paged(house, "ana", escalation)
    assert await text(house, "4711", sid=sid) == await text(house, "4711", sid=sid)
    assert len(await house.told(escalation, "acknowledge")) == 1


async def test_a_code_of_no_open_page_is_said_to_be_none(house: House) -> None:
    escalation = await house.escalation(YOURS)
    await paged(house, "ana", escalation)
    assert "does not belong to an open page" in (await text(house, "1234")).words("Message")
    assert await house.heard(escalation) == []


async def test_a_person_who_was_not_paged_has_no_open_page(house: House) -> None:
    answer = await text(house, "4711", sender="+12025550121")
    assert "does not belong to an open page" in answer.words("Message")


async def test_a_case_that_is_over_is_said_to_be_closed(house: House) -> None:
    await paged(house, "ana", EscalationId("e-gone"))
    assert (await text(house, "4711")).words("Message") == "This case is closed. Thank you."


async def test_an_unclear_text_gets_one_helpful_line(house: House) -> None:
    assert (
        (await text(house, "who is this"))
        .words("Message")
        .startswith("Please reply with the four-digit code")
    )
    assert "4711 NO to pass" in (await text(house, "4711 maybe tomorrow")).words("Message")


@pytest.mark.parametrize("body", ["STOP", "Unsubscribe", "help"])
async def test_words_for_the_carrier_are_not_answered(house: House, body: str) -> None:
    assert (await text(house, body)).verbs == []
    assert (await text(house, body, OptOutType=body.upper())).verbs == []


async def test_a_stranger_is_not_answered_and_logged_without_their_number(
    house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    assert (await text(house, "4711", sender="+12025550166")).verbs == []
    logged = "".join(capfd.readouterr())
    assert logged.count("nobody's") == 1
    assert "2025550166" not in logged


async def test_without_a_worker_the_text_is_kept_and_counts_when_one_is_up(
    no_worker: House, temporal: str
) -> None:
    escalation = await no_worker.escalation(YOURS)
    await paged(no_worker, "ana", escalation)
    assert (await text(no_worker, "4711")).words("Message") == "Received, not yet confirmed."
    assert len(no_worker.desk.spool) == 1

    async with working(temporal):
        assert await hand_over(no_worker.desk.spool, no_worker.desk.acts.deliver) == 1
        (act,) = await no_worker.told(escalation, "acknowledge signalled")
    assert act["code"] == "4711"
    assert len(no_worker.desk.spool) == 0


# How far our own have come


@pytest.mark.parametrize(
    ("status", "error", "standing"),
    [
        ("accepted", None, Standing.SUBMITTED),
        ("queued", None, Standing.SUBMITTED),
        ("sent", None, Standing.SUBMITTED),
        ("delivered", None, Standing.REACHED),
        ("undelivered", "30006", Standing.FAILED),
        ("failed", "21610", Standing.FAILED),
        ("failed", None, Standing.FAILED),
        pytest.param("undelivered", "30003", Standing.UNANSWERED, id="an unreachable handset is no failure"),
        ("canceled", None, Standing.WITHDRAWN),
        ("partially_delivered", None, None),
    ],
)
def test_twilios_word_for_a_message(status: str, error: str | None, standing: Standing | None) -> None:
    assert standing_of(status, error) is standing


async def test_a_delivery_status_reaches_the_escalation_with_its_evidence(house: House) -> None:
    escalation, sid = await house.escalation(), message_sid()
    url = f"/sms/status?escalation={escalation}&page={escalation}.1"
    sent = {"MessageSid": sid, "MessageStatus": "undelivered", "ErrorCode": "30006"}
    assert (await house.twilio.post(url, sent)).status == 204
    (news,) = await house.told(escalation, "page_moved")
    assert (news["page"], news["channel"], news["ring"]) == (f"{escalation}.1", "text", 0)
    evidence = news["evidence"]
    assert (evidence["standing"], evidence["provider_id"], evidence["error"]) == (
        "failed",
        sid,
        "error 30006",
    )


@pytest.mark.parametrize("status", ["queued", "sending", "teleported"])
async def test_a_delivery_status_that_changes_nothing_is_not_told(house: House, status: str) -> None:
    escalation = await house.escalation()
    url = f"/sms/status?escalation={escalation}&page=p"
    answer = await house.twilio.post(url, {"MessageSid": message_sid(), "MessageStatus": status})
    assert answer.status == 204
    assert await house.heard(escalation) == []
