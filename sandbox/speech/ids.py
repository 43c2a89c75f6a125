"""Identifiers as the API draws them, and repeatable."""

import random
import string

_LETTERS = string.ascii_letters + string.digits


class Ids:
    """Draws from a seed: the same session draws the same ones."""

    def __init__(self, seed: str) -> None:
        self._dice = random.Random(seed)  # noqa: S311  # repeatable on purpose

    def draw(self, kind: str) -> str:
        """`event`, `item`, `resp`, `sess`, `conv`, `call`."""
        return f"{kind}_{''.join(self._dice.choices(_LETTERS, k=21))}"
