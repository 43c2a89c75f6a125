"""The speech model as a web application: the socket of the protocol, health, and the control of its faults."""

import asyncio
import ipaddress
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from sandbox.errors import SandboxError
from sandbox.speech.connection import Connection, now_ms
from sandbox.speech.faults import Fault, Faults, Kind, Point, read_fault
from sandbox.speech.fields import Fields, Json
from sandbox.speech.mind import Mind
from sandbox.speech.session import Session, Timing
from sandbox.speech.workshop import Workshop

MOST_SESSIONS: Final = 500
REASONS: Final = {
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    403: ("invalid_request_error", "model_not_found", "Your project does not have access to this model."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist."),
    429: ("rate_limit_error", "rate_limit_exceeded", "Rate limit reached for requests."),
    500: ("server_error", None, "The server had an error while processing your request."),
    502: ("server_error", None, "Bad gateway."),
    503: ("server_error", None, "The engine is currently overloaded, please try again later."),
}


@dataclass(frozen=True)
class Model:
    """What all sessions of a process share. mind: makes one for each session."""

    workshop: Workshop
    mind: Callable[[], Mind]
    faults: Faults
    timing: Timing


class _Socket:
    """A starlette web socket as a connection wants it. cut: ends the transport under it."""

    def __init__(self, socket: WebSocket, cut: Callable[[], None]) -> None:
        self._socket = socket
        self._cut = cut

    async def receive(self) -> str | bytes | None:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            return None
        text = message.get("text")
        return cast("str | bytes", text if text is not None else message.get("bytes"))

    async def send(self, message: str | bytes) -> None:
        if isinstance(message, str):
            await self._socket.send_text(message)
        else:
            await self._socket.send_bytes(message)

    async def close(self, code: int, reason: str) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            await self._socket.close(code, reason)

    def drop(self) -> None:
        self._cut()


class Service:
    """cut: ends the transport of a client, given its address."""

    def __init__(self, model: Model, cut: Callable[[tuple[str, int]], None]) -> None:
        self._model = model
        self._cut = cut
        self._connections: dict[str, Connection] = {}
        self._opened = 0

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                WebSocketRoute("/v1/realtime", self._realtime),
                Route("/health", self._health),
                Route("/_sandbox/health", self._health),
                Route("/_sandbox/faults", self._list_faults, methods=["GET"]),
                Route("/_sandbox/faults", self._add_faults, methods=["POST"]),
                Route("/_sandbox/faults", self._clear_faults, methods=["DELETE"]),
                Route("/_sandbox/strike", self._strike, methods=["POST"]),
                Route("/_sandbox/sessions", self._sessions, methods=["GET"]),
            ]
        )

    async def _realtime(self, socket: WebSocket) -> None:
        if (refused := self._refused(socket)) is not None:
            await socket.send_denial_response(refused)
            return
        await socket.accept(subprotocol="realtime" if "realtime" in socket.scope["subprotocols"] else None)
        self._opened += 1
        number, faults = self._opened, self._model.faults
        client = (socket.client.host, socket.client.port) if socket.client is not None else ("", 0)
        timing = self._timing()
        session = Session(
            socket.query_params["model"],
            self._model.mind(),
            self._model.workshop.organs.detector(),
            now_ms(),
            seed=f"{faults.seed}/{number}",
            expires_at=int(time.time()) + timing.lasts_ms // 1_000,
            timing=timing,
        )
        connection = Connection(
            _Socket(socket, lambda: self._cut(client)), session, self._model.workshop, faults
        )
        self._connections[session.id] = connection
        try:
            await connection.run()
        except WebSocketDisconnect:
            pass
        finally:
            del self._connections[session.id]

    def _refused(self, socket: WebSocket) -> Response | None:
        if not bearer(socket.headers.get("authorization", ""), socket.scope["subprotocols"]):
            return _refusal(401)
        if not socket.query_params.get("model"):
            error: Json = {
                "type": "invalid_request_error",
                "code": "missing_model",
                "message": "You must provide a model parameter.",
                "param": "model",
            }
            return JSONResponse({"error": error}, 400)
        for fault in self._model.faults.strike(Point.CONNECTION):
            return _refusal(int(fault.code or "503"))
        return _refusal(429) if len(self._connections) >= MOST_SESSIONS else None

    def _timing(self) -> Timing:
        """The session's timing, with what faults make slow in it."""
        timing = self._model.timing
        for fault in self._model.faults.strike(Point.HANDSHAKE):
            match fault.kind:
                case Kind.SLOW_UPDATE:
                    timing = replace(timing, update_ms=fault.lasts_ms)
                case Kind.SLOW_TRANSCRIPT:
                    timing = replace(timing, transcript_ms=fault.lasts_ms)
                case _:
                    pass
        return timing

    async def _health(self, _: Request) -> Response:
        workshop = self._model.workshop
        return JSONResponse(
            {
                "status": "ok",
                "sessions": len(self._connections),
                "opened": self._opened,
                "organs": workshop.organs.name,
                "waiting": workshop.waiting,
            }
        )

    async def _list_faults(self, request: Request) -> Response:
        return _local(request) or JSONResponse(self._model.faults.json())

    async def _add_faults(self, request: Request) -> Response:
        if (stranger := _local(request)) is not None:
            return stranger
        try:
            for fault in await _faults(request):
                self._model.faults.add(fault)
        except SandboxError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(self._model.faults.json())

    async def _clear_faults(self, request: Request) -> Response:
        if (stranger := _local(request)) is not None:
            return stranger
        self._model.faults.clear()
        return JSONResponse([])

    async def _strike(self, request: Request) -> Response:
        """Let faults happen now, in one session (`?session=`) or in all of them."""
        if (stranger := _local(request)) is not None:
            return stranger
        try:
            faults = list(await _faults(request))
        except SandboxError as error:
            return JSONResponse({"error": str(error)}, 400)
        wanted = request.query_params.get("session")
        hit = [one for name, one in self._connections.items() if wanted in (None, name)]
        for fault in faults:
            await asyncio.gather(*(one.strike(fault) for one in hit))
        return JSONResponse({"struck": len(hit)})

    async def _sessions(self, request: Request) -> Response:
        """What the model has in its memory: for those who test what a client made it believe."""
        return _local(request) or JSONResponse(
            [
                {**one.session.snapshot(), "received": one.received, "sent": one.sent}
                for one in self._connections.values()
            ]
        )


def bearer(header: str, subprotocols: Iterable[str]) -> bool:
    """Whether a key is there at all; browsers send it as a subprotocol."""
    scheme, _, key = header.partition(" ")
    return (scheme.lower() == "bearer" and bool(key.strip())) or any(
        name.startswith("openai-insecure-api-key.") for name in subprotocols
    )


def _refusal(status: int) -> Response:
    kind, code, message = REASONS[status]
    error: Json = {"type": kind, "code": code, "message": message, "param": None}
    return JSONResponse({"error": error}, status)


def _local(request: Request) -> Response | None:
    """What a request from another machine gets: 403."""
    host = request.client.host if request.client is not None else ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    return None if local else JSONResponse({"error": "only from this machine"}, 403)


async def _faults(request: Request) -> list[Fault]:
    """One fault or a list of them. Raises SandboxError."""
    try:
        content: object = json.loads(await request.body())
    except ValueError as error:
        message = "the body is no JSON"
        raise SandboxError(message) from error
    several = cast("list[object]", content) if isinstance(content, list) else [content]
    found: list[Fault] = []
    for one in several:
        if not isinstance(one, dict):
            message = "a fault is an object"
            raise SandboxError(message)
        found.append(read_fault(Fields(cast("Json", one))))
    return found
