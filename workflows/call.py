"""What a call decides: the room, the legs in it, and when the call is closed.

No Temporal, no network, no clock. Knows of its escalation only that it exists and what to tell the caller;
who is paged is `ladder`'s business, what the AIs' legs do is `aides`', what people may do to the room is `floor`'s.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from workflows import aides, answering, floor, returning
from workflows.assistant import Role
from workflows.call_news import (
    Acted,
    Announce,
    AnnouncementEnded,
    BridgeAttached,
    BridgeDetached,
    CallerEnded,
    CaseHeard,
    CaseOver,
    DeliverMessage,
    Dismissed,
    Due,
    Effect,
    EmergencyCalled,
    EndRoom,
    Event,
    FoundFailedOver,
    Joined,
    Left,
    LegEnded,
    Look,
    Looked,
    MannerSet,
    MessageLeft,
    RemoveLeg,
    ReportCallerGone,
    Reported,
    ReportJoined,
    ReportLeft,
    Returned,
    RoomEnded,
    SayFact,
    SeatExpected,
    StartEscalation,
    StayedSilent,
    StepDone,
    StepFailed,
    SteppedOut,
    StreamEnded,
    Told,
)
from workflows.call_state import Call, CallerAt, Closing, LegAt, ResponderLeg, TellsBy
from workflows.labels import assistant_label, is_assistant_label, is_caller
from workflows.values import (
    CallSid,
    Case,
    ConferenceSid,
    EscalationId,
    Fact,
    Responder,
)

LOOK_S = 30.0  # how often the telephone network is asked what is true, while nothing is said to be wrong
EXPECTED_S = (
    8.0  # from a report or a key to the room: a sentence, and the network's pace; then look whether it is so
)
LEAVE_GRACE_S = 3.0  # a leg that left the room hung up or is in the menu: its <Dial action> says which
BRIEF_S = (
    12.0  # from a responder's coming: a brief takes ten at most, and one that does not come is not waited for
)
ANNOUNCEMENT_S = 20.0  # an announcement whose end was never told is over by then
_OF_RINGING = frozenset({"placing", "ringing", "next", "still_ringing"})  # true until something else happens
STILL_RINGING_S = 25.0  # longer feels forgotten; 30 would end with the rung: two sentences at once
LEGS_UNANNOUNCED = 10  # a leg may enter the room before its seat is announced
ROOMS_REMEMBERED = 10  # a room collapses now and then; its last news is seconds late, not hours
NAMES_REMEMBERED = 50
FACTS_WAITING = 4  # older news is no news: the caller hears the latest
NOBODY_SPOKE = "somebody rang and did not speak. Please ring them back once:"


Decision = tuple[Call, tuple[Effect, ...]]


def decide(call: Call, event: Event) -> Decision:
    """Return the call's next state and what must now be done: what the news asks for, then what follows."""
    call, effects = _heard(call, event)
    call, following = _settled(answering.settled(call, event.at), event.at)
    return answering.settled(call, event.at), (*effects, *following)


def due_at(call: Call) -> datetime:
    """When to act if nothing is heard: a live call is never left alone for longer than a look."""
    due = [_look_at(call)]
    due += answering.due(call)
    if call.telling is not None and call.told_at is not None:
        due.append(call.told_at + timedelta(seconds=ANNOUNCEMENT_S))
    elif _wants_reassurance(call) and call.told_at is not None:
        due.append(call.told_at + timedelta(seconds=STILL_RINGING_S))
    due += [leg.since + timedelta(seconds=LEAVE_GRACE_S) for leg in call.legs if leg.at is LegAt.LEFT]
    due += [leg.since + timedelta(seconds=BRIEF_S) for leg in call.unbriefed]
    return min(due)


