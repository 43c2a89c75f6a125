"""Every sentence of the dialogue's own, in English and Spanish. None of them claims what it cannot know."""

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Question(Enum):
    """What the assistant may have asked last. The value is how its sentence begins, by which it is known again."""

    WHAT = "what"
    DANGER = "danger"
    WHERE = "where"
    PLACE_RIGHT = "place_right"
    NUMBER = "number"
    NUMBER_RIGHT = "number_right"
    MESSAGE = "message"
    SAME = "same"
    MORE = "more"


PHRASES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {
        "greeting": "Hello. I am an automated assistant.",
        "what": "Please tell me what has happened.",
        "danger": "Is anyone in danger, or is something being damaged right now?",
        "where": "Where are you? Please tell me the house number, the street and the apartment.",
        "where_else": "Can you see a street sign, or a letter with the address on it?",
        "place_right": "I have the address as {place}. Is that right?",
        "number": "On which number can you be reached? You can also say: this number.",
        "number_right": "I have the number as {number}. Is that right?",
        "message": "I can write down a message. Please tell me your name and what it is about.",
        "same": "There is already a report of {incident}. Is that the same trouble?",
        "more": "Is there anything else?",
        "passing_on": "Thank you. I am passing this on now.",
        "passing_on_danger": "I understand. I am passing this on right now. Stay with me.",
        "passed_on": "It has been passed on.",
        "not_passed_on": "That has not gone through yet. I am still here with you.",
        "updated": "Thank you. I have added that.",
        "stay": "Please stay on the line. I am here with you.",
        "company_1": "I am still here with you. Tell me if anything changes.",
        "company_2": "You are doing well. Are you somewhere safe?",
        "company_3": "I am listening. You can talk to me at any time.",
        "last_known": "The last I know is: {fact}",
        "not_known": "I do not know that yet.",
        "no_promise": "I cannot promise that.",
        "may_not": "I cannot do that for you.",
        "no_way": "I have no way to pass this on.",
        "not_given_out": "I may not give that out.",
        "no_instructions": "I cannot do that. I am here to take your report.",
        "person": "I am an assistant. Please tell me in a few words what has happened.",
        "sorry": "I am sorry, I did not understand you.",
        "still_not": "I am sorry, I still do not understand you. I am passing your call on.",
        "keys_place": "I did not get the address right. Please type the house number on your keys.",
        "keys_number": "I did not get the number right. Please type it on your keys.",
        "keys_silent": "I cannot hear you. If you need help, please press a key.",
        "keys_none": "I could not get that right. A person should ask you again.",
        "are_you_there": "Are you still there?",
        "message_taken": "Your message is written down.",
        "message_lost": "I could not write that down.",
        "wrong_number": "That is all right. Goodbye.",
        "goodbye": "Goodbye.",
        "goodbye_open": "Goodbye. Your report stays open.",
        "own_words": "I hear you. {next}",
        "brief": "The caller reports: {problem}. The address is {place}. The call-back number is {number}.",
        "no_place": "not known",
        "no_number": "not known",
        "no_problem": "nothing that I understood",
        "coach_place": "The address is {place}.",
        "coach_number": "The call-back number is {number}.",
        "coach_problem": "The caller said: {problem}",
        "coach_unknown": "I do not know that.",
        "coach_danger": "Listen: the caller said: {words}",
        "unconfirmed": "The caller has not confirmed it.",
    },
    "es": {
        "greeting": "Hola. Soy un asistente automático.",
        "what": "Por favor, dígame qué ha pasado.",
        "danger": "¿Hay alguien en peligro, o se está dañando algo ahora mismo?",
        "where": "¿Dónde está usted? Dígame la calle, el número y el apartamento.",
        "where_else": "¿Ve usted el letrero de la calle, o una carta con la dirección?",
        "place_right": "Tengo la dirección como {place}. ¿Es correcto?",
        "number": "¿En qué número le podemos localizar? También puede decir: este número.",
        "number_right": "Tengo el número como {number}. ¿Es correcto?",
        "message": "Puedo anotar un mensaje. Dígame su nombre y de qué se trata.",
        "same": "Ya hay un aviso de {incident}. ¿Es el mismo problema?",
        "more": "¿Hay algo más?",
        "passing_on": "Gracias. Lo estoy transmitiendo ahora.",
        "passing_on_danger": "Entiendo. Lo estoy transmitiendo ahora mismo. Quédese conmigo.",
        "passed_on": "Ya está transmitido.",
        "not_passed_on": "Todavía no se ha podido transmitir. Sigo aquí con usted.",
        "updated": "Gracias. Lo he añadido.",
        "stay": "Por favor, no cuelgue. Estoy aquí con usted.",
        "company_1": "Sigo aquí con usted. Dígame si algo cambia.",
        "company_2": "Lo está haciendo bien. ¿Está en un lugar seguro?",
        "company_3": "Le escucho. Puede hablarme en cualquier momento.",
        "last_known": "Lo último que sé es: {fact}",
        "not_known": "Todavía no lo sé.",
        "no_promise": "No puedo prometer eso.",
        "may_not": "No puedo hacer eso por usted.",
        "no_way": "No tengo forma de transmitirlo.",
        "not_given_out": "No puedo dar esa información.",
        "no_instructions": "No puedo hacer eso. Estoy aquí para tomar su aviso.",
        "person": "Soy un asistente. Dígame en pocas palabras qué ha pasado, para llamar a la persona adecuada.",
        "sorry": "Lo siento, no le he entendido.",
        "still_not": "Lo siento, sigo sin entenderle. Estoy pasando su llamada.",
        "keys_place": "No he entendido bien la dirección. Marque el número de la casa en su teléfono.",
        "keys_number": "No he entendido bien el número. Márquelo en su teléfono.",
        "keys_silent": "No le oigo. Si necesita ayuda, pulse una tecla.",
        "keys_none": "No lo he entendido bien. Una persona debería preguntárselo otra vez.",
        "are_you_there": "¿Sigue ahí?",
        "message_taken": "Su mensaje está anotado.",
        "message_lost": "No he podido anotarlo.",
        "wrong_number": "No pasa nada. Adiós.",
        "goodbye": "Adiós.",
        "goodbye_open": "Adiós. Su aviso sigue abierto.",
        "own_words": "Le oigo. {next}",
        "brief": "La persona dice: {problem}. La dirección es {place}. El número es {number}.",
        "no_place": "desconocida",
        "no_number": "desconocido",
        "no_problem": "nada que yo entendiera",
        "coach_place": "La dirección es {place}.",
        "coach_number": "El número es {number}.",
        "coach_problem": "La persona dijo: {problem}",
        "coach_unknown": "No lo sé.",
        "coach_danger": "Atención: la persona dijo: {words}",
        "unconfirmed": "La persona no lo ha confirmado.",
    },
}
# How a read-back and the others are known again although the rest of the sentence was cut off, or differs.
_ALSO: Final = {"where": ("where_else",)}
_BEGINNINGS: Final = {
    question: tuple(
        phrases[name].split("{")[0].strip()
        for phrases in PHRASES.values()
        for name in (question.value, *_ALSO.get(question.value, ()))
    )
    for question in Question
}
_OWN: Final = frozenset(
    beginning
    for phrases in PHRASES.values()
    for phrase_ in phrases.values()
    if len(beginning := phrase_.split("{")[0].strip()) > len("Goodbye.")
)
COMPANY: Final = ("stay", "company_1", "company_2", "company_3")


def phrase(language: str, name: str, **fill: str) -> str:
    """A sentence; in English where the language has none."""
    return PHRASES.get(language, PHRASES["en"])[name].format(**fill)


def question_in(text: str) -> Question | None:
    """The question that somebody who heard this was asked last. Half of it heard is asked."""
    found = [
        (text.rfind(beginning[: max(12, len(beginning) // 2)]), question)
        for question, beginnings in _BEGINNINGS.items()
        for beginning in beginnings
        if beginning[: max(12, len(beginning) // 2)] in text
    ]
    return max(found, key=lambda one: one[0])[1] if found else None


def is_own(text: str) -> bool:
    """Whether a sentence of the dialogue's own is in it, and not only what it was ordered to say."""
    return any(beginning in text for beginning in _OWN)
