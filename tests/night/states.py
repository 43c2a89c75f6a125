"""The states of an escalation in which something is killed: how it gets there, and what must come of it.

Each state is a story on a line of its own. It goes on its way, takes the last step when told to (so that all
stories are in their states at the same instant), waits out the kill, and goes on to its end as if nothing had
been. People press their next key when everything serves again, as people do who are told to try once more; what
happens to a key pressed in the gap itself is a state of its own (`key pressed`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.night.installation import Installation, Process
from tests.night.judge import Allowance, Reached
from tests.night.owners_file import Line, OwnersFile
from tests.night.people import TAKES, Leg, Story, is_event
from tests.night.rooms import are_together, is_coached
from workflows.call_state import (
    Closing,
)
from workflows.emergency import Phase
from workflows.values import Act, ActId, ActKind, EscalationId, PersonId, Via

# The turns: whoever stays in a state for long gets there first.
WHENEVER, CALL_GOES_OUT, PICKS_UP, CALLS_ARE_HELD, ACCEPTS, KEY = range(1, 7)

PATIENT_S = 60.0  # a rung that must not expire while processes start anew
AFTER_S = 100.0  # what a case may take after the kill; what waits longest is a look, every 30 s


@dataclass(frozen=True)
class End:
    """How a case ended."""

    phase: Phase
    owner: str | None
    closing: Closing
    together: bool


class Turns:
    """The last steps of a round's stories, the most fleeting last: nobody takes one before all are ready for it."""

    def __init__(self) -> None:
        self._open = 0
        self._news = asyncio.Condition()

    async def wait_for(self, turn: int) -> None:
        """Wait until it is this turn."""
        async with self._news:
            self._news.notify_all()
            await self._news.wait_for(lambda: self._open >= turn)

    async def arrived(self) -> None:
        """A story is where it waits next, or at its end."""
        async with self._news:
            self._news.notify_all()

    async def give(self, turn: int, all_are_past_it: Callable[[], bool]) -> None:
        """It is this turn: wait until everybody has taken it."""
        async with self._news:
            self._open = turn
            self._news.notify_all()
            await self._news.wait_for(all_are_past_it)


GAP, SERVING_AGAIN = 9, 10


@dataclass
class Case:
    """One state in one round, under way. waits_for: the turn before which it stands."""

    night: Installation
    story: Story
    turns: Turns
    waits_for: int = 0
    arrived_at: float = 0.0

    async def turn(self, turn: int) -> None:
        """Ready for this turn: wait for it."""
        self.waits_for = turn
        await self.turns.wait_for(turn)

    async def is_in_the_gap(self) -> None:
        """In the state: wait until the processes are dead."""
        await self.turn(GAP)

    async def outlives_the_kill(self) -> None:
        """In the state: wait until what was killed serves again."""
        await self.turn(SERVING_AGAIN)

    def arrives(self) -> None:
        """Caller and responder are together, or whatever else the story is about has come."""
        self.arrived_at = asyncio.get_running_loop().time()

    async def meet(self, caller: Leg, responder: Leg) -> bool:
        """Caller and responder are in one room."""
        await are_together(self.night, caller, responder, within_s=AFTER_S)
        self.arrives()
        return True

    async def closes(
        self, escalation: EscalationId, caller: Leg, *others: Leg
    ) -> tuple[Phase, str | None, Closing]:
        """Everybody hangs up, the case is resolved from the console unless it is; how it all ended."""
        view = await self.night.is_in(escalation, Phase.ATTENDED, Phase.RESOLVED, within_s=AFTER_S)
        owner = next(p.key for p in self.story.line.people if p.name == view.owner)
        if view.phase is not Phase.RESOLVED:
            act = Act(ActKind.RESOLVE, ActId(f"end:{escalation}"), PersonId(owner), Via.CONSOLE)
            await self.night.act(escalation, act)
        return await self.ends(escalation, caller, *others)

    async def ends(
        self, escalation: EscalationId, caller: Leg, *others: Leg
    ) -> tuple[Phase, str | None, Closing]:
        """Everybody hangs up; how it all ended."""
        outcome = await self.night.escalation_ended(escalation, AFTER_S)
        for leg in (caller, *others):
            await leg.hangs_up()
        closed = await self.night.call_closed(caller.sid, AFTER_S)
        return outcome.phase, outcome.owner, closed.closing


