"""Design section 4, life first, with the shells in their server: the danger sentence, and no pause."""

from tests.shells.exchange import seconds
from tests.shells.servers import Night
from tests.shells.town import Caller, Town, ladder
from workflows.values import Severity


async def announced(town: Town, caller: Caller, kind: str) -> None:
    """What the caller is being told is of this kind, and they hear it out."""
    await caller.until(lambda view: view.telling == kind)
    assert town.exchange.of("announce_fact")[-1].fact.kind == kind
    await caller.hears_it_out()


async def test_life_hears_the_danger_sentence_at_each_rung_while_phones_ring(night: Night) -> None:
    async with night(ladder("ana", "ben", "cem")) as town:
        caller = await town.caller_reports("she is not breathing", severity=Severity.LIFE)
        await town.rings("ana")
        await announced(town, caller, "danger")
        await town.settles()
        await caller.hears_it_out()
        await town.pass_time(seconds(121))
        await town.rings("ben")
        said = [order.fact.kind for order in town.exchange.of("announce_fact")]
        assert said[0] == "danger"
        assert said.count("danger") == 2


async def test_once_the_caller_has_called_the_danger_sentence_is_not_said_again(night: Night) -> None:
    async with night(ladder("ana", "ben")) as town:
        caller = await town.caller_reports("she is not breathing", severity=Severity.LIFE)
        await town.rings("ana")
        await announced(town, caller, "danger")
        await caller.notes("emergency-called")
        await town.pass_time(seconds(121))
        await town.rings("ben")
        said = [order.fact.kind for order in town.exchange.of("announce_fact")]
        assert said.count("danger") == 1


async def test_life_goes_round_the_ladder_without_a_pause(night: Night) -> None:
    async with night(ladder("ana", pauses_s=(3600.0,))) as town:
        caller = await town.caller_reports("she is not breathing", severity=Severity.LIFE)
        await (await town.rings("ana")).lets_it_ring()
        await town.pass_time(seconds(121))
        await town.rings("ana")
        assert (await caller.emergency.stands()).round == 2


async def test_others_hear_no_danger_sentence_and_pause(night: Night) -> None:
    async with night(ladder("ana", pauses_s=(3600.0,))) as town:
        caller = await town.caller_reports("burst pipe")
        await (await town.rings("ana")).lets_it_ring()
        await town.pass_time(seconds(122))
        assert (await caller.emergency.stands()).phase == "exhausted"
        assert "danger" not in {order.fact.kind for order in town.exchange.of("announce_fact")}
