"""What stands between hearing and speaking: it is shown a conversation, and says what to say and do next."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from sandbox.speech.configuration import Tool
from sandbox.speech.fields import Json
from sandbox.speech.items import Item


@dataclass(frozen=True)
class Say:
    """Words, in a language by its two letters."""

    text: str
    language: str = "en"


@dataclass(frozen=True)
class Use:
    """A tool, and what it is given."""

    tool: str
    arguments: Json


Step: TypeAlias = Say | Use


@dataclass(frozen=True)
class Asked:
    """All there is to know when a response is asked for.

    order: instructions of this response alone; empty where there are none.
    """

    items: Sequence[Item]
    instructions: str
    tools: Sequence[Tool]
    tool_choice: str | Json
    order: str = ""


class Mind(Protocol):
    """Forgets everything between two responses: the conversation is its memory, as it is for a real model."""

    def reply(self, asked: Asked) -> Sequence[Step]:
        """What comes next; nothing where nothing should be said."""
        ...

    def language(self, items: Sequence[Item], instructions: str) -> str:
        """In which language the next turn will be, by its two letters; empty where it may be any."""
        ...
