"""The conversation with the AI: what was said, what the AI asked for, what follows. Pure; knows no room, no leg.

The AI proposes, this decides. What it says is read for danger (the caller's words) and for claims that nothing
true stands behind (its own); what it asks for is answered in words for the model, at once.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workflows import danger, languages, tools
from workflows.agents import AgentId, Speech
from workflows.leave import says_called, takes_leave, tells_something
from workflows.truth import LEAKS, Claim, Known, false_claims, numbers_in
from workflows.values import Severity
from workflows.voice import Speaker, ToolOutcome, Turn

TURNS_KEPT = 40
TURNS_BYTES = 32 * 1024  # of what a new bridge or a new model session is given to go on with
OUTCOMES_REMEMBERED = 50  # a tool call is repeated within seconds
SHORTEST_NUMBER = 4
NOTES_KEPT = 50
NOTES_SHOWN = 10
FAREWELL_S = 8.0  # for the AI's last words, if nothing tells that they were heard
GOODBYE_WITHIN = 3  # of the caller's last turns, one must have said it
NOT_UNDERSTOOD_AT_MOST = 2  # times in a row, in one language
NOT_UNDERSTOOD = ("not-understood", "a caller who could not be understood", Severity.URGENT)
DROPPED = ("dropped", "a caller whose call broke off", Severity.URGENT)
OTHER = "other"  # the kind of what the line has no kind for: an emergency is never refused for its name

_WORDS = re.compile(r"\w{4,}")


@dataclass(frozen=True)
class Talk:
    """What is known of the conversation.

    taken: of which leg's turns, how many; a batch is sent again until it was taken. interpreted: so, of the
    interpreter's leg. outcomes: what tool calls came to, by their ids. danger: the phrase that fired, since
    danger_at, until somebody was woken for it. last_heard_at: when anybody last said anything. leaving_at:
    the caller is let go then. language: the one spoken, "" the line's first; languages_tried: those that
    were given up; not_understood: how often in a row. said_again: how often in a row a sentence of ours was
    spoken over and said anew.
    """

    agent: AgentId | None = None
    turns: tuple[Turn, ...] = ()
    taken: tuple[int, int] = (0, 0)
    interpreted: tuple[int, int] = (0, 0)
    outcomes: tuple[tuple[str, ToolOutcome], ...] = ()
    contact: str = ""
    name: str = ""
    place: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    danger: str = ""
    danger_at: datetime | None = None
    last_heard_at: datetime | None = None
    prompts: int = 0
    corrections: int = 0
    leaving_at: datetime | None = None
    language: str = ""
    languages_tried: tuple[str, ...] = ()
    typed: tuple[str, ...] = ()
    said_again: int = 0
    not_understood: int = 0

    @property
    def said_goodbye(self) -> bool:
        """Whether the caller has, lately."""
        return any(takes_leave(text) for text in self.theirs[-GOODBYE_WITHIN:])

    @property
    def theirs(self) -> tuple[str, ...]:
        """What the caller has said, of what is kept."""
        return tuple(turn.text for turn in self.turns if turn.speaker in _THEIRS)

    @property
    def said_called(self) -> bool:
        """Whether the caller says that somebody has called the emergency number."""
        return says_called(self.theirs)

    @property
    def numbers_said(self) -> tuple[str, ...]:
        """The telephone numbers that the caller has said or typed."""
        return tuple(number for text in (*self.typed, *self.theirs) for number in numbers_in(text))

    @property
    def broke_off(self) -> bool:
        """Whether the caller has told something, and taken no leave."""
        return tells_something(self.theirs) and not self.said_goodbye


_THEIRS = frozenset({Speaker.CALLER, Speaker.ROOM})


@dataclass(frozen=True)
class Standing:
    """How the call stands, as far as the AI's tools depend on it.

    state: the true sentence about the open case, in words for the model. with_human: a responder is in the room.
    """

    escalated: bool = False
    resolved: bool = False
    message_taken: bool = False
    with_human: bool = False
    severity: Severity | None = None
    caller_number: str | None = None
    state: str = ""


# What follows from what was said


@dataclass(frozen=True)
class DangerHeard:
    """The caller said words of danger."""

    phrase: str


@dataclass(frozen=True)
class FalselyClaimed:
    """The AI said what it cannot know."""

    claims: tuple[Claim, ...]
    whispered: bool


@dataclass(frozen=True)
class FactHeard:
    """The AI has said this fact; whole: the caller heard it to its end."""

    fact: str
    whole: bool = True


Heard = DangerHeard | FalselyClaimed | FactHeard


# What follows from what the AI asked for


@dataclass(frozen=True)
class Report:
    """An emergency: wake people. spoken: harmless enough for a page."""

    category: str
    spoken: str
    severity: Severity


@dataclass(frozen=True)
class KeepMessage:
    """Somebody must hear of this message."""

    text: str
    name: str
    call_back: str


@dataclass(frozen=True)
class SendForKeys:
    """The caller is asked for digits by their telephone's keys, and comes back."""

    about: str


