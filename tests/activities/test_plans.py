"""The owner's file as the ladder that an escalation keeps."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.plans import Plans
from configuration.holder import ConfigurationFile
from workflows.orders import GONE, PlanLadder
from workflows.values import Channel, LineId, Severity

EXAMPLE = Path(__file__).parents[2] / "rung.example.yaml"
SUNDAY_NIGHT = datetime(2026, 3, 1, 7, 18, tzinfo=UTC)  # 02:18 in New York
ORDER = PlanLadder(LineId("clinic"), "medication", Severity.URGENT, SUNDAY_NIGHT)


def plans(tmp_path: Path, path: Path = EXAMPLE, checked_at: datetime = SUNDAY_NIGHT) -> Plans:
    return Plans(ConfigurationFile(path, tmp_path / "last-good.yaml", lambda: checked_at))


def written(tmp_path: Path, *, rungs: str, last_resort: str, alerts: str) -> Plans:
    """A file with a rotation that has not begun yet when the emergency comes; checked when it had."""
    path = tmp_path / "rung.yaml"
    path.write_text(
        f"""
alerts: {{ people: {alerts} }}
people:
  ana: {{ name: Ana, phone: "+12025550111" }}
rotations:
  later:
    time_zone: America/New_York
    layers:
      - people: [ana]
        hand_over: {{ every: week, weekday: monday, at: "09:00" }}
        starts: 2027-01-04
ladders:
  night: {{ rungs: {rungs}, last_resort: {last_resort} }}
lines:
  clinic:
    name: Clinic
    number: "+12025550101"
    emergency_number: "911"
    time_zone: America/New_York
    ladder: night
"""
    )
    return plans(tmp_path, path, datetime(2027, 2, 1, tzinfo=UTC))


async def test_the_ladder_has_everybody_in_order_with_their_channels_and_the_reason(tmp_path: Path) -> None:
    ladder = await ActivityEnvironment().run(plans(tmp_path).plan_ladder, ORDER)

    first = ladder.rungs[0]
    assert len(ladder.rungs) == 8
    assert (first.name, first.wait_s, first.wait_nobody_s, first.ring_again_s) == ("Primary", 120, 300, 60)
    [on_call] = first.responders
    assert "primary" in on_call.because
    assert on_call.channels == (Channel.VOICE, Channel.TEXT, Channel.PUSH)
    assert [responder.id for responder in ladder.last_resort] == ["june", "dee", "ana"]
    assert (ladder.pauses_s, ladder.submit_limit_s) == ((0, 300, 900, 1800), 60)


async def test_a_category_has_its_own_ladder(tmp_path: Path) -> None:
    ladder = await ActivityEnvironment().run(plans(tmp_path).plan_ladder, replace(ORDER, category="medical"))

    assert [rung.name for rung in ladder.rungs] == ["Both on call", "Fallbacks", "Director"]


async def test_a_responder_is_spoken_to_in_a_language_we_have(tmp_path: Path) -> None:
    ladder = await ActivityEnvironment().run(plans(tmp_path).plan_ladder, ORDER)

    assert {responder.language for responder in ladder.people} <= {"en", "es"}


async def test_a_landline_is_rung_and_never_texted(tmp_path: Path) -> None:
    ladder = await ActivityEnvironment().run(plans(tmp_path).plan_ladder, ORDER)

    [gus] = [responder for responder in ladder.people if responder.id == "gus"]
    assert gus.channels == (Channel.VOICE,)


async def test_a_rung_with_nobody_on_it_is_left_out(tmp_path: Path) -> None:
    there = written(tmp_path, rungs="[{page: [later]}, {page: [ana]}]", last_resort="[ana]", alerts="[ana]")

    ladder = await ActivityEnvironment().run(there.plan_ladder, ORDER)

    assert [[one.id for one in rung.responders] for rung in ladder.rungs] == [["ana"]]


async def test_a_ladder_with_nobody_on_it_is_its_last_resort(tmp_path: Path) -> None:
    there = written(tmp_path, rungs="[{page: [later]}]", last_resort="[ana]", alerts="[]")

    ladder = await ActivityEnvironment().run(there.plan_ladder, ORDER)

    assert [rung.name for rung in ladder.rungs] == ["last resort"]
    assert [one.id for one in ladder.rungs[0].responders] == ["ana"]


async def test_when_nobody_at_all_can_be_reached_the_operators_are_woken(tmp_path: Path) -> None:
    there = written(tmp_path, rungs="[{page: [later]}]", last_resort="[]", alerts="[ana]")

    ladder = await ActivityEnvironment().run(there.plan_ladder, ORDER)

    assert [rung.name for rung in ladder.rungs] == ["operators"]


async def test_a_line_that_the_file_no_longer_has_wakes_the_operators(tmp_path: Path) -> None:
    ladder = await ActivityEnvironment().run(
        plans(tmp_path).plan_ladder, replace(ORDER, line=LineId("closed"))
    )

    assert [one.id for one in ladder.rungs[0].responders] == ["dee"]


async def test_with_nobody_left_to_wake_the_workflow_is_told_for_good(tmp_path: Path) -> None:
    there = written(tmp_path, rungs="[{page: [later]}]", last_resort="[]", alerts="[]")

    with pytest.raises(ApplicationError) as raised:
        await ActivityEnvironment().run(there.plan_ladder, ORDER)

    assert (raised.value.type, raised.value.non_retryable) == (GONE, True)
