"""News that comes late, after an outage, or of a phone that is ours already, says nothing untrue."""

from tests.workflows.night import Night, ana, at, ben, rung
from workflows.emergency import AlertOperator, CallIn, Phase, TimerFired
from workflows.pages import Standing


def test_a_leg_that_left_is_not_in_the_room_because_its_joining_is_told_late() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 1)
    night.presses_mine(ana, 20, leg="CAana")
    night.leaves(ana, 30, leg="CAana")
    night.joins(ana, 31, leg="CAana")
    assert night.phase is not Phase.ATTENDED


def test_an_owner_whose_leg_ends_before_it_was_in_the_room_is_rung_back_at_once() -> None:
    night = Night(rung(ana), rung(ben))
    night.submitted(ana, 1)
    night.presses_mine(ana, 20, leg="CAana")
    night.leaves(ana, 22, leg="CAana")
    assert (night.phase, night.owner) == (Phase.ACKNOWLEDGED, "Ana")
    assert [order.page.responder.id for order in night.orders(CallIn)] == [ana.id]


def test_after_an_outage_the_operator_is_alerted_once_for_all_the_minutes_missed() -> None:
    night = Night(rung(ana), rung(ben))
    night.time_passes(59)
    fired_late = night.hears(TimerFired(at(3600)))
    assert len([order for order in fired_late if isinstance(order, AlertOperator)]) == 1
    assert night.timer is not None
    assert night.timer[1] > 3600


def test_a_phone_that_is_ours_already_is_not_said_to_ring() -> None:
    night = Night(rung(ana), rung(ben))
    night.news(ana, Standing.HELD, 1)
    assert "ringing" not in night.told_now
