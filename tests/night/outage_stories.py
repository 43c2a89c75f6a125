"""What people live through while Temporal or the door is dead."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.night.installation import Installation
from tests.night.lines import DOWN, SPOOL, STATIC
from tests.night.owners_file import Line
from tests.night.people import SHORT_VOICEMAIL, Leg, Story
from tests.night.rooms import are_together
from tests.night.together import Outage
from workflows.call_state import (
    Closing,
)
from workflows.emergency import Phase


async def tonights_rota_is_rung_and_a_voicemail_does_not_take_it(night: Installation, outage: Outage) -> None:
    story = Story(night, DOWN)
    await story["ana"].does(SHORT_VOICEMAIL)
    async with outage:
        caller = await story.is_rung()
        ben = await (await story["ben"].rings(within_s=45)).picks_up()
        await ben.presses((await ben.hears(r"press (\d) to talk to them"))[1])
        await hear_each_other(night, caller, ben)

    opening = (await caller.everything_heard()).splitlines()[0]
    assert opening == "If anyone is in danger, hang up and dial 911."
    await spool_is_empty(night)
    await caller.hangs_up()
    closed = await night.call_closed(caller.sid)
    assert (closed.closing, closed.escalation) == (Closing.FAILED_OVER, None)
    assert len(story.calls("ana")) == 1


async def a_key_pressed_seats_the_person_and_is_replayed(night: Installation, outage: Outage) -> None:
    story = Story(night, SPOOL)
    caller = await story.is_rung()
    escalation = await story.reports(caller)
    ana = await (await story["ana"].rings()).picks_up()
    key = (await ana.hears(r"press (\d) to take it"))[1]
    async with outage:
        await ana.presses(key)
        await ana.hears("cannot confirm this now. I am joining you")
        await are_together(night, caller, ana)

    view = await night.is_in(escalation, Phase.ATTENDED)
    await spool_is_empty(night)
    assert view.owner == story["ana"].person.name
    assert [page.responder.id for page in view.pages] == [story["ana"].person.key]
    await caller.hangs_up()
    await ana.hangs_up()
    assert (await night.call_closed(caller.sid)).closing is Closing.ESCALATED


async def another_host_rings_the_rota_and_only_a_key_connects(night: Installation, tmp_path: Path) -> None:
    await publish_fallback(night, STATIC, tmp_path)
    story = Story(night, STATIC)
    await story["ana"].does(SHORT_VOICEMAIL)
    async with night.dead("api"):
        caller = await story.is_rung()
        ben = await (await story["ben"].rings(within_s=45)).picks_up()
        await ben.presses((await ben.hears(r"press (\d) to talk to them"))[1])
        await hear_each_other(night, caller, ben)

    opening = (await caller.everything_heard()).splitlines()[0]
    assert opening == "If anyone is in danger, hang up and dial 911."
    assert len(story.calls("ana")) == 1
    await caller.hangs_up()


# What the stories share


async def hear_each_other(night: Installation, one: Leg, other: Leg) -> None:
    """Wait until the second leg hears what is said on the first."""
    for _ in range(50):
        await night.asks("POST", f"/calls/{one.sid}/say", {"text": "Is anybody there?"})
        said = await night.journal.first(
            "the caller speaks", lambda r: r.kind == "leg.said" and r.call == one.sid, after=one.heard_to
        )
        one.heard_to = said.seq
        if other.sid in said.says("heard_by"):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{other.number} does not hear {one.number}")


async def spool_is_empty(night: Installation) -> None:
    """Wait until everything that was written down has been handed over."""
    async with asyncio.timeout(30):
        while True:
            reply = await night.door.get("/ready")
            if reply.json()["temporal"] and reply.json()["spool"] == 0:
                return
            await asyncio.sleep(0.1)


async def publish_fallback(night: Installation, line: Line, folder: Path) -> None:
    """Write the static documents of a line as an operator does, and have the other host serve them."""
    base = f"{night.settings.twilio_base_url}/_sandbox/static"
    command = ("fallback", "--out", str(folder), "--base-url", base, "--line", line.key)
    writing = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "rung", *command, "--file", str(night.settings.config)),
        env=night.settings.environment(),
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await writing.communicate()
    assert writing.returncode == 0
    for document in await asyncio.to_thread(lambda: list(folder.glob("*.xml"))):
        reply = await night.sandbox.put(f"/static/{document.name}", content=document.read_bytes())
        assert reply.is_success
    assert f"{line.number}: {base}/{line.key}.xml" in said.decode()


TEMPORAL_IS_DEAD = (
    tonights_rota_is_rung_and_a_voicemail_does_not_take_it,
    a_key_pressed_seats_the_person_and_is_replayed,
)
