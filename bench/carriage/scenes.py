"""Somebody speaks over the assistant, five ways, through a running relay: what the model is left believing was heard.

Twilio's end plays in real time, returns marks when they come up, and all at once when it is cleared. The model's end
follows a script, ends its answer by itself when speech begins, and answers a truncation beyond what it gave with the
API's error. Each item's sound is bytes of its own: what was heard of it is counted.
"""

import asyncio
import base64
import json
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from bench.carriage.measure import relaying
from bench.carriage.sockets import Socket, opening, request

TICK_S = 0.005
AFTER_S = 0.4  # for what is still to come after the speech


@dataclass(frozen=True)
class Step:
    """What happens after a wait: so much of an item's sound, its end, speech, or a pause in the playing."""

    after_s: float
    item: str = ""
    ms: int = 0
    ends: bool = False
    speech: bool = False
    stall_s: float = 0.0


def burst(item: str, ms: int, over_s: float = 0.0, *, ends: bool = True) -> list[Step]:
    """A whole item, made within so many seconds."""
    count = ms // 100
    steps = [Step(over_s / count, item, 100) for _ in range(count)]
    return [*steps, Step(0.0, item, ends=True)] if ends else steps


SCENES: dict[str, Sequence[Step]] = {
    "one": [*burst("a", 6000, 0.6), Step(1.4, speech=True)],
    "slow": [
        *burst("a", 3000, 1.5, ends=False),
        Step(0.0, speech=True),
        *burst("a", 300, ends=False),
    ],
    "two": [*burst("a", 3000), *burst("b", 3000), Step(4.0, speech=True)],
    "first": [*burst("a", 3000), *burst("b", 3000), Step(1.0, speech=True)],
    "stall": [*burst("a", 6000), Step(1.0, stall_s=1.5), Step(2.5, speech=True)],
}


@dataclass
class Seen:
    """How a scene went. believed_ms, heard_ms: by item."""

    given_ms: Counter[str] = field(default_factory=Counter[str])
    heard_ms: Counter[str] = field(default_factory=Counter[str])
    believed_ms: dict[str, int] = field(default_factory=dict[str, int])
    errors: int = 0
    stale_ms: float = 0.0
    cleared_ms: float | None = None

    @property
    def error_ms(self) -> float:
        """The largest difference between what the model believes was heard and what was."""
        items = self.given_ms.keys()
        return max(
            (self.believed_ms.get(item, self.given_ms[item]) - self.heard_ms[item] for item in items),
            key=abs,
            default=0.0,
        )


class Model(Socket):
    """The speech model's end, by the script."""

    def __init__(self, opened: "asyncio.Queue[Model]") -> None:
        super().__init__(None)
        self.seen = Seen()
        self.codes: dict[str, int] = {}
        self.ready = asyncio.Event()
        self._opened = opened

    def opened(self) -> None:
        """A session begins."""
        self._say("session.created", session={"type": "realtime"})
        self._opened.put_nowait(self)

    def text(self, message: bytes) -> None:
        """What the relay wants forgotten."""
        event = json.loads(message)
        match event["type"]:
            case "session.update":
                self._say("session.updated", session={"type": "realtime"})
                self.ready.set()
            case "conversation.item.truncate":
                self._truncate(event["item_id"], event["audio_end_ms"])
            case "conversation.item.delete":
                self.seen.believed_ms[event["item_id"]] = 0
            case _:
                pass

    def begin(self) -> None:
        """An answer begins."""
        self._say("response.created", response={"id": "resp_1"})

    def sound(self, step: Step) -> None:
        """Sound of an item, or its end."""
        if step.item not in self.codes:
            self.codes[step.item] = len(self.codes) + 1
            item = {"id": step.item, "type": "message", "role": "assistant"}
            self._say("response.output_item.added", response_id="resp_1", output_index=0, item=item)
        place = {"response_id": "resp_1", "item_id": step.item, "output_index": 0, "content_index": 0}
        if step.ms:
            sound = base64.b64encode(bytes([self.codes[step.item]]) * (8 * step.ms)).decode()
            self._say("response.output_audio.delta", **place, delta=sound)
            self.seen.given_ms[step.item] += step.ms
        if step.ends:
            self._say("response.output_audio.done", **place)

    def speech(self) -> None:
        """Somebody speaks."""
        self._say("input_audio_buffer.speech_started", item_id="u1", audio_start_ms=0)

    def over(self, status: str) -> None:
        """The answer has ended."""
        self._say("response.done", response={"id": "resp_1", "status": status})

    def _truncate(self, item: str, at_ms: int) -> None:
        if at_ms > self.seen.given_ms[item]:
            self.seen.errors += 1
            self._say(
                "error", error={"type": "invalid_request_error", "code": "invalid_value", "message": "short"}
            )
        else:
            self.seen.believed_ms[item] = at_ms

    def _say(self, kind: str, **fields: object) -> None:
        self.send(json.dumps({"type": kind, "event_id": "e", **fields}).encode())


