"""A person's phone is a shared thing: one call at a time, looked after until its end is known."""

import pytest

from tests.workflows.night import Handset, ana, at
from workflows.pages import Standing
from workflows.responder import (
    LOOKS,
    MERGED_AT_MOST,
    RING_LOOK_S,
    HangUp,
    LookAt,
    LookFor,
    Place,
    RingState,
    Unplace,
    due_at,
)
from workflows.values import CallSid, Severity

# One call at a time


def test_a_page_rings_the_phone() -> None:
    phone = Handset()
    phone.asked_for("leak")
    (place,) = phone.orders(Place)
    assert [item.request.escalation for item in place.ring.items] == ["leak"]
    assert (place.ring.to, place.ring.from_) == (ana.phone, "+15550100")


def test_further_pages_are_merged_into_the_call_that_is_going_out() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.asked_for("fire")
    phone.placed("CA1", 3)
    phone.asked_for("lift", 4)
    assert phone.pages_in_the_call == ["leak", "fire", "lift"]
    assert len(phone.ever(Place)) == 1
    assert phone.reported("lift") == [Standing.SUBMITTED]


def test_a_page_merged_into_a_ringing_call_has_reached_the_phone() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.says("ringing", 2)
    phone.asked_for("fire", 3)
    assert phone.reported("fire") == [Standing.REACHED]


def test_every_page_in_a_call_has_its_own_drawn_keys() -> None:
    phone = Handset()
    for escalation in ("one", "two", "three", "four"):
        phone.asked_for(escalation)
    keys = phone.keys
    assert len(keys) == 8
    assert len(set(keys)) == 8
    assert set("".join(keys)) <= set("123456789")


def test_keys_differ_from_call_to_call_and_from_phone_to_phone() -> None:
    drawn: set[tuple[str, ...]] = set()
    for n in range(40):
        phone = Handset(seed=f"seed {n}")
        phone.asked_for("leak")
        drawn.add(tuple(phone.keys))
    assert len(drawn) > 20


def test_what_does_not_fit_into_one_call_waits_and_is_held() -> None:
    phone = Handset()
    for n in range(MERGED_AT_MOST + 1):
        phone.asked_for(f"e{n}")
    assert len(phone.pages_in_the_call) == MERGED_AT_MOST
    assert phone.reported(f"e{MERGED_AT_MOST}") == [Standing.HELD]
    phone.placed("CA1", 2)
    phone.says("no-answer", 40)
    assert phone.pages_in_the_call == [f"e{MERGED_AT_MOST}"]


def test_a_second_ring_of_a_page_does_not_need_a_fifth_place_in_the_call() -> None:
    phone = Handset()
    for n in range(MERGED_AT_MOST):
        phone.asked_for(f"e{n}")
    phone.placed("CA1", 2)
    phone.asked_for("e0", 60, ring=2)
    assert sorted(phone.pages_in_the_call) == ["e0", "e1", "e2", "e3"]
    assert phone.phone.waiting == ()


def test_a_page_that_comes_while_we_hold_the_phone_is_held_and_rung_afterwards() -> None:
    """Busy while we ourselves hold the phone is no failure."""
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.says("in-progress", 10)
    phone.asked_for("fire", 20)
    assert phone.reported("fire") == [Standing.HELD]
    assert phone.pages_in_the_call == ["leak"]
    phone.says("completed", 90)
    assert phone.pages_in_the_call == ["fire"]
    assert len(phone.ever(Place)) == 2


def test_the_most_severe_is_read_first() -> None:
    phone = Handset()
    phone.asked_for("busy")
    phone.placed("CA1", 1)
    phone.says("in-progress", 2)
    phone.asked_for("routine", 3, severity=Severity.ROUTINE)
    phone.asked_for("life", 4, severity=Severity.LIFE)
    phone.says("completed", 60)
    assert phone.pages_in_the_call == ["life", "routine"]


