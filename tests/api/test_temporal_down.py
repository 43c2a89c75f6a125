"""Temporal cannot be reached: callers are rung through by the rota, acts are kept, willing people are seated."""

import asyncio
import time
from pathlib import Path

import pytest

from api.app import keep_empty
from api.spool import ActDone, CallFailedOver, hand_over
from tests.api.house import CLINIC, House, connected, house_of, item, working
from tests.api.twilio_side import PUBLIC_URL, Twiml, call_sid, message_sid
from workflows.messages import call_workflow_id
from workflows.tokens import LINK, ROOM, LinkToken, RoomToken
from workflows.values import CallSid, EscalationId, PageId, PersonId

ROOM_NAME = "af-CA" + "2" * 32
ANA, BEN, CLEO = "+12025550111", "+12025550112", "+12025550113"


def numbers(answer: Twiml) -> list[str]:
    return [number.text or "" for number in answer.root.iter("Number")]


async def test_a_caller_hears_danger_first_and_then_the_rota_is_rung(temporal_down: House) -> None:
    answer = await temporal_down.twilio.call("/voice/incoming", call_sid())
    assert answer.says.startswith("If anyone is in danger, hang up and dial 911. Si alguien")
    assert "The people on duty are being rung, one after another." in answer.says
    assert numbers(answer) == [ANA]
    assert answer.attribute("Dial", "timeout") == "25"
    assert answer.attribute("Dial", "callerId") == "+12025550101"
    assert answer.attribute("Number", "url") == f"{PUBLIC_URL}/fallback/screen?line=clinic"


async def test_rung_after_rung_one_person_at_a_time_the_last_resort_and_then_a_recording(
    temporal_down: House,
) -> None:
    sid, rung = call_sid(), []
    answer = await temporal_down.twilio.call("/voice/incoming", sid)
    while "Dial" in answer.verbs:
        rung.append(numbers(answer))
        answer = await temporal_down.twilio.call(answer.attribute("Dial", "action"), sid)
        assert "helped" in answer.says or "Record" in answer.verbs
    assert rung == [[ANA], [BEN], [CLEO], [ANA]]
    assert answer.verbs == ["Say", "Record", "Redirect"]


async def test_who_answers_is_connected_by_the_drawn_key_only(temporal_down: House) -> None:
    leg = call_sid()
    screen = await temporal_down.twilio.call("/fallback/screen?line=clinic", leg)
    key = screen.says.split("Press ")[1][0]
    assert screen.verbs == ["Gather", "Hangup"]
    action = screen.attribute("Gather", "action")
    wrong = "1" if key != "1" else "2"
    assert (await temporal_down.twilio.call(action, leg, wrong)).verbs == ["Hangup"]
    assert (await temporal_down.twilio.call(action, leg)).verbs == ["Hangup"]
    assert (await temporal_down.twilio.call(action, leg, key)).verbs == []


async def test_the_call_and_its_message_are_told_when_temporal_is_back(
    temporal_down: House, temporal: str, tmp_path: Path
) -> None:
    sid = call_sid()
    await temporal_down.twilio.call("/voice/incoming", sid)
    thanks = await temporal_down.twilio.call(
        "/fallback/message?line=clinic",
        sid,
        RecordingUrl="https://api.example.org/RE1",
        RecordingDuration="9",
    )
    assert "Your message will be passed on" in thanks.says

    async with working(temporal), house_of(await connected(temporal), tmp_path) as back:
        assert await hand_over(back.desk.spool, back.desk.acts.deliver) == 2
        heard = await back.heard(call_workflow_id(sid))
    assert [(name, message.get("what") or message.get("url")) for name, message in heard] == [
        ("note", "failed-over"),
        ("message_left", "https://api.example.org/RE1"),
    ]


async def test_the_spool_empties_by_itself(temporal_down: House, temporal: str, tmp_path: Path) -> None:
    sid = call_sid()
    await temporal_down.twilio.call("/voice/incoming", sid)
    async with working(temporal), house_of(await connected(temporal), tmp_path) as back:
        emptying = asyncio.create_task(keep_empty(back.desk, pause_s=0.05))
        async with asyncio.timeout(10):
            while len(back.desk.spool):  # noqa: ASYNC110  # another process might as well be the one to empty it
                await asyncio.sleep(0.05)
        emptying.cancel()
        assert [name for name, _ in await back.heard(call_workflow_id(sid))] == ["note"]


