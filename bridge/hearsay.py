"""How the bridges of one host tell each other who was loud: a datagram socket each, in a folder they share.

A leg's own stream may land in another process than its call's assistant. What one hears and does not need itself it
tells the others, ten small datagrams a second while somebody speaks. Nothing waits: what cannot be delivered at once
is lost, and the turn is then said by the room. Bridges on other hosts are not told.
"""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import structlog

from bridge.ears import Loud
from bridge.effects import Overheard
from workflows.values import CallSid
from workflows.voice import Speaker

log: structlog.stdlib.BoundLogger = structlog.get_logger(__name__)

BYTES = 1024
BRIDGES_AT_MOST = 64
SUFFIX = ".ears"


class Hearsay:
    """This process's socket among the others'."""

    def __init__(self, folder: Path) -> None:
        """folder: shared by the bridges of this host; made if it is not there."""
        self._folder = folder
        self._mine = folder / f"{os.getpid()}-{os.urandom(3).hex()}{SUFFIX}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._heard: Callable[[Overheard], None] | None = None

    async def listen(self, heard: Callable[[Overheard], None]) -> None:
        """Be told from now on. Where there can be no such socket, nobody is told: the sound goes on."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._socket.bind(str(self._mine))
        except OSError as error:  # a path too long for a socket, a folder that cannot be written
            log.warning("bridges of this host do not hear of each other", problem=str(error))
            return
        self._heard = heard
        asyncio.get_running_loop().add_reader(self._socket.fileno(), self._read)

    def tell(self, heard: Overheard) -> None:
        """Tell the others."""
        if self._heard is None:
            return
        datagram = written(heard)
        others = [path for path in self._folder.glob(f"*{SUFFIX}") if path != self._mine]
        for other in others[:BRIDGES_AT_MOST]:
            try:
                self._socket.sendto(datagram, str(other))
            except ConnectionRefusedError:  # its process is gone
                with contextlib.suppress(OSError):
                    other.unlink()
            except OSError:
                pass  # full, or gone this instant: the turn is then the room's

    def end(self) -> None:
        """Be told no more."""
        self.cut()
        with contextlib.suppress(OSError):
            self._mine.unlink()

    def cut(self) -> None:
        """Be told no more, and leave the socket's name behind as a killed process does."""
        if self._heard is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                heard = read(self._socket.recv(BYTES))
                if heard is not None and self._heard is not None:
                    self._heard(heard)


def written(heard: Overheard) -> bytes:
    """A datagram."""
    loud = heard.loud
    return json.dumps([heard.call, loud.speaker, loud.person[:80], loud.until_s, loud.ms]).encode()


def read(datagram: bytes) -> Overheard | None:
    """What a datagram says; None if it is none of ours."""
    try:
        call, speaker, person, until_s, ms = json.loads(datagram)
        return Overheard(CallSid(str(call)), Loud(Speaker(speaker), str(person), float(until_s), int(ms)))
    except (ValueError, TypeError):
        return None
