"""What a caller hears while we cannot run an escalation: tonight's rota, rung after rung, by plain dialling.

Two forms. The door's own, one rung a request, while Temporal is down; and static documents for another host,
while the door itself is. In both, whoever answers must press a key before the caller is connected: a
voicemail that takes the call would end the chase. Pure; routes are in `failover`.
"""

from collections.abc import Sequence
from datetime import datetime

from api.phrases import Spoken, phrase
from api.twiml import Menu, StaticRung, say, say_goodbye, screen, static_fallback
from configuration.model import Configuration, Line
from configuration.schedule import planned_ladder
from workflows.sentences import LANGUAGES, Language, language_of

RING_S = 25  # long enough to wake somebody, short of most voicemails
NUMBERS_AT_ONCE = 10  # Twilio's limit for one Dial
SCREEN_WAIT_S = 8.0
ANY_KEY = "1"  # a static document cannot check which key it was

Rota = tuple[tuple[str, ...], ...]
"""The numbers of each rung that can be rung at all."""


def rota(configuration: Configuration, line_id: str, at: datetime) -> Rota:
    """Tonight's rungs, then the last resort, as numbers to ring; rungs without a telephone are left out."""
    planned = planned_ladder(configuration, line_id, None, at)
    rungs = (
        tuple(dict.fromkeys(person.voice for person in rung.people if person.voice))[:NUMBERS_AT_ONCE]
        for rung in (*planned.rungs, planned.last_resort)
    )
    return tuple(numbers for numbers in rungs if numbers)


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
    """What somebody who answers hears, in these languages."""
    return [phrase("screen", language, line=line_name, key=key) for language in _ours(languages)]


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
    names = " or ".join(configuration.lines[line_id].name for line_id in chosen)
    spoken = _ours(languages)
    asked = screening(names, ANY_KEY, spoken)
    written["screen.xml"] = screen(Menu(asked * 2, f"{base}/connect.xml", SCREEN_WAIT_S), method="GET")
    written["connect.xml"] = say([phrase("connecting", language) for language in spoken[:1]])
    written["thanks.xml"] = say_goodbye([phrase("message_taken", language) for language in spoken])
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
        [StaticRung(numbers) for numbers in rota(configuration, line_id, at)],
        caller_id=line.calls_from,
        ring_s=RING_S,
        screen=f"{base}/screen.xml",
        between=between(line),
        before_tone=before_tone(line),
        recorded=f"{base}/thanks.xml",
    )
