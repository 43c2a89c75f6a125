"""What the AI may not say of its own: that somebody comes, when, who, or that emergency services were called.

True things about people and times are rendered from state and said word for word, under a fact's id. Whatever
else the AI says is read here, clause by clause; what it cannot know is a false claim and must be corrected
aloud. A clause that denies, doubts or asks claims nothing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from workflows.danger import plain


class Claim(StrEnum):
    """What was claimed without a fact behind it."""

    SERVICES = "that emergency services were called or are coming"
    COMING = "that somebody is coming or will call"
    TIME = "a time"
    PERSON = "who has it or comes"
    CLOSED = "that it is solved or closed"
    NUMBER = "a telephone number that the caller did not give"
    OTHERS = "what somebody else has told"
    INSTRUCTIONS = "what it was told to be"


LEAKS = frozenset({Claim.NUMBER, Claim.OTHERS, Claim.INSTRUCTIONS})
"""What is no claim but must not be said either; it cannot be unsaid, only withdrawn."""


@dataclass(frozen=True)
class Known:
    """What is true now, as far as the AI may speak of it.

    owner: who has taken it. names: people the caller was told of, then or now. closed: the case is over.
    numbers: telephone numbers of this call, as digits. secrets: words that are not the caller's to hear.
    """

    owner: str | None = None
    names: tuple[str, ...] = ()
    closed: bool = False
    numbers: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


_SERVICES = (
    r"\b(?:ambulance|paramedics?|police|fire (?:brigade|department|service|truck|engine)|firefighters?"
    r"|emergency services?|911|112|999|ambulancia|policia|bomberos)\b"
)
# What the caller has done or may do, and we do not claim to have done.
_THEIR_CALL = (
    r"\byou(?:ve)?(?: \w+){0,2} (?:call|dial|rang|ring|phone|notif|inform|alert|contact|sent|send)"
    r"|\busted(?: \w+){0,2} (?:llam|avis)"
)
_OTHERS = (
    r"\b(?:(?:another|(?:the|an)other|a different|the last) (?:caller|tenant|resident|patient|customer)"
    r"|(?:the|your|a) (?:neighbou?r|tenant)|mrs|mr|ms|otro vecino|su vecina?|la senora|el senor)\b"
    r".*\b(?:called|reported|said|says|told|left|lives?|dijo|llamo|vive)\b"
)
_SENT = (
    r"\b(?:called|call(?:ing)? (?:them|an|the) |sent|sending|dispatched|notified|informed|alerted|contacted"
    r"|coming|arriving|arrives?|on (?:its|the|their) way|en camino|llamado|avisado|enviado|mandado|llega|viene)"
)
_SOMEBODY = (
    r"(?:help|somebody|someone|(?:an?|the|our|your) (?:\w+ )?(?:engineer|plumber|electrician|technician|doctor"
    r"|nurse|locksmith|colleague|person|team|crew|responder)|they|he|she|we|i|it"
    r"|alguien|ayuda|(?:un|una|el|la|nuestro|nuestra) (?:\w+ )?(?:tecnico|tecnica|fontanero|electricista|medico"
    r"|medica|ingeniero|ingeniera|persona|equipo))"
)
_COMES = (
    r"(?:on (?:the|its|his|her|their|my) way|en route"
    r"|(?:is|are|s|re) (?:now )?(?:coming|heading|driving|arriving)"
    r"|will (?:soon |shortly |definitely )?(?:come|arrive|be there|be with you|be here|get there|reach you)"
    r"|ll (?:soon |shortly |definitely )?(?:come|arrive|be there|be with you|be here|get there)"
    r"|will (?:call|ring|phone) (?:you|back)|ll (?:call|ring|phone) (?:you|back)"
    r"|(?:sent|sending|dispatched|dispatching)(?!\w)"
    r"|en camino|esta viniendo|viene hacia|vendra|llegara|va a (?:llegar|venir)|le llamara|he enviado|he mandado)"
)
_NUMBER = (
    r"(?:\d+|a few|a couple of|half an|an?|one|two|three|four|five|ten|fifteen|twenty|thirty"
    r"|unos|dos|tres|cinco|diez|quince|veinte|treinta|media|una)"
)
_WHEN = (
    rf"(?:\b(?:in|within|en|dentro de) (?:about |less than |around |the next |menos de |unos )?{_NUMBER} ?"
    r"(?:more )?(?:seconds?|minutes?|hours?|minutos?|horas?)\b"
    r"|\bany (?:minute|moment|second)\b|\bby \d{1,2}(?: ?:? ?\d{2})?\b|\bbefore \d{1,2}\b|\ba las \d{1,2}\b"
    r"|\b(?:soon|shortly|right away|immediately|enseguida|pronto|ahora mismo)\b)"
)
_TAKEN = (
    r"\b(?:has taken|has accepted|has it|took your|will take|is joining|se ocupa|ha aceptado|se conecta)\b"
)
_CLOSED = (
    r"\b(?:your|the|this|su|el) (?:case|problem|issue|emergency|caso|problema) "
    r"(?:is|has been|was|esta|ha sido) (?:now )?(?:closed|resolved|solved|fixed|over|cerrado|resuelto)\b"
)
_HEDGED = (
    r"(?<!\w)(?:not|no|cannot|cant|dont|doesnt|isnt|arent|wont|havent|hasnt|nobody|no one|never|whether|if|when"
    r"|until|unless|as soon as|once|how long|why|who|try|trying|hope|may|might|could|would|should|please|ask"
    r"|asking|did|do you|are you|have you|were you|nadie|nunca|si|cuando|hasta|quiza|quizas|puede|podria|intento)(?!\w)"
)
SHORTEST_NUMBER = 7  # digits; what is shorter is a house, a time, an emergency number
RECITED = 7  # words in a row that nobody says by chance
_DIGITS: Mapping[str, str] = {
    word: str(digit)
    for words in (
        "zero one two three four five six seven eight nine",
        "cero uno dos tres cuatro cinco seis siete ocho nueve",
    )
    for digit, word in enumerate(words.split())
} | {"oh": "0"}
_CLAUSES = re.compile(r"\s*(?:[.;:!,]|(?<!\w)(?:but|and|because|so|pero|y|porque|asi que)(?!\w))\s*")
_SENTENCES = re.compile(r"[^.!?¿¡]*[.!?]?")


def false_claims(text: str, known: Known) -> tuple[Claim, ...]:
    """What these words of the AI claim and nothing true stands behind, each kind once. Both languages at once."""
    found: dict[Claim, None] = dict.fromkeys(_leaks(text, known))
    for sentence in _SENTENCES.findall(text):
        if sentence.rstrip().endswith("?"):
            continue
        for clause in _CLAUSES.split(plain(sentence)):
            found |= dict.fromkeys(_claims(clause, known))
    return tuple(found)


def _leaks(text: str, known: Known) -> Iterable[Claim]:
    if any(not _given(number, known.numbers) for number in numbers_in(text)):
        yield Claim.NUMBER
    if any(re.search(_OTHERS, plain(sentence)) for sentence in _SENTENCES.findall(text)):
        yield Claim.OTHERS
    said = _runs(text)
    if any(said & _runs(secret) for secret in known.secrets):
        yield Claim.INSTRUCTIONS


def numbers_in(text: str) -> list[str]:
    """Every telephone number in these words, spoken or written, as digits."""
    words: list[str] = re.findall(r"\w+", plain(text))
    spoken = " ".join(_DIGITS.get(word, word) for word in words)
    runs: list[str] = re.findall(r"\d(?: ?\d)*", spoken)
    return [digits for run in runs if len(digits := run.replace(" ", "")) >= SHORTEST_NUMBER]


def _given(number: str, given: Iterable[str]) -> bool:
    """Whether it is one of these, with or without what stands before the last seven digits."""
    return any(number[-SHORTEST_NUMBER:] == known[-SHORTEST_NUMBER:] for known in given)


def _runs(text: str) -> set[tuple[str, ...]]:
    """Every so many words of a text that stand together."""
    words = re.findall(r"\w+", plain(text))
    return {tuple(words[at : at + RECITED]) for at in range(len(words) - RECITED + 1)}


def _claims(clause: str, known: Known) -> Iterable[Claim]:
    if not clause or re.search(_HEDGED, clause):
        return
    if re.search(_SERVICES, clause) and re.search(_SENT, clause) and not re.search(_THEIR_CALL, clause):
        yield Claim.SERVICES
        return
    comes = re.search(rf"(?<!\w){_SOMEBODY}(?:s|ll|ve|m|re)?(?!\w).*{_COMES}", clause) is not None
    named = [name for name in known.names if re.search(rf"(?<!\w){re.escape(plain(name))}(?!\w)", clause)]
    if comes or (named and re.search(_COMES, clause)):
        yield Claim.COMING
        if re.search(_WHEN, clause):
            yield Claim.TIME
    elif (
        re.search(_SOMEBODY, clause) and re.search(_WHEN, clause) and re.search(r"\b(?:will|ll|be)\b", clause)
    ):
        yield Claim.TIME
    if re.search(_TAKEN, clause):
        owner = plain(known.owner) if known.owner else None
        if owner is None or any(plain(name) != owner for name in named):
            yield Claim.PERSON
    if not known.closed and re.search(_CLOSED, clause):
        yield Claim.CLOSED
