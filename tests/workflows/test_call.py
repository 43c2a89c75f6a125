"""The room: who is in it, what the AI is there, what the caller hears, and how a call is closed."""

import pytest

from tests.workflows.night import CALLER, Room, a_call_in_the_room, ana, at, ben
from workflows.aides import may_attach, may_resume
from workflows.assistant import ADDS_AT_MOST, Role, Step
from workflows.call import EXPECTED_S, LEAVE_GRACE_S, LOOK_S, STILL_RINGING_S, due_at
from workflows.call_news import (
    Announce,
    BridgeAttached,
    BridgeDetached,
    CaseHeard,
    DeliverMessage,
    Dismissed,
    EmergencyCalled,
    EndRoom,
    FoundFailedOver,
    LegEnded,
    Look,
    MessageLeft,
    RemoveLeg,
    ReportCallerGone,
    ReportJoined,
    ReportLeft,
    StartEscalation,
    StepDone,
    StepFailed,
)
from workflows.call_state import (
    CallerAt,
    Closing,
    LegAt,
)
from workflows.labels import assistant_label, caller_label, responder_label, seated_person
from workflows.values import CallSid, ConferenceSid, Severity

NEXT_ROOM = ConferenceSid("CF2")
SWITCH = [Step.QUIET, Step.MUTE, Step.COACH, Step.CONFIRM, Step.UNMUTE, Step.TELL_ROLE]

# The choreography


def test_the_ai_is_added_when_the_caller_waits_in_the_room() -> None:
    room = Room()
    room.reports(0)
    assert room.call.step is None
    room.caller_waits()
    assert room.ai_is_seated() == [Step.ADD, Step.TELL_ROLE]
    assert room.ai.told is not None
    assert room.ai.told.role is Role.ANSWERING


def test_a_line_without_an_ai_adds_none() -> None:
    room = a_call_in_the_room(assistant=False)
    assert room.call.step is None
    assert room.call.wanted.role is Role.GONE


def test_a_seated_responder_is_coached_in_the_order_that_keeps_the_whisper_private() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    assert room.orders(ReportJoined) == [ReportJoined(ana.id, room.leg(ana))]
    assert room.steps_succeed() == SWITCH
    assert room.ai.coaching == room.leg(ana)
    assert room.ai.told is not None
    assert (room.ai.told.role, room.ai.told.person) == (Role.COACH, "Ana")


def test_the_next_responder_is_coached_when_the_first_is_gone() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    room.comes(ben)
    room.steps_succeed()
    room.hangs_up(ana)
    assert room.steps_succeed() == SWITCH
    assert room.ai.coaching == room.leg(ben)


def test_the_ai_is_muted_while_the_responder_is_in_the_menu() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    room.steps_succeed()
    room.steps_out(ana)
    assert room.steps_succeed() == [Step.QUIET, Step.MUTE]
    room.joins(ana)
    assert room.steps_succeed() == [Step.UNMUTE, Step.TELL_ROLE]


def test_the_ai_talks_to_the_caller_again_when_the_responder_is_gone() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    room.steps_succeed()
    room.hangs_up(ana)
    assert room.steps_succeed() == SWITCH
    assert room.ai.told is not None
    assert room.ai.told.role is Role.ANSWERING


def test_a_responder_who_leaves_in_the_middle_of_the_switch_changes_the_way_not_the_rule() -> None:
    for done in range(len(SWITCH)):
        room = a_call_in_the_room()
        room.comes(ana)
        for _ in range(done):
            room.step_succeeds()
        room.hangs_up(ana)
        room.steps_succeed()
        assert (room.ai.coaching, room.ai.muted) == (None, False), f"left after {done} steps"
        assert room.ai.told is not None
        assert room.ai.told.role is Role.ANSWERING


def test_dismissed_removes_the_ai_and_the_humans_talk_on() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    room.steps_succeed()
    room.hears(Dismissed(at(60)))
    assert room.steps_succeed() == [Step.REMOVE]
    assert room.ever(EndRoom) == []
    assert not room.call.over


