"""What ears make of a recording: its turns of speech, each with the instant it began."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from sandbox.sound.mulaw import FRAME, Samples
from sandbox.sound.studio import DEFAULT_LANGUAGE, Studio
from sandbox.sound.tape import Track
from sandbox.sound.turns import Turns


@dataclass(frozen=True)
class Line:
    """Something that was understood, and when it began."""

    at: datetime
    text: str


async def transcript(studio: Studio, track: Track, language: str = DEFAULT_LANGUAGE) -> list[Line]:
    """The turns of a recording in which there were words, oldest first."""
    lines: list[Line] = []
    for number, sound in await asyncio.to_thread(_turns, track):  # an hour of it would hold the tick up
        if text := await studio.understand(sound, language):
            lines.append(Line(studio.plane.instant_of(number), text))
    return lines


def _turns(track: Track) -> list[tuple[int, Samples]]:
    """Each turn with the number of its first frame."""
    turns, found = Turns(), list[tuple[int, Samples]]()
    for number in track.numbers:
        if (turn := turns.hear(track.frame(number))) is not None:
            found.append((number + 1 - len(turn) // FRAME, turn))
    if (rest := turns.end()) is not None:
        found.append((track.numbers.stop - len(rest) // FRAME, rest))
    return found
