"""What was said and done in a conversation, as the next model session is to remember it.

No session can be resumed at the model; a new one is told the last turns instead. Bounded: the oldest go first.
"""

from bisect import insort
from collections.abc import Iterable

from bridge.model import AddContext, Memory, ToolUse
from workflows.voice import Speaker, Turn

TURNS = 40
BYTES = 32 * 1024


class Mirror:
    """The last turns of a conversation, in the order in which they began, and the tools used among them."""

    def __init__(self, turns: Iterable[Turn] = ()) -> None:
        self._kept: list[tuple[float, int, Memory]] = []
        self.count = 0
        for turn in turns:
            self.add(turn, turn.at.timestamp())

    def add(self, what: Memory, at: float) -> None:
        """This was said or done. at: when it began, in Unix seconds."""
        self.count += 1
        insort(self._kept, (at, self.count, what))
        while len(self._kept) > TURNS or sum(_size(one) for _, _, one in self._kept) > BYTES:
            del self._kept[0]

    def since(self, count: int = 0) -> tuple[Memory, ...]:
        """What was added after so many additions, oldest first."""
        return tuple(what for _, number, what in self._kept if number > count)

    def unanswered(self) -> bool:
        """Whether somebody waits for an answer, or the assistant was not heard to the end."""
        said = (what for _, _, what in reversed(self._kept) if not isinstance(what, AddContext))
        match last := next(said, None):
            case None:
                return False
            case ToolUse():
                return True
            case Turn():
                return last.speaker is not Speaker.ASSISTANT or not last.whole


def _size(what: Memory) -> int:
    match what:
        case Turn() | AddContext():
            return len(what.text.encode())
        case ToolUse():
            return len(what.arguments.encode()) + len(what.output.encode())
