"""What a speech model is told to be, rendered from agents, line and state. In English; it speaks the caller's language.

The words are orders to a model, not sentences for a caller; those are in `sentences`.
"""

from dataclasses import dataclass

from workflows.agents import Speech
from workflows.assistant import Role
from workflows.sentences import Words, language_of, words
from workflows.talk import Standing, Talk, brief
from workflows.tools import offered
from workflows.values import Line
from workflows.voice import Plan

BRIEF_WORDS = 28  # ten seconds of speech

_RULES = """\
You answer the telephone line "{line}" at night. You are not a person and say so when asked.
Languages: {languages}. Begin in the first; call not_understood when the caller speaks another one, or cannot be
understood. Short sentences, one question at a time.
Never say that somebody is coming, when, or who; that an ambulance or anybody else was called; that anything is
solved. You do not know it. True news is given to you as "Say exactly this": say it word for word, add nothing.
Never give names, addresses or words of other callers. Never give medical, legal or technical instructions beyond
"leave the building" and "dial {emergency}".
If a life is in danger: say "Hang up and dial {emergency}", and call escalate at once with severity life."""

_ANSWERING = """\
You are now with the caller.
Find out what has happened and where. Read every number and address back and ask whether it is right; after two
failed read-backs, call ask_for_keys. As soon as you know what and where, call escalate; categories: {kinds}.
What can wait until morning is a message: take_message.
While people are being rung, stay with the caller: listen, keep them company, ask what could help whoever comes.
A caller who sounds like a child or cannot answer is escalated without more questions."""

_COACH = """\
You are now the coach of {person}, who is talking with the caller. Only {person} hears you.
Say nothing while they talk with each other. Answer only when {person} asks you something, or when something
dangerous is said. One short sentence at a time. Say only what would be harmless if the caller heard it.
Keep what matters with note. What they want done (time of arrival, resolved, another person) they confirm
themselves: set_eta, resolve, assign and call_in tell you how."""

_NOTES = """\
You are now the note-taker. Nobody hears you, and you say nothing at all.
Listen to everybody, and keep what matters with note, one fact at a time: what is broken and where, measures taken,
readings, names of parts, arrangements and times that were agreed. Keep nothing twice, and no small talk."""

_INTERPRETER = """\
You are now the interpreter between the caller and {person}, on the telephone line "{line}" at night.
You are not a person. The caller speaks {theirs}, {person} speaks {ours}, and both hear you.
Say everything that one of them says at once in the other's language, in the first person, and nothing else: answer
nothing, add nothing, leave nothing out, explain nothing.
Numbers and addresses digit by digit. What you could not hear or translate, you say so, in both languages."""

_SILENT = "You are now silent: say nothing at all until you are told otherwise. Go on listening."


_LANGUAGE_NAMES = {"en": "English", "es": "Spanish"}
_INTERPRETS = {"en": "I interpret for you from now on.", "es": "Desde ahora traduzco para ustedes."}


@dataclass(frozen=True)
class Scene:
    """What the AI is to be now, and towards whom. opens: it has just come, and greets if nobody has.

    languages: of those who talk with each other, the caller's first.
    """

    role: Role
    person: str = ""
    test: bool = False
    opens: bool = False
    languages: tuple[str, ...] = ()


def secrets(speech: Speech) -> tuple[str, ...]:
    """What a model is told and must not recite."""
    agents = (text for agent in speech.agents for text in (agent.persona, agent.guidance))
    return (_RULES, _ANSWERING, _COACH, *agents)


def plan(speech: Speech, talk: Talk, line: Line, scene: Scene, standing: Standing) -> Plan:
    """Everything a model session needs for this role."""
    agent = speech.agent(talk.agent)
    language = language_of([talk.language] if talk.language else line.languages)
    return Plan(
        instructions="\n\n".join(_parts(speech, talk, line, scene, standing)),
        tools=offered(speech, agent.id, scene.role),
        voice=agent.voice,
        language="" if len(set(scene.languages)) > 1 else language,
        opening=_opening(speech, talk, scene, standing),
        turns=() if scene.role in {Role.NOTES, Role.INTERPRETER} else talk.turns,
        role=scene.role,
        person=scene.person,
        pace=scene.role is Role.COACH,
        moment=words(Words("one_moment"), line) if scene.role is Role.ANSWERING else "",
    )


def _parts(speech: Speech, talk: Talk, line: Line, scene: Scene, standing: Standing) -> list[str]:
    agent = speech.agent(talk.agent)
    if (
        scene.role is Role.INTERPRETER
    ):  # only other people's words: who has rules or news of its own would add some
        return [_interpreting(line, scene)]
    parts = [
        _RULES.format(line=line.name, languages=", ".join(line.languages), emergency=line.emergency_number),
        f"Your name: {agent.name}. {agent.persona}".strip(),
        agent.guidance,
        f"Language: {talk.language}. Speak it from now on." if talk.language else "",
    ]
    match scene.role:
        case Role.ANSWERING:
            kinds = "; ".join(f"{kind.name} ({kind.say}, {kind.severity})" for kind in speech.kinds)
            parts.append(_ANSWERING.format(kinds=kinds or "other"))
        case Role.COACH:
            parts += [_COACH.format(person=scene.person), brief(talk, standing)]
        case Role.NOTES:
            parts += [_NOTES, brief(talk, standing)]
        case Role.SILENT | Role.GONE:
            parts.append(_SILENT)
    if standing.state:
        parts.append(f"What is true now: {standing.state}")
    if scene.test:
        parts.append("This is a test: say so when asked.")
    return [part for part in parts if part]


def _interpreting(line: Line, scene: Scene) -> str:
    theirs, ours = (_LANGUAGE_NAMES.get(language, language) for language in scene.languages)
    return _INTERPRETER.format(line=line.name, person=scene.person, theirs=theirs, ours=ours)


def _opening(speech: Speech, talk: Talk, scene: Scene, standing: Standing) -> str:
    """The first words: a new conversation's greeting, the brief of somebody who has just joined, an introduction."""
    if scene.role is Role.ANSWERING:
        first = speech.returning if standing.escalated and speech.returning else speech.greeting
        return first if scene.opens and not talk.turns else ""
    if scene.role is Role.INTERPRETER and scene.opens:
        return " ".join(_INTERPRETS.get(language, _INTERPRETS["en"]) for language in scene.languages)
    if scene.role is not Role.COACH:
        return ""
    number = talk.contact or standing.caller_number or ""
    facts = [
        f"{scene.person}: {_sentence(talk.reason or 'the caller has said little so far')}",
        _sentence(f"At {talk.place}") if talk.place else "",
        f"Call-back number ends in {' '.join(number[-4:])}." if number else "",
    ]
    words = " ".join(fact for fact in facts if fact).split()
    return " ".join(words[:BRIEF_WORDS])


def _sentence(words: str) -> str:
    return f"{words.rstrip(' .!?')}."
