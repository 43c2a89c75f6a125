"""The worker process, joined: every queue is polled, calls go out at the account's rate, and its end is told."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.relays import Relays
from rung.settings import Settings
from rung.temporal import connect
from rung.worker import run, serve
from sandbox.clock import RealClock
from sandbox.faults import Fault, FaultKind
from sandbox.journal import Kind
from sandbox.network import Network
from sandbox.serve import running
from tests.activities.ordering import Storm
from tests.activities.town import ANA, CASE, LINE_NUMBER, ring
from tests.temporal_server import TemporalServer
from workflows import orders
from workflows.messages import responder_workflow_id
from workflows.orders import PlacePageCall, RelayPage, Submission
from workflows.responder import Phone
from workflows.values import PersonId, Severity

PATIENCE_S = 20.0
RATE = 5.0  # of all tests here: a queue keeps the rate of whoever polled it last
BURST = 6


@dataclass
class Night:
    """A telephone network, a Temporal server, and a worker that can be started."""

    settings: Settings
    network: Network
    client: Client
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def working(self, calls_per_second: float = RATE) -> AsyncGenerator[None]:
        ready = asyncio.Event()
        serving = asyncio.create_task(
            serve(self.settings, self.stop, ready.set, calls_per_second=calls_per_second)
        )
        first = asyncio.create_task(ready.wait())
        await asyncio.wait({serving, first}, return_when=asyncio.FIRST_COMPLETED)
        try:
            yield
        finally:
            self.stop.set()
            await serving

    @asynccontextmanager
    async def storm(self, calls: list[PlacePageCall]) -> AsyncGenerator[asyncio.Task[list[Submission]]]:
        """All these calls are ordered at once."""
        queue = f"storm-{uuid.uuid4().hex}"
        async with Worker(
            self.client, task_queue=queue, workflows=[Storm], workflow_runner=UnsandboxedWorkflowRunner()
        ):
            handle = await self.client.start_workflow(Storm.run, calls, id=queue, task_queue=queue)
            async for event in handle.fetch_history_events(wait_new_event=True):
                if event.HasField("activity_task_scheduled_event_attributes"):
                    break
            yield asyncio.create_task(handle.result())

    async def pollers(self, queue: str, kind: TaskQueueType.ValueType) -> int:
        described = await self.client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=self.client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
            )
        )
        return len(described.pollers)

    def dialled(self) -> list[str]:
        """Whom calls were created to, in order."""
        return [str(record.details["to"]) for record in self.network.journal.of(Kind.CALL_CREATED)]


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[TemporalServer]:
    there = TemporalServer(Path(tmp_path_factory.mktemp("worker")))
    yield there
    there.end()


@pytest.fixture
async def night(server: TemporalServer) -> AsyncGenerator[Night]:
    await server.serves()
    network = Network(clock=RealClock(), seed=7, calls_per_second=100)
    network.add_number(LINE_NUMBER)
    async with running(network) as address:
        settings = server.settings.model_copy(
            update={
                "twilio_base_url": address,
                "twilio_auth_token": type(server.settings.twilio_auth_token)("sandbox-token"),
                "public_url": f"{address}/door",
            }
        )
        yield Night(settings, network, await connect(settings))


def call_to(number: str, severity: Severity) -> PlacePageCall:
    return ring(replace(CASE, severity=severity), to=number)


async def test_every_queue_is_polled_when_the_worker_says_that_it_is_ready(night: Night) -> None:
    workflows, activities = (
        TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
    )
    wanted = [(orders.WORKFLOWS, workflows)] + [
        (queue, activities) for queue in (orders.WORKFLOWS, orders.CALLS, orders.TELEPHONE, orders.NOTICES)
    ]
    async with night.working(), asyncio.timeout(PATIENCE_S):
        for queue, kind in wanted:
            while not await night.pollers(queue, kind):  # noqa: ASYNC110  # the server tells it a moment later
                await asyncio.sleep(0.05)


async def test_calls_go_out_by_severity_at_the_accounts_rate(night: Night) -> None:
    severities = (Severity.ROUTINE, Severity.URGENT, Severity.LIFE)
    calls = [
        call_to(f"+120255501{number:02}", severity)
        for number, severity in enumerate(
            itertools.chain.from_iterable(zip(*[severities] * 4, strict=True)), 40
        )
    ]
    by_number = {call.to: call.ring.items[0].request.case.severity for call in calls}

    async with night.storm(calls) as placing:
        async with night.working(), asyncio.timeout(PATIENCE_S):
            began = asyncio.get_running_loop().time()
            submissions = await placing
        took = asyncio.get_running_loop().time() - began

    ranks = [by_number[number].rank for number in night.dialled()]
    assert all(submission.what == "placed" for submission in submissions)
    # One second's calls go out at once, and race each other; all others leave one by one.
    assert sorted(ranks[:BURST]) + ranks[BURST:] == sorted(ranks)
    assert took >= (len(calls) - BURST) / RATE


async def test_a_worker_told_to_stop_lets_a_call_that_is_being_placed_be_placed(night: Night) -> None:
    night.network.faults.add(Fault(FaultKind.LATENCY, "calls.create", seconds=1, times=1))
    async with night.storm([call_to(ANA, Severity.LIFE)]) as placing:
        async with night.working():
            await night.network.journal.wait_for("call.created", timeout_s=PATIENCE_S)
            night.stop.set()
        async with asyncio.timeout(PATIENCE_S):
            [submission] = await placing

    assert submission.what == "placed"
    assert night.dialled() == [ANA]


async def test_a_page_that_is_relayed_twice_rings_once(night: Night) -> None:
    name = f"ana-{uuid.uuid4().hex[:6]}"
    request = ring(CASE, name=name).ring.items[0].request
    relays = Relays(night.client)
    async with night.working():
        await relays.relay_page(RelayPage(request))
        await relays.relay_page(RelayPage(request))
        await night.network.journal.wait_for("call.created", timeout_s=PATIENCE_S)
        phone = await night.client.get_workflow_handle(responder_workflow_id(PersonId(name))).query(
            "status", result_type=Phone
        )

    assert [one.page for one in phone.open] == [request.page]
    assert night.dialled() == [ANA]


async def test_a_worker_that_may_not_poll_ends_with_its_reason(night: Night) -> None:
    config = night.client.config()
    config["namespace"] = "there-is-no-such-namespace"
    worker = Worker(Client(**config), task_queue="nowhere", activities=[Relays(night.client).relay_page])

    with pytest.raises(Exception, match="amespace"):
        await asyncio.wait_for(run([worker], asyncio.Event(), lambda: None), PATIENCE_S)
