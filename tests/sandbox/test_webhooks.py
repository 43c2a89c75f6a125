"""How the product is asked: signed, retried, redirected, with a fallback, in order."""

import asyncio
from collections.abc import Iterable

import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator

from sandbox.connection import Overrides, overrides
from sandbox.phones import Answers, HangUp, Press, Stay, Wait
from tests.sandbox.conftest import CALLER, LINE, Scene
from tests.sandbox.product import Request

REFUSING = "http://127.0.0.1:1/none"  # nobody listens on port 1


def all_signed(scene: Scene, requests: Iterable[Request]) -> bool:
    validator = RequestValidator(scene.network.world.account.token)  # type: ignore[no-untyped-call]
    return all(
        validator.validate(  # type: ignore[no-untyped-call]
            request.url, dict(request.pairs), request.headers["X-Twilio-Signature"]
        )
        for request in requests
    )


async def test_every_webhook_is_signed_as_the_official_validator_expects(scene: Scene) -> None:
    gather = '<Gather numDigits="1" action="/key?turn=1&amp;x=a%20b" method="{}"/>'
    scene.product.says("/voice", gather.format("POST"))
    scene.product.says("/key", gather.format("GET"))
    scene.network.dial(CALLER, LINE, Wait(1), Press("1"), Wait(1), Press("2"), HangUp())
    scene.network.text(CALLER, LINE, "Grüße & more = ?")
    await scene.pass_time(20)
    paths = {request.path for request in scene.product.requests}
    assert paths == {"/voice", "/key", "/voice-ended", "/sms"}
    assert {request.method for request in scene.product.asked("/key")} == {"POST", "GET"}
    assert all_signed(scene, scene.product.requests)


async def test_an_incoming_call_carries_twilios_fields(scene: Scene) -> None:
    call = scene.network.dial(CALLER, LINE, Stay())
    await scene.pass_time(1)
    form = scene.product.asked("/voice")[0].form
    assert form["CallSid"] == call
    assert (form["From"], form["Caller"]) == (CALLER, CALLER)
    assert (form["To"], form["Called"]) == (LINE, LINE)
    assert (form["CallStatus"], form["Direction"]) == ("ringing", "inbound")
    assert form["ApiVersion"] == "2010-04-01"
    assert {f"{end}{place}" for end in ("From", "To", "Caller", "Called")
            for place in ("City", "State", "Zip", "Country")} <= set(form)  # fmt: skip


async def test_a_refused_connection_is_tried_twice_then_the_fallback_is_asked(
    scene: Scene,
) -> None:
    hooks = scene.network.directory.numbers[LINE].hooks
    hooks.voice_url = REFUSING
    hooks.voice_fallback_url = scene.product.says("/fallback", "<Say>This is the fallback</Say>")
    call = scene.network.dial(CALLER, LINE, Stay())
    await scene.pass_time(5)
    tries = scene.network.journal.of("webhook", purpose="voice")
    assert [record.details["attempt"] for record in tries] == [1, 2]
    form = scene.product.asked("/fallback")[0].form
    assert (form["ErrorCode"], form["ErrorUrl"]) == ("11205", REFUSING)
    assert form["CallSid"] == call
    assert "This is the fallback" in scene.network.heard(call)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (web.Response(status=500), 11200),
        (web.Response(text="this is no xml", content_type="text/xml"), 12100),
        (web.Response(text="<Nonsense/>", content_type="text/xml"), 12100),
    ],
)
async def test_without_fallback_the_caller_hears_an_apology_and_it_ends(
    scene: Scene, answer: web.Response, code: int
) -> None:
    scene.product.says("/voice", lambda _: answer)
    call = scene.network.dial(CALLER, LINE, Stay())
    await scene.pass_time(10)
    assert "application error" in scene.network.heard(call)
    assert scene.network.call(call).status.value == "completed"
    assert scene.network.journal.of("alert", code=code, call=call)


