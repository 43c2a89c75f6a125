"""A telephone town for the activities' tests: the real client against the real sandbox, over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast
from urllib.parse import parse_qs, urlsplit

from temporalio.testing import ActivityEnvironment
from twilio.rest import Client

from activities.addresses import Addresses
from activities.calls import Calls
from activities.rooms import Rooms
from activities.texts import Texts
from activities.transport import Transport, twilio_client
from sandbox.clock import ManualClock
from sandbox.faults import Fault, FaultKind
from sandbox.journal import Kind, Record
from sandbox.network import Network
from workflows.orders import PlacePageCall
from workflows.responder import Item, Request, Ring, RingState
from workflows.tokens import Tokens
from workflows.values import (
    Case,
    EscalationId,
    Line,
    LineId,
    PageId,
    PersonId,
    Responder,
    RingId,
    Severity,
)

LINE_NUMBER, ANA, BEN, CALLER = "+12025550101", "+12025550111", "+12025550112", "+12025550199"
LINE = Line(LineId("clinic"), "Riverside Clinic", LINE_NUMBER, "911", ("en", "es"))
CASE = Case(LINE, "medical", "a patient in danger", Severity.LIFE)
TOKENS = Tokens("a secret of the tests")


@dataclass
class Town:
    """One sandbox and the activities pointed at it."""

    network: Network
    clock: ManualClock
    address: str
    twilio: Client
    environment: ActivityEnvironment = field(default_factory=ActivityEnvironment)

    def __post_init__(self) -> None:
        self.public_url = f"{self.address}/door"  # nobody is at home there: callbacks get a 404
        self.addresses = Addresses(self.public_url, TOKENS)
        self.app = self.network.add_application("ai-leg", voice_url=self.document("ai", LISTENS))
        self.calls = Calls(self.twilio, self.addresses)
        self.rooms = Rooms(self.twilio, self.addresses, self.app.sid)
        self.texts = Texts(self.twilio, self.addresses)
        self.network.add_number(LINE_NUMBER, voice_url=self.document("line", SITS_THERE))
        self.ana = self.network.add_phone(ANA, name="ana")
        self.ben = self.network.add_phone(BEN, name="ben")

    def document(self, name: str, twiml: str) -> str:
        """The URL under which the sandbox serves this TwiML."""
        self.network.static[name] = twiml
        return f"{self.address}/_sandbox/static/{name}"

    def fault(self, kind: FaultKind, on: str, *, times: int | None = 1, code: int | None = None) -> None:
        self.network.faults.add(Fault(kind, on, times=times, code=code))

    async def pass_time(self, seconds: float) -> None:
        await self.clock.advance(timedelta(seconds=seconds))

    def requests(self, method: str, ending: str) -> list[Record]:
        """What was asked of Twilio: requests whose path ends so."""
        return [
            record
            for record in self.network.journal.of(Kind.REST)
            if record.details["method"] == method and str(record.details["path"]).endswith(ending)
        ]

    def created(self) -> list[Mapping[str, object]]:
        """The forms of every call that was asked for."""
        return [forms(record) for record in self.requests("POST", "/Calls.json")]


ROOM = "af-CAcaller"
IN_THE_ROOM = f"<Response><Dial><Conference>{ROOM}</Conference></Dial></Response>"
LISTENS = '<Response><Say>I am here.</Say><Pause length="600"/></Response>'
SITS_THERE = '<Response><Pause length="600"/></Response>'


def forms(record: Record) -> Mapping[str, object]:
    return cast("Mapping[str, object]", record.details["form"])


def responder(name: str = "ana", number: str | None = ANA) -> Responder:
    return Responder(PersonId(name), name.title(), phone=number, text_to=number)


def ring(
    *cases: Case, to: str = ANA, name: str = "ana", ring_s: float = 40.0, kind: str = "page"
) -> PlacePageCall:
    """An order to ring somebody for these cases."""
    items = tuple(
        Item(
            Request(
                PageId(f"page-{number}"),
                EscalationId(f"escalation-{number}"),
                responder(name, to),
                case,
                "4711",
                "af-CAcaller",
                NOW,
                kind="join" if kind == "join" else "page",
                ring_s=ring_s,
            ),
            accept=str(number * 2 + 1),
            decline=str(number * 2 + 2),
        )
        for number, case in enumerate(cases or (CASE,))
    )
    ringing = Ring(RingId("1-page-0"), items, RingState.PLACING, NOW, to=to, from_=LINE_NUMBER)
    return PlacePageCall(PersonId(name), to, ringing)


def query(url: object) -> dict[str, str]:
    """The query of a URL, each name once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(str(url)).query).items()}


NOW = ManualClock().now()


def client_for(transport: Transport, address: str) -> Client:
    return twilio_client(
        transport,
        account_sid="AC" + "0" * 32,
        username="AC" + "0" * 32,
        password="sandbox-token",
        base_url=address,
    )
