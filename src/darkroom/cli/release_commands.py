"""The commands about registered versions."""

from typing import Annotated

import typer

from darkroom.cli.command import Command, app


@app.command(cls=Command)
def versions(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> int:
    """List the registered versions and their verdicts.

    The model is package.name of params.yaml. A verdict is released, failed, waits (for `darkroom promote`), confirmed
    or forced (by a person), rolled back, or not judged.
    """
    from darkroom.cli.releases import list_versions

    return list_versions(as_json)


@app.command(cls=Command)
def promote(
    version: Annotated[str, typer.Argument(help="The number of a version.")],
    force: Annotated[bool, typer.Option("--force", help="Also one that failed the gate; this is recorded.")] = False,
) -> int:
    """Make a version the champion.

    Confirms a version that waits, or returns to an earlier one; the champion before becomes the previous one.

    \b
    Examples:
      darkroom promote 4                  confirm version 4, which waits
      darkroom promote 2                  return to version 2, which was champion
      darkroom promote 5 --force          release version 5 although it failed the gate
    """
    from darkroom.cli import releases

    return releases.promote(version, force)


@app.command(cls=Command)
def rollback() -> int:
    """Return to the previous champion.

    Champion and previous change places. The version that loses the place is not released again by itself.
    """
    from darkroom.cli import releases

    return releases.rollback()
