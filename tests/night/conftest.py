"""Tables that a run has filled are printed at its end."""

import pytest

PRINTED = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print them."""
    for text in config.stash.get(PRINTED, []):
        terminalreporter.section("kill table")
        terminalreporter.write_line(text)
