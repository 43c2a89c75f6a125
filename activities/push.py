"""Push messages to strangers' servers, by the Apprise library, which blocks: each URL in a thread of its own."""

import asyncio
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import apprise
import structlog

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

ANSWERS_IN_S = 10.0  # the activity has 15 s; Apprise's own limits are 4 s to connect and 4 s to read
THREADS = 32  # a storm pages a rung of people at once, each on a few URLs


@dataclass(frozen=True)
class Pushed:
    """What became of a push to several URLs: how many took it, and which services did not, or never will."""

    taken: int
    failed: tuple[str, ...] = ()
    invalid: tuple[str, ...] = ()


class Pushes:
    """Sends words to Apprise URLs, all at once, so that a slow server delays no other."""

    def __init__(self, answers_in_s: float = ANSWERS_IN_S) -> None:
        self._answers_in_s = answers_in_s
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="push")

    async def send(self, urls: Iterable[str], title: str, words: str) -> Pushed:
        """Push to every URL. Not idempotent: a repeat tells again those that have taken it."""
        wanted = list(dict.fromkeys(urls))
        taken: list[bool | None] = await asyncio.gather(*(self._one(url, title, words) for url in wanted))
        said = [(service(url), one) for url, one in zip(wanted, taken, strict=True)]
        pushed = Pushed(
            taken=sum(one is True for _, one in said),
            failed=tuple(name for name, one in said if one is False),
            invalid=tuple(name for name, one in said if one is None),
        )
        if pushed.failed or pushed.invalid:
            log.warning("push not taken", failed=pushed.failed, invalid=pushed.invalid)
        return pushed

    async def _one(self, url: str, title: str, words: str) -> bool | None:
        """Whether the server took it; None where the URL is none that Apprise knows."""
        given_up = threading.Event()

        def push() -> bool | None:
            if given_up.is_set():  # it waited for a thread until nobody wanted it any more
                return False
            target = apprise.Apprise()
            if not target.add(url):
                return None
            return bool(target.notify(body=words, title=title))

        try:
            async with asyncio.timeout(self._answers_in_s):
                return await asyncio.get_running_loop().run_in_executor(self._threads, push)
        except TimeoutError:
            return False
        finally:
            given_up.set()


def service(url: str) -> str:
    """The push service alone: the rest of the URL may be a password."""
    return url.split("://", maxsplit=1)[0]
