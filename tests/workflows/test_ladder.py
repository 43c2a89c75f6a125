"""The rules of the hard cases, as far as the escalation's pure core decides them: one test a rule."""

from dataclasses import replace

import pytest

from tests.workflows.night import (
    CALLER,
    Night,
    an_act,
    ana,
    at,
    ben,
    cho,
    dan,
    person,
    rung,
)
from workflows.climbing import ROUND_FLOOR_S
from workflows.emergency import (
    AlertOperator,
    AskOwner,
    Caller,
    CallIn,
    DismissAssistant,
    Noted,
    PageMoved,
    Phase,
    PushPage,
    RingPage,
    Seat,
    TellCaller,
    TextPage,
    TimerFired,
    TimerKind,
    Unring,
    Withdraw,
    Worsened,
)
from workflows.pages import LAST_RESORT, Evidence, Standing
from workflows.values import (
    ActKind,
    CallSid,
    Channel,
    PageId,
    Severity,
    Verdict,
    Via,
)

ANOTHER_CALLER = Caller(CallSid("CAother"), "af-CAother")
FOR_GOOD = (Channel.VOICE, Channel.TEXT, Channel.PUSH)

# Clock and queue


def test_all_channels_of_all_responders_of_a_rung_are_paged_at_once() -> None:
    eve = person("Eve", push=True)
    night = Night(rung(ana, eve), rung(ben))
    assert [page.page.responder.name for page in night.orders(RingPage)] == ["Ana", "Eve"]
    assert [page.page.responder.name for page in night.orders(TextPage)] == ["Ana", "Eve"]
    assert [page.page.responder.name for page in night.orders(PushPage)] == ["Eve"]


def test_one_channels_failure_neither_delays_nor_ends_another() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 1)
    night.failed_for_good(ana, 2, [Channel.TEXT])
    assert night.last == ()
    assert night.timer == (TimerKind.DEADLINE, 121)


def test_the_deadline_is_fixed_when_the_first_voice_page_is_submitted() -> None:
    night = Night(rung(ana, ben), rung(cho))
    assert night.state.deadline is None
    night.submitted(ben, 7)
    assert night.timer == (TimerKind.DEADLINE, 127)
    night.submitted(ana, 40)
    assert night.timer == (TimerKind.DEADLINE, 127)


def test_the_deadline_counts_from_the_submission_not_from_our_hearing_of_it() -> None:
    night = Night(rung(ana), rung(ben))
    page = night.page_of(ana)
    submitted = Evidence(Standing.SUBMITTED, "CA1", at(5))
    night.hears(PageMoved(page.id, Channel.VOICE, submitted, at(30), ring=1))
    assert night.timer == (TimerKind.DEADLINE, 125)


def test_the_deadline_is_another_one_while_nobody_waits() -> None:
    night = Night(rung(ana, wait_nobody_s=600), rung(ben), caller=False)
    night.submitted(ana, 3)
    assert night.timer == (TimerKind.DEADLINE, 603)


def test_the_deadline_stays_when_the_caller_hangs_up() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 1)
    night.caller_hangs_up(50)
    assert night.timer == (TimerKind.DEADLINE, 121)


def test_the_caller_hears_that_the_call_is_being_placed_while_the_rung_is_queued() -> None:
    night = Night(rung(ana), rung(ben))
    assert night.told_now == ["placing"]
    night.submitted(ana, 5)
    assert night.told_now == ["ringing"]


def test_a_queued_rung_does_not_climb_and_alerts_the_operator_after_the_submit_limit() -> None:
    night = Night(rung(ana), rung(ben))
    night.time_passes(59)
    assert night.last == ()
    night.time_passes(600)
    assert len(night.orders(AlertOperator)) == 10
    assert night.rung_now == []
    night.submitted(ana, 601)
    assert night.timer == (TimerKind.DEADLINE, 721)


def test_a_doubtful_submission_is_still_queued() -> None:
    night = Night(rung(ana), rung(ben))
    night.news(ana, Standing.UNKNOWN, 5)
    assert night.timer == (TimerKind.SUBMIT_LIMIT, 60)


def test_a_rung_without_phones_has_its_clock_at_once() -> None:
    texter = person("Tex", phone=False)
    night = Night(rung(texter), rung(ben))
    assert night.timer == (TimerKind.DEADLINE, 120)


