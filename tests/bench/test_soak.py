"""Memory under churn: the sums, and a short soak of a whole installation."""

import pytest

from bench.arithmetic import slope
from bench.sections.soak import Memory, soak

MINUTES = 4.0
GROWTH = 1.15  # of the part after the warm-up, end by beginning: a leak of a few KiB a call stays below


def test_the_slope_of_a_straight_line_is_its_slope() -> None:
    assert slope([0.0, 10.0, 20.0], [5.0, 6.0, 7.0]) == pytest.approx(0.1)


def test_one_look_has_no_slope() -> None:
    assert slope([3.0], [100.0]) == 0.0


def test_what_is_loaded_once_is_no_growth() -> None:
    loading = Memory([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], [10.0, 90.0, 100.0, 100.0, 100.0, 100.0])
    assert loading.warm().mib_an_hour == pytest.approx(0.0)
    assert loading.warm().growth == pytest.approx(1.0)


def test_a_leak_is_told_as_mebibytes_an_hour() -> None:
    leaking = Memory([0.0, 1800.0, 3600.0], [0.0, 512.0, 1024.0])
    assert leaking.mib_an_hour == pytest.approx(1.0)


@pytest.mark.long  # real processes with churn for minutes
@pytest.mark.timeout(600)
async def test_memory_is_flat_while_calls_come_and_go() -> None:
    soaked = await soak(MINUTES, calls=8)

    assert (soaked.stuck, soaked.died, soaked.left_open) == (0, 0, 0)
    assert soaked.closings["escalated"] > 0
    ours = {name: memory.warm().growth for name, memory in soaked.memory.items() if name != "temporal"}
    assert {name: growth for name, growth in ours.items() if growth > GROWTH} == {}
