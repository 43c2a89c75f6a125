"""What a call does for its AIs: each is led step by step to what it should be, its legs replaced when they fail.

Pure, as `call` is. What an AI should be is `Call.wanted_as`; the steps are `assistant`'s. Generations count all
AI legs of a call, so that a leg is known by the call and its generation alone.
"""

from dataclasses import replace
from datetime import datetime

from workflows.assistant import Aide, Assistant, Post, Role, Step, added, after, in_doubt, next_step
from workflows.call_news import (
    BridgeAttached,
    BridgeDetached,
    Effect,
    Look,
    RemoveLeg,
    StepDone,
    StepFailed,
    StreamEnded,
    TakeStep,
)
from workflows.call_state import Call
from workflows.labels import assistant_label
from workflows.values import CallSid

NONCES_REMEMBERED = 50  # stream tokens last two minutes; a leg does not attach that often
EARLIER_REMEMBERED = 10  # what a leg that was replaced still has to tell comes within seconds

Decision = tuple[Call, tuple[Effect, ...]]


def with_aide(call: Call, aide: Aide) -> Call:
    """The call with this AI as it is now."""
    return replace(call, aides=tuple(aide if known.post is aide.post else known for known in call.aides))


def of_generation(call: Call, generation: int) -> Aide | None:
    """The AI whose leg this is."""
    return next((aide for aide in call.aides if 0 < generation == aide.leg.generation), None)


def post_of(call: Call, generation: int) -> Post | None:
    """The post of a leg, also of one that was replaced."""
    of = (aide.post for aide in call.aides if generation in {aide.leg.generation, *aide.earlier})
    return next(of, None)


def of_leg(call: Call, sid: CallSid) -> Aide | None:
    """The AI whose leg has this SID."""
    return next((aide for aide in call.aides if aide.leg.sid == sid), None)


def legs(call: Call) -> tuple[CallSid, ...]:
    """Every leg of an AI that may still be on, those that are being replaced too."""
    now = (aide.leg.sid for aide in call.aides)
    return (*(sid for sid in now if sid is not None), *(sid for a in call.aides for sid in a.stale_legs))


def settled(call: Call) -> Decision:
    """The next step of each AI that has none under way; and legs that nothing will come to replace are removed."""
    effects: list[Effect] = []
    for post in Post:
        call, more = _settled(call, post)
        effects += more
    return call, tuple(effects)


def _settled(call: Call, post: Post) -> Decision:
    effects: list[Effect] = []
    aide, wanted = call.aide(post), call.wanted_as(post)
    if aide.stale_legs and wanted.role is Role.GONE:  # its successor will not come to have it removed
        effects += [RemoveLeg(sid) for sid in aide.stale_legs]
        aide = replace(aide, stale_legs=())
    step = next_step(aide.leg, wanted) if aide.step is None else None
    if step is not None:
        if step is Step.ADD:
            old = aide.leg
            generation = 1 + max(known.leg.generation for known in call.aides)
            aide = replace(
                aide,
                stale_legs=(*aide.stale_legs, old.sid) if old.sid else aide.stale_legs,
                earlier=(*aide.earlier, old.generation)[-EARLIER_REMEMBERED:],
                leg=added(generation, wanted, old.add_failures),
            )
        aide = replace(aide, step=step, step_for=wanted)
        effects.append(TakeStep(step, wanted, aide.leg, post))
    return with_aide(call, aide), tuple(effects)


def stepped(call: Call, event: StepDone | StepFailed) -> Decision:
    """A step has ended, well or badly."""
    generation = event.generation
    aide = call.aide(Post.ASSISTANT) if generation is None else of_generation(call, generation)
    if aide is None or aide.step is not event.step:
        return call, ()  # the leg this was about is gone
    ai, wanted = aide.leg, aide.step_for or call.wanted_as(aide.post)
    aide = replace(aide, step=None, step_for=None)
    call = with_aide(call, aide)
    if event.step in {Step.QUIET, Step.TELL_ROLE} and event.queue not in {None, ai.bridge}:
        return call, ()  # another bridge has attached since, and knows nothing of it
    if isinstance(event, StepDone):
        ai = after(ai, event.step, wanted)
        if event.step is Step.ADD:
            ai = replace(ai, sid=event.sid or ai.sid, dialling=not ai.present, add_failures=0)
            call = replace(call, conference_sid=call.conference_sid or event.conference)
        return with_aide(call, replace(aide, leg=ai)), ()
    if event.step is Step.ADD:
        failed = replace(ai, dialling=False, add_failures=ai.add_failures + 1)
        return with_aide(call, replace(aide, leg=failed)), ()
    if event.step in {Step.QUIET, Step.TELL_ROLE}:  # it does not answer: the next generation takes over
        deaf = replace(ai, bridge=None, failing=True, quiet=False)
        return with_aide(call, replace(aide, leg=deaf)), ()
    if event.gone:
        return with_aide(call, replace(aide, leg=Assistant(generation=ai.generation))), ()
    return with_aide(call, replace(aide, leg=in_doubt(ai, event.step, wanted))), (Look(),)


