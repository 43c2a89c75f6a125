"""A process that is full, or late, takes no more."""

from bridge.admission import BEATS, Admission


def test_there_is_a_most_of_streams() -> None:
    admission = Admission(most=2)

    assert admission.why_not(1) is None
    assert admission.why_not(2) is not None


def test_a_loop_that_runs_late_refuses() -> None:
    admission = Admission()
    for _ in range(BEATS):
        admission.beat(35.0)

    assert admission.why_not(0) == "the loop is 35 ms late"


def test_a_single_long_pause_is_no_overload() -> None:
    admission = Admission()
    for n in range(BEATS):
        admission.beat(3000.0 if n == 7 else 1.0)

    assert admission.why_not(0) is None


def test_a_process_that_has_just_started_is_not_late_yet() -> None:
    admission = Admission()
    admission.beat(3000.0)

    assert admission.why_not(0) is None