Telling = Callable[[Case], Awaitable[End]]


@dataclass(frozen=True)
class State:
    """A state, how it is reached and left, and what the story asks.

    allowed: what may be more where this process is among the killed, and why.
    """

    name: str
    tell: Telling
    rungs: Sequence[Sequence[str]]
    asked: Mapping[str, Reached]
    owner: str
    wait_s: float = PATIENT_S
    again_s: float = 0.0
    last_resort: Sequence[str] = ()
    pauses_s: Sequence[float] = (0,)
    together: bool = True
    allowed: Mapping[Process, Allowance] = field(default_factory=dict[Process, Allowance])

    def line(self, file: OwnersFile, prefix: str) -> Line:
        """A line of the owner's file for one round of this state."""
        key = f"{prefix}-{self.tell.__name__.replace('_', '-')}"
        return file.line(
            key,
            self.rungs,
            wait_s=self.wait_s,
            again_s=self.again_s,
            last_resort=self.last_resort,
            pauses_s=self.pauses_s,
        )

    def end(self, line: Line) -> End:
        """What must come of it."""
        return End(Phase.RESOLVED, f"{line.key}-{self.owner}", Closing.ESCALATED, self.together)


# The stories


async def menu(case: Case) -> End:
    """The caller has been answered, and has not said yet what it is."""
    story = case.story
    await story["ana"].does(TAKES)
    await case.turn(WHENEVER)
    caller = await story.is_rung()
    await caller.is_asked()
    await case.outlives_the_kill()
    escalation = await story.reports(caller, asked=True)
    ana = await story["ana"].rings()
    together = await case.meet(caller, ana)
    return End(*await case.closes(escalation, caller, ana), together)


async def queued(case: Case) -> End:
    """The rung has begun, its SMS is out, and its call waits for the account's call rate."""
    story = case.story
    await story["ana"].does(TAKES)
    caller = await story.is_rung()
    await caller.is_asked()
    await case.turn(CALLS_ARE_HELD)
    escalation = await story.reports(caller, asked=True)
    await story["ana"].is_told("to take it")
    await case.is_in_the_gap()
    assert not story.calls("ana"), "the queue was not held"
    await case.outlives_the_kill()
    ana = await story["ana"].rings(AFTER_S)
    together = await case.meet(caller, ana)
    return End(*await case.closes(escalation, caller, ana), together)


async def submitting(case: Case) -> End:
    """Twilio has the call and the SMS, and its answers are still on the way."""
    story = case.story
    number = story["ana"].person.number
    for create in ("calls.create", "messages.create"):
        await case.night.goes_wrong(kind="latency", on=create, number=number, seconds=5, times=1)
    caller = await story.is_rung()
    await caller.is_asked()
    await case.turn(CALL_GOES_OUT)
    escalation = await story.reports(caller, asked=True)
    ana = await story["ana"].rings()
    await case.outlives_the_kill()
    await ana.picks_up()
    await ana.takes_it()
    together = await case.meet(caller, ana)
    return End(*await case.closes(escalation, caller, ana), together)


async def ringing(case: Case) -> End:
    """The first phone rings and nobody answers; its rung expires in the gap or after it, and the second is rung."""
    story = case.story
    await story["ana"].does("no_answer")
    caller = await story.is_rung()
    await caller.is_asked()
    await case.turn(CALL_GOES_OUT)
    escalation = await story.reports(caller, asked=True)
    await story["ana"].rings()
    await case.outlives_the_kill()
    ben = await (await story["ben"].rings(AFTER_S)).picks_up()
    await ben.takes_it()
    together = await case.meet(caller, ben)
    return End(*await case.closes(escalation, caller, ben), together)


