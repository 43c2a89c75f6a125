"""Who hears how much of what is being said where several listen: a room, or two legs connected.

Texts and sound stay one truth this way: a text is heard from when its sound reached that ear until it did no longer,
and noted then, whole or in part.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.clock import sleep
from sandbox.hearing import Sound, Speaking
from sandbox.ids import CallSid
from sandbox.legs import Leg
from sandbox.world import World


@dataclass(eq=False)
class _Ongoing:
    """Something being said by one leg. hearing: who hears it, and since when."""

    by: CallSid
    text: str
    began: datetime
    lasts: timedelta
    hearing: dict[CallSid, tuple[Leg, datetime]] = field(
        default_factory=dict[CallSid, "tuple[Leg, datetime]"]
    )


class Earshot:
    """Everything being said in one place. `hearers` gives who hears a speaker at this moment."""

    def __init__(self, world: World, hearers: Callable[[CallSid], Mapping[CallSid, Leg]]) -> None:
        self._world = world
        self._hearers = hearers
        self._ongoing: list[_Ongoing] = []

    def carry(self, by: CallSid, speaking: Speaking, delay: timedelta) -> None:
        """Take this, and what is left of it if it has begun, to whoever hears it, so much later."""
        work = self._carry(by, speaking, delay)
        self._world.clock.work.spawn(work, name="speech on its way")

    async def _carry(self, by: CallSid, speaking: Speaking, delay: timedelta) -> None:
        clock = self._world.clock
        await sleep(clock, delay)
        ongoing = _Ongoing(by, speaking.text, speaking.began + delay, speaking.lasts)
        self._ongoing.append(ongoing)
        self._look(ongoing)
        played = await speaking.over.wait()
        await sleep(clock, ongoing.began + played - clock.now())
        self._ongoing.remove(ongoing)
        for leg, since in ongoing.hearing.values():
            self._deliver(ongoing, leg, since)

    def follow(self) -> None:
        """Who hears whom has changed, perhaps."""
        for ongoing in self._ongoing:
            self._look(ongoing)

    def _look(self, ongoing: _Ongoing) -> None:
        now, hears = self._world.clock.now(), self._hearers(ongoing.by)
        for sid in [sid for sid in ongoing.hearing if sid not in hears]:
            leg, since = ongoing.hearing.pop(sid)
            self._deliver(ongoing, leg, since)
        for sid, leg in hears.items():
            ongoing.hearing.setdefault(sid, (leg, now))

    def _deliver(self, ongoing: _Ongoing, leg: Leg, since: datetime) -> None:
        """The part of the words that reached this ear until now."""
        until = min(self._world.clock.now() - ongoing.began, ongoing.lasts)
        begin = self._letter(ongoing, since - ongoing.began)
        end = self._letter(ongoing, until)
        whole = begin == 0 and end == len(ongoing.text)
        leg.hear(Sound(ongoing.text[begin:end], "speech", by=ongoing.by), whole=whole)

    def _letter(self, ongoing: _Ongoing, played: timedelta) -> int:
        share = played / ongoing.lasts if ongoing.lasts else 1.0
        return int(len(ongoing.text) * share)
