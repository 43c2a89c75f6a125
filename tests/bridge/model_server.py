"""A small neutral speech model behind a real web socket: it is told by the test what to send, and keeps what comes."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

from openai.types.realtime import RealtimeClientEvent
from pydantic import TypeAdapter
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

CLIENT: TypeAdapter[Any] = TypeAdapter(RealtimeClientEvent)
PATIENCE_S = 10.0


@dataclass
class ModelServer:
    """What its sessions were sent, newest session last. refuses: answers every request with this status."""

    sessions: list[ServerConnection] = field(default_factory=list[ServerConnection])
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    sound: bytes = b""
    refuses: HTTPStatus | None = None
    silent: bool = False
    paths: list[str] = field(default_factory=list[str])
    port: int = 0
    secure: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _said: int = 0

    @property
    def url(self) -> str:
        return f"wss://localhost:{self.port}" if self.secure else f"ws://127.0.0.1:{self.port}"

    async def sends(self, kind: str, **fields: object) -> None:
        """The newest session sends an event."""
        await self.sessions[-1].send(json.dumps({"type": kind, "event_id": "event_1", **fields}))

    async def answers(
        self, ms: int, words: str = "", *, item: str = "", metadata: dict[str, str] | None = None
    ) -> str:
        """A whole answer: so much sound, these words. Gives the item's id."""
        self._said += 1
        response, item = f"resp_{self._said}", item or f"item_{self._said}"
        place = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        await self.sends("response.created", response={"id": response, "metadata": metadata})
        for _ in range(ms // 100):
            sound = base64.b64encode(bytes([self._said]) * 800).decode()
            await self.sends("response.output_audio.delta", **place, delta=sound)
        await self.sends("response.output_audio_transcript.done", **place, transcript=words)
        await self.sends("response.output_audio.done", **place)
        await self.sends("response.done", response={"id": response, "status": "completed"})
        return item

    async def until(self, so: Callable[["ModelServer"], Any]) -> Any:
        """Wait until it has heard enough; gives what was asked for."""
        async with asyncio.timeout(PATIENCE_S):
            while not (found := so(self)):
                self._news.clear()
                await self._news.wait()
        return found

    async def event(self, kind: str, nth: int = 1) -> dict[str, Any]:
        """The nth event of a kind."""
        found: list[dict[str, Any]] = await self.until(lambda me: me.of(kind)[nth - 1 :])
        return found[0]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of a kind."""
        return [event for event in self.events if event["type"] == kind]

    async def session(self, socket: ServerConnection) -> None:
        self.sessions.append(socket)
        self._news.set()
        if self.silent:
            await socket.wait_closed()
            return
        await self.sends("session.created", session={"type": "realtime"})
        configured = False
        async for frame in socket:
            event = json.loads(frame)
            CLIENT.validate_python(event)
            if event["type"] == "input_audio_buffer.append":
                assert configured, "sound before the configuration was taken is read as another format"
                self.sound += base64.b64decode(event["audio"])
            else:
                self.events.append(event)
            if event["type"] == "session.update":
                configured = True
                await socket.send(json.dumps({"type": "session.updated", "session": {"type": "realtime"}}))
            self._news.set()

    def admit(self, connection: ServerConnection, request: Request) -> Response | None:
        self.paths.append(request.path)
        return connection.respond(self.refuses, "no\n") if self.refuses else None


@asynccontextmanager
async def model_server(certificate: Path | None = None) -> AsyncGenerator[ModelServer]:
    """certificate: a file with key and certificate; the model then speaks TLS."""
    there = ModelServer(secure=certificate is not None)
    tls = None
    if certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    async with serve(
        there.session,
        "127.0.0.1",
        0,
        process_request=there.admit,
        compression=None,
        close_timeout=0.2,
        ssl=tls,
    ) as server:
        there.port = _port(server)
        yield there


def _port(server: Server) -> int:
    return int(server.sockets[0].getsockname()[1])
