"""An emergency without a caller, raised by another system."""

import json
import secrets
from typing import Any

import httpx
import pytest

from api.alerts import summary_of
from tests.api.house import ALERT_TOKEN, House, item
from tests.api.twilio_side import call_sid
from workflows.messages import EscalationInput
from workflows.tokens import LINK, LinkToken
from workflows.values import ActReply, EscalationId, PageId, PersonId, Severity, Verdict

YOURS = ActReply(Verdict.YOURS, "You have it. Nobody is waiting on the line.", owner="Ana")


async def alert(
    house: House,
    body: object = None,
    *,
    line: str = "clinic",
    key: str | None = None,
    token: str | None = ALERT_TOKEN,
    content: str | None = None,
) -> httpx.Response:
    headers = {
        "Idempotency-Key": secrets.token_hex(8) if key is None else key,
        "Content-Type": "application/json",
    }
    if not headers["Idempotency-Key"]:
        del headers["Idempotency-Key"]
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    given: Any = {"content": content} if content is not None else {"json": body or {"category": "building"}}
    return await house.browser.post(f"/alerts/{line}", headers=headers, **given)


async def started(house: House, answer: httpx.Response) -> EscalationInput:
    handle = house.client.get_workflow_handle(answer.json()["escalation"])
    start: EscalationInput = await handle.query("begun_with", result_type=EscalationInput)
    return start


async def test_an_alert_starts_an_escalation_without_a_caller(house: House) -> None:
    answer = await alert(house, {"category": "building", "contact": "+12025550150"})
    assert answer.status_code == 202
    start = await started(house, answer)
    assert start.id == answer.json()["escalation"]
    assert (start.call, start.conference, start.caller_digest) == (None, None, "")
    assert (start.case.category, start.case.spoken) == ("building", "a problem with the building")
    assert (start.case.severity, start.case.contact) == (Severity.ROUTINE, "+12025550150")
    assert start.case.line.id == "clinic"


async def test_a_severity_may_be_given(house: House) -> None:
    answer = await alert(house, {"category": "building", "severity": "life"})
    assert (await started(house, answer)).case.severity is Severity.LIFE


async def test_the_same_key_is_the_same_escalation(house: House) -> None:
    key = secrets.token_hex(8)
    first, second = await alert(house, key=key), await alert(house, key=key)
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json() == second.json()
    assert second.json()["open"] is True
    other = await alert(house)
    assert other.json() != first.json()


async def test_the_same_key_stays_so_after_the_case_is_closed(house: House) -> None:
    key = secrets.token_hex(8)
    first = await alert(house, key=key)
    handle = house.client.get_workflow_handle(first.json()["escalation"])
    await handle.signal("end")
    await handle.result()
    again = await alert(house, key=key)
    assert (again.status_code, again.json()["open"]) == (200, False)


async def test_the_same_key_on_another_line_is_another_case(house: House) -> None:
    key = secrets.token_hex(8)
    first = await alert(house, key=key)
    answer = await alert(house, {"category": "building"}, key=key, line="hotel")
    assert answer.status_code == 422  # the hotel has no such category
    assert first.status_code == 202


async def test_the_summary_enters_no_page_and_is_told_to_whoever_accepts(house: House) -> None:
    secret = "Boiler 3 in the east wing at 4 bar"
    answer = await alert(house, {"category": "building", "summary": secret})
    escalation = EscalationId(answer.json()["escalation"])
    assert secret not in str(await started(house, answer))
    await house.client.get_workflow_handle(escalation).signal("will_answer", YOURS)

    person, sid = await house.responder(item(escalation)), call_sid()
    asked = await house.twilio.call(house.page_url(person, item(escalation)), sid)
    assert secret not in asked.says
    told = await house.twilio.call(asked.attribute("Gather", "action"), sid, "4")
    assert f"The alert says: {secret}" in told.says

    token = house.tokens.make(LINK, LinkToken(PersonId("ana"), PageId("p"), escalation))
    assert secret not in (await house.browser.get(f"/a/{token}")).text
    assert secret in (await house.browser.post(f"/a/{token}")).text


async def test_the_summary_is_sealed_where_temporal_keeps_it(house: House) -> None:
    secret = "Boiler 3 in the east wing"
    answer = await alert(house, {"category": "building", "summary": secret})
    described = await house.client.get_workflow_handle(answer.json()["escalation"]).describe()
    assert secret.encode() not in described.raw_description.SerializeToString()
    assert summary_of(await described.memo()) == secret


@pytest.mark.parametrize("token", [None, "", "wrong", ALERT_TOKEN + "x"])
async def test_without_the_token_nothing_is_raised(house: House, token: str | None) -> None:
    assert (await alert(house, token=token)).status_code == 401


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, "category"),
        ({"category": ""}, "category"),
        ({"category": "weather"}, "it has: medical, building"),
        ({"category": "building", "severity": "huge"}, "severity"),
        ({"category": "building", "contact": "5550150"}, "contact"),
        ({"category": "building", "contact": "+1911"}, "contact"),
        ({"category": "building", "contact": "+19005550100"}, "contact"),
        ({"category": "building", "wake": "ana"}, "wake"),
        ([], "body"),
        ("building", "body"),
    ],
)
async def test_a_wrong_body_is_told_what_is_wrong(house: House, body: object, wrong: str) -> None:
    answer = await alert(house, content=json.dumps(body))
    assert answer.status_code == 422
    assert wrong in answer.text


async def test_no_json_at_all_is_told_so(house: House) -> None:
    answer = await alert(house, content='{"category": ')
    assert answer.status_code == 422
    assert "JSON" in answer.text


async def test_without_an_idempotency_key_nothing_is_raised(house: House) -> None:
    answer = await alert(house, key="")
    assert answer.status_code == 422
    assert "idempotency-key" in answer.text.lower()


async def test_an_unknown_line_is_none(house: House) -> None:
    assert (await alert(house, line="nowhere")).status_code == 404


async def test_while_temporal_is_down_the_sender_is_asked_to_try_again(temporal_down: House) -> None:
    answer = await alert(temporal_down)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"


async def test_a_key_that_was_used_for_another_alert_is_refused(house: House) -> None:
    key = secrets.token_hex(8)
    first = await alert(house, key=key)
    other = await alert(house, {"category": "building", "severity": "life"}, key=key)
    assert other.status_code == 409
    assert first.json()["escalation"] in other.json()["detail"]
