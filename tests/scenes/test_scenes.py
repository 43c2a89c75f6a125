"""Twelve scenes of an emergency call, played by synthesised callers on real processes."""

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

import pytest
import pytest_asyncio

from tests.night.installation import installed
from tests.scenes.played import Played, played_all
from tests.scenes.twelve import TWELVE, lines
from tests.speech.hearing import NEEDED, absent

pytestmark = [pytest.mark.scenes, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(1500)]

Organs = Literal["light", "local"]
missing = absent(NEEDED)


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[
        "light",
        pytest.param(
            "local",
            marks=pytest.mark.skipif(bool(missing), reason=f"{missing} is not installed: `make voice`"),
        ),
    ],
)
async def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, "asyncio.Task[Played]"]]:
    """Every scene that this run has chosen, being played."""
    organs: Organs = request.param
    file, made = lines()
    specs = [getattr(item, "callspec", None) for item in request.session.items if item.path == request.path]
    chosen = {spec.params["scene"] for spec in specs if spec}
    async with (
        installed(tmp_path_factory.mktemp(organs), file, speech=organs) as night,
        played_all(night, {name: made[name] for name in TWELVE if name in chosen}, organs) as playing,
    ):
        yield playing


@pytest.mark.parametrize("scene", TWELVE)
async def test_scene(scene: str, played: dict[str, "asyncio.Task[Played]"]) -> None:
    result = await played[scene]
    assert not result.failed, f"not so: {'; '.join(result.failed)}\n{result.transcript}"
