"""The control API under `/_sandbox`: the hand on the phones, the clock and the faults.

Loopback only and without a password: it exists on a developer's machine and nowhere else.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import cast
from urllib.parse import parse_qs, parse_qsl, urlsplit
from xml.sax.saxutils import escape

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sandbox.clock import ManualClock
from sandbox.errors import SandboxError, TownError, Unknown
from sandbox.journal import Record
from sandbox.live_phone import LivePhone
from sandbox.network import Network
from sandbox.sound.circuit import Side
from sandbox.sound.studio import Studio
from sandbox.town import Mapped, add_application, add_number, fault_from, set_phone, steps_from
from sandbox.transcript import transcript

LARGEST_BODY = 262_144
LONGEST_WAIT_S = 60.0
DEFAULT_RECORDS, MOST_RECORDS = 1_000, 10_000
BEGAN_HEADER, FIRST_FRAME_HEADER = "X-Sandbox-Began", "X-Sandbox-First-Frame"

Handler = Callable[[Request], Awaitable[Response]]


class Control:
    """One handler a request; a wrong request raises, `_guarded` answers."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def routes(self) -> list[Route]:
        return [
            self._route("GET", "/health", self.health),
            self._route("GET", "/journal", self.journal),
            self._route("GET", "/state", self.state),
            self._route("POST", "/phones/{number}", self.set_phone),
            self._route("POST", "/dial", self.dial),
            self._route("POST", "/calls/{sid}/answer", self.answer),
            self._route("POST", "/calls/{sid}/press", self.press),
            self._route("POST", "/calls/{sid}/say", self.say),
            self._route("POST", "/calls/{sid}/hangup", self.hang_up),
            self._route("GET", "/calls/{sid}/heard", self.heard),
            self._route("POST", "/calls/{sid}/recording", self.record),
            self._route("GET", "/calls/{sid}/heard.wav", self.heard_wav),
            self._route("GET", "/calls/{sid}/said.wav", self.said_wav),
            self._route("GET", "/calls/{sid}/played.wav", self.played_wav),
            self._route("POST", "/text", self.text),
            self._route("POST", "/push/{person}", self.push),
            self._route("GET", "/faults", self.faults),
            self._route("POST", "/faults", self.add_faults),
            self._route("DELETE", "/faults", self.clear_faults),
            self._route("GET", "/calls/{sid}/transcript", self.transcript),
            self._route("GET", "/sound", self.sound),
            self._route("GET", "/clock", self.clock),
            self._route("POST", "/clock/advance", self.advance),
            self._route("PUT", "/static/{name}", self.publish),
            self._route("GET", "/static/{name}", self.static),
            self._route("POST", "/static/{name}", self.static),
            self._route("POST", "/numbers", self.add_number),
            self._route("POST", "/applications", self.add_application),
        ]

    def sockets(self) -> list[WebSocketRoute]:
        return [WebSocketRoute("/_sandbox/phones/{number}/audio", self.handset)]

    def _route(self, method: str, path: str, handler: Handler) -> Route:
        async def guarded(request: Request) -> Response:
            if not _is_local(request):
                return _json({"error": "the control API serves this machine only"}, 403)
            try:
                return await handler(request)
            except Unknown as error:
                return _json({"error": str(error)}, 404)
            except (SandboxError, ValueError) as error:
                return _json({"error": str(error)}, 400)

        return Route(f"/_sandbox{path}", guarded, methods=[method])

    # ── looking ───────────────────────────────────────────────────────────────────

    async def health(self, _: Request) -> Response:
        now = self._network.clock.now().isoformat()
        return _json({"status": "ok", "now": now, "calls": self._network.calls.live})

    async def journal(self, request: Request) -> Response:
        query = request.query_params
        after = int(query.get("after", "0"))
        wait_s = min(float(query.get("wait_s", "0")), LONGEST_WAIT_S)
        limit = min(int(query.get("limit", str(DEFAULT_RECORDS))), MOST_RECORDS)
        kind = query.get("kind")
        journal = self._network.journal

        def wanted(record: Record) -> bool:
            return kind is None or record.kind == kind

        records = await journal.wait_matching(wanted, after, wait_s)
        shown = records[:limit]
        last = shown[-1].seq if len(shown) < len(records) else journal.last
        return _json({"records": [record.as_json() for record in shown], "last": last})

    async def state(self, _: Request) -> Response:
        return _json(self._network.snapshot())

    async def heard(self, request: Request) -> Response:
        return _json({"text": self._network.heard(_place(request, "sid"))})

    async def transcript(self, request: Request) -> Response:
        """What the ears make of a recording; with neural ears that takes its time."""
        side, language = (
            request.query_params.get("side", "heard"),
            request.query_params.get("language", "en-US"),
        )
        track = self._network.tapes.of(_place(request, "sid")).track("said" if side == "said" else "heard")
        lines = await transcript(self._studio(), track, language)
        return _json({"lines": [{"at": line.at.isoformat(), "text": line.text} for line in lines]})

    def _studio(self) -> Studio:
        if self._network.world.studio is None:
            raise TownError("this network has no sound: start it with --voice light")
        return self._network.world.studio

    async def sound(self, _: Request) -> Response:
        studio = self._studio()
        lateness = studio.plane.lateness
        by_ms = {str(late_ms): count for late_ms, count in enumerate(lateness.counts) if count}
        return _json({**lateness.snapshot(), "by_ms": by_ms})

    async def record(self, request: Request) -> Response:
        sid = _place(request, "sid")
        tape = self._network.tapes.record(sid)
        return _json({"call": sid, "began": tape.began.isoformat(), "first_frame": tape.first})

    async def heard_wav(self, request: Request) -> Response:
        return self._recording(request, "heard")

    async def said_wav(self, request: Request) -> Response:
        return self._recording(request, "said")

    async def played_wav(self, request: Request) -> Response:
        return self._recording(request, "played")

    def _recording(self, request: Request, side: Side) -> Response:
        """The recording so far; its headers say when its first sample was."""
        track = self._network.tapes.of(_place(request, "sid")).track(side)
        headers = {BEGAN_HEADER: track.began.isoformat(), FIRST_FRAME_HEADER: str(track.first)}
        return Response(track.as_wav(), media_type="audio/wav", headers=headers)

    async def clock(self, _: Request) -> Response:
        return _json(self._clock_json())

    def _clock_json(self) -> dict[str, object]:
        clock = self._network.clock
        due = clock.next_due()
        return {
            "now": clock.now().isoformat(),
            "next_due": due.isoformat() if due is not None else None,
            "manual": isinstance(clock, ManualClock),
        }

    # ── phones ────────────────────────────────────────────────────────────────────

    async def set_phone(self, request: Request) -> Response:
        number = _place(request, "number")
        known = self._network.directory.find_phone(number)
        set_phone(self._network, known.number if known else number, await _body(request))
        phone = self._network.phone(number)
        return _json({"number": phone.number, "name": phone.name, "rung": phone.rung})

    async def dial(self, request: Request) -> Response:
        body = await _body(request)
        steps = steps_from(body.get("steps", []))
        sid = self._network.dial(_text(body, "from"), _text(body, "to"), *steps)
        return _json({"call": sid})

    async def answer(self, request: Request) -> Response:
        return self._on_call(request, self._network.answer)

    async def hang_up(self, request: Request) -> Response:
        return self._on_call(request, self._network.hang_up)

    def _on_call(self, request: Request, act: Callable[[str], None]) -> Response:
        sid = _place(request, "sid")
        act(sid)
        return _json({"call": sid})

    async def press(self, request: Request) -> Response:
        digits = _text(await _body(request), "digits")
        return self._on_call(request, lambda sid: self._network.press(sid, digits))

    async def say(self, request: Request) -> Response:
        text = _text(await _body(request), "text")
        return self._on_call(request, lambda sid: self._network.speak(sid, text))

    async def text(self, request: Request) -> Response:
        body = await _body(request)
        sid = self._network.text(_text(body, "from"), _text(body, "to"), _text(body, "body"))
        return _json({"message": sid})

    async def push(self, request: Request) -> Response:
        received = self._network.push(_place(request, "person"), _any(await _raw(request)))
        return _json({"received": received})

    async def handset(self, socket: WebSocket) -> None:
        """A handset held from outside, until its socket is closed."""
        if not _is_local(socket) or not _from_here(socket.headers.get("origin")):
            await socket.close(1008, "the control API serves this machine only")
            return
        await socket.accept()
        try:
            phone = self._network.phone(str(socket.path_params["number"]))
            live = LivePhone(self._network, phone)
            live.pick()
        except SandboxError as error:
            await socket.close(1008, str(error)[:120])
            return
        telling = asyncio.create_task(_tell(socket, live))
        try:
            while (message := await socket.receive())["type"] == "websocket.receive":
                if (wire := message.get("bytes")) is not None:
                    live.receive_sound(wire)
                else:
                    live.receive(message.get("text") or "")
        finally:
            telling.cancel()
            live.put_down()

    # ── settings ──────────────────────────────────────────────────────────────────

    async def add_number(self, request: Request) -> Response:
        return _json({"sid": add_number(self._network, await _body(request))})

    async def add_application(self, request: Request) -> Response:
        return _json({"sid": add_application(self._network, await _body(request))})

    async def faults(self, _: Request) -> Response:
        return _json(self._faults_json())

    def _faults_json(self) -> dict[str, object]:
        return {
            "faults": self._network.faults.snapshot(),
            "pessimistic": self._network.pessimistic,
        }

    async def add_faults(self, request: Request) -> Response:
        body = _parsed(await _raw(request))
        entries = cast("list[object]", body) if isinstance(body, list) else [body]
        for entry in entries:
            mapping = _mapping(entry)
            if "pessimistic" in mapping:
                self._network.assume_the_worst(pessimistic=bool(mapping["pessimistic"]))
            else:
                self._network.faults.add(fault_from(mapping))
        return _json(self._faults_json())

    async def clear_faults(self, _: Request) -> Response:
        self._network.faults.clear()
        self._network.assume_the_worst(pessimistic=False)
        return _json(self._faults_json())

    async def advance(self, request: Request) -> Response:
        clock = self._network.clock
        if not isinstance(clock, ManualClock):
            raise TownError("the clock runs by itself: start with --manual-clock to advance it")
        body = await _body(request)
        if "to" in body:
            await clock.advance_to(datetime.fromisoformat(_text(body, "to")))
        else:
            await clock.advance(timedelta(seconds=float(str(body.get("seconds", 0)))))
        return _json(self._clock_json())

    # ── the other host ────────────────────────────────────────────────────────────

    async def publish(self, request: Request) -> Response:
        self._network.static[_place(request, "name")] = (await _raw(request)).decode()
        return Response(status_code=204)

    async def static(self, request: Request) -> Response:
        name = _place(request, "name")
        if name not in self._network.static:
            message = f"no document {name!r} on the static host"
            raise Unknown(message)
        given = {**request.query_params, **dict(parse_qsl((await _raw(request)).decode()))}
        return Response(_filled_in(self._network.static[name], given), media_type="text/xml")


