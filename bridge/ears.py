"""Who of those in the room speaks: told by how loud each one's own leg is.

The AI's leg hears one mixed track. The caller's and the responder's legs have inbound-only streams beside it, and a
turn is said by whoever of them was loud for most of it. Without such streams it is the room that spoke.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from bridge.audio import FRAME_SAMPLES, SAMPLES_A_MS
from workflows.voice import Speaker

KEPT_S = 60.0
HEARD_AT_MOST = 4096  # stretches of speech kept; the oldest are let go
EARLIER_S = 0.4  # the model notices the beginning of speech later than the leg's own stream
LEAST_SHARE = 0.1  # of a turn's length: less is a cough
LOUD = 4.0  # times the leg's own noise
FLOOR = 24.0  # in the loudness below: about -38 dBFS


def _loudness(code: int) -> int:
    """A mu-law byte's amplitude, in 255 steps (ITU-T G.711: inverted, sign, exponent, mantissa)."""
    code = ~code & 0xFF
    amplitude = ((((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4)) - 0x84
    return min(255, amplitude >> 4)


LOUDNESS = bytes(_loudness(code) for code in range(256))


@dataclass(frozen=True)
class Loud:
    """Somebody's leg was loud. until_s: Unix time. ms: for how long before it."""

    speaker: Speaker
    person: str
    until_s: float
    ms: int


class Ear:
    """One leg's own stream: tells from its chunks when it is loud."""

    def __init__(self) -> None:
        self._noise = FLOOR / LOUD
        self._loud_ms = 0
        self._waited_ms = 0

    def hears(self, samples: bytes) -> int:
        """A chunk came; gives for how many of the last 100 ms it was loud, once each 100 ms, else 0."""
        if not samples:
            return 0
        level = sum(samples.translate(LOUDNESS)) / len(samples)
        length_ms = len(samples) // SAMPLES_A_MS
        if level > max(FLOOR, LOUD * self._noise):
            self._loud_ms += length_ms
            self._noise *= 1.002  # a noise that begins to stay is noise after a while
        else:
            self._noise += (level - self._noise) * 0.05
        self._waited_ms += length_ms
        if self._waited_ms < FRAME_SAMPLES // SAMPLES_A_MS * 5:
            return 0
        loud_ms, self._loud_ms, self._waited_ms = self._loud_ms, 0, 0
        return loud_ms


class Ears:
    """What the legs' own streams have told about who was loud when."""

    def __init__(self) -> None:
        self._loud: deque[Loud] = deque(maxlen=HEARD_AT_MOST)

    def heard(self, loud: Loud) -> None:
        """Somebody was loud."""
        self._loud.append(loud)
        while self._loud[0].until_s < loud.until_s - KEPT_S:
            self._loud.popleft()

    def who(self, began_s: float, ended_s: float) -> tuple[Speaker, str]:
        """Who spoke in this time (Unix), and the person's name if it was a responder."""
        began_s -= EARLIER_S
        loud_s: dict[tuple[Speaker, str], float] = {}
        for one in self._loud:
            overlap_s = min(one.until_s, ended_s) - max(one.until_s - one.ms / 1000, began_s)
            if overlap_s > 0:
                who = (one.speaker, one.person)
                loud_s[who] = loud_s.get(who, 0.0) + overlap_s
        return _loudest(loud_s, LEAST_SHARE * (ended_s - began_s))


def _loudest(loud_s: Mapping[tuple[Speaker, str], float], least_s: float) -> tuple[Speaker, str]:
    who = max(loud_s, key=lambda one: loud_s[one], default=None)
    return (Speaker.ROOM, "") if who is None or loud_s[who] < least_s else who
