"""The media plane: one tick for all sound of the sandbox, on the sandbox's clock.

Every 20 ms the frame that is just over is made for every line somebody listens to, directly or through a room. Where
nobody listens nothing is made and, if nobody listens anywhere, nothing ticks: sounds are placed in time and wait to
be read. In one tick first the rooms are mixed (from voices that are at least one frame old, so that no line can wait
for itself), then each line hears, then each line speaks, then those who listen get their frames.

Changes of flags (mute, hold, coaching) count from the frame in which they happen, sounds begin and are cut to the
sample.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sandbox.clock import Clock, Timer
from sandbox.conference import Room
from sandbox.ids import ConferenceSid
from sandbox.sound.circuit import Circuit, Mixer, Place, Side, Tap
from sandbox.sound.frames import FRAME_MS, FRAME_TIME, SAMPLE_TIME

MOST_BEHIND = 250  # frames made up for after the process was held up; more (a laptop that slept) are left out
LONGEST_NOTED_MS = 1_000


@dataclass
class Lateness:
    """How late ticks came, as counts of whole milliseconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (LONGEST_NOTED_MS + 1))
    ticks: int = 0
    longest_ms: float = 0.0
    left_out: int = 0

    def note(self, late: timedelta) -> None:
        late_ms = late / timedelta(milliseconds=1)
        self.ticks += 1
        self.longest_ms = max(self.longest_ms, late_ms)
        self.counts[min(max(int(late_ms), 0), LONGEST_NOTED_MS)] += 1

    def percentile_ms(self, share: float) -> int:
        """The whole milliseconds that share (0 to 1) of all ticks did not pass."""
        wanted, seen = share * self.ticks, 0
        for late_ms, count in enumerate(self.counts):
            seen += count
            if seen >= wanted:
                return late_ms
        return LONGEST_NOTED_MS

    @property
    def late(self) -> int:
        """Ticks that came when the next one was due already."""
        return sum(self.counts[FRAME_MS:])

    def snapshot(self) -> dict[str, float]:
        return {
            "ticks": self.ticks,
            "late": self.late,
            "left_out": self.left_out,
            "p50_ms": self.percentile_ms(0.5),
            "p99_ms": self.percentile_ms(0.99),
            "longest_ms": round(self.longest_ms, 2),
        }


@dataclass(eq=False)
class Listening:
    """One tap on one direction of a line, from the frame `first` on."""

    circuit: Circuit
    side: Side
    tap: Tap
    first: int
    stop: Callable[[], None]


