"""`darkroom export` and `darkroom shrink`."""

from pathlib import Path
from typing import Annotated

import typer

from darkroom.cli.command import Command, app

Format = Annotated[str, typer.Option("--format", help="litert, onnx, openvino, saved-model or keras.")]
Output = Annotated[Path, typer.Option("--output", help="The folder to write.")]
Precision = Annotated[str, typer.Option("--precision", help="float32, float16 or int8.")]
Model = Annotated[
    str, typer.Option("--model", "--version", help="champion, a version number, or a folder such as models.")
]
Filters = Annotated[
    list[str] | None, typer.Option("--filters", help="Filters of each block, such as 16,32,64; several times.")
]
Width = Annotated[
    list[float] | None, typer.Option("--width", min=0.05, max=2, help="Width of a MobileNet; several times.")
]
Sparsity = Annotated[float, typer.Option("--sparsity", min=0, max=0.99, help="Share of the weights to set to 0.")]
Epochs = Annotated[int | None, typer.Option("--epochs", min=1, help="In place of train.epochs.")]
Teacher = Annotated[
    str,
    typer.Option("--model", "--version", help="The teacher: champion, a version number, or a folder such as models."),
]


@app.command(cls=Command)
def export(
    format: Format,  # noqa: A002
    output: Output,
    precision: Precision = "float32",
    model: Model = "champion",
) -> int:
    """Export a model to run without darkroom.

    The model takes pixels (n, size, size, 3) as bytes and gives calibrated probabilities; beside it are labels.txt and
    example.py. It is compared with Keras on the validation pictures: reports/export.csv and reports/export.html. One
    that loses more accuracy than export.max_loss is not written.

    \b
    Examples:
      darkroom export --format onnx --output out                       the champion for ONNX Runtime
      darkroom export --format litert --precision int8 --output small  a third of the size, for small devices
      darkroom export --format openvino --model models --output out    the model of the workspace
    """
    from darkroom.export.exporting import Export, export_bundle, require_usable
    from darkroom.serving.bundles import open_bundle

    asked = Export(model, format, precision, output)
    require_usable(asked)
    with open_bundle(model) as bundle:
        return export_bundle(asked, bundle)


@app.command(cls=Command)
def shrink(
    filters: Filters = None,
    width: Width = None,
    sparsity: Sparsity = 0.0,
    epochs: Epochs = None,
    model: Teacher = "champion",
) -> int:
    """Train smaller networks on the champion's answers.

    Each student is a model of its own in models/students/. reports/shrink.csv and reports/shrink.html compare accuracy
    on the validation pictures, size and latency with the champion's. Narrower networks are quicker. --sparsity makes
    the file smaller when it is compressed, and nothing quicker; without a size, it prunes the champion.

    \b
    Examples:
      darkroom shrink --filters 24,48,96 --filters 16,32,64  two students beside the champion
      darkroom shrink --filters 16,32,64 --sparsity 0.8      a student, and the same with most weights at 0
      darkroom shrink --width 0.1                            a narrower MobileNet
    """
    from darkroom.export import shrinking
    from darkroom.serving.bundles import open_bundle

    asked = shrinking.Shrink(filters or [], width or [], sparsity, epochs)
    params, sizes = shrinking.wanted_sizes(asked)
    with open_bundle(model) as bundle:
        return shrinking.shrink(asked, params, sizes, bundle)
