"""Five ways in which an AI comes to whisper, and must stop: each told on a line of its own, with real sound."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.night.installation import Installation, installed
from tests.night.journal import NeverHappenedError, Record
from tests.night.owners_file import Line, OwnersFile
from tests.night.people import Leg, Story, is_event
from tests.night.rooms import are_together
from tests.night.whisper_sound import Counted, counted
from workflows.messages import ConversationView, Report, ReportReply, call_workflow_id
from workflows.values import Severity
from workflows.voice import Speaker, Turn

SAID_S = 90.0  # the light voice takes 60 ms a letter, and a sentence waits for another's end
VARIANT_S = 300.0
ENOUGH = 120  # frames of whisper in a variant, 2.4 s of sound: fewer would prove nothing
LOST = 0.02  # of them the coached may miss: at the joints of a stretch
QUICK = {"post_dial_delay_s": 0.1}
QUESTION = "A summary?"  # short: in a new leg's first second it must be asked and answered


@dataclass
class Room:
    """A caller's room with an AI that is somebody's coach."""

    night: Installation
    story: Story
    caller: Leg

    @classmethod
    async def reported(cls, night: Installation, line: Line) -> "Room":
        """A caller rings, and their emergency is known: it does not matter here how."""
        story = Story(night, line)
        caller = await story.is_rung()
        await caller.is_in_a_room(within_s=SAID_S)
        handle = night.client.get_workflow_handle(call_workflow_id(caller.sid))
        report = Report(category="water", spoken="a burst pipe", severity=Severity.URGENT)
        await handle.execute_update("report", report, result_type=ReportReply)
        return cls(night, story, caller)

    async def is_joined_by(self, name: str) -> Leg:
        """Somebody's phone rings; they take it and come in."""
        leg = await (await self.story[name].rings(within_s=SAID_S)).picks_up()
        await leg.presses((await leg.hears(r"press (\d) to take it", within_s=SAID_S))[1])
        await are_together(self.night, self.caller, leg, within_s=SAID_S)
        return leg

    async def coaches(self, person: Leg, *, after: int = 0) -> Record:
        """Wait until the AI whispers to this person: its sound has begun to be played, and nobody else may hear."""
        told = await self.night.journal.first(
            "the AI may whisper",
            lambda r: is_event(r, "participant-unmute") and r.says("coaches") == person.sid,
            after=after,
            within_s=SAID_S,
        )
        return await self.night.journal.first(
            "the AI whispers",
            lambda r: r.kind == "stream.mark" and self.streams_for(r.call or "") == told.call,
            after=told.seq,
            within_s=SAID_S,
        )

    async def comes_again(self, *, after: int) -> None:
        """Wait until a later AI's leg is in the room."""
        await self.night.journal.first(
            "the next AI's leg comes",
            lambda r: (
                is_event(r, "participant-join") and r.says("label").startswith(f"ai-x{self.caller.sid}")
            ),
            after=after,
        )

    async def whispers_to_its_end(self, times: int) -> None:
        """Wait until so many whispers were heard whole."""
        handle = self.night.client.get_workflow_handle(call_workflow_id(self.caller.sid))

        async def enough() -> bool:
            view: ConversationView = await handle.query("conversation", result_type=ConversationView)
            return len([turn for turn in view.turns if _whispered(turn)]) >= times

        if not await self.night.comes_true(enough, SAID_S):
            raise NeverHappenedError(f"the AI has not whispered {times} times")

    async def asks(self, person: Leg) -> None:
        """A responder asks their coach something that takes it long to answer."""
        await self.night.asks("POST", f"/calls/{person.sid}/say", {"text": QUESTION})

    async def is_over(self, *people: Leg) -> Counted:
        """Everybody hangs up; what the recordings tell."""
        for leg in (self.caller, *people):
            await leg.hangs_up()
        await self.night.call_closed(self.caller.sid, within_s=SAID_S)
        room = await self.caller.is_in_a_room()
        records = [r for r in self.night.journal.since(self.story.began) if r.conference == room]
        return await asyncio.to_thread(counted, records, self.caller.sid, self.night.recordings)

    def streams_for(self, leg: str) -> str:
        """The participant whose stream that leg has: itself, or the one an application's own leg was made for."""
        made = (r for r in self.night.journal.since(self.story.began) if r.kind == "call.created")
        return next((r.says("parent") for r in made if r.call == leg and r.says("parent")), leg)

    @property
    def now(self) -> int:
        """The journal's last number."""
        return self.night.journal.last


def _whispered(turn: Turn) -> bool:
    return turn.whispered and turn.whole and turn.speaker is Speaker.ASSISTANT


async def somebody_joins(night: Installation, line: Line) -> Counted:
    """The AI was with the caller; from then on only the one who joined hears it."""
    room = await Room.reported(night, line)
    ana = await room.is_joined_by("ana")
    await room.coaches(ana)
    await room.whispers_to_its_end(1)
    await room.asks(ana)
    await room.whispers_to_its_end(2)
    return await room.is_over(ana)


