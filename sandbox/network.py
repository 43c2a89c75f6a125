"""The whole network in one object: the Python API, and the place where the parts are joined."""

from itertools import islice
from pathlib import Path
from typing import cast

from sandbox.assumptions import Assumptions
from sandbox.audio import Audio
from sandbox.calls import Call, CallBook, Progress
from sandbox.clips import Clips
from sandbox.clock import Clock, RealClock
from sandbox.conference import Room
from sandbox.directory import Application, Directory, Hooks, Number
from sandbox.errors import TownError, Unknown
from sandbox.exchange import Exchange
from sandbox.faults import Faults
from sandbox.handset import Handset
from sandbox.http import Http
from sandbox.ids import ApplicationSid, CallSid, MessageSid, Sids
from sandbox.interpreter import Interpreter
from sandbox.journal import KEPT_RECORDS, Journal, Kind
from sandbox.messages import Post
from sandbox.phones import Phone, Step
from sandbox.rate import CallRate
from sandbox.recordings import Recordings
from sandbox.rooms import Rooms
from sandbox.sound.plane import Plane
from sandbox.sound.speech import Speech
from sandbox.sound.studio import Studio
from sandbox.streams import Streams
from sandbox.tapes import Tapes
from sandbox.twiml import Method
from sandbox.webhooks import Webhooks
from sandbox.world import Account, World

MOST_DOCUMENTS = 64
LONGEST_DOCUMENT = 65_536


class StaticHost(dict[str, str]):
    """Documents of *the other host*, by name."""

    def __setitem__(self, name: str, text: str) -> None:
        if len(text) > LONGEST_DOCUMENT or (name not in self and len(self) >= MOST_DOCUMENTS):
            message = f"the static host takes {MOST_DOCUMENTS} documents of {LONGEST_DOCUMENT} characters"
            raise ValueError(message)
        super().__setitem__(name, text)


