"""The `rung` command: an operator's verbs, each in the module of the capability it serves.

Only the module of the verb that was asked for is loaded: somebody at a terminal in the night does not wait for
the rest of the house.
"""

import sys
from collections.abc import Iterable
from importlib import import_module

import typer

from rung.leaving import leave

VERBS = {
    "up": "up:up",
    "demo": "demo:demo",
    "api": "door:api",
    "worker": "worker:worker",
    "bridge": "bridge:bridge",
    "sandbox": "up:sandbox_alone",
    "check": "configuration:check",
    "who": "configuration:who",
    "fallback": "door:fallback",
    "page": "page:page",
    "status": "status:status",
    "ack": "acts:ack",
    "decline": "acts:decline",
    "resolve": "acts:resolve",
    "cancel": "acts:cancel",
    "room": "room:room",
    "replay": "replay:replay",
}
"""Each verb and where it is: a module of this package, and a function in it."""


def command(verbs: Iterable[str] = VERBS) -> typer.Typer:
    """The command with these verbs."""
    app = typer.Typer(
        name="rung",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        help="Rung answers a business's phone at night and wakes people rung by rung until a human accepts.",
        epilog="Exit codes: 0 done, 1 it did not work out, 2 asked in a way that cannot be understood.",
    )
    app.callback()(_together)
    for verb in verbs:
        module, function = VERBS[verb].split(":")
        app.command(verb)(getattr(import_module(f"{__name__}.{module}"), function))
    return app


def main() -> None:
    """Run the `rung` command, and leave with its exit code."""
    asked = sys.argv[1:2]
    try:
        command(asked if asked and asked[0] in VERBS else VERBS)()
    except SystemExit as done:
        leave(done.code if isinstance(done.code, int) else 1 if done.code else 0)


def _together() -> None:
    """Keep one verb a verb: without this, a command of one would swallow its name."""
