"""The `rung` command: an operator's verbs, each in the module of the capability it serves."""

import typer

app = typer.Typer(name="rung", no_args_is_help=True, add_completion=False)


def main() -> None:
    """Run the `rung` command."""
    app()
