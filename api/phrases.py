"""What the door says to callers and responders beside the facts, which are rendered in `workflows.sentences`.

Languages as there: en, es. A caller is spoken to in the line's first language that we speak, a responder in
their own.
"""

from typing import Literal

from workflows.sentences import Language
from workflows.values import ActReply, Severity, Verdict

Spoken = tuple[str, str]
"""A language and a sentence in it."""

Phrase = Literal[
    "unknown_number",
    "stay",
    "when_called",
    "leave_message",
    "message_taken",
    "no_message",
    "goodbye",
    "one_moment",
    "on_hold",
    "cannot_look",
    "not_understood",
    "connecting",
    "duty_is_rung",
    "helped",
    "nobody_answered",
    "screen",
    "test",
    "several",
    "offer",
    "join_offer",
    "nothing_left",
    "taken_by",
    "wrong_key",
    "case_closed",
    "unconfirmed_joining",
    "unconfirmed",
    "ring_back",
    "room_menu",
    "room_menu_rejoin",
    "room_menu_ring",
    "cannot_ring",
    "back_to_room",
    "alert_says",
    "press_number",
    "press_house_number",
    "press_yes_or_no",
]

_PHRASES: dict[Language, dict[Phrase, str]] = {
    "en": {
        "unknown_number": "Sorry, this number is not in service. Goodbye.",
        "stay": "Thank you. Please stay on the line. You will be told what is happening.",
        "when_called": "When you have called, press 1. Or stay on the line.",
        "leave_message": "Please leave your message after the tone, and press the hash key when you are done.",
        "message_taken": "Thank you. Your message will be passed on. Goodbye.",
        "no_message": "No message was recorded. Goodbye.",
        "goodbye": "Goodbye.",
        "on_hold": "You are on hold for a moment. You are not forgotten.",
        "one_moment": "One moment, please.",
        "cannot_look": "I cannot look that up at this moment.",
        "press_number": "Please press the telephone number, and then the hash key.",
        "press_house_number": "Please press the house number, and then the hash key.",
        "press_yes_or_no": "Press 1 for yes, or 2 for no.",
        "not_understood": "I did not understand that.",
        "connecting": "Connecting you now.",
        "duty_is_rung": "You have reached {line}. The people on duty are being rung, one after another."
        " Please stay on the line.",
        "helped": "If you have been helped, hang up. Otherwise, please stay on the line.",
        "nobody_answered": "Nobody has answered yet. Please say your name, your number and what has happened"
        " after the tone.",
        "screen": "This is {line}. A caller is waiting with an emergency. Press {key} to talk to them.",
        "test": "This is a test.",
        "several": "There are {count} cases for you.",
        "offer": "Press {accept} to take it, press {decline} to pass.",
        "join_offer": "You have it. Press {accept} to join the caller.",
        "nothing_left": "There is nothing left to do. Thank you.",
        "taken_by": "This has been taken by {name}. Thank you.",
        "wrong_key": "That key has no meaning here.",
        "case_closed": "This case is closed. Thank you.",
        "unconfirmed_joining": "I cannot confirm this now. I am joining you with the caller.",
        "unconfirmed": "I cannot confirm this now. It has been written down.",
        "ring_back": "Press 1 to ring the caller back through the line.",
        "room_menu": "Press 1 if it is resolved. Press 3 to hand it over to the next person.",
        "room_menu_rejoin": "Press 2 to go back to the caller.",
        "room_menu_ring": "Press 4 to ring the caller back through the line.",
        "cannot_ring": "There is no number that can be rung.",
        "back_to_room": "You are going back to the caller.",
        "alert_says": "The alert says: {summary}",
    },
    "es": {
        "unknown_number": "Lo sentimos, este número no está en servicio. Adiós.",
        "stay": "Gracias. No cuelgue, por favor. Le iremos informando.",
        "when_called": "Cuando haya llamado, pulse 1. O espere en la línea.",
        "leave_message": "Deje su mensaje después de la señal y pulse almohadilla al terminar.",
        "message_taken": "Gracias. Su mensaje será entregado. Adiós.",
        "no_message": "No se ha grabado ningún mensaje. Adiós.",
        "goodbye": "Adiós.",
        "on_hold": "Le hemos puesto en espera un momento. No le hemos olvidado.",
        "one_moment": "Un momento, por favor.",
        "cannot_look": "No puedo consultarlo en este momento.",
        "press_number": "Marque, por favor, el número de teléfono y después la tecla almohadilla.",
        "press_house_number": "Marque, por favor, el número de la casa y después la tecla almohadilla.",
        "press_yes_or_no": "Pulse 1 para sí, o 2 para no.",
        "not_understood": "No le he entendido.",
        "connecting": "Le conecto ahora.",
        "duty_is_rung": "Ha llamado a {line}. Se está llamando a las personas de guardia, una tras otra."
        " No cuelgue, por favor.",
        "helped": "Si ya le han atendido, cuelgue. Si no, espere en la línea, por favor.",
        "nobody_answered": "Nadie ha contestado todavía. Diga después de la señal su nombre, su número y"
        " qué ha ocurrido.",
        "screen": "Le llama {line}. Una persona espera con una emergencia. Pulse {key} para hablar con ella.",
        "test": "Esto es una prueba.",
        "several": "Hay {count} casos para usted.",
        "offer": "Pulse {accept} para aceptarlo, pulse {decline} para pasarlo.",
        "join_offer": "Es suyo. Pulse {accept} para hablar con quien llama.",
        "nothing_left": "No queda nada por hacer. Gracias.",
        "taken_by": "{name} se ocupa de esto. Gracias.",
        "wrong_key": "Esa tecla no sirve aquí.",
        "case_closed": "Este caso está cerrado. Gracias.",
        "unconfirmed_joining": "No puedo confirmarlo ahora. Le conecto con quien llama.",
        "unconfirmed": "No puedo confirmarlo ahora. Ha quedado anotado.",
        "ring_back": "Pulse 1 para llamar a esa persona a través de la línea.",
        "room_menu": "Pulse 1 si está resuelto. Pulse 3 para pasarlo a la siguiente persona.",
        "room_menu_rejoin": "Pulse 2 para volver con quien llama.",
        "room_menu_ring": "Pulse 4 para llamar a esa persona a través de la línea.",
        "cannot_ring": "No hay ningún número al que llamar.",
        "back_to_room": "Vuelve con quien llama.",
        "alert_says": "El aviso dice: {summary}",
    },
}

