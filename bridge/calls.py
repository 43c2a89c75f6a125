"""How the bridge talks to the workflow of a call: asks to carry a leg, and tells that it no longer does.

Straight to Temporal, not by way of the door: docs/adr/0005-how-the-bridge-talks-to-workflows.md.
Nothing here fails: what cannot be said now is said again until it can, and the stream goes on meanwhile.
"""

import asyncio
import json
import uuid
from collections.abc import Iterator
from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.service import RPCError, RPCStatusCode

from workflows.messages import Attach, Attached, Detached, call_workflow_id
from workflows.tokens import StreamToken
from workflows.versions import Message
from workflows.voice import ToolCall, ToolOutcome, Turns, VoiceTrouble

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

ATTEMPT = timedelta(seconds=5)  # an answer takes milliseconds; a worker that restarts, a second or two
LONGEST_PAUSE_S = 3.0
GIVE_UP_TELLING = timedelta(seconds=60)  # by then the workflow has found out by an instruction nobody took


class Calls:
    """The workflows of calls, as this bridge process speaks to them."""

    def __init__(self, temporal: Client, queue: str, attempt: timedelta = ATTEMPT) -> None:
        """queue: where this process takes instructions. attempt: how long one question waits."""
        self._temporal = temporal
        self._queue = queue
        self._attempt = attempt

    async def attach(self, leg: StreamToken, stream: str) -> Attached:
        """Ask until the workflow has answered. One question, however often it is put: it has one id."""
        question = Attach(generation=leg.generation, nonce=leg.nonce, queue=self._queue, stream=stream)
        update_id = uuid.uuid4().hex  # not the nonce: another stream with the same token asks anew
        for pause_s in _pauses():
            try:
                answer: Attached = await self._workflow(leg).execute_update(
                    "attach", question, id=update_id, result_type=Attached, rpc_timeout=self._attempt
                )
                return answer
            except WorkflowUpdateFailedError as error:
                return Attached(accepted=False, because=str(error.cause))
            except WorkflowUpdateRPCTimeoutOrCancelledError:
                problem = "no answer in time"
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return Attached(accepted=False, because="this call is over")
                problem = error.message
            log.warning("attach not answered", call=leg.call, generation=leg.generation, problem=problem)
            await asyncio.sleep(pause_s)
        raise AssertionError("the pauses do not end")

    async def use_tool(self, leg: StreamToken, call: ToolCall) -> ToolOutcome:
        """Ask until the workflow has answered; a call counts once, however often it is put."""
        for pause_s in _pauses():
            try:
                outcome: ToolOutcome = await self._workflow(leg).execute_update(
                    "use_tool", call, id=call.id, result_type=ToolOutcome, rpc_timeout=self._attempt
                )
                return outcome
            except WorkflowUpdateFailedError as error:
                return _refused(str(error.cause))
            except WorkflowUpdateRPCTimeoutOrCancelledError:
                problem = "no answer in time"
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return _refused("this call is over")
                problem = error.message
            log.warning("tool call not answered", call=leg.call, tool=call.name, problem=problem)
            await asyncio.sleep(pause_s)
        raise AssertionError("the pauses do not end")

    async def tell_turns(self, leg: StreamToken, turns: Turns) -> None:
        """Tell what was said until it was taken."""
        await self._tell(leg, "turns", turns)

    async def tell_trouble(self, leg: StreamToken, trouble: VoiceTrouble) -> None:
        """Tell how the model does until it was taken."""
        await self._tell(leg, "voice_trouble", trouble)

    async def tell_detached(self, leg: StreamToken) -> None:
        """Tell that this process no longer carries the leg; a repeat does no harm."""
        try:
            async with asyncio.timeout(GIVE_UP_TELLING.total_seconds()):
                await self._tell(leg, "detached", Detached(generation=leg.generation, queue=self._queue))
        except TimeoutError:
            log.error("detach given up", call=leg.call, generation=leg.generation)

    async def _tell(self, leg: StreamToken, signal: str, news: Message) -> None:
        for pause_s in _pauses():
            try:
                return await self._workflow(leg).signal(signal, news, rpc_timeout=self._attempt)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return None  # the call is over, and knows
                log.warning("news not told", call=leg.call, news=signal, problem=error.message)
            await asyncio.sleep(pause_s)
        raise AssertionError("the pauses do not end")

    def _workflow(self, leg: StreamToken) -> WorkflowHandle[object, object]:
        return self._temporal.get_workflow_handle(call_workflow_id(leg.call))


def _refused(because: str) -> ToolOutcome:
    return ToolOutcome(output=json.dumps({"error": because}))


def _pauses() -> Iterator[float]:
    pause_s = 0.1
    while True:
        yield pause_s
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
