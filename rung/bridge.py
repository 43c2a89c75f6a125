"""The bridge process, joined: streams in at the port, instructions in by a task queue of its own."""

import asyncio
import gc
import uuid
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from temporalio.client import Interceptor
from temporalio.worker import Worker

from bridge.admission import Admission
from bridge.calls import Calls
from bridge.driver import Driver
from bridge.hearsay import Hearsay
from bridge.models import RealtimeModels
from bridge.realtime import Access
from bridge.signature import Signatures
from rung.settings import Settings
from rung.temporal import connect
from workflows.tokens import Tokens

GRACE = timedelta(seconds=3)  # what an instruction may take
INSTRUCTIONS_AT_ONCE = 200
LOOK_PAUSE_S = 0.01

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    ready: Callable[[int], None],
    *,
    port: int | None = None,
    signed: bool = True,
    interceptors: Sequence[Interceptor] = (),
) -> None:
    """Carry streams until told to stop; running ones then resume on another bridge.

    ready: called with the port once streams and instructions are taken. signed: whether a stream without
    Twilio's signature is turned away. interceptors: of the client, and so of the worker.
    Raises TemporalError at the start, and whatever ends the worker: the process shall then end, and be
    started anew.
    """
    temporal = await connect(settings, interceptors=interceptors)
    queue = f"bridge-{uuid.uuid4().hex[:12]}"  # a new process is a new bridge, even under an old process id
    driver = Driver(
        Calls(temporal, queue),
        Tokens(settings.link_secret.get_secret_value()),
        Signatures(settings.twilio_auth_token.get_secret_value(), settings.stream_url, required=signed),
        RealtimeModels(access(settings)),
        admission=Admission(settings.bridge_streams),
        hearsay=Hearsay(settings.state_dir / "ears"),
        drain_s=settings.bridge_drain_s,
    )
    worker = Worker(
        temporal,
        task_queue=queue,
        activities=[driver.instruct_bridge],
        max_concurrent_activities=INSTRUCTIONS_AT_ONCE,
        graceful_shutdown_timeout=GRACE,
    )
    working = asyncio.create_task(worker.run(), name="instructions")
    stopping = asyncio.create_task(stop.wait())
    try:
        while not worker.is_running and not working.done():  # noqa: ASYNC110  # the SDK has no event for it
            await asyncio.sleep(LOOK_PAUSE_S)
        async with driver.listening(
            settings.listen,
            settings.bridge_port if port is None else port,
            share=settings.bridge_share_port,
        ) as bound:
            if worker.is_running:
                log.info("bridge ready", port=bound, queue=queue)
                gc.freeze()  # what is loaded by now stays: the collector need not pause the sound to look at it
                ready(bound)
            await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        await worker.shutdown()
    await working


def access(settings: Settings) -> Access:
    """Where the speech model is, by the settings."""
    return Access(
        settings.speech_url,
        settings.speech_model,
        settings.speech_key.get_secret_value(),
        settings.transcription_model,
    )
