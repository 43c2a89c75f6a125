"""The sums behind the figures. Pure: lists of numbers in, numbers out."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import linear_regression


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed.

    share: above 0, at most 1. values: at least one, in any order. No interpolation: a p99 of 200 samples is a
    sample that was measured, the third largest at the most.
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def busiest_second(instants: Sequence[datetime]) -> int:
    """The most instants within any one second, wherever it begins."""
    seconds = sorted(instant.timestamp() for instant in instants)
    return max((bisect_left(seconds, first + 1.0) - n for n, first in enumerate(seconds)), default=0)


def mean_rate(instants: Sequence[datetime]) -> float:
    """How many a second on the way from the first to the last; 0 for fewer than two."""
    ordered = sorted(instants)
    if len(ordered) < 2 or ordered[0] == ordered[-1]:
        return 0.0
    return (len(ordered) - 1) / (ordered[-1] - ordered[0]).total_seconds()


def longest_pause_s(instants: Sequence[datetime]) -> float:
    """The longest time between two neighbours."""
    return max((after - before).total_seconds() for before, after in pairwise(sorted(instants)))


def slope(at: Sequence[float], values: Sequence[float]) -> float:
    """The slope of the straight line nearest to these points; 0 for fewer than two."""
    if len(at) < 2:
        return 0.0
    return linear_regression(at, values).slope


@dataclass(frozen=True)
class Turn:
    """A page's way through the queue. rank: of its severity, 1 is the most severe."""

    rank: int
    queued: datetime
    submitted: datetime


def pairs_out_of_order(turns: Sequence[Turn], *, together: bool) -> tuple[int, int]:
    """Pairs of different severity in which the milder page went first, and all such pairs.

    together: only pairs that stood in the queue at the same time, which is all that a queue can order.
    """
    wrong = every = 0
    for severe in turns:
        for mild in turns:
            if severe.rank >= mild.rank:
                continue
            if together and not (severe.queued < mild.submitted and mild.queued < severe.submitted):
                continue
            every += 1
            wrong += mild.submitted < severe.submitted
    return wrong, every
