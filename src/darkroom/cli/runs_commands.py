"""`darkroom runs` and `darkroom diff`: the recorded runs beside each other."""

from pathlib import Path
from typing import Annotated

import typer

from darkroom.cli.command import Command, app


@app.command(cls=Command)
def runs(
    where: Annotated[str, typer.Option("--where", help="Only those with, as 'test accuracy > 0.9'.")] = "",
    sort: Annotated[str, typer.Option("--sort", help="A metric, best first, or another column; -KEY turns it.")] = "",
    table: Annotated[Path | None, typer.Option("--csv", help="Also write all columns to this file.")] = None,
    page: Annotated[Path | None, typer.Option("--html", help="Also write a page to this file.")] = None,
) -> int:
    """List the runs of the pipeline and what differs between them.

    Shows all runs of the whole pipeline in the MLflow store, the newest first, with metrics and those parameters that
    differ. A terminal gets as many columns as fit, a pipe or a file all of them.

    \b
    Examples:
      darkroom runs                                          all of them
      darkroom runs --where 'test accuracy > 0.9 and train.optimizer = adam'
      darkroom runs --sort validation_accuracy --csv runs.csv
      darkroom runs --html runs.html                         a page that can be searched and sorted
    """
    from darkroom.experiments.listing import list_runs

    return list_runs(where, sort, table, page)


@app.command(cls=Command)
def diff(
    a: Annotated[str, typer.Argument(help="Name or id of a run, number or alias of its version.")],
    b: Annotated[str, typer.Argument(help="Another one.")],
) -> int:
    """Compare two runs: parameters, data and metrics.

    Where both were tested on the same pictures, each test metric has the 95 % interval of the paired difference, B
    less A, which says whether the difference is more than chance.

    \b
    Examples:
      darkroom diff digits-conv-985c212 digits-conv-5ba16e8  by their names
      darkroom diff 30b255ab fea623dc                        by the first digits of their ids
      darkroom diff champion 4                               by their registered versions
    """
    from darkroom.experiments.difference_text import print_difference

    return print_difference(a, b)