class Plane:
    """See the top of this file. Frame n covers the 20 ms after `zero` + n x 20 ms."""

    def __init__(self, clock: Clock) -> None:
        self.zero = clock.now()
        self.lateness = Lateness()
        self._clock = clock
        self._listening: dict[Circuit, list[Listening]] = {}
        self._mixers: dict[ConferenceSid, Mixer] = {}
        self._active: list[Circuit] = []
        self._active_mixers: list[Mixer] = []
        self._changed = False
        self._running = False
        self._next = 0
        self._timer: Timer | None = None

    # ── time ──────────────────────────────────────────────────────────────────────

    def position(self, instant: datetime | None = None) -> int:
        """The sample at that instant, or at this one."""
        return ((instant or self._clock.now()) - self.zero) // SAMPLE_TIME

    def frame_at(self, instant: datetime) -> int:
        """The frame within which the instant lies."""
        return (instant - self.zero) // FRAME_TIME

    def next_whole_frame(self) -> int:
        """The first frame that begins now or later."""
        return -((self.zero - self._clock.now()) // FRAME_TIME)

    def instant_of(self, frame: int) -> datetime:
        """When that frame begins."""
        return self.zero + frame * FRAME_TIME

    # ── who listens ───────────────────────────────────────────────────────────────

    def this_frame(self) -> int:
        """The frame that is going on."""
        return self.frame_at(self._clock.now())

    def listen(self, circuit: Circuit, side: Side, tap: Tap, *, whole: bool = False) -> Listening:
        """Call the tap with every frame until stopped, from the one that is going on.

        whole: from the next one, unless this one is only beginning.
        """
        first = self.next_whole_frame() if whole else self.this_frame()
        listening = Listening(circuit, side, tap, first, lambda: self._stop(listening))
        self._listening.setdefault(circuit, []).append(listening)
        self._changed = True
        if not self._running:
            self._running = True
            self._next = self.this_frame()
            self._schedule()
        return listening

    def _stop(self, listening: Listening) -> None:
        there = self._listening.get(listening.circuit)
        if there is None or listening not in there:
            return
        there.remove(listening)
        if not there:
            del self._listening[listening.circuit]
        self._changed = True
        if not self._listening:
            self._running = False
            self._active, self._active_mixers = [], []
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def forget(self, circuit: Circuit) -> None:
        """The leg is over: nobody listens to it any more."""
        for listening in tuple(self._listening.get(circuit, ())):
            self._stop(listening)
        self.leave(circuit)
        self.cross_out(circuit)
        circuit.mic.clear()
        circuit.player.clear()

    # ── who is connected with whom ────────────────────────────────────────────────

    def join(self, circuit: Circuit, room: Room, delay_frames: int) -> None:
        """Take a place in the room. delay_frames: of the jitter buffer, at least one."""
        mixer = self._mixers.get(room.sid)
        if mixer is None:
            mixer = self._mixers[room.sid] = Mixer(room)
        place = Place(circuit, mixer, max(1, delay_frames), self.this_frame())
        mixer.places[circuit.call] = place
        circuit.place = place
        self._changed = True

    def leave(self, circuit: Circuit) -> None:
        """Give the place up; without one nothing happens."""
        place, circuit.place = circuit.place, None
        if place is None:
            return
        if place.mixer.places.get(circuit.call) is place:
            del place.mixer.places[circuit.call]
        self._changed = True

    def close(self, room: Room) -> None:
        """The room is over."""
        self._mixers.pop(room.sid, None)
        self._changed = True

    def cross(self, one: Circuit, other: Circuit) -> None:
        """What one hears the other says."""
        one.crossed, other.crossed = other, one
        self._changed = True

    def cross_out(self, circuit: Circuit) -> None:
        if circuit.crossed is not None:
            circuit.crossed.crossed = None
            circuit.crossed = None
        self._changed = True

    def bridge(self, one: Circuit, other: Circuit) -> None:
        """The two hear each other."""
        one.bridged, other.bridged = other, one
        self._changed = True

    def part(self, one: Circuit, other: Circuit) -> None:
        """They no longer do; two that never did: nothing happens."""
        if one.bridged is other:
            one.bridged = other.bridged = None
            self._changed = True

    # ── the tick ──────────────────────────────────────────────────────────────────

    def _schedule(self) -> None:
        self._timer = self._clock.call_at(self.instant_of(self._next + 1), self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._clock.now()
        complete = self.frame_at(now)
        if complete > self._next:
            self.lateness.note(now - self.instant_of(self._next + 1))
            if complete - self._next > MOST_BEHIND:
                self.lateness.left_out += complete - self._next - 1
                self._next = complete - 1
        try:
            while self._next < complete and self._running:
                number, self._next = self._next, self._next + 1
                self._make(number)
        finally:
            if self._running and self._timer is None:
                self._schedule()

    def _make(self, number: int) -> None:
        if self._changed:
            self._look_around(number)
        for mixer in self._active_mixers:
            mixer.mix()
        for circuit in self._active:
            circuit.hear(number)
        for circuit in self._active:
            circuit.speak(number)
            if circuit.place is not None:
                circuit.place.send()
        for circuit in self._active:
            for listening in tuple(self._listening.get(circuit, ())):
                if number >= listening.first:
                    self._give(listening, number)

    def _give(self, listening: Listening, number: int) -> None:
        circuit = listening.circuit
        try:
            listening.tap(number, circuit.frame(listening.side))
        except Exception as error:
            # One listener's failure (a full disk) must not silence the network; nor may it pass unseen.
            listening.stop()
            self._clock.work.failed(error, f"listening to {circuit.call}")

    def _look_around(self, number: int) -> None:
        """Find the lines and rooms that must be made from that frame on so that all who listen hear what there is."""
        self._changed = False
        before = set(self._active)
        found: dict[Circuit, None] = {}
        waiting = list(self._listening)
        while waiting:
            circuit = waiting.pop()
            if circuit not in found:
                found[circuit] = None
                waiting.extend(circuit.neighbours())
        self._active = list(found)
        self._active_mixers = list(
            dict.fromkeys(circuit.place.mixer for circuit in self._active if circuit.place is not None)
        )
        for circuit in self._active:
            if circuit not in before:
                circuit.wake(number)
