"""With the caller: what to say and do next."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sandbox.speech.configuration import Tool
from sandbox.speech.dialogue import tools
from sandbox.speech.dialogue.memory import (
    CALLING,
    MOST_READ_BACKS,
    CameBack,
    Heard,
    Memory,
    Slot,
    arguments_of,
    asks_for_person,
    is_murmur,
    latest_heard,
)
from sandbox.speech.dialogue.phrases import COMPANY, Question, phrase
from sandbox.speech.dialogue.topics import Severity
from sandbox.speech.dialogue.words import Answer, plain, read_back, yes_or_no
from sandbox.speech.fields import Json
from sandbox.speech.mind import Say, Step

MOST_PROMPTS = 2
MOST_UNKNOWN = 2  # times somebody may not know where they are
MOST_TRIES = 3  # of a tool that refuses
NAMES = {"en": "English", "es": "Spanish"}

_BYE = (
    r"\b(?:goodbye|good bye|bye|have a good night|that is all|that's all|adi[oó]s|hasta luego|nada m[aá]s)\b"
)
_WRONG = r"\b(?:wrong number|dialed wrong|dialled wrong|n[uú]mero equivocado|me equivoqu[eé])\b"
_STATUS = (
    r"\b(?:what(?:'s| is) happening|how long|when will|is (?:anyone|anybody|someone|somebody) coming|are they coming"
    r"|who is coming|where are they|any news|is help|did (?:they|anyone) answer|qu[eé] est[aá] pasando|cu[aá]nto tiempo"
    r"|viene alguien|cu[aá]ndo)\b"
)
_PROMISE = r"\b(?:promise|guarantee|swear|assure me|prom[eé]t\w+|garant\w+)\b"
_ORDERS = (
    r"\b(?:ignore (?:your|all|the|previous)|system prompt|your instructions|pretend (?:to be|you)|you are now|developer"
    r"|override|as an administrator|ignora (?:tus|las))\b"
)
_FORBIDDEN = (
    r"\b(?:mark (?:it|this|that) (?:as )?(?:resolved|done|closed)|close (?:the|this|my) (?:case|report)"
    r"|cancel (?:the |all )*(?:page|pages|calls)|stop (?:calling|paging)|send an? ambulance"
    r"|call (?:911|112|an ambulance))\b"
)
_PRIVATE = (
    r"\b(?:(?:phone |cell |home )?number of|(?:his|her|their) (?:number|phone|name|address)|who else (?:has )?called"
    r"|which (?:flat|apartment|tenant)|names? of the (?:engineer|doctor|technician|tenant|caller)s?)\b"
)
_AGAIN = r"\b(?:repeat|say (?:that|it) again|what did you say|pardon|come again|rep[ií]t\w+|c[oó]mo dice)\b"
_REFUSED = (
    (_ORDERS, "no_instructions"),
    (_PROMISE, "no_promise"),
    (_FORBIDDEN, "may_not"),
    (_PRIVATE, "not_given_out"),
)


@dataclass(frozen=True)
class Caller:
    """One decision. Reads the memory, changes nothing."""

    memory: Memory
    tools: Sequence[Tool]
    instructions: str

    def next(self) -> Sequence[Step]:
        memory = self.memory
        heard = latest_heard(memory.pending)
        backs = [one for one in memory.pending if isinstance(one, CameBack)]
        if memory.danger and not memory.danger_passed_on and (tool := self._tool("escalate")):
            return [self._say("passing_on_danger"), tools.report(tool, memory, self.instructions)]
        if heard is None and backs:
            return self._came_back(backs[-1])
        if heard is None:
            return self._greeting() if memory.spoke == 0 else self._onward()
        told = [Say(back.outcome.say, memory.language) for back in backs if back.outcome.say]
        return [*told, *(self._silence() if heard.silence else self._heard(heard))]

    # What somebody said.

    def _heard(self, heard: Heard) -> Sequence[Step]:
        memory, said = self.memory, plain(heard.text)
        if is_murmur(heard.text) and not heard.understood:
            return [Say(memory.cut_off, memory.language)] if memory.cut_off else self._unclear(heard)
        if (changed := self._other_language()) is not None:
            return changed
        if memory.goodbye or re.search(_BYE, said):
            return self._goodbye("the caller said goodbye")
        if re.search(_WRONG, said):
            return [self._say("wrong_number"), *self._end("wrong number")]
        for pattern, name in _REFUSED:
            if re.search(pattern, said):
                return [self._say(name), *self._onward_speech()]
        if memory.asked is Question.MORE and yes_or_no(heard.text) is Answer.YES:
            return [self._say("what")]
        if re.search(_AGAIN, said) and memory.last_said:
            return [Say(memory.last_said, memory.language)]
        if re.search(_STATUS, said) and self._reported():
            return self._status()
        if asks_for_person(heard.text) and not memory.problem:
            insists = memory.wants_person >= 2 and not self._reported()
            return self._give_up("the caller asks for a person") if insists else [self._say("person")]
        if not heard.understood and self._reported():
            return [self._say("stay"), *self._complete(company=False)]
        return self._onward() if heard.understood else self._unclear(heard)

    def _unclear(self, heard: Heard) -> Sequence[Step]:
        """Nothing was understood: ask again, then keys or a person."""
        memory = self.memory
        if not plain(heard.text) and memory.cut_off:
            return [Say(memory.cut_off, memory.language)]
        if (keys := self._keys()) is not None:
            return keys
        tool = self._tool("not_understood")
        if tool is not None and plain(heard.text) and not is_murmur(heard.text):
            return [tools.use(tool, {})]
        if memory.not_understood >= 2 and not self._reported():
            return self._give_up("not understood")
        if not plain(heard.text):
            return ()
        if is_murmur(heard.text) and memory.spoke:
            return ()
        return [self._say("sorry"), *self._onward_speech()]

    def _other_language(self) -> Sequence[Step] | None:
        """Tell the client that the caller speaks another of its languages than the one it ordered."""
        memory, tool = self.memory, self._tool("not_understood")
        if tool is None or memory.language == memory.ordered_language:
            return None
        return [tools.use(tool, {"language": NAMES[memory.language]})]

    def _give_up(self, reason: str) -> Sequence[Step]:
        tool = self._tool("escalate")
        if tool is None:
            return [self._say("keys_none")]
        return [self._say("still_not"), tools.report(tool, self.memory, self.instructions, reason)]

    def _status(self) -> Sequence[Step]:
        if self.memory.fact:
            return [self._say("last_known", fact=self.memory.fact)]
        return [self._say("not_known"), self._say("stay")]

    def _silence(self) -> Sequence[Step]:
        memory = self.memory
        if self._reported():
            return [self._company()]
        if memory.silences <= MOST_PROMPTS:
            return [self._say("are_you_there"), *self._onward_speech()]
        keys = self._tool("ask_for_keys")
        if keys is not None and not memory.tried("ask_for_keys"):
            purpose = tools.use(keys, {"purpose": "silence"})
            return [self._say("keys_silent"), purpose]
        return ()

    def _greeting(self) -> Sequence[Step]:
        if self.memory.greeting:
            return [Say(self.memory.greeting, self.memory.language)]
        return [self._say("greeting"), self._say("what")]

    # What a tool gave back.

    def _came_back(self, back: CameBack) -> Sequence[Step]:
        memory, outcome = self.memory, back.outcome
        words = [Say(outcome.say, memory.language)] if outcome.say else []
        match back.tool:
            case "escalate" if outcome.worked:
                first = len([one for one in memory.outcomes("escalate") if one.outcome.worked]) == 1
                return [*(words or [self._say("passed_on" if first else "updated")]), *self._after_report()]
            case "escalate":
                tool = self._tool("escalate")
                if tool is None or len(memory.tried("escalate")) >= MOST_TRIES:
                    return words or [self._say("not_passed_on")]
                return [*words, tools.report(tool, memory, self.instructions)]
            case "take_message":
                taken = self._say("message_taken" if outcome.worked else "message_lost")
                return [*(words or [taken]), self._say("more")]
            case "ask_for_keys":
                return words or (self._onward() if outcome.digits else ())
            case "end_call":
                return words or ([] if outcome.worked else [self._company()])
            case "not_understood" if outcome.language:
                return self._onward()
            case "not_understood" if "once more" in outcome.text:
                return [self._say("sorry"), *self._onward_speech()]
            case "not_understood":
                return [self._say("stay" if self._reported() else "still_not")]
            case "set_contact":
                return [*(words or [self._say("updated")]), *self._after_report()]
            case _:
                return [*words, *self._onward()]

    # The report, one question at a time.

    def _onward(self) -> Sequence[Step]:
        """The next thing that is missing."""
        memory = self.memory
        if not memory.problem and not memory.danger:
            return [self._say("what")]
        if self._reported():
            return self._complete()
        if memory.waits and memory.severity is Severity.ROUTINE:
            return self._message()
        if memory.severity is None:
            return [self._say("danger")]
        if memory.urgent is False:
            return self._message()
        if (asking := self._place()) is not None:
            return asking
        if (moved := self._hand_over()) is not None:
            return moved
        if (looking := self._known()) is not None:
            return looking
        tool = self._tool("escalate")
        if tool is None:
            return [self._say("no_way")]
        return [self._say("passing_on"), tools.report(tool, memory, self.instructions)]

    def _onward_speech(self) -> Sequence[Step]:
        """The next question, if it is one: nothing is done beside a refusal."""
        if self._reported():
            return [self._say("stay")]
        return [step for step in self._onward() if isinstance(step, Say)][:1]

    def _after_report(self) -> Sequence[Step]:
        steps = self._complete(company=False)
        return steps or [self._say("stay")]

    def _complete(self, company: bool = True) -> Sequence[Step]:
        """What a report lacks that has gone out already; then company."""
        memory = self.memory
        if (asking := self._place()) is not None:
            return asking
        tool = self._tool("escalate")
        if tool is not None and tools.has(tool, "place") and self._news_of_place():
            return [tools.report(tool, memory, self.instructions)]
        if (asking := self._number()) is not None:
            return asking
        return [self._company()] if company else []

    def _place(self) -> Sequence[Step] | None:
        """Ask, read back, or go to the keys; None when the place is as good as it gets."""
        memory = self.memory
        if memory.place.confirmed or memory.place.unknown >= MOST_UNKNOWN:
            return None
        if memory.place.failed >= MOST_READ_BACKS:
            return self._keys_for(memory.place, "place")
        if memory.place.value:
            return [self._say("place_right", place=read_back(memory.place.value, memory.language))]
        return [self._say("where_else" if memory.place.unknown else "where")]

    def _number(self) -> Sequence[Step] | None:
        memory = self.memory
        tool = self._tool("set_contact")
        if tool is None:
            return None
        if memory.number.confirmed:
            value = memory.number.value
            if not value or value == CALLING or memory.tried("set_contact"):
                return None
            return [tools.use(tool, {"call_back": value, "phone": value})]
        if memory.number.failed >= MOST_READ_BACKS:
            return self._keys_for(memory.number, "call_back")
        if memory.number.value:
            return [self._say("number_right", number=read_back(memory.number.value, memory.language))]
        return None if memory.number.unknown >= MOST_UNKNOWN else [self._say("number")]

    def _keys(self) -> Sequence[Step] | None:
        """Keys, if a read-back has failed often enough."""
        for slot, what in ((self.memory.place, "place"), (self.memory.number, "call_back")):
            if slot.failed >= MOST_READ_BACKS and not slot.confirmed:
                return self._keys_for(slot, what)
        return None

    def _keys_for(self, slot: Slot, what: str) -> Sequence[Step] | None:
        """Ask for keys once; None when that was done and we go on with what there is."""
        tool = self._tool("ask_for_keys")
        if tool is None or slot.typed:
            return None
        words = "keys_place" if what == "place" else "keys_number"
        return [self._say(words), tools.use(tool, {"purpose": what})]

    def _news_of_place(self) -> bool:
        """Whether the place is known better than it was reported."""
        place = tools.place_text(self.memory)
        reported = self.memory.tried("escalate")
        return bool(place) and not any(place in arguments_of(one).values() for one in reported)

    def _hand_over(self) -> Sequence[Step] | None:
        tool = self._tool("hand_over")
        if tool is None or self.memory.tried("hand_over"):
            return None
        agent = tools.specialist(tool, self.memory.topics)
        return [tools.use(tool, {"agent": agent})] if agent else None

    def _known(self) -> Sequence[Step] | None:
        """Look whether it is known already; never where life is at stake."""
        memory, tool = self.memory, self._tool("known_incidents")
        if tool is None or memory.danger:
            return None
        if not memory.tried("known_incidents"):
            category = tools.category(tool, memory.topics, self.instructions)
            return [tools.use(tool, {"place": tools.place_text(memory), "category": category})]
        backs = memory.outcomes("known_incidents")
        known = first_incident(backs[-1].outcome.content) if backs else {}
        if not known or memory.same is False:
            return None
        if memory.same is None:
            named = ", ".join(known[name] for name in ("kind", "place", "state") if name in known)
            return [self._say("same", incident=known.get("say") or named)]
        if tools.has(tool, "incident"):
            return [tools.use(tool, {"incident": known.get("id", ""), "place": tools.place_text(memory)})]
        return None

    def _message(self) -> Sequence[Step]:
        tool = self._tool("take_message")
        if tool is None:
            return [self._say("no_way")]
        if any(one.outcome.worked for one in self.memory.outcomes("take_message")):
            return [self._say("more")]
        if not self.memory.message:
            return [self._say("message")]
        values = {
            "text": self.memory.message,
            "reason": self.memory.problem,
            "call_back": self.memory.number.value or CALLING,
        }
        return [tools.use(tool, values)]

    def _goodbye(self, reason: str) -> Sequence[Step]:
        return [self._say("goodbye_open" if self.memory.escalated else "goodbye"), *self._end(reason)]

    def _end(self, reason: str) -> list[Step]:
        tool = self._tool("end_call")
        return [tools.use(tool, {"reason": reason})] if tool is not None else []

    def _company(self) -> Say:
        return self._say(COMPANY[self.memory.spoke % len(COMPANY)])

    def _reported(self) -> bool:
        """Whether a report is on its way or there."""
        open_calls = len(self.memory.tried("escalate")) > len(self.memory.outcomes("escalate"))
        return self.memory.escalated or open_calls

    def _tool(self, name: str) -> Tool | None:
        return tools.find(self.tools, name)

    def _say(self, name: str, **fill: str) -> Say:
        return Say(phrase(self.memory.language, name, **fill), self.memory.language)


def first_incident(content: Json | None) -> dict[str, str]:
    """Of what `known_incidents` gave back: the first one, as text. Empty where there is none."""
    listed = (content or {}).get("incidents")
    if not isinstance(listed, list) or not listed:
        return {}
    first = cast("list[object]", listed)[0]
    return (
        {name: str(value) for name, value in cast("Json", first).items()} if isinstance(first, dict) else {}
    )
