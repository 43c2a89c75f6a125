"""What people live through at night, with every process real: one story for each way it can go.

The peaceful stories are told at once, each on a line of its own; then those that break something for everybody.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.service import RPCError, RPCStatusCode

from rung.api import alert_token
from tests.night.installation import Installation, installed
from tests.night.owners_file import Line, OwnersFile
from tests.night.people import JOINS, PASSES, SHORT_VOICEMAIL, TAKES, VOICEMAIL, Leg, Story, is_event
from tests.night.rooms import are_together, is_coached
from workflows.call import Closing
from workflows.ladder import Phase
from workflows.messages import call_workflow_id
from workflows.pages import Standing
from workflows.values import CallSid, EscalationId

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILE = OwnersFile()
MAIN = FILE.line("main", [["ana"], ["ben"], ["cleo"], ["dee"], ["eli"]], wait_s=4)
SMS = FILE.line("sms", [["ana"], ["ben"]], wait_s=20)
LINK = FILE.line("link", [["ana"], ["ben"]], wait_s=20)
ALERT = FILE.line("alert", [["ana"], ["ben"]], wait_s=20)
GONE = FILE.line("gone", [["ana"], ["ben"]], wait_s=4)
MESSAGE = FILE.line("message", [["ana"]])
SILENT = FILE.line("silent", [["ana"]], more={"menu": {"prompt_wait_s": 1}})
RUDE = FILE.line("rude", [["ana"]], more={"menu": {"prompt_wait_s": 1, "silence": "abandon"}})
FORGED = FILE.line("forged", [["ana"]])
REFUSED = FILE.line("refused", [["ana"], ["ben"]], wait_s=6, push=False)
TWO = FILE.line("two", [["ana"], ["ben"]], wait_s=6)
DOWN = FILE.line("down", [["ana"], ["ben"]])
SPOOL = FILE.line("spool", [["ana"], ["ben"]], wait_s=60)
STATIC = FILE.line("static", [["ana"], ["ben"]])
FAULTS = [FILE.line(f"faults{seed}", [["ana"], ["ben"]], wait_s=6) for seed in range(3)]

NOBODYS = "+19995550100"
PEACEFUL: list[Callable[[Installation], Awaitable[None]]] = []


def peaceful(story: Callable[[Installation], Awaitable[None]]) -> Callable[[Installation], Awaitable[None]]:
    """A story that disturbs no other."""
    PEACEFUL.append(story)
    return story


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def night(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Installation]:
    """One installation for all stories."""
    async with installed(tmp_path_factory.mktemp("night"), FILE) as night:
        yield night


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def told(
    night: Installation, request: pytest.FixtureRequest
) -> AsyncIterator[dict[str, "asyncio.Task[None]"]]:
    """The chosen peaceful stories, all told at once."""
    chosen = {
        item.callspec.params.get("story") for item in request.session.items if hasattr(item, "callspec")
    }
    tasks = {story.__name__: asyncio.ensure_future(story(night)) for story in PEACEFUL if story in chosen}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


def voice_calls(night: Installation, number: str, after: int = 0) -> int:
    """How often this number was called by us."""
    return sum(
        r.kind == "call.created" and r.says("to") == number and r.says("direction") != "inbound"
        for r in night.journal.since(after)
    )


# The peaceful stories


@peaceful
async def a_voicemail_does_not_count_and_a_human_who_accepts_is_coached_then_left_alone_with_the_caller(
    night: Installation,
) -> None:
    story = Story(night, MAIN)
    await story["ana"].does("no_answer")
    await story["ben"].does(VOICEMAIL)
    await story["cleo"].does(PASSES)
    caller = await story.is_rung()
    escalation = await story.reports(caller)

    dee = await (await story["dee"].rings()).picks_up()
    await dee.takes_it()
    await are_together(night, caller, dee)
    assistant = await is_coached(night, caller, dee)

    await dee.presses("*")
    await dee.hears("press 1 if it is resolved")
    await dee.presses("1")
    await dee.hears("resolved")
    await night.journal.first(
        "the AI leaves", lambda r: is_event(r, "participant-leave") and r.call == assistant
    )
    outcome = await night.escalation_ended(escalation)
    await dee.is_in_a_room(after=dee.heard_to)
    await are_together(night, caller, dee)  # the humans talk on
    await caller.hangs_up()
    await dee.hangs_up()
    closed = await night.call_closed(caller.sid)

    assert (outcome.phase, outcome.owner) == (Phase.RESOLVED, "main-dee")
    assert [page.responder.id for page in outcome.pages] == ["main-ana", "main-ben", "main-cleo", "main-dee"]
    assert [page.declined for page in outcome.pages] == [False, False, True, False]
    assert outcome.pages[1].voice.standing is not Standing.FAILED
    assert closed.closing is Closing.ESCALATED
    assert voice_calls(night, story["eli"].person.number) == 0


@peaceful
async def an_sms_with_the_code_accepts_and_the_ringing_call_becomes_the_way_in(night: Installation) -> None:
    story = Story(night, SMS)
    caller = await story.is_rung()
    escalation = await story.reports(caller)
    ana = await story["ana"].rings()
    code = (await story["ana"].is_told(r"Reply (\d{4}) to take it"))[1]

    await story["ana"].writes(SMS, "0000")
    await story["ana"].is_told("does not belong to an open page of yours")
    await story["ana"].writes(SMS, code)
    await story["ana"].is_told("You have it")
    await ana.picks_up()
    await ana.presses((await ana.hears(r"press (\d) to join"))[1])

    await are_together(night, caller, ana)
    await night.is_in(escalation, Phase.ATTENDED)
    assert voice_calls(night, ana.number) == 1
    assert voice_calls(night, story["ben"].person.number) == 0


@peaceful
async def a_link_shows_on_get_and_accepts_on_post_once(night: Installation) -> None:
    story = Story(night, LINK)
    caller = await story.is_rung()
    escalation = await story.reports(caller)
    await story["ana"].does("busy", JOINS)
    link = (await story["ana"].is_told(r"(http\S+/a/\S+)"))[1]

    shown = await night.door.get(link)
    assert "I take it" in shown.text
    assert (await night.escalation(escalation)).phase is Phase.PAGING

    first = await night.door.post(link, data={"do": "acknowledge"})
    again = await night.door.post(link, data={"do": "acknowledge"})
    forged = await night.door.post(link[:-3] + "xyz", data={"do": "acknowledge"})

    assert "You have it" in first.text
    assert again.text == first.text
    assert forged.status_code == 403
    ana = await story["ana"].rings()  # the first call, to a busy phone, never rang
    await are_together(night, caller, ana)
    view = await night.is_in(escalation, Phase.ATTENDED)
    assert view.owner == story["ana"].person.name


@peaceful
async def an_alert_without_a_caller_wakes_somebody_who_can_ring_the_contact_through_the_line(
    night: Installation,
) -> None:
    story = Story(night, ALERT)
    headers = {
        "Authorization": f"Bearer {alert_token(night.settings)}",
        "Idempotency-Key": "pump 7",
    }
    alert = {"category": "water", "summary": "Pump seven has stopped.", "contact": ALERT.caller}
    await night.asks("POST", f"/phones/{ALERT.caller}", {"calls": [{"answer": 0, "steps": ["stay"]}]})
    url = f"/alerts/{ALERT.key}"

    first = await night.door.post(url, json=alert, headers=headers)
    again = await night.door.post(url, json=alert, headers=headers)
    unknown = await night.door.post(url, json=alert, headers={**headers, "Authorization": "Bearer x"})

    assert (first.status_code, again.status_code, unknown.status_code) == (202, 200, 401)
    assert first.json() == again.json()
    ana = await (await story["ana"].rings()).picks_up()
    await ana.takes_it()
    await ana.hears("Pump seven has stopped")
    await ana.hears("press 1 to ring the caller back")
    await ana.presses("1")
    rung = await night.journal.first(
        "the contact is rung from the line's number",
        lambda r: r.kind == "call.created" and (r.says("to"), r.says("from")) == (ALERT.caller, ALERT.number),
    )
    await night.journal.first(
        "the contact answers", lambda r: r.kind == "call.answered" and r.call == rung.call
    )
    view = await night.is_in(EscalationId(first.json()["escalation"]), Phase.ACKNOWLEDGED)
    assert view.owner == story["ana"].person.name
    texts = [r.says("body") for r in night.journal.since(0) if r.says("to") == ana.number]
    assert not any("Pump" in body for body in texts)


@peaceful
async def a_caller_who_hangs_up_does_not_end_the_chase(night: Installation) -> None:
    story = Story(night, GONE)
    caller = await story.is_rung()
    escalation = await story.reports(caller)
    await story["ana"].rings()
    await caller.hangs_up()

    ben = await (await story["ben"].rings()).picks_up()
    await ben.takes_it()
    await ben.hears("nobody is waiting on the line")
    await ben.hears("press 1 to ring the caller back")
    await night.asks("POST", f"/phones/{GONE.caller}", {"calls": [{"answer": 0, "steps": ["stay"]}]})
    await ben.presses("1")

    await night.journal.first(
        "the caller is rung back",
        lambda r: r.kind == "call.answered" and r.number == GONE.caller and r.call != caller.sid,
    )
    view = await night.is_in(escalation, Phase.ACKNOWLEDGED)
    assert view.owner == story["ben"].person.name
    assert (await night.call_closed(caller.sid)).closing is Closing.ESCALATED


@peaceful
async def a_message_is_passed_on_and_wakes_nobody(night: Installation) -> None:
    story = Story(night, MESSAGE)
    caller = await story.is_rung()
    await caller.is_asked()
    await caller.presses("2")
    await caller.hears(r"\[beep\]")
    await night.asks("POST", f"/calls/{caller.sid}/say", {"text": "The gate is open."})
    await caller.presses("#")
    await caller.hears("will be passed on")

    closed = await night.call_closed(caller.sid)
    await night.journal.first(
        "ana is told of the message",
        lambda r: r.kind == "push" and r.says("person") == "message-ana" and "message of" in str(r.details),
    )
    assert closed.closing is Closing.MESSAGE_TAKEN
    assert voice_calls(night, story["ana"].person.number) == 0


@peaceful
async def a_silent_caller_is_asked_twice_then_people_are_woken(night: Installation) -> None:
    story = Story(night, SILENT)
    await story["ana"].does(TAKES)
    caller = await story.is_rung()
    ana = await story["ana"].rings()
    await are_together(night, caller, ana)

    prompts = (await caller.everything_heard()).count("To report an emergency")
    outcome = await night.escalation(EscalationId(f"escalation-{caller.sid}"))
    assert prompts == 2
    assert outcome.case.category == "not-understood"


@peaceful
async def a_silent_caller_is_let_go_where_the_line_says_so(night: Installation) -> None:
    story = Story(night, RUDE)
    caller = await story.is_rung()

    await caller.is_over()
    assert (await night.call_closed(caller.sid)).closing is Closing.ABANDONED
    assert voice_calls(night, story["ana"].person.number) == 0


@peaceful
async def a_number_that_no_line_has_gets_an_apology(night: Installation) -> None:
    url = f"{night.settings.public_url}/voice/incoming"
    await night.asks("POST", "/numbers", {"number": NOBODYS, "voice_url": url})
    dialled = await night.asks("POST", "/dial", {"from": MAIN.caller, "to": NOBODYS, "steps": ["stay"]})
    caller = Leg(night, CallSid(dialled["call"]), MAIN.caller)

    await caller.hears("not in service")
    assert await caller.is_over() == "completed"
    assert not await exists(night, call_workflow_id(caller.sid))


@peaceful
async def an_unsigned_webhook_gets_403_and_touches_nothing(night: Installation) -> None:
    sid = "CA" + "f" * 32
    form = {
        "CallSid": sid,
        "From": FORGED.caller,
        "To": FORGED.number,
        "CallStatus": "ringing",
        "Digits": "1",
    }
    paths = ("/voice/incoming", "/voice/menu", "/voice/category", "/sms", f"/conference/{sid}", "/ai-leg")

    unsigned = [await night.door.post(path, data=form) for path in paths]
    wrong = [
        await night.door.post(path, data=form, headers={"X-Twilio-Signature": "bm90IG91cnM="})
        for path in paths
    ]

    assert {reply.status_code for reply in (*unsigned, *wrong)} == {403}
    assert not await exists(night, call_workflow_id(CallSid(sid)))
    assert not await exists(night, f"escalation-{sid}")


async def exists(night: Installation, workflow_id: str) -> bool:
    """Whether Temporal knows of such a workflow."""
    try:
        await night.client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


@peaceful
async def a_number_that_twilio_refuses_closes_that_channel_and_the_rung_goes_on(night: Installation) -> None:
    story = Story(night, REFUSED)
    await story["ana"].does({"refuse": 21216})
    caller = await story.is_rung()
    escalation = await story.reports(caller)
    await story["ana"].is_told("to take it")
    ben = await (await story["ben"].rings()).picks_up()  # ana's SMS had its whole time

    view = await night.escalation(escalation)
    assert view.pages[0].voice.standing is Standing.FAILED
    assert "21216" in (view.pages[0].voice.error or "")
    await ben.takes_it()
    await are_together(night, caller, ben)


@peaceful
async def of_two_callers_at_once_each_gets_a_human(night: Installation) -> None:
    story = Story(night, TWO)
    first, second = await asyncio.gather(story.is_rung(), story.is_rung(caller=SILENT.caller))
    await asyncio.gather(story.reports(first), story.reports(second))
    ana = await story["ana"].rings()
    await ana.picks_up()
    await ana.takes_it()
    ben = await (await story["ben"].rings()).picks_up()
    await ben.takes_it()

    rooms = {leg.sid: await leg.is_in_a_room() for leg in (first, second, ana, ben)}
    assert {rooms[first.sid], rooms[second.sid]} == {rooms[ana.sid], rooms[ben.sid]}
    assert rooms[first.sid] != rooms[second.sid]


def named(story: Callable[[Installation], Awaitable[None]]) -> str:
    """The rule that a story tells of."""
    return story.__name__


@pytest.mark.parametrize("story", PEACEFUL, ids=named)
async def test_peaceful(
    story: Callable[[Installation], Awaitable[None]], told: dict[str, "asyncio.Task[None]"]
) -> None:
    await told[story.__name__]


# What breaks something for everybody


async def test_while_temporal_is_down_tonights_rota_is_rung_and_a_voicemail_does_not_take_it(
    night: Installation,
) -> None:
    story = Story(night, DOWN)
    await story["ana"].does(SHORT_VOICEMAIL)
    async with night.dead("temporal"):
        caller = await story.is_rung()
        ben = await (await story["ben"].rings(within_s=45)).picks_up()
        await ben.presses((await ben.hears(r"press (\d) to talk to them"))[1])
        await hear_each_other(night, caller, ben)

    opening = (await caller.everything_heard()).splitlines()[0]
    assert opening == "If anyone is in danger, hang up and dial 911."
    await spool_is_empty(night)
    await caller.hangs_up()
    closed = await night.call_closed(caller.sid)
    assert (closed.closing, closed.escalation) == (Closing.FAILED_OVER, None)
    assert voice_calls(night, story["ana"].person.number) == 1


async def test_a_key_pressed_while_temporal_is_down_seats_the_person_and_is_replayed(
    night: Installation,
) -> None:
    story = Story(night, SPOOL)
    caller = await story.is_rung()
    escalation = await story.reports(caller)
    ana = await (await story["ana"].rings()).picks_up()
    key = (await ana.hears(r"press (\d) to take it"))[1]
    async with night.dead("temporal"):
        await ana.presses(key)
        await ana.hears("cannot confirm this now. I am joining you")
        await are_together(night, caller, ana)

    view = await night.is_in(escalation, Phase.ATTENDED)
    await spool_is_empty(night)
    assert view.owner == story["ana"].person.name
    assert [page.responder.id for page in view.pages] == [story["ana"].person.key]
    await caller.hangs_up()
    await ana.hangs_up()
    assert (await night.call_closed(caller.sid)).closing is Closing.ESCALATED


async def test_while_the_door_is_dead_another_host_rings_the_rota_and_only_a_key_connects(
    night: Installation, tmp_path: Path
) -> None:
    await publish_fallback(night, STATIC, tmp_path)
    story = Story(night, STATIC)
    await story["ana"].does(SHORT_VOICEMAIL)
    async with night.dead("api"):
        caller = await story.is_rung()
        ben = await (await story["ben"].rings(within_s=45)).picks_up()
        await ben.presses((await ben.hears(r"press (\d) to talk to them"))[1])
        await hear_each_other(night, caller, ben)

    opening = (await caller.everything_heard()).splitlines()[0]
    assert opening == "If anyone is in danger, hang up and dial 911."
    assert voice_calls(night, story["ana"].person.number) == 1
    await caller.hangs_up()


async def test_lost_doubled_late_and_reordered_callbacks_lead_to_the_same_end(night: Installation) -> None:
    for line in FAULTS:
        for number in (line.number, *(person.number for person in line.people)):
            for kind in ("callback_lost", "callback_doubled", "callback_reordered", "callback_delayed"):
                for on in ("call", "message"):
                    await night.goes_wrong(kind=kind, on=on, number=number, probability=0.25, seconds=1)
    for kind in ("callback_doubled", "callback_reordered", "callback_delayed"):
        await night.goes_wrong(kind=kind, on="conference", probability=0.3, seconds=0.5)
    try:
        ends = await asyncio.gather(*(to_the_end(night, line) for line in FAULTS))
    finally:
        await night.asks("DELETE", "/faults")

    assert ends == [(Phase.RESOLVED, f"{line.key}-ben", Closing.ESCALATED, 1, 1) for line in FAULTS]


async def to_the_end(night: Installation, line: Line) -> tuple[Phase, str | None, Closing, int, int]:
    """Ana lets it ring, Ben takes and resolves it: how it ended, and how often each was called."""
    story = Story(night, line)
    await story["ana"].does("no_answer")
    caller = await story.is_rung()
    escalation = await story.reports(caller)
    ben = await (await story["ben"].rings()).picks_up()
    await ben.takes_it()
    await are_together(night, caller, ben)
    await ben.presses("*")
    await ben.hears("press 1 if it is resolved")
    await ben.presses("1")
    outcome = await night.escalation_ended(escalation)
    await caller.hangs_up()
    await ben.hangs_up()
    closed = await night.call_closed(caller.sid)
    rung = [voice_calls(night, story[name].person.number, story.began) for name in ("ana", "ben")]
    return outcome.phase, outcome.owner, closed.closing, rung[0], rung[1]


async def hear_each_other(night: Installation, one: Leg, other: Leg) -> None:
    """Wait until the second leg hears what is said on the first."""
    for _ in range(50):
        await night.asks("POST", f"/calls/{one.sid}/say", {"text": "Is anybody there?"})
        said = await night.journal.first(
            "the caller speaks", lambda r: r.kind == "leg.said" and r.call == one.sid, after=one.heard_to
        )
        one.heard_to = said.seq
        if other.sid in said.says("heard_by"):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{other.number} does not hear {one.number}")


async def spool_is_empty(night: Installation) -> None:
    """Wait until everything that was written down has been handed over."""
    async with asyncio.timeout(30):
        while True:
            reply = await night.door.get("/ready")
            if reply.json()["temporal"] and reply.json()["spool"] == 0:
                return
            await asyncio.sleep(0.1)


async def publish_fallback(night: Installation, line: Line, folder: Path) -> None:
    """Write the static documents of a line as an operator does, and have the other host serve them."""
    base = f"{night.settings.twilio_base_url}/_sandbox/static"
    command = ("fallback", "--out", str(folder), "--base-url", base, "--line", line.key)
    writing = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "rung", *command, "--file", str(night.settings.config)),
        env=night.settings.environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await writing.communicate()
    assert writing.returncode == 0
    for document in await asyncio.to_thread(lambda: list(folder.glob("*.xml"))):
        reply = await night.sandbox.put(f"/static/{document.name}", content=document.read_bytes())
        assert reply.is_success
    assert f"{line.number}: {base}/{line.key}.xml" in said.decode()
