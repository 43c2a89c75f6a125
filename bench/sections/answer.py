"""A caller stops speaking, and the first sound of the answer is at Twilio: where the time goes.

The local model with neural ears and voice runs in this process, our bridge (`bench.relay`) in one of its own, and
between the two a tap notes when the first sound passes. The caller is a second voice over a telephone line. Each
answer is split at the moments that can be seen: the ears begin, the ears are done, the voice begins, the voice is done
with its first sentence, the first sound leaves the model, it arrives where Twilio would play it.
"""

import asyncio
import base64
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

import numpy as np

from bench.carriage.measure import OURS, relaying
from bench.carriage.sockets import Socket, opening, request
from bench.figures import Figure, spread
from sandbox.sound import mulaw
from sandbox.sound.mulaw import FRAME, Samples
from sandbox.speech.local import local
from sandbox.speech.organs import Organs
from sandbox.speech.serve import running
from tests.speech.hearing import NEEDED, SECOND, JoeVoice, absent
from tests.speech.line import PHRASES, over_the_line

TITLES: Mapping[str, str] = {"answer": "The end of speech → the first sound of the answer at Twilio, by part"}
FRAME_S = 0.02
QUIET_S = 1.2  # without sound of the assistant's, it has said what it wanted
PATIENCE_S = 30.0
LOUD = 600  # a sample that is speech
ROUNDS = 2
PARTS = (
    (
        "  until the turn is taken for over",
        "silence",
        "the silence that ends it, and detection",
    ),
    ("  recognition", "ears", "neural ears on this processor"),
    ("  dialogue", "mind", "rules; a model of a vendor's would think here"),
    (
        "  synthesis of the first sentence",
        "voice",
        "neural voice on this processor; a whole sentence at a time",
    ),
    ("  the model's way to its socket", "sent", "the sandbox's own session"),
    ("  bridge, and two sockets of this machine", "bridge", "our share"),
)


@dataclass
class Moments:
    """When each thing happened last, in seconds of the monotonic clock; the voice: first after the ears."""

    stopped: float = 0.0
    ears_began: float = 0.0
    ears_done: float = 0.0
    voice_began: float = 0.0
    voice_done: float = 0.0
    passed: float = 0.0
    arrived: float = 0.0

    def parts_ms(self) -> dict[str, float]:
        """The answer's time by part."""
        at = (
            self.stopped,
            self.ears_began,
            self.ears_done,
            self.voice_began,
            self.voice_done,
            self.passed,
            self.arrived,
        )
        names = [name for _, name, _ in PARTS]
        return {name: (after - before) * 1000 for name, before, after in zip(names, at, at[1:], strict=False)}

    @property
    def complete(self) -> bool:
        """Whether all was seen, in order."""
        return 0.0 < self.stopped <= self.ears_began <= self.voice_began <= self.passed <= self.arrived


@dataclass
class Watch:
    """The moments of the answer that is awaited."""

    now: Moments = field(default_factory=Moments)

    def begin(self, stopped: float) -> None:
        """A caller has just stopped speaking."""
        self.now = Moments(stopped=stopped)


class WatchedEars:
    """Ears, and when they begin and are done."""

    def __init__(self, organs: Organs, watch: Watch) -> None:
        self._ears = organs.ears
        self._watch = watch

    def understand(self, samples: Samples, language: str) -> str:
        """As the ears do."""
        began = time.monotonic()
        words = self._ears.understand(samples, language)
        if not self._watch.now.voice_began:
            self._watch.now.ears_began, self._watch.now.ears_done = began, time.monotonic()
        return words


class WatchedVoice:
    """A voice, and when it begins and is done with the first sentence."""

    def __init__(self, organs: Organs, watch: Watch) -> None:
        self._voice = organs.voice
        self._watch = watch

    def speak(self, text: str, language: str) -> Samples:
        """As the voice does."""
        began = time.monotonic()
        sound = self._voice.speak(text, language)
        now = self._watch.now
        if now.ears_done and not now.voice_began:
            now.voice_began, now.voice_done = began, time.monotonic()
        return sound


class Phone(Socket):
    """Twilio's end of one stream: plays in real time, returns marks when they come up."""

    def __init__(self, path: str, port: int, watch: Watch) -> None:
        super().__init__(request(path, port))
        self._loop = asyncio.get_running_loop()
        self._watch = watch
        self._sid = f"MZ{7:032d}"
        self._sent = 0
        self._plays_until_s = 0.0
        self._marks: list[tuple[bytes, asyncio.TimerHandle]] = []
        self.last_sound_s = 0.0
        self.here = asyncio.Event()

    def opened(self) -> None:
        """The stream starts."""
        for message in opening(self._sid):
            self.send(message)

    def text(self, message: bytes) -> None:
        """Something to be played, marked, or cleared."""
        event = json.loads(message)
        now_s = self._loop.time()
        match event["event"]:
            case "media":
                moments = self._watch.now
                if moments.passed and not moments.arrived:
                    moments.arrived = time.monotonic()
                samples = len(base64.b64decode(event["media"]["payload"]))
                self._plays_until_s = max(self._plays_until_s, now_s) + samples / 8000
                self.last_sound_s = self._plays_until_s
                self.here.set()
            case "mark":
                back = self._loop.call_at(self._plays_until_s, self.send, message)
                self._marks.append((message, back))
            case "clear":
                self._plays_until_s = now_s
                for mark, timer in self._marks:
                    if timer.when() > now_s:
                        timer.cancel()
                        self.send(mark)
                self._marks.clear()
            case _:
                pass

    def frame(self, sound: Samples) -> None:
        """Twenty milliseconds of the caller's."""
        self._sent += 1
        payload = base64.b64encode(mulaw.encode(sound)).decode()
        self.send(
            f'{{"event":"media","sequenceNumber":"{self._sent + 1}","media":{{"track":"inbound",'
            f'"chunk":"{self._sent}","timestamp":"{self._sent * 20}","payload":"{payload}"}},'
            f'"streamSid":"{self._sid}"}}'.encode()
        )


