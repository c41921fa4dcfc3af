"""`darkroom export`: one model in one format, measured on validation."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from darkroom.core.errors import UserError
from darkroom.core.files import prepare_partial, remove
from darkroom.core.paths import workspace
from darkroom.examples.pixels import Examples
from darkroom.examples.runtime import start_tensorflow
from darkroom.examples.sampling import evenly
from darkroom.examples.saving import load_network
from darkroom.export.example_code import example_code
from darkroom.export.export_table import Row, record_export
from darkroom.export.formats import FORMATS, require_possible
from darkroom.export.measuring import compare, kilobytes_of
from darkroom.export.rounding import PICTURES, round_weights
from darkroom.export.running import load_export
from darkroom.export.workspace_data import Packaged, load_splits, read_bundle
from darkroom.export.writing import served_network, write_model
from darkroom.package.version import version_of
from darkroom.params.load import load_params

if TYPE_CHECKING:
    import keras

PICTURES_AT_ONCE = 64
EXAMPLE, LABELS = "example.py", "labels.txt"
OURS = {EXAMPLE, LABELS, "model.bin", *(form.model for form in FORMATS.values())}
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Export:
    """The arguments of `darkroom export`."""

    version: str
    format: str
    precision: str
    output: Path


def require_usable(asked: Export) -> None:
    """Raise UserError for what cannot be exported, before anything is fetched or loaded."""
    require_possible(asked.format, asked.precision)
    output = asked.output
    if output.is_file():
        raise UserError(f"--output {output}: is a file; give a new folder, or that of an earlier export")
    with _naming_output(output):
        names = {file.name for file in output.iterdir()} if output.is_dir() else set()
    if names and not {EXAMPLE, LABELS} <= names <= OURS:  # all that is there will be deleted
        raise UserError(
            f"--output {output}: is not empty, and holds more or less than an earlier export; give a new one"
        )


def export_bundle(asked: Export, bundle: Path) -> int:
    """Write the export of a bundle to asked.output, and its row in reports/export.csv; return 0.

    Raises UserError, and leaves no export, when it loses more accuracy than `export.max_loss`.
    """
    if asked.version == "champion":  # of which there will be others
        asked = replace(asked, version=version_of(bundle))
    params = load_params(workspace() / "params.yaml")
    packaged = read_bundle(bundle)
    data = load_splits(packaged, ("train", "validation"))
    start_tensorflow(params.train.threads)
    network = load_network(packaged.network)
    with _naming_output(asked.output), _replaced_folder(asked.output) as folder:
        row = _write(asked, network, packaged, data, folder)
        _require_accurate(asked, row, params.export.max_loss)
    record_export(workspace(), row)
    logger.info("%s", _sentence(asked, row))
    return 0


def _write(asked: Export, network: "keras.Model", packaged: Packaged, data: dict[str, Examples], folder: Path) -> Row:
    """Write all files of an export to `folder` and return its row of the table."""
    model, validation = folder / FORMATS[asked.format].model, data["validation"]
    reference = keras_answers(network, packaged, validation)
    if asked.precision == "int8":
        rows = data["train"].rows[evenly(len(data["train"]), PICTURES)]
        round_weights(network, data["train"].pixels[rows])
    write_model(served_network(network, packaged.rule.temperature), asked.format, asked.precision, model)
    (folder / LABELS).write_text("\n".join(packaged.classes) + "\n", encoding="utf-8")
    (folder / EXAMPLE).write_text(example_code(asked.format, packaged.image), encoding="utf-8")
    found = compare(load_export(asked.format, model), reference, validation)
    return Row(
        format=asked.format,
        precision=asked.precision,
        kilobytes=kilobytes_of(model),
        agreement=found.agreement,
        accuracy=found.accuracy,
        p50_ms=found.p50_ms,
        difference=found.difference,
        keras_accuracy=found.reference,
        pictures=len(validation),
        version=asked.version,
    )


def keras_answers(network: "keras.Model", packaged: Packaged, examples: Examples) -> np.ndarray:
    """Return the calibrated probabilities (n, classes) that the served model answers."""
    from darkroom.examples.metrics import predict

    return packaged.rule.calibrate(predict(network, examples, PICTURES_AT_ONCE))


def _require_accurate(asked: Export, row: Row, allowed: float) -> None:
    lost = row.keras_accuracy - row.accuracy
    if round(lost, 9) > allowed:
        raise UserError(
            f"--format {asked.format} --precision {asked.precision}: loses {100 * lost:.1f} points of accuracy on "
            f"{row.pictures:,} validation pictures, export.max_loss allows {100 * allowed:g}; nothing is written: "
            "take another precision, or raise export.max_loss",
            1,
        )


@contextmanager
def _naming_output(output: Path) -> Iterator[None]:
    """Raise UserError where a folder cannot be read or written."""
    try:
        yield
    except OSError as error:
        raise UserError(
            f"--output {output}: cannot be written: {error.strerror or error}; give another folder"
        ) from None


@contextmanager
def _replaced_folder(output: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `output`; it takes its place when the block succeeds, else nothing is left."""
    temporary = prepare_partial(output)
    temporary.mkdir()
    try:
        yield temporary
        remove(output)
        temporary.rename(output)
    except BaseException:
        remove(temporary)
        raise


def _sentence(asked: Export, row: Row) -> str:
    return (
        f"{asked.output}: {row.kilobytes:,.0f} kB, the same label as Keras on {100 * row.agreement:.1f} % of "
        f"{row.pictures:,} validation pictures, accuracy {100 * row.accuracy:.1f} % (Keras "
        f"{100 * row.keras_accuracy:.1f} %), {row.p50_ms:.2f} ms a picture; reports/export.html"
    )
