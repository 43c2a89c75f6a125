"""How an AI's leg gets from the role it has to the role it should have, one confirmed step at a time.

A table: what is so and what should be in, the next step out. Each step is safe to repeat, and the table is
asked again after each: a responder who leaves in the middle of a switch changes the way, not the rule.

The order is fixed by what a whisper must never do: the bridge is silent first, the leg is muted second, only
then coaching changes; it is confirmed before the leg is unmuted, and only then may the AI speak again.

A call may have several AIs, one a post. Each has a leg of its own, and takes these steps by itself.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from workflows.values import CallSid, PersonId


class Post(StrEnum):
    """A place for an AI in a call, and what its legs' labels begin with. What it is there now is its role."""

    ASSISTANT = "ai"
    NOTES = "notes"
    INTERPRETER = "interpreter"


class Role(StrEnum):
    """What an AI is in the room."""

    GONE = "gone"
    ANSWERING = "answering"
    COACH = "coach"
    SILENT = "silent"
    NOTES = "notes"
    INTERPRETER = "interpreter"


UNHEARD = frozenset({Role.SILENT, Role.NOTES})  # roles whose leg is muted for as long as they last


@dataclass(frozen=True)
class Wanted:
    """What an AI should be. coached: the leg that alone may hear it, and whose it is.

    languages: between which an interpreter translates, the caller's first. held: on silent hold, so that it hears
    nothing; then its role is silent.
    """

    role: Role
    coached: CallSid | None = None
    person: str = ""
    languages: tuple[str, ...] = ()
    held: bool = False


@dataclass(frozen=True)
class Assistant:
    """What an AI's leg is, as far as it was confirmed.

    generation: which of all AI legs of the call, in the order they were added; 0: there was none.
    bridge: the task queue of the process that carries its audio.
    quiet: that process was told to stop and clear. told: the role it was last told.
    muted, held: None: setting it failed, and may have been done all the same: it is set again.
    in_doubt: so for `coaching`. failing: this leg's bridge is gone, a next generation must take over.
    """

    generation: int = 0
    dialling: bool = False
    sid: CallSid | None = None
    present: bool = False
    bridge: str | None = None
    quiet: bool = False
    muted: bool | None = False
    coaching: CallSid | None = None
    confirmed: bool = True
    told: Wanted | None = None
    in_doubt: bool = False
    failing: bool = False
    add_failures: int = 0
    held: bool | None = False


class Step(StrEnum):
    """One order to the telephone network or to the bridge."""

    ADD = "add the leg"
    REMOVE = "remove the leg"
    QUIET = "stop speaking and clear"
    MUTE = "mute"
    HOLD = "put on hold"
    UNHOLD = "take off hold"
    COACH = "set whom it coaches"
    CONFIRM = "confirm whom it coaches"
    UNMUTE = "unmute"
    TELL_ROLE = "tell the bridge its role"


ADDS_AT_MOST = (
    3  # an application that refuses its own leg will go on refusing it; the caller keeps the humans
)


@dataclass(frozen=True)
class Wish:
    """What a human has asked of an AI; it outlasts the AI's legs. called: to come. whom: to coach this person."""

    called: bool = False
    held: bool = False
    muted: bool = False
    removed: bool = False
    whom: PersonId | None = None
    language: str = ""


@dataclass(frozen=True)
class Aide:
    """An AI in a call: its leg, the step under way and for what it was taken, the legs that its leg replaces.

    earlier: the generations it had before.
    """

    post: Post
    leg: Assistant = Assistant()
    step: Step | None = None
    step_for: Wanted | None = None
    stale_legs: tuple[CallSid, ...] = ()
    wish: Wish = Wish()
    earlier: tuple[int, ...] = ()


def next_step(is_: Assistant, wanted: Wanted) -> Step | None:
    """The next step towards the wanted role; None when there, or while the network must answer first."""
    if wanted.role is Role.GONE:
        return Step.REMOVE if is_.sid is not None else None
    if is_.failing and is_.present and is_.muted is not True:
        return Step.MUTE  # a bridge that takes no orders may still be whispering
    if is_.sid is None or is_.failing:
        return _next_leg(is_, wanted)
    if not is_.present:
        return None
    if (step := _silently(is_, wanted)) is not None:
        return step
    if wanted.role is Role.SILENT:
        return None
    if wanted.role in UNHEARD and is_.muted is not True:
        return Step.MUTE
    if wanted.role not in UNHEARD and is_.muted is not False:
        return Step.UNMUTE
    return Step.TELL_ROLE if is_.bridge is not None and is_.told != wanted else None


def _next_leg(is_: Assistant, wanted: Wanted) -> Step | None:
    """A leg is missing; one that is to hear nothing is not added, for until it is held it would hear."""
    if wanted.held:
        return Step.HOLD if is_.present and is_.held is not True else None
    return None if is_.dialling or is_.add_failures >= ADDS_AT_MOST else Step.ADD


def _silently(is_: Assistant, wanted: Wanted) -> Step | None:
    """What may change only while the AI is quiet and muted."""
    moves = is_.coaching != wanted.coached or not is_.confirmed
    if not moves and is_.held is wanted.held and wanted.role is not Role.SILENT:
        return None
    if is_.bridge is not None and not is_.quiet:
        return Step.QUIET
    if is_.muted is not True:
        return Step.MUTE
    if is_.held is not wanted.held:
        return Step.HOLD if wanted.held else Step.UNHOLD
    if not moves or wanted.role is Role.SILENT:
        return None
    return Step.COACH if is_.coaching != wanted.coached or is_.in_doubt else Step.CONFIRM


def added(generation: int, wanted: Wanted, add_failures: int) -> Assistant:
    """The leg that is being added: muted unless it is to be heard by all."""
    unmuted = wanted.role not in UNHEARD and wanted.coached is None
    return Assistant(generation, dialling=True, muted=not unmuted, add_failures=add_failures)


def after(is_: Assistant, step: Step, wanted: Wanted) -> Assistant:
    """The assistant after a step succeeded. wanted is what it was taken for."""
    match step:
        case Step.ADD:
            return replace(is_, dialling=True)
        case Step.REMOVE:
            return Assistant(generation=is_.generation)
        case Step.QUIET:
            return replace(is_, quiet=True, told=None)
        case Step.MUTE | Step.UNMUTE:
            return replace(is_, muted=step is Step.MUTE)
        case Step.HOLD | Step.UNHOLD:
            return replace(is_, held=step is Step.HOLD)
        case Step.COACH:
            return replace(is_, coaching=wanted.coached, confirmed=False, in_doubt=False)
        case Step.CONFIRM:
            return replace(is_, confirmed=True)
        case Step.TELL_ROLE:
            return replace(is_, told=wanted, quiet=False)


def in_doubt(is_: Assistant, step: Step, wanted: Wanted) -> Assistant:
    """The assistant after a step failed that may have been done all the same."""
    match step:
        case Step.MUTE | Step.UNMUTE:
            return replace(is_, muted=None)
        case Step.HOLD | Step.UNHOLD:
            return replace(is_, held=None)
        case Step.COACH | Step.CONFIRM:
            return replace(is_, coaching=wanted.coached or is_.coaching, confirmed=False, in_doubt=True)
        case Step.ADD | Step.REMOVE | Step.QUIET | Step.TELL_ROLE:
            return is_