def test_a_page_without_a_phone_may_still_be_answered_by_text() -> None:
    phone = Handset()
    phone.asked_for("leak", has_phone=False)
    assert phone.last == ()
    assert [request.escalation for request in phone.phone.open] == ["leak"]
    assert not phone.phone.idle


# Ways into a room


def test_a_way_in_goes_ahead_of_the_pages_that_are_still_queued() -> None:
    phone = Handset()
    phone.asked_for("fire")
    phone.asked_for("leak", 2, join=True)
    assert len(phone.orders(Unplace)) == 1
    phone.unplaced(3)
    assert phone.pages_in_the_call == ["leak", "fire"]
    assert phone.reported("fire") == []


def test_the_winners_own_queued_page_becomes_the_way_in() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.asked_for("leak", 2, join=True)
    phone.unplaced(3)
    assert [item.request.kind for item in phone.items] == ["join"]


def test_the_winners_ringing_call_becomes_the_way_in() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.asked_for("leak", 5, join=True)
    assert [item.request.kind for item in phone.items] == ["join"]
    assert len(phone.ever(Place)) == 1
    assert phone.reported("leak")[-1] is Standing.SUBMITTED


def test_a_way_in_asked_for_as_the_page_is_dialled_is_in_that_call() -> None:
    phone = Handset()
    phone.asked_for("fire")
    phone.asked_for("leak", 2, join=True)
    phone.placed("CA1", 3)
    assert phone.pages_in_the_call == ["leak", "fire"]
    assert phone.reported("leak") == [Standing.SUBMITTED]


def test_a_way_in_asked_for_as_a_full_call_is_dialled_is_not_left_behind() -> None:
    phone = Handset()
    for n in range(MERGED_AT_MOST):
        phone.asked_for(f"e{n}")
    phone.asked_for("leak", 2, join=True)
    phone.placed("CA1", 3)
    assert phone.pages_in_the_call[0] == "leak"
    assert len(phone.phone.waiting) == 1


# Withdrawn


def test_a_page_won_by_somebody_is_withdrawn_before_it_is_dialled() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.withdrawn("leak", 2)
    assert len(phone.orders(Unplace)) == 1
    phone.unplaced(2)
    assert phone.phone.idle
    assert phone.reported("leak") == [Standing.WITHDRAWN]


def test_a_page_dialled_in_the_instant_of_its_withdrawal_is_cancelled() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.withdrawn("leak", 2)
    phone.placed("CA1", 2)
    assert phone.orders(HangUp) == [HangUp(CallSid("CA1"))]


def test_a_ringing_call_is_cancelled() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.says("ringing", 2)
    phone.withdrawn("leak", 5)
    assert phone.orders(HangUp) == [HangUp(CallSid("CA1"))]


def test_an_answered_call_is_never_cut_off() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.says("in-progress", 2)
    phone.withdrawn("leak", 5)
    assert phone.last == ()
    assert phone.pages_in_the_call == ["leak"]
    assert phone.phone.open == ()


def test_a_call_that_still_has_another_page_goes_on_ringing() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.asked_for("fire")
    phone.placed("CA1", 1)
    phone.withdrawn("leak", 5)
    assert phone.orders(HangUp) == []
    assert phone.pages_in_the_call == ["fire"]


def test_who_picks_up_all_the_same_is_told_who_has_it() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.withdrawn("leak", 5, owner="Ben")
    phone.says("in-progress", 6)
    assert phone.ring.taken_by == "Ben"
    assert phone.items == ()


def test_a_page_asked_for_while_the_last_one_is_being_withdrawn_is_not_lost() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.withdrawn("leak", 2)
    phone.asked_for("fire", 2)
    phone.unplaced(3)
    assert phone.pages_in_the_call == ["fire"]
    assert phone.reported("fire") == []


def test_a_page_asked_for_while_the_last_call_is_being_hung_up_gets_a_call_of_its_own() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.withdrawn("leak", 2)
    phone.asked_for("fire", 2)
    phone.says("canceled", 3)
    assert phone.pages_in_the_call == ["fire"]
    assert len(phone.ever(Place)) == 2
    assert Standing.UNANSWERED not in phone.reported("fire")


