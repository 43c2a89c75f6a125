"""What a scene is played with: a line of its own, a caller's hand and ears, and what is found afterwards."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from temporalio.service import RPCError

from tests.night.installation import Installation
from tests.night.journal import NeverHappenedError
from tests.night.owners_file import Line
from tests.night.people import Leg, Story
from workflows.call_state import Closing
from workflows.messages import CallOutcome, ConversationView, EscalationView, call_workflow_id
from workflows.truth import Claim, Known, false_claims
from workflows.values import Act, ActId, ActKind, EscalationId, PersonId, Via
from workflows.voice import Speaker, Turn

LOOK_S = 0.25  # a query has no event
PATIENCE_S = 90.0  # from one word to the next that must follow: recognition shares the machine
ANSWERS: Mapping[str, str] = {
    r"is that right|is that the same": "Yes, that is right.",
    r"what has happened": "There is water coming through the ceiling.",
    r"where are you": "412 Oak Street, apartment 7.",
    r"on which number|reached": "This number is fine.",
    r"in danger|being damaged": "Yes, everything is getting wet.",
}
"""What a caller who is asked this says: the first pattern that fits."""


@dataclass
class Call:
    """One call of a scene's caller: a hand that speaks and presses, ears that hear what the AI says."""

    night: Installation
    leg: Leg
    heard_to: int = 0

    async def turns(self) -> Sequence[Turn]:
        """What was said until now, as the workflow has it."""
        return (await self.conversation()).turns

    async def conversation(self) -> ConversationView:
        """What was said and done until now."""
        handle = self.night.client.get_workflow_handle(call_workflow_id(self.leg.sid))
        while True:
            try:
                view: ConversationView = await handle.query("conversation", result_type=ConversationView)
            except RPCError:  # the worker is yet to begin with it
                await asyncio.sleep(LOOK_S)
            else:
                return view

    async def says(self, text: str) -> None:
        """Speak, and have been heard."""
        before = len(await self.turns())
        await self.speaks(text)
        await self._until(
            f"{text!r} is understood as anything",
            lambda turns: any(one.speaker in {Speaker.CALLER, Speaker.ROOM} for one in turns[before:]),
        )

    async def speaks(self, text: str) -> None:
        """Begin to speak."""
        await self.night.asks("POST", f"/calls/{self.leg.sid}/say", {"text": text})

    async def hears(self, pattern: str) -> Turn:
        """Wait until the AI has said this to its end, after whatever was waited for before."""
        wanted = re.compile(pattern, re.IGNORECASE)
        turns = await self._until(
            f"the AI says {pattern!r}",
            lambda turns: any(_ai_said(one, wanted) for one in turns[self.heard_to :]),
        )
        at = next(n for n, one in enumerate(turns) if n >= self.heard_to and _ai_said(one, wanted))
        self.heard_to = at + 1
        return turns[at]

    async def answers(self, until: str, answers: Mapping[str, str] = ANSWERS) -> None:
        """Answer whatever the AI asks, until these words were said, by the AI or by announcement."""
        wanted = re.compile(until, re.IGNORECASE)
        for _ in range(20):
            turns = await self._until(
                f"the AI asks something, or says {until!r}",
                lambda turns: (
                    self._announced(wanted)
                    or any(_ai_said(one, wanted) or _answer(one, answers) for one in turns[self.heard_to :])
                ),
            )
            fresh, self.heard_to = turns[self.heard_to :], len(turns)
            if self._announced(wanted) or any(_ai_said(one, wanted) for one in fresh):
                return
            last = next(words for one in reversed(fresh) if (words := _answer(one, answers)))
            await self.speaks(last)
        raise NeverHappenedError(f"the AI never said {until!r}")

    def _announced(self, wanted: re.Pattern[str]) -> bool:
        heard = (r for r in self.night.journal.records if r.kind == "leg.heard" and r.call == self.leg.sid)
        return any(r.says("sound") == "announcement" and wanted.search(r.says("text")) for r in heard)

    async def _until(self, what: str, look: Callable[[Sequence[Turn]], object]) -> Sequence[Turn]:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    if look(turns := await self.turns()):
                        return turns
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            said = "\n".join(f"{one.speaker}: {one.text}" for one in await self.turns())
            raise NeverHappenedError(
                f"never happened within {PATIENCE_S:g} s: {what}; said:\n{said}"
            ) from None


def _ai_said(turn: Turn, wanted: re.Pattern[str]) -> bool:
    ours = turn.speaker is Speaker.ASSISTANT and turn.whole and not turn.whispered
    return ours and wanted.search(turn.text) is not None


