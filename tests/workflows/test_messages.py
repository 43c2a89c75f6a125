"""Every message, order and result comes back from Temporal as it went, and another version's is refused."""

import dataclasses
import inspect
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from temporalio.contrib.pydantic import pydantic_data_converter

from tests.workflows.night import (
    CALLER,
    LINE,
    ROOM,
    Handset,
    Night,
    Room,
    a_call_in_the_room,
    a_case,
    an_act,
    ana,
    asks,
    at,
    ben,
    person,
    rung,
)
from workflows import messages, orders, room_acts, voice
from workflows.assistant import Post, Role
from workflows.call_news import Acted
from workflows.call_state import (
    Call,
    Closing,
)
from workflows.emergency import Escalation, Phase, TimerKind
from workflows.ladder import armed
from workflows.messages import VERSION, Message, NotUnderstoodError, understood
from workflows.pages import Evidence, Standing
from workflows.responder import Phone
from workflows.values import (
    Act,
    ActId,
    ActKind,
    ActReply,
    CallSid,
    Channel,
    EscalationId,
    Fact,
    Ladder,
    LineId,
    PageId,
    PersonId,
    RingId,
    Severity,
    Verdict,
    Via,
)
from workflows.voice import Plan, Speaker, Tool, Turn

CI = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
converter = pydantic_data_converter.payload_converter


def back(value: object) -> object:
    """The value as the other side gets it."""
    return converter.from_payloads(converter.to_payloads([value]), [type(value)])[0]


# The long-lived states, as a night leaves them


def a_night_half_told() -> Night:
    """Acknowledged by SMS after a rung expired, a join call under way, every kind of evidence on record."""
    night = Night(rung(ana, ring_again_s=60), rung(ben, person("Pia", push=True)), last_resort=(ana,))
    night.submitted(ana, 1)
    night.unanswered(ana, 30)
    night.time_passes(121)
    night.failed_for_good(ben, 122, [Channel.VOICE])
    night.says_not_me(ana, 123)
    night.texts_mine(ben, 125)
    return night


def a_phone_in_use() -> Handset:
    """Answered, with two pages in the call and one that waits."""
    phone = Handset()
    phone.asked_for("leak")
    phone.asked_for("fire", 1, join=True)
    phone.placed("CA1", 2)
    phone.says("in-progress", 3)
    phone.asked_for("lift", 4, severity=Severity.LIFE)
    return phone


def a_room_in_the_middle_of_a_switch() -> Room:
    """A responder joins, the AI is on its way to coach, the caller to hold; something is being told."""
    room = a_call_in_the_room()
    room.comes(ana)
    room.step_succeeds()
    room.is_told("joining")
    room.is_told("over")
    act = room_acts.RoomAct(
        id=ActId("a"), kind=room_acts.RoomActKind.HOLD, whom=room_acts.CALLER, by=ana.id, sound="music"
    )
    room.hears(Acted(act, at(9)))
    return room


def test_an_escalation_comes_back_as_it_went() -> None:
    state = a_night_half_told().state
    assert back(state) == state


@CI
@given(st.data())
def test_an_escalation_comes_back_as_it_went_at_every_point_of_a_night(data: st.DataObject) -> None:
    night = Night(rung(ana), rung(ben), last_resort=(ana,), caller=data.draw(st.booleans()))
    for _ in range(data.draw(st.integers(0, 8))):
        when = night.now + data.draw(st.integers(0, 200))
        match data.draw(st.integers(0, 6)):
            case 0:
                night.time_passes(when)
            case 1:
                night.news(ana, data.draw(st.sampled_from([Standing.SUBMITTED, Standing.FAILED])), when)
            case 2:
                night.presses_mine(ana, when)
            case 3:
                night.says_not_me(ana, when)
            case 4:
                night.joins(ana, when)
            case 5:
                night.leaves(ana, when)
            case _:
                night.caller_hangs_up(when)
    assert back(night.state) == night.state


