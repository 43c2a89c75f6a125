"""A caller whose number has a case open already: back to it, wherever its owner is. Pure, as `call` is.

Whoever rings again wakes nobody again: they hear how their case stands. Where its owner sits in the room of the
call that was dropped, they come there as a guest, and the room stays that call's.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from workflows.call_news import AttachCall, Effect, Worsened
from workflows.call_state import Call
from workflows.values import CallSid, Case, Severity

VISITORS_AT_MOST = 10
SAME_CASE_WITHIN = timedelta(hours=4)  # who rings again by then is taken to ring about the same

Change = tuple[Call, tuple[Effect, ...]]


def back(call: Call, room: str, at: datetime) -> Change:
    """The caller is with their open case again, in this room; a call without one goes on as it is."""
    open_case = call.open_case
    if open_case is None:
        return call, ()
    known = replace(
        call,
        conference=room,
        guest=room == open_case.room,
        case=call.case or open_case.case,
        escalation=open_case.escalation,
        escalations=max(1, call.escalations),
        told_at=at,
    )
    return known, (AttachCall(open_case.escalation, room),)


def merges(call: Call, case: Case) -> bool:
    """Whether what is reported belongs to the open case: never where it is a matter of life."""
    return call.open_case is not None and case.severity is not Severity.LIFE


def merged(call: Call, case: Case, at: datetime) -> Change:
    """What is reported in the menu joins the open case, and makes it worse where it is."""
    if call.open_case is None:
        return call, ()
    worse = case.severity.rank < call.open_case.case.severity.rank
    call, effects = back(replace(call, case=case if worse else None), call.conference, at)
    return call, (*effects, Worsened(case)) if worse else effects


def nothing_to_come_back_to(call: Call, room: str) -> Call:
    """The case is over: a call like any other, in a room of its own."""
    return replace(
        call, open_case=None, guest=False, case=None, escalation=None, escalations=0, conference=room
    )


def visited(call: Call, sid: CallSid) -> Call:
    """Another call's caller has come into this room."""
    others = tuple(known for known in call.visitors if known != sid)
    return replace(call, visitors=(*others, sid)[-VISITORS_AT_MOST:])


def left(call: Call, sid: CallSid) -> Call:
    """… and has left it."""
    return replace(call, visitors=tuple(known for known in call.visitors if known != sid))
