"""The sound of one media stream: a leg's frames on their way to the product, and the product's into the leg.

Frames out are numbered and stamped by the media plane's tick, one message a frame and track. What comes in goes into
a playback queue that the leg hears; a mark is answered when the frame it ends in has been played. A reader that
is too slow loses frames (31930), a queue that is too long takes no more (31931).
"""

import base64
from collections.abc import Callable
from typing import Protocol

from sandbox.faults import FaultKind
from sandbox.journal import Kind
from sandbox.legs import Leg
from sandbox.sound import mulaw
from sandbox.sound.circuit import Side
from sandbox.sound.frames import FRAME_MS, QUIET
from sandbox.sound.mulaw import RATE, Samples
from sandbox.sound.plane import Plane
from sandbox.sound.playback import Playback
from sandbox.stream_protocol import Sent, StreamTalk, Track
from sandbox.world import World

_QUIET_PAYLOAD = base64.b64encode(mulaw.SILENCE).decode()

_SIDE_OF: dict[Track, Side] = {"inbound": "said", "outbound": "heard"}


class Socket(Protocol):
    """What this needs of an open stream."""

    talk: StreamTalk

    @property
    def backlog(self) -> int: ...

    def send(self, message: Sent) -> None: ...


class StreamMedia:
    """From the stream's start to its end."""

    def __init__(
        self, world: World, plane: Plane, line: Socket, leg: Leg, mark_back: Callable[[str], None]
    ) -> None:
        self._world = world
        self._line = line
        self._leg = leg
        self._mark_back = mark_back
        self._gap_to = -1  # frames up to this one are left out by a fault
        self._too_slow = False
        self._too_much = False
        assumptions = world.assumptions
        self._playback = Playback(round(assumptions.stream_queue_s * RATE))
        self._first = plane.next_whole_frame()
        self._start_ms = assumptions.stream_first_timestamp_ms
        circuit = leg.circuit
        assert circuit is not None  # noqa: S101  # there is a plane, so every leg has one
        self._circuit = circuit
        if line.talk.both_ways:
            circuit.stream = self._playback
        self._listening = [
            plane.listen(circuit, _SIDE_OF[track], self._tap(track), whole=True) for track in line.talk.tracks
        ]

    def stop(self) -> None:
        for listening in self._listening:
            listening.stop()
        if self._circuit.stream is self._playback:
            self._circuit.stream = None

    # ── to the product ────────────────────────────────────────────────────────────

    def _tap(self, track: Track) -> Callable[[int, Samples], None]:
        leads = track == self._line.talk.tracks[0]

        def frame(number: int, sound: Samples) -> None:
            if leads:
                self._return_marks()
                self._begin_gap(number)
            if number <= self._gap_to or self._reader_is_slow():
                return
            timestamp_ms = self._start_ms + (number - self._first) * FRAME_MS
            payload = _QUIET_PAYLOAD if sound is QUIET else base64.b64encode(mulaw.encode(sound)).decode()
            self._line.send(self._line.talk.media(track, timestamp_ms, payload))

        return frame

    def _begin_gap(self, number: int) -> None:
        """Perhaps a fault leaves frames out from here on."""
        if number <= self._gap_to:
            return
        call = self._leg.call
        gap = self._world.faults.strike(FaultKind.STREAM_GAP, "stream.media", call.from_, call.to)
        if gap is not None:
            self._gap_to = number + max(1, round(gap.seconds * 1_000 / FRAME_MS)) - 1
            self._world.journal.write(
                Kind.FAULT,
                call=call.sid,
                kind_of_fault=FaultKind.STREAM_GAP.value,
                on="stream.media",
                thing=self._line.talk.stream,
            )

    def _reader_is_slow(self) -> bool:
        slow = self._line.backlog > self._world.assumptions.stream_backlog_bytes
        if slow and not self._too_slow:
            self._alert(31930, "frames are discarded: the other side reads too slowly")
        self._too_slow = slow
        return slow

    # ── from the product ──────────────────────────────────────────────────────────

    def queue(self, wire: bytes) -> None:
        """Play this after what is queued."""
        if self._playback.add(mulaw.decode(wire)):
            self._too_much = False
        elif not self._too_much:
            self._too_much = True
            self._alert(31931, "media is discarded: too much of it is waiting to be played")

    def mark(self, name: str) -> None:
        self._playback.mark(name)
        self._return_marks()

    def clear(self) -> None:
        self._playback.clear()
        self._return_marks()

    def _return_marks(self) -> None:
        while self._playback.reached:
            self._mark_back(self._playback.reached.popleft())

    def _alert(self, code: int, text: str) -> None:
        self._world.alert(code, text, call=self._leg.call.sid)