def test_a_phone_comes_back_as_it_went() -> None:
    phone = a_phone_in_use().phone
    assert phone.ring is not None
    assert phone.waiting
    assert back(phone) == phone


def test_a_call_comes_back_as_it_went() -> None:
    call = a_room_in_the_middle_of_a_switch().call
    assert call.step is not None
    assert call.to_tell
    assert call.floors
    assert call.acted
    assert back(call) == call


# Messages, orders and results

ESCALATION: Escalation = a_night_half_told().state
PHONE: Phone = a_phone_in_use().phone
CALL: Call = a_room_in_the_middle_of_a_switch().call
TIMER = armed(ESCALATION)
RING = PHONE.ring
EVIDENCE = Evidence(Standing.REACHED, "CA1", at(3), "why")
LADDER = Ladder((rung(ana, ben),), (person("Pia", push=True),))
REQUEST = asks("leak", 3, join=True, ring=2, severity=Severity.LIFE)
FACT = Fact("esc#1", "exhausted", 2, "Ana", at(600))
ESC, PAGE, LEG, ANA = EscalationId("esc"), PageId("esc.1"), CallSid("CAana"), PersonId("ana")
ACT = replace(an_act(ana, ActKind.ACKNOWLEDGE, Via.KEY, "CA1"), page=PAGE, pressed_at=at(9.25), note="mine")

TURN = Turn(Speaker.RESPONDER, "It is the valve.", at(31.5), False, "esc#1", "item_1", True)
PLAN = Plan(
    "Listen.", (Tool("note", "Notes.", "{}"),), "marin", "es", "Hello.", (TURN,), Role.COACH, "Ana", True
)

assert RING is not None
assert TIMER is not None

