"""How much anybody may send: far more than Twilio or an alert ever does, far less than would hurt.

Stands before routing, so that nobody can make the door read and parse what it would refuse anyway.
"""

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_BODY = 64 * 1024

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api.limits")


class BodyLimit:
    """Answers 413 to a body above the limit, announced or not, before anything else looks at it."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST_BODY) -> None:
        """largest: in bytes."""
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > self._largest:
            await _refuse(scope, send)
            return
        read: list[Message] = []
        size = 0
        while not read or read[-1].get("more_body", False):
            read.append(await receive())
            size += len(read[-1].get("body", b""))
            if size > self._largest:
                await _refuse(scope, send)
                return
        read.reverse()

        async def again() -> Message:
            return read.pop() if read else await receive()

        await self._app(scope, again, send)


async def _refuse(scope: Scope, send: Send) -> None:
    log.warning("request refused", because="its body is too large", method=scope["method"])
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b"more than anybody needs to tell us"})