async def test_an_accepting_key_is_kept_and_the_person_joins_the_caller(
    temporal_down: House, temporal: str, tmp_path: Path
) -> None:
    sid, escalation = call_sid(), EscalationId("escalation-" + call_sid())
    page = item(escalation, conference=ROOM_NAME)
    asked = await temporal_down.twilio.call(temporal_down.page_url("ana", page), sid)
    assert "a patient in danger" in asked.says
    seated = await temporal_down.twilio.call(asked.attribute("Gather", "action"), sid, "4")

    assert seated.says == "I cannot confirm this now. I am joining you with the caller."
    assert seated.words("Conference") == ROOM_NAME
    (kept,) = [record.kept for record in temporal_down.desk.spool.read()]
    assert isinstance(kept, ActDone)
    assert (kept.escalation, kept.act.id, kept.act.leg) == (
        escalation,
        f"key:{sid}:{escalation}.1:acknowledge",
        sid,
    )

    async with working(temporal), house_of(await connected(temporal), tmp_path) as back:
        there = await back.escalation()
        again = ActDone(there, kept.act)
        await back.desk.spool.keep(again)
        assert await hand_over(back.desk.spool, back.desk.acts.deliver) == 2
        (act,) = await back.told(there, "acknowledge signalled")
    assert act["id"] == kept.act.id


async def test_an_accepting_key_without_a_room_is_written_down(temporal_down: House) -> None:
    sid = call_sid()
    asked = await temporal_down.twilio.call(temporal_down.page_url("ana", item("e-1")), sid)
    answer = await temporal_down.twilio.call(asked.attribute("Gather", "action"), sid, "4")
    assert answer.says == "I cannot confirm this now. It has been written down. Goodbye."
    assert len(temporal_down.desk.spool) == 1


async def test_a_declining_key_seats_nobody(temporal_down: House) -> None:
    sid = call_sid()
    page = item("e-1", conference=ROOM_NAME)
    asked = await temporal_down.twilio.call(temporal_down.page_url("ana", page), sid)
    answer = await temporal_down.twilio.call(asked.attribute("Gather", "action"), sid, "7")
    assert "Conference" not in answer.text
    assert len(temporal_down.desk.spool) == 1


async def test_a_text_and_a_link_are_received_but_not_confirmed(temporal_down: House) -> None:
    params = {"MessageSid": message_sid(), "From": ANA, "To": "+12025550101", "Body": "4711"}
    text = await temporal_down.twilio.post("/sms", params)
    assert text.words("Message") == "Received, not yet confirmed."
    token = temporal_down.tokens.make(LINK, LinkToken(PersonId("ana"), PageId("p"), EscalationId("e-1")))
    link = await temporal_down.browser.post(f"/a/{token}")
    assert link.status_code == 202
    assert [record.kept.kind for record in temporal_down.desk.spool.read()] == ["text", "act"]


async def test_a_text_whose_page_is_gone_by_then_is_dropped(
    temporal_down: House, temporal: str, tmp_path: Path
) -> None:
    params = {"MessageSid": message_sid(), "From": "+12025550121", "To": "+12025550101", "Body": "4711"}
    await temporal_down.twilio.post("/sms", params)
    async with working(temporal), house_of(await connected(temporal), tmp_path) as back:
        assert await hand_over(back.desk.spool, back.desk.acts.deliver) == 1
        assert len(back.desk.spool) == 0


async def test_what_cannot_be_handed_over_yet_stays(temporal_down: House) -> None:
    await temporal_down.twilio.call("/voice/incoming", call_sid())
    assert await hand_over(temporal_down.desk.spool, temporal_down.desk.acts.deliver) == 0
    (kept,) = [record.kept for record in temporal_down.desk.spool.read()]
    assert isinstance(kept, CallFailedOver)


async def test_a_disk_that_refuses_still_seats_the_willing_person(temporal_down: House) -> None:
    temporal_down.door.spool.mkdir()  # a folder where the file should be
    sid = call_sid()
    page = item("e-1", conference=ROOM_NAME)
    asked = await temporal_down.twilio.call(temporal_down.page_url("ana", page), sid)
    seated = await temporal_down.twilio.call(asked.attribute("Gather", "action"), sid, "4")
    assert seated.words("Conference") == ROOM_NAME


async def test_the_caller_in_the_room_is_kept_in_it_and_then_rung_through(temporal_down: House) -> None:
    sid = call_sid()
    for attempt in (1, 2):
        room = await temporal_down.twilio.call(f"/voice/left?attempt={attempt}", sid)
        assert room.words("Conference") == f"af-{sid}"
    assert numbers(await temporal_down.twilio.call("/voice/left?attempt=3", sid)) == [ANA]


