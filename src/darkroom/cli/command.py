"""The typer application on which every command registers itself."""

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from darkroom.execution.exits import reported_errors


class Command(TyperCommand):
    """Ends with the exit status that its function returns; a user's error is one line with its own status."""

    def invoke(self, ctx: Any) -> None:
        """Run the command; raises SystemExit or typer.Exit."""
        with reported_errors(f"darkroom {ctx.info_name}"):
            status = super().invoke(ctx)
        raise typer.Exit(status)


# the order in the help: as people meet them
ORDER = [
    "begin",
    "recipe",
    "params",
    "accept",
    "rates",
    "runs",
    "diff",
    "compare",
    "predict",
    "app",
    "ab",
    "watch",
    "versions",
    "promote",
    "rollback",
    "export",
    "shrink",
    "doctor",
]


class Commands(TyperGroup):
    """Lists the commands in `ORDER`, whichever module registered them first."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Return the names of the commands."""
        return sorted(self.commands, key=ORDER.index)


app = typer.Typer(
    cls=Commands,
    help="Turn a folder of pictures into a served, tracked, reproducible image classifier.\n\n"
    "`make repro` runs the pipeline that params.yaml describes; these commands help before and after it.",
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
