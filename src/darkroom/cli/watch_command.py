"""`darkroom watch`: tell when the traffic no longer looks like the pictures that the model knows."""

from typing import Annotated

import typer

from darkroom.cli.command import Command, app


@app.command(cls=Command)
def watch(
    model: Annotated[
        str, typer.Option("--model", help="champion, a version number, or a folder such as models.")
    ] = "champion",
) -> int:
    """Tell whether the traffic has drifted.

    Compares the latest answers with those on the reference pictures, prints requests, errors, latency and a line for
    each check, and writes reports/watch.html. The exit status is 1 when the traffic has drifted, 0 when it has not or
    the answers are too few to tell, 2 when something is wrong.

    \b
    Examples:
      darkroom watch                      the champion's traffic
      darkroom watch --model 3            that of version 3
    """
    from darkroom.watch.command import watch_model

    return watch_model(model)
