"""Trains a network in one form and prints a line of JSON: pictures a second, memory, digest of the weights.

python benchmarks/epoch.py PICTURES.npz FORM RECIPE [--pictures N] [--epochs N] [--batch N] [--free]

FORM: "real", as the stage train does it; "one", the same with its first batch, kept in memory, again and again;
"original", the network of cifar10-cnn in plain Keras behind ImageDataGenerator.flow, batch 32. The first epoch warms
up. --free leaves out what makes runs repeatable.
"""

import argparse
import json
import resource
import time
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

VALIDATION = 500  # pictures


def load(file: Path, pictures: int) -> dict[str, Any]:
    """Return pictures in a drawn order, mapped from disk as train has them: train and a few for validation."""
    from darkroom.examples.pixels import Examples

    data = np.load(file)
    order = np.random.default_rng(0).permutation(len(data["train_labels"]) + len(data["test_labels"]))
    mapped = file.with_suffix(".npy")
    if not mapped.exists():
        np.save(mapped, np.concatenate([data["train"], data["test"]])[order])
    labels = np.concatenate([data["train_labels"], data["test_labels"]])[order].astype(np.int32)
    pixels, classes = np.load(mapped, mmap_mode="r"), tuple("abcdefghij")
    rows = {"train": np.arange(pictures - VALIDATION), "validation": np.arange(pictures - VALIDATION, pictures)}
    return {name: Examples(pixels, part, labels[part], classes) for name, part in rows.items()}


def recipe_params(name: str, epochs: int, batch: int | None) -> Any:
    """Return the parameters of a recipe with other epochs."""
    from darkroom.params.declared import DeclaredParams
    from darkroom.params.load import load_params, with_overlay
    from darkroom.params.recipes import DEFAULT, read_recipe

    params = load_params(Path("params.yaml"))
    own = {"train": {"epochs": epochs, "patience": 0} | ({"batch_size": batch} if batch else {})}
    for overlay in (read_recipe(Path(), DEFAULT), read_recipe(Path(), name), own):
        params = with_overlay(
            params, {key: value for key, value in overlay.items() if key not in ("ingest", "data")}, name
        )
    return DeclaredParams(params, ["train", "model", "augment", "image", "finetune", "ensemble", "debug"], name)


def train_ours(data: dict[str, Any], params: Any, kept: bool) -> tuple[Any, list[float], list[float]]:
    """Return the network, pictures a second, and pictures a second of both processors' time, for each epoch."""
    from darkroom.train.fit import fit

    if kept:
        repeat_first_batch()
    rates, clocks = [], [time.process_time()]

    def note(metrics: dict[str, float], epoch: int) -> None:  # noqa: ARG001
        rates.append(metrics["images_per_second"])
        clocks.append(time.process_time())

    network = fit(data, params, log=note).network
    return network, rates, (2 * len(data["train"]) / np.diff(clocks)).tolist()


def repeat_first_batch() -> None:
    """Let an epoch be its first batch again and again, a tensor in memory."""
    from darkroom.examples.batches import Batches

    make_dataset = Batches.dataset

    def one_batch(batches: Batches) -> Any:
        return make_dataset(batches).take(1).cache().repeat(len(batches))

    Batches.dataset = one_batch


def train_original(data: dict[str, Any], epochs: int) -> tuple[Any, list[float], list[float]]:
    """Return the same of the original form."""
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    train, network = data["train"], original_network()
    varied = ImageDataGenerator(rotation_range=15, width_shift_range=0.1, height_shift_range=0.1, horizontal_flip=True)
    pixels = np.asarray(train.pixels[train.rows], np.float32) / 255
    batches = varied.flow(pixels, train.labels, batch_size=32)
    rates, halves = [], []
    for _ in range(epochs):
        begun, begun_cpu = time.perf_counter(), time.process_time()
        network.fit(batches, verbose=0)
        rates.append(len(train) / (time.perf_counter() - begun))
        halves.append(2 * len(train) / (time.process_time() - begun_cpu))
    return network, rates, halves


def original_network() -> Any:
    """Return the network of the recipe cifar10-cnn in plain Keras."""
    import keras
    from keras import layers

    network = keras.Sequential([layers.Input((32, 32, 3))])
    for filters in (32, 64, 128):
        network.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        network.add(layers.BatchNormalization())
        network.add(layers.MaxPooling2D())
    network.add(layers.Flatten())
    for units in (256, 128):
        network.add(layers.Dense(units, activation="relu"))
        network.add(layers.BatchNormalization())
        network.add(layers.Dropout(0.2))
    network.add(layers.Dense(10, activation="softmax"))
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


def start(free: bool) -> None:
    """Start TensorFlow on two threads, with its determinism or without."""
    import tensorflow as tf

    from darkroom.examples.runtime import start_tensorflow

    if free:
        tf.config.experimental.enable_op_determinism = lambda: None
    start_tensorflow(2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("form", choices=["real", "one", "original"])
    parser.add_argument("recipe")
    parser.add_argument("--pictures", type=int, default=12_000)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--free", action="store_true")
    chosen = parser.parse_args()
    start(chosen.free)
    data = load(chosen.file, chosen.pictures)
    if chosen.form == "original":
        network, rates, halves = train_original(data, chosen.epochs)
    else:
        params = recipe_params(chosen.recipe, chosen.epochs, chosen.batch)
        network, rates, halves = train_ours(data, params, chosen.form == "one")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    digest = sha256(b"".join(weight.tobytes() for weight in network.get_weights())).hexdigest()
    said = {"wall": median(rates[1:] or rates), "cpu": median(halves[1:] or halves), "memory": memory, "digest": digest}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
