"""The door as one application: the routes, their errors, and the task that empties the spool."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from fastapi.telemetry import TelemetryConfig
from temporalio.client import Client

from api import (
    alerts,
    callers,
    conferences,
    failover,
    health,
    legs,
    link_page,
    links,
    page_calls,
    rooms,
    texts,
    twiml,
)
from api.acts import Acts
from api.addresses import Addresses
from api.desk import Desk, TwimlResponse
from api.door import Door
from api.errors import NotSignedError, UnknownLineError
from api.limits import BodyLimit
from api.messenger import Messenger
from api.phrases import phrase
from api.signature import Sender
from api.spool import Spool, hand_over
from configuration.holder import ConfigurationFile
from workflows.tokens import ForgedTokenError

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api")

NO_TELEMETRY: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
SPOOL_PAUSE_S = 2.0  # between two tries while something waits in the spool
ROUTERS = (
    callers.router,
    conferences.router,
    page_calls.router,
    rooms.router,
    texts.router,
    legs.router,
    failover.router,
    links.router,
    alerts.router,
    health.router,
)


def create_app(door: Door, client: Client, configuration: ConfigurationFile) -> FastAPI:
    """Everything joined; works, by the fallback, while the client's server is down."""
    messenger, spool = Messenger(client, door.patience), Spool(door.spool)
    desk = Desk(
        door=door,
        configuration=configuration,
        messenger=messenger,
        spool=spool,
        acts=Acts(messenger, spool),
        addresses=Addresses(door.public_url, door.tokens),
        sender=Sender(door.auth_token, door.public_url),
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        emptying = asyncio.create_task(keep_empty(desk), name="empty the spool")
        yield
        emptying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await emptying

    # No documentation pages: they would load scripts from elsewhere. /openapi.json is served.
    # No telemetry of the framework's: its spans carry whole addresses, and ours may hold a signed token.
    app = FastAPI(
        title="Rung: the door", lifespan=lifespan, docs_url=None, redoc_url=None, telemetry=NO_TELEMETRY
    )
    app.state.desk = desk
    app.add_middleware(BodyLimit)
    for router in ROUTERS:
        app.include_router(router)
    for error, answer in _ANSWERS.items():
        app.add_exception_handler(error, answer)
    return app


async def keep_empty(desk: Desk, pause_s: float = SPOOL_PAUSE_S) -> None:
    """Hand over what is in the spool whenever Temporal answers, for ever."""
    while True:
        try:
            if len(desk.spool) and await desk.messenger.reachable():
                await hand_over(desk.spool, desk.acts.deliver)
        except Exception:
            log.exception("spool not emptied")  # the next try may find the disk, or the record, mended
        await asyncio.sleep(pause_s)


async def _not_signed(request: Request, error: Exception) -> Response:
    log.warning("webhook refused", route=_route(request), because=str(error))
    return PlainTextResponse("not signed by Twilio", 403)


async def _forged(request: Request, error: Exception) -> Response:
    log.warning("request refused", route=_route(request), because=str(error))
    return PlainTextResponse("this address is not ours, or too old", 403)


async def _malformed(request: Request, error: Exception) -> Response:
    """Which fields are wrong, and why; never their values, which may be telephone numbers."""
    assert isinstance(error, RequestValidationError)  # noqa: S101
    wrong = [{"field": ".".join(map(str, one["loc"])), "problem": one["msg"]} for one in error.errors()]
    log.warning("request malformed", route=_route(request), fields=[one["field"] for one in wrong])
    if request.url.path.startswith("/a/"):  # a person with a browser, not a program
        return HTMLResponse(link_page.not_understood(), 422, links.HEADERS)
    return JSONResponse({"detail": wrong}, 422)


async def _unknown_line(request: Request, error: Exception) -> Response:
    """Twilio is answered in its own language: somebody may be on the line."""
    log.warning("unknown line", route=_route(request), because=str(error))
    if request.url.path.startswith(("/voice/", "/fallback/", "/announce/")):
        return TwimlResponse(twiml.say_goodbye([phrase("unknown_number", "en")]))
    return JSONResponse({"detail": str(error)}, 404)


_ANSWERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    NotSignedError: _not_signed,
    ForgedTokenError: _forged,
    RequestValidationError: _malformed,
    UnknownLineError: _unknown_line,
}


def _route(request: Request) -> str:
    """The route's pattern: a path may carry a token."""
    return str(getattr(request.scope.get("route"), "path", "?"))
