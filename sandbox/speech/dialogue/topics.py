"""What somebody is talking about: kinds of trouble, how bad they are, and by which names a client may call them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from sandbox.speech.dialogue.words import plain


class Severity(Enum):
    LIFE = "life"
    URGENT = "urgent"
    ROUTINE = "routine"


@dataclass(frozen=True)
class Topic:
    """stems: what the client's names for it may contain."""

    name: str
    severity: Severity
    words: str
    stems: Sequence[str]


TOPICS: Sequence[Topic] = (
    Topic(
        "medical", Severity.LIFE,
        r"chest pains?|heart attack|(?:not|n't|cannot|no longer|hardly|barely) breath\w*"
        r"|breath\w*|chok(?:ed|ing)|drown\w*|unresponsive|need an ambulance"
        r"|unconscious|passed out|collaps\w+|faint(?:ed|ing)|not responding|won't wake|will not wake"
        r"|not waking|stroke|seizure|bleeding|overdosed?|(?:too many|took|swallowed) (?:\w+ )?pills|poison\w*"
        r"|suicid\w+|kill myself|hurt myself|hurt badly|badly hurt|is hurt|dying|going to die"
        r"|dolor (?:en el|de) pecho|no respira|no puedo respirar|inconsciente|desmay\w+|sangr\w+|infarto|se muere",
        ("medical", "health", "patient", "medic", "life", "danger", "emergency"),
    ),
    Topic(
        "gas", Severity.LIFE,
        r"smells? (?:of |like )?gas|smell\w* gas|gas leak|gas smell|carbon monoxide|leaking gas|gas is leaking"
        r"|huele a gas|olor a gas|fuga de gas",
        ("gas", "smoke", "fire", "life", "danger", "emergency"),
    ),
    Topic(
        "fire", Severity.LIFE,
        r"fire|flames|smoke|burning|on fire|sparks?|sparking|incendio|fuego|humo|llamas",
        ("fire", "smoke", "gas", "life", "danger", "emergency"),
    ),
    Topic(
        "violence", Severity.LIFE,
        r"gun|knife|attack(?:ed|ing)|break(?:ing)? in|intruder|burglar|pistola|cuchillo|ladr[oó]n",
        ("security", "violence", "police", "life", "danger", "emergency"),
    ),
    Topic(
        "child", Severity.LIFE,
        r"(?:my )?(?:mommy|mummy|daddy)|i am (?:[4-9]|four|five|six|seven|eight|nine)(?: years old)?$|mi mam[aá] no",
        ("life", "danger", "emergency", "medical"),
    ),
    Topic(
        "water", Severity.URGENT,
        r"water|leak\w*|flood\w*|burst|pipes?|sewage|toilet|drain\w*|ceiling|sink|plumb\w*"
        r"|agua|inund\w+|fuga|gotera|tuber[ií]a|ca[ñn]er[ií]a|techo",
        ("water", "plumb", "leak", "flood", "pipe", "building", "property"),
    ),
    Topic(
        "heating", Severity.URGENT,
        r"no heat\w*|heat(?:er|ing)?|furnace|boiler|freezing|cold|calefacci[oó]n|caldera|fr[ií]o",
        ("heat", "boiler", "hvac", "building", "property"),
    ),
    Topic(
        "electrical", Severity.URGENT,
        r"power|electric\w*|outlet|breaker|panel|lights? (?:is|are|went) out|luz|electricidad|enchufe",
        ("electr", "power", "heating", "building", "property"),
    ),
    Topic(
        "elevator", Severity.URGENT,
        r"elevator|lift is|stuck inside|trapped|ascensor|atrapad\w+",
        ("elevator", "lift", "building", "property"),
    ),
    Topic(
        "lockout", Severity.ROUTINE,
        r"locked out|lost (?:my )?keys?|locked myself|key broke|sin llaves|dej[eé] las llaves",
        ("lock", "key", "access", "building"),
    ),
    Topic(
        "medication", Severity.URGENT,
        r"medication|medicine|prescription|dose|insulin|inhaler|fever|medicina|medicamento|receta|fiebre",
        ("medic", "pharma", "nurse", "patient", "health"),
    ),
    Topic(
        "outage", Severity.URGENT,
        r"server|network|internet|website|database|outage|systems? (?:is|are) down|is down|servidor|red ca[ií]da",
        ("server", "network", "outage", "it", "system", "service"),
    ),
)  # fmt: skip

WAITS = re.compile(
    r"\b(?:appointment|reschedule|cancel my|bill|billing|invoice|rent|paperwork|opening hours|when do you open"
    r"|leave a message|take a message|call me (?:back )?tomorrow|refill|not urgent|no rush|can wait"
    r"|cita|factura|alquiler|dejar un mensaje|no es urgente)\b"
)
_DENIED = re.compile(
    r"(?:\b(?:no|not|never|without|isn't|aren't|nobody|no one|none|sin|nadie|ning[uú]n\w*)(?: \w+)?\s)$"
)


def topics_of(text: str) -> Iterator[Topic]:
    """What is spoken of, the most dangerous first; what is denied is not."""
    said = plain(text)
    for topic in TOPICS:
        for found in re.finditer(rf"\b(?:{topic.words})\b", said):
            if topic.severity is Severity.LIFE and _DENIED.search(said[: found.start()]):
                continue
            yield topic
            break


def can_wait(text: str) -> bool:
    return WAITS.search(plain(text)) is not None
