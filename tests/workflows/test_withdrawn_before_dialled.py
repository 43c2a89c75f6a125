"""A voice page whose rung has expired is withdrawn before it is dialled; what was dialled rings on."""

from tests.workflows.night import Handset, Night, ana, at, ben, cho, rung
from workflows.emergency import Unring
from workflows.pages import Standing
from workflows.responder import Expired, HangUp, Unplace


def test_a_call_still_queued_when_its_rung_expires_is_withdrawn() -> None:
    night = Night(rung(ana, ben), rung(cho))
    night.submitted(ana, 1)
    night.time_passes(121)
    assert [order.page.responder for order in night.orders(Unring)] == [ben]
    assert night.rung_now == ["Cho"]


def test_a_call_that_was_submitted_rings_on_when_its_rung_expires() -> None:
    night = Night(rung(ana), rung(cho))
    night.submitted(ana, 1)
    night.time_passes(121)
    assert night.orders(Unring) == []


def test_an_expired_page_leaves_the_queue_but_its_text_still_answers() -> None:
    phone = Handset()
    phone.asked_for("leak")
    page = phone.phone.open[0].page
    phone.hears(Expired(page, at(121)))
    assert phone.orders(Unplace)
    assert phone.reported("leak") == [Standing.WITHDRAWN]
    assert [request.page for request in phone.phone.open] == [page]


def test_an_expired_page_does_not_stop_a_phone_that_rings() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.hears(Expired(phone.phone.open[0].page, at(121)))
    assert phone.orders(HangUp) == []
    assert phone.pages_in_the_call == ["leak"]


def test_an_expired_page_leaves_the_others_in_the_queued_call() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.asked_for("fire")
    phone.hears(Expired(phone.phone.open[0].page, at(121)))
    assert phone.orders(Unplace) == []
    assert phone.pages_in_the_call == ["fire"]


def test_whoever_listens_to_a_page_that_was_taken_is_not_cut_off_and_not_asked_again() -> None:
    phone = Handset()
    phone.asked_for("leak")
    phone.placed("CA1", 1)
    phone.says("in-progress", 5)
    phone.withdrawn("leak", 8, owner="Ben")
    assert phone.orders(HangUp) == []
    assert [item.over for item in phone.items] == [True]
    assert phone.ring.taken_by == "Ben"
