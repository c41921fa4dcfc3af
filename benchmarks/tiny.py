"""The recipe tiny on a small device: wanted under 200 kB when quantised to 8 bits, and hardly less accurate.

The trained network is converted to TensorFlow Lite with 8-bit weights, activations, input and output, calibrated on 500
pictures of train; both are asked about the test split.
"""

import argparse
import contextlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
from working_copy import print_table, working_copy

CALIBRATING = 500  # pictures of train


def quantise(network: Any, pictures: np.ndarray) -> bytes:
    """Return the network as a TensorFlow Lite file of 8 bits that takes raw pixels."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([picture[None].astype(np.float32)] for picture in pictures)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.uint8
    return converter.convert()


def ask(content: bytes, pictures: np.ndarray) -> np.ndarray:
    """Return the class (n,) that the quantised network answers for each picture."""
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    before, behind = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    if before["quantization"] != (1.0, 0):
        sys.exit(f"its input is quantised by {before['quantization']}, so it takes no raw pixels")
    answers = []
    for picture in pictures:
        interpreter.set_tensor(before["index"], picture[None])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(behind["index"])[0].argmax())
    return np.array(answers)


def measure(root: Path) -> list[list[Any]]:
    """Return the rows of the table for the model that the pipeline in `root` trained."""
    import pandas as pd

    from darkroom.examples.pixels import load_examples
    from darkroom.examples.saving import load_network
    from darkroom.execution.workers import worker_pool
    from darkroom.params.load import load_params

    splits, look = pd.read_parquet(root / "data/splits.parquet"), load_params(root / "params.yaml").image
    with worker_pool() as pool:
        data = load_examples(root / "data/images", splits, look, ("train", "test"), pool)
    network, test = load_network(root / "models/model.keras"), data["test"]
    content = quantise(network, data["train"].pixels[data["train"].rows[:CALIBRATING]])
    right = 100 * float((ask(content, test.pixels[test.rows]) == test.labels).mean())
    scores = json.loads((root / "reports/evaluate.json").read_text())["test"]
    size = 4 * network.count_params() / 1000
    return [["float32", size, 100 * scores["accuracy"]], ["8 bits", len(content) / 1000, right]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", type=Path, help="CIFAR-10 as a .zip with train/ and test/, ten class folders each")
    chosen = parser.parse_args()
    with working_copy() as copy:
        (copy.root / "data/raw").mkdir(parents=True, exist_ok=True)
        shutil.copy(chosen.archive, copy.root / "data/raw/cifar10.zip")
        copy.measure("darkroom", "recipe", "tiny", "--data")
        copy.measure("dvc", "repro", "tune")
        cost = copy.measure("dvc", "repro", "--single-item", "train")
        copy.measure("dvc", "repro", "--single-item", "evaluate")
        with contextlib.chdir(copy.root):
            rows = measure(copy.root)
    print_table(["", "kB", "test accuracy %"], *rows)
    print(f"trained in {cost.cpu / 120:.1f} min of CPU / 2, {cost.wall / 60:.1f} min of wall time")


if __name__ == "__main__":
    main()
