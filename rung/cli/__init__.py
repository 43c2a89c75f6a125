"""The `rung` command: an operator's verbs, each in the module of the capability it serves."""

import typer

from rung.cli import acts, bridge, configuration, demo, door, page, replay, status, up, worker
from rung.temporal import leave

app = typer.Typer(
    name="rung",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="Rung answers a business's phone at night and wakes people rung by rung until a human accepts.",
    epilog="Exit codes: 0 done, 1 it did not work out, 2 asked in a way that cannot be understood.",
)

RUN, FILE, NIGHT = "Run it", "The owner's file", "In the night"
app.command(rich_help_panel=RUN)(up.up)
app.command(rich_help_panel=RUN)(demo.demo)
app.command(rich_help_panel=RUN)(door.api)
app.command(rich_help_panel=RUN)(worker.worker)
app.command(rich_help_panel=RUN)(bridge.bridge)
app.command("sandbox", rich_help_panel=RUN)(up.sandbox_alone)
app.command(rich_help_panel=FILE)(configuration.check)
app.command(rich_help_panel=FILE)(configuration.who)
app.command(rich_help_panel=FILE)(door.fallback)
app.command(rich_help_panel=NIGHT)(page.page)
app.command(rich_help_panel=NIGHT)(status.status)
app.command(rich_help_panel=NIGHT)(acts.ack)
app.command(rich_help_panel=NIGHT)(acts.decline)
app.command(rich_help_panel=NIGHT)(acts.resolve)
app.command(rich_help_panel=NIGHT)(acts.cancel)
app.command(rich_help_panel=NIGHT)(replay.replay)


def main() -> None:
    """Run the `rung` command, and leave with its exit code."""
    try:
        app()
    except SystemExit as done:
        leave(done.code if isinstance(done.code, int) else 1 if done.code else 0)
