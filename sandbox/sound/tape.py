"""Recordings of a line: what it heard, what of that was played to it, what it said, all from the same frame on.

A tape in memory stops growing at its longest; one on disk is written as it comes and can be heard once it is closed.
"""

import io
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from sandbox.sound import wav
from sandbox.sound.circuit import Circuit, Side, Tap
from sandbox.sound.frames import FRAME_MS, FRAME_TIME, QUIET
from sandbox.sound.mulaw import FRAME, Samples
from sandbox.sound.plane import Plane

LONGEST_IN_MEMORY_S = 3_600  # 58 MB a direction
LONGEST_ON_DISK_S = 6 * 3_600
_SIDES: tuple[Side, ...] = ("heard", "played", "said")
_QUIET = QUIET.tobytes()


@dataclass(frozen=True)
class Track:
    """The sound of one direction. `first` is the number of its first frame, `began` the instant of its first sample."""

    samples: Samples
    first: int
    began: datetime

    def frame(self, number: int) -> Samples:
        """The frame of that number; silence where the track does not reach."""
        at = (number - self.first) * FRAME
        if at < 0 or at + FRAME > len(self.samples):
            return QUIET
        return self.samples[at : at + FRAME]

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + len(self.samples) // FRAME)

    def between(self, begin: datetime, end: datetime) -> "Track":
        """The whole frames from one instant to another."""
        one = min(max(0, -((self.began - begin) // FRAME_TIME)), len(self.samples) // FRAME)
        other = min(max(one, (end - self.began) // FRAME_TIME), len(self.samples) // FRAME)
        return Track(
            self.samples[one * FRAME : other * FRAME], self.first + one, self.began + one * FRAME_TIME
        )

    def as_wav(self) -> bytes:
        return wav.write(self.samples, self.began.isoformat())


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_track(content: bytes) -> Track:
    """A recording from its WAV file. Those of one network lie on the same frames.

    Raises NotASound where it is no recording of ours.
    """
    try:
        began = datetime.fromisoformat(wav.comment(content))
    except ValueError as error:
        raise wav.NotASound("the file does not say when its first sample was") from error
    return Track(wav.read(content), (began - _EPOCH) // FRAME_TIME, began)


class Tape:
    """Records one line from the frame that is going on until it is stopped or full."""

    def __init__(self, plane: Plane, circuit: Circuit, folder: Path | None = None, name: str = "") -> None:
        self.first = plane.this_frame()
        self.began = plane.instant_of(self.first)
        self.full = False
        self._frames: dict[Side, int] = dict.fromkeys(_SIDES, 0)
        longest_s = LONGEST_IN_MEMORY_S if folder is None else LONGEST_ON_DISK_S
        self._most = longest_s * 1_000 // FRAME_MS
        self._files: dict[Side, Path] = {}
        self._sinks: dict[Side, io.BytesIO | io.BufferedWriter] = {}
        for side in _SIDES:
            self._sinks[side] = self._open(side, folder, name)
        self._listening = [plane.listen(circuit, side, self._tap(side)) for side in _SIDES]

    def _open(self, side: Side, folder: Path | None, name: str) -> io.BytesIO | io.BufferedWriter:
        if folder is None:
            return io.BytesIO()
        self._files[side] = folder / f"{name}.{side}.wav"
        sink = self._files[side].open("wb")
        sink.write(self._header(0))
        return sink

    def _header(self, frames: int) -> bytes:
        return wav.header(frames * FRAME, self.began.isoformat())

    @property
    def size(self) -> int:
        """Bytes it holds in memory."""
        return 0 if self._files else sum(self._frames.values()) * FRAME * 2

    def _tap(self, side: Side) -> Tap:
        sink = self._sinks[side]

        def record(number: int, frame: Samples) -> None:
            left_out = number - self.first - self._frames[side]
            if left_out > 0:  # the process was held up for long: the track stays on its frames
                sink.write(_QUIET * left_out)
            sink.write(_QUIET if frame is QUIET else frame.tobytes())
            self._frames[side] += left_out + 1
            if self._frames[side] >= self._most and side == "said":
                self.full = True
                self.stop()

        return record

    def stop(self) -> None:
        """Record no more; files are complete from now on."""
        for listening in self._listening:
            listening.stop()
        self._listening.clear()
        for side in self._files:
            sink = self._sinks[side]
            if not sink.closed:
                sink.seek(0)
                sink.write(self._header(self._frames[side]))
                sink.close()

    def track(self, side: Side) -> Track:
        """What has been recorded so far."""
        sink = self._sinks[side]
        if isinstance(sink, io.BytesIO):
            sound = sink.getvalue()
        else:
            if not sink.closed:
                sink.flush()
            sound = self._files[side].read_bytes()[len(self._header(0)) :]
        return Track(np.frombuffer(sound, dtype=np.int16), self.first, self.began)
