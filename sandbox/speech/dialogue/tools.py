"""What the client's tools are given: values by meaning, fitted to the names and choices of their schemas."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, cast

from sandbox.speech.configuration import Tool
from sandbox.speech.dialogue.memory import CALLING, Memory
from sandbox.speech.dialogue.topics import TOPICS, Severity, Topic
from sandbox.speech.fields import Json
from sandbox.speech.mind import Use

# Other names for what the dialogue knows.
_NAMES: Final[Mapping[str, Sequence[str]]] = {
    "category": ("category", "kind", "type", "topic"),
    "severity": ("severity", "urgency", "priority"),
    "place": ("place", "address", "location", "where", "building"),
    "reason": ("reason", "summary", "problem", "description", "what", "details"),
    "call_back": (
        "call_back",
        "callback",
        "call_back_number",
        "callback_number",
        "phone",
        "number",
        "contact",
    ),
    "text": ("text", "note", "message", "content", "body"),
    "agent": ("agent", "specialist", "desk", "to"),
    "person": ("person", "who", "name", "responder"),
    "query": ("query", "question", "topic", "q"),
    "minutes": ("minutes", "eta_minutes", "in_minutes", "eta"),
    "purpose": ("purpose", "what", "field", "kind", "for", "reason"),
    "incident": ("incident", "case", "attach", "attach_to", "incident_id", "case_id"),
}
_CATCH_ALL: Final = ("other", "general", "unknown", "not_understood", "not-understood", "misc", "anything")
_SEVERITIES: Final = {
    Severity.LIFE: ("life", "emergency", "critical", "danger", "severe", "high", "urgent"),
    Severity.URGENT: ("urgent", "high", "emergency", "important", "normal", "medium"),
    Severity.ROUTINE: ("routine", "low", "normal", "minor", "medium"),
}


def find(tools: Sequence[Tool], name: str) -> Tool | None:
    return next((tool for tool in tools if tool.name == name), None)


def use(tool: Tool, values: Mapping[str, object]) -> Use:
    """The call, with the values this tool has a place for. What it demands and nobody knows is left empty."""
    arguments: Json = {}
    required = tool.parameters.get("required")
    demanded = cast("list[object]", required) if isinstance(required, list) else []
    for name, schema in properties(tool).items():
        value = _value(name, values)
        choices = choices_of(schema)
        if choices and value is not None and value not in choices:
            value = None
        if value is None and name in demanded:
            value = choices[0] if choices else 0 if schema.get("type") in ("integer", "number") else ""
        if value is not None:
            arguments[name] = value
    return Use(tool.name, arguments)


def properties(tool: Tool) -> dict[str, Json]:
    found = tool.parameters.get("properties")
    if not isinstance(found, dict):
        return {}
    return {
        name: cast("Json", schema) if isinstance(schema, dict) else {}
        for name, schema in cast("Json", found).items()
    }


def choices_of(schema: Json) -> list[str]:
    found = schema.get("enum")
    return [str(one) for one in cast("list[object]", found)] if isinstance(found, list) else []


def has(tool: Tool, meaning: str) -> bool:
    return any(name in _NAMES[meaning] for name in properties(tool))


def _value(name: str, values: Mapping[str, object]) -> object:
    if name in values:
        return values[name]
    for meaning, names in _NAMES.items():
        if name in names and meaning in values:
            return values[meaning]
    return None


def _choices(tool: Tool, meaning: str) -> tuple[list[str], str]:
    """What may be chosen there, and every text that explains the choices."""
    for name, schema in properties(tool).items():
        if name in _NAMES[meaning]:
            return choices_of(schema), f"{schema.get('description') or ''}\n{tool.description}"
    return [], ""


def category(tool: Tool, topics: Sequence[Topic], instructions: str) -> str | None:
    """The client's name for what is talked about: by its own sound, or by what is said of it somewhere."""
    choices, explained = _choices(tool, "category")
    if not choices:
        return topics[0].name if topics else "other"
    worst_first = sorted(topics, key=lambda topic: list(Severity).index(topic.severity))
    for topic in worst_first:
        for stem in topic.stems:
            for choice in choices:
                about = f"{choice} {_said_of(choice, f'{explained}{instructions}')}".lower()
                if re.search(rf"\b{re.escape(stem)}", about.replace("_", " ")):
                    return choice
    if (catch_all := next((choice for choice in choices if choice.lower() in _CATCH_ALL), None)) is not None:
        return catch_all
    danger = any(topic.severity is Severity.LIFE for topic in topics)
    fits = [choice for choice in choices if _deadly(f"{choice} {_said_of(choice, explained)}") is danger]
    return (fits or choices)[0]


def _deadly(about: str) -> bool:
    return any(
        stem in about.lower() for topic in TOPICS if topic.severity is Severity.LIFE for stem in topic.stems
    )


def _said_of(choice: str, explained: str) -> str:
    found = re.search(rf"\b{re.escape(choice)}\b[\"']?\s*[:=(-]\s*([^;,\n)]+)", explained)
    return found.group(1) if found else ""


def severity(tool: Tool, wanted: Severity) -> str:
    choices, _ = _choices(tool, "severity")
    if not choices:
        return wanted.value
    by_name = {choice.lower(): choice for choice in choices}
    return next((by_name[name] for name in _SEVERITIES[wanted] if name in by_name), choices[0])


def specialist(tool: Tool, topics: Sequence[Topic]) -> str | None:
    """The agent for what is talked about; None where there is none."""
    choices, _ = _choices(tool, "agent")
    return next(
        (choice for topic in topics for stem in topic.stems for choice in choices if stem in choice.lower()),
        None,
    )


def report(tool: Tool, memory: Memory, instructions: str, reason: str = "") -> Use:
    """An escalation of what is known by now."""
    values: Json = {
        "category": category(tool, memory.topics, instructions),
        "severity": severity(tool, memory.severity or Severity.URGENT),
        "reason": reason or memory.danger or memory.problem or "not understood",
        "place": place_text(memory),
        "call_back": memory.number.value if memory.number.confirmed else CALLING,
    }
    return use(tool, values)


def place_text(memory: Memory) -> str:
    if not memory.place.value:
        return ""
    if memory.place.confirmed:
        return memory.place.value
    doubt = "house number typed, street not confirmed" if memory.place.typed else "not confirmed"
    return f"{memory.place.value} ({doubt})"