def joined(call: Call, sid: CallSid, label: str) -> Decision:
    """A leg whose label is an AI's is in the room."""
    for aide in call.aides:
        if label == assistant_label(call.sid, aide.leg.generation, aide.post):
            stale = tuple(RemoveLeg(old) for old in aide.stale_legs)
            seated = replace(aide.leg, sid=sid, present=True, dialling=False)
            return with_aide(call, replace(aide, leg=seated, stale_legs=())), stale
    # An old generation that came in after it was given up; one that is being replaced goes by itself.
    going = any(sid in aide.stale_legs for aide in call.aides)
    return call, () if going else (RemoveLeg(sid),)


def lost(call: Call, aide: Aide) -> Call:
    """An AI's leg is no longer in the room."""
    leg = Assistant(aide.leg.generation, add_failures=aide.leg.add_failures)
    return with_aide(call, replace(aide, leg=leg, step=None, step_for=None))


def ended(call: Call, aide: Aide) -> Call:
    """An AI's leg is over; one that never came in counts as refused."""
    failures = aide.leg.add_failures + (0 if aide.leg.present else 1)
    leg = Assistant(aide.leg.generation, add_failures=failures)
    return with_aide(call, replace(aide, leg=leg, step=None, step_for=None))


def emptied(call: Call) -> Call:
    """The room is over: the AIs' legs are gone with it, but for those that are yet to come."""
    for aide in call.aides:
        if not aide.leg.dialling:
            leg = Assistant(generation=aide.leg.generation)
            call = with_aide(call, replace(aide, leg=leg, step=None, step_for=None))
    return call


def attached(call: Call, event: BridgeAttached) -> Call:
    """A bridge carries an AI's leg, if it may."""
    aide = of_generation(call, event.generation)
    if aide is None or may_attach(call, event.generation, event.nonce) is not None:
        return call
    call = replace(call, nonces=(*call.nonces, event.nonce)[-NONCES_REMEMBERED:])
    fresh = replace(aide.leg, bridge=event.queue, told=None, quiet=False, failing=False)
    call = with_aide(call, replace(aide, leg=fresh))
    if aide.post is not Post.ASSISTANT:
        return call
    return replace(call, voice_lost=None, silent_since=None, moments=0, broken_off=False)


def detached(call: Call, event: BridgeDetached) -> Call:
    """That bridge no longer carries it."""
    aide = of_generation(call, event.generation)
    if aide is None or aide.leg.bridge != event.queue:
        return call
    return _unheard(call, aide, event.at)


def stream_ended(call: Call, event: StreamEnded) -> Call:
    """Nobody carries an AI's sound, without a word from its bridge: nothing is heard of it until another does."""
    aide = of_generation(call, event.generation)
    if aide is None or aide.leg.bridge is None:
        return call
    call = _unheard(call, aide, event.at)
    return replace(call, broken_off=True) if aide.post is Post.ASSISTANT else call


def _unheard(call: Call, aide: Aide, at: datetime) -> Call:
    call = with_aide(call, replace(aide, leg=replace(aide.leg, bridge=None, told=None)))
    return replace(call, silent_since=call.silent_since or at) if aide.post is Post.ASSISTANT else call


def to_be_told(call: Call, post: Post) -> Call:
    """What this AI was told does not hold any more: it is told again."""
    aide = call.aide(post)
    return with_aide(call, replace(aide, leg=replace(aide.leg, told=None)))


def may_attach(call: Call, generation: int, nonce: str) -> str | None:
    """Why a bridge may not carry an AI leg's audio; None: it may. A stream token is good once."""
    aide = of_generation(call, generation)
    if aide is None:
        return f"generation {generation} of this call's AI legs was replaced, or never was"
    if nonce and nonce in call.nonces:
        return "this stream token was used before"
    return (
        None
        if call.wanted_as(aide.post).role is not Role.GONE
        else "this call has no place for an AI any more"
    )


def may_resume(call: Call, generation: int) -> bool:
    """Whether an AI leg whose stream ended gets another one."""
    aide = of_generation(call, generation)
    return aide is not None and call.wanted_as(aide.post).role is not Role.GONE
