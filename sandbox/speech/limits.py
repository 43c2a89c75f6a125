"""What is left of the account's minute. It is told and never enforced: faults refuse."""

from typing import Final

from sandbox.speech.fields import Json

TOKENS: Final = 250_000
REQUESTS: Final = 10_000
WINDOW_MS: Final = 60_000


class RateLimits:
    """A response reserves its output when it begins, and settles it when it is done."""

    def __init__(self) -> None:
        self._tokens = 0
        self._requests = 0
        self._reserved = 0
        self._window_ends_ms = 0

    def reserved(self, tokens: int, now_ms: int) -> Json:
        self._turn_over(now_ms)
        self._reserved += tokens
        self._requests += 1
        return self._json(now_ms)

    def settled(self, tokens: int, now_ms: int) -> Json:
        self._turn_over(now_ms)
        self._reserved = 0
        self._tokens += tokens
        return self._json(now_ms)

    def _turn_over(self, now_ms: int) -> None:
        if now_ms >= self._window_ends_ms:
            self._tokens = self._requests = 0
            self._window_ends_ms = now_ms + WINDOW_MS

    def _json(self, now_ms: int) -> Json:
        reset_s = (self._window_ends_ms - now_ms) / 1_000
        used = {"requests": (REQUESTS, self._requests), "tokens": (TOKENS, self._tokens + self._reserved)}
        return {
            "type": "rate_limits.updated",
            "rate_limits": [
                {"name": name, "limit": limit, "remaining": max(0, limit - spent), "reset_seconds": reset_s}
                for name, (limit, spent) in used.items()
            ],
        }
