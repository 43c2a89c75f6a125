"""Every process killed in every state of an escalation: nobody is forgotten, nobody is woken twice.

A round kills once, with a story in each state (rounds.py); each test looks at one cell. The table is printed at
the end of the run and kept as build/kill-table.txt.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from tests.night.conftest import PRINTED, Printed
from tests.night.installation import Installation, installed
from tests.night.owners_file import OwnersFile
from tests.night.rounds import KILLED, Cell, Round, play
from tests.night.states import STATES, State
from tests.night.table import table

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Real processes die and start anew, and every round waits for what only a look finds, every 30 s.
    pytest.mark.long(reason="six rounds of real processes killed and started anew: about ten minutes"),
    pytest.mark.timeout(600),
]

FILE = OwnersFile()
LINES = {
    killed: {state.name: state.line(FILE, killed.replace(" ", "-")) for state in STATES} for killed in KILLED
}
# Where a stop must not fail because other programs made phones stop ringing: a cell that went wrong is played once
# more, alone and on a line of its own, and the table shows both.
AGAIN = bool(os.environ.get("RUNG_KILLS_AGAIN"))
LINES_AGAIN = {
    (killed, state.name): (
        state.line(FILE, f"{killed.replace(' ', '-')}-again"),
        FILE.line(f"{killed}-{state.name}-decoy".replace(" ", "-").replace(",", ""), [["ana"]]),
    )
    for killed in (KILLED if AGAIN else ())
    for state in STATES
}
DECOYS = {killed: FILE.line(f"{killed.replace(' ', '-')}-decoy", [["ana"]]) for killed in KILLED}
# Whoever has picked up is asked for a key for as long as processes take to start anew.
TALK = {"speech_characters_per_second": 25}


@dataclass
class Table:
    """The rounds as they are played: each when its first cell is asked for."""

    night: Installation
    chosen: dict[str, list[State]]
    rounds: dict[str, Round] = field(default_factory=dict[str, Round])
    repeated: list[Round] = field(default_factory=list[Round])

    async def cell(self, killed: str, state: State) -> Cell:
        """What came of killing this in that state."""
        if killed not in self.rounds:
            self.rounds[killed] = await play(
                self.night, killed, LINES[killed], self.chosen[killed], DECOYS[killed]
            )
        cell = self.rounds[killed].cells[state.name]
        if not cell.wrong or not AGAIN:
            return cell
        line, decoy = LINES_AGAIN[killed, state.name]
        repeated = await play(self.night, killed, {state.name: line}, [state], decoy)
        self.repeated.append(repeated)
        return repeated.cells[state.name]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def kill_table(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Table]:
    """One installation for all rounds; only the cells that were chosen are played."""
    chosen: dict[str, list[State]] = {}
    for item in request.session.items:
        if item.path == request.path and (spec := getattr(item, "callspec", None)) is not None:
            chosen.setdefault(spec.params["killed"], []).append(spec.params["state"])
    async with installed(tmp_path_factory.mktemp("kills"), FILE, TALK) as night:
        played = Table(night, chosen)
        yield played
    text = table([*played.rounds.values(), *played.repeated])
    request.config.stash.setdefault(PRINTED, []).append(Printed("kill table", text))
    kept = request.config.rootpath / "build" / "kill-table.txt"
    await asyncio.to_thread(kept.parent.mkdir, exist_ok=True)
    await asyncio.to_thread(kept.write_text, text)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name.replace(" ", "-"))
@pytest.mark.parametrize("killed", list(KILLED))
async def test_the_escalation_ends_as_it_would_have(killed: str, state: State, kill_table: Table) -> None:
    cell = await kill_table.cell(killed, state)
    assert cell.wrong == []