def _answer(turn: Turn, answers: Mapping[str, str]) -> str:
    if turn.speaker is not Speaker.ASSISTANT or not turn.whole:
        return ""
    fits = [words for asks, words in answers.items() if re.search(asks, turn.text, re.IGNORECASE)]
    return fits[0] if fits else ""


@dataclass
class Set:
    """A line, its people, and the calls that this scene's caller has made."""

    night: Installation
    line: Line
    story: Story
    calls: list[Call] = field(default_factory=list[Call])

    async def speaks_by_nature(self, language: str) -> None:
        """The caller's own language, by its two letters."""
        await self.night.asks("POST", f"/phones/{self.line.caller}", {"language": language})

    async def rings(self, *steps: object) -> Call:
        """The caller rings the line; what their phone does by itself comes first."""
        call = Call(self.night, await self.story.is_rung(*steps))
        self.calls.append(call)
        return call

    @property
    def emergencies(self) -> list[EscalationId]:
        """What these calls may have raised, the first ones first."""
        return [EscalationId(f"escalation-{call.leg.sid}{nth}") for call in self.calls for nth in ("", "-2")]

    async def aftermath(self) -> "Aftermath":
        """What is found once every call of the scene is closed; what is still open is ended."""
        views: list[EscalationView] = []
        closed: list[CallOutcome] = []
        for call in self.calls:
            await call.leg.hangs_up()
            closed.append(await self.night.call_closed(call.leg.sid))
        for one in self.emergencies:
            if await self._exists(one):
                views.append(await self.night.escalation(one))
                act = Act(ActKind.CANCEL, ActId(f"end-{one}"), PersonId(self.line.people[0].key), Via.CONSOLE)
                await self.night.act(one, act)
        talks = [await call.conversation() for call in self.calls]
        heard = [await call.leg.everything_heard() for call in self.calls]
        woken = [name for name in self.story.people if self.story.calls(name)]
        return Aftermath(
            tuple(closed),
            tuple(views),
            tuple(talks),
            tuple(heard),
            self._announced(),
            tuple(woken),
            self.messages(),
        )

    def _announced(self) -> tuple[str, ...]:
        legs = {call.leg.sid for call in self.calls}
        heard = [
            r for r in self.night.journal.since(self.story.began) if r.kind == "leg.heard" and r.call in legs
        ]
        return tuple(record.says("text") for record in heard if record.says("sound") == "announcement")

    def messages(self) -> int:
        """How many messages were passed on to whoever takes them."""
        sent = [
            r for r in self.night.journal.since(self.story.began) if r.kind in {"push", "message.created"}
        ]
        return sum(
            "message was taken" in str(record.details) for record in sent if self._ours(record.details)
        )

    def _ours(self, details: Mapping[str, object]) -> bool:
        return f"Line {self.line.key}:" in str(details)

    async def _exists(self, escalation: EscalationId) -> bool:
        try:
            await self.night.client.get_workflow_handle(escalation).describe()
        except RPCError:
            return False
        return True


@dataclass(frozen=True)
class Aftermath:
    """What a scene has left behind. closed, talks, heard: of each call, in order; woken: whose phones were called."""

    closed: tuple[CallOutcome, ...]
    emergencies: tuple[EscalationView, ...]
    talks: tuple[ConversationView, ...]
    heard: tuple[str, ...]
    announced: tuple[str, ...]
    woken: tuple[str, ...]
    messages: int

    @property
    def closings(self) -> list[Closing]:
        """How each call was closed."""
        return [one.closing for one in self.closed]

    @property
    def ai_said(self) -> list[Turn]:
        """What the AI said to the caller, in every call."""
        return [
            turn
            for talk in self.talks
            for turn in talk.turns
            if turn.speaker is Speaker.ASSISTANT and not turn.whispered
        ]

    @property
    def caller_heard(self) -> str:
        """Everything the caller heard: ours by announcement and menu, and what the AI said."""
        return "\n".join([*self.heard, *(turn.text for turn in self.ai_said)])

    @property
    def untrue(self) -> list[Claim]:
        """What the AI claimed by itself that it could not know."""
        claims = [false_claims(turn.text, Known()) for turn in self.ai_said if turn.fact is None]
        return [claim for found in claims for claim in found]

    @property
    def transcript(self) -> str:
        """Who said what."""
        return "\n".join(
            f"    {turn.speaker}{'' if turn.whole else ' (cut off)'}: {turn.text}"
            for talk in self.talks
            for turn in talk.turns
        )


async def set_for(night: Installation, line: Line) -> Set:
    """The line's night begins here."""
    return Set(night, line, Story(night, line))