def test_a_rung_whose_calls_are_all_refused_has_its_clock_from_then_on_by_its_other_channels() -> None:
    night = Night(rung(ana), rung(ben))
    night.failed_for_good(ana, 9, [Channel.VOICE])
    assert night.rung_now == []
    assert night.timer == (TimerKind.DEADLINE, 129)


def test_the_second_rung_is_paged_when_the_first_lets_it_ring() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 2)
    night.time_passes(121)
    assert night.rung_now == []
    night.time_passes(122)
    assert night.rung_now == ["Ben"]
    assert night.told_now == ["next"]


def test_a_person_is_rung_twice_within_a_rung() -> None:
    night = Night(rung(ana, ring_again_s=60), rung(ben))
    night.submitted(ana, 2)
    night.unanswered(ana, 42)
    assert night.timer == (TimerKind.RING_AGAIN, 62)
    night.time_passes(62)
    assert night.rung_now == ["Ana"]
    assert night.orders(RingPage)[0].ring == 2
    night.submitted(ana, 63)
    assert night.timer == (TimerKind.DEADLINE, 122), "the second ring does not restart the clock"


def test_nobody_is_rung_again_who_declined_who_is_talking_or_whose_number_is_no_good() -> None:
    night = Night(rung(ana, ben, cho, dan, ring_again_s=60), rung(person("Eve")))
    for who in (ana, ben, cho, dan):
        night.submitted(who, 1)
    night.says_not_me(ana, 10)
    night.news(ben, Standing.ANSWERED, 12)
    night.failed_for_good(cho, 13, [Channel.VOICE])
    night.unanswered(dan, 14)
    night.time_passes(61)
    assert night.rung_now == ["Dan"]


def test_the_end_of_the_first_call_told_late_does_not_touch_the_second() -> None:
    night = Night(rung(ana, ring_again_s=60), rung(ben))
    night.submitted(ana, 1)
    night.time_passes(61)
    night.news(ana, Standing.UNANSWERED, 62, ring=1)
    assert night.page_of(ana).voice.standing is Standing.QUEUED


def test_a_late_word_that_the_first_call_did_ring_is_still_evidence() -> None:
    night = Night(rung(ana, ring_again_s=60), rung(ben))
    night.submitted(ana, 1)
    night.time_passes(61)
    night.news(ana, Standing.REACHED, 62, ring=1)
    assert night.page_of(ana).reached_a_phone


def test_a_page_whose_rung_has_expired_is_withdrawn_before_it_is_dialled() -> None:
    night = Night(rung(ana, ben), rung(cho))
    night.submitted(ana, 0)
    night.time_passes(120)
    assert [order.page.responder.name for order in night.orders(Unring)] == ["Ben"]
    assert night.withdrawn_now == set(), "a text or a link still answers it"
    assert night.texts_mine(ben, 125).verdict is Verdict.YOURS


def test_a_rung_declined_by_all_advances_at_once() -> None:
    night = Night(rung(ana, ben), rung(cho))
    night.submitted(ana, 1)
    night.says_not_me(ana, 10)
    assert night.rung_now == []
    night.says_not_me(ben, 11)
    assert night.rung_now == ["Cho"]


def test_definite_failure_of_every_channel_advances_at_once() -> None:
    night = Night(rung(ana), rung(ben))
    night.failed_for_good(ana, 3)
    assert night.rung_now == ["Ben"]


def test_one_declined_and_the_other_failed_for_good_advances_at_once() -> None:
    night = Night(rung(ana, ben), rung(cho))
    night.says_not_me(ana, 4)
    night.failed_for_good(ben, 5)
    assert night.rung_now == ["Cho"]


def test_busy_no_answer_or_out_of_reach_does_not_advance() -> None:
    night = Night(rung(person("Vox", text=False)), rung(ben))
    vox = night.state.ladder.rungs[0].responders[0]
    night.submitted(vox, 1)
    night.unanswered(vox, 3)
    assert night.rung_now == []
    assert night.timer == (TimerKind.DEADLINE, 121)


def test_a_phone_that_we_ourselves_hold_is_no_failure() -> None:
    night = Night(rung(person("Vox", text=False)), rung(ben))
    vox = night.state.ladder.rungs[0].responders[0]
    night.news(vox, Standing.HELD, 1)
    assert night.rung_now == []
    assert night.timer == (TimerKind.DEADLINE, 121)


