"""The control API: the hand on the phones, the clock and the faults."""

import asyncio
from collections.abc import AsyncGenerator

import httpx
import pytest

from sandbox.app import create_app
from sandbox.network import Network
from sandbox.world import DEFAULT_ACCOUNT
from tests.sandbox.conftest import CALLER, LINE, Scene

ANA = "+15550000201"


@pytest.fixture
async def hand(scene: Scene) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=scene.address + "/_sandbox") as http:
        yield http


async def test_a_night_can_be_played_by_hand(scene: Scene, hand: httpx.AsyncClient) -> None:
    scene.product.says("/voice", '<Gather numDigits="1" action="/key" timeout="60"/>')
    made = await hand.post(f"/phones/{ANA}", json={"name": "ana", "calls": ["held"]})
    assert made.json() == {"number": ANA, "name": "ana", "rung": 0}

    caller = (await hand.post("/dial", json={"from": CALLER, "to": LINE})).json()["call"]
    await scene.network.settled()
    await hand.post(f"/calls/{caller}/press", json={"digits": "1"})
    await scene.network.settled()
    assert scene.product.events("/key", "Digits") == ["1"]

    call = await scene.request(
        lambda: scene.client.calls.create(
            to=ANA, from_=LINE, twiml="<Response><Say>Hello</Say><Pause length='60'/></Response>"
        )
    )
    await hand.post("/clock/advance", json={"seconds": 5})
    assert (await hand.post(f"/calls/{call.sid}/answer")).status_code == 200
    await hand.post("/clock/advance", json={"seconds": 5})
    assert (await hand.get(f"/calls/{call.sid}/heard")).json() == {"text": "Hello"}
    await hand.post(f"/calls/{call.sid}/say", json={"text": "I am coming"})
    await hand.post(f"/calls/{call.sid}/hangup")
    await scene.network.settled()
    state = (await hand.get("/state")).json()
    assert state["calls"][0]["status"] == "completed"
    assert {phone["name"] for phone in state["phones"]} >= {"ana"}


async def test_a_message_can_be_sent_by_hand(scene: Scene, hand: httpx.AsyncClient) -> None:
    sent = await hand.post("/text", json={"from": CALLER, "to": LINE, "body": "7Q"})
    await scene.network.settled()
    form = scene.product.asked("/sms")[0].form
    assert (form["MessageSid"], form["Body"]) == (sent.json()["message"], "7Q")


async def test_the_journal_is_read_from_a_number_on_and_waits(scene: Scene, hand: httpx.AsyncClient) -> None:
    before = (await hand.get("/journal")).json()["last"]
    waiting = asyncio.create_task(hand.get("/journal", params={"after": before, "wait_s": 5, "kind": "push"}))
    await asyncio.sleep(0.05)
    await hand.post("/push/ana", json={"title": "Pager", "message": "burst pipe"})
    page = (await waiting).json()
    assert [record["details"]["person"] for record in page["records"]] == ["ana"]
    assert page["records"][0]["details"]["body"]["title"] == "Pager"
    assert page["last"] == page["records"][0]["seq"]
    assert scene.network.journal.last == page["last"]


async def test_the_push_receiver_takes_forms_and_plain_text(scene: Scene, hand: httpx.AsyncClient) -> None:
    await hand.post("/push/ana", data={"message": "hello"})
    await hand.post("/push/ana", content=b"just text")
    bodies = [record.details["body"] for record in scene.network.journal.of("push")]
    assert bodies == [{"message": "hello"}, "just text"]


async def test_faults_are_set_seen_and_cleared(hand: httpx.AsyncClient, scene: Scene) -> None:
    set_ = await hand.post(
        "/faults", json=[{"kind": "callback_lost", "on": "call.completed"}, {"pessimistic": True}]
    )
    assert set_.json()["pessimistic"]
    assert set_.json()["faults"][0]["kind"] == "callback_lost"
    assert scene.network.pessimistic
    cleared = await hand.delete("/faults")
    assert cleared.json() == {"faults": [], "pessimistic": False}