async def picked_up(case: Case) -> End:
    """The first phone rings, and is picked up while nothing can be read out."""
    story = case.story
    await story["ana"].does("held", TAKES)
    caller = await story.is_rung()
    await caller.is_asked()
    await case.turn(CALL_GOES_OUT)
    escalation = await story.reports(caller, asked=True)
    ana = await story["ana"].rings()
    await case.is_in_the_gap()
    await ana.picks_up()
    if (key := await ana.hears_or_is_cut_off(r"press (\d) to take it")) is not None:
        await ana.presses(key[1])
    else:
        ana = await story["ana"].rings(AFTER_S)
    together = await case.meet(caller, ana)
    return End(*await case.closes(escalation, caller, ana), together)


async def answered(case: Case) -> End:
    """The page is being read out; the key comes after the gap."""
    caller, escalation, ana = await _rung(case)
    await case.turn(PICKS_UP)
    await ana.picks_up()
    key = (await ana.hears(r"press (\d) to take it"))[1]
    await case.outlives_the_kill()
    await ana.presses_when_asked(key)
    together = await case.meet(caller, ana)
    return End(*await case.closes(escalation, caller, ana), together)


async def key_pressed(case: Case) -> End:
    """The key and the kill within the same tenth of a second."""
    story = case.story
    caller, escalation, ana = await _rung(case)
    await case.turn(PICKS_UP)
    await ana.picks_up()
    key = (await ana.hears(r"press (\d) to take it"))[1]
    await case.turn(KEY)
    await story["ana"].does(TAKES)  # whatever becomes of this call
    async with asyncio.TaskGroup() as both:
        both.create_task(ana.presses_when_asked(key))
        await case.outlives_the_kill()
    together = await case.meet(caller, ana)
    return End(*await case.closes(escalation, caller, ana), together)


async def join_call(case: Case) -> End:
    """Acknowledged by SMS; the call that leads into the room is going out."""
    story = case.story
    await story["ana"].does("busy", "held")
    caller = await story.is_rung()
    escalation = await story.reports(caller)
    code = (await story["ana"].is_told(r"Reply (\d{4}) to take it"))[1]
    await (await story["ana"].is_called()).is_over()
    await case.turn(CALL_GOES_OUT)
    await story["ana"].writes(story.line, code)
    ana = await story["ana"].rings()
    await case.outlives_the_kill()
    await ana.picks_up()
    await ana.presses((await ana.hears(r"press (\d) to join"))[1])
    together = await case.meet(caller, ana)
    return End(*await case.closes(escalation, caller, ana), together)


async def connecting(case: Case) -> End:
    """Accepted, and told so; not in the room yet."""
    caller, escalation, ana = await _rung(case)
    await case.turn(PICKS_UP)
    await ana.picks_up()
    key = (await ana.hears(r"press (\d) to take it"))[1]
    await case.turn(ACCEPTS)
    await ana.presses(key)
    await ana.is_being_told()
    await case.outlives_the_kill()
    together = await case.meet(caller, ana)
    return End(*await case.closes(escalation, caller, ana), together)


async def attended(case: Case) -> End:
    """The responder is with the caller, coached; they resolve it by key after the gap."""
    caller, escalation, ana = await _taken(case)
    await is_coached(case.night, caller, ana)
    await case.turn(WHENEVER)
    await case.outlives_the_kill()
    await _resolves(ana)
    await _back_in_the_room(case, caller, ana)
    together = await case.meet(caller, ana)
    return End(*await case.closes(escalation, caller, ana), together)


async def following_up(case: Case) -> End:
    """The caller has hung up, the owner has too, and has still to say how it ended."""
    caller, escalation, ana = await _taken(case)
    await case.night.is_in(escalation, Phase.ATTENDED)
    link = (await case.story["ana"].is_told(r"(http\S+/a/\S+)"))[1]
    await case.turn(WHENEVER)
    await caller.hangs_up()
    await ana.hangs_up()
    await case.night.is_in(escalation, Phase.FOLLOWING_UP)
    await case.outlives_the_kill()
    await case.night.door.post(link, data={"do": "resolve"})
    case.arrives()
    return End(*await case.ends(escalation, caller, ana), together=False)


