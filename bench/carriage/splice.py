"""The relay ours is compared with: `websockets`' asyncio API on uvloop, sound spliced, nothing else known.

What a careful programmer writes in an afternoon with the same library: no session, no barge-in, no marks.
"""

import asyncio
import json
import ssl
from typing import Annotated

import typer
import uvloop
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

CONFIGURATION = json.dumps(
    {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "audio": {
                "input": {"format": {"type": "audio/pcmu"}},
                "output": {"format": {"type": "audio/pcmu"}},
            },
        },
    }
)


class Splice:
    """One stream."""

    def __init__(self, twilio: ServerConnection, model: ClientConnection) -> None:
        self._twilio = twilio
        self._model = model
        self._head = ""

    async def run(self) -> None:
        """Both ways until one end is closed."""
        await self._model.send(CONFIGURATION)
        ways = [asyncio.create_task(self._in()), asyncio.create_task(self._out())]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()

    async def _in(self) -> None:
        async for frame in self._twilio:
            if not isinstance(frame, str):
                continue
            if frame.startswith('{"event":"media"'):
                at = frame.find('"payload":"') + 11
                sound = frame[at : frame.find('"', at)]
                await self._model.send(f'{{"type":"input_audio_buffer.append","audio":"{sound}"}}')
            elif (message := json.loads(frame)).get("event") == "start":
                self._head = f'{{"event":"media","streamSid":"{message["streamSid"]}","media":{{"payload":"'

    async def _out(self) -> None:
        async for frame in self._model:
            if isinstance(frame, str) and frame.startswith('{"type":"response.output_audio.delta"'):
                at = frame.find('"delta":"') + 9
                await self._twilio.send(f'{self._head}{frame[at : frame.find(chr(34), at)]}"}}}}')


def main(
    port: Annotated[int, typer.Option()],
    upstream: Annotated[str, typer.Option()],
    ca: Annotated[str, typer.Option()] = "",
) -> None:
    """Relay until ended."""
    uvloop.run(_serve(port, upstream, ca))


async def _serve(port: int, upstream: str, ca: str) -> None:
    tls = ssl.create_default_context(cafile=ca) if upstream.startswith("wss") else None

    async def carry(twilio: ServerConnection) -> None:
        async with connect(upstream, compression=None, ssl=tls) as model:
            await Splice(twilio, model).run()

    async with serve(carry, "127.0.0.1", port, compression=None, ping_interval=None) as server:
        print(f"READY {server.sockets[0].getsockname()[1]}", flush=True)
        await server.wait_closed()


if __name__ == "__main__":
    typer.run(main)
