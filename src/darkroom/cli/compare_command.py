"""`darkroom compare`: variants of a base, trained with the same seeds."""

from contextlib import suppress
from typing import Annotated

import typer

from darkroom.cli.command import Command, app
from darkroom.core.errors import UserError


def _complete_comparison(incomplete: str) -> list[str]:
    from darkroom.core.paths import workspace
    from darkroom.experiments.comparison_file import comparison_names

    with suppress(UserError):
        return [name for name in comparison_names(workspace()) if name.startswith(incomplete)]
    return []


Name = Annotated[
    str | None, typer.Argument(help="A file of comparisons/, without .yaml.", autocompletion=_complete_comparison)
]
Seeds = Annotated[int | None, typer.Option("--seeds", min=1, help="How many, in place of those in the file.")]
OnTest = Annotated[bool, typer.Option("--test", help="Also measure all of them on the test split, once.")]


@app.command(cls=Command)
def compare(name: Name = None, seeds: Seeds = None, test: OnTest = False) -> int:
    """Compare variants over the same seeds, or list the comparisons.

    Trains the base and every variant of comparisons/NAME.yaml with each seed and writes reports/comparisons/NAME.csv
    and NAME.html: mean, deviation, paired difference to the base with its interval, verdict. What has been trained is
    never trained again: a comparison that was stopped goes on, a further variant or seed costs only itself.

    \b
    Examples:
      darkroom compare                   list the comparisons
      darkroom compare digits            run one, or what is new in it
      darkroom compare digits --seeds 8  with three seeds more than its five
      darkroom compare digits --test     also on the test split, which counts as looking at it once
    """
    from darkroom.experiments.comparing import compare as run_comparison
    from darkroom.experiments.comparing import list_comparisons

    if name:
        return run_comparison(name, seeds, test)
    if seeds or test:
        raise UserError("--seeds and --test need the name of a comparison; `darkroom compare` lists them")
    return list_comparisons()
