"""Drift: false alarms over 500 clean days at the stated rate, and a shift of brightness by 0.1 found in 200 pictures.

The traffic is real: CIFAR-10's test pictures, which a small network, trained here for a few epochs, has not learnt.
Each day draws a reference and the traffic without overlap. Beside our checks stands a Kolmogorov-Smirnov test of each
number with Bonferroni's correction, which knows neither classes nor features.
"""

import argparse
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter

from darkroom.decision.reference import FACTS, directions
from darkroom.ingest.facts import measure_pictures
from darkroom.watch.drift import find_drift

NUMBERS = ("score", *FACTS)
Change = Callable[[np.ndarray], np.ndarray]


def read_pictures(archive: Path, top: str, per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures (n, 32, 32, 3) uint8 and classes (n,) int of a folder of class folders in a .zip."""
    pictures, classes, counts = [], [], dict[str, int]()
    with zipfile.ZipFile(archive) as opened:
        for name in sorted(opened.namelist()):
            parts = name.split("/")
            if parts[0] == top and len(parts) == 3 and counts.setdefault(parts[1], 0) < per_class:
                counts[parts[1]] += 1
                image = Image.open(io.BytesIO(opened.read(name))).convert("RGB").resize((32, 32))
                pictures.append(np.asarray(image))
                classes.append(len(counts) - 1)
    return np.stack(pictures), np.array(classes)


def train(pictures: np.ndarray, classes: np.ndarray, epochs: int):
    """Return a network that gives probabilities and features."""
    import keras

    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    for filters in (16, 32, 64):
        x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D()(keras.layers.BatchNormalization(momentum=0.9)(x))
    features = keras.layers.Dense(128, activation="relu")(keras.layers.Flatten()(x))
    outputs = keras.layers.Dense(int(classes.max()) + 1, activation="softmax")(features)
    network = keras.Model(inputs, [outputs, features])
    trained = keras.Model(inputs, outputs)
    trained.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    trained.fit(pictures, classes, batch_size=128, epochs=epochs, verbose=2)
    return network


def answers_of(network, pictures: np.ndarray) -> pd.DataFrame:
    """Return what the log of traffic, and the reference, would hold."""
    probabilities, features = network.predict(pictures, batch_size=500, verbose=0)
    facts, _ = measure_pictures(list(pictures))
    table = pd.DataFrame({name: facts[name].astype(np.float32) for name in ("brightness", "sharpness")})
    table = table.assign(width=np.float32(32), height=np.float32(32), predicted=probabilities.argmax(axis=1))
    table["score"] = probabilities.max(axis=1)
    table["features"] = list(directions(features).astype(np.float16))
    return table


def brighter(by: float) -> Change:
    return lambda pictures: np.clip(pictures.astype(int) + round(by * 255), 0, 255).astype(np.uint8)


def blurred(pictures: np.ndarray) -> np.ndarray:
    blur = ImageFilter.GaussianBlur(0.8)
    return np.stack([np.asarray(Image.fromarray(picture).filter(blur)) for picture in pictures])


def ks_alarm(reference: pd.DataFrame, traffic: pd.DataFrame, rate: float) -> bool:
    """Return whether a Kolmogorov-Smirnov test of any number that differs rejects, with Bonferroni's correction."""
    from scipy.stats import ks_2samp

    tested = [name for name in NUMBERS if reference[name].nunique() > 1]
    return any(ks_2samp(reference[name], traffic[name]).pvalue < rate / len(tested) for name in tested)


def alarms(clean: pd.DataFrame, changed: pd.DataFrame, args: argparse.Namespace, days: int) -> tuple[float, float]:
    """Return the share of days on which our checks, and the other tests, say drift."""
    chance, found = np.random.default_rng(1), np.zeros((days, 2), bool)
    for day in range(days):
        rows = chance.permutation(len(clean))
        reference = clean.iloc[rows[: args.reference]]
        traffic = changed.iloc[chance.permutation(len(changed))[: args.pictures]]
        if changed is clean:
            traffic = clean.iloc[rows[-args.pictures :]]
        ours = find_drift(reference, traffic, args.rate, day)
        found[day] = any(check.drifted for check in ours), ks_alarm(reference, traffic, args.rate)
    shares: list[float] = found.mean(axis=0).tolist()
    return shares[0], shares[1]


def main() -> None:
    from scipy.stats import binom

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cifar", type=Path, help="CIFAR-10 as a .zip of train/ and test/ with class folders")
    parser.add_argument("--days", type=int, default=500)
    parser.add_argument("--drifted-days", type=int, default=50)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--reference", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--epochs", type=int, default=4)
    args = parser.parse_args()
    network = train(*read_pictures(args.cifar, "train", 1000), args.epochs)
    pictures, classes = read_pictures(args.cifar, "test", 400)
    print(f"accuracy {(network.predict(pictures, verbose=0)[0].argmax(axis=1) == classes).mean():.3f}")
    low, high = (binom.ppf(q, args.days, args.rate) / args.days for q in (0.025, 0.975))
    print(f"stated rate {args.rate}: in {args.days} clean days {low:.3f} to {high:.3f} are within its 95 % interval")
    rarer = (classes > 2) | (np.arange(len(classes)) % 4 == 0)
    kinds = {f"brightness +{by}": brighter(by)(pictures) for by in (0.1, 0.05)}
    kinds |= {"blur": blurred(pictures), "three classes rarer": pictures[rarer], "upside down": pictures[:, ::-1]}
    clean = answers_of(network, pictures)
    print(f"{'drift':<22}{'days':>6}{'our checks':>14}{'KS + Bonferroni':>18}")
    for name, changed in {"none": None, **kinds}.items():
        days = args.days if changed is None else args.drifted_days
        ours, theirs = alarms(clean, clean if changed is None else answers_of(network, changed), args, days)
        print(f"{name:<22}{days:>6}{ours:>14.3f}{theirs:>18.3f}", flush=True)


if __name__ == "__main__":
    main()
