"""One HTTP request to the product, and the ways it can fail, as Twilio tells them apart."""

from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
from yarl import URL

LARGEST_REPLY = 16_777_216  # bytes: a quarter of an hour of sound
MOST_CONNECTIONS = 500
# Below the 5 s after which common servers close an idle connection under our hands.
IDLE_S = 2.0


@dataclass(frozen=True)
class Reply:
    status: int
    content_type: str
    content: bytes
    location: str | None = None

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", errors="replace")


class ConnectFailed(Exception):  # noqa: N818  # an outcome in the domain's words
    """No connection was made: nothing can have reached the product."""


class ReplyFailed(Exception):  # noqa: N818  # an outcome in the domain's words
    """The request went out; the reply did not come, or not in time."""


@dataclass(frozen=True)
class Patience:
    """Real seconds: to connect, between bytes, in all."""

    connect_s: float
    read_s: float
    total_s: float


class Http:
    """A pool of connections; opened with the first request."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS, keepalive_timeout=IDLE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=True,
            )
        return self._session

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        patience: Patience,
    ) -> Reply:
        """Send once. Raises ConnectFailed or ReplyFailed; any status is a reply."""
        timeout = aiohttp.ClientTimeout(
            total=patience.total_s, sock_connect=patience.connect_s, sock_read=patience.read_s
        )
        try:
            async with self.session().request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=body,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                content = bytearray()
                async for chunk in response.content.iter_any():
                    content += chunk
                    if len(content) > LARGEST_REPLY:
                        raise ReplyFailed(f"the reply is longer than {LARGEST_REPLY} bytes")
                return Reply(
                    response.status,
                    response.content_type,
                    bytes(content),
                    response.headers.get("Location"),
                )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise ConnectFailed(str(error) or "no connection in time") from error
        except (aiohttp.InvalidURL, ValueError) as error:
            raise ConnectFailed(f"not a URL: {url}") from error
        except TimeoutError as error:
            raise ReplyFailed("no reply in time") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ReplyFailed(str(error) or type(error).__name__) from error

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
