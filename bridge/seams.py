"""What a stream needs of the world beyond its sockets: the workflows of calls, and sessions at a speech model."""

from collections.abc import Callable
from typing import Protocol as Interface

from bridge.model import Audio, News, Order
from bridge.wires import Listener, Wire
from workflows.messages import Attached
from workflows.tokens import StreamToken
from workflows.voice import ToolCall, ToolOutcome, Turns, VoiceTrouble


class Workflows(Interface):
    """The workflows of calls, as a stream speaks to them. Everything waits until it was taken, or the call is over."""

    async def attach(self, leg: StreamToken, stream: str) -> Attached:
        """Whether this stream may be carried, and with which plan."""
        ...

    async def tell_detached(self, leg: StreamToken) -> None:
        """This process no longer carries the leg."""
        ...

    async def use_tool(self, leg: StreamToken, call: ToolCall) -> ToolOutcome:
        """The AI wants something done."""
        ...

    async def tell_turns(self, leg: StreamToken, turns: Turns) -> None:
        """What was said."""
        ...

    async def tell_trouble(self, leg: StreamToken, trouble: VoiceTrouble) -> None:
        """How the model does."""
        ...


class ModelSession(Interface):
    """One session at a speech model: orders to frames, frames to news."""

    def write(self, order: Order) -> list[bytes]:
        """The frames of an order."""
        ...

    def append(self, payload: bytes) -> bytes:
        """The frame that lets the model hear this: `write(AppendAudio(…))` by the short way."""
        ...

    def sound(self, frame: bytes) -> Audio | None:
        """The sound in a frame, if that is all there is in it."""
        ...

    def opened(self) -> list[News]:
        """The news in the socket's being open and the configuration's being sent."""
        ...

    def read(self, frame: bytes) -> list[News]:
        """The news in a frame."""
        ...

    def unsent(self) -> list[bytes]:
        """Frames that became due by what was read."""
        ...


class Models(Interface):
    """Where sessions at a speech model are had."""

    def session(self) -> ModelSession:
        """A new one."""
        ...

    async def connect(self, listener: Listener, keep: Callable[[Wire], None]) -> None:
        """Open its socket; keep is given its wire before the listener hears of it. Raises OSError."""
        ...
