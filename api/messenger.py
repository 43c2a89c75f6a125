"""How the door speaks with the workflows: start, tell, ask, look, each within a limit of its own.

The SDK repeats failed requests for up to ten seconds whatever its time-out says, so the limits are ours.
Knows nothing of HTTP. Everything that can go wrong comes out as an error of `errors`.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.door import Patience
from api.errors import ClosedError, NoAnswerError, NotTakenError
from workflows import attributes
from workflows.messages import CallInput, EscalationInput, Message, Note, call_workflow_id
from workflows.orders import WORKFLOWS, page_priority
from workflows.values import Act, EscalationId, LineId

T = TypeVar("T")

OVERTAKEN = "AcceptedUpdateCompletedWorkflow"  # the server's word: it ended with the update still open
MOST_OPEN_CASES = 20  # of one caller; the newest is the one they ask about


@dataclass(frozen=True)
class Messenger:
    """Carries messages to the workflows and answers back. Holds no state."""

    client: Client
    patience: Patience

    async def start_call(self, start: CallInput, *, failed_over: bool = False) -> None:
        """Start the workflow of a call; a repeat finds the one that is there, running or closed.

        failed_over: tell it, in the same breath, that the caller was answered without it.
        Raises NoAnswerError.
        """
        pairs: list[SearchAttributePair[str]] = [SearchAttributePair(attributes.LINE, start.line.id)]
        if start.caller_digest:
            pairs.append(SearchAttributePair(attributes.CALLER, start.caller_digest))
        signal: dict[str, Any] = (
            {"start_signal": "note", "start_signal_args": [Note(what="failed-over")]} if failed_over else {}
        )
        async with within(self.patience.start_s, f"start of call {start.sid}"):
            try:
                await self.client.start_workflow(
                    "CallWorkflow",
                    start,
                    id=call_workflow_id(start.sid),
                    task_queue=WORKFLOWS,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                    search_attributes=TypedSearchAttributes(pairs) if start.searchable else None,
                    static_summary=f"call to {start.line.id}",
                    rpc_timeout=timedelta(seconds=self.patience.start_s),
                    **signal,
                )
            except WorkflowAlreadyStartedError:
                return  # Twilio repeats itself after the call was over

    async def start_escalation(self, start: EscalationInput, memo: Mapping[str, object]) -> bool:
        """Start an escalation without a call; false where it was started before. Raises NoAnswerError."""
        case = start.case
        pairs: list[SearchAttributePair[str]] = [
            SearchAttributePair(attributes.STATE, "paging"),
            SearchAttributePair(attributes.LINE, case.line.id),
            SearchAttributePair(attributes.SEVERITY, case.severity),
        ]
        async with within(self.patience.start_s, f"start of {start.id}"):
            try:
                await self.client.start_workflow(
                    "EscalationWorkflow",
                    start,
                    id=start.id,
                    task_queue=WORKFLOWS,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                    search_attributes=TypedSearchAttributes(pairs) if start.searchable else None,
                    static_summary=f"{case.line.id}: {case.category} ({case.severity})",
                    memo=memo,
                    priority=page_priority(case.severity),
                    rpc_timeout=timedelta(seconds=self.patience.start_s),
                )
            except WorkflowAlreadyStartedError:
                return False
        return True

    async def tell(self, workflow_id: str, signal: str, message: Message | Act) -> None:
        """Send news that the server keeps until a worker is up. Raises NoAnswerError, ClosedError."""
        async with within(self.patience.signal_s, f"{signal} to {workflow_id}"):
            await self.client.get_workflow_handle(workflow_id).signal(
                signal, message, rpc_timeout=timedelta(seconds=self.patience.signal_s)
            )

    async def ask(
        self,
        workflow_id: str,
        update: str,
        message: Message | Act,
        gives: type[T],
        *,
        limit_s: float,
        update_id: str | None = None,
    ) -> T:
        """Tell the workflow something and wait for its answer; the same update id is one update.

        Raises NoAnswerError, after which it may still be carried out; ClosedError, NotTakenError.
        """
        async with within(limit_s, f"{update} of {workflow_id}"):
            answer: object = await self.client.get_workflow_handle(workflow_id).execute_update(
                update,
                message,
                id=update_id,
                result_type=gives,
                rpc_timeout=timedelta(seconds=limit_s),
            )
        return cast("T", answer)

    async def look(self, workflow_id: str, gives: type[T]) -> T:
        """How a workflow stands. Raises NoAnswerError, ClosedError."""
        async with within(self.patience.look_s, f"status of {workflow_id}"):
            answer: object = await self.client.get_workflow_handle(workflow_id).query(
                "status", result_type=gives, rpc_timeout=timedelta(seconds=self.patience.look_s)
            )
        return cast("T", answer)

    async def memo(self, workflow_id: str) -> tuple[bool, Mapping[str, object]]:
        """Whether it is open, and what was written beside it at its start. Raises NoAnswerError, ClosedError."""
        async with within(self.patience.look_s, f"memo of {workflow_id}"):
            found = await self.client.get_workflow_handle(workflow_id).describe()
            return found.status is WorkflowExecutionStatus.RUNNING, await found.memo()

    async def open_cases(
        self, caller_digest: str, line: LineId | None = None, since: datetime | None = None
    ) -> Sequence[EscalationId]:
        """The open escalations of a caller, the newest first. Raises NoAnswerError.

        line: of this line only. since: begun then or later.
        """
        query = (
            f"WorkflowType='EscalationWorkflow' AND ExecutionStatus='Running'"
            f" AND {attributes.CALLER.name}='{caller_digest}'"
        )
        query += f" AND {attributes.LINE.name}='{line}'" if line is not None else ""
        async with within(self.patience.look_s, "list of open cases"):
            found = [
                (execution.start_time, EscalationId(execution.id))
                async for execution in self.client.list_workflows(query, limit=MOST_OPEN_CASES)
                if since is None or execution.start_time >= since
            ]
        return [escalation for _, escalation in sorted(found, reverse=True)]

    async def reachable(self) -> bool:
        """Whether Temporal answers at all."""
        try:
            async with within(self.patience.ready_s, "Temporal's health"):
                return await self.client.service_client.check_health(
                    timeout=timedelta(seconds=self.patience.ready_s)
                )
        except (NoAnswerError, ClosedError):
            return False


@asynccontextmanager
async def within(limit_s: float, what: str) -> AsyncGenerator[None, None]:
    """Give up after the limit, and say in our own errors what went wrong."""
    try:
        async with asyncio.timeout(limit_s):
            yield
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        if isinstance(cause, ApplicationError) and cause.type == OVERTAKEN:
            raise ClosedError(f"{what}: it ended meanwhile") from error
        raise NotTakenError(f"{what}: {cause}") from error
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise ClosedError(f"{what}: {error.message}") from error
        raise NoAnswerError(f"{what}: {error.status.name} {error.message}") from error
    except (WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
        raise NoAnswerError(f"{what}: {error}") from error
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        raise NoAnswerError(f"{what}: no answer within {limit_s:g} s") from error
    except RuntimeError as error:  # how the SDK says that a lazy client could not connect
        raise NoAnswerError(f"{what}: {error}") from error
