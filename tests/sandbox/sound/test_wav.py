"""WAV files as they come, and as we write them."""

import struct

import numpy as np
import pytest

from sandbox.sound import mulaw, tones, wav
from sandbox.sound.mulaw import RATE, Samples


def file(kind: int, bits: int, rate: int, channels: int, sound: bytes) -> bytes:
    form = struct.pack(
        "<HHIIHH", kind, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits
    )
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


def tone(rate: int, seconds: float = 0.5) -> Samples:
    return (np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate) * 8000).astype(np.int16)


def alike(one: Samples, other: Samples) -> float:
    length = min(len(one), len(other)) - 200
    a, b = one[100:length].astype(float), other[100:length].astype(float)
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def test_what_was_written_is_read_as_it_was() -> None:
    sound = tone(RATE)
    assert np.array_equal(wav.read(wav.write(sound, "2026-01-05T02:18:00")), sound)


def test_mulaw_is_read() -> None:
    sound = tone(RATE)
    read = wav.read(file(7, 8, RATE, 1, mulaw.encode(sound)))
    assert np.array_equal(read, mulaw.decode(mulaw.encode(sound)))


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_any_rate_and_number_of_channels_becomes_a_telephone_line(rate: int, channels: int) -> None:
    sound = np.repeat(tone(rate), channels)
    read = wav.read(file(1, 16, rate, channels, sound.tobytes()))
    assert abs(len(read) - RATE // 2) <= 1
    assert alike(read, tone(RATE)) > 0.999


def test_other_widths_are_read() -> None:
    sound = tone(RATE)
    eight = ((sound >> 8) + 128).astype(np.uint8).tobytes()
    wide = (sound.astype("<i4") << 16).tobytes()
    packed = b"".join((int(one) << 8).to_bytes(3, "little", signed=True) for one in sound)
    assert alike(wav.read(file(1, 8, RATE, 1, eight)), sound) > 0.99
    assert np.array_equal(wav.read(file(1, 24, RATE, 1, packed)), sound)
    assert np.array_equal(wav.read(file(1, 32, RATE, 1, wide)), sound)


@pytest.mark.parametrize(
    "content",
    [b"", b"ID3\x04", b"RIFF\0\0\0\0WAVE", file(85, 0, RATE, 1, b"mp3"), file(1, 16, 0, 1, b"")],
    ids=["nothing", "mp3", "no sound", "mp3 in wav", "no rate"],
)
def test_what_cannot_be_played_says_so(content: bytes) -> None:
    with pytest.raises(wav.NotASound):
        wav.read(content)


def test_the_networks_own_sounds_do_not_clip() -> None:
    for sound in (tones.beep(), tones.music(), tones.ring_back(), tones.hum(1)):
        assert 500 < int(np.abs(sound.astype(np.int32)).max()) < 32_767
