"""The AIs beside the one that talks with people: one keeps notes, one says it all in the other language."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.speech.configuration import Tool
from sandbox.speech.dialogue import tools
from sandbox.speech.dialogue.memory import Heard, Memory, is_murmur, latest_heard
from sandbox.speech.dialogue.phrase_book import NOT_KNOWN, translated
from sandbox.speech.dialogue.words import plain
from sandbox.speech.mind import Say, Step

WORTH_NOTING = 4  # words
_QUESTION = re.compile(r"\?\s*$")


@dataclass(frozen=True)
class NoteTaker:
    """Keeps whatever is said that is no question and longer than a word or two."""

    memory: Memory
    tools: Sequence[Tool]

    def next(self) -> Sequence[Step]:
        heard = latest_heard(self.memory.pending)
        tool = tools.find(self.tools, "note")
        if heard is None or heard.silence or tool is None or _QUESTION.search(heard.text):
            return ()
        worth = len(plain(heard.text).split()) >= WORTH_NOTING
        return [tools.use(tool, {"text": heard.text})] if worth else ()


@dataclass(frozen=True)
class Interpreter:
    """Says what was said since, by the phrase book, or that it cannot: to both, for it does not know who spoke."""

    memory: Memory

    def next(self) -> Sequence[Step]:
        turns = [one for one in self.memory.pending if isinstance(one, Heard) and not one.silence]
        said: list[Step] = []
        for turn in turns:
            if is_murmur(turn.text):
                continue
            found = translated(turn.text)
            if found is None:
                said += [Say(text, language) for text, language in NOT_KNOWN]
            else:
                said += [Say(one.text, one.language) for one in found]
        return said
