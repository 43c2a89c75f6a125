"""The codec against the real server: what its histories show, and what a human can do to a workflow by hand."""

import asyncio
import base64
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from google.protobuf.json_format import MessageToJson
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Replayer, Worker

from rung.temporal import temporal_binary
from tests.workflows.probe import Deed, Probe, Words, fail, repeat
from workflows.admission import OneMessage
from workflows.codec import CodecKey, data_converter

SECRET = "Flat 4B, Mr Okafor"
QUEUE = "probe"
KEY = CodecKey.generate()
CONVERTER = data_converter([KEY])


@dataclass(frozen=True)
class Server:
    """A real server with one probe running, and the bare client that Temporal's own tools would be."""

    probe: WorkflowHandle[Probe, Words]
    bare: Client

    async def by_hand(self, *command: str) -> str:
        """Run Temporal's command line, which knows no keys."""
        process = await asyncio.create_subprocess_exec(
            str(temporal_binary()),
            *command,
            *("--workflow-id", self.probe.id, "--address", self.bare.service_client.config.target_host),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return output.decode()

    async def signal(self, *inputs: str, **metadata: str) -> None:
        """Signal the probe by hand."""
        options = [part for text in inputs for part in ("--input", text)]
        options += [part for key, value in metadata.items() for part in ("--input-meta", f"{key}={value}")]
        assert "succeeded" in await self.by_hand("workflow", "signal", "--name", "act", *options)

    async def until_the_timer_runs(self) -> None:
        """Wait until the probe has done all it does by itself."""
        async for event in self.bare.get_workflow_handle(self.probe.id).fetch_history_events(
            wait_new_event=True
        ):
            if event.HasField("timer_started_event_attributes"):
                return

    async def kept(self) -> str:
        """All that the server keeps of the probe, with its base64 opened."""
        described = await self.bare.get_workflow_handle(self.probe.id).describe()
        history = await self.bare.get_workflow_handle(self.probe.id).fetch_history()
        text = history.to_json() + MessageToJson(described.raw_description)
        opened = [
            base64.b64decode(data).decode(errors="replace") for data in re.findall(r'"data": "([^"]+)"', text)
        ]
        return text + "\n".join(opened)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with (
        await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(temporal_binary()),
            dev_server_log_level="error",
            data_converter=CONVERTER,
        ) as env,
        Worker(
            env.client,
            task_queue=QUEUE,
            workflows=[Probe],
            activities=[repeat, fail],
            interceptors=[OneMessage()],
        ),
    ):
        probe = await env.client.start_workflow(
            Probe.run,
            Words(SECRET),
            id="escalation-1",
            task_queue=QUEUE,
            memo={"caller": Words(SECRET)},
            static_summary="Riverside Clinic, water, urgent",
            static_details="Rung 1: ana",
        )
        yield Server(probe, Client(env.client.service_client))


async def test_temporal_keeps_no_word_of_ours_but_the_summaries(server: Server) -> None:
    await server.until_the_timer_runs()
    await server.probe.execute_update(Probe.act_and_tell, Deed("decline", SECRET))
    await server.probe.signal(Probe.act, Deed("resolve", SECRET))
    assert await server.probe.result() == Words(SECRET)

    kept = await server.kept()

    for word in ("Flat", "Okafor", "decline", "resolve", "in a failure"):
        assert word not in kept
    for summary in ("Riverside Clinic, water, urgent", "Rung 1: ana", "Page ana by voice", "Rung 1 expires"):
        assert summary in kept


async def test_current_details_are_readable_without_a_key(server: Server) -> None:
    shown = await server.by_hand("workflow", "query", "--type", "__temporal_workflow_metadata")
    assert "Rung 1 rings" in shown


async def test_a_human_acts_from_temporals_command_line(server: Server) -> None:
    await server.signal('{"kind": "acknowledge", "by": "ana"}')
    await server.by_hand(
        "workflow",
        "update",
        "execute",
        "--name",
        "act_and_tell",
        "--input",
        '{"kind": "resolve", "by": "ana"}',
    )

    assert await server.probe.query(Probe.heard) == [Deed("acknowledge", "ana"), Deed("resolve", "ana")]
    assert await server.probe.result() == Words(SECRET)


async def test_a_signal_nobody_can_read_never_freezes_a_workflow(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """Each of these, let through or raised upon, would fail the workflow task for ever."""
    caplog.set_level(logging.ERROR)
    await server.signal('{"kind": "joined", "by": "ana"}')
    await server.signal('{"kind": "acknowledge"}')
    await server.signal('"hello"')
    await server.signal("7")
    await server.signal("not sealed at all", encoding="binary/encrypted", **{"encryption-key-id": KEY.id})
    await server.signal()
    await server.signal(*['{"kind": "acknowledge", "by": "ana"}'] * 2)

    assert await server.probe.query(Probe.heard) == []
    assert len([record for record in caplog.records if "dropp" in record.message]) == 7

    await server.signal('{"kind": "resolve", "by": "ana"}')
    assert await server.probe.result() == Words(SECRET)


async def test_dropped_signals_are_dropped_again_by_a_replay(server: Server) -> None:
    await server.signal('{"kind": "joined", "by": "ana"}')
    await server.signal()
    await server.signal('{"kind": "resolve", "by": "ana"}')
    await server.probe.result()

    replayer = Replayer(
        workflows=[Probe],
        data_converter=CONVERTER,
        interceptors=[OneMessage()],
    )
    await replayer.replay_workflow(await server.probe.fetch_history())


async def test_an_update_nobody_can_read_is_answered_with_an_error(server: Server) -> None:
    unsealed = await server.by_hand(
        "workflow", "update", "execute", "--name", "act_and_tell", "--input", '{"kind": "joined"}'
    )
    assert "PayloadRefusedError" in unsealed

    with pytest.raises(WorkflowUpdateFailedError) as told:
        await server.probe.execute_update("act_and_tell")
    assert "takes one message, not 0" in str(told.value.cause)

    await server.probe.signal(Probe.act, Deed("resolve", "ana"))
    assert await server.probe.result() == Words(SECRET)


async def test_an_answer_of_nothing_arrives_as_nothing(server: Server) -> None:
    assert await server.probe.query("nothing") is None


async def test_a_process_with_its_own_key_reads_nothing_and_says_which_key_it_lacks(server: Server) -> None:
    stranger = Client(
        server.bare.service_client, data_converter=data_converter([CodecKey("mine", bytes(32))])
    )

    with pytest.raises(RuntimeError, match=r"this process has \['mine'\]"):
        await stranger.get_workflow_handle("escalation-1", result_type=list[Deed]).query(Probe.heard)