def test_who_said_not_me_is_not_woken_again_in_that_round() -> None:
    night = Night(rung(ana), rung(ana, ben), pauses_s=(0.0,))
    night.submitted(ana, 1)
    night.says_not_me(ana, 10)
    assert night.rung_now == ["Ben"]
    night.submitted(ben, 11)
    night.time_passes(131)
    night.time_passes(131 + ROUND_FLOOR_S)
    assert "Ana" in [order.page.responder.name for order in night.ever(RingPage)[2:]], "but in the next one"


def test_a_rung_of_people_who_all_said_not_me_is_passed_over() -> None:
    night = Night(rung(ana), rung(ana), rung(ben))
    night.says_not_me(ana, 10)
    assert night.rung_now == ["Ben"]


# Exhausted


def test_exhausted_pages_the_last_resort_alerts_the_operator_and_tells_the_caller_the_truth() -> None:
    night = Night(rung(ana), last_resort=(dan,), pauses_s=(300.0,))
    night.submitted(ana, 0)
    night.time_passes(120)
    assert night.phase == Phase.EXHAUSTED
    assert night.rung_now == ["Dan"]
    assert night.page_of(dan).rung == LAST_RESORT
    assert len(night.orders(AlertOperator)) == 1
    (told,) = night.orders(TellCaller)
    assert (told.fact.kind, told.fact.until) == ("exhausted", at(420))


def test_it_goes_round_again_after_a_pause_that_grows() -> None:
    night = Night(rung(ana))
    pauses: list[float] = []
    for _ in range(6):
        night.submitted(ana, night.now)
        night.hears(TimerFired(at(night.now + 120)))
        exhausted_at = night.now
        assert night.phase == Phase.EXHAUSTED
        assert night.timer is not None
        pauses.append((night.timer[1] - exhausted_at) / 60)
        night.hears(TimerFired(at(night.timer[1])))
        assert night.phase == Phase.PAGING
    assert pauses == [0, 5, 15, 30, 30, 30]


def test_life_goes_round_without_pause() -> None:
    night = Night(rung(ana), severity=Severity.LIFE)
    for _ in range(4):
        night.submitted(ana, night.now)
        night.time_passes(night.now + 120)
        assert night.phase == Phase.PAGING
        assert night.rung_now == ["Ana"]


def test_a_ladder_on_which_every_number_is_refused_does_not_spin() -> None:
    night = Night(rung(ana), severity=Severity.LIFE)
    for _ in range(20):
        night.failed_for_good(ana, night.now)
        night.time_passes(night.now + 1)
    assert night.state.round <= 2


def test_rungs_that_never_reached_a_phone_come_first_in_the_next_round() -> None:
    night = Night(rung(ana), rung(ben), rung(cho))
    night.submitted(ana, 0)
    night.reached(ana, 2)
    night.time_passes(120)
    night.submitted(ben, 120)
    night.unanswered(ben, 121)
    night.time_passes(240)
    night.submitted(cho, 240)
    night.reached(cho, 243)
    night.time_passes(360)
    assert night.state.round == 2
    assert night.rung_now == ["Ben"]


def test_the_last_resort_can_take_it() -> None:
    night = Night(rung(ana), last_resort=(dan,), pauses_s=(300.0,))
    night.submitted(ana, 0)
    night.time_passes(120)
    assert night.presses_mine(dan, 130).verdict is Verdict.YOURS


# Acts


def test_the_first_acknowledgement_wins_and_every_other_is_told_who_has_it() -> None:
    night = Night(rung(ana, ben))
    assert night.presses_mine(ana, 10).verdict is Verdict.YOURS
    late = night.presses_mine(ben, 10)
    assert (late.verdict, late.owner) == (Verdict.TAKEN, "Ana")
    assert "Ana has it" in late.sentence
    assert night.owner == "Ana"


def test_everybody_else_need_not_answer_any_more_and_is_told_who_has_it() -> None:
    night = Night(rung(ana), rung(ben, cho))
    night.submitted(ana, 0)
    night.time_passes(120)
    night.presses_mine(cho, 130)
    (withdraw,) = night.orders(Withdraw)
    assert set(withdraw.people) == {ana.id, ben.id}
    assert withdraw.owner == "Cho"


