"""CPU time of one varied picture: wanted under 250 µs at 224 pixels, under 500 with RandAugment and random erasing.

python benchmarks/augmentation.py [--sides 32 96 224] [--rounds 5] [--peer-python PYTHON]

Beside ours: the layers of Keras in a tf.data pipeline, and albumentations, which uses OpenCV as well. All vary the same
drawn pictures on one thread: mirror images, 15 degrees, 5 % of shift, 10 % of zoom, 20 % of brightness and contrast;
then two operations of RandAugment and a box of noise in every fourth picture on top.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from augmentation_peer import drawn_pictures
from working_copy import alternate, empty_folder, print_table

PLAIN = {"horizontal_flip": True, "rotation": 15.0, "shift": 0.05, "zoom": 0.1, "brightness": 0.2, "contrast": 0.2}
MORE = {"rand_augment": 2, "erase": 0.25}


def ours(side: int, more: bool) -> Callable[[], float]:
    """Return what varies the pictures of a part of an epoch and says how long one took, in µs."""
    from darkroom.augmentation.variation import Variation
    from darkroom.params.load import load_params

    augment = load_params(Path("params.yaml")).augment.model_copy(update=PLAIN | (MORE if more else {}))
    pixels, variation = drawn_pictures(side), Variation(augment, 0)
    targets, epochs = np.eye(10, dtype=np.float32)[np.arange(len(pixels)) % 10], iter(range(1_000_000))
    return lambda: timed(lambda: variation.vary(pixels, targets, np.arange(len(pixels)), next(epochs), 0), len(pixels))


def keras_layers(side: int, more: bool) -> Callable[[], float]:
    """Return the same with Keras, batches of 32."""
    import tensorflow as tf
    from keras import layers

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    steps = [layers.RandomFlip("horizontal"), layers.RandomRotation(15 / 360, fill_mode="nearest")]
    steps += [layers.RandomTranslation(0.05, 0.05, fill_mode="nearest"), layers.RandomZoom(0.1, fill_mode="nearest")]
    steps += [layers.RandomBrightness(0.2), layers.RandomContrast(0.2)]
    if more:
        steps += [layers.RandAugment(num_ops=2), layers.RandomErasing(0.25)]
    pixels = drawn_pictures(side)
    batches = tf.data.Dataset.from_tensor_slices(pixels).batch(32)
    for step in steps:
        batches = batches.map(lambda batch, step=step: step(batch, training=True))
    return lambda: timed(lambda: [batch.numpy() for batch in batches], len(pixels))


def albumentations(peer: "subprocess.Popen[str]", side: int, more: bool) -> Callable[[], float]:
    """Return the same with albumentations, by a process that waits for what to do."""

    def work() -> float:
        assert peer.stdin and peer.stdout
        peer.stdin.write(f"{side} {int(more)}\n")
        peer.stdin.flush()
        return float(peer.stdout.readline())

    return work


def timed(work: Callable[[], Any], pictures: int) -> float:
    """Return the CPU time, µs, of one of the pictures."""
    begun = time.process_time()
    work()
    return (time.process_time() - begun) / pictures * 1e6


def make_peer(folder: Path) -> Path:
    """Make an environment with albumentations; return its Python."""
    uv, python = Path(sys.executable).parent / "uv", folder / "bin/python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, "albumentations"], check=True)
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="+", default=[32, 96, 224])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-python", type=Path, help="of an environment that has albumentations; else one is made")
    chosen = parser.parse_args()
    rows, script = [], Path(__file__).parent / "augmentation_peer.py"
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with empty_folder() as copy:
        python = chosen.peer_python or make_peer(copy.root / "peer")
        with subprocess.Popen([python, script], **pipes) as peer:
            for side, more in product(chosen.sides, (False, True)):
                jobs = [ours(side, more), albumentations(peer, side, more), keras_layers(side, more)]
                times = [column[1:] for column in alternate(chosen.rounds + 1, *jobs)]  # the first round warms up
                rows.append([f"{side} pixels{', RandAugment' * more}", *map(median, times), *map(min, times)])
    header = ["µs a picture", "ours", "albumentations", "Keras", "least: ours", "albumentations", "Keras"]
    print_table(header, *rows)


if __name__ == "__main__":
    main()
