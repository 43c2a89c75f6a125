"""Only Twilio comes in at Twilio's routes: its signature over the public address and everything that was sent."""

import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS
from tests.api.house import House, item
from tests.api.twilio_side import PUBLIC_URL, call_sid, path_of, signature
from workflows.messages import call_workflow_id

OPEN_TO_OTHERS = {"/a/{token}", "/alerts/{line_id}", "/health", "/ready"}
TWILIOS = sorted(
    {
        (method, route.path)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
        if route.path not in OPEN_TO_OTHERS
    }
)
FILLED = {"{token}": "a-token", "{line_id}": "clinic", "{call_sid}": "CA" + "0" * 32}
INCOMING = {"CallSid": "CA" + "0" * 32, "From": "+12025550199", "To": "+12025550101"}


def test_every_route_is_known_here() -> None:
    paths = {path for _, path in TWILIOS}
    assert {
        "/voice/incoming",
        "/voice/menu",
        "/voice/category",
        "/voice/called",
        "/voice/message",
        "/voice/left",
        "/voice/ended",
        "/voice/wait/{line_id}",
        "/conference/{call_sid}",
        "/page/{token}",
        "/page/{token}/key",
        "/page/{token}/asked",
        "/page/status",
        "/room/{token}/left",
        "/room/{token}/menu",
        "/sms",
        "/sms/status",
        "/ai-leg",
        "/ai-leg/resume",
        "/ai-leg/status",
        "/announce/{token}",
        "/fallback/next",
    } <= paths


@pytest.mark.parametrize("sign", ["not signed", "signed with another token", "signed for another address"])
@pytest.mark.parametrize(("method", "path"), TWILIOS)
async def test_a_webhook_that_twilio_did_not_sign_is_refused(
    temporal_down: House, method: str, path: str, sign: str, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in FILLED.items():
        path = path.replace(name, value)
    sent = dict(INCOMING) if method == "POST" else {}
    url = PUBLIC_URL + path
    headers = {
        "not signed": {},
        "signed with another token": {"X-Twilio-Signature": signature(url, list(sent.items()), "another")},
        "signed for another address": {
            "X-Twilio-Signature": signature(f"http://10.0.0.7:8000{path}", list(sent.items()))
        },
    }[sign]
    answer = await temporal_down.browser.request(method, path, data=sent or None, headers=headers)

    assert answer.status_code == 403
    logged = capfd.readouterr()
    assert (logged.out + logged.err).count("webhook refused") == 1


async def test_an_unsigned_call_starts_no_workflow(house: House) -> None:
    sid = call_sid()
    answer = await house.browser.post("/voice/incoming", data={**INCOMING, "CallSid": sid})
    assert answer.status_code == 403
    assert not await house.exists(call_workflow_id(sid))


async def test_a_parameter_that_was_added_on_the_way_is_refused(house: House) -> None:
    signed = signature(f"{PUBLIC_URL}/voice/incoming", list(INCOMING.items()))
    altered = {**INCOMING, "Digits": "1"}
    answer = await house.browser.post("/voice/incoming", data=altered, headers={"X-Twilio-Signature": signed})
    assert answer.status_code == 403


async def test_an_altered_query_is_refused(house: House) -> None:
    signed = signature(f"{PUBLIC_URL}/voice/menu?attempt=1", list(INCOMING.items()))
    answer = await house.browser.post(
        "/voice/menu?attempt=2", data=INCOMING, headers={"X-Twilio-Signature": signed}
    )
    assert answer.status_code == 403


async def test_parameters_that_twilio_may_leave_unsigned_do_not_spoil_the_signature(house: House) -> None:
    sent = {**INCOMING, "CallSid": call_sid()}
    signed = signature(f"{PUBLIC_URL}/voice/incoming", list(sent.items()))
    unsigned = {**sent, "CallToken": "a-long-token", "StirVerstat": "TN-Validation-Passed-A"}
    answer = await house.browser.post(
        "/voice/incoming", data=unsigned, headers={"X-Twilio-Signature": signed}
    )
    assert answer.status_code == 200


async def test_empty_repeated_and_foreign_parameters_are_signed_too(house: House) -> None:
    sent = [
        *{**INCOMING, "CallSid": call_sid()}.items(),
        ("FromCity", ""),
        ("MediaUrl", "b"),
        ("MediaUrl", "a"),
    ]
    sent.append(("CallerName", "Señor Ñandú +/&="))
    signed = signature(f"{PUBLIC_URL}/voice/incoming", sent)
    body = {name: [value for key, value in sent if key == name] for name, _ in sent}
    answer = await house.browser.post("/voice/incoming", data=body, headers={"X-Twilio-Signature": signed})
    assert answer.status_code == 200


async def test_the_query_is_signed_as_it_was_written(house: House) -> None:
    person = await house.responder()
    url = f"{PUBLIC_URL}/page/status?person={person}&ring=1%2D%20x"
    sent = {"CallSid": call_sid(), "CallStatus": "ringing"}
    answer = await house.browser.post(
        path_of(url), data=sent, headers={"X-Twilio-Signature": signature(url, list(sent.items()))}
    )
    assert answer.status_code == 204
    assert (await house.told(f"responder-{person}", "progress"))[0]["ring"] == "1- x"


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/voice/incoming", {"From": "+12025550199", "To": "+12025550101"}),
        ("/voice/incoming", {**INCOMING, "CallSid": "CA12"}),
        ("/voice/menu?attempt=none", INCOMING),
        ("/voice/ended", {"CallSid": INCOMING["CallSid"]}),
        (f"/conference/{INCOMING['CallSid']}", {"StatusCallbackEvent": "participant-join"}),
        ("/conference/CA12", INCOMING),
        ("/page/status", {**INCOMING, "CallStatus": "ringing"}),
        ("/sms", {"From": "+12025550111", "Body": "4711"}),
        ("/sms/status?escalation=e", {"MessageSid": "SM" + "0" * 32, "MessageStatus": "sent"}),
    ],
)
async def test_a_malformed_webhook_is_told_what_is_wrong_without_its_values(
    temporal_down: House, path: str, sent: dict[str, str]
) -> None:
    answer = await temporal_down.twilio.post(path, sent)
    assert answer.status == 422
    assert "problem" in answer.text
    assert "+1202" not in answer.text


@pytest.mark.parametrize("path", ["/page/{}", "/page/{}/key", "/room/{}/left", "/announce/{}"])
async def test_a_signed_webhook_with_a_forged_token_is_refused(temporal_down: House, path: str) -> None:
    forged = temporal_down.page_url("ana", item("e-1")).rpartition("/")[2] + "x"
    assert (await temporal_down.twilio.call(path.format(forged), call_sid())).status == 403


async def test_a_token_made_for_a_page_opens_no_room(temporal_down: House) -> None:
    token = temporal_down.page_url("ana", item("e-1")).rpartition("/")[2]
    assert (await temporal_down.twilio.call(f"/room/{token}/left", call_sid())).status == 403
