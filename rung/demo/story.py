"""What happened on the telephone network, as a story: the sandbox's journal in words. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

AI = "the AI"

Record = Mapping[str, Any]


def about(record: Record) -> Mapping[str, Any]:
    """A record's details."""
    details: Mapping[str, Any] = record.get("details") or {}
    return details


@dataclass(frozen=True)
class Sentence:
    """One line of the story, and the instant it happened. loud: somebody would remember it."""

    at: datetime
    text: str
    loud: bool = False


class Story:
    """Turns records into sentences; remembers whose leg is whose."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """names: whose number is whose."""
        self._names = names
        self._legs: dict[str, str] = {}
        self._joined = "the responder"

    def tell(self, record: Record) -> Iterator[Sentence]:
        """The sentences this record is worth, often none."""
        at = datetime.fromisoformat(str(record["at"]))
        details = about(record)
        kind = str(record["kind"])
        leg = str(record.get("call") or "")
        if kind == "call.created":
            self._legs[leg] = self._whose(record, details)
        who = self._legs.get(leg) or self._whose(record, details)
        for text, loud in self._words(kind, who, details):
            yield Sentence(at, text, loud)

    def _whose(self, record: Record, details: Mapping[str, Any]) -> str:
        """The person at the far end of a leg."""
        for number in (record.get("number"), details.get("to"), details.get("from")):
            if number in self._names:
                return self._names[str(number)]
            if str(number).startswith("app:"):
                return AI
        return str(record.get("number") or "somebody")

    def _words(self, kind: str, who: str, details: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
        match kind:
            case "call.created" if details.get("direction") == "inbound":
                yield f"{who} rings the line", True
            case "call.ringing" if who not in {"caller", AI}:
                yield f"{who}'s phone rings", True
            case "call.answered" if who not in {"caller", AI}:
                yield f"{who}'s phone is answered", False
            case "call.ended":
                yield f"{who}: call over ({details.get('status')})", False
            case "leg.heard" if details.get("sound") in {"say", "announcement"} and details.get("text"):
                cut = "" if details.get("whole", True) else " …"
                yield f"{who} hears: “{details['text']}{cut}”", False
            case "leg.said" if str(details.get("text") or "").strip():
                yield f"{who} says: “{details.get('text')}”", False
            case "leg.keys":
                yield f"{who} presses {details.get('digits')}", True
            case "message.status" if details.get("status") == "delivered":
                yield f"SMS to {self._names.get(str(details.get('to')), who)} delivered", False
            case "push":
                yield f"push to {details.get('person')}", False
            case "stream.started":
                yield "the AI's stream is open: the bridge has it", False
            case "conference":
                yield from self._room(who, details)
            case _:
                return

    def _room(self, who: str, details: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
        match details.get("event"):
            case "participant-join":
                if who not in {"caller", AI}:
                    self._joined = who
                yield f"{who} is in the conference", True
            case "participant-leave":
                yield f"{who} leaves the conference", True
            case "participant-mute" | "participant-unmute":
                yield f"{who} is {str(details['event']).removeprefix('participant-')}d", False
            case "participant-modify":
                whom = (
                    f"{self._joined}, who alone can hear it" if details.get("coaching") else "nobody any more"
                )
                yield f"{who} coaches {whom}", True
            case "conference-end":
                yield "the conference is over", True
            case _:
                return
