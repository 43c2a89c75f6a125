"""Recorded nights, replayed with the code as it is now: what is running goes on after a deploy.

A history that does not replay any more would have frozen its workflow until a roll-back. If that is intended
(nothing of the old code may still be running), see docs/adr/0006 for how to record anew.
"""

from datetime import datetime, timedelta
from pathlib import Path as File

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from rung.worker import WORKFLOWS
from tests.histories.paths import PATHS, Path
from tests.replay.changed import AddsAStep, AddsAStepBehindAPatch, LeavesAStepOut
from tests.shells.town import KEY, LINE
from workflows.admission import OneMessage
from workflows.codec import data_converter
from workflows.runner import runner
from workflows.shell import ABOUT_TO_FIRE_S

HISTORIES = File(__file__).parent.parent / "histories"
RECORDED = sorted(HISTORIES.glob("*.json"))
LIMIT_KB = 300  # a reader of the repository must be able to fetch it all


def replayer(*workflows: type) -> Replayer:
    """Replays as the worker runs."""
    return Replayer(
        workflows=workflows or WORKFLOWS,
        data_converter=data_converter([KEY]),
        interceptors=[OneMessage()],
        workflow_runner=runner(),
    )


def history(file: File) -> WorkflowHistory:
    """A recorded history, under its workflow's own id."""
    text = file.read_text()
    return WorkflowHistory.from_json(file.stem, text)


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
async def test_a_recorded_night_replays(file: File) -> None:
    await replayer().replay_workflow(history(file))


@pytest.mark.parametrize("file", RECORDED, ids=lambda file: file.stem)
def test_a_timer_that_is_about_to_fire_is_left_to_fire(file: File) -> None:
    """Cancelling one may cross its firing, which the time-skipping server does not take."""
    at, due = datetime.min, dict[str, datetime]()
    for event in history(file).events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            at = event.event_time.ToDatetime()
        elif started := event.timer_started_event_attributes.timer_id:
            lasts = event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
            due[started] = event.event_time.ToDatetime() + lasts
        elif cancelled := event.timer_canceled_event_attributes.timer_id:
            assert due[cancelled] > at + timedelta(seconds=ABOUT_TO_FIRE_S), f"timer {cancelled}"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_every_path_is_recorded(path: Path) -> None:
    assert list(HISTORIES.glob(f"{path.name}.*.json")), "run: python -m tests.histories.record"


def test_every_recording_belongs_to_a_path_and_is_small() -> None:
    names = {path.name for path in PATHS}
    for file in RECORDED:
        assert file.name.split(".")[0] in names, f"{file.name} is of no path"
        assert file.stat().st_size < LIMIT_KB * 1000, file.name


def test_recordings_tell_nothing_in_clear() -> None:
    for file in RECORDED:
        text = file.read_text()
        for word in (LINE.number, "2025550", "ceiling", "breathing"):
            assert word not in text, f"{word} in {file.name}"


NIGHT = HISTORIES / "declined-then-acknowledged.escalation.json"


@pytest.mark.parametrize("changed", [AddsAStep, LeavesAStepOut])
async def test_a_deploy_that_would_freeze_a_running_night_is_caught(changed: type) -> None:
    with pytest.raises(NondeterminismError):
        await replayer(changed).replay_workflow(history(NIGHT))


async def test_a_step_added_behind_a_patch_lets_a_running_night_go_on() -> None:
    await replayer(AddsAStepBehindAPatch).replay_workflow(history(NIGHT))