def test_earlier_rungs_stay_open_a_late_key_wins_if_nobody_has_it() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 0)
    night.time_passes(120)
    assert night.presses_mine(ana, 125, leg="CAana").verdict is Verdict.YOURS
    assert night.withdrawn_now == {ben.id}


def test_a_late_key_loses_if_somebody_has_it() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 0)
    night.time_passes(120)
    night.presses_mine(ben, 124)
    assert night.presses_mine(ana, 125).verdict is Verdict.TAKEN


def test_a_key_pressed_before_the_deadline_beats_the_timer_handled_first() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 0)
    act = replace(an_act(ana, ActKind.ACKNOWLEDGE, Via.KEY), pressed_at=at(119.9))
    night.time_passes(120)
    assert night.acts(act, 120.4).verdict is Verdict.YOURS
    assert night.state.owner is not None
    assert night.state.owner.at == at(119.9)


def test_a_key_from_an_earlier_round_still_wins() -> None:
    night = Night(rung(ana), rung(ben))
    first = night.page_of(ana)
    night.submitted(ana, 0)
    night.time_passes(120)
    night.submitted(ben, 120)
    night.time_passes(300)
    assert night.state.round == 2
    act = replace(an_act(ana, ActKind.ACKNOWLEDGE, Via.KEY), page=first.id)
    assert night.acts(act, 301).verdict is Verdict.YOURS


def test_a_repeated_act_gets_the_same_reply_and_does_nothing() -> None:
    night = Night(rung(ana, ben))
    act = an_act(ana, ActKind.ACKNOWLEDGE, Via.KEY)
    first = night.acts(act, 10)
    state = night.state
    assert night.acts(act, 12) == first
    assert (night.state, night.last) == (state, ())


def test_a_repeated_refusal_is_the_same_refusal() -> None:
    night = Night(rung(ana))
    act = an_act(ana, ActKind.RESOLVE)
    assert night.acts(act, 10).verdict is Verdict.REFUSED
    night.presses_mine(ana, 11)
    assert night.acts(act, 12).verdict is Verdict.REFUSED


def test_an_sms_needs_the_code_of_its_page() -> None:
    night = Night(rung(ana, ben))
    assert night.texts_mine(ana, 5, code="0000").verdict is Verdict.REFUSED
    assert night.texts_mine(ana, 6, code=night.page_of(ben).code).verdict is Verdict.REFUSED
    assert night.owner is None
    assert night.texts_mine(ana, 7).verdict is Verdict.YOURS


def test_another_persons_page_proves_nothing() -> None:
    night = Night(rung(ana, ben))
    stolen = replace(an_act(ana, ActKind.ACKNOWLEDGE, Via.LINK), page=night.page_of(ben).id)
    assert night.acts(stolen, 5).verdict is Verdict.REFUSED
    unknown = replace(an_act(ana, ActKind.ACKNOWLEDGE, Via.LINK), page=PageId("somebody.else.9"))
    assert night.acts(unknown, 6).verdict is Verdict.REFUSED


def test_a_stranger_to_the_ladder_cannot_take_it() -> None:
    night = Night(rung(ana))
    assert night.presses_mine_as_stranger(person("Zed"), 5).verdict is Verdict.REFUSED


def test_an_answered_page_is_not_an_acknowledgement() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 0)
    night.news(ana, Standing.ANSWERED, 10)
    assert night.owner is None
    night.time_passes(120)
    assert night.rung_now == ["Ben"]


def test_a_decline_is_told_who_has_it_when_somebody_has() -> None:
    night = Night(rung(ana, ben))
    night.presses_mine(ana, 5)
    assert "Ana has it" in night.says_not_me(ben, 6).sentence
    assert night.owner == "Ana"


def test_who_was_not_paged_cannot_decline() -> None:
    night = Night(rung(ana), rung(ben))
    assert night.says_not_me(ben, 3).verdict is Verdict.REFUSED


def test_an_owner_who_says_not_me_hands_it_back_and_is_not_woken_again_in_that_round() -> None:
    night = Night(rung(ana, ben))
    night.presses_mine(ana, 5)
    night.says_not_me(ana, 20)
    assert night.phase == Phase.PAGING
    assert night.rung_now == ["Ben"]
    assert "reopened" in night.told_now


