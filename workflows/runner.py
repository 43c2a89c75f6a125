"""Runs workflows so that what a cold worker does is what every later replay does: results before updates.

A workflow task that orders nothing and is followed at once by one with an update is one task to a worker that
has to begin from the history, and two to whoever replays that history later (temporalio/sdk-python#1591). The
SDK lets updates go before results of activities, so in the first case a key press is decided before the result,
in the second after it: where that makes a difference, the replay fails for ever and the escalation stands still.
It takes a worker that dies and a key that is pressed in the same seconds, which is what Rung is for. Here the
results go first in both cases. A timer that fired stays behind the updates, as the SDK has it: an act that was
pressed before its deadline counts, and a deadline always orders something, so its task is never taken for empty.
"""

from temporalio.bridge.proto.workflow_activation import WorkflowActivation, WorkflowActivationJob
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = ("workflows", "configuration", "opentelemetry")  # loaded once a process, not once a workflow

_LATER = {"do_update", "fire_timer"}
_ALONE = {"initialize_workflow", "remove_from_cache", "query_workflow"}  # as the SDK has it
_LAST_WORDS = (
    "complete_workflow_execution",
    "fail_workflow_execution",
    "cancel_workflow_execution",
    "continue_as_new_workflow_execution",
)


class ResultsFirst(SandboxedWorkflowRunner):
    """The SDK's sandbox, with the updates of each activation after the results in it."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """One run of a workflow."""
        instance = super().create_instance(det)
        _spare_contexts(instance)
        inner = instance.activate

        def activate(act: WorkflowActivation) -> WorkflowActivationCompletion:
            parts = _parts(act)
            if len(parts) == 1:
                return inner(act)
            first = inner(parts[0])
            if not first.HasField("successful") or any(
                command.WhichOneof("variant") in _LAST_WORDS for command in first.successful.commands
            ):
                return first  # an update that nobody took up is handed to the next run, or refused, by the server
            second = inner(parts[1])
            if not second.HasField("successful"):
                return second
            first.successful.commands.extend(second.successful.commands)
            used = set(first.successful.used_internal_flags)
            first.successful.used_internal_flags.extend(
                flag for flag in second.successful.used_internal_flags if flag not in used
            )
            return first

        instance.activate = activate  # type: ignore[method-assign]
        return instance


def _spare_contexts(instance: WorkflowInstance) -> None:
    """Our converter wants no context for a payload: what the SDK asks of the sandbox for each is asked once.

    That was a third of what a replay costs, and a killed worker's successor replays everything.
    """
    storage = instance.get_external_store_context(None)
    instance.get_serialization_context = lambda command_info: None  # type: ignore[method-assign]
    instance.get_external_store_context = lambda command_info: storage  # type: ignore[method-assign]


def runner() -> ResultsFirst:
    """How our workers, and whoever replays our histories, run workflows."""
    return ResultsFirst(SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


def _parts(act: WorkflowActivation) -> list[WorkflowActivation]:
    """The activation as it is, or in two: results and signals, then updates and timers."""
    kinds = {job.WhichOneof("variant") for job in act.jobs}
    if "do_update" not in kinds or kinds <= _LATER or kinds & _ALONE:
        return [act]
    results = [job for job in act.jobs if job.WhichOneof("variant") not in _LATER]
    later = [job for job in act.jobs if job.WhichOneof("variant") in _LATER]
    return [_with(act, results), _with(act, later)]


def _with(act: WorkflowActivation, jobs: list[WorkflowActivationJob]) -> WorkflowActivation:
    copy = WorkflowActivation()
    copy.CopyFrom(act)
    del copy.jobs[:]
    copy.jobs.extend(jobs)
    return copy
