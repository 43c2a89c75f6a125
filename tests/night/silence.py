"""What the caller hears when something breaks while they talk with the AI: how long is it silent, on their recording.

Silent is a stretch without a voice, an announcement, music or anything else, from the fault to what follows it.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sandbox.sound.frames import FRAME_MS
from sandbox.sound.tape import Track, read_track
from sandbox.sound.turns import is_loud
from tests.night.installation import Installation, Process, installed
from tests.night.journal import NeverHappenedError
from tests.night.owners_file import Line, OwnersFile
from tests.night.people import Leg, Story
from workflows.messages import ConversationView, call_workflow_id
from workflows.voice import Speaker

PATIENT_S = 90.0
DANGER = "There is a fire!"
TROUBLE = "There is water coming through the ceiling."
AT_MOST_MS = 3_000
STILL_MS = 60_000  # longer than anybody waits
QUICK = {"post_dial_delay_s": 0.1}
FILE = OwnersFile()


def longest_silence_ms(track: Track, began: datetime, ended: datetime) -> int:
    """The longest stretch without any sound between two instants."""
    heard = track.between(began, ended)
    longest = run = 0
    for number in heard.numbers:
        run = 0 if is_loud(heard.frame(number)) else run + FRAME_MS
        longest = max(longest, run)
    return longest


@dataclass
class Talking:
    """A caller who has come to talk with the AI."""

    night: Installation
    caller: Leg
    fault_at: datetime

    @classmethod
    async def greeted(cls, night: Installation, line: Line) -> "Talking":
        """A caller whom the AI has greeted to the end."""
        caller = await Story(night, line).is_rung()
        talking = cls(night, caller, datetime.now(UTC))
        await talking.hears_the_ai(1)
        return talking

    async def turns(self) -> int:
        """How much the AI has said to its end."""
        handle = self.night.client.get_workflow_handle(call_workflow_id(self.caller.sid))
        view: ConversationView = await handle.query("conversation", result_type=ConversationView)
        return len([turn for turn in view.turns if turn.whole and turn.speaker is Speaker.ASSISTANT])

    async def hears_the_ai(self, times: int) -> None:
        """Wait until the AI has said so many things to their end."""

        async def enough() -> bool:
            return await self.turns() >= times

        if not await self.night.comes_true(enough, PATIENT_S):
            raise NeverHappenedError(f"the AI has not said {times} things")

    async def says(self, text: str) -> None:
        """The caller speaks, and awaits an answer."""
        after = self.night.journal.last
        await self.night.asks("POST", f"/calls/{self.caller.sid}/say", {"text": text})
        said = await self.night.journal.first(
            "the caller has spoken",
            lambda r: r.kind == "leg.said" and r.call == self.caller.sid,
            after=after,
        )
        self.fault_at = said.at

    async def hears_the_menu(self) -> None:
        """Wait until the menu has begun."""
        await self.night.journal.first(
            "the menu begins",
            lambda r: (
                r.kind == "leg.heard" and r.call == self.caller.sid and "press 1" in r.says("text").lower()
            ),
            within_s=PATIENT_S,
        )

    async def hears_something_played(self) -> None:
        """Wait until sound of the AI's has been played, after now."""
        await self.night.journal.first(
            "the AI is heard",
            lambda r: r.kind == "stream.mark",
            after=self.night.journal.last,
            within_s=PATIENT_S,
        )

    async def silent_ms(self) -> int:
        """They hang up: the longest silence since the fault."""
        ended = self.night.journal.records[-1].at
        await self.caller.hangs_up()
        await self.caller.is_over()
        file = self.night.recordings / f"{self.caller.sid}.heard.wav"
        track = read_track(await asyncio.to_thread(file.read_bytes))
        return longest_silence_ms(track, self.fault_at, ended)


async def _model_unreachable(night: Installation, line: Line) -> int:
    await night.model_fails(kind="refuse", code=503)
    caller = await Story(night, line).is_rung()
    await caller.is_in_a_room(within_s=PATIENT_S)
    talking = Talking(night, caller, night.journal.records[-1].at)
    await talking.hears_the_menu()
    return await talking.silent_ms()


async def _answer_fails(night: Installation, line: Line, **fault: object) -> int:
    """The caller has said what happened; the answer meets this fault, and another comes."""
    talking = await Talking.greeted(night, line)
    await night.model_fails(**fault)
    heard = await talking.turns()
    await talking.says(TROUBLE)
    await talking.hears_the_ai(heard + 1)
    return await talking.silent_ms()


async def _dropped(night: Installation, line: Line) -> int:
    return await _answer_fails(night, line, kind="drop", on="response", after_ms=800, times=1)


async def _stands_still(night: Installation, line: Line, after_ms: int) -> int:
    return await _answer_fails(
        night, line, kind="stall", on="response", after_ms=after_ms, lasts_ms=STILL_MS, times=1
    )


async def _stands_still_at_once(night: Installation, line: Line) -> int:
    return await _stands_still(night, line, 0)


