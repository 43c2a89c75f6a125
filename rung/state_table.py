"""The escalation's state table, drawn from the code itself: `python -m rung.state_table > docs/state-table.md`.

Nothing here says what the ladder does. States are reached, and rows found, by exercising `ladder.decide`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import reduce

from workflows.emergency import (
    Acted,
    Caller,
    CallerAttached,
    CallerGone,
    Effect,
    Escalation,
    Event,
    PageMoved,
    Phase,
    ResponderJoined,
    ResponderLeft,
    TimerFired,
)
from workflows.ladder import armed, begin, decide
from workflows.pages import Evidence, Standing
from workflows.values import (
    Act,
    ActId,
    ActKind,
    CallSid,
    Case,
    Channel,
    EscalationId,
    Ladder,
    Line,
    LineId,
    PersonId,
    Responder,
    Rung,
    Severity,
    Via,
)

NIGHT = datetime(2026, 1, 1, 2, 18, tzinfo=UTC)
ANA = Responder(PersonId("ana"), "Ana", "+15550101", "+15550101")
BEN = Responder(PersonId("ben"), "Ben", "+15550102", "+15550102")
LINE = Line(LineId("line"), "Line", "+15550100", "911")
CASE = Case(LINE, "water", "water through the ceiling", Severity.URGENT)
CALLER = Caller(CallSid("CA1"), "af-CA1")
LATER = Caller(CallSid("CA2"), "af-CA2")
LEG = CallSid("CAleg")

HEADER = """# The states of an escalation

