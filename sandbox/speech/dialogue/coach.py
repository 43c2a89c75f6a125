"""Beside a human who was called: says the brief, answers what is asked, writes down, proposes, and is silent."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.speech.configuration import Tool
from sandbox.speech.dialogue import tools
from sandbox.speech.dialogue.memory import CameBack, Heard, Memory, latest_heard
from sandbox.speech.dialogue.phrases import phrase
from sandbox.speech.dialogue.topics import Severity, topics_of
from sandbox.speech.dialogue.words import plain, read_back, with_digits
from sandbox.speech.fields import Json
from sandbox.speech.mind import Say, Step

WORTH_NOTING = 4  # words

_PLACE = (
    r"\b(?:what(?:'s| is| was) the address|which (?:address|apartment|flat)|where (?:is|are) (?:it|they|he|she)"
    r"|direcci[oó]n)\b"
)
_NUMBER = r"\b(?:call ?back number|(?:phone|telephone) number|which number|n[uú]mero)\b"
_PROBLEM = (
    r"\b(?:what happened|what(?:'s| is) (?:the problem|wrong|it about)|what did (?:they|the caller) say"
    r"|qu[eé] pas[oó])\b"
)
_DONE = r"\b(?:what (?:was|has been|have you) done|who (?:was|has been) called|any news|what(?:'s| is) the status)\b"
_BRIEF = r"\b(?:brief me|summari[sz]e|summary|repeat the brief|resumen)\b"
_RESOLVED = (
    r"\b(?:it(?:'s| is) (?:fixed|resolved|solved)|problem is (?:fixed|resolved|solved)"
    r"|you can close (?:it|the case|this)|case closed|mark (?:it|this) (?:as )?(?:resolved|closed|done)|resuelto)\b"
)
_ETA = re.compile(
    r"\b(?:be there|there|arrive|need|take me|llego|estar[eé])\b.*?\b(\d{1,3}) (?:minutes?|min|minutos?)\b"
)
_ASSIGN = re.compile(r"\b(?:assign (?:it|this|the case)?\s*to|hand (?:it|this) to|give (?:it|this) to) (\w+)")
_CALL_IN = re.compile(r"\b(?:call in|bring in|wake(?: up)?|get me|page) (?:the )?(\w+)")
_LOOK_UP = re.compile(r"\b(?:look up|look for|find out|check) (.+)")
_NOTE = re.compile(
    r"\b(?:note(?: down)?(?: that)?|write down(?: that)?|make a note(?: that)?|anota(?: que)?) (.+)"
)


@dataclass(frozen=True)
class Coach:
    """One decision. Reads the memory, changes nothing."""

    memory: Memory
    tools: Sequence[Tool]

    def next(self) -> Sequence[Step]:
        memory = self.memory
        heard = latest_heard(memory.pending)
        backs = [one for one in memory.pending if isinstance(one, CameBack)]
        if heard is None and backs:
            return self._came_back(backs[-1])
        if heard is not None and not heard.silence:
            return self._heard(heard)
        if heard is None and not memory.briefed:
            return self._opening()
        return ()

    def _opening(self) -> Sequence[Step]:
        """The brief: given, fetched, or what was understood."""
        if self.memory.brief:
            return [Say(self.memory.brief, self.memory.language)]
        if (tool := tools.find(self.tools, "brief")) is not None and not self.memory.tried("brief"):
            return [tools.use(tool, {})]
        return [self._own_brief()]

    def _came_back(self, back: CameBack) -> Sequence[Step]:
        words = back.outcome.say
        if not words and back.tool in {"brief", "look_up"}:
            words = back.outcome.text
        if not words and back.tool == "brief":
            return [self._own_brief()]
        return [Say(words, self.memory.language)] if words else ()

    def _heard(self, heard: Heard) -> Sequence[Step]:
        memory, said = self.memory, plain(with_digits(heard.text))
        if (
            any(topic.severity is Severity.LIFE for topic in topics_of(heard.text))
            and memory.danger != heard.text
        ):
            return [self._say("coach_danger", words=heard.text)]
        if (answer := self._answer(said)) is not None:
            return [answer]
        if (proposal := self._proposal(said)) is not None:
            return proposal
        if len(said.split()) >= WORTH_NOTING and (tool := tools.find(self.tools, "note")) is not None:
            noted = _NOTE.search(said)
            return [tools.use(tool, {"text": noted.group(1) if noted else heard.text})]
        return ()

    def _answer(self, said: str) -> Say | None:
        """To a question about what was said before; None where it is no such question."""
        memory = self.memory
        if re.search(_BRIEF, said):
            return Say(memory.brief, memory.language) if memory.brief else self._own_brief()
        if re.search(_PLACE, said):
            if not memory.place.value:
                return self._say("coach_unknown")
            told = phrase(
                memory.language, "coach_place", place=read_back(memory.place.value, memory.language)
            )
            doubt = "" if memory.place.confirmed else " " + phrase(memory.language, "unconfirmed")
            return Say(told + doubt, memory.language)
        if re.search(_NUMBER, said):
            if not memory.number.value:
                return self._say("coach_unknown")
            return self._say("coach_number", number=read_back(memory.number.value, memory.language))
        if re.search(_PROBLEM, said):
            problem = memory.danger or memory.problem
            return self._say("coach_problem", problem=problem) if problem else self._say("coach_unknown")
        if re.search(_DONE, said):
            return self._say("last_known", fact=memory.fact) if memory.fact else self._say("coach_unknown")
        return None

    def _proposal(self, said: str) -> Sequence[Step] | None:
        """What a human says they will do; it is proposed, and somebody else confirms it."""
        wanted: tuple[tuple[str, Json | None], ...] = (
            ("resolve", {"text": said, "reason": said} if re.search(_RESOLVED, said) else None),
            ("set_eta", {"minutes": int(found.group(1))} if (found := _ETA.search(said)) else None),
            ("assign", {"person": found.group(1)} if (found := _ASSIGN.search(said)) else None),
            ("call_in", {"person": found.group(1)} if (found := _CALL_IN.search(said)) else None),
            ("look_up", {"query": found.group(1)} if (found := _LOOK_UP.search(said)) else None),
        )
        for name, values in wanted:
            if values is not None and (tool := tools.find(self.tools, name)) is not None:
                return [tools.use(tool, values)]
        return None

    def _own_brief(self) -> Say:
        memory, language = self.memory, self.memory.language
        return self._say(
            "brief",
            problem=(memory.danger or memory.problem or phrase(language, "no_problem")).rstrip("."),
            place=read_back(tools.place_text(memory), language) or phrase(language, "no_place"),
            number=read_back(memory.number.value, language) or phrase(language, "no_number"),
        )

    def _say(self, name: str, **fill: str) -> Say:
        return Say(phrase(self.memory.language, name, **fill), self.memory.language)
