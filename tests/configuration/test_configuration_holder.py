"""A broken file never replaces a running configuration, and a restart finds the last good one."""

import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from configuration.holder import ConfigurationError, ConfigurationFile

GOOD = (Path(__file__).parent / "clinic.yaml").read_text(encoding="utf-8")
CHANGED = GOOD.replace("name: Clinic", "name: New Clinic")
BROKEN = GOOD.replace("phone: +12025550112", "phone: 202-555-0112")
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Desk:
    """The owner's file on a disk, and the processes that read it."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "rung.yaml"
        self.last_good = folder / "state" / "last-good.yaml"
        self._saved = 0

    def save(self, text: str) -> None:
        """Save the file as an editor does, a second after the last time."""
        self.path.write_text(text, encoding="utf-8")
        self._saved += 1
        os.utime(self.path, (self._saved, self._saved))

    def starts(self) -> ConfigurationFile:
        return ConfigurationFile(self.path, self.last_good, now=lambda: NOW)


def line_name(file: ConfigurationFile) -> str:
    return file.current().lines["clinic"].name


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_the_file_is_read_at_the_start(desk: Desk) -> None:
    desk.save(GOOD)
    file = desk.starts()
    assert line_name(file) == "Clinic"
    assert (file.source, file.broken) == ("file", False)


def test_an_edit_is_taken_up(desk: Desk) -> None:
    desk.save(GOOD)
    file = desk.starts()
    desk.save(CHANGED)
    assert line_name(file) == "New Clinic"


def test_a_file_that_has_not_changed_is_not_read_again(desk: Desk) -> None:
    desk.save(GOOD)
    file = desk.starts()
    assert file.current() is file.current()


def test_a_file_put_in_the_place_of_another_is_taken_up(desk: Desk) -> None:
    desk.save(GOOD)
    file = desk.starts()
    before = desk.path.stat()
    other = desk.path.with_suffix(".new")
    other.write_text(GOOD.replace("name: Clinic", "name: Klinic"), encoding="utf-8")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(desk.path)
    assert line_name(file) == "Klinic"


def test_a_broken_edit_leaves_the_running_configuration(desk: Desk) -> None:
    desk.save(GOOD)
    file = desk.starts()
    running = file.current()
    desk.save(BROKEN)
    assert file.current() is running
    assert file.broken
    assert "E.164" in file.mistakes[0].what


def test_a_broken_edit_is_told_once_with_its_mistakes_and_without_whole_numbers(desk: Desk) -> None:
    desk.save(GOOD)
    file = desk.starts()
    desk.save(BROKEN)
    with capture_logs() as logs:
        for _ in range(3):
            file.current()
    (told,) = logs
    assert told["event"] == "configuration broken, the running one stays"
    assert told["log_level"] == "error"
    assert "people.ben.phone" in told["mistakes"][0]
    assert "555-0112" not in str(logs)
    assert "2025550112" not in str(logs)


def test_each_broken_edit_is_told(desk: Desk) -> None:
    desk.save(GOOD)
    file = desk.starts()
    with capture_logs() as logs:
        desk.save(BROKEN)
        file.current()
        desk.save("people: [")
        file.current()
    assert [log["event"] for log in logs] == ["configuration broken, the running one stays"] * 2


def test_a_mended_file_is_taken_up(desk: Desk) -> None:
    desk.save(GOOD)
    file = desk.starts()
    desk.save(BROKEN)
    file.current()
    desk.save(CHANGED)
    assert line_name(file) == "New Clinic"
    assert not file.broken


def test_a_file_that_is_taken_away_leaves_the_running_configuration(desk: Desk) -> None:
    desk.save(GOOD)
    file = desk.starts()
    desk.path.unlink()
    assert line_name(file) == "Clinic"
    assert file.mistakes[0].what == "the file is not there"


def test_a_file_that_is_no_text_leaves_the_running_configuration(desk: Desk) -> None:
    desk.save(GOOD)
    file = desk.starts()
    desk.path.write_bytes(b"\xff\xfe\xff")
    assert line_name(file) == "Clinic"
    assert file.broken


def test_a_restart_while_the_file_is_broken_takes_the_last_good_one_and_says_so(desk: Desk) -> None:
    desk.save(CHANGED)
    desk.starts()
    desk.save(BROKEN)
    with capture_logs() as logs:
        file = desk.starts()
    assert line_name(file) == "New Clinic"
    assert (file.source, file.broken) == ("last good", True)
    assert [log["event"] for log in logs] == ["configuration broken, started with the last good one"]


def test_after_such_a_restart_the_mended_file_is_taken_up(desk: Desk) -> None:
    desk.save(GOOD)
    desk.starts()
    desk.save(BROKEN)
    file = desk.starts()
    desk.save(CHANGED)
    assert line_name(file) == "New Clinic"
    assert file.source == "file"


def test_only_a_good_edit_is_kept_as_the_last_good_one(desk: Desk) -> None:
    desk.save(GOOD)
    file = desk.starts()
    desk.save(CHANGED)
    file.current()
    desk.save(BROKEN)
    file.current()
    assert desk.last_good.read_text(encoding="utf-8") == CHANGED


def test_what_is_kept_is_readable_by_its_owner_alone_and_nothing_else_is_left(desk: Desk) -> None:
    desk.save(GOOD)
    desk.starts()
    assert stat.S_IMODE(desk.last_good.stat().st_mode) == 0o600
    assert list(desk.last_good.parent.iterdir()) == [desk.last_good]


def test_a_place_that_cannot_be_written_does_not_keep_rung_from_starting(desk: Desk) -> None:
    desk.save(GOOD)
    desk.last_good.parent.write_text("a file where the folder should be", encoding="utf-8")
    with capture_logs() as logs:
        file = desk.starts()
    assert line_name(file) == "Clinic"
    assert "last good configuration not kept" in [log["event"] for log in logs]


def test_without_either_there_is_one_error_with_all_mistakes(desk: Desk) -> None:
    desk.save(BROKEN.replace("person: cy", "person: cyy"))
    with pytest.raises(ConfigurationError) as raised:
        desk.starts()
    told = str(raised.value)
    assert "rung check" in told
    assert "people.ben.phone" in told
    assert "cyy" in told
    assert "555-0112" not in told
    assert len(raised.value.mistakes) == 2


def test_without_a_file_the_error_says_which_one_is_missing(desk: Desk) -> None:
    with pytest.raises(ConfigurationError, match=r"rung\.yaml.*the file is not there"):
        desk.starts()
