"""The three audio formats of the protocol, and the 8 kHz samples the model itself hears and speaks in."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sandbox.sound import mulaw
from sandbox.sound.mulaw import RATE, Samples

BYTES_PER_MS: Final = {"audio/pcm": 48, "audio/pcmu": 8, "audio/pcma": 8}
_RATIO = 3  # of PCM's 24 kHz to ours


def _alaw_levels() -> NDArray[np.int32]:
    codes = np.arange(256, dtype=np.int32) ^ 0x55
    exponent = (codes & 0x70) >> 4
    mantissa = ((codes & 0x0F) << 4) + 8
    magnitude = np.where(exponent > 0, (mantissa + 0x100) << np.maximum(exponent - 1, 0), mantissa)
    return np.where(codes & 0x80, magnitude, -magnitude)


_ALAW = _alaw_levels()
_ALAW16: Samples = _ALAW.astype(np.int16)
_ALAW_ORDER = np.argsort(_ALAW, kind="stable")
_ALAW_BETWEEN = (_ALAW[_ALAW_ORDER][1:] + _ALAW[_ALAW_ORDER][:-1]) / 2


def ms_of(samples: int) -> int:
    """How long so many samples sound, in whole milliseconds."""
    return samples * 1_000 // RATE


def _alaw(wire: bytes) -> Samples:
    samples: Samples = _ALAW16[np.frombuffer(wire, dtype=np.uint8)]
    return samples


class Decoder:
    """Wire bytes of one format to samples; keeps what a chunk cut in the middle of a sample."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._rest = b""

    def decode(self, wire: bytes) -> Samples:
        match self.name:
            case "audio/pcmu":
                return mulaw.decode(wire)
            case "audio/pcma":
                return _alaw(wire)
            case _:
                wire = self._rest + wire
                whole = len(wire) - len(wire) % (2 * _RATIO)
                self._rest = wire[whole:]
                fast = np.frombuffer(wire[:whole], dtype="<i2").reshape(-1, _RATIO)
                slow: Samples = fast.mean(axis=1).astype(np.int16)
                return slow


def encode(name: str, samples: Samples) -> bytes:
    """Samples to wire bytes."""
    match name:
        case "audio/pcmu":
            return mulaw.encode(np.ascontiguousarray(samples))
        case "audio/pcma":
            return _ALAW_ORDER[np.searchsorted(_ALAW_BETWEEN, samples)].astype(np.uint8).tobytes()
        case _:
            at = np.arange(len(samples) * _RATIO) / _RATIO
            return (
                np.interp(at, np.arange(len(samples)), samples).astype("<i2").tobytes()
                if len(samples)
                else b""
            )
