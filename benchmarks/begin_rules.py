"""The rules of `darkroom begin` that a backbone's features can judge, each beside its contrary.

python benchmarks/begin_rules.py WEIGHTS FLOWERS ANIMALS CATS

A logistic regression on the pooled features of MobileNet of width 0.25: how pictures are made square (squash, crop,
pad), their size, mirrored pictures in addition, and classes weighted by their rarity. Half of the pictures, drawn anew
by each seed, are learnt, the others measured. Prints accuracy and mean recall of the classes (for weights), in percent.
Then the network of params.yaml learns the built-in digits for some epochs, with and without mirrored pictures.
"""

import argparse
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from working_copy import ROOT, print_table

from darkroom.examples.runtime import start_tensorflow
from darkroom.images.decode import decode
from darkroom.images.limits import UnreadablePicture

SEEDS = 4
LARGE = 224  # pixels
SMALL = 128
EPOCHS = 12  # on digits
DIGITS_SEEDS = 3


def read(archive: Path) -> tuple[list[bytes], np.ndarray]:
    """Return the files and the names of their folders."""
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in sorted(opened.namelist()) if not name.endswith("/")]
        return [opened.read(name) for name in names], np.array([Path(name).parent.name for name in names])


def pixels(files: list[bytes], labels: np.ndarray, size: int, resize: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures (n, size, size, 3) that can be read, and their labels."""
    made, kept = [], []
    for data, label in zip(files, labels, strict=True):
        try:
            made.append(decode(data, size, resize, "white", "auto"))
            kept.append(label)
        except UnreadablePicture:
            continue
    return np.stack(made), np.array(kept)


def network(weights: Path, size: int) -> object:
    """Return a network from pixels 0-255 to pooled features."""
    import keras

    inputs = keras.Input((size, size, 3))
    backbone = keras.applications.MobileNet((size, size, 3), alpha=0.25, include_top=False, weights=None, pooling="avg")
    backbone.load_weights(weights)
    return keras.Model(inputs, backbone(keras.layers.Rescaling(1 / 127.5, -1)(inputs)))


def scores(
    features: np.ndarray, labels: np.ndarray, mirrored: np.ndarray | None, weighted: bool
) -> tuple[float, float]:
    """Return accuracy and mean recall in percent, means over the seeds."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score

    found = []
    for learnt in halves(labels):
        known, names = features[learnt], labels[learnt]
        if mirrored is not None:
            known, names = np.concatenate([known, mirrored[learnt]]), np.concatenate([names, names])
        scale = known.std(axis=0) + 1e-6
        model = LogisticRegression(C=0.01, max_iter=300, class_weight="balanced" if weighted else None)
        answers = model.fit(known / scale, names).predict(features[~learnt] / scale)
        found.append(
            ((answers == labels[~learnt]).mean() * 100, balanced_accuracy_score(labels[~learnt], answers) * 100)
        )
    accuracy, recall = np.mean(found, axis=0)
    return float(accuracy), float(recall)


def halves(labels: np.ndarray) -> Iterator[np.ndarray]:
    """Yield which pictures are learnt, for each seed."""
    for seed in range(SEEDS):
        yield np.random.default_rng(seed).random(len(labels)) < 0.5


def digits(mirrored: bool, seed: int) -> float:
    """Return the accuracy in percent on half of the digits of the network that has learnt the other half."""
    from sklearn.datasets import load_digits

    from darkroom.examples.pixels import Examples
    from darkroom.params.declared import DeclaredParams
    from darkroom.params.load import load_params
    from darkroom.train.fit import fit

    train = {"epochs": EPOCHS, "step_epochs": [6, 10], "seed": seed, "patience": 0}
    changes = {"train": train, "augment": {"horizontal_flip": mirrored}}
    sections = ["train", "model", "augment", "image", "finetune"]
    params = DeclaredParams(load_params(ROOT / "params.yaml"), sections, "train").overlaid(changes, "params.yaml")
    pictures, labels = load_digits(return_X_y=True)
    small = np.uint8(pictures.reshape(-1, 8, 8, 1) * (255 / 16)).repeat(3, axis=3)
    large = small.repeat(2, axis=1).repeat(2, axis=2)
    learnt = np.random.default_rng(seed).random(len(labels)) < 0.5
    names, labels = tuple("0123456789"), labels.astype(np.int32)
    parts = {"train": learnt, "validation": ~learnt}
    data = {name: Examples(large, np.flatnonzero(part), labels[part], names) for name, part in parts.items()}
    return float(100 * fit(data, params).history["validation_accuracy"].iloc[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="MobileNet's, width 0.25, without top (.h5)")
    parser.add_argument("archives", type=Path, nargs="*", help="a .zip with a folder of pictures for each class")
    chosen = parser.parse_args()
    start_tensorflow(2)
    networks = {size: network(chosen.weights, size) for size in (SMALL, LARGE)}
    for archive in chosen.archives:
        files, names = read(archive)
        rows: list[list[object]] = []
        for size, resize in ((SMALL, "squash"), (SMALL, "crop"), (SMALL, "pad"), (LARGE, "squash")):
            pictures, labels = pixels(files, names, size, resize)
            features = networks[size].predict(pictures, verbose=0)  # type: ignore[attr-defined]
            rows.append([f"{resize}, {size} pixels", *scores(features, labels, None, False)])
            if (size, resize) == (SMALL, "squash"):
                mirrored = networks[size].predict(pictures[:, :, ::-1], verbose=0)  # type: ignore[attr-defined]
                rows.append(["the same, with mirrored pictures", *scores(features, labels, mirrored, False)])
                rows.append(["the same, classes weighted", *scores(features, labels, None, True)])
        print_table([archive.stem, "accuracy %", "mean recall %"], *rows)
    rows = [
        [name, float(np.mean([digits(mirrored, seed) for seed in range(DIGITS_SEEDS)]))]
        for name, mirrored in (("as they are", False), ("mirrored every other epoch", True))
    ]
    print_table(["digits", "accuracy %"], *rows)


if __name__ == "__main__":
    main()
