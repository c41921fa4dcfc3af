"""Quantisation-aware fine-tuning beside conversion after training, on validation.

The networks are those of exports.py: the one of the recipe digits, and MobileNet of width 0.25 on ARCHIVE. Each is
trained a few epochs further at a low rate: as it is (the control), with kernels of 8 bits, and with kernels and
activations of 8 bits. Gradients pass the rounding unchanged (Y. Bengio et al., arXiv:1308.3432); normalisations keep
their statistics. Each is stored in float32, with weights of 8 bits as `darkroom export` does it, and converted to
integers, weights and activations, calibrated on 300 pictures of train. `same label` is that of the network before.
"""

import argparse
import contextlib
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from exports import MOBILE, QUICK, copy_with, integers
from quantised_network import rounded, rounding_activations
from working_copy import WorkingCopy, print_table, working_copy

HEADER = ["", "trained further", "stored as", "kB", "over float32", "same label", "accuracy"]
WAYS = ("no", "as it is", "kernels of 8 bits", "activations too")
Network = Any  # a keras.Model, whose import takes seconds


def train_further(trained: Network, network: Network, batches: Any, epochs: int, rate: float, eight: bool) -> None:
    """Train the layers of `trained` by the answers of `network`, which has the same ones; with kernels of 8 bits."""
    import keras
    import tensorflow as tf

    trained.trainable = True
    variables = trained.trainable_variables
    kernels = [one for one in variables if one.name.endswith("kernel")] if eight else []
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, epochs * len(batches)))
    optimizer.build(variables)
    loss_of = keras.losses.CategoricalCrossentropy()

    @tf.function(reduce_retracing=True, autograph=False)
    def step(pixels: Any, targets: Any) -> None:
        kept = [tf.identity(kernel.value) for kernel in kernels]
        for kernel in kernels:
            kernel.assign(rounded(kernel.value))
        with tf.GradientTape() as tape:
            loss = loss_of(targets, network(pixels, training=False))
        gradients = tape.gradient(loss, [one.value for one in variables])
        for kernel, values in zip(kernels, kept, strict=True):
            kernel.assign(values)
        optimizer.apply(gradients, variables)

    for _ in range(epochs):
        for place in range(len(batches)):
            pixels, targets = batches[place][:2]
            step(tf.constant(pixels, tf.float32), tf.constant(targets, tf.float32))
        batches.on_epoch_end()


def trial(root: Path, name: str, epochs: int, rate: float) -> None:
    """Print the rows of the table for the model of the workspace `root`, of each way as it is done."""
    from darkroom.augmentation.variation import Variation
    from darkroom.examples.batches import Batches
    from darkroom.examples.runtime import start_tensorflow
    from darkroom.examples.sampling import evenly
    from darkroom.examples.saving import load_network
    from darkroom.export.exporting import keras_answers
    from darkroom.export.workspace_data import load_splits, read_bundle
    from darkroom.export.writing import served_network
    from darkroom.params.load import load_params

    packaged, params = read_bundle(root / "models/bundle"), load_params(root / "params.yaml")
    data = load_splits(packaged, ("train", "validation"))
    start_tensorflow(2)
    pictures = data["train"].pixels[data["train"].rows[evenly(len(data["train"]), 300)]]
    reference = keras_answers(load_network(packaged.network), packaged, data["validation"])
    for way in WAYS:
        network = load_network(packaged.network)
        if way != "no":
            batches = Batches(data["train"].for_training(), 64, 0, Variation(params.augment, 0))
            computing = rounding_activations(network) if way == "activations too" else network
            train_further(network, computing, batches, epochs, rate, way != "as it is")
        served = served_network(network, packaged.rule.temperature)
        found = stored(served, pictures, reference, data["validation"])
        print_table(HEADER, *([name, way, *row] for row in found))


def stored(network: Network, pictures: np.ndarray, reference: np.ndarray, validation: Any) -> list[list[Any]]:
    """Return a row for each way of storing a network: its name, kilobytes, over float32, same label, accuracy.

    It changes the network: the kernels are rounded at last.
    """
    from darkroom.export.measuring import compare
    from darkroom.export.rounding import round_weights
    from darkroom.export.running import load_export
    from darkroom.export.writing import write_model

    rows: list[list[Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        files = {name: Path(folder, f"{name}.tflite") for name in ("float32", "integers", "int8 weights")}
        write_model(network, "litert", "float32", files["float32"])
        network.export(Path(folder, "saved"), format="tf_saved_model", verbose=False)
        files["integers"].write_bytes(integers(str(Path(folder, "saved")), pictures))
        round_weights(network.get_layer("network"), pictures)
        write_model(network, "litert", "int8", files["int8 weights"])
        for name, file in files.items():
            found, size = compare(load_export("litert", file), reference, validation), file.stat().st_size / 1000
            rows.append([name, size, size / (rows[0][1] if rows else size), found.agreement, found.accuracy])
    return rows


def run(copy: WorkingCopy, name: str, epochs: int, rate: float) -> None:
    copy.env["PYTHONPATH"] = "src"
    copy.measure("dvc", "repro")
    with contextlib.chdir(copy.root):
        trial(copy.root, name, epochs, rate)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="MobileNet's, width 0.25, 224 pixels, without top (.h5)")
    parser.add_argument("archive", type=Path, help="a .zip with a folder of pictures for each class")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=1e-4, help="the first of a cosine's")
    chosen = parser.parse_args()
    with working_copy() as copy:
        copy.set(QUICK)
        run(copy, "digits", chosen.epochs, chosen.rate)
    with copy_with(MOBILE, chosen.archive, chosen.weights) as copy:
        run(copy, f"MobileNet, {chosen.archive.stem}", chosen.epochs, chosen.rate)


if __name__ == "__main__":
    main()
