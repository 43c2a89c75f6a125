"""What a measurement is, and how all of them are shown: one table, or JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from rich import box
from rich.console import Console
from rich.table import Table

from bench.arithmetic import quantile


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    samples: how many, of what. limits: what this number is bounded by, in a few words. numbers: the same for
    machines. holds: whether a rule held that no machine is too slow for; None where the figure is no rule.
    """

    what: str
    value: str
    samples: str = ""
    aim: str = ""
    limits: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict[str, float])
    holds: bool | None = None


@dataclass(frozen=True)
class Result:
    """The figures of one section, and how long it took."""

    section: str
    title: str
    figures: Sequence[Figure]
    took_s: float


def spread(what: str, values_ms: Sequence[float], *, samples: str, aim: str = "", limits: str = "") -> Figure:
    """Times in milliseconds as p50, p99 and the longest."""
    if not values_ms:
        return Figure(what, "no sample", samples, aim, limits, holds=False)
    p50, p99, longest = (quantile(values_ms, share) for share in (0.5, 0.99, 1.0))
    numbers = {"p50_ms": p50, "p99_ms": p99, "max_ms": longest, "n": float(len(values_ms))}
    value = f"p50 {shown(p50)}  p99 {shown(p99)}  max {shown(longest)}"
    return Figure(what, value, f"{len(values_ms)} {samples}", aim, limits, numbers)


def rule(what: str, wrong: int, *, samples: str, aim: str = "0", limits: str = "") -> Figure:
    """A count that must be nought on any machine."""
    return Figure(what, str(wrong), samples, aim, limits, {"count": float(wrong)}, holds=wrong == 0)


def shown(ms: float) -> str:
    """A time as one reads it."""
    return f"{ms:.0f} ms" if ms < 1000 else f"{ms / 1000:.2f} s"


def table(results: Iterable[Result]) -> Table:
    """Everything measured, in one table."""
    shape = Table(box=box.SIMPLE_HEAD, show_lines=False, pad_edge=False)
    for heading in ("figure", "measured", "samples", "aim", "what limits it"):
        shape.add_column(heading, overflow="fold")
    for result in results:
        shape.add_section()
        shape.add_row(f"[bold]{result.title}[/] [dim]({result.section}, {result.took_s:.0f} s)[/]")
        for figure in result.figures:
            broken = figure.holds is False
            value = f"[red]{figure.value}[/]" if broken else figure.value
            shape.add_row(f"  {figure.what}", value, figure.samples, figure.aim, figure.limits)
    return shape


def as_json(results: Iterable[Result], machine: Mapping[str, object]) -> dict[str, object]:
    """The same for a machine."""
    return {"machine": machine, "sections": [asdict(result) for result in results]}


def print_table(console: Console, results: Sequence[Result]) -> None:
    """Print the table."""
    console.print(table(results))
