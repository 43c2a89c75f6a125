# ruff: noqa: A002  # `input` is the SDK's own name for it
"""Puts whatever is asked of a call's workflows into the trace of that call, whoever asks."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from opentelemetry import context
from temporalio.client import (
    Interceptor,
    OutboundInterceptor,
    SignalWorkflowInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)

from workflows.traces import call_in, context_of, within


class CallTraces(Interceptor):
    """Comes before the SDK's interceptor, which makes the spans."""

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _InCallTrace(next)


class _InCallTrace(OutboundInterceptor):
    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        with _in_trace(input.id):
            return await super().start_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        with _in_trace(input.id):
            await super().signal_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> WorkflowUpdateHandle[Any]:
        with _in_trace(input.id):
            return await super().start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> WorkflowUpdateHandle[Any]:
        with _in_trace(input.start_workflow_input.id):
            return await super().start_update_with_start_workflow(input)


@contextmanager
def _in_trace(workflow_id: str) -> Generator[None]:
    """The trace of the workflow's call, unless a span of it is under way already."""
    call = call_in(workflow_id)
    if call is None or within(call):
        yield
        return
    token = context.attach(context_of(call))
    try:
        yield
    finally:
        context.detach(token)