def _look_at(call: Call) -> datetime:
    """When to look next: sooner than usual, once, for whoever should be in the room by then."""
    expected = [leg.since for leg in call.legs if leg.at is LegAt.EXPECTED]
    if call.caller is CallerAt.MENU and call.escalation is not None and call.told_at is not None:
        expected.append(call.told_at)
    late = [since + timedelta(seconds=EXPECTED_S) for since in expected]
    return min([call.looked_at + timedelta(seconds=LOOK_S), *(at for at in late if at > call.looked_at)])


def _heard(call: Call, event: Event) -> Decision:
    match event:
        case Reported(case, at):
            return _reported(call, case, at)
        case Returned(room, at):
            return returning.back(call, room, at)
        case CaseOver(room, _):
            return returning.nothing_to_come_back_to(call, room), ()
        case EmergencyCalled():
            kept = tuple(fact for fact in call.to_tell if fact.kind != "danger")
            return replace(call, emergency_called=True, to_tell=kept), ()
        case MessageLeft(recording, seconds, _):
            return replace(call, message_taken=True), (DeliverMessage(recording, seconds),)
        case CaseHeard():
            return replace(call, handled=True), ()
        case StayedSilent():
            return replace(call, silent=True), ()
        case FoundFailedOver():
            return replace(call, failed_over=True), ()
        case Joined(conference, sid, label, at):
            return _joined(call, conference, sid, label, at)
        case Left(conference, sid, at):
            return (call, ()) if _other_room(call, conference) else _left(call, sid, at)
        case RoomEnded(conference, at):
            if _other_room(call, conference):
                return call, ()
            return _empty(_finished(replace(call, conference_sid=conference, room_over=True), conference), at)
        case CallerEnded(at):
            return _caller_gone(call, at)
        case SteppedOut(sid, at):
            return _leg_moved(call, sid, LegAt.MENU, at)
        case LegEnded(sid, at):
            aide = aides.of_leg(call, sid)
            return _leg_moved(call, sid, LegAt.GONE, at) if aide is None else (aides.ended(call, aide), ())
        case Told(fact, _):
            return _to_tell(call, fact)
        case AnnouncementEnded():
            return replace(call, telling=None), ()
        case SeatExpected(person, sid, at):
            return _seat_expected(call, person, sid, at)
        case Dismissed():
            return replace(
                call, resolved=True, to_tell=tuple(f for f in call.to_tell if f.kind == "over")
            ), ()
        case StepDone() | StepFailed():
            return aides.stepped(call, event)
        case BridgeAttached():
            return aides.attached(call, event), ()
        case BridgeDetached():
            return aides.detached(call, event), ()
        case StreamEnded():
            return aides.stream_ended(call, event), ()
        case Acted():
            return floor.acted(call, event)
        case MannerSet():
            return floor.ordered(call, event)
        case Looked():
            return _looked(call, event)
        case Due(at):
            call, effects = _due(call, at)
            call, more = _followed(answering.fell_due(call, at))
            return call, (*effects, *more)
        case _:
            return _followed(answering.heard(call, event))


def _followed(change: answering.Change) -> Decision:
    """A change of the conversation, with what is to be decided because of it."""
    call, effects, events = change
    for event in events:
        call, more = _heard(call, event)
        effects = (*effects, *more)
    return call, effects


def _settled(call: Call, at: datetime) -> Decision:
    """What follows from the state itself, whatever the news was."""
    effects: list[Effect] = []
    if not call.ending and not call.guest and _nobody_left_to_serve(call):
        call = replace(call, ending=True, to_tell=())
        legs = [leg.sid for leg in call.legs if leg.at is not LegAt.GONE]
        effects.append(EndRoom((*legs, *aides.legs(call))))
        call = replace(call, aides=tuple(replace(aide, stale_legs=()) for aide in call.aides))
    call, more = floor.settled(call)
    effects += more
    call, more = aides.settled(call)
    effects += more
    if call.wanted.role is Role.COACH:
        call = _without_news_of_ringing(call)
    in_room = call.caller is CallerAt.ROOM and call.conference_sid is not None and not call.room_over
    hears = not call.held(call.sid) or any(fact.kind == "danger" for fact in call.to_tell[:1])
    if call.telling is None and call.to_tell and in_room and hears:
        fact, *rest = call.to_tell
        by_ai = call.attended and fact.kind != "danger"
        told_by = TellsBy.ASSISTANT if by_ai else TellsBy.ANNOUNCEMENT
        call = replace(call, telling=fact, told_at=at, told_by=told_by, to_tell=tuple(rest))
        effects.append(SayFact(fact) if by_ai else Announce(call.sid, fact))
    return call, tuple(effects)


