"""A workflow that has page calls placed, as the responders' workflows do."""

import asyncio

from temporalio import workflow

from workflows.orders import PLACE_PAGE_CALL, PlacePageCall, Submission, page_priority


@workflow.defn
class Storm:
    """Orders all these calls at once, each with its severity's priority."""

    @workflow.run
    async def run(self, calls: list[PlacePageCall]) -> list[Submission]:
        handles = [
            workflow.start_activity(
                PLACE_PAGE_CALL.name,
                order,
                result_type=Submission,
                task_queue=PLACE_PAGE_CALL.queue,
                start_to_close_timeout=PLACE_PAGE_CALL.start_to_close,
                retry_policy=PLACE_PAGE_CALL.retry,
                priority=page_priority(order.ring.items[0].request.case.severity),
            )
            for order in calls
        ]
        return list(await asyncio.gather(*handles))
