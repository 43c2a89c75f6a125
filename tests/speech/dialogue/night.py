"""A call as the dialogue sees it: items in their order, and what it does about them. No session, no sound."""

import json
from collections.abc import Sequence
from typing import Any

from sandbox.speech.configuration import Tool
from sandbox.speech.dialogue.mind import RuleMind
from sandbox.speech.items import FunctionCall, FunctionOutput, Item, Message, Part
from sandbox.speech.mind import Asked, Say, Step, Use

TEXT = {"type": "string"}
ESCALATE = Tool(
    "escalate",
    "Raise an emergency. category: gas: a smell of gas or smoke, water: a burst pipe or flooding, heating: no "
    "heating or no power, lockout: a lock-out",
    {
        "type": "object",
        "properties": {
            "category": {"type": "string", "enum": ["gas", "water", "heating", "lockout"]},
            "severity": {"type": "string", "enum": ["life", "urgent", "routine"]},
            "place": TEXT,
            "reason": TEXT,
            "call_back": TEXT,
        },
        "required": ["category", "severity", "place", "reason", "call_back"],
    },
)


def plain_tool(name: str, *properties: str) -> Tool:
    return Tool(name, "", {"type": "object", "properties": dict.fromkeys(properties, TEXT)})


TAKE_MESSAGE = plain_tool("take_message", "text", "call_back")
SET_CONTACT = plain_tool("set_contact", "phone")
END_CALL = plain_tool("end_call", "reason")
ASK_FOR_KEYS = plain_tool("ask_for_keys", "purpose")
KNOWN = plain_tool("known_incidents", "category", "place", "attach")
HAND_OVER = Tool(
    "hand_over", "", {"properties": {"agent": {"type": "string", "enum": ["triage", "plumbing", "medical"]}}}
)
NOT_UNDERSTOOD = plain_tool("not_understood", "language")
BRIEF = plain_tool("brief")
NOTE = plain_tool("note", "text")
LOOK_UP = plain_tool("look_up", "query")
SET_ETA = Tool("set_eta", "", {"properties": {"minutes": {"type": "integer"}}, "required": ["minutes"]})
RESOLVE = plain_tool("resolve", "note")
ASSIGN = plain_tool("assign", "person")
CALL_IN = plain_tool("call_in", "person")

AT_THE_DESK = (ESCALATE, TAKE_MESSAGE, SET_CONTACT, END_CALL, ASK_FOR_KEYS)
AS_COACH = (BRIEF, NOTE, LOOK_UP, SET_ETA, RESOLVE, ASSIGN, CALL_IN)


class Night:
    """What is said, done and given back, one after the other."""

    def __init__(self, *tools: Tool, instructions: str = "") -> None:
        self.items: list[Item] = []
        self.tools = tools or AT_THE_DESK
        self.instructions = instructions
        self.steps: Sequence[Step] = ()

    def begins(self) -> str:
        return self.answers()

    def says(self, text: str) -> str:
        """Somebody speaks; gives what is said to it."""
        self.items.append(self._message("user", text))
        return self.answers()

    def is_silent(self) -> str:
        self.items.append(Message(self._id(), "user", [Part("input_audio", known="")], silence=True))
        return self.answers()

    def told(self, text: str) -> None:
        """A system item."""
        self.items.append(self._message("system", text))

    def answers(self, order: str = "") -> str:
        """Ask for a response and let it be heard whole."""
        asked = Asked(tuple(self.items), order or self.instructions, self.tools, "auto", order)
        self.steps = RuleMind().reply(asked)
        for step in self.steps:
            match step:
                case Say(text):
                    self.items.append(self._message("assistant", text))
                case Use(tool, arguments):
                    self.items.append(
                        FunctionCall(self._id(), f"call_{self._id()}", tool, json.dumps(arguments))
                    )
        return " ".join(step.text for step in self.steps if isinstance(step, Say))

    def gives_back(self, *, then: bool = True, **outcome: Any) -> str:
        """The tool that was called last is answered; then the model may speak."""
        calls = [item for item in self.items if isinstance(item, FunctionCall)]
        self.items.append(FunctionOutput(self._id(), calls[-1].call_id, json.dumps(outcome)))
        return self.answers() if then else ""

    def gives_back_text(self, output: str) -> str:
        """The tool that was called last is answered in plain words."""
        calls = [item for item in self.items if isinstance(item, FunctionCall)]
        self.items.append(FunctionOutput(self._id(), calls[-1].call_id, output))
        return self.answers()

    def is_cut_off(self, heard: str) -> None:
        """Of what was said last, only this was heard."""
        last = next(
            item for item in reversed(self.items) if isinstance(item, Message) and item.role == "assistant"
        )
        last.parts[0].known = heard
        last.cut = True

    @property
    def used(self) -> list[tuple[str, dict[str, Any]]]:
        """Every tool that was called, in order."""
        calls = [item for item in self.items if isinstance(item, FunctionCall)]
        return [(call.name, json.loads(call.arguments)) for call in calls]

    @property
    def called(self) -> list[str]:
        """The tools called by the last answer."""
        return [step.tool for step in self.steps if isinstance(step, Use)]

    def reported(self) -> "Night":
        """Through a whole report, up to the question of the number."""
        self.says("Water is coming through the ceiling.")
        self.says("412 Oak Street, apartment 7.")
        self.says("Yes.")
        self.gives_back(ok=True)
        return self

    def _message(self, role: Any, text: str) -> Message:
        meant = text if role == "assistant" else ""
        return Message(self._id(), role, [Part("input_text", text, text)], meant=meant)

    def _id(self) -> str:
        return f"item_{len(self.items)}"
