"""The mind of the sandbox's model: rules. It reads the conversation anew for each answer."""

from collections.abc import Sequence

from sandbox.speech.dialogue import tools
from sandbox.speech.dialogue.beside import Interpreter, NoteTaker
from sandbox.speech.dialogue.caller import Caller
from sandbox.speech.dialogue.coach import Coach
from sandbox.speech.dialogue.conventions import Role, read_orders
from sandbox.speech.dialogue.memory import Exactly, Memory, remember
from sandbox.speech.items import Item
from sandbox.speech.mind import Asked, Say, Step, Use


class RuleMind:
    """Holds nothing: `reply` is a function of what it is asked."""

    def reply(self, asked: Asked) -> Sequence[Step]:
        memory = remember(asked.items, asked.instructions)
        if order := read_orders(asked.order).exactly:
            return [Say(order, memory.language)]
        if exactly := [one for one in memory.pending if isinstance(one, Exactly)]:
            return [Say(one.text, memory.language) for one in exactly]
        if isinstance(asked.tool_choice, dict):
            return _forced(asked, memory, str(asked.tool_choice.get("name")))
        offered = () if asked.tool_choice == "none" else asked.tools
        match memory.role:
            case Role.SILENT:
                return ()
            case Role.COACH:
                return Coach(memory, offered).next()
            case Role.NOTES:
                return NoteTaker(memory, offered).next()
            case Role.INTERPRETER:
                return Interpreter(memory).next()
            case Role.CALLER:
                return Caller(memory, offered, asked.instructions).next()

    def language(self, items: Sequence[Item], instructions: str) -> str:
        memory = remember(items, instructions)
        return memory.language if memory.language == "es" or len(memory.languages) == 1 else ""


def _forced(asked: Asked, memory: Memory, name: str) -> Sequence[Step]:
    """The client insists on a tool."""
    tool = tools.find(asked.tools, name)
    if tool is None:
        return ()
    if name == "escalate":
        return [tools.report(tool, memory, asked.instructions)]
    said: Use = tools.use(tool, {"text": memory.problem, "reason": memory.problem, "query": memory.problem})
    return [said]
