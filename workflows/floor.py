"""What people may do to a room: who is on hold or muted, where the AIs are, and what is refused, and why.

Pure, as `call` is. The rules:
- nobody is left alone: a caller always has a human who hears the room, or an AI that answers;
- so what was asked of caller and AIs is void once no human is left who could undo it;
- the last human does not leave an open case by somebody else's act;
- what was asked stays so whatever becomes of a leg: who comes back is held or muted again.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

from workflows.aides import Decision, with_aide
from workflows.assistant import Aide, Post, Wish, next_step
from workflows.call_news import Acted, Effect, LetGo, Look, MannerSet, RemoveLeg, SetManner
from workflows.call_state import AT_LARGE, Call, CallerAt, Floor, LegAt, Manner, ResponderLeg
from workflows.room_acts import CALLER, RoomAct, RoomActKind, RoomOutcome, Whom, posts
from workflows.values import CallSid

ACTS_REMEMBERED = 50  # an act is repeated within seconds

NAMES: Mapping[Post, str] = {
    Post.ASSISTANT: "the AI",
    Post.NOTES: "the note-taker",
    Post.INTERPRETER: "the interpreter",
}


# What is asked


def acted(call: Call, event: Acted) -> Decision:
    """An act, and what it came to; one that came before changes nothing."""
    act = event.act
    if outcome_of(call, act) is not None:
        return call, ()
    why_not = _refusal(call, act)
    if why_not is not None:
        return _on_record(call, act, RoomOutcome(False, why_not)), ()
    call, effects, sentence = _done(call, act)
    return _on_record(call, act, RoomOutcome(True, sentence)), effects


def _on_record(call: Call, act: RoomAct, outcome: RoomOutcome) -> Call:
    return replace(call, acted=(*call.acted, (act.id, outcome))[-ACTS_REMEMBERED:])


def outcome_of(call: Call, act: RoomAct) -> RoomOutcome | None:
    """What this act came to, if it was heard before."""
    return next((outcome for known, outcome in call.acted if known == act.id), None)


def is_so(call: Call, act: RoomAct) -> bool:
    """Whether what was asked is so by now, as far as the network has confirmed it."""
    if act.kind is RoomActKind.COACH:
        return _is_as_wanted(call, Post.ASSISTANT)
    if posts(act.whom):
        brought = act.kind is not RoomActKind.BRING or all(call.aide(p).leg.present for p in posts(act.whom))
        return brought and all(_is_as_wanted(call, post) for post in posts(act.whom))
    mine = [call.sid] if act.whom == CALLER else [leg.sid for leg in _humans(call, act.whom)]
    if act.kind is RoomActKind.REMOVE:
        return call.caller is CallerAt.GONE if act.whom == CALLER else not mine
    return all(floor.is_ == floor.wanted for floor in call.floors if floor.leg in mine)


def _is_as_wanted(call: Call, post: Post) -> bool:
    aide = call.aide(post)
    moving = aide.step is not None or next_step(aide.leg, call.wanted_as(post)) is not None
    coming = aide.leg.dialling or (aide.leg.sid is not None and not aide.leg.present)
    return not moving and not coming


def _humans(call: Call, whom: Whom) -> list[ResponderLeg]:
    """The legs by which this responder is in the room."""
    return [leg for leg in call.here if str(leg.person.id) == whom]


# What is refused


def _refusal(call: Call, act: RoomAct) -> str | None:
    """Why an act cannot be done; None: it can."""
    if call.ending or call.room_over:
        return "the room is over"
    if act.kind is RoomActKind.COACH:
        return _not_coached(call, act.whom)
    if posts(act.whom):
        why = [_not_of_ai(call, act, post) for post in posts(act.whom)]
        return None if None in why else why[0]  # of all of them, those that are there
    if act.kind is RoomActKind.BRING:
        return f"{act.whom} is no AI: people are woken by the ladder"
    if act.whom == CALLER:
        return _not_of_caller(call, act)
    return _not_of_responder(call, act)


def _not_coached(call: Call, whom: Whom) -> str | None:
    if not _humans(call, whom):
        return f"{whom} is no responder in this room"
    if all(call.held(leg.sid) for leg in _humans(call, whom)):
        return f"{whom} is on hold and hears nobody"
    return None if call.assistant.sid is not None else "the AI is not in this room"


def _not_of_ai(call: Call, act: RoomAct, post: Post) -> str | None:
    aide, name = call.aide(post), NAMES[post]
    if act.kind is RoomActKind.BRING:
        return _not_brought(call, act, post)
    if aide.leg.generation == 0 or (aide.leg.sid is None and not aide.leg.dialling and not aide.wish.held):
        return f"{name} is not in this room"
    if act.kind is RoomActKind.UNMUTE and post is Post.NOTES:
        return "the note-taker is never heard"
    asks_away = act.kind in {RoomActKind.HOLD, RoomActKind.MUTE, RoomActKind.REMOVE}
    if post is Post.ASSISTANT and asks_away and not call.hearing:
        return "nobody else is with the caller: the AI stays"
    return None


def _not_brought(call: Call, act: RoomAct, post: Post) -> str | None:
    if not call.line.assistant or (call.speech is None and post is not Post.ASSISTANT):
        return "no AI answers this line"
    if call.resolved:
        return "the case is closed: the AI has left"
    if post is not Post.INTERPRETER:
        return None
    called = _wished(call, post, called=True)
    mine, theirs = called.languages(act.language)
    return f"both speak {mine}: say which language the caller speaks" if mine == theirs else None


def _not_of_caller(call: Call, act: RoomAct) -> str | None:
    if call.caller is not CallerAt.ROOM:
        return "the caller is not in this room"
    if act.kind is RoomActKind.REMOVE:
        open_ = call.escalation is not None and not call.resolved
        return "the case is open: resolve or cancel it first" if open_ else None
    if act.kind in {RoomActKind.HOLD, RoomActKind.MUTE} and not call.hearing:
        return "nobody would be left to take the caller back"
    return None


def _not_of_responder(call: Call, act: RoomAct) -> str | None:
    legs = _humans(call, act.whom)
    if not legs:
        return f"{act.whom} is not in this room"
    others = [leg for leg in call.hearing if leg not in legs]
    if act.kind is RoomActKind.REMOVE and not others and not call.resolved:
        return f"{act.whom} is the last human with an open case: hand it over or resolve it first"
    if act.kind is RoomActKind.HOLD and not others:
        if call.held(call.sid) or call.caller is not CallerAt.ROOM:
            return f"{act.whom} is the last who hears the room"
        wish, there = call.aide(Post.ASSISTANT).wish, call.assistant.present
        if not there or wish.held or wish.muted or wish.removed:
            return "the caller would be alone: bring the AI back first"
    return None


# What is done

Done = tuple[Call, tuple[Effect, ...], str]


def _done(call: Call, act: RoomAct) -> Done:
    if act.kind is RoomActKind.COACH:
        person = _humans(call, act.whom)[0].person
        wish = replace(call.aide(Post.ASSISTANT).wish, whom=person.id)
        return (
            with_aide(call, replace(call.aide(Post.ASSISTANT), wish=wish)),
            (),
            f"the AI coaches {person.name}",
        )
    if posts(act.whom):
        there = [post for post in posts(act.whom) if _not_of_ai(call, act, post) is None]
        for post in there:
            call = with_aide(call, replace(call.aide(post), wish=_asked(call.aide(post), act)))
        return call, (), _told(call, act, there)
    if act.kind is RoomActKind.REMOVE:
        if act.whom == CALLER:
            return call, (LetGo(),), "the caller's call is ended"
        legs = tuple(RemoveLeg(leg.sid) for leg in _humans(call, act.whom))
        return call, legs, f"{act.whom}'s call is ended"
    legs_of = [call.sid] if act.whom == CALLER else [leg.sid for leg in _humans(call, act.whom)]
    for sid in legs_of:
        floor = _floor(call, sid)
        call = _with_floor(call, replace(floor, wanted=_ASKED[act.kind](floor.wanted, act)))
    who = "the caller" if act.whom == CALLER else act.whom
    return call, (), f"{who} {_SAID[act.kind]}"


_ASKED: Mapping[RoomActKind, Callable[[Manner, RoomAct], Manner]] = {
    RoomActKind.HOLD: lambda manner, act: replace(manner, hold=act.sound),
    RoomActKind.UNHOLD: lambda manner, _: replace(manner, hold=None),
    RoomActKind.MUTE: lambda manner, _: replace(manner, muted=True),
    RoomActKind.UNMUTE: lambda manner, _: replace(manner, muted=False),
}
_SAID: Mapping[RoomActKind, str] = {
    RoomActKind.HOLD: "is on hold: hears nobody, and is heard by nobody",
    RoomActKind.UNHOLD: "is off hold",
    RoomActKind.MUTE: "is muted",
    RoomActKind.UNMUTE: "is not muted",
    RoomActKind.REMOVE: "leaves the room",
    RoomActKind.BRING: "comes as soon as there is somebody to be there for",
}


def _asked(aide: Aide, act: RoomAct) -> Wish:
    match act.kind:
        case RoomActKind.HOLD | RoomActKind.UNHOLD:
            return replace(aide.wish, held=act.kind is RoomActKind.HOLD)
        case RoomActKind.MUTE | RoomActKind.UNMUTE:
            return replace(aide.wish, muted=act.kind is RoomActKind.MUTE)
        case RoomActKind.REMOVE:
            return Wish(removed=True)
        case RoomActKind.BRING:
            return Wish(called=True, whom=aide.wish.whom, language=act.language)
        case RoomActKind.COACH:
            return aide.wish


def _told(call: Call, act: RoomAct, there: list[Post]) -> str:
    """What was done, and which AI still listens while another is on hold."""
    said = "; ".join(f"{NAMES[post]} {_SAID[act.kind]}" for post in there)
    if act.kind is not RoomActKind.HOLD:
        return said
    others = [aide for aide in call.aides if aide.leg.sid is not None and not aide.wish.held]
    still = "".join(f"; {NAMES[aide.post]} still listens" for aide in others)
    return said + still


def _wished(call: Call, post: Post, *, called: bool) -> Call:
    aide = call.aide(post)
    return with_aide(call, replace(aide, wish=replace(aide.wish, called=called)))


# What follows from the state


def settled(call: Call) -> Decision:
    """What was asked and is void by now is forgotten; what is not so yet is ordered."""
    if not call.in_charge:
        for aide in call.aides:
            void = replace(aide.wish, held=False, muted=False, removed=False, whom=None)
            call = with_aide(call, replace(aide, wish=void))
        floors = tuple(replace(f, wanted=AT_LARGE) if f.leg == call.sid else f for f in call.floors)
        call = replace(call, floors=floors)
    effects: list[Effect] = []
    kept: list[Floor] = []
    gone = {leg.sid for leg in call.legs if leg.at is LegAt.GONE}
    for floor in call.floors:
        if floor.leg in gone or (floor.wanted == floor.is_ == AT_LARGE and floor.ordered is None):
            continue
        orders = floor.is_ != floor.wanted and floor.ordered is None and _in_the_room(call, floor.leg)
        if orders:
            effects.append(SetManner(floor.leg, floor.wanted))
        kept.append(replace(floor, ordered=floor.wanted) if orders else floor)
    return replace(call, floors=tuple(kept)), tuple(effects)


def ordered(call: Call, event: MannerSet) -> Decision:
    """The network has answered. What failed may be so all the same: it is looked at, and ordered again."""
    floor = _floor(call, event.leg)
    if floor.ordered != event.manner:
        return call, ()  # the leg has left the room since
    is_ = event.manner if event.done else None
    call = _with_floor(call, replace(floor, is_=is_, ordered=None))
    return call, () if event.done else (Look(),)


def moved(call: Call, leg: CallSid) -> Call:
    """A human's leg has come into the room, or has left it: whatever it was is forgotten by the network."""
    if not any(floor.leg == leg for floor in call.floors):
        return call
    return _with_floor(call, replace(_floor(call, leg), is_=AT_LARGE, ordered=None))


def emptied(call: Call) -> Call:
    """The room is over."""
    return replace(call, floors=tuple(replace(f, is_=AT_LARGE, ordered=None) for f in call.floors))


def _in_the_room(call: Call, leg: CallSid) -> bool:
    if call.room_over or call.ending or call.conference_sid is None:
        return False
    if leg == call.sid:
        return call.caller is CallerAt.ROOM
    return any(known.sid == leg for known in call.here)


def _floor(call: Call, leg: CallSid) -> Floor:
    return next((floor for floor in call.floors if floor.leg == leg), Floor(leg, AT_LARGE))


def _with_floor(call: Call, floor: Floor) -> Call:
    others = tuple(known for known in call.floors if known.leg != floor.leg)
    return replace(call, floors=(*others, floor))
