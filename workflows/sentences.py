"""The sentences that are spoken and written, rendered from what is true; nobody composes them elsewhere.

Languages: en, es. A line speaks its own; the danger sentence is said in all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from workflows.values import Case, Fact, Line

Language = Literal["en", "es"]
LANGUAGES: tuple[Language, ...] = ("en", "es")

_ORDINALS: dict[Language, tuple[str, ...]] = {
    "en": ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"),
    "es": (
        "primera",
        "segunda",
        "tercera",
        "cuarta",
        "quinta",
        "sexta",
        "séptima",
        "octava",
        "novena",
        "décima",
    ),
}

_DANGER: dict[Language, str] = {
    "en": "If anyone is in danger, hang up and dial {n}.",
    "es": "Si alguien está en peligro, cuelgue y marque el {n}.",
}

_FACTS: dict[Language, dict[str, str]] = {
    "en": {
        "placing": "I am placing the call to the person on duty. Please stay on the line.",
        "ringing": "I am ringing the {ordinal} person on the list now. Please stay on the line.",
        "next": "I am going on to the {ordinal} person on the list. Please stay on the line.",
        "still_ringing": "You are not forgotten. I am still ringing the {ordinal} person on the list.",
        "exhausted": "I have tried everybody on the list and nobody has answered yet. "
        "I go on trying, and begin again at {time} at the latest. "
        "You can stay on the line, or hang up: then you will be called back.",
        "taken": "{name} has taken your call and is joining now.",
        "joining": "{name} is on the line.",
        "one_moment": "One moment, please. You are still connected.",
        "reopened": "The person who took your call could not join. I am ringing the others again.",
        "over": "This case has been closed by the person on duty. Goodbye.",
    },
    "es": {
        "placing": "Estoy llamando a la persona de guardia. No cuelgue, por favor.",
        "ringing": "Estoy llamando ahora a la {ordinal} persona de la lista. No cuelgue, por favor.",
        "next": "Paso a la {ordinal} persona de la lista. No cuelgue, por favor.",
        "still_ringing": "No le hemos olvidado. Sigo llamando a la {ordinal} persona de la lista.",
        "exhausted": "He llamado a toda la lista y nadie ha contestado todavía. "
        "Sigo intentándolo y empiezo de nuevo a más tardar a las {time}. "
        "Puede esperar, o colgar: entonces le llamaremos.",
        "taken": "{name} se ocupa de su llamada y se conecta ahora.",
        "joining": "{name} está en la línea.",
        "one_moment": "Un momento, por favor. Sigue usted en línea.",
        "reopened": "La persona que se ocupaba no ha podido conectarse. Vuelvo a llamar a los demás.",
        "over": "La persona de guardia ha cerrado este caso. Adiós.",
    },
}

WordsKind = Literal[
    "are_you_there", "still_there", "correction", "withdrawn", "one_moment", "keys_heard", "no_keys"
]


@dataclass(frozen=True)
class Words:
    """A sentence of ours for the AI to say that tells no news. digits: for keys_heard."""

    kind: WordsKind
    digits: str = ""

    @property
    def id(self) -> str:
        """By which the sentence is known again when it comes back as a turn, as a fact is by its own."""
        return f"words:{self.kind}:{self.digits}"


def words_of(said: str) -> Words | None:
    """The sentence of ours that has this id; None: it is no such id."""
    mark, _, rest = said.partition(":")
    name, _, digits = rest.partition(":")
    kind = next((kind for kind in get_args(WordsKind) if kind == name), None)
    return Words(kind, digits) if mark == "words" and kind is not None else None


_WORDS: dict[Language, dict[WordsKind, str]] = {
    "en": {
        "are_you_there": "Are you there? Please tell me what has happened.",
        "still_there": "I cannot hear you. Please say something, or wait: I will then ask you to press a key.",
        "correction": "I must correct myself. I cannot know that. {state}",
        "withdrawn": "I should not have said that. Please take no notice of it.",
        "one_moment": "One moment, please.",
        "keys_heard": "Thank you. You pressed {digits}. Is that right?",
        "no_keys": "You have not pressed a key. Never mind, please tell me once more.",
    },
    "es": {
        "are_you_there": "¿Está ahí? Dígame, por favor, qué ha pasado.",
        "still_there": "No le oigo. Diga algo, por favor, o espere: entonces le pediré que pulse una tecla.",
        "correction": "Debo corregirme. Eso no lo puedo saber. {state}",
        "withdrawn": "No debería haber dicho eso. No lo tenga en cuenta, por favor.",
        "one_moment": "Un momento, por favor.",
        "keys_heard": "Gracias. Ha pulsado {digits}. ¿Es correcto?",
        "no_keys": "No ha pulsado ninguna tecla. No importa, dígamelo otra vez, por favor.",
    },
}
_NOTHING_KNOWN: dict[Language, str] = {
    "en": "Nobody has told me yet that they are coming.",
    "es": "Nadie me ha dicho todavía que venga.",
}


_BACK: dict[Language, str] = {
    "en": "Your case is still open, and you are back with it. Tell me if anything has changed.",
    "es": "Su caso sigue abierto y usted vuelve a él. Dígame si algo ha cambiado.",
}


def welcome_back(language: str) -> str:
    """The first words to a caller whose case is open already."""
    return _BACK[language_of([language])]


def words(what: Words, line: Line, state: Fact | None = None) -> str:
    """A sentence of ours in the line's first language. state: the last news the caller was told."""
    language = language_of(line.languages)
    told = fact(state, line)[0][1] if state is not None else _NOTHING_KNOWN[language]
    return _WORDS[language][what.kind].format(digits=" ".join(what.digits), state=told)