def test_a_waiting_page_that_was_won_is_not_rung_afterwards() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.says("in-progress", 2)
    phone.asked_for("fire", 3)
    phone.withdrawn("fire", 4)
    phone.says("completed", 9)
    assert len(phone.ever(Place)) == 1


def test_an_expired_page_is_not_dialled_any_more_but_a_text_still_answers_it() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.expired("leak", 120)
    assert len(phone.orders(Unplace)) == 1
    assert phone.reported("leak") == [Standing.WITHDRAWN]
    assert [request.escalation for request in phone.phone.open] == ["leak"]


def test_an_expired_page_that_rings_rings_on() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 100)
    phone.expired("leak", 120)
    assert phone.last == ()
    assert phone.pages_in_the_call == ["leak"]


def test_an_expired_page_leaves_the_other_pages_of_its_call_queued() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.asked_for("fire")
    phone.expired("leak", 120)
    assert phone.orders(Unplace) == []
    assert phone.pages_in_the_call == ["fire"]


# Submission unknown


def test_a_doubtful_call_is_looked_for_and_not_sent_again() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.doubtful(6)
    assert phone.reported("leak") == [Standing.UNKNOWN]
    assert due_at(phone.phone) == at(6 + LOOKS[0])
    phone.time_comes(7)
    (look,) = phone.orders(LookFor)
    assert look.ring.id == phone.ring.id
    assert len(phone.ever(Place)) == 1


def test_a_doubtful_call_that_is_found_was_submitted() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.doubtful(6)
    phone.time_comes(7)
    phone.looked_for("CA1", 8)
    assert phone.reported("leak")[-1] is Standing.SUBMITTED
    assert phone.ring.sid == "CA1"


def test_a_callback_settles_the_doubt() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.doubtful(6)
    phone.says("ringing", 7, sid="CA1")
    assert phone.ring.state is RingState.RINGING
    assert phone.reported("leak")[-2:] == [Standing.SUBMITTED, Standing.REACHED]
    assert not phone.time_comes(12)


def test_a_callback_that_was_faster_than_the_doubt_leaves_none() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.says("ringing", 4, sid="CA1")
    phone.doubtful(6)
    assert phone.ring.state is RingState.RINGING
    assert phone.never_sent_again(until=300)


@pytest.mark.parametrize("late", ["doubtful", "refused", "unplaced"])
def test_a_person_who_talks_is_not_lost_to_a_late_answer_of_the_provider(late: str) -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.says("in-progress", 4, sid="CA1")
    {"doubtful": phone.doubtful, "refused": phone.refused, "unplaced": phone.unplaced}[late](6)
    assert phone.ring.state is RingState.ANSWERED


def test_a_call_that_no_look_finds_is_placed_once_more_and_then_given_up() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.doubtful(6)
    phone.every_look_finds_nothing()
    assert len(phone.ever(Place)) == 2
    phone.doubtful(60)
    phone.every_look_finds_nothing()
    assert len(phone.ever(Place)) == 2
    assert phone.reported("leak")[-1] is Standing.FAILED
    assert phone.phone.ring is None


def test_looking_ignores_calls_that_it_cannot_be() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.says("no-answer", 40)
    phone.asked_for("leak", 60, ring=2)
    phone.doubtful(66)
    phone.time_comes(67)
    assert phone.orders(LookFor)[0].ignoring == (CallSid("CA1"),)


def test_a_doubtful_call_that_rang_after_all_is_stopped_when_another_was_placed() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.doubtful(6)
    phone.every_look_finds_nothing()
    phone.placed("CA2", 60)
    phone.says("ringing", 61, sid="CA1")
    assert phone.orders(HangUp) == [HangUp(CallSid("CA1"))]
    assert phone.ring.sid == "CA2"