def test_an_acknowledgement_by_key_seats_the_leg_it_was_pressed_on() -> None:
    night = Night(rung(ana))
    reply = night.presses_mine(ana, 10, leg="CA77")
    assert reply.conference == CALLER.conference
    assert night.orders(Seat) == [Seat(CALLER.call, ana, CallSid("CA77"))]
    assert night.orders(CallIn) == []
    assert night.timer == (TimerKind.JOIN_CLOCK, 100)
    assert night.told_now == ["taken"]


def test_an_acknowledgement_by_sms_is_given_a_way_in() -> None:
    night = Night(rung(ana))
    night.texts_mine(ana, 10)
    (call_in,) = night.orders(CallIn)
    assert (call_in.page.responder.name, call_in.conference) == ("Ana", CALLER.conference)
    assert night.orders(Seat) == []


def test_the_join_clock_starts_at_the_submission_of_the_join_call() -> None:
    night = Night(rung(ana))
    night.texts_mine(ana, 10)
    assert night.timer == (TimerKind.SUBMIT_LIMIT, 70), "until then the operator hears of a stuck queue"
    page = night.page_of(ana)
    submitted = Evidence(Standing.SUBMITTED, "CA1", at(30))
    night.hears(PageMoved(page.id, Channel.VOICE, submitted, at(34), ring=1))
    assert night.phase == Phase.CONNECTING
    assert night.timer == (TimerKind.JOIN_CLOCK, 120)


def test_a_join_call_stuck_in_the_queue_alerts_the_operator() -> None:
    night = Night(rung(ana))
    night.texts_mine(ana, 10)
    night.time_passes(70)
    assert len(night.orders(AlertOperator)) == 1
    assert night.owner == "Ana"


def test_a_join_clock_that_expires_reopens_the_ladder_with_the_former_owner_rung_too() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 0)
    night.time_passes(120)
    night.presses_mine(ana, 130)
    night.time_passes(220)
    assert night.phase == Phase.PAGING
    assert night.owner is None
    assert set(night.rung_now) == {"Ana", "Ben"}
    assert "reopened" in night.told_now


def test_who_said_not_me_and_took_it_after_all_is_rung_again_when_they_do_not_come() -> None:
    night = Night(rung(ana, ben))
    night.says_not_me(ana, 3)
    night.presses_mine(ana, 10)
    night.time_passes(100)
    assert set(night.rung_now) == {"Ana", "Ben"}


def test_the_clock_of_a_reopened_rung_waits_for_the_former_owners_call_too() -> None:
    tex = person("Tex", phone=False)
    night = Night(rung(ana), rung(tex))
    night.says_not_me(ana, 1)
    night.presses_mine(ana, 10)
    night.time_passes(100)
    assert night.rung_now == ["Ana"]
    assert night.timer == (TimerKind.SUBMIT_LIMIT, 160)


def test_a_join_call_refused_for_good_reopens_the_ladder() -> None:
    night = Night(rung(ana, ben))
    night.texts_mine(ana, 10)
    night.news(ana, Standing.FAILED, 12)
    assert night.phase == Phase.PAGING
    assert "Ben" in night.rung_now


@pytest.mark.parametrize("stood", [Standing.SUBMITTED, Standing.REACHED, Standing.ANSWERED])
def test_a_join_call_that_is_not_answered_is_placed_again_until_the_join_clock_has_run_out(
    stood: Standing,
) -> None:
    night = Night(rung(ana, ben))
    night.texts_mine(ana, 10)
    night.news(ana, stood, 12)
    night.news(ana, Standing.UNANSWERED, 14)
    assert night.timer == (TimerKind.CALL_IN_AGAIN, 19)
    night.time_passes(19)
    assert [order.page.rings for order in night.orders(CallIn)] == [2]
    assert night.timer == (TimerKind.JOIN_CLOCK, 102), "which is not put off by trying again"
    night.news(ana, Standing.UNANSWERED, 100)
    assert night.timer == (TimerKind.JOIN_CLOCK, 102)
    night.time_passes(102)
    assert night.phase == Phase.PAGING


def test_who_hangs_up_between_the_key_and_the_room_is_rung_back() -> None:
    night = Night(rung(ana, ben))
    night.news(ana, Standing.SUBMITTED, 0, sid="CA7")
    night.presses_mine(ana, 10, leg="CA7")
    night.news(ana, Standing.UNANSWERED, 11, sid="CA7")
    assert [order.page.responder.id for order in night.orders(CallIn)] == [ana.id]
    assert night.owner == "Ana"
    night.joins(ana, 12, leg="CA7")
    assert night.phase == Phase.ACKNOWLEDGED, "told late: that leg has gone"