def test_coaching_that_cannot_be_confirmed_is_set_again_before_a_word_is_said() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    for _ in (Step.QUIET, Step.MUTE, Step.COACH):
        room.step_succeeds()
    assert room.step_fails() is Step.CONFIRM
    assert room.steps_succeed() == [Step.COACH, Step.CONFIRM, Step.UNMUTE, Step.TELL_ROLE]


# Labels, generations, re-seating


def test_legs_are_labelled_role_id_generation() -> None:
    assert assistant_label(CallSid("CA1"), 3) == "ai-xCA1-3"
    assert caller_label(CallSid("CA1")) == "caller-xCA1-1"
    label = responder_label(ana.id, CallSid("CA0123456789"))
    assert label == "responder-ana-23456789"
    assert seated_person(label) == ana.id
    assert seated_person("ai-xCA1-3") is None
    assert seated_person("responder-") is None


@pytest.mark.parametrize("deaf_at", [Step.QUIET, Step.TELL_ROLE])
def test_a_bridge_that_takes_no_orders_is_replaced_next_generation_first_then_the_old_is_deleted(
    deaf_at: Step,
) -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    while room.call.step is not deaf_at:
        room.step_succeeds()
    room.step_fails()
    if room.call.step is Step.MUTE:
        room.step_succeeds()
    assert room.call.step is Step.ADD
    assert room.ai.generation == 2
    assert room.orders(RemoveLeg) == []
    room.step_succeeds()
    assert room.ever(RemoveLeg) == []
    room.ai_joins()
    assert room.orders(RemoveLeg) == [RemoveLeg(CallSid("CAai1"))]
    room.bridge_attaches("bridge-2")
    room.steps_succeed()
    assert room.ai.coaching == room.leg(ana)


def test_an_ai_leg_that_left_the_room_is_followed_by_the_next_generation() -> None:
    room = a_call_in_the_room()
    room.leaves(CallSid("CAai1"))
    assert room.call.step is Step.ADD
    assert room.ai.generation == 2


def test_an_ai_leg_whose_call_ended_is_followed_by_the_next_generation() -> None:
    room = a_call_in_the_room()
    room.hears(LegEnded(CallSid("CAai1"), at(9)))
    assert room.ai.generation == 2


def test_a_leg_of_an_earlier_generation_that_comes_in_late_is_removed() -> None:
    room = Room()
    room.reports(0)
    room.caller_waits()
    room.step_fails()  # the provider's answer never came, but it had taken the first leg
    room.ai_is_seated()
    room.ai_joins(generation=1)
    assert room.orders(RemoveLeg) == [RemoveLeg(CallSid("CAai1"))]
    assert room.ai.sid == CallSid("CAai2")


def test_the_leg_that_is_being_replaced_goes_by_itself_not_early() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    room.step_fails()
    room.ai_joins(generation=1)  # told once more
    assert room.ever(RemoveLeg) == []


def test_a_replaced_leg_does_not_stay_when_the_ai_is_dismissed_meanwhile() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    room.step_fails()
    room.steps_succeed()
    room.hears(Dismissed(at(60)))
    assert RemoveLeg(CallSid("CAai1")) in room.ever(RemoveLeg)


def test_an_application_that_refuses_its_own_leg_is_not_asked_for_ever() -> None:
    room = Room()
    room.reports(0)
    room.caller_waits()
    for _ in range(ADDS_AT_MOST):
        assert room.step_fails() is Step.ADD
    assert room.call.step is None
    assert room.call.caller is CallerAt.ROOM


def test_an_ai_leg_that_never_came_in_counts_as_refused() -> None:
    room = Room()
    room.reports(0)
    room.caller_waits()
    for generation in range(1, ADDS_AT_MOST + 1):
        room.steps_succeed()
        room.looked((CALLER.call, "caller"), ended=(f"CAai{generation}",))
    assert room.call.step is None or room.ai.generation > ADDS_AT_MOST
    assert room.ai.generation <= ADDS_AT_MOST + 1


