"""Handing a page to the person's own workflow, which owns their phone."""

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from workflows.messages import PageRequest, ResponderInput, responder_workflow_id
from workflows.orders import JOIN_FIRST, RELAY_PAGE, WORKFLOWS, Done, RelayPage, page_priority

RESPONDER_WORKFLOW = "ResponderWorkflow"
REQUEST = "request"


class Relays:
    """Starts and signals workflows for workflows, which cannot start one that may be running already."""

    def __init__(self, temporal: Client) -> None:
        self._temporal = temporal

    @activity.defn(name=RELAY_PAGE.name)
    async def relay_page(self, order: RelayPage) -> Done:
        """Ask a person's workflow to ring them, starting it if need be.

        A repeat sends the request again, and the person's workflow knows it by its page and ring.
        """
        request = order.request
        person = request.responder
        priority = JOIN_FIRST if request.kind == "join" else page_priority(request.case.severity)
        await self._temporal.start_workflow(
            RESPONDER_WORKFLOW,
            ResponderInput(person=person.id),
            id=responder_workflow_id(person.id),
            task_queue=WORKFLOWS,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal=REQUEST,
            start_signal_args=[PageRequest(request=request)],
            priority=priority,
            static_summary=f"The phone of {person.name}",
        )
        return Done()