async def test_news_that_cannot_be_told_is_not_claimed_to_be(temporal_down: House) -> None:
    answer = await temporal_down.twilio.call("/voice/ended", call_sid(), CallStatus="completed")
    assert answer.status == 503


async def test_the_menu_outside_the_room_leads_back_into_it(temporal_down: House) -> None:
    room = RoomToken(PersonId("ana"), EscalationId("e-1"), PageId("e-1.1"), CLINIC, ROOM_NAME)
    leg = call_sid()
    menu = await temporal_down.twilio.call(f"/room/{temporal_down.tokens.make(ROOM, room)}/left", leg)
    back = await temporal_down.twilio.call(menu.attribute("Gather", "action"), leg)
    assert back.words("Conference") == ROOM_NAME


@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/voice/incoming", {}),
        ("/voice/menu?attempt=1", {"Digits": "3"}),
        ("/voice/menu?attempt=2", {}),
        ("/voice/category?attempt=1", {"Digits": "1"}),
        ("/voice/category?attempt=1", {"Digits": "3"}),
        ("/voice/reported?category=medical&asked=2", {}),
        ("/voice/called", {"Digits": "1"}),
        ("/voice/message", {"RecordingUrl": "https://api.example.org/RE1"}),
        ("/voice/left", {}),
        ("/voice/wait/clinic", {}),
        ("/voice/forwarded", {}),
        ("/fallback/next?line=clinic&rung=9", {}),
    ],
)
async def test_a_caller_is_answered_with_something_to_do(
    temporal_down: House, path: str, more: dict[str, str]
) -> None:
    answer = await temporal_down.twilio.call(path, call_sid(), **more)
    assert answer.verbs
    assert "not in service" not in answer.says


# Temporal answers, its workers do not


async def test_an_emergency_that_no_worker_takes_is_asked_for_again_and_then_rung_through(
    no_worker: House,
) -> None:
    sid = call_sid()
    await no_worker.twilio.call("/voice/incoming", sid)
    answer = await no_worker.twilio.call("/voice/category?attempt=1", sid, "3")
    assert answer.says == "One moment, please."
    answer = await no_worker.twilio.call(answer.words("Redirect"), sid)
    answer = await no_worker.twilio.call(answer.words("Redirect"), sid)
    assert answer.says.startswith("If anyone is in danger")
    assert numbers(answer) == [ANA]


async def test_an_emergency_asked_for_again_is_reported_once(no_worker: House, temporal: str) -> None:
    sid = call_sid()
    await no_worker.twilio.call("/voice/incoming", sid)
    answer = await no_worker.twilio.call("/voice/category?attempt=1", sid, "3")
    async with working(temporal):
        room = await no_worker.twilio.call(answer.words("Redirect"), sid)
        assert room.words("Conference") == f"af-{sid}"
        (report,) = await no_worker.told(call_workflow_id(sid), "report")
    assert report["category"] == "building"


# A server that takes connections and never answers: the worst of all


async def test_every_answer_comes_in_time_whatever_temporal_does(tmp_path: Path) -> None:
    silent = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with silent, house_of(await connected(f"127.0.0.1:{port}"), tmp_path) as house:
        page = house.page_url("ana", item("e-1", conference=ROOM_NAME))
        key = page + "/key?attempt=1"
        text = {"MessageSid": message_sid(), "From": ANA, "To": "+12025550101", "Body": "4711"}

        async def timed(what: str, answer: Twiml, began: float) -> tuple[str, int, bool]:
            return what, answer.status, time.monotonic() - began < 7.0

        async def call(path: str, digits: str | None = None) -> tuple[str, int, bool]:
            began, sid = time.monotonic(), CallSid(call_sid())
            return await timed(path, await house.twilio.call(path, sid, digits), began)

        async def post(path: str) -> tuple[str, int, bool]:
            began = time.monotonic()
            return await timed(path, await house.twilio.post(path, text), began)

        answers = await asyncio.gather(
            call("/voice/incoming"),
            call("/voice/category?attempt=1", "3"),
            call("/voice/menu?attempt=1", "3"),
            call("/voice/left"),
            call(page),
            call(key, "4"),
            post("/sms"),
        )
    assert [(status, in_time) for _, status, in_time in answers] == [(200, True)] * len(answers)