_SEVERITIES: dict[Language, dict[Severity, str]] = {
    "en": {
        Severity.LIFE: "Danger to life.",
        Severity.URGENT: "It is urgent.",
        Severity.ROUTINE: "It is routine.",
    },
    "es": {
        Severity.LIFE: "Peligro de muerte.",
        Severity.URGENT: "Es urgente.",
        Severity.ROUTINE: "No es urgente.",
    },
}

_VERDICTS_ES: dict[Verdict, str] = {
    Verdict.YOURS: "Es suyo.",
    Verdict.TAKEN: "Ya se ocupa {owner}. Gracias.",
    Verdict.DECLINED: "De acuerdo.",
    Verdict.RESOLVED: "Resuelto.",
    Verdict.CANCELLED: "Cancelado.",
    Verdict.OVER: "Este caso ya está cerrado. Gracias.",
    Verdict.REFUSED: "Eso no es posible.",
}


def phrase(which: Phrase, language: Language, **fields: object) -> Spoken:
    """A phrase in this language, its fields filled in."""
    return language, template(which, language).format(**fields)


def template(which: Phrase, language: Language) -> str:
    """A phrase with its fields still open."""
    return _PHRASES[language][which]


def severity(of: Severity, language: Language) -> Spoken:
    """How bad it is."""
    return language, _SEVERITIES[language][of]


def verdict(reply: ActReply, language: Language) -> Spoken:
    """The workflow's reply; it speaks English, other languages are rendered from what it says is so."""
    if language == "en":
        return language, reply.sentence
    return language, _VERDICTS_ES[reply.verdict].format(owner=reply.owner or "otra persona")
