"""Tables that a run has filled are printed at its end."""

from dataclasses import dataclass

import pytest

pytest.register_assert_rewrite(
    *(f"tests.night.{name}" for name in ("outage_stories", "peaceful_stories", "states", "whispering"))
)


@dataclass(frozen=True)
class Printed:
    """A table, and what it is called."""

    title: str
    text: str


PRINTED = pytest.StashKey[list[Printed]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print them."""
    nothing: list[Printed] = []
    for one in config.stash.get(PRINTED, nothing):
        terminalreporter.section(one.title)
        terminalreporter.write_line(one.text)