MESSAGES: list[Message] = [
    messages.EscalationInput(
        id=ESC, case=a_case(), caller_digest="d", call=LEG, conference="af", ladder=LADDER, state=ESCALATION
    ),
    messages.PageNews(page=PAGE, channel=Channel.TEXT, evidence=EVIDENCE, ring=2),
    messages.CallerNews(call=LEG),
    messages.CallerComes(call=LEG, conference="af"),
    messages.RoomNews(person=ANA, leg=LEG),
    messages.EscalationView(
        id=ESC,
        case=a_case(),
        phase=Phase.FOLLOWING_UP,
        round=2,
        rung=1,
        rungs=8,
        rung_name="primary",
        pages=ESCALATION.pages,
        owner="Ana",
        callers_waiting=1,
        next_is=TimerKind.FOLLOW_UP,
        next_at=TIMER.at,
        note="",
    ),
    messages.EscalationOutcome(
        phase=Phase.RESOLVED, owner="ana", rounds=2, pages=ESCALATION.pages, note="dry"
    ),
    messages.ResponderInput(person=ANA, phone=PHONE),
    messages.PageRequest(request=REQUEST),
    messages.Withdrawal(escalation=ESC, owner="Ana", page=PAGE),
    messages.RingProgress(ring=RING.id, sid=LEG, status="no-answer"),
    messages.PickedUp(ring=RING.id, sid=LEG),
    messages.ScriptItem(
        page=PAGE,
        escalation=ESC,
        kind="join",
        spoken="water",
        severity=Severity.LIFE,
        line_name="Clinic",
        accept="3",
        decline="7",
        conference="af",
        test=True,
    ),
    messages.Script(items=(), taken_by="Ana"),
    messages.TextIn(code="4711"),
    messages.TextMatch(page=PAGE, escalation=ESC),
    messages.CallInput(sid=LEG, line=LINE, caller_number="anonymous", caller_digest="d", call=CALL),
    messages.Report(category="water", spoken="water", severity=Severity.ROUTINE),
    messages.ReportReply(escalation=ESC, conference="af"),
    messages.Note(what="emergency-called"),
    messages.Recording(url="https://example.test/RE1", seconds=9),
    messages.ConferenceNews(event="participant-join", conference=ROOM, name="af", leg=LEG, label="ai-xCA1-1"),
    messages.LegNews(sid=LEG, what="menu"),
    messages.Tell(fact=FACT),
    messages.SeatOrder(person=ana, leg=LEG),
    messages.Dismissal(),
    messages.Attach(generation=2, nonce="n", queue="bridge-1", stream="MZ1"),
    messages.Attached(accepted=False, because="used", plan=PLAN),
    messages.Detached(generation=2, queue="bridge-1"),
    messages.Resume(generation=2),
    messages.Resumed(again=True),
    messages.LeftRoom(),
    messages.WhatNow(rejoin=True, conference="af"),
    messages.CallView(
        sid=LEG,
        line=LINE,
        caller="room",
        caller_number="+15550177",
        escalation=ESC,
        conference="af",
        conference_sid=ROOM,
        assistant_role="coach",
        assistant_leg=CallSid("CAai1"),
        coaching=LEG,
        responders=("ana",),
        telling="taken",
        ais=(messages.AiView(Post.INTERPRETER, Role.INTERPRETER, LEG, True, False, ("es", "en")),),
        people=(messages.PersonView("caller", LEG, "words", True, False),),
    ),
    room_acts.RoomAct(
        id=ActId("console:1"),
        kind=room_acts.RoomActKind.BRING,
        whom=room_acts.Whom("interpreter"),
        by=ANA,
        sound="silence",
        language="es",
    ),
    room_acts.RoomReply(done=True, sentence="the interpreter comes", confirmed=True),
    messages.Worse(case=a_case(Severity.LIFE)),
    messages.CaseNote(text="main valve closed"),
    messages.Keys(about="place", digits="412"),
    voice.ToolCall(id="call_1", name="note", arguments='{"text": "dry"}', generation=2),
    voice.ToolOutcome(output="noted", speak=False),
    voice.Turns(generation=2, first=7, turns=(TURN, replace(TURN, speaker=Speaker.ROOM))),
    voice.VoiceTrouble(generation=2, what="model-lost", detail="1006"),
    messages.ConversationView(
        agent="triage",
        turns=(TURN,),
        tools=(("call_1", "Kept."),),
        notes=("dry",),
        contact="+12025550142",
        place="Oak Street 4",
        danger="smoke",
        corrections=1,
    ),
    messages.CallOutcome(closing=Closing.MESSAGE_TAKEN, escalation=None),
]

MODELS: list[object] = [
    ACT,
    ActReply(Verdict.TAKEN, "Ana has it.", "Ana", "af", can_ring=True),
    LADDER,
    orders.Done(),
    orders.PlanLadder(LineId("clinic"), "water", Severity.LIFE, at(0)),
    orders.Submission("doubtful", at(3), "CA1", "timeout", ROOM),
    orders.PlacePageCall(ANA, "+15550100", RING),
    orders.FindCall("+15550100", "+15550101", at(0), (LEG,)),
    orders.Found("CA1"),
    orders.OneCall(LEG),
    orders.CallStatus("ringing"),
    orders.SendText("page", PAGE, ESC, ana, a_case(), "4711"),
    orders.FindText("+15550100", "+15550101", at(0), "4711"),
    orders.Push("ask-owner", PAGE, ESC, person("Pia", push=True), a_case(), "4711"),
    orders.AlertOperator("queued", a_case()),
    orders.DeliverMessage(LineId("clinic"), LEG, "RE1", 9, "the bins"),
    orders.RelayPage(REQUEST),
    orders.AddAssistant(LEG, LINE, "af", ROOM, "ai-xCA1-1", 1, muted=True),
    orders.SetParticipant(ROOM, LEG, muted=False, coached=LEG, uncoach=True),
    orders.SetParticipant(ROOM, LEG, held=True, sound="words", line=LineId("clinic")),
    orders.ConfirmCoaching(ROOM, LEG, None),
    orders.AnnounceFact(ROOM, LEG, LINE, FACT),
    orders.EndRoom(ROOM, (LEG,)),
    orders.LookAtRoom(None, "af", (LEG, CALLER.call)),
    orders.Present(LEG, "label"),
    orders.RoomSeen(ROOM, True, (orders.Present(LEG, "label"),), (LEG,)),
    orders.SendCaller(LEG, "keys", "place"),
    orders.FindIncidents(LineId("clinic"), "water", ESC),
    orders.Incidents((orders.Incident("water", "paging", 12),)),
    orders.Instruction(LEG, 2, "role", Role.COACH, "Ana", PLAN, "text", "esc#1"),
]