Drawn from `workflows/ladder.py` by `python -m rung.state_table > docs/state-table.md`; a test holds the two together.
The ladder of these examples has two rungs of one person each, Ana and then Ben; where somebody has it, Ana has.
What is not listed for a state changes nothing there.
`deferred`, with its own timer, comes with ownership.
"""


@dataclass(frozen=True)
class Row:
    """What one piece of news does in one state."""

    before: str
    event: str
    after: str
    orders: tuple[str, ...]
    phases: tuple[Phase, Phase]


def happenings(state: Escalation) -> Iterator[tuple[str, tuple[Event, ...]]]:
    """Everything that may be heard in this state: what it is called, and the events it is."""
    timer = armed(state)
    now = state.since + timedelta(seconds=1)
    page = state.pages[-1]

    def voice(standing: Standing) -> Event:
        return PageMoved(page.id, Channel.VOICE, Evidence(standing, "CA9", now), now, page.rings)

    def act(kind: ActKind, who: Responder, *, leg: CallSid | None = None) -> Event:
        return Acted(Act(kind, ActId(f"{kind} {who.id} {leg}"), who.id, Via.KEY, leg=leg), now)

    failed = Evidence(Standing.FAILED, None, now)
    yield "the last call asked for is submitted", (voice(Standing.SUBMITTED),)
    yield "it is busy, out of reach or not answered", (voice(Standing.UNANSWERED),)
    yield (
        "every channel of that page fails for good",
        tuple(PageMoved(page.id, channel, failed, now, page.rings) for channel in Channel),
    )
    yield "mine, by key: Ana", (act(ActKind.ACKNOWLEDGE, ANA, leg=LEG),)
    yield "mine, by text, link, push or console: Ana", (act(ActKind.ACKNOWLEDGE, ANA),)
    yield "mine: Ben", (act(ActKind.ACKNOWLEDGE, BEN),)
    yield "not me: Ana", (act(ActKind.DECLINE, ANA),)
    back = LEG if not state.legs_gone else CallSid("CAback")
    yield "Ana is in the room", (ResponderJoined(ANA.id, back, now),)
    yield "Ana leaves the room", (ResponderLeft(ANA.id, LEG, now),)
    yield "another caller is attached", (CallerAttached(LATER.call, LATER.conference, now),)
    yield "the caller hangs up", tuple(CallerGone(caller.call, now) for caller in state.waiting)
    yield "resolve", (act(ActKind.RESOLVE, ANA),)
    yield "cancel", (act(ActKind.CANCEL, ANA),)
    if timer is not None:
        yield f"**{timer.kind}**", (TimerFired(timer.at),)


def heard(state: Escalation, events: tuple[Event, ...]) -> tuple[Escalation, tuple[Effect, ...]]:
    """Where these events lead, and what they order together."""
    effects: tuple[Effect, ...] = ()
    for event in events:
        decision = decide(state, event)
        state, effects = decision.state, effects + decision.effects
    return state, effects


def described(state: Escalation) -> str:
    """A state by its phase, by what tells it from others of that phase, and by its armed timer."""
    timer = armed(state)
    words: list[str] = [state.phase]
    if state.phase is Phase.PAGING:
        words.append("last rung" if state.position + 1 == len(state.order) else "rung 1")
    if not state.over:
        words.append("caller waiting" if state.waiting else "nobody waiting")
    if state.asked and not state.over:
        words.append("owner asked")
    return f"{', '.join(words)} | {timer.kind if timer else 'none'}"


def examples() -> dict[str, Escalation]:
    """One state of each description, found by letting everything happen from the beginning."""
    rungs = (Rung("primary", (ANA,)), Rung("secondary", (BEN,)))
    begun = begin(EscalationId("e"), CASE, Ladder(rungs), "seed", (CALLER,), NIGHT).state
    found = {described(begun): begun}
    unexplored = [begun]
    while unexplored:
        state = unexplored.pop(0)
        for _, events in happenings(state):
            after, _ = heard(state, events)
            if described(after) not in found:
                found[described(after)] = after
                unexplored.append(after)
    order = list(Phase)

    def place(item: tuple[str, Escalation]) -> tuple[int, bool, int]:
        return order.index(item[1].phase), not item[1].waiting, item[1].position

    return dict(sorted(found.items(), key=place))


def rows() -> list[Row]:
    """Every row that changes the state or orders something."""
    table: list[Row] = []
    for description, state in examples().items():
        for name, events in happenings(state):
            after, effects = heard(state, events)
            orders = tuple(dict.fromkeys(type(effect).__name__ for effect in effects))
            if orders or described(after) != description:
                table.append(Row(description, name, described(after), orders, (state.phase, after.phase)))
    return table


def diagram(table: list[Row]) -> str:
    """The phases and what leads from one to another, as a Mermaid diagram."""

    def add(edges: dict[tuple[Phase, Phase], None], row: Row) -> dict[tuple[Phase, Phase], None]:
        return edges if row.phases[0] is row.phases[1] else edges | {row.phases: None}

    none: dict[tuple[Phase, Phase], None] = {}
    edges = reduce(add, table, none)
    lines = ["stateDiagram-v2", f"    [*] --> {Phase.PAGING}"]
    for before, after in edges:
        if after is not Phase.CANCELLED:  # possible everywhere
            lines.append(f"    {_id(before)} --> {_id(after)}")
    lines += [f"    {_id(phase)} --> [*]" for phase in (Phase.RESOLVED, Phase.CANCELLED)]
    return "\n".join(["```mermaid", *lines, "```"])


def _id(phase: Phase) -> str:
    return phase.replace("-", "_")


def rendered() -> str:
    """The page."""
    table = rows()
    parts = [HEADER, diagram(table), "\n`cancel` leads to `cancelled` from every state.\n"]
    for description in examples():
        state, timer = description.split(" | ")
        parts.append(f"\n## {state}: {timer}\n")
        of_this = [replace(row, before="") for row in table if row.before == description]
        if not of_this:
            parts.append("Over: every act is answered with what became of the case, and nothing is ordered.")
            continue
        parts += ["| heard | then | armed timer | orders |", "| --- | --- | --- | --- |"]
        for row in of_this:
            parts.append(f"| {row.event} | {row.after} | {', '.join(row.orders) or 'nothing'} |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    print(rendered(), end="")