async def test_a_document_is_published_on_the_other_host(scene: Scene, hand: httpx.AsyncClient) -> None:
    await hand.put("/static/fallback", content="<Response><Say>The other host</Say></Response>")
    hooks = scene.network.directory.numbers[LINE].hooks
    hooks.voice_url = "http://127.0.0.1:1/dead"
    hooks.voice_fallback_url = scene.address + "/_sandbox/static/fallback"
    call = scene.network.dial(CALLER, LINE)
    await scene.pass_time(5)
    assert "The other host" in scene.network.heard(call)


async def test_the_other_host_fills_in_what_it_was_asked_with(hand: httpx.AsyncClient) -> None:
    await hand.put("/static/back", content="<Redirect>{{ErrorUrl}}</Redirect>{{ Nothing }}")
    posted = await hand.post("/static/back", data={"ErrorUrl": "http://x/a?b=1&c=2"})
    assert posted.text == "<Redirect>http://x/a?b=1&amp;c=2</Redirect>"
    assert (
        await hand.get("/static/back", params={"ErrorUrl": "<y>"})
    ).text == "<Redirect>&lt;y&gt;</Redirect>"


async def test_numbers_and_applications_can_be_added(hand: httpx.AsyncClient) -> None:
    app = await hand.post("/applications", json={"name": "coach", "voice_url": "http://x/ai"})
    assert app.json()["sid"].startswith("AP")
    number = await hand.post("/numbers", json={"number": "+15550000111", "voice_application": "coach"})
    assert number.json()["sid"].startswith("PN")


async def test_the_clock_tells_and_moves(scene: Scene, hand: httpx.AsyncClient) -> None:
    told = (await hand.get("/clock")).json()
    assert told["manual"] is True
    to = "2026-01-05T03:00:00+00:00"
    moved = await hand.post("/clock/advance", json={"to": to})
    assert moved.json()["now"] == to
    assert scene.clock.now().isoformat() == to


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/dial", {"from": CALLER}, 400),
        ("POST", "/dial", {"from": CALLER, "to": "+15550007777"}, 404),
        ("POST", "/dial", {"from": CALLER, "to": LINE, "steps": ["sing"]}, 400),
        ("POST", f"/phones/{ANA}", {"calls": [{"answer": "soon"}]}, 400),
        ("POST", f"/phones/{ANA}", {"calls": [{"answer": 1, "steps": [{"press_heard": "("}]}]}, 400),
        ("POST", "/calls/CA1/press", {"digits": "1"}, 404),
        ("POST", "/faults", {"kind": "gremlin"}, 400),
        ("POST", "/faults", {"kind": "latency", "wat": 1}, 400),
        ("POST", "/numbers", {"name": "no number"}, 400),
        ("POST", "/numbers", {"number": "+15550000112", "colour": "red"}, 404),
        ("GET", "/static/none", None, 404),
        ("GET", "/journal?after=x", None, 400),
    ],
)
async def test_a_mistake_is_told(
    hand: httpx.AsyncClient, method: str, path: str, body: object, status: int
) -> None:
    reply = await hand.request(method, path, json=body)
    assert reply.status_code == status
    assert reply.json()["error"]


async def test_the_control_api_serves_this_machine_only() -> None:
    network = Network()
    elsewhere = httpx.ASGITransport(create_app(network), client=("192.0.2.7", 4711))
    async with httpx.AsyncClient(transport=elsewhere, base_url="http://sandbox") as http:
        refused = await http.get("/_sandbox/health")
        rest = await http.get(f"/2010-04-01/Accounts/{DEFAULT_ACCOUNT}/Calls.json")
    assert (refused.status_code, rest.status_code) == (403, 401)
    await network.close()


async def test_the_clock_cannot_be_moved_when_it_runs_by_itself() -> None:
    network = Network()
    transport = httpx.ASGITransport(create_app(network))
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        refused = await http.post("/_sandbox/clock/advance", json={"seconds": 1})
    assert refused.status_code == 400
    await network.close()
