"""The owner's words as the workflows keep them: a line's card, a person who can be paged. Pure."""

from configuration.model import Agent as OwnersAgent
from configuration.model import Configuration, Person
from workflows.agents import Agent, AgentId, Kind, Speech
from workflows.sentences import language_of, welcome_back
from workflows.values import Line, LineId, PersonId, Responder, Severity

PLAIN = OwnersAgent(
    name="the assistant", persona="Calm, friendly and brief."
)  # where the file names no agent


def line_card(configuration: Configuration, line_id: str) -> Line:
    """What workflows need of a line. Raises KeyError where the file has no such line."""
    line = configuration.lines[line_id]
    return Line(
        id=LineId(line_id),
        name=line.name,
        number=line.number,
        emergency_number=line.emergency_number,
        languages=line.languages,
        assistant=line.assistant,
        time_zone=line.time_zone.key,
        danger=line.danger_sentences(),
        caller_id=line.caller_id,
    )


def speech_of(configuration: Configuration, line_id: str) -> Speech | None:
    """How the AI answers a line; None where the menu does. Raises KeyError where there is no such line."""
    line = configuration.lines[line_id]
    if not line.assistant or line.answers == "menu":
        return None
    named = {name: configuration.agents[name] for name in line.speech.agents}
    language = line.languages[0]
    said = (line.speech.notice_in(language), line.speech.greeting_in(language).format(line=line.name))
    return Speech(
        agents=tuple(_agent(name, agent) for name, agent in (named or {"assistant": PLAIN}).items()),
        kinds=tuple(
            Kind(name, category.say, Severity(category.severity))
            for name, category in line.categories.items()
        ),
        greeting=" ".join(said),
        danger_words=line.speech.danger_words,
        harmless_words=line.speech.harmless_words,
        danger_s=line.speech.danger_s,
        languages=line.languages,
        returning=f"{line.speech.notice_in(language)} {welcome_back(language)}",
        notes=line.notes,
        interpreter=line.interpreter,
    )


def _agent(name: str, agent: OwnersAgent) -> Agent:
    return Agent(
        id=AgentId(name),
        name=agent.name,
        persona=agent.persona or "",
        guidance=agent.guidance or "",
        voice=agent.voice,
        tools=agent.tools,
        hands_over_to=tuple(AgentId(other) for other in agent.hands_over_to),
    )


def responder_of(person_id: str, person: Person, because: str) -> Responder:
    """A person of the file, with the ways to them that they allow."""
    return Responder(
        id=PersonId(person_id),
        name=person.name,
        phone=person.voice_number,
        text_to=person.sms_number,
        push=person.push_urls,
        language=language_of(person.languages),
        because=because,
        speaks=tuple(language_of([language]) for language in person.languages),
    )