def test_a_second_call_is_stopped_when_the_doubtful_one_was_found_meanwhile() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.doubtful(6)
    phone.every_look_finds_nothing()
    phone.says("ringing", 59, sid="CA1")
    phone.placed("CA2", 60)
    assert phone.orders(HangUp) == [HangUp(CallSid("CA2"))]
    assert phone.ring.sid == "CA1"


def test_a_page_withdrawn_in_doubt_is_stopped_when_it_is_found() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.doubtful(6)
    phone.withdrawn("leak", 7)
    phone.looked_for("CA1", 8)
    assert phone.orders(HangUp) == [HangUp(CallSid("CA1"))]


# What a phone can do


@pytest.mark.parametrize("status", ["busy", "no-answer", "canceled", "completed"])
def test_a_phone_being_itself_is_unanswered_not_failed(status: str) -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.says(status, 30)
    assert phone.reported("leak")[-1] is Standing.UNANSWERED
    assert phone.phone.ring is None
    assert not phone.phone.idle, "a text may still answer it"


def test_a_number_that_does_not_exist_is_a_failure_for_good() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.refused(2)
    assert phone.reported("leak") == [Standing.FAILED]
    other = Handset()
    other.asked_for("leak")
    other.placed("CA1", 1)
    other.says("failed", 3)
    assert other.reported("leak")[-1] is Standing.FAILED


def test_submitted_reached_and_answered_are_different_facts() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.says("ringing", 2)
    phone.says("in-progress", 9)
    assert phone.reported("leak") == [Standing.SUBMITTED, Standing.REACHED, Standing.ANSWERED]


# Everything is late, doubled or missing


def test_a_request_told_twice_rings_once() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.asked_for("leak")
    assert phone.pages_in_the_call == ["leak"]
    phone.placed("CA1", 1)
    phone.says("in-progress", 2)
    phone.asked_for("leak", 3)
    phone.asked_for("fire", 3)
    phone.asked_for("fire", 4)
    assert len(phone.phone.waiting) == 1
    phone.says("completed", 9)
    phone.placed("CA2", 10)
    phone.says("no-answer", 50)
    phone.asked_for("fire", 51)
    assert len(phone.ever(Place)) == 2


def test_a_callback_told_twice_is_reported_once() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    for status in ("ringing", "ringing", "in-progress", "in-progress", "ringing", "completed", "completed"):
        phone.says(status, 5)
    assert phone.reported("leak") == [
        Standing.SUBMITTED,
        Standing.REACHED,
        Standing.ANSWERED,
        Standing.UNANSWERED,
    ]


def test_news_of_a_call_that_is_over_changes_nothing() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    old = phone.ring.id
    phone.says("no-answer", 40)
    phone.asked_for("leak", 60, ring=2)
    before = phone.phone
    phone.says("in-progress", 61, sid="CA1", ring=old)
    assert (phone.phone, phone.last) == (before, ())


def test_a_call_whose_callbacks_are_lost_is_looked_at() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.time_comes(1 + RING_LOOK_S)
    assert phone.orders(LookAt) == [LookAt(phone.ring.id, CallSid("CA1"))]
    phone.says("no-answer", 22)
    assert phone.reported("leak")[-1] is Standing.UNANSWERED


def test_who_picked_up_while_nobody_could_be_told_is_rung_again_within_the_rung() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.says("ringing", 2)  # then the door died under the call, and with it all news of the call
    phone.time_comes(1 + RING_LOOK_S)
    phone.says("completed", 22)
    phone.asked_for("leak", 60, ring=2)
    assert len(phone.orders(Place)) == 1


def test_a_talk_whose_end_was_never_told_is_looked_at() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.says("in-progress", 5)
    phone.time_comes(65)
    assert len(phone.orders(LookAt)) == 1


def test_the_provider_may_be_slow_with_its_queue_without_being_asked() -> None:
    phone = Handset()
    phone.asked_for("leak")
    assert due_at(phone.phone) is None
