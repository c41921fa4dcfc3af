"""`darkroom rates`: a learning-rate range test of the network in params.yaml."""

from pathlib import Path

import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.files import replacing
from darkroom.core.paths import ARTEFACTS, workspace
from darkroom.evaluate.plots import draw_rates
from darkroom.examples.pixels import Examples, load_examples
from darkroom.examples.runtime import start_tensorflow
from darkroom.execution.workers import worker_pool
from darkroom.models.backbones import is_pretrained
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import load_params
from darkroom.train.rate_range import measure_rates, suggest_rate

PICTURE = "reports/learning_rates.png"
SECTIONS = ["train", "model", "augment", "image", "finetune", "tune"]


def suggest_learning_rate() -> int:
    """Run the range test on the train split, draw the losses and print a suggestion; return the exit status."""
    root = workspace()
    params = DeclaredParams(load_params(root / "params.yaml"), SECTIONS, "rates")
    train = _load_train(root, params)
    start_tensorflow(params.train.threads)
    table = measure_rates(train, params, root / ARTEFACTS["weights"])
    suggested = suggest_rate(table)
    with replacing(root / PICTURE) as unfinished:
        draw_rates(table, suggested, unfinished)
    lowest = table["learning_rate"][table["loss"].argmin()]
    print(f"the loss was lowest near {lowest:.2g}; see {PICTURE}")
    part = " and the head, with the backbone frozen" if is_pretrained(params.model) else ""
    print(f"train.learning_rate: {suggested:.2g} is a safe first choice for {params.train.optimizer}{part}")
    if params.tune.enabled and "learning_rate" in params.tune.space.get("train", {}):
        print("tune.space searches train.learning_rate: set its range there, or set tune.enabled to false")
    return 0


def _load_train(root: Path, params: DeclaredParams) -> Examples:
    for name in ("images", "splits"):
        if not (root / ARTEFACTS[name]).exists():
            raise UserError(f"{ARTEFACTS[name]} is missing: nothing to train on; run `dvc repro split`", status=1)
    with worker_pool() as pool:
        splits = pd.read_parquet(root / ARTEFACTS["splits"])
        return load_examples(root / ARTEFACTS["images"], splits, params.image, ("train",), pool)["train"]
