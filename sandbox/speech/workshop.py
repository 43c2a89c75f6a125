"""Where hearing and speaking are done: in threads, one thing at a time each, with a bound on what waits."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from sandbox.sound.mulaw import Samples
from sandbox.speech.errors import OverloadedError
from sandbox.speech.organs import Organs

MOST_WAITING: Final = 64  # for each of the two; one more is refused

Made = TypeVar("Made")


class Workshop:
    """One pair of ears and one voice for all sessions of a process."""

    def __init__(self, organs: Organs) -> None:
        self.organs = organs
        self._ears = _Bench("ears")
        self._voice = _Bench("voice")

    async def understand(self, samples: Samples, language: str) -> str:
        """Raises OverloadedError."""
        return await self._ears.do(lambda: self.organs.ears.understand(samples, language))

    async def speak(self, text: str, language: str) -> Samples:
        """Raises OverloadedError."""
        return await self._voice.do(lambda: self.organs.voice.speak(text, language))

    @property
    def waiting(self) -> int:
        return self._ears.waiting + self._voice.waiting

    def close(self) -> None:
        """Give up what waits; what is being done ends by itself."""
        self._ears.close()
        self._voice.close()


class _Bench:
    """One thread and those who wait for it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self.waiting = 0

    async def do(self, work: Callable[[], Made]) -> Made:
        if self.waiting >= MOST_WAITING:
            message = f"the {self._name} have {self.waiting} things to do already"
            raise OverloadedError(message)
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self.waiting -= 1

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)
