"""What the bridge costs beside a splice on the same library, and its barge-ins, over real sockets and in real time."""

import pytest

from bench.carriage.measure import OURS
from bench.carriage.scenes import play_scenes
from bench.sections.carriage import NEAR_MS, compared

DEARER = 0.85  # of the splice: a change that goes beyond made sound dearer; what we aim at, the bench prints


@pytest.mark.long  # minutes, and it means nothing beside other work
@pytest.mark.timeout(600)
@pytest.mark.parametrize("tls", [False, True], ids=["plaintext", "TLS"])
async def test_a_stream_costs_less_than_on_a_splice(*, tls: bool) -> None:
    ours, splices, _ = await compared(tls=tls, rounds=2)

    ratio = min(one.cpu_ms for one in ours) / min(one.cpu_ms for one in splices)
    assert sum(one.wrong for one in ours) == 0
    assert ratio <= DEARER


@pytest.mark.long  # what is heard is counted in real time
@pytest.mark.timeout(120)
async def test_all_five_scenes_are_right_over_real_sockets() -> None:
    for name, seen in (await play_scenes(OURS)).items():
        assert abs(seen.error_ms) <= NEAR_MS, name
        assert (seen.errors, seen.stale_ms) == (0, 0), name
