"""The embedded Temporal server for tests: real, on free ports, and stopped in its tracks when a test asks."""

import os
import signal
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from rung.settings import Settings
from rung.temporal import EmbeddedTemporal


class TemporalServer:
    """A running server and the settings that lead to it."""

    def __init__(self, state_dir: Path) -> None:
        temporal_port, ui_port = _free_ports(2)
        self.settings = Settings.apart(
            state_dir=state_dir,
            temporal_port=temporal_port,
            temporal_ui_port=ui_port,
            config=Path(__file__).parents[1] / "rung.example.yaml",
        )
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603  # our own binary
            EmbeddedTemporal.of(self.settings).argv(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    async def serves(self) -> None:
        """Wait until it answers."""
        await EmbeddedTemporal.of(self.settings).prepare(self.settings)

    @contextmanager
    def silent(self) -> Generator[None]:
        """A server that takes connections and answers nothing, for a while."""
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    @contextmanager
    def gone(self) -> Generator[None]:
        """No server at all, for a while; then the same one again."""
        self.end()
        try:
            yield
        finally:
            self._process = self._started()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()
