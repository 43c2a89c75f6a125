"""The demo as a newcomer runs it, with real processes; spoken in tones, which need no model."""

import asyncio
import sys
from pathlib import Path

import pytest

from rung.demo.scenes import SCENES
from rung.demo.whispers import Whisper, whispers


async def demo(*arguments: str) -> tuple[int, str]:
    """Exit code and everything printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "rung",
        "demo",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    return process.returncode or 0, printed.decode()


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_the_night_is_spoken_and_the_caller_hears_nothing_of_the_whisper(tmp_path: Path) -> None:
    code, printed = await demo("night", "--light", "--keep", str(tmp_path))
    assert code == 0, printed
    assert "whisper frames heard by the caller: 0 of " in printed
    assert "call closed as escalated" in printed
    kept = {file.name: file for file in tmp_path.iterdir()}  # noqa: ASYNC240  # the demo is over
    assert "There is water coming through the ceiling." in kept["transcript.txt"].read_text()
    assert any(name.endswith(".heard.wav") for name in kept)


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("scene", sorted(SCENES.keys() - {"night"}))
async def test_every_other_scene_ends_as_it_must(scene: str) -> None:
    code, printed = await demo(scene, "--light")
    assert code == 0, printed


async def test_a_scene_that_is_not_there_is_named_with_those_that_are() -> None:
    code, printed = await demo("nigth")
    assert code == 2
    assert "there is no scene 'nigth'; there are: night, keys" in printed


def test_a_whisper_lasts_from_the_coaching_to_its_end() -> None:
    def record(second: int, **details: object) -> dict[str, object]:
        at = f"2026-01-05T02:18:{second:02}+00:00"
        return {"at": at, "kind": "conference", "call": "CAai", "details": details}

    told = [
        record(1, event="participant-join", coaching=False, coaches=None),
        record(2, event="participant-modify", coaching=True, coaches="CAana"),
        record(5, event="participant-modify", coaching=True, coaches="CAben"),
        record(9, event="participant-leave", coaching=True, coaches="CAben"),
    ]
    first, second = whispers(told)
    assert (first.leg, first.coached, first.began.second, first.ended.second) == ("CAai", "CAana", 2, 5)
    assert isinstance(second, Whisper)
    assert (second.coached, second.began.second, second.ended.second) == ("CAben", 5, 9)
