"""Planted label errors and a planted worse slice: wanted an average precision of 0.75, and the slice named.

The classifier is a logistic regression on the pooled features of MobileNet of width 0.25, at 224 pixels. Each seed
flips 3 % of the labels; the probabilities are out of sample, by five folds. An error that is not in a list counts as
missed. Beside the list: all pictures by self-confidence and by margin, and the list of confident learning, which
believes a class where it reaches the mean confidence on its own pictures.

Then each seed blurs a fifth of the test pictures, which makes them worse, and `sharpness` tells. Four columns drawn by
chance are slices too: one of them that is named is named falsely. Others may be worse in truth: a blurred picture has
less contrast.
"""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image, ImageFilter
from working_copy import print_table

SIDE = 224  # pixels
FLIPPED, BLURRED, TESTED = 0.03, 0.2, 0.4  # shares of the labels, of the test pictures, of all pictures
BLUR = 0.02  # radius as a share of the longer side, at least a pixel
COLUMNS = "abcd"  # drawn by chance
FACTS = ("brightness", "contrast", "sharpness", "greyscale")
Pictures = list[np.ndarray]


def read_pictures(path: Path, count: int) -> tuple[Pictures, np.ndarray]:
    """Return `count` pictures of an archive of class folders, seeded, and their labels (n,) str."""
    from darkroom.images.decode import inspect, silent_pillow
    from darkroom.images.limits import UnreadablePicture
    from darkroom.ingest.layout import read_layout
    from darkroom.ingest.listing import open_source

    pictures, labels = [], []
    with open_source(path, str(path)) as source, silent_pillow():
        entries = [entry for entry in read_layout(sorted(source.walk(), key=lambda one: one.path)) if not entry.error]
        for row in np.random.default_rng(0).permutation(len(entries))[:count].tolist():
            try:
                pictures.append(inspect(source.read(entries[row].location), "auto")[1])
            except UnreadablePicture:
                continue
            labels.append(entries[row].label)
    return pictures, np.array(labels)


def blurred(picture: np.ndarray) -> np.ndarray:
    radius = max(1.0, BLUR * max(picture.shape))
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))


def feature_reader(weights: Path) -> Callable[[Pictures], np.ndarray]:
    """Return what gives the features (n, 256) float32 of pictures."""
    import keras

    network = keras.applications.MobileNet((SIDE, SIDE, 3), alpha=0.25, include_top=False, weights=None, pooling="avg")
    network.load_weights(weights)

    def read(pictures: Pictures) -> np.ndarray:
        parts = []
        for start in range(0, len(pictures), 128):
            some = [Image.fromarray(picture).resize((SIDE, SIDE)) for picture in pictures[start : start + 128]]
            parts.append(network.predict_on_batch(np.stack(some) / np.float32(127.5) - 1))
        return np.concatenate(parts)

    return read


def classifier() -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=300))


def average_precision(rows: np.ndarray, planted: np.ndarray) -> float:
    """Return the mean precision at each planted error in a list of rows, 0 at those that it misses."""
    hits = planted[rows]
    return float((hits.cumsum() / np.arange(1, len(hits) + 1))[hits].sum() / planted.sum())


