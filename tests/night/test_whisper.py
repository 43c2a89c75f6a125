"""The caller never hears the whisper: five ways to come to it, each counted on the recordings of every leg.

In the sandbox's pessimistic mode a coach is heard by all once the coached leg has gone, its coaching changes late
and callbacks come late. What is being whispered at that very instant is then heard until the AI is silenced: nothing
can call it back, and the table says how much it was. Nothing is heard before, and nothing after.
"""

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_asyncio

from tests.night.conftest import PRINTED, Printed
from tests.night.whisper_sound import Counted
from tests.night.whispering import ENOUGH, LOST, VARIANTS, recorded_night, told, whisper_table

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.long(reason="two installations, each with five spoken calls at once: about three minutes"),
    pytest.mark.timeout(400),
]

Told = Mapping[str, Counted | Exception]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["normal", "pessimistic"])
async def mode(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[str, Told]]:
    """All chosen variants in this mode of the sandbox, told at once."""
    chosen = dict.fromkeys(
        spec.params["variant"]
        for item in request.session.items
        if item.path == request.path and (spec := getattr(item, "callspec", None)) is not None
    )
    name = str(request.param)
    async with recorded_night(tmp_path_factory.mktemp(name), pessimistic=name == "pessimistic") as night:
        found = await told(night, list(chosen))
    rows = {one: counts for one, counts in found.items() if isinstance(counts, Counted)}
    request.config.stash.setdefault(PRINTED, []).append(Printed("whisper", whisper_table(name, rows)))
    yield name, found


@pytest.mark.parametrize("variant", list(VARIANTS))
async def test_only_the_coached_hears_the_whisper(variant: str, mode: tuple[str, Told]) -> None:
    name, found = mode
    counts = found[variant]
    if isinstance(counts, Exception):
        raise counts
    assert counts.whispered >= ENOUGH
    assert counts.by_caller == counts.by_caller_then, (
        "heard while the coached was there, or when it was silenced"
    )
    if name == "normal":
        assert counts.by_caller == 0
    assert counts.by_coached + counts.unclear >= (1 - LOST) * counts.to_coached