async def _stands_still_in_mid_sentence(night: Installation, line: Line) -> int:
    return await _stands_still(night, line, 800)


async def _expired(night: Installation, line: Line) -> int:
    return await _answer_fails(night, line, kind="expire", on="response", after_ms=800, times=1)


async def _gone_for_good(night: Installation, line: Line) -> int:
    talking = await Talking.greeted(night, line)
    await night.model_fails(kind="refuse", code=503)
    await night.model_fails(kind="drop", on="response", after_ms=800)
    await talking.says(TROUBLE)
    await talking.hears_the_menu()
    return await talking.silent_ms()


async def _rate_limited(night: Installation, line: Line) -> int:
    talking = await Talking.greeted(night, line)
    await night.model_fails(kind="fail", on="response", code="rate_limit_exceeded")
    await talking.says(TROUBLE)
    await talking.hears_the_menu()
    return await talking.silent_ms()


async def _bridge_killed(night: Installation, line: Line) -> int:
    talking = await Talking.greeted(night, line)
    heard = await talking.turns()
    await talking.says(TROUBLE)
    await talking.hears_something_played()
    talking.fault_at = night.journal.records[-1].at
    await night.kill("bridge")
    await talking.hears_the_ai(heard + 1)
    return await talking.silent_ms()


async def _stream_cut(night: Installation, line: Line) -> int:
    await night.goes_wrong(kind="stream_cut", on="stream", number=line.number, skip=1, times=1, seconds=4)
    talking = Talking(night, await Story(night, line).is_rung(), datetime.now(UTC))
    cut = await night.journal.first(
        "the stream is cut",
        lambda r: r.kind == "fault" and r.says("kind_of_fault") == "stream_cut",
        within_s=PATIENT_S,
    )
    talking.fault_at = cut.at
    await talking.hears_the_ai(1)
    return await talking.silent_ms()


async def _while_dead(night: Installation, line: Line, process: Process) -> int:
    """Somebody of ours is dead; the caller speaks, and is answered."""
    talking = await Talking.greeted(night, line)
    async with night.dead(process):
        await talking.says(TROUBLE)
        await talking.hears_something_played()
    return await talking.silent_ms()


async def _api_gone(night: Installation, line: Line) -> int:
    return await _while_dead(night, line, "api")


async def _worker_killed(night: Installation, line: Line) -> int:
    return await _while_dead(night, line, "worker")


async def _worker_awaited(night: Installation, line: Line) -> int:
    """The worker is dead when the AI wants people woken; it is done when another one works."""
    talking = await Talking.greeted(night, line)
    heard = await talking.turns()
    with night.killed("worker") as serves_again:
        await talking.says(DANGER)
        await serves_again()
    await talking.hears_the_ai(heard + 1)
    await night.journal.first(
        "people are woken",
        lambda r: r.kind == "call.ringing" and r.number == line.people[0].number,
        within_s=PATIENT_S,
    )
    return await talking.silent_ms()


async def _temporal_gone(night: Installation, line: Line) -> int:
    return await _while_dead(night, line, "temporal")


Break = Callable[[Installation, Line], Awaitable[int]]
BREAKS: Mapping[str, Break] = {
    "model unreachable at the start": _model_unreachable,
    "model dropped in mid-sentence": _dropped,
    "model dropped, and gone for good": _gone_for_good,
    "model stands still before its answer": _stands_still_at_once,
    "model stands still in mid-sentence": _stands_still_in_mid_sentence,
    "model at its session limit": _expired,
    "model rate-limited": _rate_limited,
    "bridge killed (-9)": _bridge_killed,
    "stream closed by Twilio": _stream_cut,
    "api gone while audio runs": _api_gone,
    "worker killed while the AI talks": _worker_killed,
    "worker killed while it is awaited": _worker_awaited,
    "Temporal gone while audio runs": _temporal_gone,
}
LINES = {name: FILE.line(f"break{number}", [["ana"]]) for number, name in enumerate(BREAKS)}


async def silent_ms(night: Installation, name: str) -> int:
    """Break this; the longest silence the caller heard until what follows, in ms. Mends it after."""
    try:
        async with asyncio.timeout(2 * PATIENT_S):
            return await BREAKS[name](night, LINES[name])
    finally:
        await night.asks("DELETE", "/faults")
        await night.speech.delete("/faults")


@asynccontextmanager
async def broken_night(folder: Path) -> AsyncGenerator[Installation]:
    """An installation whose AI speaks and hears in tones, and whose every leg is recorded."""
    async with installed(folder, FILE, QUICK, "light", recorded=True) as night:
        yield night


def silence_table(measured: Mapping[str, int]) -> str:
    """What was measured, a line for each break."""
    lines = [f"{'the longest silence the caller heard':<44}in the sandbox"]
    lines += [f"{name:<44}{ms:>8} ms" for name, ms in measured.items()]
    return "\n".join(lines)
