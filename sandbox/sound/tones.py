"""The sounds a telephone network makes by itself: beep, ring-back, music on hold, noise."""

import numpy as np

from sandbox.sound.mulaw import RATE, Samples

BEEP_S = 0.3
_CHORDS = ((262, 330, 392), (220, 262, 330), (175, 220, 262), (196, 247, 294))  # C, a, F, G


def beep(seconds: float = BEEP_S) -> Samples:
    return _tone((1_000,), seconds, 6_000)


def ring_back() -> Samples:
    """Two seconds of ringing and four of quiet, as callers hear it in North America."""
    return np.concatenate([_tone((440, 480), 2.0, 2_500), np.zeros(4 * RATE, dtype=np.int16)])


def music() -> Samples:
    """Eight seconds that can go round and round: four soft chords."""
    return np.concatenate([_tone(chord, 2.0, 900) for chord in _CHORDS])


def hum(seconds: float) -> Samples:
    """A closed mouth: a low voice without words."""
    return _tone((120, 240, 360), seconds, 1_800)


def noise(seconds: float, level_db: float, seed: int = 0) -> Samples:
    """Hiss, its power so many dB below full scale (a negative number)."""
    loudness = 32_767 * 10 ** (level_db / 20)
    drawn = np.random.default_rng(seed).normal(0, loudness, round(seconds * RATE))
    return np.clip(drawn, -32_768, 32_767).astype(np.int16)


def _tone(frequencies: tuple[int, ...], seconds: float, loudness: float) -> Samples:
    at = np.arange(round(seconds * RATE)) / RATE
    wave = np.sum([np.sin(2 * np.pi * frequency * at) for frequency in frequencies], axis=0) * loudness
    edge = np.minimum(1.0, np.minimum(np.arange(len(at)), np.arange(len(at))[::-1]) / 80)  # 10 ms, no clicks
    sound: Samples = (wave * edge).astype(np.int16)
    return sound