async def exhausted(case: Case) -> End:
    """Nobody on the ladder has answered; the next round is to come."""
    story = case.story
    for name in ("ana", "cleo"):
        await story[name].does("no_answer")
    caller = await story.is_rung()
    await caller.is_asked()
    await case.turn(WHENEVER)
    escalation = await story.reports(caller, asked=True)
    await case.night.is_in(escalation, Phase.EXHAUSTED)
    await story["cleo"].rings()
    await story["ana"].rings()
    await case.outlives_the_kill()
    await story["ana"].does(TAKES)
    ana = await story["ana"].rings(AFTER_S)
    together = await case.meet(caller, ana)
    return End(*await case.closes(escalation, caller, ana), together)


async def resolved(case: Case) -> End:
    """Resolved, the AI has left, and the humans talk on."""
    caller, escalation, ana = await _taken(case)
    assistant = await is_coached(case.night, caller, ana)
    await _resolves(ana)
    await case.night.journal.first(
        "the AI leaves", lambda r: is_event(r, "participant-leave") and r.call == assistant
    )
    await case.night.escalation_ended(escalation)
    back = await _back_in_the_room(case, caller, ana)
    await case.turn(WHENEVER)
    await case.outlives_the_kill()
    assert await are_together(case.night, caller, ana) == back
    case.arrives()
    return End(*await case.closes(escalation, caller, ana), together=True)


async def _rung(case: Case) -> tuple[Leg, EscalationId, Leg]:
    """The emergency is reported, and Ana's phone rings."""
    caller = await case.story.is_rung()
    escalation = await case.story.reports(caller)
    return caller, escalation, await case.story["ana"].rings()


async def _taken(case: Case) -> tuple[Leg, EscalationId, Leg]:
    """Ana is with the caller."""
    await case.story["ana"].does(TAKES)
    caller, escalation, ana = await _rung(case)
    await are_together(case.night, caller, ana)
    return caller, escalation, ana


async def _resolves(ana: Leg) -> None:
    """Out by `*`, and "it is resolved"."""
    await ana.presses("*")
    await ana.hears("press 1 if it is resolved")
    await ana.presses("1")
    await ana.hears("resolved")


async def _back_in_the_room(case: Case, caller: Leg, ana: Leg) -> str:
    """Ana has come back from the menu."""
    await ana.is_in_a_room(after=ana.heard_to)
    return await are_together(case.night, caller, ana)


ONCE = Reached(1, 1, 1)
ALONE = [["ana"], ["ben"]]
NEXT_ROUND_S = 30.0
AGAIN_S = 30.0

# Twilio cannot ask a dead door what to say: whoever picks up just then hears its error message and is rung again.
CUT_OFF = Allowance("Twilio's own error message ends a call picked up while the door is dead", calls=1)

STATES = (
    State("caller in the menu", menu, ALONE, {"ana": ONCE}, "ana"),
    State("calls queued", queued, ALONE, {"ana": ONCE}, "ana"),
    State("page being submitted", submitting, ALONE, {"ana": ONCE}, "ana"),
    State("page ringing", ringing, ALONE, {"ana": ONCE, "ben": ONCE}, "ben", wait_s=8),
    State(
        "page ringing, picked up in the gap",
        picked_up,
        ALONE,
        {"ana": ONCE},
        "ana",
        again_s=AGAIN_S,
        allowed={"api": CUT_OFF},
    ),
    State("page answered", answered, ALONE, {"ana": ONCE}, "ana"),
    State("key pressed", key_pressed, ALONE, {"ana": ONCE}, "ana"),
    State("acknowledged by SMS, join call out", join_call, ALONE, {"ana": Reached(2, 1, 1)}, "ana"),
    State("connecting", connecting, ALONE, {"ana": ONCE}, "ana"),
    State("attended and coached", attended, ALONE, {"ana": ONCE}, "ana"),
    State("following up", following_up, ALONE, {"ana": ONCE}, "ana", together=False),
    State(
        "exhausted between rounds",
        exhausted,
        [["ana"]],
        {"ana": Reached(2, 2, 2), "cleo": ONCE},
        "ana",
        wait_s=12,
        last_resort=("cleo",),
        pauses_s=(NEXT_ROUND_S,),
    ),
    State("resolved, humans talk on", resolved, ALONE, {"ana": ONCE}, "ana"),
)
