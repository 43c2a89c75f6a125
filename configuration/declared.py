"""What a file declares, for rules that compare one part with another."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from configuration.tree import Spot


@dataclass(frozen=True)
class File:
    """The tree, the names it declares, and the instant it is judged at, if any."""

    root: Spot
    country: str
    people: dict[str, Spot]
    rotations: dict[str, Spot]
    agents: dict[str, Spot]
    ladders: dict[str, Spot]
    lines: dict[str, Spot]
    now: datetime | None

    @classmethod
    def of(cls, root: Spot, country: str, now: datetime | None) -> "File":
        """The names declared in the tree."""
        blocks = ("people", "rotations", "agents", "ladders", "lines")
        people, rotations, agents, ladders, lines = (dict(root.entries(block)) for block in blocks)
        return cls(root, country, people, rotations, agents, ladders, lines, now)


def one(spot: Spot, key: str) -> Iterator[Spot]:
    """What stands under the key, if anything does."""
    found = spot.child(key)
    if found:
        yield found
