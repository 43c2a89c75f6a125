"""The door as a process: settings, a Temporal client that connects when it is first needed, the app, a server.

Starts and answers while Temporal is down: a caller is then rung through by tonight's rota.
"""

import hashlib
import hmac
import json
import socket
from collections.abc import Sequence
from datetime import timedelta

import structlog
import uvicorn
from temporalio.client import Interceptor

from api.app import create_app
from api.door import Door
from configuration.holder import ConfigurationFile
from rung.settings import Settings
from rung.temporal import connect
from workflows.tokens import Tokens

log: structlog.stdlib.BoundLogger = structlog.get_logger("rung.api")

LAST_GOOD = "last-good.yaml"
SPOOL = "spool.jsonl"
GRACE = timedelta(seconds=10)  # the longest answer takes under seven


def door_of(settings: Settings) -> Door:
    """What the door is told. Its own secrets are derived from the one that all processes share."""
    return Door(
        public_url=settings.public_url,
        stream_url=settings.stream_url,
        auth_token=settings.twilio_auth_token.get_secret_value(),
        tokens=Tokens(settings.link_secret.get_secret_value()),
        digest_key=_derived(settings, "caller digest"),
        alert_token=alert_token(settings),
        spool=settings.state_dir / SPOOL,
        voice=settings.speech_by != "off",
    )


def alert_token(settings: Settings) -> str:
    """What other systems show to raise an alert; changes with the link secret."""
    return _derived(settings, "alert token").hex()


async def serve(settings: Settings, host: str, *, interceptors: Sequence[Interceptor] = ()) -> None:
    """Serve until told to stop. interceptors: of the client.

    Raises ConfigurationError, TemporalError, OSError for a port in use."""
    configuration = ConfigurationFile(settings.config, settings.state_dir / LAST_GOOD)
    client = await connect(settings, lazy=True, interceptors=interceptors)
    app = create_app(door_of(settings), client, configuration)
    listening = socket.create_server((host, settings.api_port), backlog=2048)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(GRACE.total_seconds()),
    )
    await _Announced(config, settings).serve(sockets=[listening])


class _Announced(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            ready = {
                "address": f"http://127.0.0.1:{self._settings.api_port}",
                "public": self._settings.public_url,
            }
            print("READY", json.dumps(ready), flush=True)


def _derived(settings: Settings, purpose: str) -> bytes:
    secret = settings.link_secret.get_secret_value().encode()
    return hmac.new(secret, f"rung/{purpose}".encode(), hashlib.sha256).digest()
