"""The floor of transfer learning: a logistic regression on the pooled features of the backbone, on the same split.

python benchmarks/floor.py      in a working copy whose params.yaml names a backbone with weights; prints a line of JSON
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

STRENGTHS = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 1.0]


def pooled_features(data: dict[str, Any], params: Any) -> dict[str, np.ndarray]:
    """Return (pictures, features) of each split."""
    import keras

    from darkroom.examples.batches import Batches
    from darkroom.train.fit import build_trainer

    trainer = build_trainer(params, data["train"], Path("data/weights"))
    pooled = keras.Model(trainer.input, trainer.get_layer("average").output)
    return {name: np.asarray(pooled.predict(Batches(part, 64), verbose=0)) for name, part in data.items()}


def fit_floor(data: dict[str, Any], features: dict[str, np.ndarray]) -> dict[str, float]:
    """Return the accuracy in percent on validation, which chooses the strength, and on test."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    tried = []
    for strength in STRENGTHS:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=3000))
        model.fit(features["train"], data["train"].labels)
        tried.append([100 * model.score(features[name], data[name].labels) for name in ("validation", "test")])
    validation, test = max(tried, key=lambda scores: scores[0])
    return {"validation": validation, "test": test}


def main() -> None:
    from darkroom.core.tables import SPLIT_NAMES
    from darkroom.examples.pixels import load_examples
    from darkroom.examples.runtime import start_tensorflow
    from darkroom.execution.workers import worker_pool
    from darkroom.params.declared import DeclaredParams
    from darkroom.params.load import load_params

    params = DeclaredParams(load_params(Path("params.yaml")), ["image", "model", "train"], "floor")
    splits = pd.read_parquet("data/splits.parquet")
    with worker_pool() as pool:
        data = load_examples(Path("data/images"), splits, params.image, SPLIT_NAMES, pool)
    start_tensorflow(params.train.threads)
    print(json.dumps(fit_floor(data, pooled_features(data, params))))


if __name__ == "__main__":
    main()
