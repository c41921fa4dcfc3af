"""`darkroom app`: the model as a web page, and for programs."""

import os
from pathlib import Path
from typing import Annotated

import typer

from darkroom.cli.command import Command, app


@app.command("app", cls=Command)
def app_command(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any free one.")] = 5678,
    host: Annotated[str, typer.Option("--host", help="The address to listen on; 0.0.0.0: every one.")] = "127.0.0.1",
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="Ask for the password in its first line.")
    ] = None,
    model: Annotated[
        str, typer.Option("--model", help="champion, a version number, or a folder such as models.")
    ] = "champion",
) -> int:
    """Serve the model as a web page and for programs.

    A new champion takes over while the app runs. The page shows answers with their
    probabilities, and saves pictures whose answer was wrong in data/feedback.

    \b
    Examples:
      darkroom app                                      http://127.0.0.1:5678, this machine only
      darkroom app --model models                       the model of the workspace, without a store
      darkroom app --host 0.0.0.0 --password-file pass  every machine, with a password
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads wait in loops, on cores that the network needs
    from darkroom.app.serve import Asked, serve

    return serve(Asked(port, host, password_file, model))
