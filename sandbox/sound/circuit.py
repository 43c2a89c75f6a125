"""A leg's line in both directions, and the rooms in which lines are mixed. No clock.

*said* is what the far end sends (Twilio's inbound track), *heard* what it is given to hear (the outbound track),
*played* the part of that which comes from no other leg: prompts, music, announcements, a stream.
A circuit makes one frame of each when it is told to; who asks, and when, is `plane.py`'s affair.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from sandbox.conference import Room, audible
from sandbox.ids import CallSid
from sandbox.sound.frames import QUIET, mixed, mixed_for_each
from sandbox.sound.live import LiveMic
from sandbox.sound.mulaw import Samples
from sandbox.sound.playback import Playback
from sandbox.sound.timeline import Timeline

Side = Literal["heard", "said", "played"]

# Somebody who wants every frame of one direction, at its end: its number and its sound.
Tap = Callable[[int, Samples], None]


@dataclass(eq=False)
class Circuit:
    """See the top of this file.

    mic, live: what the far end sends: placed sounds, and sound that comes from outside as it is made.
    player, stream: what we play to it: placed sounds, and the queue of a media stream.
    crossed: the far end is that other leg of ours: what one hears the other says.
    bridged: two legs connected with each other, without a room.
    """

    call: CallSid
    mic: Timeline = field(default_factory=Timeline)
    player: Timeline = field(default_factory=Timeline)
    live: LiveMic | None = None
    stream: Playback | None = None
    crossed: "Circuit | None" = None
    bridged: "Circuit | None" = None
    place: "Place | None" = None
    said: Samples = field(default_factory=lambda: QUIET)
    heard: Samples = field(default_factory=lambda: QUIET)
    played: Samples = field(default_factory=lambda: QUIET)

    def frame(self, side: Side) -> Samples:
        """The frame that was made last."""
        match side:
            case "heard":
                return self.heard
            case "said":
                return self.said
            case "played":
                return self.played

    def hear(self, number: int) -> None:
        """Make the frame of that number that the far end hears. The room must have been mixed before."""
        self.played = self.player.frame(number)
        if self.stream is not None:
            self.played = mixed((self.played, self.stream.take()))
        sounds = [self.played]
        if self.place is not None and not self.player.alone(number):
            sounds.append(self.place.mixed)
        if self.bridged is not None:
            sounds.append(self.bridged.said)  # of the frame before
        self.heard = mixed(sounds)

    def speak(self, number: int) -> None:
        """Make the frame of that number that the far end sends. What the others hear must have been made before."""
        if self.crossed is not None:
            self.said = self.crossed.heard
        elif self.live is not None:
            self.said = mixed((self.mic.frame(number), self.live.take()))
        else:
            self.said = self.mic.frame(number)

    def neighbours(self) -> Iterator["Circuit"]:
        """Whose sound can reach this one directly, or is reached by it."""
        if self.crossed is not None:
            yield self.crossed
        if self.bridged is not None:
            yield self.bridged
        if self.place is not None:
            for place in self.place.mixer.places.values():
                yield place.circuit

    def wake(self, number: int) -> None:
        """Somebody listens again, from that frame on: forget what sounded when somebody did before."""
        self.said = self.heard = self.played = QUIET
        if self.place is not None:
            self.place.refill(number)

    def placed(self, number: int) -> Samples:
        """What the far end sends in that frame as far as it is placed in time: it can be told afterwards."""
        return (self.mic if self.crossed is None else self.crossed.player).frame(number)


@dataclass(eq=False)
class Place:
    """A circuit's place in a room, from the frame `since` on. Its voice arrives there `delay` frames late."""

    circuit: Circuit
    mixer: "Mixer"
    delay: int
    since: int
    mixed: Samples = field(default_factory=lambda: QUIET)
    _on_the_way: deque[Samples] = field(default_factory=deque[Samples])

    def __post_init__(self) -> None:
        self._on_the_way.extend([QUIET] * self.delay)

    def refill(self, number: int) -> None:
        """Put into the jitter buffer what is on its way when that frame begins."""
        self.mixed = QUIET
        earlier = range(number - self.delay, number)
        self._on_the_way.clear()
        self._on_the_way.extend(
            self.circuit.placed(past) if past >= self.since else QUIET for past in earlier
        )

    def send(self) -> None:
        self._on_the_way.append(self.circuit.said)

    def arriving(self) -> Samples:
        """The frame that comes out of the buffer now."""
        return self._on_the_way.popleft()


class Mixer:
    """Mixes a room: each member hears whom `conference.audible` says, never itself."""

    def __init__(self, room: Room) -> None:
        self.places: dict[CallSid, Place] = {}
        self._room = room
        self._seen: tuple[object, ...] = ()
        self._hears: list[frozenset[int]] = []

    def mix(self) -> None:
        """Make each place's `mixed` from what arrives in this frame."""
        places = list(self.places.values())
        voices = [place.arriving() for place in places]
        for place, sound in zip(places, mixed_for_each(voices, self._audible()), strict=True):
            place.mixed = sound

    def _audible(self) -> list[frozenset[int]]:
        """For each place, whose voices reach it; worked out anew when the room has changed."""
        room = self._room
        state = (room.status, room.orphaned_coach, *self.places, *map(id, room.members.values()))
        if state != self._seen:
            numbers = {call: number for number, call in enumerate(self.places)}
            self._hears = [
                frozenset(numbers[voice] for voice in audible(ear, room) if voice in numbers)
                for ear in self.places
            ]
            self._seen = state
        return self._hears