def name(value: object) -> str:
    """The model's name, as the test's id."""
    return type(value).__name__


@pytest.mark.parametrize("value", [*MESSAGES, *MODELS], ids=name)
def test_it_comes_back_as_it_went(value: object) -> None:
    came = back(value)
    assert type(came) is type(value)
    assert _lists_as_tuples(came) == _lists_as_tuples(value)


def _lists_as_tuples(value: object) -> object:
    """A `Sequence` field may come back as a list."""
    if isinstance(value, (list, tuple)):
        return tuple(_lists_as_tuples(item) for item in cast("Sequence[object]", value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _lists_as_tuples(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return (type(value), tuple(fields.items()))
    return value


@pytest.mark.parametrize("message", [*MESSAGES, ACT], ids=name)
def test_a_message_of_this_version_is_understood(message: Any) -> None:
    assert understood(message) is message


@pytest.mark.parametrize("version", [0, VERSION + 1, -1])
@pytest.mark.parametrize("message", [*MESSAGES, ACT], ids=name)
def test_a_message_of_another_version_is_refused_by_name(message: Any, version: int) -> None:
    came: Any = back(replace(message, version=version))
    with pytest.raises(NotUnderstoodError, match=f"{name(message)} version {version} .*speaks {VERSION}"):
        understood(came)


def test_every_message_is_tested_here() -> None:
    every = {
        model
        for module in (messages, room_acts, voice)
        for _, model in inspect.getmembers(module, inspect.isclass)
        if issubclass(model, Message) and model is not Message
    }
    assert {type(message) for message in MESSAGES} == every


def test_every_order_and_every_result_is_tested_here() -> None:
    every = {model for order in orders.ORDERS for model in (order.takes, order.gives)}
    assert every <= {type(value) for value in MODELS}


def test_an_act_from_temporals_own_ui_needs_no_more_than_its_kind_an_id_and_a_person() -> None:
    payload = converter.to_payloads([{"kind": "acknowledge", "id": "by hand", "by": "ana"}])
    (act,) = converter.from_payloads(payload, [Act])
    assert act == Act(ActKind.ACKNOWLEDGE, act.id, ANA)
    assert understood(act).via is Via.TEMPORAL


def test_a_message_does_not_arrive_as_a_look_alike() -> None:
    """One model per kind of news, or a tag: decline and acknowledge must never be mixed up."""
    for kind in ActKind:
        act = an_act(ana, kind)
        assert back(act) == act


@CI
@given(
    st.builds(
        Evidence,
        standing=st.sampled_from(Standing),
        provider_id=st.none() | st.text(max_size=34),
        at=st.none() | st.integers(0, 10**9).map(lambda us: at(0) + timedelta(microseconds=us)),
        error=st.none() | st.text(max_size=80),
    )
)
def test_evidence_comes_back_to_the_microsecond(evidence: Evidence) -> None:
    news = messages.PageNews(page=PAGE, channel=Channel.PUSH, evidence=evidence)
    assert back(news) == news


def test_a_ring_id_is_the_same_in_every_message_that_speaks_of_it() -> None:
    assert back(messages.PickedUp(ring=RingId("1-esc.1"), sid=LEG)) == messages.PickedUp(
        ring=RingId("1-esc.1"), sid=LEG
    )