def confident_learning(given: np.ndarray, probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the rows that confident learning suspects, the lowest self-confidence first."""
    sure = np.bincount(labels, given) / np.bincount(labels)
    possible = np.where(probabilities >= sure, probabilities, -1)
    suspected = (possible.max(axis=1) >= 0) & (possible.argmax(axis=1) != labels)
    order = np.argsort(given, kind="stable")
    return np.asarray(order[suspected[order]])


def label_errors(features: np.ndarray, labels: np.ndarray, seed: int) -> dict[str, Any]:
    """Return accuracy, the average precision of each order, and how many are listed and planted."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    from darkroom.scoring.label_issues import label_issues

    chance, count, classes = np.random.default_rng(seed), len(labels), int(labels.max()) + 1
    planted = np.isin(np.arange(count), chance.choice(count, round(FLIPPED * count), replace=False))
    flipped = np.where(planted, (labels + chance.integers(1, classes, count)) % classes, labels)
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    probabilities = cross_val_predict(classifier(), features, flipped, cv=folds, method="predict_proba")
    given = probabilities[np.arange(count), flipped]
    others = np.where(np.arange(classes) == flipped[:, None], 0, probabilities).max(axis=1)
    names = np.arange(count).astype(str)
    table = label_issues(names, flipped, probabilities, list(map(str, range(classes))), pd.Series(names, names))
    found = {
        "the list": table["image_id"].to_numpy(int),
        "confident learning": confident_learning(given, probabilities, flipped),
        "all by self-confidence": np.argsort(given, kind="stable"),
        "all by margin": np.argsort(given - others, kind="stable"),
    }
    sizes = {"accuracy": float((probabilities.argmax(axis=1) == labels).mean()), "planted": int(planted.sum())}
    return sizes | {name: (average_precision(rows, planted), len(rows)) for name, rows in found.items()}


def facts_of(pictures: Pictures) -> pd.DataFrame:
    from darkroom.images.facts import measure_pictures

    parts = [measure_pictures(pictures[start : start + 256])[0] for start in range(0, len(pictures), 256)]
    measured = {name: np.concatenate([part[name] for part in parts]) for name in FACTS}
    sizes = {"width": [one.shape[1] for one in pictures], "height": [one.shape[0] for one in pictures]}
    return pd.DataFrame({**measured, **sizes, "format": "JPEG", "mode": "RGB", "orientation": 1})


def slices(features: list[np.ndarray], facts: list[pd.DataFrame], labels: np.ndarray, seed: int) -> list[pd.DataFrame]:
    """Return the tables of slices of a seed: a fifth of the test pictures blurred, and none.

    `features` and `facts` are those of the pictures as they are, then blurred.
    """
    from darkroom.scoring.slices import slice_table

    chance, count = np.random.default_rng(seed), len(labels)
    test, train = np.split(chance.permutation(count), [round(TESTED * count)])
    model = classifier().fit(features[0][train], labels[train])
    right = [model.predict(some[test]) == labels[test] for some in features]
    drawn = [json.dumps(dict(zip(COLUMNS, chance.choice(["x", "y", "z"], 4).tolist(), strict=True))) for _ in test]
    tables = []
    for share in (BLURRED, 0.0):
        worse = np.arange(len(test)) < share * len(test)  # of pictures in random order
        known = pd.concat(facts).iloc[np.where(worse, test + count, test)].assign(attributes=drawn)
        tables.append(slice_table(known, np.where(worse, right[1], right[0]), np.arange(len(test))))
    return tables


def slice_row(name: str, tables: list[pd.DataFrame]) -> list[Any]:
    """Return how many seeds name the lowest sharpness, a column drawn by chance, and how many others a seed names."""
    named = [table[table["worse"]] for table in tables]
    lowest = [((one["slice"] == "sharpness") & one["value"].str.startswith("below")).any() for one in named]
    drawn = [one["slice"].isin(list(COLUMNS)).any() for one in named]
    other = [(~one["slice"].isin(["sharpness", *COLUMNS])).sum() for one in named]
    counts = pd.concat(named)["slice"].value_counts()
    others = ", ".join(f"{fact} {count}" for fact, count in counts.sort_index().items())
    return [name, len(tables), sum(lowest), sum(drawn), float(np.mean(other)), others]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("weights", type=Path, help="MobileNet's, width 0.25, 224 pixels, without top (.h5)")
    parser.add_argument("archives", type=Path, nargs="+", help="a .zip with a folder of pictures for each class")
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--seeds", type=int, default=20)
    chosen = parser.parse_args()
    read = feature_reader(chosen.weights)
    for archive in chosen.archives:
        pictures, names = read_pictures(archive, chosen.pictures)
        labels = np.unique(names, return_inverse=True)[1]
        both = [pictures, [blurred(picture) for picture in pictures]]
        features, facts = [read(some) for some in both], [facts_of(some) for some in both]
        runs = [label_errors(features[0], labels, seed) for seed in range(chosen.seeds)]
        right, planted = (float(np.mean([run[key] for run in runs])) for key in ("accuracy", "planted"))
        print(f"{archive.stem}: {len(labels)} pictures, {100 * right:.1f} % right, {planted:.0f} labels flipped")
        orders = [[name, *np.mean([run[name] for run in runs], axis=0).tolist()] for name in list(runs[0])[2:]]
        print_table([archive.stem, "average precision", "listed"], *orders)
        tables = list(zip(*(slices(features, facts, labels, seed) for seed in range(chosen.seeds)), strict=True))
        rows = [slice_row(name, list(some)) for name, some in zip(("a fifth blurred", "none"), tables, strict=True)]
        print_table([archive.stem, "seeds", "name blur", "name chance", "others a seed", "named, by fact"], *rows)


if __name__ == "__main__":
    main()
