"""People with telephones, in the words of a story: who rings, answers, hears, presses and hangs up.

A phone that nobody has told otherwise rings until a story picks it up: the hand is the story's.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from tests.night.installation import Installation
from tests.night.journal import Record
from tests.night.owners_file import Line, Person
from workflows.values import CallSid, EscalationId

TAKES = {"answer": 1, "steps": [{"press_heard": r"press (\d) to (?:take it|join)"}, "stay"]}
PASSES = {"answer": 1, "steps": [{"press_heard": r"press (\d) to pass"}, "stay"]}
JOINS = {"answer": 1, "steps": [{"press_heard": r"press (\d) to join"}, "stay"]}
VOICEMAIL = {"voicemail": 1, "greeting": 1, "says": "Please leave a message.", "records": 30}
SHORT_VOICEMAIL = {**VOICEMAIL, "greeting": 0, "records": 1}

SPOKEN = {"say", "announcement"}


@dataclass
class Leg:
    """One telephone call, at the end that a person holds."""

    night: Installation
    sid: CallSid
    number: str
    heard_to: int = 0

    async def picks_up(self) -> "Leg":
        """Answer it."""
        await self.night.asks("POST", f"/calls/{self.sid}/answer")
        return self

    async def presses(self, digits: str) -> None:
        """Press keys, all at once."""
        await self.night.asks("POST", f"/calls/{self.sid}/press", {"digits": digits})

    async def hangs_up(self) -> None:
        """Hang up; a call that is over already stays so."""
        await self.night.sandbox.post(f"/calls/{self.sid}/hangup")

    async def hears(self, pattern: str, within_s: float = 30.0) -> re.Match[str]:
        """Wait until this is heard, after whatever was heard of before."""
        wanted = re.compile(pattern, re.IGNORECASE)
        record = await self.night.journal.first(
            f"{self.number} hears {pattern!r}",
            lambda r: r.kind == "leg.heard" and r.call == self.sid and bool(wanted.search(r.says("text"))),
            after=self.heard_to,
            within_s=within_s,
        )
        self.heard_to = record.seq
        found = wanted.search(record.says("text"))
        assert found is not None
        return found

    async def hears_or_is_cut_off(self, pattern: str, within_s: float = 30.0) -> re.Match[str] | None:
        """Wait until this is heard; None where the call ends before."""
        wanted = re.compile(pattern, re.IGNORECASE)
        record = await self.night.journal.first(
            f"{self.number} hears {pattern!r}, or its call ends",
            lambda r: (
                r.call == self.sid
                and (
                    r.kind == "call.ended" or (r.kind == "leg.heard" and bool(wanted.search(r.says("text"))))
                )
            ),
            within_s=within_s,
        )
        return wanted.search(record.says("text"))

    async def is_asked(self, within_s: float = 30.0) -> None:
        """Wait until a key is wanted of it."""
        record = await self.night.journal.first(
            f"{self.number} is asked for a key",
            lambda r: r.kind == "twiml" and r.call == self.sid and r.says("verb") == "gather",
            after=self.heard_to,
            within_s=within_s,
        )
        self.heard_to = record.seq

    async def is_being_told(self) -> None:
        """Wait until an answer to its key begins."""
        pressed = await self.night.journal.first(
            f"{self.number} presses a key", lambda r: r.kind == "leg.keys" and r.call == self.sid
        )
        await self.night.journal.first(
            f"{self.number} gets an answer",
            lambda r: r.kind == "twiml" and r.call == self.sid,
            after=pressed.seq,
        )

    async def presses_when_asked(self, key: str) -> None:
        """Press a key, and again whenever it is asked for anew, until the call goes on, or is over.

        A key is lost while no document listens for it, and where the door is away: then one is asked again.
        """
        while True:
            before = self.night.journal.last
            await self.presses(key)
            record = await self.night.journal.first(
                f"{self.number} is asked again, or led on",
                lambda r: (
                    r.call == self.sid
                    and (
                        r.kind == "call.ended"
                        or (r.kind == "twiml" and r.says("verb") in {"gather", "dial", "hangup"})
                    )
                ),
                after=before,
                within_s=60,
            )
            if record.kind == "call.ended" or record.says("verb") != "gather":
                return

    async def takes_it(self) -> None:
        """Hear it out, and press the key for *mine*."""
        await self.presses((await self.hears(r"press (\d) to take it"))[1])

    async def is_in_a_room(self, within_s: float = 30.0, *, after: int = 0) -> str:
        """Wait until it is in a conference; which."""
        record = await self.night.journal.first(
            f"{self.number} is in a room",
            lambda r: is_event(r, "participant-join") and r.call == self.sid,
            after=after,
            within_s=within_s,
        )
        return record.conference or ""

    async def leaves_the_room(self, within_s: float = 30.0, *, after: int = 0) -> None:
        """Wait until it has left its conference."""
        await self.night.journal.first(
            f"{self.number} leaves the room",
            lambda r: is_event(r, "participant-leave") and r.call == self.sid,
            after=after,
            within_s=within_s,
        )

    async def is_over(self, within_s: float = 30.0) -> str:
        """Wait until the call has ended; Twilio's word for how."""
        record = await self.night.journal.first(
            f"the call of {self.number} ends",
            lambda r: r.kind == "call.ended" and r.call == self.sid,
            within_s=within_s,
        )
        return record.says("status")

    async def everything_heard(self) -> str:
        """All that was said to this end."""
        answer = await self.night.asks("GET", f"/calls/{self.sid}/heard")
        return str(answer["text"])