def _without_news_of_ringing(call: Call) -> Call:
    """Whoever was rung is there to be heard. What is being announced is heard to its end; the AI was cut off in it."""
    void = {*_OF_RINGING, "taken"}
    call = replace(call, to_tell=tuple(fact for fact in call.to_tell if fact.kind not in void))
    if call.telling is None or call.telling.kind not in void or call.told_by is TellsBy.ANNOUNCEMENT:
        return call
    return replace(call, telling=None)


def _nobody_left_to_serve(call: Call) -> bool:
    on = {LegAt.EXPECTED, LegAt.ROOM, LegAt.LEFT, LegAt.MENU}
    responders = any(leg.at in on for leg in call.legs)
    if call.caller is CallerAt.GONE:
        return not responders and (not call.visitors or call.resolved)
    return (
        call.caller is CallerAt.ROOM
        and call.resolved
        and not responders
        and not call.telling
        and not call.to_tell
    )


def _reported(call: Call, case: Case, at: datetime) -> Decision:
    if call.escalation is not None and not call.resolved:
        return call, ()  # the same emergency, said twice
    if returning.merges(call, case):
        return returning.merged(call, case, at)
    nth = call.escalations + 1
    escalation = EscalationId(f"escalation-{call.sid}" if nth == 1 else f"escalation-{call.sid}-{nth}")
    call = replace(call, case=case, escalation=escalation, escalations=nth, resolved=False, told_at=at)
    started = StartEscalation(escalation, case)
    if call.caller is CallerAt.GONE:  # hung up in the same breath
        return call, (started, ReportCallerGone())
    return call, (started,)


def _other_room(call: Call, conference: ConferenceSid) -> bool:
    """A finished name silently opens a new room: its news is not ours."""
    return call.conference_sid is not None and call.conference_sid != conference


def _joined(call: Call, conference: ConferenceSid, sid: CallSid, label: str, at: datetime) -> Decision:
    if conference in call.finished_rooms:
        return call, ()  # a straggler
    if call.room_over or _other_room(call, conference):
        if call.caller is CallerAt.GONE:
            return call, (RemoveLeg(sid),)  # an orphan in a room nobody else will enter
        old = call.conference_sid
        call = replace(call, room_over=False)  # the caller's room collapsed and was entered anew
        call = _finished(call, old) if old is not None and old != conference else call
    call = replace(call, conference_sid=conference)
    if sid == call.sid:
        here = floor.moved(replace(call, caller=CallerAt.ROOM, away=None, away_since=None), sid)
        return (here if call.caller is not CallerAt.GONE else call), ()
    if is_assistant_label(call.sid, label):
        return aides.joined(call, sid, label)
    if is_caller(label):
        return returning.visited(call, sid), ()
    leg = next((leg for leg in call.legs if leg.sid == sid), None)
    if leg is None:  # nobody announced it, yet: the telephone network may be faster than the escalation
        others = tuple(known for known in call.unannounced if known != sid)
        return replace(call, unannounced=(*others, sid)[-LEGS_UNANNOUNCED:]), ()
    legs = _with_leg(call, replace(leg, at=LegAt.ROOM, since=at, told_left=False))
    return floor.moved(replace(call, legs=legs), sid), (ReportJoined(leg.person.id, sid),)