def language_of(languages: Iterable[str]) -> Language:
    """The first of these languages that we speak; English otherwise."""
    for language in languages:
        for ours in LANGUAGES:
            if language.lower().startswith(ours):
                return ours
    return "en"


def danger(emergency_number: str, languages: Iterable[str]) -> tuple[tuple[Language, str], ...]:
    """The danger sentence in each of the line's languages, digits spoken one by one."""
    spoken = " ".join(emergency_number)
    ours: dict[Language, None] = dict.fromkeys(language_of([language]) for language in languages)
    return tuple((language, _DANGER[language].format(n=spoken)) for language in ours or LANGUAGES[:1])


def fact(what: Fact, line: Line) -> tuple[tuple[str, str], ...]:
    """A fact as the caller hears it: (language, sentence) pairs, spoken in order."""
    if what.kind == "danger":
        return line.danger or danger(line.emergency_number, line.languages)
    language = language_of(line.languages)
    template = _FACTS[language][what.kind]
    time = what.until.astimezone(ZoneInfo(line.time_zone)).strftime("%H:%M") if what.until else ""
    return ((language, template.format(ordinal=ordinal(what.rung, language), name=what.name, time=time)),)


def ordinal(n: int, language: Language) -> str:
    """First, second, …; "next" past the tenth."""
    names = _ORDINALS[language]
    if 1 <= n <= len(names):
        return names[n - 1]
    return {"en": "next", "es": "siguiente"}[language]


def page_text(case: Case, code: str, link: str) -> str:
    """A page by SMS or push: category, severity, code and link, and nothing about the caller."""
    test = "TEST " if case.test else ""
    return (
        f"{test}{case.line.name}: {case.category} ({case.severity}). "
        f"Reply {code} to take it, {code} NO to pass. {link}"
    )


def owner_question(case: Case, link: str) -> str:
    """Asking an owner who has been silent."""
    return f"{case.line.name}: {case.category} is still open and yours. Is it resolved? {link}"


_STATES: dict[Language, dict[str, str]] = {
    "en": {
        "paging": "Your case is open. The {ordinal} person on the list is being rung.",
        "exhausted": "Your case is open. Everybody on the list was rung; it begins again shortly.",
        "owned": "Your case is open, and {name} has it.",
        "none": "There is no open case from the number you are calling from.",
    },
    "es": {
        "paging": "Su caso está abierto. Se está llamando a la {ordinal} persona de la lista.",
        "exhausted": "Su caso está abierto. Se ha llamado a toda la lista y pronto se empieza de nuevo.",
        "owned": "Su caso está abierto y lo tiene {name}.",
        "none": "No hay ningún caso abierto del número desde el que llama.",
    },
}


def case_state(
    phase: str | None, rung: int, owner: str | None, languages: Iterable[str]
) -> tuple[Language, str]:
    """How an open case stands, for the caller who asks; phase None: there is none. rung counts from 1."""
    language = language_of(languages)
    key = "none" if phase is None else "owned" if owner else "exhausted" if phase == "exhausted" else "paging"
    return language, _STATES[language][key].format(ordinal=ordinal(rung, language), name=owner or "")
