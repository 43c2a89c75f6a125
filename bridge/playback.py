"""What was sent to be played, and how much of it was heard.

Twilio plays what we send in order and in real time, long after we sent it, and returns a mark when all before it
was played. Between marks the clock tells: a position is the last mark's, or the instant the sound began, plus the
time since, and never beyond the next mark that has not come back. So a pause in the sending, and a pause in the
playing, are both seen.

A cut begins a new generation: what was not heard is dropped on both sides, and the marks Twilio then returns all at
once are of an older generation and prove nothing. Marks are named generation:item:ms.
"""

from collections import deque
from dataclasses import dataclass

from bridge.audio import SAMPLES_A_MS

MARK_EVERY = 200 * SAMPLES_A_MS  # 5 a second; the clock does the rest
OVERDUE_S = 5.0  # longer than any network holds back a mark
MARKS_AT_MOST = 4096  # 13 minutes; Twilio drops what lies longer than 10


@dataclass
class _Item:
    """Audio of one item of the model. begins: where in this generation's sound; sent includes padding."""

    id: str
    link: int
    begins: int
    received: int = 0
    sent: int = 0
    whole: bool = False


@dataclass(frozen=True)
class Played:
    """An item, and how much of it was heard. whole: all of it. link: of which model session it is."""

    item: str
    link: int
    heard_ms: int
    received_ms: int
    whole: bool


@dataclass
class _Mark:
    name: str
    at: int


class Playback:
    """One stream's sound on its way to the ear. Samples inside, milliseconds outside; time in seconds."""

    def __init__(self) -> None:
        self.generation = 0
        self.stale_marks = 0
        self.unknown_marks = 0
        self._items: dict[str, _Item] = {}
        self._marks: deque[_Mark] = deque(maxlen=MARKS_AT_MOST)
        self._sent = 0
        self._marked = 0
        self._anchor = 0.0
        self._anchor_s = 0.0

    def receive(self, item: str, link: int, samples: int) -> None:
        """The model gave so much of an item: what it believes to have said."""
        known = self._items.get(item)
        if known is None:
            for earlier in self._items.values():
                earlier.whole = True  # items do not overlap: sound of the next one ends those before
            known = self._items[item] = _Item(item, link, self._sent)
        known.received += samples

    def send(self, item: str, samples: int, now: float) -> str | None:
        """So much of an item goes out now; gives the mark to be sent behind it, if one is due."""
        if self.position(now) >= self._sent:
            self._anchor, self._anchor_s = self._sent, now  # silence until now: this is heard at once
        known = self._items[item]
        if not known.sent:
            known.begins = self._sent
        known.sent += samples
        self._sent += samples
        return self._mark(known) if self._sent - self._marked >= MARK_EVERY else None

    def pass_on(self, item: str, samples: int, now: float) -> str | None:
        """So much more of an item has come and goes out at once: `receive` and `send` in one."""
        known = self._items[item]
        known.received += samples
        limit = self._marks[0].at if self._marks else self._sent
        if limit >= self._sent and (now - self._anchor_s) * 1000 * SAMPLES_A_MS >= self._sent - self._anchor:
            self._anchor, self._anchor_s = self._sent, now
        known.sent += samples
        self._sent += samples
        return self._mark(known) if self._sent - self._marked >= MARK_EVERY else None

    def finish(self, item: str) -> str | None:
        """All of an item was sent; gives its last mark."""
        known = self._items.get(item)
        if known is None:
            return None
        known.whole = True
        return self._mark(known) if self._marked < self._sent else None

    def returned(self, name: str, now: float) -> list[Played]:
        """A mark came back; gives the items that were heard to their end by now."""
        generation = name.partition(":")[0]
        if generation != str(self.generation):
            self.stale_marks += 1
            return []
        if not any(mark.name == name for mark in self._marks):
            self.unknown_marks += 1
            return []
        while self._marks:
            mark = self._marks.popleft()
            if mark.name == name:
                self._anchor, self._anchor_s = mark.at, now
                break
        return self._heard_out(now)

    def position(self, now: float) -> float:
        """How much of this generation's sound was heard."""
        limit = self._marks[0].at if self._marks else self._sent
        return min(self._anchor + (now - self._anchor_s) * 1000 * SAMPLES_A_MS, limit)

    def playing(self, now: float) -> bool:
        """Whether something of ours can still be heard."""
        if now > self._anchor_s + (self._sent - self._anchor) / (1000 * SAMPLES_A_MS) + OVERDUE_S:
            return False  # marks that do not come back must not silence us for ever
        return bool(self._marks) or self.position(now) < self._sent

    def left_ms(self, now: float) -> int:
        """How much of what was sent is still to be heard."""
        return max(round((self._sent - self.position(now)) / SAMPLES_A_MS), 0) if self.playing(now) else 0

    def waiting(self) -> bool:
        """Whether an item is not known to be heard to its end."""
        return bool(self._items)

    def cut(self, now: float) -> list[Played]:
        """Nothing more of this is to be heard; gives what of each item not known to be heard was heard."""
        position = self.position(now)
        cut = [self._played(item, position) for item in self._items.values()]
        self.generation += 1
        self._items.clear()
        self._marks.clear()
        self._sent = self._marked = 0
        self._anchor, self._anchor_s = 0.0, now
        return cut

    def _mark(self, item: _Item) -> str:
        self._marked = self._sent
        name = f"{self.generation}:{item.id}:{item.sent // SAMPLES_A_MS}"
        self._marks.append(_Mark(name, self._sent))
        return name

    def _heard_out(self, now: float) -> list[Played]:
        """The items at whose end a mark has come back; they are done with."""
        over = [
            item
            for item in self._items.values()
            if item.whole and item.sent >= item.received and self._anchor >= item.begins + item.sent
        ]
        for item in over:
            del self._items[item.id]
        return [self._played(item, self.position(now)) for item in over]

    def _played(self, item: _Item, position: float) -> Played:
        heard = round(min(max(position - item.begins, 0), item.sent, item.received)) if item.sent else 0
        return Played(
            item.id,
            item.link,
            heard // SAMPLES_A_MS,
            item.received // SAMPLES_A_MS,
            whole=item.whole and heard >= item.received,
        )
