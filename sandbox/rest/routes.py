"""The REST API as routes: authentication, faults and the journal around every resource."""

import base64
import binascii
import hmac
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox.clock import sleep
from sandbox.errors import Refused
from sandbox.faults import FaultKind
from sandbox.journal import Kind
from sandbox.network import Network
from sandbox.rest import accounts, calls, conferences, messages, participants
from sandbox.rest.asking import Answer, Asked, Form
from sandbox.world import API_VERSION

LARGEST_BODY = 262_144
MORE_INFO = "https://www.twilio.com/docs/errors/"

Resource = Callable[[Asked], Answer]


class Connections(Protocol):
    """Whoever can cut a client's connection without a reply."""

    def drop(self, client: tuple[str, int]) -> bool: ...


class Dropped(Response):
    """No reply at all: the connection is cut, or, where nobody can do that, the reply is."""

    def __init__(self, connections: Connections | None) -> None:
        super().__init__()
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if self._connections is not None and client and self._connections.drop(tuple(client)):
            await receive()  # the disconnection
            return
        headers = [(b"content-length", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


class Door:
    """Lets requests through to the resources, or not."""

    def __init__(self, network: Network, connections: Connections | None) -> None:
        self._network = network
        self._connections = connections

    def route(self, method: str, path: str, point: str, resource: Resource) -> Route:
        async def endpoint(request: Request) -> Response:
            return await self._handle(request, point, resource)

        return Route(f"/{API_VERSION}/Accounts/{{account}}{path}", endpoint, methods=[method])

    async def _handle(self, request: Request, point: str, resource: Resource) -> Response:
        body = await request.body()
        asked = Asked(
            network=self._network,
            path=request.url.path,
            place={name: str(value) for name, value in request.path_params.items()},
            form=Form.parse(body[:LARGEST_BODY].decode("utf-8", errors="replace")),
            query=Form.parse(request.url.query),
        )
        numbers = tuple(number for name in ("To", "From") if (number := asked.form.text(name)) is not None)
        try:
            self._authenticate(request)
            await self._suffer_before(point, numbers)
            answer = resource(asked)
            code = None
            dropped = self._suffer_after(point, numbers)
        except Refused as refused:
            answer, code, dropped = _error(refused), refused.code, False
        self._network.journal.write(
            Kind.REST,
            method=request.method,
            path=request.url.path,
            form=asked.form.as_json() if request.method == "POST" else asked.query.as_json(),
            status=None if dropped else answer.status,
            code=code,
            sid=_made(answer),
        )
        if dropped:
            return Dropped(self._connections)
        if answer.body is None:
            return Response(status_code=answer.status)
        return JSONResponse(answer.body, status_code=answer.status)

    def _authenticate(self, request: Request) -> None:
        account = self._network.world.account
        given = _credentials(request.headers.get("authorization", ""))
        expected = f"{account.sid}:{account.token}"
        right = hmac.compare_digest(given.encode(), expected.encode())
        if not right or request.path_params["account"] != account.sid:
            raise Refused(401, 20003, "Authenticate")

    async def _suffer_before(self, point: str, numbers: tuple[str, ...]) -> None:
        strike = self._network.faults.strike
        if (late := strike(FaultKind.LATENCY, point, *numbers)) is not None:
            self._note(FaultKind.LATENCY, point)
            clock = self._network.clock
            wait = sleep(clock, timedelta(seconds=late.seconds))
            await clock.work.spawn(wait, name="latency")
        if strike(FaultKind.TOO_MANY_REQUESTS, point, *numbers) is not None:
            self._note(FaultKind.TOO_MANY_REQUESTS, point)
            raise Refused(429, 20429, "Too Many Requests")
        if (broken := strike(FaultKind.ERROR_BEFORE, point, *numbers)) is not None:
            self._note(FaultKind.ERROR_BEFORE, point)
            raise Refused(broken.code or 500, 20500, "Internal server error")

    def _suffer_after(self, point: str, numbers: tuple[str, ...]) -> bool:
        """Raises the error that hides a success; true when the reply is to be dropped."""
        strike = self._network.faults.strike
        if (broken := strike(FaultKind.ERROR_AFTER, point, *numbers)) is not None:
            self._note(FaultKind.ERROR_AFTER, point)
            raise Refused(broken.code or 500, 20500, "Internal server error")
        if strike(FaultKind.REPLY_DROPPED, point, *numbers) is not None:
            self._note(FaultKind.REPLY_DROPPED, point)
            return True
        return False

    def _note(self, kind: FaultKind, point: str) -> None:
        self._network.journal.write(Kind.FAULT, kind_of_fault=kind.value, on=point, thing="")

    async def recording(self, request: Request) -> Response:
        """The sound itself: open to all, as Twilio's are unless configured otherwise."""
        sid = str(request.path_params["sid"])
        if (recording := self._network.recordings.get(sid)) is None:
            return Response(status_code=404)
        return Response(recording.wav, media_type="audio/wav")


def _made(answer: Answer) -> object:
    """The SID of the thing that the reply shows, if it is one thing."""
    return None if answer.body is None else answer.body.get("sid", answer.body.get("call_sid"))


def _credentials(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", errors="replace")
    except binascii.Error:
        return ""


def _error(refused: Refused) -> Answer:
    return Answer(
        refused.status,
        {
            "code": refused.code,
            "message": refused.message,
            "more_info": f"{MORE_INFO}{refused.code}",
            "status": refused.status,
        },
    )


def rest_routes(network: Network, connections: Connections | None) -> list[Route]:
    door = Door(network, connections)
    route = door.route
    participant = "/Conferences/{conference}/Participants"
    return [
        route("POST", "/Calls.json", "calls.create", calls.create),
        route("GET", "/Calls.json", "calls.list", calls.list_all),
        *_item(route, "/Calls/{sid}.json", "calls", calls.fetch, calls.update, calls.delete),
        route("GET", "/Conferences.json", "conferences.list", conferences.list_all),
        route("GET", "/Conferences/{conference}.json", "conferences.fetch", conferences.fetch),
        route("POST", "/Conferences/{conference}.json", "conferences.update", conferences.update),
        route("POST", f"{participant}.json", "participants.create", participants.create),
        route("GET", f"{participant}.json", "participants.list", participants.list_all),
        *_item(
            route,
            participant + "/{participant}.json",
            "participants",
            participants.fetch,
            participants.update,
            participants.delete,
        ),
        route("POST", "/Messages.json", "messages.create", messages.create),
        route("GET", "/Messages.json", "messages.list", messages.list_all),
        *_item(
            route, "/Messages/{sid}.json", "messages",
            messages.fetch, messages.update, messages.delete,
        ),
        route("POST", "/Applications.json", "applications.create", accounts.create_application),
        route("GET", "/Applications.json", "applications.list", accounts.list_applications),
        *_item(
            route, "/Applications/{sid}.json", "applications",
            accounts.fetch_application, accounts.update_application, accounts.delete_application,
        ),
        route("POST", "/IncomingPhoneNumbers.json", "numbers.create", accounts.create_number),
        route("GET", "/IncomingPhoneNumbers.json", "numbers.list", accounts.list_numbers),
        *_item(
            route, "/IncomingPhoneNumbers/{sid}.json", "numbers",
            accounts.fetch_number, accounts.update_number, accounts.delete_number,
        ),
        route("GET", "/Recordings/{sid}.json", "recordings.fetch", accounts.fetch_recording),
        *(
            Route(f"/{API_VERSION}/Accounts/{{account}}/Recordings/{{sid}}{ending}", door.recording)
            for ending in (".wav", ".mp3", "")
        ),
    ]  # fmt: skip


def _item(
    route: Callable[[str, str, str, Resource], Route],
    path: str,
    name: str,
    fetch: Resource,
    update: Resource,
    delete: Resource,
) -> list[Route]:
    return [
        route("GET", path, f"{name}.fetch", fetch),
        route("POST", path, f"{name}.update", update),
        route("DELETE", path, f"{name}.delete", delete),
    ]
