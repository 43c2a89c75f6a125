"""Nobody makes the door read more than it needs."""

from collections.abc import AsyncIterator

import pytest

from api.limits import LARGEST_BODY
from tests.api.house import House
from tests.api.test_signatures import INCOMING

TOO_MUCH = b"x" * (LARGEST_BODY + 1)


@pytest.mark.parametrize("path", ["/alerts/clinic", "/voice/incoming", "/a/some-token", "/nowhere"])
async def test_a_body_above_the_limit_is_refused_before_anything_looks_at_it(house: House, path: str) -> None:
    assert (await house.browser.post(path, content=TOO_MUCH)).status_code == 413


async def test_a_body_of_no_announced_length_is_refused_as_it_comes(house: House) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100 * LARGEST_BODY:
            sent += LARGEST_BODY // 4
            yield b"x" * (LARGEST_BODY // 4)

    answer = await house.browser.post("/alerts/clinic", content=endless())
    assert answer.status_code == 413


async def test_a_body_within_the_limit_is_looked_at(house: House) -> None:
    padded = INCOMING | {"Padding": "x" * (LARGEST_BODY - 1000)}
    assert (await house.browser.post("/voice/incoming", data=padded)).status_code == 403  # unsigned
