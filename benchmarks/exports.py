"""Exports in 8 bits beside float32 and beside the plain conversion to integers, on validation; and narrower students.

The networks: the one of the recipe digits; MobileNet of width 0.25 at 128 pixels, its backbone frozen, on ARCHIVE; and
with --cifar a small residual one on 600 pictures a class. Plain: TFLiteConverter, weights and activations of 8 bits,
calibrated on 300 pictures of train. Size is over that of the same format in float32.
"""

import argparse
import contextlib
import shutil
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from working_copy import WorkingCopy, print_table, working_copy

QUICK = {"evaluate.heat_maps": 0, "evaluate.occlusion": False, "tune.enabled": False}
QUICK |= {"evaluate.robustness": {"pictures": 0, "kinds": []}}
MOBILE = {
    "image.size": 128, "model.architecture": "MobileNet", "model.width": 0.25, "model.head": "average",
    "model.dense": [], "augment.rotation": 0.0, "augment.horizontal_flip": True, "train.epochs": 12,
    "train.learning_rate": 0.02, "train.schedule": "cosine", "train.step_epochs": [],
}  # fmt: skip
RESIDUAL = {
    "image.size": 32, "model.architecture": "residual", "model.filters": [32, 64, 128], "model.depth": 3,
    "model.head": "average", "model.dense": [], "augment.rotation": 0.0, "augment.horizontal_flip": True,
    "train.epochs": 12, "train.learning_rate": 0.003, "train.schedule": "one_cycle", "train.warmup": 0.2,
    "train.step_epochs": [], "train.keep": "last", "train.patience": 0, "split.validation": 0.25, "split.test": 0.05,
}  # fmt: skip
EACH = 600  # pictures of each class
FORMATS = ("litert", "onnx", "openvino")


def plain_conversion(root: Path) -> list[float]:
    """Return kilobytes, agreement, accuracy and p50 of the plain conversion of the model of the workspace `root`."""
    from darkroom.examples.runtime import start_tensorflow
    from darkroom.examples.sampling import evenly
    from darkroom.examples.saving import load_network
    from darkroom.export.exporting import keras_answers
    from darkroom.export.measuring import compare
    from darkroom.export.running import load_export
    from darkroom.export.workspace_data import load_splits, read_bundle
    from darkroom.export.writing import served_network

    packaged = read_bundle(root / "models/bundle")
    data = load_splits(packaged, ("train", "validation"))
    start_tensorflow(2)
    network, train = load_network(packaged.network), data["train"]
    pictures = train.pixels[train.rows[evenly(len(train), 300)]]
    with tempfile.TemporaryDirectory() as folder:
        served_network(network, packaged.rule.temperature).export(folder, format="tf_saved_model", verbose=False)
        content, file = integers(folder, pictures), Path(folder, "model.tflite")
        file.write_bytes(content)
        reference = keras_answers(network, packaged, data["validation"])
        found = compare(load_export("litert", file), reference, data["validation"])
    return [len(content) / 1000, found.agreement, found.accuracy, found.p50_ms]


def integers(folder: str, pictures: np.ndarray) -> bytes:
    """Return a SavedModel converted to integers, weights and activations, calibrated on pictures."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(folder)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([picture[None]] for picture in pictures)
    content: bytes = converter.convert()
    return content


def exported(copy: WorkingCopy, name: str) -> list[list[Any]]:
    """Return the rows of the table: each format in float32 and in 8 bits, and the plain conversion."""
    copy.env["PYTHONPATH"] = "src"
    copy.measure("dvc", "repro")
    for kind in FORMATS:
        for precision in ("float32", "int8"):
            words = ["--format", kind, "--precision", precision, "--output", f"out/{kind}-{precision}"]
            copy.measure("darkroom", "export", "--model", "models", *words)
    table = pd.read_csv(copy.root / "reports/export.csv").set_index(["format", "precision"])
    whole = table["kilobytes"].xs("float32", level="precision")
    rows = [
        [name, kind, precision, row.kilobytes, row.kilobytes / whole[kind], row.agreement, row.accuracy, row.p50_ms]
        for (kind, precision), row in table.iterrows()
    ]
    with contextlib.chdir(copy.root):
        size, *rest = plain_conversion(copy.root)
    return [*rows, [name, "litert, plain", "int8", size, size / whole["litert"], *rest]]


def students(copy: WorkingCopy) -> list[list[Any]]:
    """Return the rows of students of digits: name, accuracy, sizes, time."""
    sizes = ["--filters", "24,48,96", "--filters", "16,32,64", "--sparsity", "0.8", "--epochs", "20"]
    copy.measure("darkroom", "shrink", "--model", "models", *sizes)
    table = pd.read_csv(copy.root / "reports/shrink.csv")
    return table[["name", "accuracy", "kilobytes", "zipped_kilobytes", "p50_ms"]].to_numpy().tolist()


@contextlib.contextmanager
def copy_with(changes: dict[str, Any], raw: Path, weights: Path | None = None) -> Iterator[WorkingCopy]:
    """Yield a working copy with an archive as its source, perhaps with weights, and with changed parameters."""
    with working_copy() as copy:
        for folder, file in (("raw", raw), ("weights", weights)):
            if file:
                (copy.root / "data" / folder).mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy.root / "data" / folder)
        named = {"model.weights": weights.name} if weights else {}
        copy.set({**QUICK, **changes, "ingest.source": raw.name, **named})
        yield copy


def narrowed(archive: Path, target: Path) -> Path:
    """Write an archive of the first EACH pictures of each class in train/, and return its path."""
    taken: Counter[str] = Counter()
    with zipfile.ZipFile(archive) as source, zipfile.ZipFile(target, "w") as written:
        for name in sorted(source.namelist()):
            first, _, rest = name.partition("/")
            label = rest.partition("/")[0]
            if first == "train" and not name.endswith("/") and taken[label] < EACH:
                taken[label] += 1
                written.writestr(rest, source.read(name))
    return target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="MobileNet's, width 0.25, 224 pixels, without top (.h5)")
    parser.add_argument("archive", type=Path, help="a .zip with a folder of pictures for each class")
    parser.add_argument("--cifar", type=Path, help="CIFAR-10 as a .zip with train/, ten class folders in it")
    chosen = parser.parse_args()
    header = ["", "format", "precision", "kB", "over float32", "same label", "accuracy", "p50 ms"]
    with working_copy() as copy:
        copy.set(QUICK)
        print_table(header, *exported(copy, "digits"))
        print_table(["student", "accuracy", "kB", "compressed kB", "p50 ms"], *students(copy))
    with copy_with(MOBILE, chosen.archive, chosen.weights) as copy:
        print_table(header, *exported(copy, f"MobileNet, {chosen.archive.stem}"))
    if chosen.cifar:
        with tempfile.TemporaryDirectory() as folder:
            small = narrowed(chosen.cifar, Path(folder, "cifar10-narrowed.zip"))
            with copy_with(RESIDUAL, small) as copy:
                print_table(header, *exported(copy, f"residual, {chosen.cifar.stem}"))


if __name__ == "__main__":
    main()
