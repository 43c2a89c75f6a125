"""Tables that a run has filled are printed at its end."""

import pytest

pytest.register_assert_rewrite(
    *(f"tests.night.{name}" for name in ("outage_stories", "peaceful_stories", "states"))
)

PRINTED = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print them."""
    nothing: list[str] = []
    for text in config.stash.get(PRINTED, nothing):
        terminalreporter.section("kill table")
        terminalreporter.write_line(text)
