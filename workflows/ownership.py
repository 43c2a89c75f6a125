"""Whose it is: what people's acts do, and the owner's way into the room and out of it.

Pure; who may call what is in `ladder`.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from workflows import pages as pg
from workflows.climbing import consider_rung, reopen, start_rung
from workflows.emergency import (
    ACTS_REMEMBERED,
    LEGS_REMEMBERED,
    AlertOperator,
    AskOwner,
    Caller,
    CallIn,
    Decision,
    DismissAssistant,
    Escalation,
    Owner,
    Phase,
    ResponderJoined,
    Seat,
    Withdraw,
    tell,
    with_pages,
)
from workflows.pages import ON_ITS_WAY, Page, Standing, planned
from workflows.values import (
    Act,
    ActId,
    ActKind,
    ActReply,
    CallSid,
    Channel,
    PageId,
    PersonId,
    Responder,
    Verdict,
    Via,
)

JOIN_AGAIN_S = 5.0  # an owner whose phone was engaged is tried again so soon: a caller waits for them


def acted(state: Escalation, act: Act, at: datetime) -> Decision:
    """A person's act; a repeat of the same act gets the same reply and does nothing."""
    for act_id, reply in state.replies:
        if act_id == act.id:
            return Decision(state, reply=reply)
    decision = _judged(state, act, at)
    if decision.reply is None:
        return decision
    replies = (*decision.state.replies, (act.id, decision.reply))[-ACTS_REMEMBERED:]
    return replace(decision, state=replace(decision.state, replies=replies))


def _judged(state: Escalation, act: Act, at: datetime) -> Decision:
    if state.over:
        return _refused(state, Verdict.OVER, f"This case is already {state.phase}. Thank you.")
    person = next((p for p in state.ladder.people if p.id == act.by), None)
    page = state.page(act.page)
    if act.page is not None and (page is None or page.responder.id != act.by):
        return _refused(state, Verdict.REFUSED, "That page is not one of this case's.")
    if act.via is Via.TEXT and (page is None or act.code != page.code):
        return _refused(state, Verdict.REFUSED, "That code does not belong to an open page of yours.")
    match act.kind:
        case ActKind.ACKNOWLEDGE if person is not None:
            return _acknowledged(state, act, person, at)
        case ActKind.ACKNOWLEDGE:
            return _refused(state, Verdict.REFUSED, f"Nobody called {act.by} is on this case's ladder.")
        case ActKind.DECLINE:
            return _declined(state, act, at)
        case ActKind.RESOLVE if state.owner is None:
            return _refused(state, Verdict.REFUSED, "Nobody has taken this case yet: acknowledge it first.")
        case ActKind.RESOLVE:
            return _closed(state, Phase.RESOLVED, act, at)
        case ActKind.CANCEL:
            return _closed(state, Phase.CANCELLED, act, at)


def _acknowledged(state: Escalation, act: Act, person: Responder, at: datetime) -> Decision:
    owner = state.owner
    if owner is not None and owner.responder.id != person.id:
        return Decision(state, reply=_taken(owner))
    if owner is not None and (act.leg is None or state.phase is Phase.ATTENDED):
        return Decision(state, reply=_yours(state))
    taken_back = [replace(p, declined=False) for p in state.pages if p.responder.id == person.id]
    state = replace(
        with_pages(state, taken_back),  # who takes it after all has not said "not me"
        owner=Owner(person, act.via, act.id, act.page, act.pressed_at or at, act.leg),
        since=at,
        deadline=None,
        ring_again_at=None,
        next_round_at=None,
        alerts=0,
        asked=0,
    )
    # Without a leg and with nobody to join, the winner's own phone need not ring any further either.
    spared = None if act.leg is None and not state.waiting else person.id
    others = tuple({p.responder.id: None for p in state.pages if p.responder.id != spared})
    won = Decision(state, (Withdraw(others, person.name),) if others else (), _yours(state))
    return won.then(lambda s: _connect(s, at)).then(lambda s: tell(s, "taken", name=person.name))


def _connect(state: Escalation, at: datetime) -> Decision:
    """Bring the owner into the room where somebody waits: by the leg they pressed on, or by a join call."""
    owner = state.owner
    assert owner is not None, "only an owner can be connected"  # noqa: S101
    state = replace(state, ring_again_at=None)
    if not state.waiting:
        return Decision(replace(state, phase=Phase.ACKNOWLEDGED, since=at))
    caller = state.waiting[0]
    if owner.leg is not None:
        connecting = replace(state, phase=Phase.CONNECTING, since=at)
        return Decision(connecting, (Seat(caller.call, owner.responder, owner.leg),))
    page = planned(
        PageId(f"{state.id}.{len(state.pages) + 1}"),
        replace(owner.responder, text_to=None, push=()),
        rung=pg.WAY_IN,
        round_=state.round,
        seed=state.seed,
        at=at,
    )
    owner = replace(owner, page=page.id)
    state = replace(state, phase=Phase.ACKNOWLEDGED, since=at, owner=owner, pages=(*state.pages, page))
    if page.responder.phone is None:
        reason = f"{owner.responder.name} took {state.id} but has no phone to join the caller with"
        return Decision(replace(state, phase=Phase.CONNECTING), (AlertOperator(reason),))
    return Decision(state, (CallIn(page, caller.conference),))


