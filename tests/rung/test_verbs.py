"""The operator's verbs while Temporal is up and no worker is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.client import Client
from typer.testing import CliRunner, Result

from rung.cli import command
from rung.temporal import connect
from tests.temporal_server import TemporalServer
from workflows.orders import WORKFLOWS

ID = "escalation-CA0000000000000000000000000000beef"


@pytest.fixture
async def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TemporalServer]:
    server = TemporalServer(tmp_path)
    try:
        await server.serves()
        for name, value in server.settings.environment().items():
            monkeypatch.setenv(name, value)
        yield server
    finally:
        server.end()


@pytest.fixture
async def client(server: TemporalServer) -> Client:
    """With one case open that no worker has taken up."""
    client = await connect(server.settings)
    await client.start_workflow("EscalationWorkflow", id=ID, task_queue=WORKFLOWS)
    return client


async def rung(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, command(), list(arguments))


async def test_what_is_open_is_listed_though_no_worker_answers(client: Client) -> None:
    told = await rung("status")
    assert told.exit_code == 0, told.output
    assert "00beef" in told.output
    assert "no worker answers for it" in told.output


async def test_a_word_said_while_no_worker_is_up_is_kept(client: Client) -> None:
    told = await rung("ack", "beef", "--as", "ana")
    assert told.exit_code == 3, told.output
    assert "Your word is kept" in told.output
    history = await client.get_workflow_handle(ID).fetch_history()
    signals = [
        event.workflow_execution_signaled_event_attributes.signal_name
        for event in history.events
        if event.HasField("workflow_execution_signaled_event_attributes")
    ]
    assert signals == ["acknowledge"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["hug", "caller"], "there is no verb 'hug'; there are: hold, unhold, mute"),
        (["hold"], "hold whom? caller, a responder's id, ai, notes, interpreter, or ais"),
        (["hold", "caller", "--sound", "jazz"], "there is no sound 'jazz'; there are: words, music, silence"),
    ],
)
async def test_an_act_on_a_room_that_cannot_be_understood_says_what_can(asked: list[str], told: str) -> None:
    answer = await rung("room", "CA1", *asked)
    assert answer.exit_code == 2
    assert told in answer.output


async def test_a_room_that_nobody_can_tell_of_is_not_made_up(client: Client) -> None:
    answer = await rung("room", "beef")
    assert answer.exit_code == 1
    assert "call-CA0000000000000000000000000000beef does not answer" in answer.output


@pytest.mark.parametrize("verb", ["ack", "decline", "resolve", "cancel"])
async def test_nobody_acts_who_is_not_in_the_owners_file(client: Client, verb: str) -> None:
    told = await rung(verb, "beef", "--as", "nobody")
    assert told.exit_code == 2
    assert "nobody is called 'nobody'; there are: ana" in told.output


@pytest.mark.parametrize("text", ["", "{broken", "{}", "# no history"])
def test_a_file_that_is_no_history_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    file = tmp_path / "file.json"
    file.write_text(text)
    told = CliRunner().invoke(command(), ["replay", str(file)])
    assert told.exit_code == 2
    assert len(told.output.splitlines()) == 1
