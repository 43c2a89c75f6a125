"""How requests reach Twilio: the official client on a transport that keeps its time and says what it knows.

The client's own asynchronous transport ignores its time-out and hides whether a request was sent at all; that
is the one fact by which a create that failed is told from one that may have been done.
"""

import logging
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import aiohttp
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.rest import Client
from yarl import URL

from activities.errors import NotSentError, ReplyLostError

REPLY_S = 6.0  # in all; an activity has 8 s (workflows.orders), so that this fails first and is understood
CONNECT_S = 2.5  # a connection takes 0.2 s across an ocean; includes the wait for a free one of the pool
CONNECTIONS = 50  # Twilio bounds concurrent requests without saying where; more would only earn a 429
KEPT_S = 15.0  # an idle connection is dropped before the other side does it under a request of ours


class Transport(AsyncHttpClient):
    """Carries the official client's requests over a bounded pool. Use as an async context manager.

    Raises NotSentError where nothing was sent, ReplyLostError where something may have been.
    """

    def __init__(
        self, reply_s: float = REPLY_S, connect_s: float = CONNECT_S, connections: int = CONNECTIONS
    ) -> None:
        super().__init__(logging.getLogger("twilio.transport"), is_async=True)
        self._connections = connections
        self._limits = aiohttp.ClientTimeout(total=reply_s, connect=connect_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        pool = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=KEPT_S)
        self._session = aiohttp.ClientSession(
            connector=pool, timeout=self._limits, cookie_jar=aiohttp.DummyCookieJar()
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def request(  # type: ignore[override]  # the library's own asynchronous base does the same
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """One request, one reply; a repeat is the caller's decision."""
        if self._session is None:
            raise NotSentError("the transport is not open")
        # The client writes names of rooms and labels into its URLs as they are; what is encoded stays so.
        query = f"?{urlencode(params, doseq=True)}" if params else ""
        try:
            async with self._session.request(
                method.upper(),
                URL(f"{URL(uri)}{query}", encoded=True),
                data=urlencode(data, doseq=True) if data is not None else None,
                headers={**(headers or {}), **_authorised(auth)},
                allow_redirects=allow_redirects,
            ) as reply:
                return Response(reply.status, await reply.text(), reply.headers)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotSentError(f"no connection to {URL(uri).host}: {error}") from error
        except (TimeoutError, aiohttp.ClientError, UnicodeDecodeError) as error:
            raise ReplyLostError(f"no reply from {URL(uri).host}: {error or type(error).__name__}") from error


def _authorised(auth: tuple[str, str] | None) -> Mapping[str, str]:
    return {"Authorization": aiohttp.encode_basic_auth(*auth)} if auth else {}


def twilio_client(
    transport: Transport,
    *,
    account_sid: str,
    username: str,
    password: str,
    base_url: str | None = None,
    region: str | None = None,
    edge: str | None = None,
) -> Client:
    """The official client for one account.

    username, password: the account's SID and token, or an API key's. base_url: where Twilio is instead.
    """
    # Without an environment of its own it reads the process's, where a region would corrupt a base_url.
    surroundings = {"TWILIO_REGION": region or "", "TWILIO_EDGE": edge or ""}
    client = Client(  # type: ignore[no-untyped-call]  # the library leaves its constructor so
        username, password, account_sid, http_client=transport, environment=surroundings
    )
    if base_url:
        client.api.base_url = base_url
    return client
