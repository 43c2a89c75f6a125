"""Design section 4, clock and queue, with the shells in their server: what is rung when."""

from tests.shells.town import PEOPLE, Town, seconds


async def test_the_whole_ladder_is_climbed_rung_by_rung_every_120_seconds(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    for nth, name in enumerate(PEOPLE[:8], start=1):
        await town.rings(name)
        view = await caller.emergency.until(lambda view: view.next_at is not None)
        assert (view.phase, view.rung, view.rungs) == ("paging", nth, 8)
        await town.pass_time(seconds(122))

    await town.exchange.ordering("alert_operator")
    await town.rings("ana")
    assert (await caller.emergency.stands()).round == 2


async def test_at_119_seconds_it_is_still_rung_1_at_122_it_is_rung_2(town: Town) -> None:
    caller = await town.caller_reports("burst pipe")
    await town.rings("ana")

    await town.pass_time(seconds(119))
    assert (await caller.emergency.stands()).rung == 1

    await town.pass_time(seconds(3))
    assert (await caller.emergency.stands()).rung == 2
    await town.rings("ben")