async def the_owner_changes(night: Installation, line: Line) -> Counted:
    """The first hands over from the `*` menu, the next is coached in their place."""
    room = await Room.reported(night, line)
    ana = await room.is_joined_by("ana")
    await room.coaches(ana)
    await room.whispers_to_its_end(1)
    await ana.presses("*")
    await ana.hears("press 3 to hand it over", within_s=SAID_S)
    await ana.presses("3")
    ben = await room.is_joined_by("ben")
    await room.coaches(ben)
    await room.asks(ben)
    await room.whispers_to_its_end(2)
    return await room.is_over(ben)


async def the_coached_drops_in_mid_whisper_and_returns(night: Installation, line: Line) -> Counted:
    """Their line is cut while the AI speaks to them; who dropped is rung first."""
    room = await Room.reported(night, line)
    ana = await room.is_joined_by("ana")
    await room.coaches(ana)
    dropped = room.now
    await ana.hangs_up()
    again = await (await room.story["ana"].rings(within_s=SAID_S)).picks_up()
    await again.presses((await again.hears(r"press (\d) to (take it|join)", within_s=SAID_S))[1])
    await are_together(night, room.caller, again, within_s=SAID_S)
    await room.coaches(again, after=dropped)
    await room.whispers_to_its_end(1)
    return await room.is_over(again)


async def the_coached_goes_to_the_menu_in_mid_whisper_and_returns(night: Installation, line: Line) -> Counted:
    """`*` leads out of the room while the AI speaks to them."""
    room = await Room.reported(night, line)
    ana = await room.is_joined_by("ana")
    await room.coaches(ana)
    left = room.now
    await ana.presses("*")
    await ana.hears("press 2 to go back", within_s=SAID_S)
    await ana.presses("2")
    await ana.is_in_a_room(within_s=SAID_S, after=left)
    await room.coaches(ana, after=left)
    await room.whispers_to_its_end(1)
    return await room.is_over(ana)


async def the_ai_is_seated_anew_in_mid_whisper(night: Installation, line: Line) -> Counted:
    """The AI's leg is lost; its next generation goes on as the coach."""
    room = await Room.reported(night, line)
    ana = await room.is_joined_by("ana")
    lost = await room.coaches(ana)
    await night.ends_at_twilio(room.streams_for(lost.call or ""))
    await room.comes_again(after=lost.seq)
    await room.asks(ana)  # before anything is set of the new leg: whatever it says now, everybody would hear
    await room.coaches(ana, after=lost.seq)
    await room.whispers_to_its_end(1)
    await room.asks(ana)
    await room.whispers_to_its_end(2)
    return await room.is_over(ana)


async def told(night: Installation, names: Collection[str]) -> Mapping[str, Counted | Exception]:
    """Tell these variants, all at once: what each came to, or why it came to nothing."""

    async def one(name: str) -> Counted | Exception:
        variant, line = VARIANTS[name]
        try:
            async with asyncio.timeout(VARIANT_S):
                return await variant(night, line)
        except (AssertionError, TimeoutError, OSError) as error:
            return error

    return dict(zip(names, await asyncio.gather(*map(one, names)), strict=True))


@asynccontextmanager
async def recorded_night(folder: Path, *, pessimistic: bool) -> AsyncGenerator[Installation]:
    """An installation whose AI speaks and hears in tones, and whose every leg is recorded."""
    async with installed(folder, FILE, QUICK, "light", recorded=True, pessimistic=pessimistic) as night:
        yield night


def whisper_table(mode: str, rows: Mapping[str, Counted]) -> str:
    """What was counted, a line for each variant; everything in it is of the sandbox."""
    lines = [
        f"{'in the sandbox, ' + mode + ' mode':<36}{'heard by the caller':>20}{'by the coached':>16}{'switch':>24}"
    ]
    for name, one in rows.items():
        took = ", ".join(f"{switch.took_ms:.0f}" for switch in one.switches)
        leaked = f"; {one.by_caller_then} of {one.orphaned} when the coached had gone" if one.orphaned else ""
        lines.append(
            f"{name:<36}{f'{one.by_caller - one.by_caller_then} of {one.whispered}':>20}"
            f"{f'{one.by_coached} of {one.to_coached}':>16}{took + ' ms':>24}{leaked}"
        )
    return "\n".join(lines)


Variant = Callable[[Installation, Line], Awaitable[Counted]]
FILE = OwnersFile()
LONG: dict[str, Any] = {"wait_s": 60}
VARIANTS: Mapping[str, tuple[Variant, Line]] = {
    "join": (somebody_joins, FILE.line("join", [["ana"]], **LONG)),
    "owner changes": (the_owner_changes, FILE.line("owner", [["ana"], ["ben"]], **LONG)),
    "drop and return": (
        the_coached_drops_in_mid_whisper_and_returns,
        FILE.line("drop", [["ana"]], **LONG),
    ),
    "star menu": (
        the_coached_goes_to_the_menu_in_mid_whisper_and_returns,
        FILE.line("star", [["ana"]], **LONG),
    ),
    "AI seated anew": (the_ai_is_seated_anew_in_mid_whisper, FILE.line("anew", [["ana"]], **LONG)),
}
