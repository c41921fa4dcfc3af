"""Answers of a network to real pictures that it has not learnt, as they are and shifted, for drift.py.

One class is left out of the training, so that it can turn up as an unseen one.
"""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter

from darkroom.decision.reference import directions
from darkroom.images.facts import measure_pictures

Change = Callable[[np.ndarray], np.ndarray]
Pictures = list[np.ndarray]
UNSEEN, AS_IS = "unseen class", "none"  # names of tables of answers, beside those of the changes


def read_pictures(archive: Path, top: str, first: int, last: int) -> tuple[Pictures, np.ndarray]:
    """Return pictures `first` to `last` of each class of a folder of class folders in a .zip, and their classes."""
    pictures, names, counts = [], [], dict[str, int]()
    with zipfile.ZipFile(archive) as opened:
        for name in sorted(opened.namelist()):
            parts = name.split("/")
            if parts[0] != top or len(parts) != 3 or not parts[2]:
                continue
            number = counts[parts[1]] = counts.get(parts[1], -1) + 1
            if first <= number < last:
                picture = Image.open(io.BytesIO(opened.read(name))).convert("RGB")
                pictures.append(np.asarray(picture.reduce(2) if max(picture.size) > 100 else picture))
                names.append(parts[1])
    return pictures, np.unique(names, return_inverse=True)[1]


def brighter(by: float) -> Change:
    return lambda picture: np.clip(picture.astype(int) + round(by * 255), 0, 255).astype(np.uint8)


def flatter(factor: float) -> Change:
    return lambda picture: (picture.mean() + factor * (picture - picture.mean())).round().astype(np.uint8)


def blurred(radius: float) -> Change:
    return lambda picture: np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))


def noisy(levels: float) -> Change:
    chance = np.random.default_rng(0)
    return lambda picture: np.clip(picture + chance.normal(0, levels, picture.shape), 0, 255).astype(np.uint8)


def compressed(quality: int) -> Change:
    def change(picture: np.ndarray) -> np.ndarray:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=quality)
        return np.asarray(Image.open(file))

    return change


def upside_down(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture[::-1])


CHANGES = {
    "brightness +0.1": brighter(0.1),
    "brightness +0.05": brighter(0.05),
    "brightness +0.03": brighter(0.03),
    "contrast 0.85": flatter(0.85),
    "blur of radius 0.4": blurred(0.4),
    "noise of 3 levels": noisy(3),
    "JPEG quality 50": compressed(50),
    "upside down": upside_down,
}


class Convolutions:
    """A network of three convolutions on 32x32, trained here."""

    def __init__(self, pictures: Pictures, classes: np.ndarray, epochs: int) -> None:
        import keras

        keras.utils.set_random_seed(0)
        inputs = keras.Input((32, 32, 3))
        x = keras.layers.Rescaling(1 / 255)(inputs)
        for filters in (16, 32, 64):
            x = keras.layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
            x = keras.layers.MaxPooling2D()(keras.layers.BatchNormalization(momentum=0.9)(x))
        features = keras.layers.Dense(128, activation="relu")(keras.layers.Dropout(0.3)(keras.layers.Flatten()(x)))
        outputs = keras.layers.Dense(int(classes.max()) + 1, activation="softmax")(features)
        self.network = keras.Model(inputs, [outputs, features])
        trained = keras.Model(inputs, outputs)
        trained.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
        trained.fit(np.stack(pictures), classes, batch_size=128, epochs=epochs, verbose=2)

    def __call__(self, pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
        """Return probabilities and features."""
        probabilities, features = self.network.predict(np.stack(pictures), batch_size=500, verbose=0)
        return probabilities, features


class Transferred:
    """A logistic regression on the features of MobileNet of width 0.25 with the weights of ImageNet."""

    def __init__(self, weights: Path, pictures: Pictures, classes: np.ndarray) -> None:
        import keras
        from sklearn.linear_model import LogisticRegression

        options = {"alpha": 0.25, "include_top": False, "weights": None, "pooling": "avg"}
        self.network = keras.applications.MobileNet(input_shape=(128, 128, 3), **options)
        self.network.load_weights(weights)
        self.head = LogisticRegression(max_iter=2000).fit(self._features(pictures), classes)

    def _features(self, pictures: Pictures) -> np.ndarray:
        resized = [np.asarray(Image.fromarray(some).resize((128, 128))) for some in pictures]
        return self.network.predict(np.stack(resized) / np.float32(127.5) - 1, batch_size=64, verbose=0)

    def __call__(self, pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
        """Return probabilities and features."""
        features = self._features(pictures)
        return self.head.predict_proba(features), features


def answers_of(network: Convolutions | Transferred, pictures: Pictures, classes: np.ndarray) -> pd.DataFrame:
    """Return what the log of traffic, and the reference, would hold, and the true class."""
    probabilities, features = network(pictures)
    facts, _ = measure_pictures(pictures)
    table = pd.DataFrame({name: facts[name].astype(np.float32) for name in ("brightness", "sharpness")})
    table["height"], table["width"] = np.array([picture.shape[:2] for picture in pictures], np.float32).T
    table = table.assign(predicted=probabilities.argmax(axis=1), score=probabilities.max(axis=1), true=classes)
    table["features"] = list(directions(features).astype(np.float16))
    return table


def make_answers(archive: Path, weights: Path | None, folder: Path) -> None:
    """Write a table of answers for each change to the folder; with weights MobileNet gives the features."""
    count = 60 if weights else 1000  # of each class, learnt
    pictures, classes = read_pictures(archive, "train", 0, count)
    learnt = classes < classes.max()
    shown = [picture for picture, is_learnt in zip(pictures, learnt, strict=True) if is_learnt]
    network = (
        Transferred(weights, shown, classes[learnt]) if weights else Convolutions(shown, classes[learnt], epochs=8)
    )
    pictures, classes = read_pictures(archive, "test", 0, 400)
    if weights:  # few pictures: what is left of train is traffic too
        more, labels = read_pictures(archive, "train", count, 1000)
        pictures, classes = more + pictures, np.concatenate([labels, classes])
    seen = classes < classes.max()
    changes = {UNSEEN: (np.asarray, ~seen)} | {name: (change, seen) for name, change in CHANGES.items()}
    for name, (change, rows) in (changes | {AS_IS: (np.asarray, seen)}).items():
        table = answers_of(network, [change(pictures[row]) for row in np.flatnonzero(rows)], classes[rows])
        print(f"{name}: right on {(table.predicted == table.true).mean():.3f} of {len(table)}", flush=True)
        table.to_parquet(folder / f"{name}.parquet")
