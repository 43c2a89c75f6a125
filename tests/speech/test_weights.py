"""Weights that come in pieces: joined once, checked, and never used when they are not what they should be."""

import hashlib
from pathlib import Path

import pytest

from sandbox.speech.errors import WeightsError
from sandbox.speech.weights import Packaged, folder, joined

PIECES = (b"first half, ", b"second half")
SHA256 = hashlib.sha256(b"".join(PIECES)).hexdigest()


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packaged:
    """Two packages with a piece each."""
    for number, piece in enumerate(PIECES, 1):
        package = tmp_path / f"pieces_of_rung_{number}"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "part").write_bytes(piece)
        (package / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(tmp_path)
    parts = (("pieces_of_rung_1", "part"), ("pieces_of_rung_2", "part"))
    return Packaged("pieces", parts, SHA256, ("config.json",))


def test_pieces_are_joined_in_their_order(packaged: Packaged, tmp_path: Path) -> None:
    whole = joined(packaged, tmp_path / "cache")
    assert (whole / "model.bin").read_bytes() == b"".join(PIECES)
    assert sorted(path.name for path in whole.iterdir()) == ["config.json", "model.bin"]


def test_they_are_joined_once(packaged: Packaged, tmp_path: Path) -> None:
    first = (joined(packaged, tmp_path / "cache") / "model.bin").stat()
    second = (joined(packaged, tmp_path / "cache") / "model.bin").stat()
    assert first.st_ino == second.st_ino


def test_weights_with_another_sum_are_refused_and_not_kept(packaged: Packaged, tmp_path: Path) -> None:
    other = Packaged("pieces", packaged.parts, "0" * 64, packaged.others)
    with pytest.raises(WeightsError, match="not what they should be"):
        joined(other, tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("model.bin*"))


def test_a_package_that_is_absent_is_named_with_what_to_do() -> None:
    with pytest.raises(WeightsError, match=r"no_such_voice.*make voice"):
        folder("no_such_voice")