@dataclass(frozen=True)
class EmergencyDialled:
    """The caller has called the emergency number."""


@dataclass(frozen=True)
class AgentChanged:
    """Another agent goes on."""


@dataclass(frozen=True)
class LanguageChanged:
    """The conversation goes on in another language."""


@dataclass(frozen=True)
class NoteKept:
    """To be kept with the case."""

    text: str


Wanted = Report | KeepMessage | SendForKeys | EmergencyDialled | AgentChanged | LanguageChanged | NoteKept
Used = tuple[Talk, tuple[Wanted, ...], ToolOutcome]


def said(
    talk: Talk, generation: int, first: int, turns: Iterable[Turn], speech: Speech, known: Known, at: datetime
) -> tuple[Talk, tuple[Heard, ...]]:
    """The talk with what was said since; a batch that came before changes nothing."""
    taken, new = _new(talk.taken, generation, first, tuple(turns))
    talk = replace(talk, taken=taken)
    news: list[Heard] = []
    for turn in new:
        talk = replace(talk, turns=_kept((*talk.turns, turn)), last_heard_at=at)
        if turn.speaker in _THEIRS:
            stays = not takes_leave(turn.text)  # who says more than goodbye is not let go
            talk = replace(talk, prompts=0, leaving_at=None if stays else talk.leaving_at)
            phrase = danger.heard(turn.text, speech.danger_words, speech.harmless_words)
            if phrase is not None and not talk.danger:
                talk = replace(talk, danger=phrase, danger_at=at)
                news.append(DangerHeard(phrase))
        elif turn.speaker is Speaker.ASSISTANT and turn.fact is not None:
            news.append(FactHeard(turn.fact, turn.whole))
        elif turn.speaker is Speaker.ASSISTANT and (claims := _claimed(turn, known)):
            talk = replace(talk, corrections=talk.corrections + 1)
            news.append(FalselyClaimed(claims, turn.whispered))
    return talk, tuple(news)


def interpreted(talk: Talk, generation: int, first: int, turns: Iterable[Turn], at: datetime) -> Talk:
    """The talk with what an interpreter has said since: other people's words, so they are held to no fact.

    What it has heard, the assistant has heard too.
    """
    taken, new = _new(talk.interpreted, generation, first, tuple(turns))
    said = [replace(t, speaker=Speaker.INTERPRETER) for t in new if t.speaker is Speaker.ASSISTANT and t.text]
    talk = replace(talk, interpreted=taken)
    return replace(talk, turns=_kept((*talk.turns, *said)), last_heard_at=at) if said else talk


def _new(
    taken: tuple[int, int], generation: int, first: int, turns: tuple[Turn, ...]
) -> tuple[tuple[int, int], tuple[Turn, ...]]:
    """How many turns of which leg were taken by now, and those of a batch that were not before."""
    leg, have = taken
    if generation < leg:
        return taken, ()
    have = have if generation == leg else 0
    return (generation, max(have, first + len(turns))), turns[max(0, have - first) :]


def _claimed(turn: Turn, known: Known) -> tuple[Claim, ...]:
    """What the AI has claimed; to the person it coaches it may tell what it knows of the caller."""
    claims = false_claims(turn.text, known)
    return tuple(claim for claim in claims if not turn.whispered or claim not in LEAKS)


def _kept(turns: tuple[Turn, ...]) -> tuple[Turn, ...]:
    """The latest of them, within both bounds."""
    kept = turns[-TURNS_KEPT:]
    while sum(len(turn.text.encode()) for turn in kept) > TURNS_BYTES:
        kept = kept[1:]
    return kept


def outcome_of(talk: Talk, call_id: str) -> ToolOutcome | None:
    """What this tool call came to, if it was made before."""
    return next((outcome for known, outcome in talk.outcomes if known == call_id), None)