def _seat_expected(call: Call, person: Responder, sid: CallSid, at: datetime) -> Decision:
    if any(leg.sid == sid for leg in call.legs):
        return call, ()
    if sid in call.unannounced:
        leg = ResponderLeg(person, sid, LegAt.ROOM, at)
        call = _forgotten(replace(call, legs=(*call.legs, leg)), sid)
        return call, (ReportJoined(person.id, sid),)
    return replace(call, legs=(*call.legs, ResponderLeg(person, sid, LegAt.EXPECTED, at))), ()


def _forgotten(call: Call, sid: CallSid) -> Call:
    return replace(call, unannounced=tuple(leg for leg in call.unannounced if leg != sid))


def _finished(call: Call, conference: ConferenceSid) -> Call:
    """A room that is over never lives again: a later one of its name has another SID."""
    others = tuple(room for room in call.finished_rooms if room != conference)
    return replace(call, finished_rooms=(*others, conference)[-ROOMS_REMEMBERED:])


def _left(call: Call, sid: CallSid, at: datetime) -> Decision:
    if sid == call.sid:
        return floor.moved(call, sid), ()  # their own <Dial action> or call status says whether they hung up
    if (aide := aides.of_leg(call, sid)) is not None:
        return aides.lost(call, aide), ()
    leg = next((leg for leg in call.legs if leg.sid == sid), None)
    if leg is None or leg.at is not LegAt.ROOM:
        return returning.left(_forgotten(call, sid), sid), ()
    left = replace(call, legs=_with_leg(call, replace(leg, at=LegAt.LEFT, since=at)))
    return floor.moved(left, sid), ()


def _leg_moved(call: Call, sid: CallSid, to: LegAt, at: datetime) -> Decision:
    leg = next((leg for leg in call.legs if leg.sid == sid), None)
    if leg is None or leg.at in {LegAt.GONE, to}:
        return call, ()
    gone = to is LegAt.GONE
    report = (ReportLeft(leg.person.id, sid),) if gone and not leg.told_left else ()
    moved = replace(leg, at=to, since=at, told_left=leg.told_left or gone)
    return replace(call, legs=_with_leg(call, moved)), report


def _caller_gone(call: Call, at: datetime) -> Decision:
    if call.caller is CallerAt.GONE:
        return call, ()
    call = replace(call, caller=CallerAt.GONE, to_tell=(), telling=None)
    broke_off = answering.hung_up(call, at)
    if broke_off[2]:
        return _followed(broke_off)
    if call.escalation:
        return call, (ReportCallerGone(),)
    reachable = call.caller_number.startswith("+")
    if call.silent and reachable and call.closing is Closing.ABANDONED:
        return call, (DeliverMessage("", 0, f"{NOBODY_SPOKE} {call.caller_number}"),)
    return call, ()


def _empty(call: Call, at: datetime) -> Decision:
    """The room is over: whoever was in it has left it, the AI's leg is gone with it, unless it is yet to come."""
    legs = tuple(replace(leg, at=LegAt.LEFT, since=at) if leg.at is LegAt.ROOM else leg for leg in call.legs)
    return aides.emptied(floor.emptied(replace(call, legs=legs, unannounced=(), visitors=()))), ()


def _to_tell(call: Call, fact: Fact) -> Decision:
    if fact.kind == "danger" and call.emergency_called:
        return call, ()
    if call.caller is CallerAt.GONE:
        return call, ()
    if any(
        known is not None and known.id == fact.id for known in (call.telling, call.last_state, *call.to_tell)
    ):
        return call, ()  # told twice
    kept = tuple(known for known in call.to_tell if not _overtaken(known, fact))
    state = call.last_state if fact.kind == "danger" else fact
    names = (
        (*call.names_told, fact.name) if fact.name and fact.name not in call.names_told else call.names_told
    )
    call = replace(call, names_told=names[-NAMES_REMEMBERED:])
    return replace(call, to_tell=(*kept, fact)[-FACTS_WAITING:], last_state=state), ()


def _overtaken(known: Fact, by: Fact) -> bool:
    """Whether nobody is helped by hearing what was true before this."""
    return by.kind != "danger" and (
        known.kind in _OF_RINGING or (known.kind == "taken" and by.kind == "joining")
    )


