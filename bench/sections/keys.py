"""From a responder's key to what they hear, and to everybody else's phone falling silent.

Each sample is a night of its own: a caller rings the line and reports an emergency by keys, three phones of the
first rung ring, one person answers, listens and presses the drawn key. Everything goes through the real door.
Nothing is watched meanwhile, so that watching costs nothing: the journal tells it all afterwards.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from temporalio.client import WorkflowUpdateFailedError
from temporalio.service import RPCError

from bench.figures import Figure, rule, spread
from bench.house import House, Record, form_value, house
from bench.people import LinePlan, Town, caller_number, line_number, person_id
from workflows.escalation import EscalationWorkflow
from workflows.values import Act, ActId, ActKind, CallSid, Via

TITLES = {"keys": "A key press, answered"}
SAMPLES = 100
EVERY_S = 2.5
NIGHT_S = 26.0  # from the ring until all have hung up; a key is pressed after ten
LINES = 20  # so that nobody is rung for two samples at a time
OTHERS = 2  # phones that ring beside the one that is answered
REPORTS = ({"wait": 3}, {"press": "1"}, {"wait": 2}, {"press": "1"}, "stay")
ANSWERS = {"answer": 1, "steps": [{"press_heard": r"press (\d) to take it"}, {"wait": 22}, "hang_up"]}


@dataclass(frozen=True)
class Keyed:
    """One key press, in milliseconds. silenced_ms: one for each phone that was told to stop."""

    first_reply_ms: float
    seated_ms: float
    asked_again: bool
    silenced_ms: Sequence[float]


async def measure(_: frozenset[str] = frozenset(TITLES)) -> Mapping[str, Sequence[Figure]]:
    """A caller every second or so, until there are enough samples."""
    rungs = [tuple(range(n * (1 + OTHERS), (n + 1) * (1 + OTHERS))) for n in range(LINES)]
    town = Town(
        people=LINES * (1 + OTHERS),
        lines=[LinePlan((rung,), wait_s=600) for rung in rungs],
        calls={rung[0]: [ANSWERS] for rung in rungs},
    )
    async with house(town) as home:
        nights: list[asyncio.Task[CallSid]] = []
        for n in range(SAMPLES):
            nights.append(asyncio.create_task(_night(home, n, rungs[n % LINES])))
            await asyncio.sleep(EVERY_S)
        callers = await asyncio.gather(*nights)
        keyed = timed(callers, await home.network.journal(("webhook", "twiml", "rest")))
    at = f"key presses; a caller every {EVERY_S:g} s, each with an AI leg and three phones"
    figures = [
        spread(
            "key press → TwiML reply",
            [one.first_reply_ms for one in keyed],
            samples=at,
            limits="one update: a workflow task and its writes to SQLite with fsync, behind whatever this"
            " workflow is in the middle of",
        ),
        spread(
            "acknowledgement → the reply that seats the responder",
            [one.seated_ms for one in keyed],
            samples="of these",
            aim="p99 < 300 ms",
            limits="the same reply, unless “one moment” came first; Twilio's own share comes on top",
        ),
        Figure(
            "  “one moment” came first",
            str(sum(one.asked_again for one in keyed)),
            f"{len(keyed)} of these",
            "0",
            "Temporal's answer took longer than the door waits (2.5 s)",
        ),
        spread(
            "acknowledgement → each other phone told to stop",
            [ms for one in keyed for ms in one.silenced_ms],
            samples="ringing phones",
            aim="< 2 s",
            limits="the escalation's task, a signal to each person's workflow, its task, a request to Twilio",
        ),
        rule(
            "  nights without a seated responder, or with a phone not told to stop",
            SAMPLES - sum(len(one.silenced_ms) == OTHERS for one in keyed),
            samples=f"{SAMPLES} nights",
        ),
    ]
    return {"keys": figures}


async def _night(home: House, n: int, rung: Sequence[int]) -> CallSid:
    """One night from the caller's ring to the end; leaves everybody free for the next one."""
    sid = CallSid(await home.network.dial(caller_number(n), line_number(n % LINES), REPORTS))
    await asyncio.sleep(NIGHT_S)
    escalation = home.client.get_workflow_handle(f"escalation-{sid}")
    owner = person_id(rung[0])
    act = Act(ActKind.RESOLVE, ActId(f"bench:{sid}"), owner, Via.CONSOLE, pressed_at=datetime.now(UTC))
    with contextlib.suppress(RPCError, WorkflowUpdateFailedError):  # without a key press: counted later
        await escalation.execute_update(EscalationWorkflow.resolve, act)
    await home.network.hang_up(sid)
    return sid


def timed(callers: Iterable[CallSid], records: Iterable[Record]) -> list[Keyed]:
    """What the journal tells of these nights; one in which no key was answered with a seat is left out."""
    page_calls: dict[str, list[Record]] = {}  # by the SID of the page call
    nights: dict[str, set[str]] = {}  # the page calls of each caller's call
    stopped: dict[str, datetime] = {}
    for record in records:
        if record.kind == "rest":
            if form_value(record.details["form"], "Status") == "canceled":
                call = str(record.details["path"]).rpartition("/")[2].removesuffix(".json")
                stopped.setdefault(call, record.at)
        elif record.call is not None:
            page_calls.setdefault(record.call, []).append(record)
            if caller := _caller_of(record):
                nights.setdefault(caller, set()).add(record.call)
    keyed: list[Keyed] = []
    for caller in callers:
        calls = nights.get(caller, set())
        for call in calls:
            if pressed := _seated(page_calls[call]):
                at, first_ms, seated_ms, again = pressed
                others = [stopped[other] for other in calls - {call} if other in stopped]
                silenced = [(told - at).total_seconds() * 1000 for told in others]
                keyed.append(Keyed(first_ms, seated_ms, again, silenced))
    return keyed


def _seated(records: Sequence[Record]) -> tuple[datetime, float, float, bool] | None:
    """When the key was pressed, the time to the first reply and to the one with <Dial>, whether it was asked again."""
    asked = [
        record
        for record in records
        if record.kind == "webhook" and _path(record).endswith(("/key", "/asked"))
    ]
    seat = next((r for r in records if r.kind == "twiml" and r.details["verb"] == "dial"), None)
    answers = [record for record in asked if seat is not None and record.seq < seat.seq]
    if not answers:
        return None
    first, last = answers[0], answers[-1]
    took = timedelta(milliseconds=first.details["ms"])
    pressed_at = first.at - took
    return pressed_at, first.details["ms"], (last.at - pressed_at).total_seconds() * 1000, len(answers) > 1


def _caller_of(record: Record) -> str | None:
    """The caller's call that a page call is about, by the ring in its status callbacks."""
    if record.kind != "webhook" or _path(record) != "/page/status":
        return None
    ring = parse_qs(urlsplit(str(record.details["url"])).query)["ring"][0]
    return ring.partition("escalation-")[2].rpartition(".")[0]


def _path(record: Record) -> str:
    return urlsplit(str(record.details["url"])).path
