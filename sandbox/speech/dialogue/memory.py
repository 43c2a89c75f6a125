"""What the conversation has come to: items read in their order, nothing else remembered.

So a session that was rolled over, truncated or restored from a transcript goes on from what it was given.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, cast

from sandbox.speech.dialogue.conventions import Outcome, Role, read_orders, read_outcome
from sandbox.speech.dialogue.phrases import Question, is_own, question_in
from sandbox.speech.dialogue.places import (
    THIS_NUMBER,
    find_number,
    find_place,
    house_number,
    not_known,
    place_from_answer,
)
from sandbox.speech.dialogue.topics import Severity, Topic, can_wait, topics_of
from sandbox.speech.dialogue.words import Answer, language_asked_for, language_of, plain, yes_or_no
from sandbox.speech.fields import Json
from sandbox.speech.items import FunctionCall, FunctionOutput, Item, Message

SPOKEN = frozenset({"en", "es"})
MOST_READ_BACKS = 2
MOST_MISSED = 3
CALLING = "the number this call comes from"


@dataclass
class Slot:
    """Something that is read back until it is right."""

    value: str = ""
    confirmed: bool = False
    failed: int = 0  # read-backs that were not confirmed
    typed: bool = False  # keys were asked for
    last: str = ""  # what was refused last
    unknown: int = 0  # times the caller could not tell
    missed: int = 0  # times an answer held nothing that could be read back

    def settle(self, value: str) -> None:
        self.value, self.confirmed = value, True


@dataclass(frozen=True)
class Heard:
    """A turn of somebody; silence: nobody spoke for a while."""

    text: str
    silence: bool = False
    understood: bool = True


@dataclass(frozen=True)
class CameBack:
    tool: str
    arguments: Json
    outcome: Outcome


@dataclass(frozen=True)
class Exactly:
    text: str


Pending: TypeAlias = Heard | CameBack | Exactly


@dataclass
class Memory:
    """pending: what nothing has been said about yet, in its order."""

    language: str = "en"
    ordered_language: str = "en"
    languages: tuple[str, ...] = ("en", "es")
    greeting: str = ""
    role: Role = Role.CALLER
    person: str = ""
    brief: str = ""
    briefed: bool = False
    problem: str = ""
    topics: list[Topic] = field(default_factory=list[Topic])
    danger: str = ""
    danger_passed_on: bool = False
    urgent: bool | None = None
    waits: bool = False
    message: str = ""
    place: Slot = field(default_factory=Slot)
    number: Slot = field(default_factory=Slot)
    asked: Question | None = None
    same: bool | None = None
    wants_person: int = 0
    not_understood: int = 0
    silences: int = 0
    goodbye: bool = False
    fact: str = ""
    spoke: int = 0  # messages of the assistant
    last_said: str = ""
    cut_off: str = ""  # what was meant to be said when somebody spoke over it
    used: list[CameBack] = field(default_factory=list[CameBack])
    calls: dict[str, FunctionCall] = field(default_factory=dict[str, FunctionCall])
    pending: list[Pending] = field(default_factory=list[Pending])

    def tried(self, tool: str) -> list[FunctionCall]:
        return [call for call in self.calls.values() if call.name == tool]

    def outcomes(self, tool: str) -> list[CameBack]:
        return [one for one in self.used if one.tool == tool]

    @property
    def escalated(self) -> bool:
        return any(one.outcome.worked for one in self.outcomes("escalate"))

    @property
    def severity(self) -> Severity | None:
        """None where nothing that was said tells."""
        if self.danger:
            return Severity.LIFE
        if self.urgent is not None:
            return Severity.URGENT if self.urgent else Severity.ROUTINE
        if any(topic.severity is Severity.URGENT for topic in self.topics):
            return Severity.URGENT
        return Severity.ROUTINE if self.waits or self.topics else None


def remember(items: Iterable[Item], instructions: str) -> Memory:
    """Read a conversation."""
    memory = Memory()
    _ordered(memory, instructions, standing=True)
    for item in items:
        match item:
            case Message(role="system"):
                _ordered(memory, item.known, standing=False)
            case Message(role="user"):
                _heard(memory, item)
            case Message():
                _said(memory, item)
            case FunctionCall(call_id=call_id):
                memory.calls[call_id] = item
                _used(memory, item.name)
                memory.pending = [one for one in memory.pending if isinstance(one, Exactly)]
            case FunctionOutput():
                _came_back(memory, item)
    return memory


def _ordered(memory: Memory, text: str, standing: bool) -> None:
    """standing: instructions, which are always in force and wait for no answer."""
    ordered = read_orders(text)
    memory.greeting = ordered.greeting or memory.greeting
    memory.languages = ordered.languages or memory.languages
    if ordered.language in SPOKEN:
        memory.language = memory.ordered_language = ordered.language
    elif ordered.languages and standing:
        memory.language = next((one for one in ordered.languages if one in SPOKEN), memory.language)
        memory.ordered_language = memory.language
    if ordered.role is not None:
        if (ordered.role, ordered.person) != (memory.role, memory.person):
            memory.briefed = False
            memory.pending = [one for one in memory.pending if isinstance(one, Exactly)]
        memory.role, memory.person = ordered.role, ordered.person
    if ordered.brief:
        memory.brief, memory.briefed = ordered.brief, False
    memory.problem = ordered.what or memory.problem
    if ordered.where:
        memory.place = Slot(value=ordered.where, confirmed=True)
    if ordered.call_back:
        memory.number = Slot(value=ordered.call_back, confirmed=True)
    if ordered.typed:
        _typed(memory, ordered.typed)
    if ordered.exactly and not standing:
        if (order := Exactly(ordered.exactly)) not in memory.pending:
            memory.pending.append(order)
    elif ordered.exactly:
        memory.greeting = memory.greeting or ordered.exactly


def _said(memory: Memory, item: Message) -> None:
    said = item.known
    memory.cut_off = item.meant if item.cut else ""
    if not said and not item.meant:
        return
    meant = item.meant or said
    orders = [one.text for one in memory.pending if isinstance(one, Exactly)]
    if any(text in meant for text in orders):
        memory.fact = next(text for text in orders if text in meant)
    if memory.role is Role.COACH:
        memory.briefed = True
    memory.pending = [one for one in memory.pending if isinstance(one, Exactly) and one.text not in meant]
    memory.spoke += 1
    memory.last_said = meant
    if (asks := question_in(said)) is not None:
        memory.asked = asks
    elif memory.asked is not None and meant not in orders and is_own(meant):
        memory.asked = None


def _used(memory: Memory, tool: str) -> None:
    if tool == "escalate":
        memory.danger_passed_on = bool(memory.danger)
    elif tool == "ask_for_keys":
        for slot in (memory.place, memory.number):
            slot.typed = slot.typed or (slot.failed >= MOST_READ_BACKS and not slot.confirmed)


def _came_back(memory: Memory, item: FunctionOutput) -> None:
    call = memory.calls.get(item.call_id)
    if call is None:
        return
    back = CameBack(call.name, arguments_of(call), read_outcome(item.output))
    memory.used.append(back)
    memory.pending.append(back)
    if back.outcome.digits:
        _typed(memory, back.outcome.digits)
    if back.outcome.language in SPOKEN:
        memory.language = memory.ordered_language = back.outcome.language


def arguments_of(call: FunctionCall) -> Json:
    try:
        content: object = json.loads(call.arguments)
    except ValueError:
        return {}
    return cast("Json", content) if isinstance(content, dict) else {}


def _typed(memory: Memory, digits: str) -> None:
    """Keys: the house number while the address is open, otherwise a number to call back."""
    number = digits.strip("*#")
    if memory.place.typed and not memory.place.confirmed and len(number) < 7:
        street = re.sub(r"^\d+\w?\s*", "", memory.place.value or memory.place.last)
        memory.place.value = f"{number} {street}".strip()
        memory.asked = Question.PLACE_RIGHT  # whoever asked for the keys reads them back
    else:
        memory.number.settle(number)


def _heard(memory: Memory, item: Message) -> None:
    text = item.known.strip()
    if item.silence:
        memory.silences += 1
        memory.pending.append(Heard("", silence=True))
        return
    memory.silences = 0
    if memory.role is not Role.CALLER:
        memory.pending.append(Heard(text))
        return
    if (language := language_of(text)) is not None and language in memory.languages:
        memory.language = language
    wish = language_asked_for(text) in memory.languages
    understood = wish or (bool(plain(text)) and (_answered(memory, text) | _volunteered(memory, text)))
    if understood:
        memory.not_understood = 0
    elif plain(text) and not _murmur(text):
        memory.not_understood += 1
    memory.pending.append(Heard(text, understood=understood))


def _murmur(text: str) -> bool:
    """Sounds that mean `go on` and interrupt nothing."""
    return (
        re.fullmatch(r"(?:m+h*m*|m*hm+|uhhuh|uh+|um+|ah+|oh+|okay|ok)+", plain(text).replace(" ", ""))
        is not None
    )


def is_murmur(text: str) -> bool:
    return not plain(text) or _murmur(text)


def _answered(memory: Memory, text: str) -> bool:
    """Take the text as the answer to what was asked last; false where it is none."""
    answer = yes_or_no(text)
    match memory.asked:
        case Question.PLACE_RIGHT:
            return _checked(memory.place, answer, _other_place(memory, text))
        case Question.NUMBER_RIGHT:
            return _checked(memory.number, answer, find_number(text))
        case Question.WHERE:
            if not memory.place.confirmed and not_known(text):
                memory.place.unknown += 1
                return True
            found = find_place(text) if any(topics_of(text)) else place_from_answer(text)
            if memory.place.confirmed:
                return False
            if found is None:
                memory.place.missed += not is_murmur(text)
                if memory.place.missed == MOST_MISSED:  # to ask on would help nobody: keys may
                    memory.place.failed = MOST_READ_BACKS
                return False
            memory.place.value = found
            return True
        case Question.NUMBER:
            if THIS_NUMBER.search(text) or (answer is Answer.YES and find_number(text) is None):
                memory.number.settle(CALLING)
                return True
            if answer is Answer.NO and find_number(text) is None:
                memory.number.settle("")
                return True
            if find_number(text) is None and plain(text) and not _murmur(text):
                memory.number.unknown += 1
            return False
        case Question.DANGER:
            memory.urgent = memory.urgent if answer is None else answer is Answer.YES
            return answer is not None
        case Question.MESSAGE:
            memory.message = f"{memory.message} {text}".strip()
            return True
        case Question.SAME:
            memory.same = memory.same if answer is None else answer is Answer.YES
            return answer is not None
        case Question.MORE:
            memory.goodbye = memory.goodbye or answer is Answer.NO
            return answer is not None
        case Question.WHAT | None:
            return False


def _checked(slot: Slot, answer: Answer | None, other: str | None) -> bool:
    """A read-back was answered: confirmed, corrected, or refused."""
    if slot.confirmed:
        return False
    if answer is Answer.YES and (other is None or other == slot.value):
        slot.confirmed = True
        return True
    if answer is Answer.NO and other == slot.value:
        other = None  # said again as it was understood: it was something else
    if answer is None and other is None:
        slot.failed += 1
        return False
    slot.failed += 1
    slot.value, slot.last = other or "", slot.value
    return True


def _other_place(memory: Memory, text: str) -> str | None:
    """A corrected address; digits alone correct the house number."""
    if (found := find_place(text)) is not None:
        return found
    number = house_number(text)
    if number is None or not memory.place.value:
        return None
    return re.sub(r"^\d+\w?", number, memory.place.value)


def _volunteered(memory: Memory, text: str) -> bool:
    """Take whatever else is in the text."""
    if asks_for_person(text) and not memory.problem:
        memory.wants_person += 1
        return True
    learnt = False
    for topic in topics_of(text):
        if topic.severity is Severity.LIFE and not memory.danger:
            memory.danger = text
        if topic not in memory.topics:
            memory.topics.append(topic)
        learnt = True
    if can_wait(text):
        memory.waits = learnt = True
    if not memory.problem and (learnt or (memory.asked is Question.WHAT and len(plain(text).split()) >= 3)):
        memory.problem = text
        learnt = True
    place = find_place(text)
    if place is not None and place not in {memory.place.last, memory.place.value}:
        if memory.place.confirmed:
            memory.place = Slot(place)  # said otherwise after all: to be read back anew
            learnt = True
        elif not memory.place.value:
            memory.place.value, learnt = place, True
    if not memory.number.value and not memory.number.confirmed and (number := find_number(text)) is not None:
        memory.number.value, learnt = number, True
    return learnt


_PERSON = re.compile(
    r"\b(?:real person|human|somebody real|(?:your|the|a) (?:manager|supervisor|boss)|persona real"
    r"|speak to (?:someone|somebody|a person|an? \w+)|hablar con (?:alguien|una persona))\b"
)


def asks_for_person(text: str) -> bool:
    return _PERSON.search(plain(text)) is not None


def latest_heard(pending: Sequence[Pending]) -> Heard | None:
    """The newest turn that waits for an answer."""
    return next((one for one in reversed(pending) if isinstance(one, Heard)), None)