@dataclass
class Phone:
    """A person's telephone."""

    night: Installation
    person: Person
    rung_to: int
    told_to: int

    async def does(self, *calls: object, texts: object = None) -> None:
        """What it does with the next calls, and messages, without anybody's hand; the last repeats."""
        behaviour: dict[str, Any] = {"calls": list(calls)} if calls else {}
        if texts is not None:
            behaviour["texts"] = [texts]
        await self.night.asks("POST", f"/phones/{self.person.number}", behaviour)

    async def rings(self, within_s: float = 30.0) -> Leg:
        """Wait for its next call."""
        record = await self.night.journal.first(
            f"{self.person.key} is rung",
            lambda r: r.kind == "call.ringing" and r.number == self.person.number,
            after=self.rung_to,
            within_s=within_s,
        )
        self.rung_to = record.seq
        return Leg(self.night, CallSid(record.call or ""), self.person.number)

    async def is_called(self, within_s: float = 30.0) -> Leg:
        """Wait for a call to it, whether or not it then rings."""
        record = await self.night.journal.first(
            f"{self.person.key} is called",
            lambda r: r.kind == "call.created" and r.says("to") == self.person.number,
            after=self.rung_to,
            within_s=within_s,
        )
        self.rung_to = record.seq
        return Leg(self.night, CallSid(record.call or ""), self.person.number)

    async def is_told(self, pattern: str = "", within_s: float = 30.0) -> re.Match[str]:
        """Wait for the next SMS with these words."""
        wanted = re.compile(pattern, re.IGNORECASE)
        record = await self.night.journal.first(
            f"{self.person.key} is sent {pattern!r}",
            lambda r: (
                r.kind == "message.created"
                and r.says("to") == self.person.number
                and bool(wanted.search(r.says("body")))
            ),
            after=self.told_to,
            within_s=within_s,
        )
        self.told_to = record.seq
        found = wanted.search(record.says("body"))
        assert found is not None
        return found

    async def writes(self, to: Line, body: str) -> None:
        """Send an SMS to a line."""
        await self.night.asks("POST", "/text", {"from": self.person.number, "to": to.number, "body": body})


@dataclass
class Story:
    """One line's night: its caller and its people, from this instant on."""

    night: Installation
    line: Line
    began: int = field(init=False)
    people: dict[str, Phone] = field(init=False)

    def __post_init__(self) -> None:
        self.began = self.night.journal.last
        prefix = f"{self.line.key}-"
        self.people = {
            person.key.removeprefix(prefix): Phone(self.night, person, self.began, self.began)
            for person in self.line.people
        }

    def __getitem__(self, name: str) -> Phone:
        """Somebody of this line."""
        return self.people[name]

    def calls(self, name: str) -> list[Record]:
        """The calls that were placed to somebody of this line."""
        number = self[name].person.number
        return [
            record
            for record in self.night.journal.since(self.began)
            if record.kind == "call.created" and record.says("to") == number
        ]

    async def is_rung(self, *steps: object, caller: str | None = None) -> Leg:
        """Somebody rings the line; their hand is the story's, after these steps."""
        number = caller or self.line.caller
        dialled = await self.night.asks(
            "POST", "/dial", {"from": number, "to": self.line.number, "steps": [*steps, "stay"]}
        )
        return Leg(self.night, CallSid(str(dialled["call"])), number)

    async def reports(self, caller: Leg, *, asked: bool = False) -> EscalationId:
        """The caller chooses *emergency*, then its kind. asked: the menu is being said already."""
        if not asked:
            await caller.is_asked()
        await caller.presses("1")
        await caller.is_asked()
        await caller.presses("1")
        return EscalationId(f"escalation-{caller.sid}")


def is_event(record: Record, event: str) -> bool:
    """Whether this is a conference event of that name."""
    return record.kind == "conference" and record.says("event") == event
