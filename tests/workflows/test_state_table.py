"""Which timer is armed in which state, and that the drawn state table is what the code does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rung import state_table
from tests.workflows.night import Night, ana, ben, rung
from workflows.emergency import (
    AlertOperator,
    AskOwner,
    CallIn,
    Phase,
    PushPage,
    RingPage,
    TextPage,
    TimerKind,
)
from workflows.ladder import armed

PAGE = Path(__file__).parents[2] / "docs" / "state-table.md"
WAKES_OR_ASKS = (RingPage, TextPage, PushPage, CallIn, AskOwner, AlertOperator)


def queued() -> Night:
    return Night(rung(ana, ring_again_s=60), rung(ben))


def ringing() -> Night:
    night = queued()
    night.submitted(ana, 1)
    return night


def rung_twice() -> Night:
    night = ringing()
    night.time_passes(61)
    return night


def exhausted() -> Night:
    night = Night(rung(ana), pauses_s=(300.0,))
    night.submitted(ana, 0)
    night.time_passes(120)
    return night


def acknowledged_by_text() -> Night:
    night = queued()
    night.texts_mine(ana, 5)
    return night


def acknowledged_with_nobody_waiting() -> Night:
    night = Night(rung(ana), caller=False)
    night.presses_mine(ana, 5)
    return night


def connecting() -> Night:
    night = queued()
    night.presses_mine(ana, 5)
    return night


def owner_engaged() -> Night:
    night = acknowledged_by_text()
    night.unanswered(ana, 7)
    return night


def attended() -> Night:
    night = connecting()
    night.joins(ana, 7)
    return night


def following_up() -> Night:
    night = attended()
    night.caller_hangs_up(50)
    night.leaves(ana, 60)
    return night


def resolved() -> Night:
    night = attended()
    night.resolves(ana, 90)
    return night


def cancelled() -> Night:
    night = queued()
    night.cancels(ana, 9)
    return night


@pytest.mark.parametrize(
    ("told", "phase", "timer"),
    [
        (queued, Phase.PAGING, (TimerKind.SUBMIT_LIMIT, 60)),
        (ringing, Phase.PAGING, (TimerKind.RING_AGAIN, 61)),
        (rung_twice, Phase.PAGING, (TimerKind.DEADLINE, 121)),
        (exhausted, Phase.EXHAUSTED, (TimerKind.NEXT_ROUND, 420)),
        (acknowledged_by_text, Phase.ACKNOWLEDGED, (TimerKind.SUBMIT_LIMIT, 65)),
        (acknowledged_with_nobody_waiting, Phase.ACKNOWLEDGED, (TimerKind.UNATTENDED, 605)),
        (connecting, Phase.CONNECTING, (TimerKind.JOIN_CLOCK, 95)),
        (owner_engaged, Phase.CONNECTING, (TimerKind.CALL_IN_AGAIN, 12)),
        (attended, Phase.ATTENDED, (TimerKind.CHECK_IN, 1807)),
        (following_up, Phase.FOLLOWING_UP, (TimerKind.FOLLOW_UP, 1860)),
        (resolved, Phase.RESOLVED, None),
        (cancelled, Phase.CANCELLED, None),
    ],
)
def test_each_state_has_its_one_armed_timer(
    told: Callable[[], Night], phase: Phase, timer: tuple[TimerKind, float] | None
) -> None:
    night = told()
    assert night.phase == phase
    assert night.timer == timer
    if timer is not None:
        night.time_passes(timer[1])
        assert any(isinstance(effect, WAKES_OR_ASKS) for effect in night.last)


def test_the_drawn_table_is_what_the_code_does() -> None:
    drawn = "draw it anew: python -m rung.state_table > docs/state-table.md"
    assert PAGE.read_text() == state_table.rendered(), drawn


def test_the_drawn_table_knows_every_phase_and_every_timer() -> None:
    states = state_table.examples().values()
    assert {state.phase for state in states} == set(Phase)
    assert {timer.kind for state in states if (timer := armed(state))} == set(TimerKind)


def test_every_timer_in_the_drawn_table_wakes_asks_or_alerts_somebody() -> None:
    names = {kind.__name__ for kind in WAKES_OR_ASKS}
    fired = [row for row in state_table.rows() if row.event.startswith("**")]
    assert len(fired) >= len(TimerKind)
    for row in fired:
        assert set(row.orders) & names, f"{row.before}: silence"
