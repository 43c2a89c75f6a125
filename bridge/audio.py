"""Sums over telephone audio that need no decoding: base64 of 8 kHz mu-law, one byte a sample."""

import base64
import re

SAMPLES_A_MS = 8
FRAME_SAMPLES = 160  # 20 ms: Twilio's own chunks, and what others send in multiples of plays without gaps
SILENCE = 0xFF  # mu-law's nought

_base64 = re.compile(r"[A-Za-z0-9+/]*={0,2}").fullmatch


def is_base64(payload: str) -> bool:
    """Whether this can be put into JSON as it is, and decodes to something."""
    return not len(payload) & 3 and _base64(payload) is not None


def samples_in(payload: str) -> int:
    """How many samples a payload has. payload: base64."""
    if payload.endswith("="):
        return len(payload) // 4 * 3 - (2 if payload.endswith("==") else 1)
    return len(payload) // 4 * 3


def decoded(payload: str) -> bytes:
    """The samples of a payload."""
    return base64.b64decode(payload)


def encoded(samples: bytes) -> str:
    """Samples as a payload."""
    return base64.b64encode(samples).decode()


def silence(ms: int) -> str:
    """So much silence."""
    return encoded(bytes([SILENCE]) * (ms * SAMPLES_A_MS))