class Network:
    """A telephone network with one account on it; docs/sandbox.md is its manual."""

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        account: Account | None = None,
        seed: int = 0,
        calls_per_second: float = 1.0,
        segments_per_second: float = 1.0,
        assumptions: Assumptions | None = None,
        public_url: str = "http://sandbox.invalid",
        speech: Speech | None = None,
        journal: int = KEPT_RECORDS,
    ) -> None:
        """speech: voice and ears of a network with sound; without, what is spoken travels as text.

        journal: how many records are kept, the newest.
        """
        self.clock: Clock = clock or RealClock()
        self._http = Http()
        self.journal = Journal(self.clock, journal)
        self.faults = Faults(seed)
        self.world = World(
            account=account or Account(),
            clock=self.clock,
            sids=Sids(seed),
            journal=self.journal,
            faults=self.faults,
            assumptions=assumptions or Assumptions(),
            public_url=public_url,
            studio=None if speech is None else Studio(speech, Plane(self.clock)),
        )
        webhooks = Webhooks(self.world, self._http)
        self.directory = Directory(self.world)
        self.calls = CallBook(self.world)
        progress = Progress(self.world, self.calls, webhooks)
        clips = Clips(self.world, webhooks)
        self.rooms = Rooms(self.world, webhooks, Audio(self.world, webhooks, clips))
        self.streams = Streams(self.world, webhooks)
        self.recordings = Recordings(self.world)
        interpreter = Interpreter(self.world, webhooks, self.rooms, self.streams, self.recordings, clips)
        self.exchange = Exchange(
            self.world,
            self.calls,
            progress,
            webhooks,
            self.directory,
            self.rooms,
            interpreter,
            CallRate(calls_per_second),
        )
        interpreter.dialler = self.exchange
        self.tapes = Tapes(self.world, lambda sid: self.exchange.legs.get(CallSid(sid)))
        self.exchange.on_leg = self.tapes.begin
        self.messages = Post(self.world, webhooks, self.directory, segments_per_second)
        self.static = StaticHost()
        self._calm = self.world.assumptions
        self._pushes = 0

    # ── setting up ────────────────────────────────────────────────────────────────

    def add_number(
        self, number: str, *, name: str = "", application: str | None = None, **hooks: str
    ) -> Number:
        """A number of the account. hooks: fields of `Hooks`; application: by its name."""
        sid: ApplicationSid | None = None
        if application is not None:
            found = self.directory.application_named(application)
            if found is None:
                message = f"no application {application!r}"
                raise Unknown(message)
            sid = found.sid
        return self.directory.add_number(number, name, make_hooks(hooks), sid)

    def add_application(self, name: str, *, sid: str | None = None, **hooks: str) -> Application:
        return self.directory.add_application(name, sid, make_hooks(hooks))

    def add_phone(self, number: str, *, name: str = "") -> Phone:
        return self.directory.add_phone(number, name)

    def phone(self, name_or_number: str) -> Phone:
        """Raises Unknown."""
        return self.directory.phone(name_or_number)

    def assume_the_worst(self, *, pessimistic: bool) -> None:
        """Turn pessimistic mode on or off; rooms that are open take it over at once."""
        self.world.assumptions = self._calm.pessimistic() if pessimistic else self._calm
        for conference in self.rooms.newest_first():
            conference.room.orphaned_coach = self.world.assumptions.orphaned_coach
            if conference.earshot is not None:
                conference.earshot.follow()

    @property
    def pessimistic(self) -> bool:
        return self.world.assumptions is not self._calm

    def record_all(self, folder: Path) -> None:
        """Record every leg from now on, from its answer to its end. Raises TownError, OSError."""
        if self.world.studio is None:
            raise TownError("there is nothing to record without sound: add --voice light")
        folder.mkdir(parents=True, exist_ok=True)
        self.tapes.folder = folder

    # ── people at work ────────────────────────────────────────────────────────────

    def dial(self, from_: str, to: str, *steps: Step) -> CallSid:
        """A phone calls one of our numbers; without steps it is held by hand."""
        phone = self.directory.find_phone(from_) or self.add_phone(from_)
        return self.exchange.incoming(phone, to, steps).sid

    def text(self, from_: str, to: str, body: str) -> MessageSid:
        """A phone sends a message to one of our numbers."""
        phone = self.directory.find_phone(from_) or self.add_phone(from_)
        return self.messages.receive(phone.number, to, body).sid

    def press(self, sid: str, digits: str) -> None:
        self._handset(sid).press(digits)

    def speak(self, sid: str, text: str) -> None:
        self._handset(sid).speak(text)

    def answer(self, sid: str) -> None:
        self._handset(sid).answer()

    def hang_up(self, sid: str) -> None:
        self._handset(sid).hang_up()

    def _handset(self, sid: str) -> Handset:
        handset = self.exchange.handsets.get(CallSid(sid))
        if handset is None:
            message = f"no phone is on call {sid}"
            raise Unknown(message)
        return handset

    def call(self, sid: str) -> Call:
        """Raises Unknown."""
        call = self.calls.get(sid)
        if call is None:
            message = f"no call {sid}"
            raise Unknown(message)
        return call

    def heard(self, sid: str) -> str:
        """What that leg has heard so far, one sound a line."""
        return "\n".join(self.call(sid).heard)

    def room(self, name: str) -> Room | None:
        """The active room of that name."""
        conference = self.rooms.named(name)
        return conference.room if conference is not None else None

    def push(self, person: str, body: object) -> int:
        """Something arrived at the push receiver. Gives how many have so far."""
        self._pushes += 1
        self.journal.write(Kind.PUSH, person=person, body=body)
        return self._pushes

    async def settled(self) -> None:
        """Until nothing more happens without time passing."""
        await self.clock.work.settled()

    async def close(self) -> None:
        await self.clock.work.stop()
        self.tapes.stop()
        await self._http.close()

    # ── looking ───────────────────────────────────────────────────────────────────

    def snapshot(self) -> dict[str, object]:
        """The state as JSON: what is going on, not what has been."""
        due = self.clock.next_due()
        return {
            "now": self.clock.now().isoformat(),
            "next_due": due.isoformat() if due is not None else None,
            "pessimistic": self.pessimistic,
            "sound": None if self.world.studio is None else self.world.studio.plane.lateness.snapshot(),
            "calls": [
                {
                    "sid": call.sid,
                    "from": call.from_,
                    "to": call.to,
                    "direction": call.direction,
                    "status": call.status.value,
                    "parent": call.parent,
                    "answered_by": call.answered_by,
                    "heard": call.heard[-20:],
                }
                for call in islice(self.calls.newest_first(), SNAPSHOT)
            ],
            "conferences": [
                {
                    "sid": conference.sid,
                    "name": conference.room.name,
                    "status": conference.room.status.value,
                    "reason_ended": conference.room.end_reason,
                    "participants": [
                        {
                            "call": member.call,
                            "label": member.label,
                            "muted": member.muted,
                            "hold": member.hold,
                            "coaching": member.coaching,
                            "coaches": member.coaches,
                            "connected": member.call in conference.room.members,
                        }
                        for member in (
                            *conference.room.members.values(),
                            *conference.room.pending.values(),
                        )
                    ],
                }
                for conference in self.rooms.newest_first()[:SNAPSHOT]
            ],
            "messages": [
                {
                    "sid": message.sid,
                    "from": message.from_,
                    "to": message.to,
                    "body": message.body,
                    "direction": message.direction,
                    "status": message.status.value,
                    "error_code": message.error_code,
                }
                for message in islice(self.messages.newest_first(), SNAPSHOT)
            ],
            "streams": [
                {"sid": line.sid, "call": line.leg.call.sid, "url": line.noun.url, "name": line.name}
                for line in self.streams.open_lines.values()
            ],
            "phones": [
                {
                    "number": phone.number,
                    "name": phone.name,
                    "rung": phone.rung,
                    "received": phone.received,
                }
                for phone in self.directory.phones()
            ],
            "faults": self.faults.snapshot(),
        }


SNAPSHOT = 1_000  # of each kind, newest first


def make_hooks(fields: dict[str, str]) -> Hooks:
    """Hooks from their names and values. Raises Unknown for a name there is not."""
    hooks = Hooks()
    for name, value in fields.items():
        if not hasattr(hooks, name):
            message = f"{name} is no setting of a number or an application"
            raise Unknown(message)
        if name.endswith("_method"):
            value = method(value)  # normalised
        setattr(hooks, name, value)
    return hooks


def method(text: str) -> Method:
    """Raises Unknown for anything but GET and POST."""
    upper = text.upper()
    if upper not in {"GET", "POST"}:
        message = f"{text} is no method: GET or POST"
        raise Unknown(message)
    return cast("Method", upper)