def test_a_late_answer_about_the_old_leg_is_not_taken_for_the_new_one() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    for _ in (Step.QUIET, Step.MUTE):
        room.step_succeeds()
    room.leaves(CallSid("CAai1"))
    room.steps_succeed()
    room.ai_joins()
    assert room.call.step is Step.COACH, "a leg that only one may hear is added muted"
    room.hears(StepDone(Step.COACH, at(30), generation=1))
    assert room.ai.coaching is None
    assert room.call.step is not None


def test_a_bridge_that_attached_since_is_told_its_role_itself() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    while room.call.step is not Step.TELL_ROLE:
        room.step_succeeds()
    room.bridge_attaches("bridge-2")
    room.hears(StepFailed(Step.TELL_ROLE, "gone", True, at(30), generation=1, queue="bridge-1"))
    assert not room.ai.failing
    assert room.steps_succeed() == [Step.TELL_ROLE]


def test_a_bridge_of_an_earlier_generation_is_not_attached() -> None:
    room = a_call_in_the_room()
    room.leaves(CallSid("CAai1"))
    room.hears(BridgeAttached(1, "bridge-9", at(9)))
    assert room.ai.bridge is None
    assert may_attach(room.call, 1, "n") is not None


def test_a_stream_token_is_good_once() -> None:
    room = a_call_in_the_room()
    room.bridge_attaches("bridge-1", nonce="n1")
    room.hears(BridgeDetached(1, "bridge-1", at(5)))
    room.bridge_attaches("bridge-2", nonce="n1")
    assert room.ai.bridge is None
    room.bridge_attaches("bridge-2", nonce="n2")
    assert room.ai.bridge == "bridge-2"


def test_a_stream_is_resumed_while_there_is_a_place_for_the_ai() -> None:
    room = a_call_in_the_room()
    assert may_resume(room.call, 1)
    assert not may_resume(room.call, 2)
    room.hears(Dismissed(at(60)))
    assert not may_resume(room.call, 1)
    assert may_attach(room.call, 1, "n") is not None


def test_a_detachment_of_a_bridge_that_was_replaced_changes_nothing() -> None:
    room = a_call_in_the_room()
    room.bridge_attaches("bridge-2")
    room.hears(BridgeDetached(1, "bridge-1", at(9)))
    assert room.ai.bridge == "bridge-2"


# Finished rooms


def test_the_room_is_known_by_its_sid_and_another_rooms_news_is_ignored() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    room.leaves(room.leg(ana), NEXT_ROOM)
    room.room_ends(NEXT_ROOM)
    assert room.call.legs[0].at is LegAt.ROOM
    assert not room.call.room_over


def test_a_collapsed_room_that_the_caller_enters_anew_is_the_room() -> None:
    room = a_call_in_the_room()
    room.room_ends()
    assert room.call.step is None, "nobody is added to a room that is over"
    room.conference = NEXT_ROOM
    room.caller_waits()
    assert room.call.conference_sid == NEXT_ROOM
    assert room.ai_is_seated() == [Step.ADD, Step.TELL_ROLE]
    assert room.ai.generation == 2


def test_a_finished_rooms_late_news_does_not_bring_it_back() -> None:
    room = a_call_in_the_room()
    room.room_ends()
    room.enters(CALLER.call, "caller", conference=ConferenceSid("CF1"))
    assert room.call.room_over
    room.conference = NEXT_ROOM
    room.caller_waits()
    room.enters(CallSid("CAai1"), assistant_label(CALLER.call, 1), conference=ConferenceSid("CF1"))
    assert room.call.conference_sid == NEXT_ROOM


def test_a_leg_that_opens_an_empty_room_after_the_caller_is_gone_is_removed() -> None:
    room = a_call_in_the_room()
    room.is_expected(ana)
    room.caller_hangs_up()
    room.room_ends()
    room.enters(CallSid("CAai9"), assistant_label(CALLER.call, 9), conference=NEXT_ROOM)
    assert room.orders(RemoveLeg) == [RemoveLeg(CallSid("CAai9"))]


