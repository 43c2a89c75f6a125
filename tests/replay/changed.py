"""Deploys that would freeze what is running, and one that does not: a step added, a step left out, a patch."""

from datetime import timedelta

from temporalio import workflow

from workflows import emergency
from workflows.escalation import EscalationWorkflow
from workflows.messages import EscalationInput, EscalationOutcome


@workflow.defn(name="EscalationWorkflow")
class AddsAStep(EscalationWorkflow):
    """Waits a second before it does anything, as no recorded night did."""

    @workflow.init
    def __init__(self, start: EscalationInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: EscalationInput) -> EscalationOutcome:
        await workflow.sleep(timedelta(seconds=1), summary="think")
        return await super().run(start)


@workflow.defn(name="EscalationWorkflow")
class LeavesAStepOut(EscalationWorkflow):
    """Rings nobody."""

    @workflow.init
    def __init__(self, start: EscalationInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: EscalationInput) -> EscalationOutcome:
        return await super().run(start)

    async def _perform(self, effect: emergency.Effect) -> None:
        if not isinstance(effect, emergency.RingPage):
            await super()._perform(effect)


@workflow.defn(name="EscalationWorkflow")
class AddsAStepBehindAPatch(EscalationWorkflow):
    """Waits a second too, but not where a night has begun without."""

    @workflow.init
    def __init__(self, start: EscalationInput) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: EscalationInput) -> EscalationOutcome:
        if workflow.patched("think-first"):
            await workflow.sleep(timedelta(seconds=1), summary="think")
        return await super().run(start)
