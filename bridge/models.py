"""How a session at the speech model is opened. The only place that chooses an implementation and a socket."""

import asyncio
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from bridge.realtime import Access, Realtime
from bridge.realtime_wire import FRAME_BYTES
from bridge.wire_ends import ClientWire, Masks
from bridge.wires import Listener, Wire

CONNECT_S = 4.0


class RealtimeModels:
    """Sessions at a server that speaks the Realtime protocol."""

    def __init__(self, access: Access, tls: ssl.SSLContext | None = None) -> None:
        """tls: what certificates are believed; None: those that the system believes."""
        self._access = access
        self._masks = Masks()
        parts = urlsplit(access.address)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "wss"
        self._port = parts.port or (443 if self._secure else 80)
        self._tls = (tls or ssl.create_default_context()) if self._secure else None

    def session(self) -> Realtime:
        """A session that knows nothing yet."""
        return Realtime(self._access)

    async def connect(self, listener: Listener, keep: Callable[[Wire], None]) -> None:
        """Open a socket. keep: is given its wire before the listener hears of it.

        Raises OSError, of which a time-out is one.
        """

        def made() -> ClientWire:
            address, headers = self._access.address, self._access.headers
            wire = ClientWire(listener, address, headers, self._masks, max_bytes=FRAME_BYTES)
            keep(wire)
            return wire

        loop = asyncio.get_running_loop()
        name = self._host if self._secure else None
        async with asyncio.timeout(CONNECT_S):
            await loop.create_connection(made, self._host, self._port, ssl=self._tls, server_hostname=name)
