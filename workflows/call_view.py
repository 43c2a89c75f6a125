"""How a call stands, for whoever looks. Pure."""

from workflows.assistant import Aide, Role, next_step
from workflows.call_state import AT_LARGE, Call, CallerAt, Floor, LegAt
from workflows.messages import AiView, CallView, PersonView
from workflows.room_acts import CALLER
from workflows.values import CallSid


def view_of(call: Call) -> CallView:
    """The call as it stands."""
    ai = call.assistant
    return CallView(
        sid=call.sid,
        line=call.line,
        caller=call.caller,
        caller_number=call.caller_number,
        escalation=call.escalation,
        conference=call.conference,
        conference_sid=call.conference_sid,
        assistant_role=call.wanted.role,
        assistant_leg=ai.sid,
        coaching=ai.coaching if ai.confirmed else None,
        responders=tuple(leg.person.id for leg in call.legs if leg.at is LegAt.ROOM),
        telling=call.telling.kind if call.telling else None,
        ais=tuple(_ai(call, aide) for aide in call.aides if _known(call, aide)),
        people=tuple(_people(call)),
    )


def _known(call: Call, aide: Aide) -> bool:
    wanted = call.wanted_as(aide.post)
    return aide.leg.sid is not None or aide.wish.held or wanted.role is not Role.GONE


def _ai(call: Call, aide: Aide) -> AiView:
    wanted = call.wanted_as(aide.post)
    there = aide.leg.present and aide.step is None and next_step(aide.leg, wanted) is None
    return AiView(aide.post, wanted.role, aide.leg.sid, there, aide.leg.held is True, wanted.languages)


def _people(call: Call) -> list[PersonView]:
    humans = [(str(leg.person.id), leg.sid) for leg in call.here]
    if call.caller is CallerAt.ROOM:
        humans.insert(0, (str(CALLER), call.sid))
    return [_person(who, leg, _floor(call, leg)) for who, leg in humans]


def _floor(call: Call, leg: CallSid) -> Floor:
    return next((floor for floor in call.floors if floor.leg == leg), Floor(leg, AT_LARGE))


def _person(who: str, leg: CallSid, floor: Floor) -> PersonView:
    return PersonView(who, leg, floor.wanted.hold, floor.wanted.muted, floor.is_ == floor.wanted)