def test_the_key_of_the_join_call_seats_the_owner() -> None:
    night = Night(rung(ana))
    night.texts_mine(ana, 10)
    night.submitted(ana, 12)
    night.presses_mine(ana, 20, leg="CA9")
    assert night.orders(Seat) == [Seat(CALLER.call, ana, CallSid("CA9"))]
    assert night.timer == (TimerKind.JOIN_CLOCK, 110)


def test_a_winner_by_sms_with_nobody_waiting_is_not_rung_any_further() -> None:
    night = Night(rung(ana, ben), caller=False)
    night.texts_mine(ana, 10)
    assert night.withdrawn_now == {ana.id, ben.id}
    assert night.orders(CallIn) == []


def test_an_owner_without_a_phone_who_cannot_join_is_the_operators_business() -> None:
    tex = person("Tex", phone=False)
    night = Night(rung(tex), rung(ben))
    night.texts_mine(tex, 10)
    assert len(night.orders(AlertOperator)) == 1
    night.time_passes(100)
    assert night.phase == Phase.PAGING


# Ownership, as far as this part has it


def test_acknowledged_is_not_joined() -> None:
    night = Night(rung(ana))
    night.presses_mine(ana, 10)
    assert night.phase == Phase.CONNECTING
    night.joins(ana, 12)
    assert night.phase == Phase.ATTENDED
    assert night.told_now == ["joining"]


def test_a_person_who_joined_and_dropped_is_rung_first() -> None:
    night = Night(rung(ana), rung(ben))
    night.presses_mine(ana, 10)
    night.joins(ana, 12)
    night.leaves(ana, 60)
    (call_in,) = night.orders(CallIn)
    assert call_in.page.responder.name == "Ana"
    assert night.owner == "Ana"
    assert night.rung_now == []


def test_a_caller_gone_does_not_end_the_chase() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 0)
    night.caller_hangs_up(30)
    assert night.phase == Phase.PAGING
    night.time_passes(120)
    assert night.rung_now == ["Ben"]
    assert night.told_now == []


def test_an_owner_whose_caller_hung_up_is_not_brought_into_an_empty_room() -> None:
    night = Night(rung(ana))
    night.caller_hangs_up(5)
    reply = night.presses_mine(ana, 10)
    assert reply.conference is None
    assert reply.can_ring, "but can ring the caller back through the line"
    assert night.orders(Seat) == []
    assert night.phase == Phase.ACKNOWLEDGED


def test_without_a_contact_number_nobody_is_offered_a_call_back() -> None:
    night = Night(rung(ana), caller=False, contact=None)
    assert not night.presses_mine(ana, 10).can_ring


def test_a_caller_who_hangs_up_while_the_owner_connects_leaves_an_owner_with_nobody_waiting() -> None:
    night = Night(rung(ana))
    night.presses_mine(ana, 10)
    night.caller_hangs_up(15)
    assert night.phase == Phase.ACKNOWLEDGED
    assert night.timer == (TimerKind.UNATTENDED, 615)


def test_a_silent_owner_with_nobody_waiting_is_asked_and_then_the_ladder_goes_on() -> None:
    night = Night(rung(ana), rung(ben), caller=False)
    night.presses_mine(ana, 0)
    night.time_passes(600)
    assert [order.page.responder.name for order in night.orders(AskOwner)] == ["Ana"]
    night.time_passes(1200)
    assert night.phase == Phase.PAGING
    assert night.rung_now == ["Ana"]


def test_an_owner_in_the_room_is_asked_now_and_then_whether_it_is_resolved() -> None:
    night = Night(rung(ana))
    night.presses_mine(ana, 10)
    night.joins(ana, 12)
    for n in (1, 2, 3):
        night.time_passes(12 + n * 1800)
        assert len(night.orders(AskOwner)) == 1
        assert night.phase == Phase.ATTENDED


def test_an_owner_who_left_the_room_unresolved_is_asked_and_then_the_ladder_goes_on() -> None:
    night = Night(rung(ana))
    night.presses_mine(ana, 10)
    night.joins(ana, 12)
    night.caller_hangs_up(100)
    night.leaves(ana, 101)
    assert night.phase == Phase.FOLLOWING_UP
    night.time_passes(101 + 1800)
    assert len(night.orders(AskOwner)) == 1
    night.time_passes(101 + 3600)
    assert night.phase == Phase.PAGING


