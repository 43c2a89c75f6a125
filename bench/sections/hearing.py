"""How well the sandbox's speech model hears: words, what the dialogue needs, read-backs, turns, and the time it takes.

Needs the packages of `make test-voice`; says so where they are absent.
"""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence

import numpy as np

from bench.arithmetic import quantile
from bench.figures import Figure, shown, spread
from sandbox.sound.mulaw import RATE
from sandbox.sound.voice import Voice
from sandbox.speech.dialogue.words import read_back, with_digits
from sandbox.speech.local import local
from sandbox.speech.organs import Organs
from sandbox.speech.serve import running
from sandbox.speech.turns import Started, Stopped, Turns
from tests.speech.hearing import LINES, NEEDED, SECOND, JoeVoice, absent, listen
from tests.speech.line import PHRASES, over_the_line
from tests.speech.paced import paced

TITLES: Mapping[str, str] = {"hearing": "The sandbox's ears and voice, over a telephone line"}
NUMBERS = ("412", "7", "421", "5550142", "2025550111", "1600", "90210", "3", "15", "808", "6173", "2468")
GAP = np.zeros(RATE * 3 // 2, dtype=np.int16)


async def measure(chosen: frozenset[str]) -> Mapping[str, Sequence[Figure]]:
    """In one process and one thread; nothing else runs."""
    return dict.fromkeys(chosen, await measured())


async def measured() -> list[Figure]:
    if missing := absent((*NEEDED, *SECOND)):
        return [Figure("not measured", f"{missing} is not installed: make test-voice")]
    began = time.monotonic()
    organs = local()
    loaded = Figure("loading ears and voice", shown((time.monotonic() - began) * 1_000))
    voices: Mapping[str, Voice] = {"hibari (the assistant)": organs.voice, "joe (a caller)": JoeVoice()}
    figures = [loaded]
    for name, voice in voices.items():
        for line, snr_db in LINES.items():
            heard = listen(voice, organs.ears, snr_db)
            figures.append(
                Figure(
                    f"words wrong, {name}, {line}",
                    f"{heard.word_error:.1%}; acted on {heard.acted_on} of {heard.phrases}",
                    f"{heard.phrases} phrases",
                    limits="synthetic voices",
                    numbers={"word_error": heard.word_error, "acted_on": heard.acted_on / heard.phrases},
                )
            )
        figures.append(_turns(name, voice, organs))
    answers = [await _answers(organs, voices["joe (a caller)"], callers) for callers in (1, 2, 4)]
    return [*figures, _read_backs(organs), *_times(organs), *answers]


async def _answers(organs: Organs, voice: Voice, callers: int) -> Figure:
    """Callers at once on the socket, in real time, each speaking again as soon as it was answered."""
    sounds = [over_the_line(voice.speak(phrase.text, "en"), 20.0) for phrase in PHRASES[:6]]

    async def call(address: str) -> list[float]:
        async with paced(address) as caller:
            return [(await caller.says(sound)).after_s * 1_000 for sound in sounds]

    async with running(organs=organs) as address:
        each = await asyncio.gather(*(call(address) for _ in range(callers)))
    after_ms = [one for answers in each for one in answers]
    return spread(
        f"end of a caller's speech to the first sound, {callers} at once",
        after_ms,
        samples="answers",
        limits="0.5 s of it is the silence that ends a turn",
    )


def _turns(name: str, voice: Voice, organs: Organs) -> Figure:
    """Each phrase is exactly one turn, begun within 200 ms."""
    right, late_ms = 0, list[float]()
    sounds = [voice.speak(phrase.text, "en") for phrase in PHRASES]
    track = over_the_line(np.concatenate([GAP, *(part for sound in sounds for part in (sound, GAP))]), 20.0)
    detector, turns = organs.detector(), Turns(0.5, 500, 15_000)
    begun: list[int] = []
    ended = 0
    for start in range(0, len(track) - detector.window, detector.window):
        at_ms = start // 8
        turn = turns.step(detector.probability(track[start : start + detector.window]), at_ms, at_ms + 32)
        if isinstance(turn, Started):
            begun.append(turn.at_ms)
        ended += isinstance(turn, Stopped)
    at_ms = 250
    for sound in sounds:
        at_ms += len(GAP) // 8
        mine = [one for one in begun if at_ms - 200 <= one <= at_ms + len(sound) // 8]
        right += len(mine) == 1
        late_ms += [one - at_ms for one in mine[:1]]
        at_ms += len(sound) // 8
    value = (
        f"{right} of {len(PHRASES)} turns right; begun {statistics.median(late_ms):.0f} ms late in the middle"
    )
    return Figure(f"turns, {name}, noise 20 dB below", value, f"{len(begun)} begun, {ended} ended")


def _read_backs(organs: Organs) -> Figure:
    def heard(number: str) -> str:
        sentence = f"I have the number as {read_back(number, 'en')}. Is that right?"
        return with_digits(organs.ears.understand(over_the_line(organs.voice.speak(sentence, "en")), "en"))

    right = sum(number in "".join(one for one in heard(number) if one.isdigit()) for number in NUMBERS)
    return Figure("read-backs heard as they were said", f"{right} of {len(NUMBERS)}", limits="clean line")


def _times(organs: Organs) -> list[Figure]:
    speaking, hearing = list[float](), list[float]()
    for phrase in PHRASES:
        began = time.perf_counter()
        sound = organs.voice.speak(phrase.text, "en")
        speaking.append((time.perf_counter() - began) * 1_000)
        began = time.perf_counter()
        organs.ears.understand(sound, "en")
        hearing.append((time.perf_counter() - began) * 1_000)
    return [
        Figure(
            what,
            f"p50 {shown(quantile(times, 0.5))}  p99 {shown(quantile(times, 0.99))}",
            f"{len(times)} phrases",
            limits="this machine, one at a time",
            numbers={"p50_ms": quantile(times, 0.5), "p99_ms": quantile(times, 0.99)},
        )
        for what, times in (("time to speak a phrase", speaking), ("time to understand a phrase", hearing))
    ]
