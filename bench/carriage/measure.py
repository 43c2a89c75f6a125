"""One relay under load: its processor time, its memory, and what the load says of its lateness."""

import asyncio
import json
import os
import shlex
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

READY_S = 30.0
OURS = f"{sys.executable} -m bench.relay --port 0 --upstream {{upstream}} --ca {{ca}}"
SPLICE = f"{sys.executable} -m bench.carriage.splice --port 0 --upstream {{upstream}} --ca {{ca}}"


@dataclass(frozen=True)
class Carried:
    """How so many streams were carried. cpu_ms: of the relay, per second of one stream. rss_kb: of the relay."""

    streams: int
    cpu_ms: float
    rss_kb: int
    sent: int
    came: int
    wrong: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @property
    def lost(self) -> int:
        """Chunks that did not come back, but for those on their way at the end."""
        return max(self.sent - self.came - self.streams, 0) + self.wrong


class Bench:
    """A relay and its load, running."""

    def __init__(self, relay: asyncio.subprocess.Process, load: asyncio.subprocess.Process) -> None:
        self._relay = relay
        self._load = load

    async def streams(self, count: int) -> int:
        """So many streams; gives how many are open."""
        return int((await self._ask(f"streams {count}"))["open"])

    async def count(self, streams: int, seconds: float) -> Carried:
        """How they are carried for so long."""
        before_s, began = self._cpu_s(), asyncio.get_running_loop().time()
        told = await self._ask(f"count {seconds}")
        took_s = asyncio.get_running_loop().time() - began
        cpu_ms = (self._cpu_s() - before_s) * 1000 / took_s / streams
        return Carried(
            streams,
            cpu_ms,
            self.rss_kb(),
            int(told["sent"]),
            int(told["came"]),
            int(told["wrong"]),
            told["p50_ms"],
            told["p95_ms"],
            told["p99_ms"],
            told["max_ms"],
        )

    def rss_kb(self) -> int:
        """The relay's memory."""
        status = Path(f"/proc/{self._relay.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))

    def _cpu_s(self) -> float:
        """The relay's processor time: the scheduler's own count, in nanoseconds."""
        threads = Path(f"/proc/{self._relay.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

    async def _ask(self, line: str) -> dict[str, float]:
        assert self._load.stdin is not None
        self._load.stdin.write(f"{line}\n".encode())
        return await _line(self._load)


@asynccontextmanager
async def bench(command: str, *, tls: bool = False, path: str = "/media-stream") -> AsyncGenerator[Bench]:
    """A relay by its command line, and a load on it. {port}, {upstream} and {ca} in it are filled in."""
    with tempfile.TemporaryDirectory() as folder:
        certificate = certificate_in(Path(folder)) if tls else Path(os.devnull)
        load = await _started(
            [sys.executable, "-m", "bench.carriage.load", "--path", path]
            + (["--certificate", str(certificate)] if tls else [])
        )
        upstream = int((await _line(load))["upstream"])
        url = f"{'wss' if tls else 'ws'}://{'localhost' if tls else '127.0.0.1'}:{upstream}/v1/realtime"
        try:
            async with relaying(command, url, str(certificate) if tls else "") as (relay, port):
                assert load.stdin is not None
                load.stdin.write(f"port {port}\n".encode())
                _apart(relay.pid, load.pid)
                yield Bench(relay, load)
        finally:
            await _ended(load)


@asynccontextmanager
async def relaying(
    command: str, upstream: str, ca: str = ""
) -> AsyncGenerator[tuple[asyncio.subprocess.Process, int]]:
    """A relay by its command line, and its port."""
    relay = await _started(shlex.split(command.format(port=0, upstream=upstream, ca=ca or '""')))
    try:
        yield relay, await _ready(relay)
    finally:
        await _ended(relay)


async def _started(argv: Sequence[str]) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*argv, stdin=pipe, stdout=pipe)


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()


async def _line(process: asyncio.subprocess.Process) -> dict[str, float]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the load has ended")
    told: dict[str, float] = json.loads(line)
    return told


async def _ready(relay: asyncio.subprocess.Process) -> int:
    """The port in the line with READY."""
    assert relay.stdout is not None
    async with asyncio.timeout(READY_S):
        while line := (await relay.stdout.readline()).decode():
            if "READY" in line:
                return int(line.split()[-1])
    raise RuntimeError("the relay has ended before it was ready")


def _apart(relay: int, load: int) -> None:
    """The relay on one core, the load on another, where there are two."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        os.sched_setaffinity(relay, {cores[0]})
        os.sched_setaffinity(load, {cores[1]})


def certificate_in(folder: Path) -> Path:
    """A key and a certificate of its own for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "localhost.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return file
