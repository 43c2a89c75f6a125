"""The tool calls of one stream: checked, given to the workflow, and brought back. No sockets, no clock."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.effects import Effect, UseTool
from bridge.model import AddContext, ToolCalled, ToolResult, ToolUse
from workflows.voice import Tool, ToolCall, ToolOutcome

PENDING_AT_MOST = 16  # tools one answer may ask for; a model that asks for more is told so


@dataclass(frozen=True)
class _Use:
    """A tool call that was not answered yet."""

    call: ToolCalled
    link: int


@dataclass(frozen=True)
class Answered:
    """A tool call's end. speak: whether the model shall speak now."""

    use: ToolUse
    order: ToolResult | AddContext
    speak: bool


class Tools:
    """Tool calls under way."""

    def __init__(self, generation: int, do: Callable[[Effect], None]) -> None:
        self._generation = generation
        self._do = do
        self._uses: dict[str, _Use] = {}
        self._speak: set[str] = set()

    @property
    def pending(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._uses)

    def called(self, call: ToolCalled, tools: Sequence[Tool], link: int) -> ToolResult | None:
        """The model wants something done; gives what it is told at once if that cannot be."""
        if call.id in self._uses:
            return None
        wrong = self._what_is_wrong_with(call, tools)
        if wrong is not None:
            return ToolResult(call.id, json.dumps({"error": wrong}))
        self._uses[call.id] = _Use(call, link)
        asked = ToolCall(id=call.id, name=call.name, arguments=call.arguments, generation=self._generation)
        self._do(UseTool(asked))
        return None

    def done(self, call: str, outcome: ToolOutcome, link: int) -> Answered | None:
        """The workflow has answered; None if nobody asked. link: the model session in use now."""
        use = self._uses.pop(call, None)
        if use is None:
            return None
        asked = use.call
        order: ToolResult | AddContext = ToolResult(call, outcome.output)
        if use.link != link:  # the session that asked is gone, and this one knows nothing of the question
            order = AddContext(f"{asked.name} was done meanwhile: {outcome.output}")
        if outcome.speak:
            self._speak.add(asked.response)
        others = any(other.call.response == asked.response for other in self._uses.values())
        speak = not others and asked.response in self._speak
        if not others:
            self._speak.discard(asked.response)
        return Answered(ToolUse(call, asked.name, asked.arguments, outcome.output), order, speak)

    def _what_is_wrong_with(self, call: ToolCalled, tools: Sequence[Tool]) -> str | None:
        if call.name not in {tool.name for tool in tools}:
            return f"there is no tool {call.name!r} now; there are: {', '.join(tool.name for tool in tools) or 'none'}"
        if len(self._uses) >= PENDING_AT_MOST:
            return "too many tools at once"
        try:
            arguments: object = json.loads(call.arguments)
        except ValueError as error:
            return f"the arguments are no JSON: {error}"
        return None if isinstance(arguments, dict) else "the arguments must be one JSON object"