def remembered(talk: Talk, call_id: str, outcome: ToolOutcome) -> Talk:
    """The talk with what a tool call came to."""
    return replace(talk, outcomes=(*talk.outcomes, (call_id, outcome))[-OUTCOMES_REMEMBERED:])


def used(talk: Talk, use: tools.Use, speech: Speech, standing: Standing, at: datetime) -> Used:
    """What a tool call changes, what must be done for it, and what the model is told."""
    if not isinstance(use, tools.NotUnderstood):
        talk = replace(talk, not_understood=0)
    match use:
        case tools.Escalate():
            return _escalated(talk, use, speech, standing)
        case tools.SetContact(call_back=number, name=name):
            if not _number(number):
                told = f"{number!r} is no telephone number. Ask for it once more, digit by digit."
                return talk, (), ToolOutcome(output=told)
            kept = replace(talk, contact=_number(number), name=name or talk.name)
            return kept, (), ToolOutcome(output=f"Kept: {kept.contact}.")
        case tools.TakeMessage(text=text, name=name, call_back=number):
            call_back = _number(number) or talk.contact or standing.caller_number or ""
            kept = replace(talk, contact=call_back, name=name or talk.name)
            done = "The message is kept and will be passed on. Say so; promise no time and no call."
            return kept, (KeepMessage(text, kept.name, call_back),), ToolOutcome(output=done)
        case tools.AskForKeys(purpose=about):
            told = "The caller is asked for keys now and comes back in some seconds. Say nothing until then."
            return talk, (SendForKeys(about),), ToolOutcome(output=told, speak=False)
        case tools.NotUnderstood(language=language):
            return _not_understood(talk, language, speech, standing)
        case tools.EmergencyCalled() if not talk.said_called:
            told = "Not noted: the caller has not said so. Ask them whether they have called."
            return talk, (), ToolOutcome(output=told)
        case tools.EmergencyCalled():
            told = "Noted: the caller has called the emergency number."
            return talk, (EmergencyDialled(),), ToolOutcome(output=told)
        case tools.HandOver(agent=agent):
            return _handed_over(talk, agent, speech)
        case tools.EndCall():
            return _ended(talk, standing, at)
        case tools.Brief():
            return talk, (), ToolOutcome(output=brief(talk, standing))
        case tools.Note(text=text) if any(note.endswith(f" {text}") for note in talk.notes[-NOTES_SHOWN:]):
            return talk, (), ToolOutcome(output="Kept already.", speak=False)
        case tools.Note(text=text):
            kept = replace(talk, notes=(*talk.notes, f"{at:%H:%M} {text}")[-NOTES_KEPT:])
            return kept, (NoteKept(text),), ToolOutcome(output="Kept.", speak=False)
        case tools.LookUp(question=question):
            return talk, (), ToolOutcome(output=_found(talk, question))
        case tools.Resolve():
            return talk, (), _proposed("that the case is resolved: they press star, and choose it there")
        case tools.SetEta(minutes=minutes):
            return talk, (), _proposed(f"that they will be there in {minutes} minutes")
        case tools.Assign(person=person):
            return talk, (), _proposed(f"that {person} takes the case: they press star, and choose it there")
        case tools.CallIn(person=person):
            return talk, (), _proposed(f"that {person} is called in: they press star, and choose it there")
        case _:
            raise tools.ToolRefusedError(f"{use.tool} cannot be used here.")


def _number(said: str) -> str:
    """The telephone number in these words; "" where there is none."""
    digits = "".join(c for c in said if c.isdigit() or (c == "+" and said.strip().startswith("+")))
    return digits if len(digits.removeprefix("+")) >= SHORTEST_NUMBER else ""


def _escalated(talk: Talk, use: tools.Escalate, speech: Speech, standing: Standing) -> Used:
    kind = speech.kind(use.category)
    place = use.place or talk.place
    kept = replace(talk, place=place, reason=use.reason, contact=_number(use.call_back) or talk.contact)
    worse = standing.severity is not None and use.severity.rank < standing.severity.rank
    if standing.escalated and not standing.resolved and not worse:
        told = f"People are being woken already. {standing.state} Say nothing else about it."
        return kept, (), ToolOutcome(output=told)
    severity = min(use.severity, kind.severity if kind else use.severity, key=lambda one: one.rank)
    report = Report(kind.name if kind else OTHER, kind.say if kind else "an emergency", severity)
    told = (
        "People are being woken now. You will be told what happens, and say that word for word. Do not say that"
        " anybody comes, who, or when. Stay with the caller."
    )
    return kept, (report,), ToolOutcome(output=told)


