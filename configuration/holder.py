"""The file as a running process holds it: read again when it changes, never replaced by a broken one.

The text that was last good is kept beside, for a process that starts while the file is broken.
This is the only part of the package that touches files and the clock.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import structlog

from configuration.check import Checked, check
from configuration.mistake import Mistake
from configuration.model import Configuration
from configuration.numbers import masked_within

log = structlog.get_logger(__name__)


class ConfigurationError(Exception):
    """There is no configuration to run with: the file is broken, and no good one was kept."""

    def __init__(self, path: Path, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        told = "\n".join(f"  {mistake}" for mistake in _told(mistakes))
        super().__init__(
            f"{path} cannot be used, and no earlier configuration was kept (see `rung check {path}`):\n{told}"
        )


class Version(NamedTuple):
    """What changes about a file when it is edited; an editor may also put a new one in its place."""

    modified_ns: int
    size: int
    inode: int


class ConfigurationFile:
    """An owner's file, and the configuration that is running.

    Raises ConfigurationError where neither the file nor the kept text can be used.
    Not for several threads at once; one event loop may share it.
    """

    def __init__(self, path: Path, last_good: Path, now: Callable[[], datetime] | None = None) -> None:
        self.path = path
        self.last_good = last_good
        self.source: Literal["file", "last good"] = "file"
        self.mistakes: tuple[Mistake, ...] = ()
        self._now = now or (lambda: datetime.now(UTC))
        self._version = _version(path)
        self._running = self._started()

    @property
    def broken(self) -> bool:
        """Whether the file as it stands now cannot be used, so that an earlier one is running."""
        return any(mistake.severity == "error" for mistake in self.mistakes)

    def current(self) -> Configuration:
        """The running configuration, read anew where the file has changed to a good one."""
        version = _version(self.path)
        if version != self._version:
            self._version = version
            self._read_again()
        return self._running

    def _started(self) -> Configuration:
        text, checked = self._checked(self.path)
        self.mistakes = checked.mistakes
        if checked.configuration is not None:
            self._keep(text)
            log.info("configuration read", file=str(self.path), warnings=len(checked.warnings))
            return checked.configuration
        _, kept = self._checked(self.last_good)
        if kept.configuration is None:
            raise ConfigurationError(self.path, checked.errors)
        self.source = "last good"
        log.error(
            "configuration broken, started with the last good one",
            file=str(self.path),
            last_good=str(self.last_good),
            mistakes=_told(checked.errors),
        )
        return kept.configuration

    def _read_again(self) -> None:
        text, checked = self._checked(self.path)
        self.mistakes = checked.mistakes
        if checked.configuration is None:
            log.error(
                "configuration broken, the running one stays",
                file=str(self.path),
                mistakes=_told(checked.errors),
            )
            return
        self._running = checked.configuration
        self.source = "file"
        self._keep(text)
        log.info("configuration changed", file=str(self.path), warnings=len(checked.warnings))

    def _checked(self, path: Path) -> tuple[str, Checked]:
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return "", _unread(path, "the file is not there", "a file at this path")
        except (OSError, UnicodeDecodeError) as error:
            return "", _unread(path, f"the file cannot be read: {error}", "plain text in UTF-8")
        return text, check(text, str(path), self._now())

    def _keep(self, text: str) -> None:
        """Put the text in the place of the last good one, whole or not at all."""
        try:
            _write_whole(self.last_good, text)
        except OSError as error:
            log.warning(
                "last good configuration not kept",
                last_good=str(self.last_good),
                error=str(error),
            )


def _unread(path: Path, what: str, instead: str) -> Checked:
    return Checked(None, (Mistake(str(path), 1, "", what, instead),))


def _told(mistakes: Sequence[Mistake]) -> list[str]:
    """The mistakes for logs, which must not hold whole telephone numbers."""
    return [masked_within(str(mistake)) for mistake in mistakes]


def _version(path: Path) -> Version | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return Version(found.st_mtime_ns, found.st_size, found.st_ino)


def _write_whole(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp makes it readable by us alone: it holds people's numbers.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