async def _tell(socket: WebSocket, live: LivePhone) -> None:
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):  # it is gone; the reader sees to the rest
        while True:
            message = await live.next_message()
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_text(message)


def _is_local(request: HTTPConnection) -> bool:
    """Whether the request comes from this machine. An in-process one has no address."""
    if request.client is None:
        return True
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return request.client.host == "testclient"


def _from_here(origin: str | None) -> bool:
    """Whether a browser's page may hold a phone: one of this machine may, and whoever is no page."""
    return origin is None or urlsplit(origin).hostname in {"localhost", "127.0.0.1", "::1"}


def _place(request: Request, name: str) -> str:
    return str(request.path_params[name])


def _filled_in(document: str, given: Mapping[str, str]) -> str:
    """A document with each `{{Name}}` replaced by that parameter of the request, as TwiML Bins do.

    One that was not sent is replaced by nothing.
    """
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda hole: escape(given.get(hole[1], "")), document)


async def _raw(request: Request) -> bytes:
    body = await request.body()
    if len(body) > LARGEST_BODY:
        raise TownError(f"the body is longer than {LARGEST_BODY} bytes")
    return body


async def _body(request: Request) -> Mapped:
    raw = await _raw(request)
    return _mapping(_parsed(raw)) if raw else {}


def _parsed(raw: bytes) -> object:
    try:
        parsed: object = json.loads(raw)
    except ValueError as error:
        raise TownError(f"the body is no JSON: {error}") from error
    return parsed


def _mapping(value: object) -> Mapped:
    if not isinstance(value, dict):
        raise TownError("the body must be a JSON object")
    return cast("Mapped", value)


def _any(raw: bytes) -> object:
    """JSON if it is that, else a form, else text."""
    text = raw.decode("utf-8", errors="replace")
    try:
        parsed: object = json.loads(text)
    except ValueError:
        fields = parse_qs(text)
        return {name: values[-1] for name, values in fields.items()} or text
    return parsed


def _text(body: Mapped, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str):
        raise TownError(f"{name} must be a text")
    return value


def _json(content: object, status: int = 200) -> JSONResponse:
    return JSONResponse(content, status_code=status)
