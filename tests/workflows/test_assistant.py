"""The AI leg's way from the role it has to the role it should have: quiet, mute, coach, confirm, unmute, tell."""

from dataclasses import replace

import pytest

from workflows.assistant import ADDS_AT_MOST, Assistant, Role, Step, Wanted, after, next_step
from workflows.values import CallSid

ANA, BEN, AI = CallSid("CAana"), CallSid("CAben"), CallSid("CAai1")
ANSWERING = Wanted(Role.ANSWERING)
COACH_ANA = Wanted(Role.COACH, ANA, "Ana")
COACH_BEN = Wanted(Role.COACH, BEN, "Ben")
SILENT = Wanted(Role.SILENT)
GONE = Wanted(Role.GONE)

IN_THE_ROOM = Assistant(generation=1, sid=AI, present=True)
WITH_BRIDGE = replace(IN_THE_ROOM, bridge="bridge-1")
AT_WORK = replace(WITH_BRIDGE, told=ANSWERING)


def way(is_: Assistant, wanted: Wanted) -> tuple[list[Step], Assistant]:
    """The steps to that role when each succeeds, and where they lead."""
    steps: list[Step] = []
    while (step := next_step(is_, wanted)) is not None:
        steps.append(step)
        assert len(steps) < 20, f"never there: {steps}"
        is_ = after(is_, step, wanted)
    return steps, is_


SWITCH = [Step.QUIET, Step.MUTE, Step.COACH, Step.CONFIRM, Step.UNMUTE, Step.TELL_ROLE]


@pytest.mark.parametrize(
    ("is_", "wanted", "steps"),
    [
        pytest.param(Assistant(), ANSWERING, [Step.ADD], id="nobody there: add the leg"),
        pytest.param(Assistant(), GONE, [], id="nobody there, nobody wanted"),
        pytest.param(replace(AT_WORK, present=False), COACH_ANA, [], id="not in the room yet: wait"),
        pytest.param(WITH_BRIDGE, ANSWERING, [Step.TELL_ROLE], id="just attached: told its role"),
        pytest.param(AT_WORK, ANSWERING, [], id="there already"),
        pytest.param(AT_WORK, COACH_ANA, SWITCH, id="from answering to coach"),
        pytest.param(
            replace(AT_WORK, coaching=ANA, told=COACH_ANA), COACH_BEN, SWITCH, id="another responder"
        ),
        pytest.param(
            replace(AT_WORK, coaching=ANA, told=COACH_ANA), ANSWERING, SWITCH, id="back to the caller"
        ),
        pytest.param(
            replace(AT_WORK, coaching=ANA, told=COACH_ANA),
            SILENT,
            [Step.QUIET, Step.MUTE],
            id="silent while the responder is in the menu",
        ),
        pytest.param(IN_THE_ROOM, COACH_ANA, SWITCH[1:5], id="without a bridge there is nobody to quiet"),
        pytest.param(AT_WORK, GONE, [Step.REMOVE], id="dismissed"),
        pytest.param(
            replace(WITH_BRIDGE, quiet=True, muted=True, coaching=ANA, confirmed=False, in_doubt=True),
            COACH_ANA,
            SWITCH[2:],
            id="coaching that may or may not have been set is set again",
        ),
        pytest.param(
            replace(AT_WORK, failing=True),
            ANSWERING,
            [Step.MUTE, Step.ADD],
            id="a bridge that takes no orders is muted before its successor comes",
        ),
        pytest.param(
            Assistant(generation=3, add_failures=ADDS_AT_MOST), ANSWERING, [], id="refused too often"
        ),
    ],
)
def test_the_table(is_: Assistant, wanted: Wanted, steps: list[Step]) -> None:
    taken: list[Step] = []
    while (step := next_step(is_, wanted)) is not None:
        taken.append(step)
        if step is Step.ADD:
            break  # what follows waits for the leg to come in
        is_ = after(is_, step, wanted)
    assert taken == steps


def test_a_rejoined_responder_is_coached_again_without_being_heard_in_between() -> None:
    _, silent = way(replace(AT_WORK, coaching=ANA, told=COACH_ANA), SILENT)
    steps, coach = way(silent, COACH_ANA)
    assert steps == [Step.UNMUTE, Step.TELL_ROLE]
    assert coach.told == COACH_ANA


def test_a_bridge_that_attaches_in_the_middle_is_quieted_before_coaching_changes() -> None:
    halfway = replace(WITH_BRIDGE, muted=True)
    assert next_step(halfway, COACH_ANA) is Step.QUIET


def test_a_removed_leg_leaves_its_number_behind() -> None:
    assert after(AT_WORK, Step.REMOVE, GONE) == Assistant(generation=1)


EVERY_STATE = [
    Assistant(1, False, AI, True, bridge, quiet, muted, coaching, confirmed, told)
    for bridge in (None, "bridge-1")
    for quiet in (False, True)
    for muted in (False, True)
    for coaching in (None, ANA, BEN)
    for confirmed in (False, True)
    for told in (None, ANSWERING, COACH_ANA, COACH_BEN)
]


@pytest.mark.parametrize("wanted", [ANSWERING, COACH_ANA, COACH_BEN, SILENT, GONE], ids=lambda w: w.role)
def test_from_every_state_the_way_is_short_and_keeps_its_order(wanted: Wanted) -> None:
    for is_ in EVERY_STATE:
        steps, there = way(is_, wanted)
        assert len(steps) <= len(SWITCH)
        assert steps == [step for step in (*SWITCH, Step.REMOVE) if step in steps], f"{is_}: {steps}"
        if wanted.role in {Role.ANSWERING, Role.COACH}:
            assert (there.coaching, there.muted, there.confirmed) == (wanted.coached, False, True)
            assert there.bridge is None or there.told == wanted


def test_no_step_changes_coaching_unless_the_leg_is_quiet_and_muted() -> None:
    for is_ in EVERY_STATE:
        for wanted in (ANSWERING, COACH_ANA, COACH_BEN, SILENT):
            match next_step(is_, wanted):
                case Step.COACH | Step.CONFIRM:
                    assert is_.muted
                    assert is_.quiet or is_.bridge is None
                case Step.UNMUTE | Step.TELL_ROLE:
                    assert is_.coaching == wanted.coached
                    assert is_.confirmed
                case _:
                    pass
