"""What the AI may ask for: each tool's arguments, and for which role. Parsing only; what follows is `talk`'s.

Acts in a human's name (`set_eta`, `resolve`, `assign`, `call_in`) are proposals: a person confirms them by key,
SMS or console.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from workflows.agents import Speech
from workflows.assistant import Role
from workflows.values import Severity
from workflows.voice import Tool

Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)]
SaidWords = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class ToolRefusedError(Exception):
    """Why a tool call cannot be done, in words for the model."""


class Use(BaseModel):
    """A tool call that was understood. tool: its name; roles: in which the AI has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    tool: ClassVar[str]
    what: ClassVar[str]
    roles: ClassVar[frozenset[Role]]


class _Answering(Use):
    roles = frozenset({Role.ANSWERING})


class _Coaching(Use):
    roles = frozenset({Role.COACH})


class Escalate(_Answering):
    """An emergency, as the caller described it."""

    tool = "escalate"
    what = (
        "Wake the people on duty. Call it as soon as you know what has happened and where; at once, with what you"
        " know, when life is in danger, when a child is calling, or when the caller cannot answer questions."
    )
    category: SaidWords
    severity: Severity
    reason: SaidWords
    place: Words = ""
    call_back: Words = ""


class KnownIncidents(_Answering):
    """Whether something like it is open already."""

    tool = "known_incidents"
    what = "Find out whether a like emergency is already being dealt with: its kind and state, nobody's name."
    category: Words = ""


class TakeMessage(_Answering):
    """A message for the day."""

    tool = "take_message"
    what = "Take a message for something that can wait. Read it back to the caller first."
    text: SaidWords
    name: Words = ""
    call_back: Words = ""


class SetContact(_Answering):
    """How the caller can be reached."""

    tool = "set_contact"
    what = "Keep the number under which the caller can be called back, after you have read it back to them."
    call_back: SaidWords
    name: Words = ""


class AskForKeys(_Answering):
    """Digits by the telephone's keys."""

    tool = "ask_for_keys"
    what = (
        "Let the caller press digits on their telephone, when you have not understood a number or an address"
        " twice. They leave this conversation for some seconds and come back to it."
    )
    purpose: Literal["place", "call_back", "yes_or_no"]


class NotUnderstood(_Answering):
    """The caller could not be understood, or speaks another language."""

    tool = "not_understood"
    what = (
        "Call it each time you could not make out what the caller said, and when they speak another language than"
        " you. language: theirs, in English, if you know it. You are told how to go on."
    )
    language: Words = ""


class EmergencyCalled(_Answering):
    """The caller has dialled the emergency number."""

    tool = "emergency_called"
    what = "The caller says that they, or somebody with them, have called the emergency number."


class EndCall(_Answering):
    """The conversation is over."""

    tool = "end_call"
    what = "End the call once the caller has said goodbye. Refused while people are being woken for them."
    reason: Words = ""


class HandOver(Use):
    """Another agent goes on with this conversation."""

    tool = "hand_over"
    what = "Let another agent of this line go on with this conversation; it knows all that was said."
    roles = frozenset({Role.ANSWERING, Role.COACH})
    agent: SaidWords
    reason: Words = ""


class Brief(_Coaching):
    """The facts of the case."""

    tool = "brief"
    what = "Get the facts of this case for the person you coach: what, where, since when, call-back number."


class Note(Use):
    """Something to be kept with the case."""

    tool = "note"
    roles = frozenset({Role.COACH, Role.NOTES})
    what = "Keep a note with the case: a measure taken, a reading, an arrangement made."
    text: SaidWords


class LookUp(_Coaching):
    """Something that was said before."""

    tool = "look_up"
    what = "Find what was said earlier in this call about something."
    question: SaidWords


class SetEta(_Coaching):
    """A proposal: when they will be there."""

    tool = "set_eta"
    what = "The person you coach says when they will be there. They confirm it themselves."
    minutes: Annotated[int, Field(ge=1, le=600)]


class Resolve(_Coaching):
    """A proposal: it is resolved."""

    tool = "resolve"
    what = "The person you coach says that the case is resolved. They confirm it themselves."
    outcome: Words = ""


class Assign(_Coaching):
    """A proposal: somebody else shall have it."""

    tool = "assign"
    what = "The person you coach wants somebody else to take the case. They confirm it themselves."
    person: SaidWords


class CallIn(_Coaching):
    """A proposal: somebody else shall join."""

    tool = "call_in"
    what = "The person you coach wants a second person in this call. They confirm it themselves."
    person: SaidWords


TOOLS: Mapping[str, type[Use]] = {
    use.tool: use
    for use in (
        Escalate,
        KnownIncidents,
        TakeMessage,
        SetContact,
        AskForKeys,
        NotUnderstood,
        EmergencyCalled,
        HandOver,
        EndCall,
        Brief,
        Note,
        LookUp,
        SetEta,
        Resolve,
        Assign,
        CallIn,
    )
}
ALWAYS = frozenset(
    {"escalate", "emergency_called", "not_understood"}
)  # no configuration takes these from an agent


def offered(speech: Speech, agent: str, role: Role) -> tuple[Tool, ...]:
    """The tools of this agent in this role, as the model is told of them."""
    mine = speech.agent(next((one.id for one in speech.agents if one.id == agent), None))
    chosen = [
        use
        for use in TOOLS.values()
        if role in use.roles
        and (not mine.tools or use.tool in mine.tools or use.tool in ALWAYS or role is Role.NOTES)
    ]
    if not mine.hands_over_to:
        chosen = [use for use in chosen if use is not HandOver]
    enums: dict[tuple[str, str], list[str]] = {
        ("escalate", "category"): [kind.name for kind in speech.kinds],
        ("hand_over", "agent"): [str(agent) for agent in mine.hands_over_to],
    }
    return tuple(Tool(use.tool, use.what, json.dumps(_schema(use, enums))) for use in chosen)


def understood(name: str, arguments: str, role: Role) -> Use:
    """The tool call, typed. Raises ToolRefusedError with what the model must do better."""
    use = TOOLS.get(name)
    if use is None or role not in use.roles:
        having = ", ".join(tool for tool, one in TOOLS.items() if role in one.roles)
        raise ToolRefusedError(f"There is no tool {name!r} now. You have: {having}.")
    try:
        return use.model_validate_json(arguments or "{}")
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc'])) or 'arguments'}: {one['msg']}"
            for one in error.errors(include_input=False, include_context=False, include_url=False)
        )
        raise ToolRefusedError(f"Not understood: {wrong}.") from None


def _schema(use: type[Use], enums: Mapping[tuple[str, str], list[str]]) -> dict[str, Any]:
    """JSON schema as function tools have it: plain types, enumerations in place."""
    properties: dict[str, Any] = {}
    for field, about in use.model_fields.items():
        if about.annotation is Severity:
            properties[field] = {"type": "string", "enum": [str(severity) for severity in Severity]}
        elif about.annotation is int:
            properties[field] = {"type": "integer"}
        elif choices := enums.get((use.tool, field)) or list(getattr(about.annotation, "__args__", ())):
            properties[field] = {"type": "string", "enum": choices}
        else:
            properties[field] = {"type": "string"}
    required = [field for field, about in use.model_fields.items() if about.is_required()]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
