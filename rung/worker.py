"""The worker process, joined: the workflows, and the activities that do what they order.

Four task queues, named for what their workers need (workflows.orders). All of an account's calls go through
one of them, at the account's call rate, so that priority decides who is rung first.
"""

import asyncio
import math
from collections.abc import Callable, Sequence
from datetime import timedelta

import structlog
from temporalio.client import Client, Interceptor
from temporalio.worker import Worker

from activities.addresses import Addresses
from activities.calls import Calls
from activities.incidents import OpenIncidents
from activities.notices import Notices
from activities.plans import Plans
from activities.push import Pushes
from activities.relays import Relays
from activities.rooms import Rooms
from activities.texts import Texts
from activities.transport import Transport, twilio_client
from configuration.holder import ConfigurationFile
from rung.settings import Settings
from rung.temporal import connect
from workflows import orders
from workflows.call_shell import CallWorkflow
from workflows.escalation import EscalationWorkflow
from workflows.responder_shell import ResponderWorkflow
from workflows.runner import runner
from workflows.tokens import Tokens

WORKFLOWS = (EscalationWorkflow, ResponderWorkflow, CallWorkflow)

# After a worker was killed the next task waits so long for its cache before another one may take it.
STICKY = timedelta(seconds=2)
GRACE = timedelta(seconds=20)  # the longest activity takes 15 s
LAST_GOOD = "last-good.yaml"  # beside what the other processes keep in the state folder
CACHED = 2000  # workflows kept in memory; more than these are replayed when they are needed
LOOK_PAUSE_S = 0.01

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)


async def serve(
    settings: Settings,
    stop: asyncio.Event,
    ready: Callable[[], None],
    *,
    calls_per_second: float | None = None,
    cached_workflows: int = CACHED,
    interceptors: Sequence[Interceptor] = (),
) -> None:
    """Work until told to stop, then let what is under way finish.

    ready: called once every queue is polled. calls_per_second: instead of the configuration's.
    cached_workflows: 0 replays every workflow at every step. interceptors: of the client, and so of the workers.
    Raises TemporalError and ConfigurationError at the start, and whatever ends a worker that may not go on:
    the process shall then end, and be started anew.
    """
    configuration = ConfigurationFile(settings.config, settings.state_dir / LAST_GOOD)
    temporal = await connect(settings, interceptors=interceptors)
    async with Transport() as transport:
        workers = _workers(
            temporal,
            settings,
            configuration,
            transport,
            calls_per_second or configuration.current().calls_per_second,
            cached_workflows,
        )
        await run(workers, stop, ready)


async def run(workers: Sequence[Worker], stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Run workers until told to stop or one of them fails; the failure is raised when all have ended."""
    runs = [asyncio.create_task(worker.run(), name=f"worker {worker.task_queue}") for worker in workers]
    stopping = asyncio.create_task(stop.wait())
    try:
        while not all(worker.is_running for worker in workers):
            if any(one.done() for one in (*runs, stopping)):
                break
            await asyncio.sleep(LOOK_PAUSE_S)
        else:
            log.info("worker ready", queues=[worker.task_queue for worker in workers])
            ready()
        await asyncio.wait({*runs, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        log.info("worker stopping", grace_s=GRACE.total_seconds())
        await asyncio.gather(*(worker.shutdown() for worker in workers))
    for ended in await asyncio.gather(*runs, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended


def _workers(
    temporal: Client,
    settings: Settings,
    configuration: ConfigurationFile,
    transport: Transport,
    calls_per_second: float,
    cached_workflows: int,
) -> list[Worker]:
    account = settings.twilio_account_sid
    secret = settings.twilio_api_secret if settings.twilio_api_key else settings.twilio_auth_token
    twilio = twilio_client(
        transport,
        account_sid=account,
        username=settings.twilio_api_key or account,
        password=secret.get_secret_value(),
        base_url=settings.twilio_base_url,
        region=settings.twilio_region,
        edge=settings.twilio_edge,
    )
    addresses = Addresses(settings.public_url, Tokens(settings.link_secret.get_secret_value()))
    calls = Calls(twilio, addresses, fallback_url=settings.page_fallback_url)
    rooms = Rooms(twilio, addresses, settings.twilio_application_sid)
    texts = Texts(twilio, addresses)
    notices = Notices(Pushes(), texts, addresses, configuration)
    plans, relays = Plans(configuration), Relays(temporal)
    # Enough slots for every create of one time-out's length, so that the rate decides, never the slots.
    slots = max(20, math.ceil(calls_per_second * orders.PLACE_PAGE_CALL.start_to_close.total_seconds()))
    return [
        Worker(
            temporal,
            task_queue=orders.WORKFLOWS,
            workflows=WORKFLOWS,
            activities=[plans.plan_ladder, relays.relay_page, OpenIncidents(temporal).find_incidents],
            workflow_runner=runner(),
            max_cached_workflows=cached_workflows,
            sticky_queue_schedule_to_start_timeout=STICKY,
            graceful_shutdown_timeout=GRACE,
        ),
        Worker(
            temporal,
            task_queue=orders.CALLS,
            activities=[calls.place_page_call, rooms.add_assistant],
            max_task_queue_activities_per_second=calls_per_second,
            max_concurrent_activities=slots,
            graceful_shutdown_timeout=GRACE,
        ),
        Worker(
            temporal,
            task_queue=orders.TELEPHONE,
            activities=[
                calls.find_call,
                calls.look_at_call,
                calls.hang_up,
                calls.cancel_call,
                calls.send_caller,
                texts.send_text,
                texts.find_text,
                rooms.set_participant,
                rooms.confirm_coaching,
                rooms.announce_fact,
                rooms.end_room,
                rooms.look_at_room,
            ],
            graceful_shutdown_timeout=GRACE,
        ),
        Worker(
            temporal,
            task_queue=orders.NOTICES,
            activities=[notices.push, notices.alert_operator, notices.deliver_message],
            graceful_shutdown_timeout=GRACE,
        ),
    ]