def _declined(state: Escalation, act: Act, at: datetime) -> Decision:
    reply = ActReply(Verdict.DECLINED, "All right. It goes on without you.")
    theirs = [replace(p, declined=True) for p in state.pages if p.responder.id == act.by]
    if state.owner is not None and state.owner.responder.id == act.by:
        released = with_pages(replace(state, owner=None, asked=0, round_since=at), theirs)
        return (
            Decision(released, (Withdraw((act.by,), None),), reply)
            .then(lambda s: tell(s, "reopened"))
            .then(lambda s: start_rung(s, at))
        )
    if not theirs:
        return _refused(state, Verdict.REFUSED, "You were not paged for this case.")
    if state.owner is not None:
        reply = replace(reply, sentence=f"All right. {state.owner.responder.name} has it.")
    state = with_pages(state, theirs)
    return Decision(state, (Withdraw((act.by,), None),), reply).then(lambda s: consider_rung(s, at))


def _closed(state: Escalation, phase: Phase, act: Act, at: datetime) -> Decision:
    resolved = phase is Phase.RESOLVED
    paged = tuple({p.responder.id: None for p in state.pages})
    effects = (
        *((Withdraw(paged, state.owner.responder.name if state.owner else None),) if paged else ()),
        *(DismissAssistant(caller.call) for caller in state.callers),
    )
    in_the_room = " The assistant leaves; you can talk on." if state.phase is Phase.ATTENDED else ""
    reply = ActReply(
        Verdict.RESOLVED if resolved else Verdict.CANCELLED,
        f"Resolved.{in_the_room}" if resolved else "Cancelled. Nobody else is rung.",
    )
    # Whoever is in a room with the owner hears it from them; whoever still waits alone, from us.
    told = Decision(state) if resolved and state.phase is Phase.ATTENDED else tell(state, "over")
    return told.then(
        lambda s: Decision(replace(s, phase=phase, since=at, outcome_note=act.note), effects, reply)
    )


def _refused(state: Escalation, verdict: Verdict, sentence: str) -> Decision:
    return Decision(state, reply=ActReply(verdict, sentence))


def _taken(owner: Owner) -> ActReply:
    return ActReply(Verdict.TAKEN, f"{owner.responder.name} has it. Thank you.", owner=owner.responder.name)


def _yours(state: Escalation) -> ActReply:
    room = state.waiting[0].conference if state.waiting else None
    name = state.owner.responder.name if state.owner else None
    sentence = (
        "You have it. The caller is on the line." if room else "You have it. Nobody is waiting on the line."
    )
    can_ring = room is None and state.case.contact is not None
    return ActReply(Verdict.YOURS, sentence, owner=name, conference=room, can_ring=can_ring)


# Callers and rooms


def caller_attached(state: Escalation, call: CallSid, conference: str, at: datetime) -> Decision:
    if any((caller.call, caller.conference) == (call, conference) for caller in state.callers):
        return Decision(state)  # told again: a call that is gone does not come back under its old SID
    others = tuple(caller for caller in state.callers if caller.call != call)
    alone = not any(caller.waiting for caller in others)
    state = replace(state, callers=(*others, Caller(call, conference)))
    if state.owner is None or not alone or state.phase not in {Phase.ACKNOWLEDGED, Phase.FOLLOWING_UP}:
        return _tell_where_it_stands(state, call)
    # Somebody waits again, and there is an owner to bring; the leg they once pressed a key on goes elsewhere.
    brought = _connect(replace(state, owner=replace(state.owner, leg=None), alerts=0, asked=0), at)
    return brought.then(lambda s: _tell_where_it_stands(s, call))


def _tell_where_it_stands(state: Escalation, call: CallSid) -> Decision:
    """What a caller who has just come hears of the case."""
    rung = state.position + 1
    match state.phase:
        case Phase.PAGING:
            return tell(state, "ringing" if state.deadline else "placing", rung=rung, only=call)
        case Phase.EXHAUSTED:
            return tell(state, "exhausted", until=state.next_round_at, only=call)
        case Phase.ACKNOWLEDGED | Phase.CONNECTING if state.owner is not None:
            return tell(state, "taken", name=state.owner.responder.name, only=call)
        case _:
            return Decision(state)  # whoever is in the room says it


