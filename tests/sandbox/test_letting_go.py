"""What is over is let go: the record of a call stays, its leg with sound, streams and phones does not."""

import gc
import weakref

from sandbox.ids import named_sid
from sandbox.phones import HangUp, Say, Stay, Wait
from tests.sandbox.conftest import CALLER, LINE, Scene
from tests.sandbox.test_rooms import into_room
from tests.sandbox.test_streams import running_bridge

APP = named_sid("AP", "ai-leg")


async def test_a_leg_lets_go_of_its_sound_its_stream_and_its_phone_when_it_is_over(sounding: Scene) -> None:
    network = sounding.network
    async with running_bridge() as bridge:
        sounding.product.says("/voice", into_room(sounding))
        sounding.product.says("/ai", f'<Connect><Stream url="{bridge.url}"/></Connect>')
        caller = network.dial(CALLER, LINE, Wait(2), Say("hello"), Wait(1), HangUp())
        await sounding.pass_time(0)
        participants = sounding.client.conferences("incident").participants
        await sounding.request(lambda: participants.create(from_=LINE, to=f"app:{APP}", beep="false"))
        await sounding.pass_time(1)
        live = list(network.exchange.legs.values())
        circuits = [leg.circuit for leg in live if leg.circuit is not None]
        beside = [*network.exchange.handsets.values(), *network.streams.open_lines.values()]
        gone: list[weakref.ref[object]] = [weakref.ref(one) for one in (*live, *circuits, *beside)]
        del live, circuits, beside
        assert len(gone) == 6

        await sounding.pass_time(5)
        conference = network.rooms.named("incident")
        assert conference is not None
        network.rooms.end(conference)
        await sounding.pass_time(5)

    gc.collect()
    assert [one() for one in gone] == [None] * 6
    assert network.call(caller).heard  # the record of what was


async def test_a_number_whose_calls_are_forgotten_is_forgotten(scene: Scene) -> None:
    call = scene.network.dial(CALLER, LINE, Stay())
    assert [one.sid for one in scene.network.calls.newest_first(from_=CALLER)] == [call]
    scene.network.exchange.complete(scene.network.call(call))
    await scene.pass_time(1)

    scene.network.calls.forget(scene.network.call(call).sid)

    assert list(scene.network.calls.newest_first(from_=CALLER)) == []
