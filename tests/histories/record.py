"""Records the history of each path through the ladder: `python -m tests.histories.record [PATH…]`.

Overwrites what is there. Do so only when the shells changed and nothing of the old code may still be running,
or add a new file beside the old one: see docs/adr/0006. Prints how long each path is and what it would cost.
"""

import asyncio
import json
import sys
from pathlib import Path as File

from temporalio.client import WorkflowHistory

from bench.actions import actions
from tests.histories.paths import PATHS, Path
from tests.shells.servers import city_of
from tests.shells.town import Town

HERE = File(__file__).parent

PHONES = ("responder-ana", "responder-ben")  # the others do what these do


async def record(path: Path) -> list[tuple[str, str]]:
    """Tell one story; (which workflow, its history as JSON) of every run in it."""
    async with city_of(path.ladder, dynamic=path.dynamic) as town:
        await path.story(town)
        await town.settles()
        for call in town.exchange.ringing.values():
            call.expected = True
        kept = [one for one in sorted(town.seen) if not one.startswith("responder-") or one in PHONES]
        return [run for workflow_id in kept for run in await _runs(town, workflow_id)]


async def _runs(town: Town, workflow_id: str) -> list[tuple[str, str]]:
    """Every run of a workflow, the first one first."""
    texts: list[str] = []
    run_id: str | None = None
    while run_id != "":
        handle = town.client.get_workflow_handle(workflow_id, run_id=run_id)
        history = await handle.fetch_history()
        texts.append(json.dumps(json.loads(history.to_json()), separators=(",", ":"), sort_keys=True) + "\n")
        run_id = history.events[0].workflow_execution_started_event_attributes.continued_execution_run_id
    kind = workflow_id.split("-", maxsplit=1)[0]
    name = workflow_id if kind == "responder" else kind
    if len(texts) == 1:
        return [(name, texts[0])]
    return [(f"{name}.run-{nth}", text) for nth, text in enumerate(reversed(texts), start=1)]


async def main(names: list[str]) -> None:
    """Record the named paths, or all of them."""
    print(f"{'path':28} {'workflow':16} {'events':>6} {'actions':>7} {'KB':>5}")
    for path in PATHS:
        if names and path.name not in names:
            continue
        for old in HERE.glob(f"{path.name}.*.json"):
            old.unlink()
        for kind, text in await record(path):
            (HERE / f"{path.name}.{kind}.json").write_text(text)
            history = WorkflowHistory.from_json(kind, text)
            billed = actions(history.events).total()
            print(f"{path.name:28} {kind:16} {len(history.events):6} {billed:7} {len(text) / 1000:5.0f}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