def test_an_ai_leg_still_being_dialled_when_the_room_ends_is_removed_and_waited_for() -> None:
    room = Room()
    room.reports(0)
    room.caller_waits()
    room.room_ends()
    room.caller_hangs_up()
    assert not room.call.over
    assert room.steps_succeed() == [Step.ADD, Step.REMOVE]
    assert room.call.over


# The caller


def test_a_caller_who_hangs_up_does_not_end_the_chase() -> None:
    room = a_call_in_the_room()
    room.caller_hangs_up(20)
    assert room.orders(ReportCallerGone) == [ReportCallerGone()]
    room.caller_hangs_up(21)
    assert room.orders(ReportCallerGone) == []


def test_a_caller_who_reports_and_hangs_up_in_the_same_breath_starts_the_chase_all_the_same() -> None:
    room = Room()
    room.caller_hangs_up(1)
    room.reports(2)
    assert len(room.orders(StartEscalation)) == 1
    assert len(room.orders(ReportCallerGone)) == 1


def test_the_same_emergency_said_twice_is_one_escalation() -> None:
    room = Room()
    room.reports(1)
    room.reports(2)
    assert [order.escalation for order in room.ever(StartEscalation)] == ["escalation-CAcaller"]


def test_a_new_emergency_after_the_first_was_resolved_is_another_escalation() -> None:
    room = Room()
    room.reports(1)
    room.hears(Dismissed(at(60)))
    room.reports(61)
    assert [order.escalation for order in room.ever(StartEscalation)] == [
        "escalation-CAcaller",
        "escalation-CAcaller-2",
    ]


def test_the_caller_who_hung_up_leaves_the_responder_with_the_ai() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    room.steps_succeed()
    room.caller_hangs_up()
    assert room.call.wanted.role is Role.COACH
    assert room.ever(EndRoom) == []


def test_the_room_is_ended_when_nobody_is_left_with_every_leg_by_itself() -> None:
    room = a_call_in_the_room()
    room.caller_hangs_up()
    assert room.orders(EndRoom) == [EndRoom((CallSid("CAai1"),))]


def test_the_room_is_ended_when_the_case_is_resolved_and_the_last_responder_is_gone() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    room.steps_succeed()
    room.hears(Dismissed(at(60)))
    room.steps_succeed()
    room.hangs_up(ana)
    assert len(room.orders(EndRoom)) == 1


def test_a_caller_alone_in_a_closed_case_is_told_before_the_room_ends() -> None:
    room = a_call_in_the_room(assistant=False)
    room.is_told("over")
    room.hears(Dismissed(at(60)))
    assert room.announced == ["over"]
    assert room.ever(EndRoom) == []
    room.has_heard_it(64)
    assert len(room.orders(EndRoom)) == 1


# Closing


def test_a_call_is_closed_when_the_room_and_every_leg_are_confirmed_ended_not_at_the_hang_up() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    room.steps_succeed()
    room.caller_hangs_up()
    assert not room.call.over
    room.hangs_up(ana)
    assert not room.call.over
    room.steps_succeed()
    assert not room.call.over
    room.room_ends()
    assert room.call.over


def test_a_call_that_never_had_a_room_is_closed_at_the_hang_up() -> None:
    room = Room()
    room.caller_hangs_up()
    assert room.call.over
    assert room.call.closing is Closing.ABANDONED


def test_a_call_is_closed_in_exactly_one_state_by_precedence() -> None:
    room = Room()
    seen = [room.call.closing]
    for event in (CaseHeard(at(1)), MessageLeft("RE1", 9, at(2))):
        room.hears(event)
        seen.append(room.call.closing)
    room.reports(3)
    seen.append(room.call.closing)
    room.caller_hangs_up(4)
    assert room.call.closing is Closing.ESCALATED, "also when the caller hung up"
    room.hears(FoundFailedOver(at(5)))
    seen.append(room.call.closing)
    assert seen == [
        Closing.ABANDONED,
        Closing.HANDLED,
        Closing.MESSAGE_TAKEN,
        Closing.ESCALATED,
        Closing.FAILED_OVER,
    ]