def test_an_owner_who_can_only_be_rung_is_asked_through_the_operator() -> None:
    vox = person("Vox", text=False)
    night = Night(rung(vox), caller=False)
    night.presses_mine(vox, 0)
    night.time_passes(600)
    assert len(night.orders(AlertOperator)) == 1, "a question nobody receives ends no silence"


def test_a_caller_who_rings_again_while_the_owner_follows_up_gets_the_owner() -> None:
    night = Night(rung(ana))
    night.presses_mine(ana, 10)
    night.joins(ana, 12)
    night.caller_hangs_up(100)
    night.leaves(ana, 101)
    night.caller_rings(200, ANOTHER_CALLER)
    assert [order.conference for order in night.orders(CallIn)] == [ANOTHER_CALLER.conference]


def test_a_caller_who_rings_while_an_owner_has_it_alone_gets_the_owner() -> None:
    night = Night(rung(ana), caller=False)
    night.presses_mine(ana, 10)
    night.caller_rings(30)
    assert [order.conference for order in night.orders(CallIn)] == [CALLER.conference]


def test_the_longest_waiting_caller_comes_first() -> None:
    night = Night(rung(ana))
    night.caller_rings(5, ANOTHER_CALLER)
    assert night.presses_mine(ana, 10).conference == CALLER.conference
    night = Night(rung(ana))
    night.caller_rings(5, ANOTHER_CALLER)
    night.caller_rings(6)  # told twice
    assert night.presses_mine(ana, 10).conference == CALLER.conference


def test_being_seated_while_nothing_could_be_confirmed_is_the_acknowledgement() -> None:
    """With Temporal down the signed URL seats the person; the room's news comes first, the act later."""
    night = Night(rung(ana, ben))
    night.joins(ana, 15)
    assert night.phase == Phase.ATTENDED
    assert night.owner == "Ana"
    assert night.withdrawn_now == {ben.id}
    spooled = replace(an_act(ana, ActKind.ACKNOWLEDGE, Via.KEY), pressed_at=at(14))
    assert night.acts(spooled, 300).verdict is Verdict.YOURS
    assert night.last == ()


def test_a_second_human_in_the_room_does_not_change_the_owner() -> None:
    night = Night(rung(ana, ben))
    night.presses_mine(ana, 10)
    night.joins(ana, 12)
    night.joins(ben, 20)
    night.leaves(ben, 30)
    assert (night.owner, night.phase) == ("Ana", Phase.ATTENDED)


def test_a_stranger_in_the_room_owns_nothing() -> None:
    night = Night(rung(ana))
    night.joins(person("Zed"), 20)
    assert (night.owner, night.phase) == (None, Phase.PAGING)


# The end


def test_resolving_before_anybody_acknowledged_is_refused() -> None:
    night = Night(rung(ana))
    assert night.resolves(ana, 10).verdict is Verdict.REFUSED
    assert night.phase == Phase.PAGING


def test_resolved_removes_the_ai_and_the_humans_talk_on() -> None:
    night = Night(rung(ana, ben))
    night.presses_mine(ana, 10)
    night.joins(ana, 12)
    assert night.resolves(ana, 300).verdict is Verdict.RESOLVED
    assert night.orders(DismissAssistant) == [DismissAssistant(CALLER.call)]
    assert night.told_now == []
    assert night.timer is None


def test_a_caller_still_waiting_alone_is_told_that_the_case_is_closed() -> None:
    night = Night(rung(ana))
    night.texts_mine(ana, 10)
    night.resolves(ana, 20)
    assert night.told_now == ["over"]
    kinds = [type(order) for order in night.last]
    assert kinds.index(TellCaller) < kinds.index(DismissAssistant)


def test_cancelled_wakes_nobody_else_and_tells_the_caller() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 0)
    assert night.cancels(dan, 30).verdict is Verdict.CANCELLED
    assert night.withdrawn_now == {ana.id}
    assert night.told_now == ["over"]
    assert night.time_passes(100_000) == ()


