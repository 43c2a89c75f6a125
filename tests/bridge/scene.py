"""One call, one bridge, and Twilio's end of the web sockets."""

import asyncio
import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.request import urlopen

from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from rung.bridge import serve
from rung.settings import Settings
from rung.temporal import connect as connect_temporal
from tests.bridge import frames
from tests.bridge.stand_in import Heard, StandInCall
from workflows import orders
from workflows.messages import call_workflow_id
from workflows.orders import Instruction
from workflows.tokens import STREAM, StreamToken, Tokens
from workflows.values import CallSid
from workflows.voice import Plan

PATIENCE_S = 10.0


@dataclass
class Bridge:
    """A running bridge process, without the process."""

    settings: Settings
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @asynccontextmanager
    async def running(self, *, signed: bool = True) -> AsyncGenerator["Bridge"]:
        ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(
            serve(self.settings, self.stop, ready.set_result, port=0, signed=signed)
        )
        serving.add_done_callback(lambda _: self.ended.set())
        either: list[asyncio.Future[Any]] = [serving, ready]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        self.port = ready.result()
        try:
            yield self
        finally:
            self.stop.set()
            await serving

    async def stream(self, signature: str | None = None, path: str = "") -> ClientConnection:
        """Twilio opens a web socket, signed over the public address unless told otherwise."""
        public = self.settings.stream_url
        headers = {"X-Twilio-Signature": signed_by_twilio(self.settings, public + path)}
        if signature is not None:
            headers = {"X-Twilio-Signature": signature} if signature else {}
        return await connect(
            f"ws://127.0.0.1:{self.port}{path}", additional_headers=headers, compression=None
        )

    async def health(self) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            with urlopen(f"http://127.0.0.1:{self.port}/health") as reply:  # our own
                return dict(json.loads(reply.read()))

        return await asyncio.to_thread(ask)


@dataclass
class Scene:
    """A call whose workflow runs, and a bridge."""

    client: Client
    tokens: Tokens
    bridge: Bridge
    sid: CallSid
    call: WorkflowHandle[Any, Any]

    def token(self, nonce: str = "", generation: int = 1, call: CallSid | None = None) -> str:
        """A fresh token of this call's AI leg."""
        leg = StreamToken(call or self.sid, generation, nonce or uuid.uuid4().hex)
        return self.tokens.make(STREAM, leg)

    async def started(
        self, token: str | None, stream: str = frames.STREAM, bridge: Bridge | None = None
    ) -> ClientConnection:
        """A stream that has said who it is."""
        socket = await (bridge or self.bridge).stream()
        await socket.send(frames.CONNECTED)
        await socket.send(frames.start(token, stream))
        return socket

    async def until(self, attached: int = 0, detached: int = 0) -> Heard:
        """What the call has heard, once it has heard so much."""
        async with asyncio.timeout(PATIENCE_S):
            heard: Heard = await self.call.execute_update("until", (attached, detached), result_type=Heard)
        return heard

    async def told(self, turns: int) -> Heard:
        """What the call has heard, once it was told so many batches of turns."""
        async with asyncio.timeout(PATIENCE_S):
            heard: Heard = await self.call.execute_update("until_told", turns, result_type=Heard)
        return heard

    async def heard(self) -> Heard:
        heard: Heard = await self.call.query("heard", result_type=Heard)
        return heard

    async def heard_in_all(self) -> Heard:
        """What the call has heard when its bridge has ended: nothing more is under way."""
        self.bridge.stop.set()
        await self.bridge.ended.wait()
        return await self.heard()

    async def order(self, instruction: Instruction) -> str:
        """The call orders its bridge to do something; "done", or why not."""
        done: str = await self.call.execute_update("order", instruction, result_type=str)
        return done


@asynccontextmanager
async def scene(settings: Settings, plan: Plan | None = None) -> AsyncGenerator[Scene]:
    client = await connect_temporal(settings)
    sid = CallSid(f"CA{uuid.uuid4().hex}")
    async with (
        Worker(
            client,
            task_queue=orders.WORKFLOWS,
            workflows=[StandInCall],
            workflow_runner=UnsandboxedWorkflowRunner(),
            max_cached_workflows=0,  # nothing waits for a cache after the server was silent
        ),
        Bridge(settings).running() as bridge,
    ):
        call = await client.start_workflow(
            StandInCall.run,
            plan,
            id=call_workflow_id(sid),
            task_queue=orders.WORKFLOWS,
            task_timeout=timedelta(seconds=1),  # a task that was lost in the silence is given out again
        )
        tokens = Tokens(settings.link_secret.get_secret_value())
        yield Scene(client, tokens, bridge, sid, call)
        await call.terminate()


async def closed(socket: ClientConnection) -> int:
    """How Twilio's end of a socket was closed."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            while True:
                await socket.recv()
        except ConnectionClosed:
            return int(socket.close_code or 0)


def signed_by_twilio(settings: Settings, url: str) -> str:
    """Twilio's documented signature over a URL without a form, written out."""
    key = settings.twilio_auth_token.get_secret_value().encode()
    return base64.b64encode(hmac.new(key, url.encode(), hashlib.sha1).digest()).decode()
