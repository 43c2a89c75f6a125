"""The contract names everything there is."""

import re
from pathlib import Path

import pytest

from sandbox.speech import cli
from sandbox.speech.client_events import KNOWN
from sandbox.speech.dialogue.conventions import read_orders
from sandbox.speech.faults import Kind, Point

CONTRACT = (Path(__file__).parents[2] / "docs/speech-model.md").read_text()


@pytest.mark.parametrize("kind", [*Kind, *Point])
def test_every_fault_and_point_is_named(kind: str) -> None:
    assert f"`{kind}`" in CONTRACT


def test_every_client_event_is_named() -> None:
    for event in KNOWN:
        family, _, act = event.rpartition(".")
        assert f"{family}." in CONTRACT or event == "output_audio_buffer.clear"
        assert re.search(rf"\b{act}\b", CONTRACT)


def test_every_option_has_its_row() -> None:
    options = [name for name in cli.speech.__annotations__ if name != "return"]
    missing = [name for name in options if f"--{name.replace('_', '-')}" not in CONTRACT]
    assert missing == []


@pytest.mark.parametrize(
    "order",
    [
        'Say exactly this and nothing else: "…"',
        'Greet with: "…"',
        "Language: es",
        "Languages: en, es",
        "You are now the coach of NAME",
        "You are now silent",
        "You are now with the caller",
        "Brief: …",
        "The caller typed: 412",
    ],
)
def test_every_convention_is_written_down_and_understood(order: str) -> None:
    assert f"`{order}`" in CONTRACT
    assert read_orders(order) != read_orders("")
