"""What a workflow's history costs: events, and the actions that Temporal Cloud bills.

The rules are those of the published price list: a start, a signal, an update, a timer, an upsert of search
attributes and each attempt of an activity is one action; a child workflow is two, one of which is the child's own
start; signal-with-start is one in all. A signal sent by a workflow is counted where it arrives, and where it
was sent only if nobody was there. Queries leave no trace in a history and Rung's main path makes none.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

DOLLARS_PER_MILLION = 50.0  # the first tier of the list

_ONE_EACH: Mapping[int, str] = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: "start",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: "signal",
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: "update",
    EventType.EVENT_TYPE_TIMER_STARTED: "timer",
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: "upsert",
    EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED: "child",
    EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED: "signal to nobody",
}


def actions(events: Iterable[HistoryEvent]) -> Counter[str]:
    """The billable actions of one run, by kind."""
    counted: Counter[str] = Counter()
    attempts: dict[int, int] = {}
    for event in events:
        kind = event.event_type
        if kind == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            attempts[event.event_id] = 1
        elif kind == EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED:
            started = event.activity_task_started_event_attributes
            attempts[started.scheduled_event_id] = max(1, started.attempt)
        elif _came_with_the_start(event):
            continue
        elif name := _ONE_EACH.get(kind):
            counted[name] += 1
    if attempts:
        counted["activity"] = sum(attempts.values())
    return counted


def dollars(count: int) -> float:
    """The list price of so many actions."""
    return count * DOLLARS_PER_MILLION / 1_000_000


def _came_with_the_start(event: HistoryEvent) -> bool:
    """A signal right after the start, before any task: signal-with-start, which is one action in all."""
    return event.event_id == 2 and event.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