async def test_a_server_error_is_not_retried_unless_the_fragment_says_so(scene: Scene) -> None:
    scene.product.says("/voice", lambda _: web.Response(status=503))
    scene.network.dial(CALLER, LINE)
    await scene.pass_time(5)
    assert len(scene.product.asked("/voice")) == 1

    hooks = scene.network.directory.numbers[LINE].hooks
    hooks.voice_url += "#rc=2&rp=5xx"
    scene.network.dial(CALLER, LINE)
    await scene.pass_time(5)
    again = scene.product.asked("/voice")[1:]
    assert len(again) == 3
    assert all_signed(scene, again)
    tokens = [request.headers.get("I-Twilio-Idempotency-Token") for request in again]
    assert tokens[0] is None
    assert tokens[1] == tokens[2] is not None


async def test_a_slow_product_is_given_up_after_its_time(scene: Scene) -> None:
    async def slowly(_: Request) -> str:
        await asyncio.sleep(1)
        return "<Say>Too late</Say>"

    scene.product.says("/voice", slowly)
    hooks = scene.network.directory.numbers[LINE].hooks
    hooks.voice_url += "#tt=200"
    call = scene.network.dial(CALLER, LINE)
    await scene.pass_time(10)
    assert "Too late" not in scene.network.heard(call)
    assert scene.network.journal.of("alert", code=11200)


async def test_a_redirected_post_becomes_a_get_without_fields(scene: Scene) -> None:
    moved = web.Response(status=302, headers={"Location": "/elsewhere?x=1"})
    scene.product.says("/voice", lambda _: moved)
    scene.product.says("/elsewhere", "<Say>Here we are</Say>")
    call = scene.network.dial(CALLER, LINE)
    await scene.pass_time(5)
    there = scene.product.asked("/elsewhere")[0]
    assert (there.method, dict(there.form)) == ("GET", {"x": "1"})
    assert "Here we are" in scene.network.heard(call)


async def test_endless_redirects_end_with_11215(scene: Scene) -> None:
    scene.product.says("/voice", "<Redirect>/voice</Redirect>")
    call = scene.network.dial(CALLER, LINE)
    await scene.pass_time(10)
    assert scene.network.journal.of("alert", code=11215, call=call)
    assert scene.network.call(call).status.value == "completed"


async def test_a_loop_that_takes_time_may_go_on(scene: Scene) -> None:
    scene.product.says("/voice", "<Gather timeout='1'/><Redirect/>")
    call = scene.network.dial(CALLER, LINE, Stay())
    await scene.pass_time(60)
    assert scene.network.call(call).status.value == "in-progress"
    assert len(scene.product.asked("/voice")) > 40


async def test_callbacks_of_one_call_arrive_in_order(scene: Scene) -> None:
    async def slowly_at_first(request: Request) -> str:
        if request.form["CallStatus"] == "initiated":
            await asyncio.sleep(0.1)
        return ""

    scene.product.says("/status", slowly_at_first)
    scene.phone("+15550000201", Answers(0, HangUp()))
    events = ["initiated", "ringing", "answered", "completed"]
    await scene.request(lambda: scene.client.calls.create(
        to="+15550000201", from_=LINE, twiml="<Response><Pause length='9'/></Response>",
        status_callback=scene.product.url + "/status", status_callback_event=events,
    ))  # fmt: skip
    await scene.pass_time(5)
    assert scene.product.events("/status", "SequenceNumber") == ["0", "1", "2", "3"]


async def test_a_number_tells_only_the_end(scene: Scene) -> None:
    scene.product.says("/voice", "<Say>Good bye</Say>")
    scene.network.dial(CALLER, LINE)
    await scene.pass_time(5)
    assert scene.product.events("/voice-ended", "CallStatus") == ["completed"]


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("", Overrides()),
        ("#rc=3", Overrides(retries=3)),
        ("#rc=9", Overrides()),
        ("#ct=2000&rt=3000&tt=4000", Overrides(2000, 3000, 4000)),
        ("#ct=2000#rp=all", Overrides(2000, retry_on=frozenset({"4xx", "5xx", "ct", "rt"}))),
        ("#rp=5xx,rt", Overrides(retry_on=frozenset({"5xx", "rt"}))),
        ("#tt=99999&e=ashburn&sni=y", Overrides()),
        ("#nonsense", Overrides()),
    ],
)
def test_connection_overrides_are_read_from_the_fragment(fragment: str, expected: Overrides) -> None:
    assert overrides("https://example.com/voice" + fragment) == expected