def test_a_recorded_message_is_delivered() -> None:
    room = Room()
    room.hears(MessageLeft("RE1", 9, at(2)))
    assert room.orders(DeliverMessage) == [DeliverMessage("RE1", 9)]


# A leg's comings and goings


def test_a_leg_that_left_is_gone_only_when_it_hung_up_or_after_a_grace() -> None:
    room = a_call_in_the_room(assistant=False)
    room.comes(ana)
    room.leaves(room.leg(ana))
    assert room.orders(ReportLeft) == []
    room.time_passes(room.now + LEAVE_GRACE_S)
    assert room.orders(ReportLeft) == [ReportLeft(ana.id, room.leg(ana))]
    room.hears(LegEnded(room.leg(ana), at(room.now)))
    assert room.orders(ReportLeft) == []


def test_a_leg_in_the_menu_is_not_gone() -> None:
    room = a_call_in_the_room(assistant=False)
    room.comes(ana)
    room.steps_out(ana)
    room.time_passes(room.now + 25)
    assert room.ever(ReportLeft) == []


def test_a_seat_told_twice_is_one_leg() -> None:
    room = a_call_in_the_room(assistant=False)
    room.is_expected(ana)
    room.joins(ana)
    room.is_expected(ana)
    assert [leg.at for leg in room.call.legs] == [LegAt.ROOM]


# Announcements


def test_announcements_are_played_one_at_a_time() -> None:
    room = a_call_in_the_room(assistant=False)
    room.is_told("placing")
    room.is_told("taken")
    room.is_told("exhausted")
    assert room.announced == ["placing"]
    room.has_heard_it()
    assert room.announced == ["placing", "taken"]
    room.has_heard_it()
    assert room.announced == ["placing", "taken", "exhausted"]


def test_an_announcement_whose_end_was_never_told_does_not_hold_up_the_next() -> None:
    room = a_call_in_the_room(assistant=False)
    room.is_told("placing")
    room.is_told("taken")
    room.time_passes(25)
    assert room.announced == ["placing", "taken"]


def test_news_that_is_overtaken_is_not_played() -> None:
    room = a_call_in_the_room(assistant=False)
    for kind in ("placing", "ringing", "next", "taken"):
        room.is_told(kind)
    room.has_heard_it()
    assert room.announced == ["placing", "taken"]


def test_that_somebody_took_the_call_is_overtaken_by_their_being_there() -> None:
    room = a_call_in_the_room(assistant=False)
    for kind in ("placing", "taken", "joining"):
        room.is_told(kind)
    room.has_heard_it()
    assert room.announced == ["placing", "joining"]


def test_news_waits_for_the_caller_to_be_in_the_room() -> None:
    room = Room(assistant=False)
    room.reports(0)
    room.is_told("placing")
    assert room.announced == []
    room.caller_waits()
    assert room.announced == ["placing"]


def test_news_is_not_played_into_a_room_that_is_over() -> None:
    room = a_call_in_the_room(assistant=False)
    room.room_ends()
    room.is_told("taken")
    assert room.announced == []
    room.conference = NEXT_ROOM
    room.caller_waits()
    assert room.announced == ["taken"]


def test_a_fact_told_twice_is_played_once() -> None:
    room = a_call_in_the_room(assistant=False)
    room.is_told("taken", "esc#3")
    room.is_told("taken", "esc#3")
    room.has_heard_it()
    room.is_told("taken", "esc#3")
    assert room.announced == ["taken"]


def test_a_caller_who_hears_nothing_for_long_is_told_that_it_still_rings() -> None:
    room = a_call_in_the_room(assistant=False)
    room.is_told("ringing")
    room.has_heard_it(5)
    room.time_passes(STILL_RINGING_S)
    assert room.announced == ["ringing", "still_ringing"]


