"""Connection overrides: what a webhook's URL fragment says about time-outs and retries.

`https://host/path#rc=2&rp=5xx,ct&ct=2000` asks for two retries on server errors and failed
connections, two seconds to connect. The fragment is neither sent nor signed.
"""

from dataclasses import dataclass
from typing import Literal

Failure = Literal["4xx", "5xx", "ct", "rt"]

# Twilio's limits, in milliseconds and attempts.
CONNECT_MS = (100, 10_000, 5_000)
READ_MS = (100, 15_000, 15_000)
TOTAL_MS = (100, 15_000, 15_000)
MOST_RETRIES = 5


@dataclass(frozen=True)
class Overrides:
    """How patient Twilio is with one webhook."""

    connect_ms: int = CONNECT_MS[2]
    read_ms: int = READ_MS[2]
    total_ms: int = TOTAL_MS[2]
    retries: int = 1
    retry_on: frozenset[Failure] = frozenset({"ct"})

    def retries_after(self, failure: Failure | None) -> bool:
        return failure is not None and failure in self.retry_on


def overrides(url: str) -> Overrides:
    """Read a URL's fragment. Unknown keys and values out of range are ignored."""
    fragment = url.partition("#")[2]
    fields: dict[str, str] = {}
    for pair in fragment.replace("#", "&").split("&"):
        name, _, value = pair.partition("=")
        fields[name] = value
    return Overrides(
        connect_ms=_within(fields.get("ct"), CONNECT_MS),
        read_ms=_within(fields.get("rt"), READ_MS),
        total_ms=_within(fields.get("tt"), TOTAL_MS),
        retries=_within(fields.get("rc"), (0, MOST_RETRIES, 1)),
        retry_on=_policy(fields.get("rp", "ct")),
    )


def _within(text: str | None, bounds: tuple[int, int, int]) -> int:
    low, high, default = bounds
    if text is None or not text.isdecimal():
        return default
    return int(text) if low <= int(text) <= high else default


def _policy(text: str) -> frozenset[Failure]:
    named: set[Failure] = set()
    for word in text.split(","):
        match word:
            case "4xx" | "5xx" | "ct" | "rt":
                named.add(word)
            case "all":
                named |= {"4xx", "5xx", "ct", "rt"}
            case _:
                pass
    return frozenset(named or {"ct"})
