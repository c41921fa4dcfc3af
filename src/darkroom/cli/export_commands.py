"""`darkroom export` and `darkroom shrink`."""

from pathlib import Path
from typing import Annotated

import typer

from darkroom.cli.command import Command, app


@app.command(cls=Command)
def export(
    format: Annotated[str, typer.Option("--format", help="litert, onnx, openvino, saved-model or keras.")],  # noqa: A002
    output: Annotated[Path, typer.Option("--output", help="The folder to write.")],
    precision: Annotated[str, typer.Option("--precision", help="float32, float16 or int8.")] = "float32",
    version: Annotated[
        str, typer.Option("--version", help="champion, a version number, or a folder such as models.")
    ] = "champion",
) -> int:
    """Export a model to run without darkroom.

    The model takes pixels (n, size, size, 3) as bytes and gives calibrated probabilities; beside it are labels.txt and
    example.py. It is compared with Keras on the validation pictures: reports/export.csv and reports/export.html. One
    that loses more accuracy than export.max_loss is not written.

    \b
    Examples:
      darkroom export --format onnx --output out                       the champion for ONNX Runtime
      darkroom export --format litert --precision int8 --output small  a quarter of the size, for small devices
      darkroom export --format openvino --version models --output out  the model of the workspace
    """
    from darkroom.export.exporting import Export, export_bundle, require_usable
    from darkroom.serving.bundles import open_bundle

    asked = Export(version, format, precision, output)
    require_usable(asked)
    with open_bundle(version) as bundle:
        return export_bundle(asked, bundle)