def test_nobody_is_told_that_it_still_rings_when_somebody_has_it() -> None:
    room = a_call_in_the_room(assistant=False)
    room.is_told("taken")
    room.has_heard_it(5)
    room.time_passes(300)
    assert room.announced == ["taken"]


def test_the_danger_sentence_is_played_at_each_rung_until_the_caller_says_they_have_called() -> None:
    room = a_call_in_the_room(assistant=False, severity=Severity.LIFE)
    for rung in ("placing", "next"):
        room.is_told("danger")
        room.is_told(rung)
        room.has_heard_it()
        room.has_heard_it()
    assert room.announced == ["danger", "placing", "danger", "next"]
    room.hears(EmergencyCalled(at(30)))
    room.is_told("danger")
    assert room.announced[-1] == "next"


def test_a_danger_sentence_still_waiting_is_dropped_when_the_caller_says_they_have_called() -> None:
    room = a_call_in_the_room(assistant=False, severity=Severity.LIFE)
    room.is_told("placing")
    room.is_told("danger")
    room.hears(EmergencyCalled(at(2)))
    room.has_heard_it()
    assert room.announced == ["placing"]


def test_an_announcement_is_played_to_the_caller_alone() -> None:
    room = a_call_in_the_room(assistant=False)
    room.is_told("taken")
    assert [order.leg for order in room.orders(Announce)] == [CALLER.call]


# Looking repairs what callbacks lost


def test_a_live_call_is_looked_at_at_every_look() -> None:
    room = a_call_in_the_room(assistant=False)
    room.time_passes(3 * LOOK_S)
    assert len(room.ever(Look)) == 3
    assert due_at(room.call) == at(4 * LOOK_S)


def test_a_caller_who_should_be_in_the_room_by_now_is_looked_for_once_then_at_every_look() -> None:
    room = Room(assistant=False)
    room.reports(0)
    room.time_passes(EXPECTED_S)
    assert len(room.ever(Look)) == 1
    assert due_at(room.call) == at(EXPECTED_S + LOOK_S)


def test_a_responder_who_should_be_in_the_room_by_now_is_looked_for() -> None:
    room = a_call_in_the_room(assistant=False)
    room.is_expected(ana)
    room.time_passes(EXPECTED_S)
    assert len(room.ever(Look)) == 1


def test_looking_finds_who_came_in() -> None:
    room = Room()
    room.reports(0)
    room.is_expected(ana)
    room.looked(
        (CALLER.call, caller_label(CALLER.call)), (room.leg(ana), responder_label(ana.id, room.leg(ana)))
    )
    assert room.call.caller is CallerAt.ROOM
    assert room.call.legs[0].at is LegAt.ROOM
    assert len(room.orders(ReportJoined)) == 1


def test_looking_finds_the_ai_whose_join_was_never_told() -> None:
    room = Room()
    room.reports(0)
    room.caller_waits()
    room.steps_succeed()
    room.looked((CALLER.call, "caller"), ("CAai1", assistant_label(CALLER.call, 1)))
    assert room.ai.present


def test_looking_finds_who_left() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    room.steps_succeed()
    room.looked((CALLER.call, "caller"))
    assert room.call.legs[0].at is LegAt.LEFT
    assert room.call.step is Step.ADD, "the AI was gone, too"


def test_looking_finds_the_hang_up_and_the_end_of_the_room() -> None:
    room = a_call_in_the_room()
    room.comes(ana)
    room.looked(ended=(CALLER.call, room.leg(ana), "CAai1"), over=True)
    assert room.call.caller is CallerAt.GONE
    assert len(room.orders(ReportCallerGone)) == 1
    assert len(room.orders(ReportLeft)) == 1
    assert room.call.over


def test_a_responder_who_was_expected_and_never_came_does_not_keep_the_call_open() -> None:
    room = a_call_in_the_room(assistant=False)
    room.is_expected(ana)
    room.caller_hangs_up()
    assert room.ever(EndRoom) == []
    room.looked(ended=(CALLER.call, room.leg(ana)), over=True)
    assert room.call.over
