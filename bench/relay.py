"""`python -m bench.relay --port P --upstream ws://…`: the bridge's real driver and sessions, alone.

The workflow's side is answered in memory: every stream is let in, by any token or none, with a plan that listens;
tools answer "done". Any load generator can play Twilio at the port and the speech model at the upstream.
"""

import asyncio
import gc
import logging
import signal
import ssl
from typing import Annotated
from urllib.parse import urlsplit

import structlog
import typer
import uvloop

from bridge.admission import Admission
from bridge.driver import Driver
from bridge.effects import Effect
from bridge.leg import Leg
from bridge.models import RealtimeModels
from bridge.realtime import Access
from bridge.signature import Signatures
from workflows.messages import Attached
from workflows.tokens import StreamToken, Tokens
from workflows.values import CallSid
from workflows.voice import Plan, ToolCall, ToolOutcome, Turns, VoiceTrouble

PLAN = Plan("You answer the telephone.", (), "marin", "en")


class InMemory:
    """The workflows' side: lets everybody in, and forgets what it is told."""

    def __init__(self, plan: Plan = PLAN) -> None:
        self._plan = plan

    async def attach(self, leg: StreamToken, stream: str) -> Attached:
        """Yes."""
        return Attached(accepted=True, plan=self._plan)

    async def tell_detached(self, leg: StreamToken) -> None:
        """It is known."""

    async def use_tool(self, leg: StreamToken, call: ToolCall) -> ToolOutcome:
        """Done."""
        return ToolOutcome(output="done")

    async def tell_turns(self, leg: StreamToken, turns: Turns) -> None:
        """They are taken."""

    async def tell_trouble(self, leg: StreamToken, trouble: VoiceTrouble) -> None:
        """It is noted."""


class OpenDoor(Driver):
    """A driver that takes any stream for an AI leg of a call of its own."""

    def opened(self, leg: Leg, token: str) -> list[Effect]:
        """Whose stream it is: nobody's before."""
        return leg.session.claimed(StreamToken(CallSid(str(leg.session.stream)), 1, "bench"))


def main(
    port: Annotated[int, typer.Option(help="Where streams are taken; 0 draws one.")],
    upstream: Annotated[str, typer.Option(help="Where the speech model is, ws:// or wss://.")],
    path: Annotated[str, typer.Option(help="The path of streams; any other is taken too.")] = "/media-stream",
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    streams: Annotated[int, typer.Option(help="Streams at the same time.")] = 10_000,
    ca: Annotated[
        str,
        typer.Option(help="A file with the upstream's certificate; on this machine any is believed without."),
    ] = "",
) -> None:
    """Carry audio until ended."""
    del path
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    logging.disable(logging.INFO)
    uvloop.run(_serve(host, port, upstream, streams, ca))


async def _serve(host: str, port: int, upstream: str, streams: int, ca: str) -> None:
    stop = asyncio.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    driver = OpenDoor(
        InMemory(),
        Tokens("bench-bench-bench-bench"),
        Signatures("", "ws://bench", required=False),
        RealtimeModels(
            Access(upstream, "gpt-realtime-2.1", "bench", trusting=True), _believing(upstream, ca)
        ),
        admission=Admission(streams, late_ms=float("inf")),
    )
    async with driver.listening(host, port) as bound:
        gc.freeze()  # as `rung bridge` does
        print(f"READY {bound}", flush=True)
        await stop.wait()


def _believing(upstream: str, ca: str) -> ssl.SSLContext:
    """What certificates are believed: the given one; any on this machine itself; else the system's."""
    if ca or urlsplit(upstream).hostname not in {"127.0.0.1", "localhost", "::1"}:
        return ssl.create_default_context(cafile=ca or None)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


if __name__ == "__main__":
    typer.run(main)
