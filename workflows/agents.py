"""Who the AI is on a line: agents as the owner's file has them, and what they may ask for. No Temporal, no network."""

from dataclasses import dataclass
from typing import NewType

from workflows.values import Severity

AgentId = NewType("AgentId", str)


@dataclass(frozen=True)
class Agent:
    """One character of the AI: who it is, how it speaks, which tools it has, to whom it may hand over.

    persona: how it behaves; guidance: what it must ask or know in its field. tools: names, see `tools`.
    """

    id: AgentId
    name: str
    persona: str = ""
    guidance: str = ""
    voice: str = "marin"
    tools: tuple[str, ...] = ()
    hands_over_to: tuple[AgentId, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of emergency that callers of this line may have. say: as it is spoken."""

    name: str
    say: str
    severity: Severity


@dataclass(frozen=True)
class Speech:
    """How the AI answers a line. The first agent answers; the others are handed over to.

    greeting: its first words, behind danger sentence and notice; returning: those to a caller whose case is open.
    danger_words, harmless_words: this line's additions to and exceptions from the words of danger. danger_s: how
    long the AI may take to escalate danger. languages: what it may speak, the first one first. notes: a second AI
    takes notes while somebody talks with the caller. interpreter: one translates, where they are known
    not to speak the line's first language.
    """

    agents: tuple[Agent, ...]
    kinds: tuple[Kind, ...]
    greeting: str
    danger_words: tuple[str, ...] = ()
    harmless_words: tuple[str, ...] = ()
    danger_s: float = 5.0
    languages: tuple[str, ...] = ("en",)
    returning: str = ""
    notes: bool = False
    interpreter: bool = False

    def agent(self, wanted: AgentId | None) -> Agent:
        """The agent of this id; the first where there is none such."""
        return next((agent for agent in self.agents if agent.id == wanted), self.agents[0])

    def kind(self, name: str) -> Kind | None:
        """The kind of emergency of this name."""
        return next((kind for kind in self.kinds if kind.name == name), None)
