"""How the AI's leg gets from the role it has to the role it should have, one confirmed step at a time.

A table: what is so and what should be in, the next step out. Each step is safe to repeat, and the table is
asked again after each: a responder who leaves in the middle of a switch changes the way, not the rule.

The order is fixed by what a whisper must never do: the bridge is silent first, the leg is muted second, only
then coaching changes; it is confirmed before the leg is unmuted, and only then may the AI speak again.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from workflows.values import CallSid


class Role(StrEnum):
    """What the AI is in the room."""

    GONE = "gone"
    ANSWERING = "answering"
    COACH = "coach"
    SILENT = "silent"


@dataclass(frozen=True)
class Wanted:
    """What the AI should be. coached: the leg that alone may hear it, and whose it is."""

    role: Role
    coached: CallSid | None = None
    person: str = ""


@dataclass(frozen=True)
class Assistant:
    """What the AI's leg is, as far as it was confirmed.

    generation counts the legs. bridge: the task queue of the process that carries its audio.
    quiet: that process was told to stop and clear. told: the role it was last told.
    in_doubt: setting `coaching` failed, and may have been done all the same: it is set again.
    failing: this leg's bridge is gone, a next generation must take over.
    """

    generation: int = 0
    dialling: bool = False
    sid: CallSid | None = None
    present: bool = False
    bridge: str | None = None
    quiet: bool = False
    muted: bool = False
    coaching: CallSid | None = None
    confirmed: bool = True
    told: Wanted | None = None
    in_doubt: bool = False
    failing: bool = False
    add_failures: int = 0


class Step(StrEnum):
    """One order to the telephone network or to the bridge."""

    ADD = "add the leg"
    REMOVE = "remove the leg"
    QUIET = "stop speaking and clear"
    MUTE = "mute"
    COACH = "set whom it coaches"
    CONFIRM = "confirm whom it coaches"
    UNMUTE = "unmute"
    TELL_ROLE = "tell the bridge its role"


ADDS_AT_MOST = (
    3  # an application that refuses its own leg will go on refusing it; the caller keeps the humans
)


def next_step(is_: Assistant, wanted: Wanted) -> Step | None:
    """The next step towards the wanted role; None when there, or while the network must answer first."""
    if wanted.role is Role.GONE:
        return Step.REMOVE if is_.sid is not None else None
    if is_.failing and is_.present and not is_.muted:
        return Step.MUTE  # a bridge that takes no orders may still be whispering
    if is_.sid is None or is_.failing:
        return None if is_.dialling or is_.add_failures >= ADDS_AT_MOST else Step.ADD
    if not is_.present:
        return None
    if is_.coaching != wanted.coached or not is_.confirmed or wanted.role is Role.SILENT:
        if is_.bridge is not None and not is_.quiet:
            return Step.QUIET
        if not is_.muted:
            return Step.MUTE
        if wanted.role is Role.SILENT:
            return None
        return Step.COACH if is_.coaching != wanted.coached or is_.in_doubt else Step.CONFIRM
    if is_.muted:
        return Step.UNMUTE
    if is_.bridge is not None and is_.told != wanted:
        return Step.TELL_ROLE
    return None


def after(is_: Assistant, step: Step, wanted: Wanted) -> Assistant:
    """The assistant after a step succeeded. wanted is what it was taken for."""
    match step:
        case Step.ADD:
            return replace(is_, dialling=True)
        case Step.REMOVE:
            return Assistant(generation=is_.generation)
        case Step.QUIET:
            return replace(is_, quiet=True, told=None)
        case Step.MUTE:
            return replace(is_, muted=True)
        case Step.COACH:
            return replace(is_, coaching=wanted.coached, confirmed=False, in_doubt=False)
        case Step.CONFIRM:
            return replace(is_, confirmed=True)
        case Step.UNMUTE:
            return replace(is_, muted=False)
        case Step.TELL_ROLE:
            return replace(is_, told=wanted, quiet=False)
