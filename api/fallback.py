"""What a caller hears while we cannot run an escalation: tonight's rota, rung after rung, by plain dialling.

Two forms. The door's own, one rung a request, while Temporal is down; and static documents for another host,
while the door itself is. In both, whoever answers must press a key before the caller is connected: a
voicemail that takes the call would end the chase. For the same reason people are rung one at a time: of
several rung at once the first to answer silences the others, and that is often a voicemail.

Pure; routes are in `failover`.
"""

from collections.abc import Sequence
from datetime import datetime

from api.phrases import Spoken, phrase
from api.twiml import Menu, one_moment, say, say_goodbye, screen, static_fallback
from configuration.model import Configuration, Line
from configuration.schedule import planned_ladder
from workflows.sentences import LANGUAGES, Language, language_of

RING_S = 25  # long enough to wake somebody, short of most voicemails
SCREEN_WAIT_S = 8.0
ONE_MOMENT = "one-moment.xml"
ANY_KEY = "1"  # a static document cannot check which key it was

Rota = tuple[str, ...]
"""The numbers to ring, one after the other."""


def rota(configuration: Configuration, line_id: str, at: datetime) -> Rota:
    """Tonight's rungs, then the last resort, person by person; whoever has no telephone is left out."""
    planned = planned_ladder(configuration, line_id, None, at)
    rungs = (*planned.rungs, planned.last_resort)
    return tuple(
        number
        for rung in rungs
        for number in dict.fromkeys(person.voice for person in rung.people if person.voice)
    )


def opening(line: Line) -> list[Spoken]:
    """What a caller hears first: danger before all else, in every language of the line."""
    language = language_of(line.languages)
    return [*line.danger_sentences(), phrase("duty_is_rung", language, line=line.name)]


def between(line: Line) -> list[Spoken]:
    """Between two rungs. Whether somebody talked with the caller is not known for certain."""
    return [phrase("helped", language_of(line.languages))]


def before_tone(line: Line) -> list[Spoken]:
    """When all rungs were rung."""
    return [phrase("nobody_answered", language_of(line.languages))]


def screening(line_name: str, key: str, languages: Sequence[str]) -> list[Spoken]:
    """What somebody who answers hears, in these languages; twice at least, for who was asleep."""
    said = [phrase("screen", language, line=line_name, key=key) for language in _ours(languages)]
    return said * 2 if len(said) == 1 else said


def documents(
    configuration: Configuration, base_url: str, at: datetime, lines: Sequence[str] | None = None
) -> dict[str, str]:
    """The static documents by file name, one for each line and those they share.

    base_url: where they will be served from. lines: only these; all by default.
    Raises KeyError for a line that is not there.
    """
    chosen = list(configuration.lines) if lines is None else list(lines)
    base = base_url.rstrip("/")
    written = {f"{line_id}.xml": _document(configuration, line_id, base, at) for line_id in chosen}
    languages = [language for line_id in chosen for language in configuration.lines[line_id].languages]
    names = ", ".join(configuration.lines[line_id].name for line_id in chosen)
    spoken = _ours(languages)
    asked = screening(names, ANY_KEY, spoken)
    written["screen.xml"] = screen(Menu(asked, f"{base}/connect.xml", SCREEN_WAIT_S), method="GET")
    written["connect.xml"] = say([phrase("connecting", language) for language in spoken[:1]])
    written["thanks.xml"] = say_goodbye([phrase("message_taken", language) for language in spoken])
    written[ONE_MOMENT] = one_moment([phrase("one_moment", language) for language in spoken])
    return written


def _ours(languages: Sequence[str]) -> list[Language]:
    """These languages as far as we speak them, each once."""
    spoken: list[Language] = []
    for language in languages or LANGUAGES[:1]:
        if language_of([language]) not in spoken:
            spoken.append(language_of([language]))
    return spoken


def _document(configuration: Configuration, line_id: str, base: str, at: datetime) -> str:
    line = configuration.lines[line_id]
    return static_fallback(
        opening(line),
        rota(configuration, line_id, at),
        caller_id=line.calls_from,
        ring_s=RING_S,
        screen=f"{base}/screen.xml",
        between=between(line),
        before_tone=before_tone(line),
        recorded=f"{base}/thanks.xml",
    )