def caller_gone(state: Escalation, call: CallSid, at: datetime) -> Decision:
    """Off the line, not out of the chase: it becomes a call-back."""
    callers = tuple(replace(c, waiting=False) if c.call == call else c for c in state.callers)
    state = replace(state, callers=callers)
    if state.waiting or state.phase not in {Phase.CONNECTING, Phase.ACKNOWLEDGED}:
        return Decision(state)
    return Decision(replace(state, phase=Phase.ACKNOWLEDGED, since=at, alerts=0))


def joined(state: Escalation, news: ResponderJoined) -> Decision:
    owner, person, leg, at = state.owner, news.person, news.leg, news.at
    if leg in state.legs_gone:
        return Decision(state)  # told late: that leg has left since
    if owner is not None and owner.responder.id != person:
        return Decision(state)  # a second human in the room; the owner stays
    if owner is None:  # seated while we could not confirm: being there is the acknowledgement
        responder = next((p for p in state.ladder.people if p.id == person), None)
        if responder is None:
            return Decision(state)
        act = Act(ActKind.ACKNOWLEDGE, ActId(f"joined:{leg}"), person, Via.JOINED, leg=leg, pressed_at=at)
        return _acknowledged(state, act, responder, at).then(lambda s: joined(s, news))
    was_there = state.phase is Phase.ATTENDED
    owner = replace(owner, leg=leg, room=news.room)
    state = replace(state, phase=Phase.ATTENDED, owner=owner, since=at, asked=0, alerts=0)
    return Decision(state) if was_there else tell(state, "joining", name=owner.responder.name)


def left(state: Escalation, person: PersonId, leg: CallSid, at: datetime) -> Decision:
    """The owner dropped: rung back first while a caller waits, followed up otherwise."""
    gone = tuple(dict.fromkeys((*state.legs_gone, leg)))
    state = replace(state, legs_gone=gone[-LEGS_REMEMBERED:])
    owner = state.owner
    in_room = state.phase in {Phase.CONNECTING, Phase.ATTENDED}
    if owner is None or owner.responder.id != person or owner.leg != leg or not in_room:
        return Decision(state)
    state = replace(state, owner=replace(owner, leg=None), asked=0)
    if not state.waiting:
        return Decision(replace(state, phase=Phase.FOLLOWING_UP, since=at))
    return _connect(state, at).then(lambda s: tell(s, "taken", name=owner.responder.name))


def way_in_moved(state: Escalation, page: Page, at: datetime) -> Decision:
    """The owner's join call: its clock starts at its submission; refused for good, the ladder goes on.

    Engaged, not picked up or hung up, it is placed again until that clock has run out.
    """
    coming = state.phase in {Phase.ACKNOWLEDGED, Phase.CONNECTING}
    owner, standing = state.owner, page.voice.standing
    if not coming or owner is None or page.id != owner.page:
        return Decision(state)
    if standing is Standing.FAILED:
        return reopen(state, at)
    if standing not in ON_ITS_WAY:
        return Decision(state)
    if state.phase is Phase.ACKNOWLEDGED:
        state = replace(state, phase=Phase.CONNECTING, since=page.voice.at or at)
    if standing is Standing.UNANSWERED and owner.leg is None:
        state = replace(state, ring_again_at=at + timedelta(seconds=JOIN_AGAIN_S))
    return Decision(state)


def is_the_way_in(state: Escalation, call: str | None) -> bool:
    """On this call the owner pressed their key, and they are not in the room yet."""
    leg = state.owner.leg if state.owner else None
    return state.phase is Phase.CONNECTING and leg is not None and leg == call


def call_in_again(state: Escalation, at: datetime) -> Decision:
    state = replace(state, ring_again_at=None)
    page = state.page(state.owner.page) if state.owner else None
    if page is None or not state.waiting:
        return Decision(state)
    again = pg.rung_again(page, at)
    return Decision(with_pages(state, [again]), (CallIn(again, state.waiting[0].conference),))


def ask_owner(state: Escalation) -> Decision:
    owner = state.owner
    page = state.page(owner.page) if owner else None
    if page is None and owner is not None:
        page = next((p for p in reversed(state.pages) if p.responder.id == owner.responder.id), None)
    if page is None or owner is None or not {Channel.TEXT, Channel.PUSH} & {*owner.responder.channels}:
        return Decision(
            state, (AlertOperator(f"the owner of {state.id} cannot be asked: no text or push to them"),)
        )
    return Decision(state, (AskOwner(replace(page, responder=owner.responder)),))
