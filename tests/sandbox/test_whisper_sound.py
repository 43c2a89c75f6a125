"""The whisper, measured: how many frames of what the AI says as coach are in what the caller hears."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime

import pytest

from sandbox.phones import Answers, Say, Stay, Wait
from sandbox.sound import modem
from sandbox.sound.compare import Found, frames_heard
from sandbox.sound.frames import FRAME_TIME
from tests.sandbox.conftest import CALLER, LINE, Scene
from tests.sandbox.test_stream_sound import bridge_is_read, plays
from tests.sandbox.test_streams import Bridge, connect, running_bridge

ANA = "+15550000201"
ROOM = "<Dial><Conference beep='false' waitUrl='' jitterBufferSize='small'>incident</Conference></Dial>"


@dataclass
class Incident:
    """A caller, the AI with a stream, and Ana in one room, all recorded."""

    scene: Scene
    bridge: Bridge
    caller: str
    ai: str
    ana: str

    async def update(self, **flags: object) -> None:
        room = self.scene.network.room("incident")
        assert room is not None
        participant = self.scene.client.conferences(room.sid).participants(self.ai)
        await self.scene.request(lambda: participant.update(**flags))

    async def coach(self) -> None:
        await self.update(coaching=True, call_sid_to_coach=self.ana)

    async def whispers(self, text: str) -> datetime:
        """Say it and let it sound. Gives when it began."""
        began = self.scene.clock.now()
        await plays(self.bridge, modem.speak(text))
        await bridge_is_read(self.scene, self.bridge)
        await self.scene.pass_time(0.06 * len(text) + 1)
        return began

    def heard_by(self, listener: str, since: datetime) -> Found:
        """How much of what the AI has said since then that leg heard."""
        tapes = self.scene.network.tapes
        said = tapes.of(self.ai).track("said").between(since, self.scene.clock.now())
        others = [tapes.of(sid).track("said") for sid in (self.caller, self.ana) if sid != listener]
        others.append(tapes.of(listener).track("played"))
        return frames_heard(said, tapes.of(listener).track("heard"), others)


@pytest.fixture
async def incident(sounding: Scene) -> AsyncGenerator[Incident]:
    async with running_bridge() as bridge:
        sounding.product.says("/ai", connect(bridge.url))
        sounding.product.says("/voice", ROOM)
        sounding.phone(ANA, Answers(0, Stay()))
        caller = sounding.network.dial(CALLER, LINE, Wait(5), Say("Please be quick"), Stay())
        await sounding.pass_time(0)
        app = next(iter(sounding.network.directory.applications))
        legs: list[str] = []
        for to, label in ((f"app:{app}", "ai"), (ANA, "ana")):
            participants = sounding.client.conferences("incident").participants
            made = await sounding.request(
                participants.create,
                from_=LINE,
                to=to,
                label=label,
                beep="false",
                jitter_buffer_size="small",
                early_media=False,
                wait_url="",
            )
            legs.append(str(made.call_sid))
        await sounding.pass_time(3)
        await bridge.receives("start")
        for sid in (caller, *legs):
            sounding.network.tapes.record(sid)
        yield Incident(sounding, bridge, caller, *legs)


async def test_a_coach_is_heard_by_the_coached_leg_alone(incident: Incident) -> None:
    await incident.coach()
    began = await incident.whispers("Oak Street 412, water, two people")
    by_ana, by_caller = incident.heard_by(incident.ana, began), incident.heard_by(incident.caller, began)
    assert by_ana.sent > 60
    assert by_ana.present + by_ana.unclear == by_ana.sent
    assert by_caller.present == 0


async def test_a_coach_whose_coached_leg_has_gone_is_heard_by_nobody(incident: Incident) -> None:
    await incident.coach()
    incident.scene.network.hang_up(incident.ana)
    await incident.scene.pass_time(0)
    began = await incident.whispers("Oak Street 412")
    assert incident.heard_by(incident.caller, began).present == 0


async def test_in_the_pessimistic_mode_the_orphaned_coach_is_heard_by_all(incident: Incident) -> None:
    await incident.coach()
    incident.scene.network.assume_the_worst(pessimistic=True)
    incident.scene.network.hang_up(incident.ana)
    await incident.scene.pass_time(0)
    began = await incident.whispers("Oak Street 412")
    found = incident.heard_by(incident.caller, began)
    assert found.present == found.sent


async def test_in_the_pessimistic_mode_an_unmute_before_the_switch_took_effect_leaks(
    incident: Incident,
) -> None:
    incident.scene.network.assume_the_worst(pessimistic=True)
    await incident.update(muted=True)
    await incident.update(coaching=True, call_sid_to_coach=incident.ana, muted=False)
    began = await incident.whispers("Oak Street 412, water, two people")
    found = incident.heard_by(incident.caller, began)
    late_s = incident.scene.network.world.assumptions.coach_switch_s
    assert 0 < found.present <= late_s * 50
    assert incident.heard_by(incident.ana, began).present == found.sent


async def test_what_was_said_just_before_an_unmute_is_heard_after_it(incident: Incident) -> None:
    await incident.update(muted=True)
    began = incident.scene.clock.now()
    await plays(incident.bridge, modem.speak("!!"))
    await bridge_is_read(incident.scene, incident.bridge)
    await incident.scene.clock.advance(3 * FRAME_TIME)
    await incident.update(muted=False)
    await incident.scene.pass_time(1)
    assert incident.heard_by(incident.caller, began).present > 0


async def test_an_announcement_to_the_caller_is_not_taken_for_the_whisper(incident: Incident) -> None:
    await incident.coach()
    text = "Oak Street 412, water, two people"
    url = incident.scene.product.says("/news", f"<Say>{text}</Say>")
    room = incident.scene.network.room("incident")
    assert room is not None
    caller = incident.scene.client.conferences(room.sid).participants(incident.caller)
    await incident.scene.request(lambda: caller.update(announce_url=url))
    began = await incident.whispers(text)
    found = incident.heard_by(incident.caller, began)
    assert found.present == 0
    assert "Oak Street" in incident.scene.network.heard(incident.caller)
