"""What a client can order in plain English, in instructions and in system items; docs/sandbox.md lists it."""

import json
import re
from dataclasses import dataclass
from enum import Enum
from typing import cast

from sandbox.speech.fields import Json

_QUOTED = re.compile(r"[\"“«](.+?)[\"”»]\s*(?:\n|$)", re.DOTALL)
_EXACTLY = re.compile(r"say exactly this and nothing else:\s*", re.IGNORECASE)
_GREETING = re.compile(r"greet (?:the caller |them )?with:?\s*", re.IGNORECASE)
_LANGUAGE = re.compile(r"\blanguage:\s*([a-z]{2})\b", re.IGNORECASE)
_LANGUAGES = re.compile(r"\blanguages:\s*([a-z]{2}(?:\s*,\s*[a-z]{2})*)", re.IGNORECASE)
_BRIEF = re.compile(r"\bbrief:\s*(.+?)\s*(?:\n|$)", re.IGNORECASE)
_WHAT = re.compile(r"^what: (.+)$", re.IGNORECASE | re.MULTILINE)
_WHERE = re.compile(r"^where: (.+)$", re.IGNORECASE | re.MULTILINE)
_CALL_BACK = re.compile(r"^call-?back number: (.+)$", re.IGNORECASE | re.MULTILINE)
_TYPED = re.compile(r"\bthe caller (?:typed|has typed|pressed):?\s*([\d*#]+)", re.IGNORECASE)
_COACH = re.compile(r"\byou are now the coach of ([\w' -]+?)(?:[.,;(\n]|$)", re.IGNORECASE)
_SILENT = re.compile(r"\byou are now silent\b", re.IGNORECASE)
_GO_ON_IN = re.compile(r"\bgo on in (\w+)", re.IGNORECASE)
_LANGUAGE_NAMES = {"english": "en", "spanish": "es"}
_CALLER = re.compile(r"\byou are now with the caller\b", re.IGNORECASE)
_NOTES = re.compile(r"\byou are now the note-?taker\b", re.IGNORECASE)
_INTERPRETER = re.compile(r"\byou are now the interpreter\b", re.IGNORECASE)


class Role(Enum):
    CALLER = "with the caller"
    COACH = "coach"
    SILENT = "silent"
    NOTES = "note-taker"
    INTERPRETER = "interpreter"


_ROLES = (
    (_COACH, Role.COACH),
    (_SILENT, Role.SILENT),
    (_CALLER, Role.CALLER),
    (_NOTES, Role.NOTES),
    (_INTERPRETER, Role.INTERPRETER),
)


@dataclass(frozen=True)
class Ordered:
    """What one text orders; None and empty where it says nothing about it."""

    exactly: str = ""
    greeting: str = ""
    language: str = ""
    languages: tuple[str, ...] = ()
    brief: str = ""
    typed: str = ""
    what: str = ""
    where: str = ""
    call_back: str = ""
    role: Role | None = None
    person: str = ""


def read_orders(text: str) -> Ordered:
    """Roles: the last one named counts."""
    roles = [
        (found.start(), role, found.group(1) if role is Role.COACH else "")
        for pattern, role in _ROLES
        for found in pattern.finditer(text)
    ]
    _, role, person = max(roles, key=lambda one: one[0]) if roles else (0, None, "")
    several = _LANGUAGES.search(text)
    return Ordered(
        exactly=_quoted(_EXACTLY, text),
        greeting=_quoted(_GREETING, text),
        language=_first(_LANGUAGE, text).lower(),
        languages=tuple(one.strip().lower() for one in several.group(1).split(",")) if several else (),
        brief=_first(_BRIEF, text),
        typed=_first(_TYPED, text),
        what=_first(_WHAT, text),
        where=_first(_WHERE, text),
        call_back=_first(_CALL_BACK, text),
        role=role,
        person=person.strip(),
    )


@dataclass(frozen=True)
class Outcome:
    """What a tool gave back.

    say: words meant for the human. error: why it did not work. text: all of it, where it is no JSON.
    """

    say: str = ""
    error: str = ""
    text: str = ""
    content: Json | None = None

    @property
    def worked(self) -> bool:
        return not self.error

    @property
    def language(self) -> str:
        """The language, by its two letters, in which the client wants it to go on."""
        found = _GO_ON_IN.search(self.text)
        return _LANGUAGE_NAMES.get(found.group(1).lower(), "") if found else ""

    @property
    def digits(self) -> str:
        """Keys that were pressed, if this tool was about keys."""
        found = (self.content or {}).get("digits")
        return found if isinstance(found, str) else ""


def read_outcome(output: str) -> Outcome:
    """JSON with `say`, `error`, `digits` or `ok: false` in it, or any text."""
    try:
        content: object = json.loads(output)
    except ValueError:
        text = output.strip()
        return Outcome(
            text=text, error=text if re.match(r"(?:error|refused|denied)", text, re.IGNORECASE) else ""
        )
    if not isinstance(content, dict):
        return Outcome(text=output)
    fields = cast("Json", content)
    say, error = fields.get("say"), fields.get("error")
    refused = "refused" if fields.get("ok") is False else ""
    return Outcome(
        say=say if isinstance(say, str) else "",
        error=error if isinstance(error, str) and error else refused,
        content=fields,
    )


def _quoted(lead: re.Pattern[str], text: str) -> str:
    """What stands in quotation marks behind the lead: as JSON writes a string, or as people do."""
    found = lead.search(text)
    if found is None:
        return ""
    rest = text[found.end() :]
    try:
        content, end = cast("tuple[object, int]", json.JSONDecoder().raw_decode(rest))
    except ValueError:
        content, end = "", 0
    if isinstance(content, str) and end and not rest[end:].partition("\n")[0].strip():
        return content.strip()
    return _first(_QUOTED, rest) if _QUOTED.match(rest) else ""


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found.group(1).strip() if found else ""