async def measure(chosen: frozenset[str] = frozenset(TITLES)) -> Mapping[str, Sequence[Figure]]:
    """One caller at a time, phrase after phrase."""
    del chosen  # there is one section
    if missing := absent((*NEEDED, *SECOND)):
        return {"answer": [Figure("not measured", f"{missing} is not installed: make test-voice")]}
    watch, organs = Watch(), local()
    watched = Organs(organs.detector, WatchedEars(organs, watch), WatchedVoice(organs, watch), organs.name)
    joe = JoeVoice()
    sounds = [over_the_line(joe.speak(phrase.text, "en"), 20.0) for phrase in PHRASES[:6]]
    answers: list[dict[str, float]] = []
    missed = 0
    for _ in range(ROUNDS):
        async with (
            running(organs=watched) as address,
            _tapped(address, watch) as upstream,
            relaying(OURS, upstream) as (_, port),
            _talking(port, watch) as talk,
        ):
            for sound in sounds:
                moments = await talk(sound)
                if moments.complete:
                    answers.append(moments.parts_ms())
                else:
                    missed += 1
    return {"answer": _figures(answers, missed)}


def _figures(answers: Sequence[Mapping[str, float]], missed: int) -> list[Figure]:
    whole = [sum(parts.values()) for parts in answers]
    samples = f"answers; {missed} not seen whole" if missed else "answers"
    return [
        spread("end of speech → first sound at Twilio", whole, samples=samples, limits="the parts below"),
        *(
            spread(what, [parts[name] for parts in answers], samples="of these", limits=limits)
            for what, name, limits in PARTS
        ),
    ]


@asynccontextmanager
async def _talking(port: int, watch: Watch) -> AsyncGenerator[Callable[[Samples], "asyncio.Future[Moments]"]]:
    """A caller on the line, from the greeting on; gives how to say something and hear the answer."""
    loop = asyncio.get_running_loop()
    _, phone = await loop.create_connection(partial(Phone, "/media-stream", port, watch), "127.0.0.1", port)
    saying: asyncio.Queue[Samples] = asyncio.Queue()
    speaking = asyncio.create_task(_speak(phone, saying, watch))

    async def say(sound: Samples) -> Moments:
        await _quiet(phone)
        watch.begin(0.0)
        saying.put_nowait(sound)
        async with asyncio.timeout(PATIENCE_S):
            while not watch.now.arrived:
                phone.here.clear()
                await phone.here.wait()
        return watch.now

    try:
        yield lambda sound: asyncio.ensure_future(say(sound))
    finally:
        speaking.cancel()
        phone.end()


async def _speak(phone: Phone, saying: "asyncio.Queue[Samples]", watch: Watch) -> None:
    """Frames fifty times a second for ever: what is to be said, else silence."""
    loop = asyncio.get_running_loop()
    silence = np.zeros(FRAME, dtype=np.int16)
    due_s = loop.time()
    left, loud_until = silence[:0], 0
    while True:
        if not len(left) and not saying.empty():
            left = saying.get_nowait()
            loud_until = _loud_until(left)
        said, left = left[:FRAME], left[FRAME:]
        frame = silence.copy()
        frame[: len(said)] = said
        phone.frame(frame)
        if loud_until > 0:
            loud_until -= FRAME
            if loud_until <= 0:
                watch.begin(time.monotonic())
        due_s += FRAME_S
        await asyncio.sleep(max(0.0, due_s - loop.time()))


def _loud_until(sound: Samples) -> int:
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > LOUD)
    return int(loud[-1]) + 1 if len(loud) else len(sound)


async def _quiet(phone: Phone) -> None:
    """Wait until the assistant has said what it wanted, if anything, and that was played."""
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    while (left_s := max(phone.last_sound_s, begun_s) + QUIET_S - loop.time()) > 0:  # noqa: ASYNC110  # until a time
        await asyncio.sleep(left_s)


@asynccontextmanager
async def _tapped(address: str, watch: Watch) -> AsyncGenerator[str]:
    """The model's address with a tap before it: notes when the first sound of an answer passes."""
    there = urlsplit(address)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while piece := await reader.read(65_536):
                now = watch.now
                if now.voice_done and not now.passed and b'"response.output_audio.delta"' in piece:
                    now.passed = time.monotonic()
                writer.write(piece)
        finally:
            writer.close()

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        model_reader, model_writer = await asyncio.open_connection(there.hostname, there.port)
        await asyncio.gather(carry(reader, model_writer), carry(model_reader, writer))

    server = await asyncio.start_server(both, "127.0.0.1", 0)
    yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
