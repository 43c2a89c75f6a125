"""Calls by request: how they ring, end, and are told about."""


from sandbox.phones import Answers, PressHeard, Stay
from tests.sandbox.conftest import LINE, Scene

ANA = "+15550000201"


async def test_an_answered_call_runs_its_document_and_tells_its_progress(scene: Scene) -> None:
    scene.phone(ANA, Answers(3, Stay()))
    url = scene.product.says("/page", "<Say>Pipe burst</Say>")
    events = ["initiated", "ringing", "answered", "completed"]
    call = await scene.request(
        scene.client.calls.create,
        to=ANA,
        from_=LINE,
        url=url,
        status_callback=scene.product.url + "/status",
        status_callback_event=events,
    )
    assert str(call.status) == "queued"

    await scene.pass_time(10)

    assert scene.product.events("/status", "CallStatus") == [
        "initiated",
        "ringing",
        "in-progress",
        "completed",
    ]
    assert scene.product.events("/status", "SequenceNumber") == ["0", "1", "2", "3"]
    last = scene.product.asked("/status")[-1].form
    assert last["CallDuration"] == "1"
    assert last["CallbackSource"] == "call-progress-events"
    assert scene.network.heard(str(call.sid)) == "Pipe burst"


async def test_the_drawn_key_is_pressed_and_reaches_the_action(scene: Scene) -> None:
    scene.phone(ANA, Answers(2, PressHeard(r"press ([\w, ]+) to take"), Stay()))
    url = scene.product.says(
        "/page", '<Gather numDigits="1" action="/key"><Say>Please press four to take it</Say></Gather>'
    )
    scene.product.says("/key", "<Say>You have it</Say>")
    call = await scene.request(scene.client.calls.create, to=ANA, from_=LINE, url=url)

    await scene.pass_time(30)

    assert scene.product.events("/key", "Digits") == ["4"]
    assert "You have it" in scene.network.heard(str(call.sid))
