"""`darkroom ab`: the challenger beside the champion, on the traffic."""

from pathlib import Path
from typing import Annotated

import typer

from darkroom.cli.command import Command, app
from darkroom.core.errors import UserError


@app.command(cls=Command)
def ab(
    apply: Annotated[bool, typer.Option("--apply", help="Do what is decided: promote or stop the challenger.")] = False,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Print, as CSV, the requests whose right class is worth finding out.")
    ] = False,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", help="With --waiting: a folder for those pictures that the log has.")
    ] = None,
) -> int:
    """Compare the challenger with the champion on the traffic.

    Prints counts, rates of right answers, the difference, and a decision: promote, stop or go on. All intervals hold
    at every look, so it may be run daily and acted upon as soon as it decides. The exit status is 0 whatever is
    decided, 1 when there is nothing to compare or the store or the log fails.

    \b
    Examples:
      darkroom ab                           the report
      darkroom ab --apply                   and release the better one, for a scheduler
      darkroom ab --waiting > waiting.csv   where the two differ and no right class is known
      darkroom ab --waiting --pictures out  and their pictures, if ab.log_pictures keeps them
    """
    from darkroom.traffic.live_comparison import compare_versions, print_waiting

    if waiting and apply:
        raise UserError("--waiting lists requests and decides nothing; run `darkroom ab --apply` by itself")
    if pictures and not waiting:
        raise UserError("--pictures saves the pictures of waiting requests; give --waiting too")
    return print_waiting(pictures) if waiting else compare_versions(apply)
