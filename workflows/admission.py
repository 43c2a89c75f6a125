# ruff: noqa: A002  # `input` is the SDK's own name for it
"""Keeps messages of the wrong shape from freezing a workflow.

Each of our messages is exactly one model. A signal sent with none or two (an empty box in Temporal's UI is
enough) would reach its handler as a `TypeError`, which fails the workflow task, which is repeated for ever:
one slip of a hand, and the ladder stands still. What cannot be converted the SDK drops by itself; what does
not fit the handler is dropped here, and an update of that shape is answered with an error.
"""

from typing import Any

import temporalio.client
import temporalio.worker
from temporalio import workflow
from temporalio.exceptions import ApplicationError
from temporalio.worker import (
    HandleSignalInput,
    HandleUpdateInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)


class OneMessage(temporalio.client.Interceptor, temporalio.worker.Interceptor):
    """Lets signals and updates in only with exactly one argument.

    Given to a client, it also holds for the workers made with it. A Replayer needs it too.
    """

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        return _OneMessageInbound


class _OneMessageInbound(WorkflowInboundInterceptor):
    async def handle_signal(self, input: HandleSignalInput) -> None:
        if len(input.args) != 1:
            workflow.logger.error("signal dropped: %s came with %d arguments", input.signal, len(input.args))
            return
        await super().handle_signal(input)

    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        _expect_one(input)
        super().handle_update_validator(input)

    async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
        _expect_one(input)
        return await super().handle_update_handler(input)


def _expect_one(update: HandleUpdateInput) -> None:
    if len(update.args) != 1:
        raise ApplicationError(
            f"update {update.update} takes one message, not {len(update.args)}", type="WrongShape"
        )
