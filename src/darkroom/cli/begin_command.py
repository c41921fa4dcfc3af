"""`darkroom begin`: from a folder of pictures to params.yaml, every value with its reason."""

from typing import Annotated

import typer

from darkroom.cli.command import Command, app

Where = Annotated[str, typer.Argument(metavar="PATH", help="A folder, an archive, a table, or a web address.")]
Minutes = Annotated[
    float, typer.Option("--minutes", min=0.5, help="How many minutes `make repro` should take on this machine.")
]
DataOnly = Annotated[
    bool, typer.Option("--data-only", help="Choose what concerns the data; leave the network as it is.")
]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only print: nothing is linked, copied or written.")]


@app.command(cls=Command)
def begin(path: Where, minutes: Minutes = 10.0, data_only: DataOnly = False, dry_run: Dry = False) -> int:
    """Look at your pictures and set params.yaml for them.

    Puts PATH below data/raw/, looks at the pictures and at this machine, chooses data settings, network, augmentation
    and epochs by the rules of docs/begin.md, and writes them into params.yaml, each with its reason above it. What the
    data suggests but you must decide is proposed, never applied.

    \b
    Examples:
      darkroom begin ~/photos               a folder with a folder of pictures for each class
      darkroom begin bears.zip --minutes 3  for a first result in three minutes
      darkroom begin bears.zip --dry-run    see what would be chosen
      darkroom begin bears.zip --data-only  keep the network of params.yaml
    """
    from darkroom.cli.begin_steps import begin as begin_with

    return begin_with(path, minutes, data_only, dry_run)
