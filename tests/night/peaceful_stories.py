"""What people live through on nights on which nothing of ours breaks."""

import asyncio

from temporalio.service import RPCError, RPCStatusCode

from rung.api import alert_token
from tests.night.installation import Installation
from tests.night.lines import (
    ALERT,
    FAULTS,
    FORGED,
    GONE,
    LINK,
    MAIN,
    MESSAGE,
    REFUSED,
    RUDE,
    SILENT,
    SMS,
    TWO,
)
from tests.night.owners_file import Line
from tests.night.people import JOINS, PASSES, TAKES, VOICEMAIL, Leg, Story, is_event
from tests.night.rooms import are_together, is_coached
from workflows.call_state import (
    Closing,
)
from workflows.emergency import Phase
from workflows.messages import call_workflow_id
from workflows.pages import Standing
from workflows.values import CallSid, EscalationId

NOBODYS = "+19995550100"


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
    assert not story.calls("eli")


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
    assert len(story.calls("ana")) == 1
    assert not story.calls("ben")


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
    assert not story.calls("ana")


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


async def a_silent_caller_is_let_go_where_the_line_says_so(night: Installation) -> None:
    story = Story(night, RUDE)
    caller = await story.is_rung()

    await caller.is_over()
    assert (await night.call_closed(caller.sid)).closing is Closing.ABANDONED
    assert not story.calls("ana")


async def a_number_that_no_line_has_gets_an_apology(night: Installation) -> None:
    url = f"{night.settings.public_url}/voice/incoming"
    await night.asks("POST", "/numbers", {"number": NOBODYS, "voice_url": url})
    dialled = await night.asks("POST", "/dial", {"from": MAIN.caller, "to": NOBODYS, "steps": ["stay"]})
    caller = Leg(night, CallSid(dialled["call"]), MAIN.caller)

    await caller.hears("not in service")
    assert await caller.is_over() == "completed"
    assert not await exists(night, call_workflow_id(caller.sid))


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


async def lost_doubled_late_and_reordered_callbacks_lead_to_the_same_end(night: Installation) -> None:
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


# What the stories share


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
    rung = [len(story.calls(name)) for name in ("ana", "ben")]
    return outcome.phase, outcome.owner, closed.closing, rung[0], rung[1]


async def exists(night: Installation, workflow_id: str) -> bool:
    """Whether Temporal knows of such a workflow."""
    try:
        await night.client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise
    return True


PEACEFUL = (
    a_voicemail_does_not_count_and_a_human_who_accepts_is_coached_then_left_alone_with_the_caller,
    an_sms_with_the_code_accepts_and_the_ringing_call_becomes_the_way_in,
    a_link_shows_on_get_and_accepts_on_post_once,
    an_alert_without_a_caller_wakes_somebody_who_can_ring_the_contact_through_the_line,
    a_caller_who_hangs_up_does_not_end_the_chase,
    a_message_is_passed_on_and_wakes_nobody,
    a_silent_caller_is_asked_twice_then_people_are_woken,
    a_silent_caller_is_let_go_where_the_line_says_so,
    a_number_that_no_line_has_gets_an_apology,
    an_unsigned_webhook_gets_403_and_touches_nothing,
    a_number_that_twilio_refuses_closes_that_channel_and_the_rung_goes_on,
    of_two_callers_at_once_each_gets_a_human,
    lost_doubled_late_and_reordered_callbacks_lead_to_the_same_end,
)
