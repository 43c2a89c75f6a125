"""The owner's words as the workflows keep them: a line's card, a person who can be paged. Pure."""

from configuration.model import Configuration, Person
from workflows.sentences import language_of
from workflows.values import Line, LineId, PersonId, Responder


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
    )