class Player(Socket):
    """Twilio's end: plays in real time."""

    def __init__(self, number: int, path: str, port: int) -> None:
        super().__init__(request(path, port))
        self._sid = f"MZ{number:032d}"
        self._queue: deque[int | bytes] = deque()
        self.heard: Counter[int] = Counter()
        self.cleared_s: float | None = None
        self.stale = 0
        self.stalled_until_s = 0.0

    def opened(self) -> None:
        """The stream starts."""
        for message in opening(self._sid):
            self.send(message)

    def text(self, message: bytes) -> None:
        """Something to be played, marked, or cleared."""
        event = json.loads(message)
        match event["event"]:
            case "media":
                sound = base64.b64decode(event["media"]["payload"])
                if self.cleared_s is not None:
                    self.stale += len(sound)
                self._queue.extend(sound)
            case "mark":
                self._queue.append(message)
                self._return_marks()
            case "clear":
                self.cleared_s = asyncio.get_running_loop().time()
                marks = [one for one in self._queue if isinstance(one, bytes)]
                self._queue.clear()
                for mark in marks:
                    self.send(mark)
            case _:
                pass

    async def play(self) -> None:
        """Play, until cancelled."""
        loop = asyncio.get_running_loop()
        played_s = loop.time()
        while True:
            await asyncio.sleep(TICK_S)
            now = loop.time()
            samples, played_s = round((now - played_s) * 8000), now
            if now < self.stalled_until_s or self.cleared_s is not None:
                continue
            while samples and self._queue:
                one = self._queue.popleft()
                if isinstance(one, bytes):
                    self.send(one)
                else:
                    self.heard[one] += 1
                    samples -= 1
            self._return_marks()

    def _return_marks(self) -> None:
        while self._queue and isinstance(self._queue[0], bytes):
            self.send(self._queue.popleft())  # type: ignore[arg-type]  # it was looked at


async def play_scenes(command: str, path: str = "/media-stream") -> dict[str, Seen]:
    """All scenes at once through one relay, given by its command line."""
    return dict(zip(SCENES, await play_at_once(command, list(SCENES.values()), path), strict=True))


async def play_at_once(
    command: str, scenes: Sequence[Sequence[Step]], path: str = "/media-stream"
) -> list[Seen]:
    """These scenes, each on a stream of its own, all through one relay."""
    opened: asyncio.Queue[Model] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Model(opened), "127.0.0.1", 0)
    upstream = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/realtime"
    async with relaying(command, upstream) as (_, port):
        cast: list[tuple[Sequence[Step], Model, Player]] = []
        for n, scene in enumerate(scenes):
            _, player = await loop.create_connection(partial(Player, n, path, port), "127.0.0.1", port)
            model = await asyncio.wait_for(opened.get(), 10)
            cast.append((scene, model, player))
        seen = await asyncio.gather(*(_play(scene, model, player) for scene, model, player in cast))
        for _, _, player in cast:
            player.end()
    server.close()
    return list(seen)


async def _play(steps: Sequence[Step], model: Model, player: Player) -> Seen:
    """One scene."""
    loop = asyncio.get_running_loop()
    await asyncio.wait_for(model.ready.wait(), 10)
    playing = asyncio.create_task(player.play())
    model.begin()
    last = max((n for n, step in enumerate(steps) if step.ends), default=-1)
    spoke_s = due_s = loop.time()
    for n, step in enumerate(steps):
        due_s += step.after_s
        await asyncio.sleep(max(due_s - loop.time(), 0))
        if step.item:
            model.sound(step)
            if n == last:
                model.over("completed")
        if step.stall_s:
            player.stalled_until_s = loop.time() + step.stall_s
        if step.speech:
            spoke_s = loop.time()
            model.speech()
    if last < 0:  # it was still being made: speech ends it
        model.over("cancelled")
    await asyncio.sleep(AFTER_S)
    playing.cancel()
    seen = model.seen
    for item, code in model.codes.items():
        seen.heard_ms[item] = round(player.heard[code] / 8)
    seen.stale_ms = player.stale / 8
    seen.cleared_ms = (player.cleared_s - spoke_s) * 1000 if player.cleared_s is not None else None
    return seen
