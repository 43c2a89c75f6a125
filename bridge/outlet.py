"""What goes out to be played: whole frames, and as coach never far ahead of real time.

Odd sizes make the telephone stutter, so what is left over of a piece waits for the next one of its item, and at the
item's end is filled up with silence. A piece of whole frames passes as it came, without being decoded.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bridge.audio import FRAME_SAMPLES, SAMPLES_A_MS, SILENCE, decoded, encoded, samples_in

AHEAD = 300 * SAMPLES_A_MS  # a whisper that is called off has at most so much on its way
PIECE = 100 * SAMPLES_A_MS
HELD_AT_MOST = 300_000 * SAMPLES_A_MS  # five minutes of one answer; more of it is not taken


@dataclass(slots=True)
class Piece:
    """Sound to be sent now."""

    item: str
    payload: str
    samples: int


@dataclass(frozen=True)
class End:
    """Nothing more of this item follows."""

    item: str


@dataclass(frozen=True)
class _Sound:
    item: str
    samples: bytes


class Outlet:
    """One stream's way out. paced: whether it keeps to real time."""

    def __init__(self) -> None:
        self.paced = False
        self.refused = 0
        self._rest = b""
        self._rest_of = ""
        self._held: deque[_Sound | End] = deque()
        self._held_samples = 0
        self._sent = 0.0
        self._since_s = 0.0

    def passes(self, samples: int) -> bool:
        """Whether so much sound would go out at once, just as it came."""
        return not (self.paced or self._rest or self._held or samples % FRAME_SAMPLES)

    def put(self, item: str, payload: str, now: float) -> Iterator[Piece | End]:
        """Sound of an item has come; gives what goes out now."""
        samples = samples_in(payload)
        if self.passes(samples):
            if samples:
                yield Piece(item, payload, samples)
            return
        yield from self._out([*self._filled_up_unless(item)], now)
        whole = self._rest + decoded(payload)
        cut = len(whole) - len(whole) % FRAME_SAMPLES
        self._rest, self._rest_of = whole[cut:], item
        yield from self._out([_Sound(item, whole[:cut])] if cut else [], now)

    def end(self, item: str, now: float) -> Iterator[Piece | End]:
        """All of an item has come; gives what goes out now."""
        yield from self._out([*self._filled_up_unless(""), End(item)], now)

    @property
    def holding(self) -> bool:
        """Whether something waits for its time."""
        return bool(self._held)

    def release(self, now: float) -> Iterator[Piece | End]:
        """What may go out by now."""
        while self._held:
            first = self._held[0]
            if isinstance(first, End):
                self._held.popleft()
                yield first
                continue
            room = self._room(now)
            if room < FRAME_SAMPLES:
                return
            piece = first.samples[: min(PIECE, room // FRAME_SAMPLES * FRAME_SAMPLES)]
            if len(piece) == len(first.samples):
                self._held.popleft()
            else:
                self._held[0] = _Sound(first.item, first.samples[len(piece) :])
            self._held_samples -= len(piece)
            self._sent += len(piece)
            yield Piece(first.item, encoded(piece), len(piece))

    def due(self) -> float | None:
        """When something held back may go out; None while nothing is."""
        if not self._held:
            return None
        return self._since_s + (self._sent - AHEAD + PIECE) / (1000 * SAMPLES_A_MS)

    def drop(self) -> None:
        """Forget what did not go out yet."""
        self._held.clear()
        self._held_samples = 0
        self._rest = b""
        self._sent = 0.0
        self._since_s = 0.0

    def _filled_up_unless(self, item: str) -> list[_Sound]:
        """What is left over of another item, made a whole frame."""
        if not self._rest or self._rest_of == item:
            return []
        frame, self._rest = self._rest.ljust(FRAME_SAMPLES, bytes([SILENCE])), b""
        return [_Sound(self._rest_of, frame)]

    def _out(self, sound: Sequence[_Sound | End], now: float) -> Iterator[Piece | End]:
        if not self.paced and not self._held:
            for one in sound:
                yield one if isinstance(one, End) else Piece(one.item, encoded(one.samples), len(one.samples))
            return
        for one in sound:
            if not isinstance(one, End):
                if self._held_samples + len(one.samples) > HELD_AT_MOST:
                    self.refused += len(one.samples)
                    continue
                self._held_samples += len(one.samples)
            self._held.append(one)
        yield from self.release(now)

    def _room(self, now: float) -> int:
        """How much may go out without being too far ahead."""
        if not self.paced:
            return PIECE
        played = (now - self._since_s) * 1000 * SAMPLES_A_MS
        if played > self._sent:
            self._since_s, self._sent = now, 0.0
            played = 0.0
        return round(AHEAD - (self._sent - played))
