"""The kill table, as it is printed and kept."""

from collections.abc import Iterable

from tests.night.rounds import Cell, Round

NOTES = """\
calls/texts/pushes per person; `asked` is what the story asks for. Times in seconds from the kill: until the killed
processes served again, until caller and responder were together (or what else the story waits for; + is how much
later than with nobody killed), until escalation and call were closed.
Allowed beyond what is asked: one push more per person where a worker died (a push has nothing to be looked up by).
Everything else is exact: a call or a text that may or may not have gone out is looked for, never sent again unseen.
"""


def table(rounds: Iterable[Round]) -> str:
    """All rounds, one line a cell."""
    rounds = list(rounds)
    undisturbed = {
        name: cell.arrived_s
        for told in rounds
        if told.killed == "nobody"
        for name, cell in told.cells.items()
        if cell.arrived_s is not None
    }
    lines = [
        f"{'killed':<9} {'state':<36} {'':<6} {'serving':>8} {'together':>9} {'':>7} {'closed':>7}  per person"
    ]
    for told in rounds:
        lines.append("")
        for name, cell in told.cells.items():
            lines.append(_line(cell, told.serving_s, undisturbed.get(name)))
            lines.extend(f"{'':<10}{wrong}" for wrong in cell.wrong)
    return "\n".join([*lines, "", NOTES])


def _line(cell: Cell, serving_s: float, undisturbed_s: float | None) -> str:
    later = (
        f"{cell.arrived_s - undisturbed_s:+.1f}"
        if cell.arrived_s is not None and undisturbed_s is not None and cell.killed != "nobody"
        else ""
    )
    people = ", ".join(
        f"{name} {had}"
        + ("" if str(had) == str(cell.state.asked.get(name, had)) else f" (asked {cell.state.asked[name]})")
        for name, had in cell.seen.items()
        if had.calls or name in cell.state.asked
    )
    verdict = "WRONG" if cell.wrong else "ok"
    return (
        f"{cell.killed:<9} {cell.state.name:<36} {verdict:<6} {_s(serving_s)} {_s(cell.arrived_s, 9)}"
        f" {later:>7} {_s(cell.ended_s, 7)}  {people}"
    )


def _s(seconds: float | None, width: int = 8) -> str:
    return f"{'-' if seconds is None else f'{seconds:.1f}':>{width}}"
