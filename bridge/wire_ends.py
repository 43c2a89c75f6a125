"""The two ends of a web socket: the one that is called, and the one that calls."""

import asyncio
import os
import socket as network
from collections.abc import Callable, Sequence

from websockets.client import ClientProtocol
from websockets.frames import apply_mask  # type: ignore[attr-defined]  # its fastest mask
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.uri import parse_uri

from bridge.wires import MASKED, Listener, Wire, head

MASKS = 1024  # mask keys drawn at a time: one system call instead of a thousand
UNTAKEN_MS = 5000  # to the model something is sent all the time; a host that takes none of it is dead


class ServerWire(Wire):
    """The end that was called. admit: what a request is answered instead, None lets it in."""

    def __init__(
        self,
        listener: Listener,
        admit: Callable[[str, Sequence[tuple[str, str]]], tuple[int, str] | None],
        *,
        max_bytes: int,
        open_s: float,
    ) -> None:
        """open_s: how long the request may take."""
        self._server = ServerProtocol(max_size=max_bytes)
        super().__init__(self._server, listener, max_bytes)
        self._admit = admit
        self._open_s = open_s
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP is there."""
        super().connection_made(transport)
        self._patience = asyncio.get_running_loop().call_later(self._open_s, self._too_slow)

    def connection_lost(self, exc: Exception | None) -> None:
        """TCP is gone."""
        if self._patience is not None:
            self._patience.cancel()
        super().connection_lost(exc)

    def _too_slow(self) -> None:
        if self._protocol.state is State.CONNECTING:
            self._refused = "no request in time"
            self.abort()

    def _framed(self, text: bytes) -> bytes:
        return head(len(text), 0) + text

    def _answered(self, event: Request | Response) -> None:
        if not isinstance(event, Request):
            return
        refusal = self._admit(event.path, list(event.headers.raw_items()))
        response = self._server.accept(event) if refusal is None else self._server.reject(*refusal)
        if response.status_code != 101:
            self._refused = f"answered {response.status_code}"
        self._server.send_response(response)


class Masks:
    """Keys for the frames of clients: random, as the protocol demands, and drawn many at a time."""

    def __init__(self) -> None:
        self._drawn = b""
        self._next = 0

    def draw(self) -> bytes:
        """The next key."""
        if self._next >= len(self._drawn):
            self._drawn, self._next = os.urandom(4 * MASKS), 0
        key = self._drawn[self._next : self._next + 4]
        self._next += 4
        return key


class ClientWire(Wire):
    """The end that calls."""

    def __init__(
        self,
        listener: Listener,
        url: str,
        headers: Sequence[tuple[str, str]],
        masks: Masks,
        *,
        max_bytes: int,
    ) -> None:
        """url: complete. headers: for the request. masks: shared by all wires of a process."""
        self._client = ClientProtocol(parse_uri(url), max_size=max_bytes)
        super().__init__(self._client, listener, max_bytes)
        self._headers = headers
        self._masks = masks

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TCP, and TLS if any, is there: ask for the web socket."""
        super().connection_made(transport)
        if (raw := transport.get_extra_info("socket")) is not None and hasattr(network, "TCP_USER_TIMEOUT"):
            raw.setsockopt(network.IPPROTO_TCP, network.TCP_USER_TIMEOUT, UNTAKEN_MS)
        request = self._client.connect()
        for name, value in self._headers:
            request.headers[name] = value
        self._client.send_request(request)
        self._flush()

    def _framed(self, text: bytes) -> bytes:
        key = self._masks.draw()
        return head(len(text), MASKED) + key + apply_mask(text, key)

    def _answered(self, event: Request | Response) -> None:
        """The answer is judged by the library."""