@pytest.mark.parametrize("kind", ActKind)
def test_after_the_end_every_act_is_told_so_and_changes_nothing(kind: ActKind) -> None:
    night = Night(rung(ana, ben))
    night.presses_mine(ana, 5)
    night.resolves(ana, 9)
    assert night.acts(an_act(ben, kind), 20).verdict is Verdict.OVER
    assert (night.last, night.phase) == ((), Phase.RESOLVED)


# Life first


def test_a_case_of_life_hears_the_danger_sentence_again_at_each_rung() -> None:
    night = Night(rung(ana), rung(ben), severity=Severity.LIFE)
    assert night.told_now == ["danger", "placing"]
    night.submitted(ana, 0)
    assert night.told_now == ["ringing"]
    night.time_passes(120)
    assert night.told_now == ["danger", "next"]
    night.submitted(ben, 120)
    night.hears(TimerFired(at(240)))
    assert night.told_now == ["danger", "exhausted"]


def test_any_other_case_is_spared_it() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 0)
    night.time_passes(120)
    assert "danger" not in [order.fact.kind for order in night.ever(TellCaller)]


# Everything is late, doubled or missing


def test_news_out_of_order_comes_to_the_same_end() -> None:
    forward, backward = Night(rung(ana)), Night(rung(ana))
    steps = [Standing.SUBMITTED, Standing.REACHED, Standing.UNANSWERED]
    for standing in steps:
        forward.news(ana, standing, 5)
    for standing in reversed(steps):
        backward.news(ana, standing, 5)
    assert forward.page_of(ana).voice == backward.page_of(ana).voice
    assert forward.timer == backward.timer


def test_an_old_timer_does_nothing() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 10)
    assert night.hears(TimerFired(at(60))) == ()
    assert night.phase == Phase.PAGING


def test_news_of_a_page_that_is_not_ours_does_nothing() -> None:
    night = Night(rung(ana))
    state = night.state
    failed = Evidence(Standing.FAILED, None, at(3))
    assert night.hears(PageMoved(PageId("elsewhere.1"), Channel.VOICE, failed, at(3), 1)) == ()
    assert night.state == state


def test_a_caller_told_as_attached_again_after_hanging_up_is_not_waiting_again() -> None:
    night = Night(rung(ana))
    night.caller_hangs_up(10)
    night.caller_rings(11)  # the first news of the call, told once more
    assert night.state.waiting == ()


def test_the_end_of_an_old_leg_does_not_take_the_owner_out_of_the_room() -> None:
    night = Night(rung(ana))
    night.presses_mine(ana, 10, leg="CA1")
    night.joins(ana, 12, leg="CA2")
    night.leaves(ana, 13, leg="CA1")
    assert night.phase == Phase.ATTENDED


def test_a_ladder_of_eight_rungs_is_climbed_to_its_end() -> None:
    people = [person(name) for name in ("A", "B", "C", "D", "E", "F", "G", "H")]
    night = Night(*(rung(who) for who in people), pauses_s=(300.0,))
    for who in people:
        assert night.page_of(who).responder is who
        night.submitted(who, night.now)
        night.hears(TimerFired(at(night.now + 120)))
    assert night.phase == Phase.EXHAUSTED
    assert [order.page.responder for order in night.ever(RingPage)] == people


# Worse than it was


def test_what_turns_out_worse_wakes_everybody_anew_from_the_first_rung() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 0)
    night.time_passes(120)
    assert night.rung_now == ["Ben"]
    night.hears(Worsened(replace(night.state.case, severity=Severity.LIFE), at(130)))
    assert night.rung_now == ["Ana"]
    assert night.told_now == ["danger", "next"]
    assert night.state.case.severity is Severity.LIFE


def test_what_turns_out_worse_wakes_nobody_else_while_somebody_has_it() -> None:
    night = Night(rung(ana), rung(ben))
    night.presses_mine(ana, 10)
    night.hears(Worsened(replace(night.state.case, severity=Severity.LIFE), at(20)))
    assert night.rung_now == []
    assert night.told_now == ["danger"]


def test_what_turns_out_no_worse_changes_nothing() -> None:
    night = Night(rung(ana))
    before = night.state
    night.hears(Worsened(before.case, at(5)))
    assert night.state == before


def test_notes_are_kept_with_the_case() -> None:
    night = Night(rung(ana))
    night.hears(Noted("main valve closed", at(5)))
    assert night.state.notes == ("main valve closed",)