def _not_understood(talk: Talk, theirs: str, speech: Speech, standing: Standing) -> Used:
    """Ask once more, then the line's next language, then a person: nobody is kept because they cannot be understood."""
    now = talk.language or speech.languages[0]
    wanted = languages.spoken_as(theirs, speech.languages)
    if wanted is not None and wanted != now:
        return _in_language(talk, wanted)
    if standing.escalated and not standing.resolved:
        return talk, (), ToolOutcome(output="Stay with the caller. People are being woken. Speak slowly.")
    strikes = talk.not_understood + 1
    if strikes < NOT_UNDERSTOOD_AT_MOST and (not theirs or wanted is not None):
        return replace(talk, not_understood=strikes), (), ToolOutcome(output="Ask once more, in other words.")
    tried = (*talk.languages_tried, now)
    untried = next((one for one in speech.languages if one not in tried), None)
    if untried is not None:
        return _in_language(replace(talk, languages_tried=tried), untried)
    told = "A person is being woken who may understand them. Say so in short words, and stay with the caller."
    kept = replace(talk, languages_tried=tried, not_understood=0, reason=talk.reason or "not understood")
    return kept, (Report(*NOT_UNDERSTOOD),), ToolOutcome(output=told)


def _in_language(talk: Talk, language: str) -> Used:
    changed = replace(talk, language=language, not_understood=0)
    told = f"Go on in {languages.name_of(language)}: ask again what has happened, and where."
    return changed, (LanguageChanged(),), ToolOutcome(output=told)


def _handed_over(talk: Talk, wanted: str, speech: Speech) -> Used:
    mine = speech.agent(talk.agent)
    target = next((one for one in mine.hands_over_to if one == wanted), None)
    if target is None or speech.agent(target).id != target:
        to = ", ".join(mine.hands_over_to) or "nobody"
        return talk, (), ToolOutcome(output=f"There is no agent {wanted!r} to hand over to. There is: {to}.")
    changed = replace(talk, agent=target)
    return changed, (AgentChanged(),), ToolOutcome(output=f"You are now {speech.agent(target).name}. Go on.")


def _ended(talk: Talk, standing: Standing, at: datetime) -> Used:
    if standing.with_human:
        return talk, (), ToolOutcome(output="Not now: a person is in the call. They end it.", speak=False)
    if standing.escalated and not standing.resolved and not talk.said_goodbye:
        told = (
            "Not now: people are being woken for this caller, and they have not said goodbye. Stay with them."
        )
        return talk, (), ToolOutcome(output=told)
    if talk.broke_off and not standing.escalated and not standing.message_taken:
        told = "Not now: nobody knows yet what the caller has told. Call escalate or take_message first."
        return talk, (), ToolOutcome(output=told)
    leaving = replace(talk, leaving_at=at + timedelta(seconds=FAREWELL_S))
    return leaving, (), ToolOutcome(output="Say goodbye in one short sentence; the call then ends.")


def _proposed(what: str) -> ToolOutcome:
    told = f"You cannot do this yourself. Tell the person you coach how to confirm {what}."
    return ToolOutcome(output=told)


def _found(talk: Talk, question: str) -> str:
    """The turns and notes that share most words with the question, oldest first."""
    wanted = set(_WORDS.findall(danger.plain(question)))
    lines = [*(f"{turn.speaker}: {turn.text}" for turn in talk.turns), *(f"note {n}" for n in talk.notes)]
    ranked = sorted(
        enumerate(lines), key=lambda one: -len(wanted & set(_WORDS.findall(danger.plain(one[1]))))
    )
    best = [n for n, line in ranked[:3] if wanted & set(_WORDS.findall(danger.plain(line)))]
    return "\n".join(lines[n] for n in sorted(best)) or "Nothing was said about it in this call."


def brief(talk: Talk, standing: Standing) -> str:
    """The facts of the case, for the person who is coached."""
    facts = {
        "What": talk.reason,
        "Where": talk.place,
        "Caller": talk.name,
        "Call-back number": talk.contact or standing.caller_number or "",
        "Danger": talk.danger,
        "State": standing.state,
        "Notes": "; ".join(talk.notes[-NOTES_SHOWN:]),
    }
    return "\n".join(f"{name}: {value}" for name, value in facts.items() if value) or "Nothing is known yet."
