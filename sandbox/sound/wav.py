"""WAV files: read whatever telephones play into 8 kHz samples, write what was recorded.

A written file says in its comment when its first sample was, so that recordings can be laid side by side.
"""

import struct
from collections.abc import Iterator

import numpy as np
import soxr
from numpy.typing import NDArray

from sandbox.sound import mulaw
from sandbox.sound.mulaw import RATE, Samples

LONGEST_S = 3_600
_PCM, _EXTENSIBLE = 1, 0xFFFE


class NotASound(ValueError):  # noqa: N818  # an outcome in the domain's words
    """The file cannot be played, and why."""


def read(content: bytes) -> Samples:
    """The sound of a WAV file: PCM of 8, 16, 24 or 32 bits, or mu-law; any rate, channels mixed down.

    Raises NotASound.
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        raise NotASound("no WAV file: no RIFF/WAVE at its beginning")
    form: bytes | None = None
    for name, chunk in _chunks(content):
        if name == b"fmt ":
            form = chunk
        elif name == b"data":
            if form is None or len(form) < 16:
                raise NotASound("the WAV file's format comes after its sound, or not at all")
            return _samples(form, chunk)
    raise NotASound("the WAV file has no sound")


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(content):
        name, length = content[at : at + 4], int.from_bytes(content[at + 4 : at + 8], "little")
        yield name, content[at + 8 : at + 8 + length]  # a length beyond the end: what is there
        at += 8 + length + (length & 1)


def _samples(form: bytes, chunk: bytes) -> Samples:
    kind, channels, rate, _, _, bits = struct.unpack("<HHIIHH", form[:16])
    if kind == _EXTENSIBLE and len(form) >= 26:
        kind = int.from_bytes(form[24:26], "little")
    if not 1 <= channels <= 16 or not 1_000 <= rate <= 384_000:
        raise NotASound(f"a WAV file of {channels} channels and {rate} samples a second")
    flat = _flat(kind, bits, chunk)
    if len(flat) > LONGEST_S * rate * channels:
        raise NotASound(f"the sound is longer than {LONGEST_S} s")
    whole = len(flat) // channels * channels
    mono = flat[:whole].reshape(-1, channels).mean(axis=1) if channels > 1 else flat
    if rate != RATE:
        mono = soxr.resample(mono, rate, RATE)
    return np.clip(np.rint(mono), -32_768, 32_767).astype(np.int16)


def _flat(kind: int, bits: int, chunk: bytes) -> NDArray[np.float64]:
    """All channels' samples one after the other, at the loudness of 16 bits."""
    match kind, bits:
        case 7, 8:
            return mulaw.decode(chunk).astype(np.float64)
        case 1, 8:
            return (np.frombuffer(chunk, dtype=np.uint8).astype(np.float64) - 128) * 256
        case 1, 16:
            return np.frombuffer(chunk[: len(chunk) // 2 * 2], dtype="<i2").astype(np.float64)
        case 1, 24:
            raw = np.frombuffer(chunk[: len(chunk) // 3 * 3], dtype=np.uint8).reshape(-1, 3)
            padded = np.zeros((len(raw), 4), dtype=np.uint8)
            padded[:, 1:] = raw
            return padded.view("<i4").reshape(-1) / 65_536
        case 1, 32:
            return np.frombuffer(chunk[: len(chunk) // 4 * 4], dtype="<i4") / 65_536
        case _:
            raise NotASound(f"a WAV file of format {kind} with {bits} bits: PCM and mu-law are understood")


def comment(content: bytes) -> str:
    """What such a file says about itself; empty where it says nothing."""
    for name, chunk in _chunks(content):
        if name == b"LIST" and chunk[:8] == b"INFOICMT":
            length = int.from_bytes(chunk[8:12], "little")
            return chunk[12 : 12 + length].rstrip(b"\0").decode("ascii", "replace")
    return ""


def header(length: int, note: str = "") -> bytes:
    """What goes before so many samples of 16-bit sound; as long for any length, with the same note."""
    noted = note.encode("ascii", "replace")
    noted += b"\0" * (2 - len(noted) % 2)
    listed = b"INFOICMT" + len(noted).to_bytes(4, "little") + noted
    parts = [
        b"fmt " + struct.pack("<IHHIIHH", 16, _PCM, 1, RATE, RATE * 2, 2, 16),
        b"LIST" + len(listed).to_bytes(4, "little") + listed,
        b"data" + (length * 2).to_bytes(4, "little"),
    ]
    body = b"WAVE" + b"".join(parts)
    return b"RIFF" + (len(body) + length * 2).to_bytes(4, "little") + body


def write(samples: Samples, note: str = "") -> bytes:
    """A WAV file of 8 kHz, 16 bits, one channel."""
    return header(len(samples), note) + samples.astype("<i2").tobytes()
