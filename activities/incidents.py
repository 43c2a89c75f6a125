"""What is open on a line, as a stranger may hear of it: kind and state, nobody's name or words."""

import asyncio
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.client import Client, WorkflowExecution
from temporalio.exceptions import TemporalError

from workflows import attributes
from workflows.messages import EscalationView
from workflows.orders import FIND_INCIDENTS, FindIncidents, Incident, Incidents

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

AT_MOST = 5  # read out to a caller, more are noise
QUERY_WITHIN = timedelta(seconds=2)


class OpenIncidents:
    """Finds open escalations by their search attributes, and asks each how it stands."""

    def __init__(self, temporal: Client) -> None:
        self._temporal = temporal

    @activity.defn(name=FIND_INCIDENTS.name)
    async def find_incidents(self, order: FindIncidents) -> Incidents:
        """The line's open cases of this category, or of any where none is given, latest first.

        Only reads: a repeat does no harm.
        """
        query = (
            f"WorkflowType='EscalationWorkflow' AND ExecutionStatus='Running'"
            f" AND {attributes.LINE.name}='{order.line}'"
        )
        found = [
            one
            async for one in self._temporal.list_workflows(query, limit=4 * AT_MOST)
            if one.id != order.ignoring
        ]
        found.sort(key=lambda one: one.start_time, reverse=True)
        told = await asyncio.gather(*(self._told(one) for one in found))
        open_ = [one for one in told if one is not None and order.category in {"", one.category}]
        return Incidents(open=tuple(open_[:AT_MOST]))

    async def _told(self, execution: WorkflowExecution) -> Incident | None:
        handle = self._temporal.get_workflow_handle(execution.id, run_id=execution.run_id)
        try:
            view = await handle.query("status", result_type=EscalationView, rpc_timeout=QUERY_WITHIN)
        except TemporalError as error:
            log.warning("open case not found out", escalation=execution.id, error=str(error))
            return None
        minutes = int((datetime.now(UTC) - execution.start_time).total_seconds() // 60)
        return Incident(view.case.category, str(view.phase), minutes)
