"""Both ends of a relay at once: callers at its port, and the speech model behind it, in a process of their own.

Each caller sends a chunk of 20 ms fifty times a second; the model sends each one straight back as a delta, in turns
of five seconds with the usual events around them. Every chunk carries its caller, its number and the time it was
sent, and must come back byte for byte. So a stream is a hundred messages each way a second: harder than a call.

Prints one line of JSON at each step; `bench/carriage/measure.py` reads them.
"""

import asyncio
import base64
import json
import os
import ssl
import struct
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

import typer
import uvloop

from bench.arithmetic import quantile
from bench.carriage.sockets import Socket, request

FRAME_S = 0.02
TURN = 250
SETTLE_S = 0.6
HEAD = struct.Struct(">IIQ2x")
TAIL = base64.b64encode(os.urandom(142))


@dataclass
class Score:
    """What came back. rounds: round trips in milliseconds, while it counts."""

    counts: bool = False
    sent: int = 0
    came: int = 0
    wrong: int = 0
    rounds: list[float] = field(default_factory=list[float])


class Model(Socket):
    """The speech model's end of one stream: an echo."""

    def __init__(self, score: Score) -> None:
        super().__init__(None)
        self._score = score
        self._count = 0

    def opened(self) -> None:
        """A session begins."""
        self.send(b'{"type":"session.created","event_id":"e","session":{"type":"realtime","id":"s"}}')

    def text(self, message: bytes) -> None:
        """Sound is sent back, a configuration is taken."""
        at = message.find(b'"audio":"')
        if b"input_audio_buffer.append" not in message[:48] or at < 0:
            at = message.find(b'"audio": "')
            if b"input_audio_buffer.append" not in message[:48] or at < 0:
                if b"session.update" in message[:60]:
                    self.send(
                        b'{"type":"session.updated","event_id":"e","session":{"type":"realtime","id":"s"}}'
                    )
                return
            at += 1
        sound = message[at + 9 : message.find(b'"', at + 9)]
        turn = self._count // TURN
        place = b'"response_id":"resp_%d","item_id":"item_%d","output_index":0,"content_index":0' % (
            turn,
            turn,
        )
        if self._count % TURN == 0:
            self._around(turn, place)
        self._count += 1
        self.send(
            b'{"type":"response.output_audio.delta","event_id":"e",' + place + b',"delta":"' + sound + b'"}'
        )

    def _around(self, turn: int, place: bytes) -> None:
        """The usual events between two answers."""
        if turn:
            before = place.replace(b"_%d" % turn, b"_%d" % (turn - 1))
            self.send(b'{"type":"response.output_audio.done","event_id":"e",' + before + b"}")
            self.send(
                b'{"type":"response.done","event_id":"e","response":{"id":"resp_%d","status":"completed"}}'
                % (turn - 1)
            )
        self.send(b'{"type":"response.created","event_id":"e","response":{"id":"resp_%d"}}' % turn)
        self.send(
            b'{"type":"response.output_item.added","event_id":"e","response_id":"resp_%d","output_index":0,'
            b'"item":{"id":"item_%d","type":"message","role":"assistant"}}' % (turn, turn)
        )


class Caller(Socket):
    """Twilio's end of one stream."""

    def __init__(self, number: int, path: str, port: int, score: Score) -> None:
        super().__init__(request(path, port))
        self._number = number
        self._score = score
        self._loop = asyncio.get_running_loop()
        self._sid = b"MZ%032d" % number
        self._sent = 0
        self._next_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def opened(self) -> None:
        """The stream starts, and sound flows from a moment of its own."""
        sid = self._sid.decode()
        self.send(b'{"event":"connected","protocol":"Call","version":"1.0.0"}')
        start = {
            "accountSid": "AC" + "0" * 32,
            "streamSid": sid,
            "callSid": f"CA{self._number:032d}",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": {},
        }
        self.send(
            json.dumps({"event": "start", "sequenceNumber": "1", "start": start, "streamSid": sid}).encode()
        )
        self._next_s = self._loop.time() + SETTLE_S + (self._number * 7 % 20) / 1000
        self._timer = self._loop.call_at(self._next_s, self._speak)

    def end(self) -> None:
        """Hang up."""
        if self._timer is not None:
            self._timer.cancel()
        super().end()

    def text(self, message: bytes) -> None:
        """Sound comes back, or a mark to be returned."""
        if b'"mark"' in message[:20]:
            self.send(message)
            return
        at = message.find(b'"payload":')
        if at < 0:
            return
        at = message.find(b'"', at + 10) + 1
        sound = message[at : message.find(b'"', at)]
        score = self._score
        if not score.counts:
            return
        score.came += 1
        head = base64.b64decode(sound[:24])
        if sound[24:] != TAIL or len(head) != HEAD.size or HEAD.unpack(head)[0] != self._number:
            score.wrong += 1
            return
        score.rounds.append((time.monotonic_ns() - HEAD.unpack(head)[2]) / 1e6)

    def _speak(self) -> None:
        self._sent += 1
        head = base64.b64encode(HEAD.pack(self._number, self._sent, time.monotonic_ns()))
        self.send(
            b'{"event":"media","sequenceNumber":"%d","media":{"track":"inbound","chunk":"%d","timestamp":"%d",'
            b'"payload":"%b"},"streamSid":"%b"}'
            % (self._sent + 1, self._sent, self._sent * 20, head + TAIL, self._sid)
        )
        if self._score.counts:
            self._score.sent += 1
        self._next_s += FRAME_S
        self._timer = self._loop.call_at(self._next_s, self._speak)


def main(
    path: Annotated[str, typer.Option()] = "/media-stream",
    certificate: Annotated[
        str, typer.Option(help="A file with key and certificate: the model speaks TLS.")
    ] = "",
) -> None:
    """Serve the model; then obey lines of standard input: `port P`, `streams N`, `count S`, `end`."""
    uvloop.run(_obey(path, certificate))


async def _obey(path: str, certificate: str) -> None:
    score = Score()
    loop = asyncio.get_running_loop()
    tls = None
    if certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate)
    server = await loop.create_server(lambda: Model(score), "127.0.0.1", 0, ssl=tls, backlog=1024)
    _print(upstream=server.sockets[0].getsockname()[1])
    callers: list[Caller] = []
    port = 0
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).decode().split():
        match line:
            case ["port", number]:
                port = int(number)
            case ["streams", number]:
                while len(callers) < int(number):
                    made = partial(Caller, len(callers), path, port, score)
                    _, caller = await loop.create_connection(made, "127.0.0.1", port)
                    callers.append(caller)
                    await asyncio.sleep(0.004)
                await asyncio.sleep(2 * SETTLE_S)
                _print(open=sum(caller.open for caller in callers))
            case ["count", seconds]:
                await _count(score, float(seconds))
            case _:
                break
    for caller in callers:
        caller.end()
    server.close()


async def _count(score: Score, seconds: float) -> None:
    """Count what is sent and comes back in so many seconds."""
    score.rounds.clear()
    score.sent = score.came = score.wrong = 0
    score.counts = True
    await asyncio.sleep(seconds)
    rounds = sorted(score.rounds)
    p50, p95, p99, longest = (quantile(rounds, share) if rounds else 0.0 for share in (0.5, 0.95, 0.99, 1.0))
    _print(
        sent=score.sent,
        came=score.came,
        wrong=score.wrong,
        p50_ms=p50,
        p95_ms=p95,
        p99_ms=p99,
        max_ms=longest,
    )
    score.counts = False


def _print(**values: float) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    typer.run(main)