def _wants_reassurance(call: Call) -> bool:
    ringing = call.last_state is not None and call.last_state.kind in {
        "placing",
        "ringing",
        "next",
        "reopened",
    }
    return ringing and call.caller is CallerAt.ROOM and not call.room_over and not call.resolved


def _reassurance_due(call: Call, at: datetime) -> bool:
    heard = call.told_at
    return _wants_reassurance(call) and heard is not None and heard + timedelta(seconds=STILL_RINGING_S) <= at


def _looked(call: Call, seen: Looked) -> Decision:
    """What the network says is true beats what callbacks told or failed to tell."""
    effects: list[Effect] = []
    call = replace(call, looked_at=seen.at)
    events: list[Event] = []
    here = dict(seen.present)
    if seen.conference is not None:
        events += [
            Joined(seen.conference, sid, label, seen.at)
            for sid, label in seen.present
            if _unseen(call, sid, label)
        ]
        absent = [leg.sid for leg in call.legs if leg.at is LegAt.ROOM and leg.sid not in here]
        absent += [sid for sid in call.visitors if sid not in here]
        ais = [aide.leg for aide in call.aides]
        absent += [ai.sid for ai in ais if ai.present and ai.sid is not None and ai.sid not in here]
        events += [Left(seen.conference, sid, seen.at) for sid in absent]
        if seen.room_over:
            events.append(RoomEnded(seen.conference, seen.at))
    events += [LegEnded(sid, seen.at) for sid in seen.ended if sid != call.sid]
    if call.sid in seen.ended:
        events.append(CallerEnded(seen.at))
    for aide in call.aides:
        if aide.leg.sid in seen.ended:
            call = aides.ended(call, aide)
    for event in events:
        call, more = _heard(call, event)
        effects += more
    return call, tuple(effects)


def _unseen(call: Call, sid: CallSid, label: str) -> bool:
    """In the room by the network's word, not by ours."""
    if sid == call.sid:
        return call.caller is CallerAt.MENU
    for aide in call.aides:
        if sid == aide.leg.sid or label == assistant_label(call.sid, aide.leg.generation, aide.post):
            return not aide.leg.present
    return not any(leg.sid == sid and leg.at is LegAt.ROOM for leg in call.legs)


def _due(call: Call, at: datetime) -> Decision:
    effects: list[Effect] = []
    for leg in call.legs:
        if leg.at is LegAt.LEFT and leg.since + timedelta(seconds=LEAVE_GRACE_S) <= at:
            call, report = _leg_moved(call, leg.sid, LegAt.GONE, at)
            effects += report
    for leg in call.unbriefed:
        if leg.since + timedelta(seconds=BRIEF_S) <= at:
            call = replace(call, legs=_with_leg(call, replace(leg, briefed=True)))
    told = call.told_at
    telling = call.telling
    if telling is not None and told is not None:
        if call.told_by is TellsBy.ASSISTANT and told + timedelta(seconds=answering.AI_TELLS_S) <= at:
            call = replace(call, told_by=TellsBy.ANNOUNCEMENT, told_at=at)
            effects.append(Announce(call.sid, telling))
        elif told + timedelta(seconds=ANNOUNCEMENT_S) <= at:
            call = replace(call, telling=None)
    if _reassurance_due(call, at) and call.last_state is not None:
        still = replace(call.last_state, kind="still_ringing", id=f"{call.last_state.id}+{at:%H%M%S}")
        call = replace(call, to_tell=(*call.to_tell, still)[-FACTS_WAITING:], told_at=at)
    if _look_at(call) <= at:
        call = replace(call, looked_at=at)
        effects.append(Look())
    return call, tuple(effects)


def _with_leg(call: Call, leg: ResponderLeg) -> tuple[ResponderLeg, ...]:
    return tuple(leg if known.sid == leg.sid else known for known in call.legs)
