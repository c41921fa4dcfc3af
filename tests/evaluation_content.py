"""Made-up contents of the evaluation page."""

from dataclasses import replace

import numpy as np
import pandas as pd

from darkroom.evaluation_page.content import (
    Calibration,
    Champion,
    Cost,
    Curves,
    EvaluationContent,
    Facts,
    Promise,
    Robustness,
    Unfamiliar,
)
from darkroom.evaluation_page.pictures import (
    ChangedPicture,
    ConfusedPair,
    ErrorPicture,
    Example,
    Neighbour,
    UncertainPicture,
)

PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
HOSTILE = "<b>&"
NAMES = (HOSTILE, *"123456789")
FACTS = Facts("digits", "4f3a" * 16)
SCORES = {"accuracy": 0.9, "top_3_accuracy": 0.98, "f1_macro": 0.89, "log_loss": 0.31, "mcc": None, "pictures": 400}
COMPARED = Champion(True, difference=0.012, interval=(-0.004, 0.031), p=0.01, wins=9, losses=4)
FAITHFUL = {"deletion": 0.25, "deletion_random": 0.38, "deletion_centre": 0.31,
            "insertion": 0.74, "insertion_random": 0.55, "insertion_centre": 0.66}  # fmt: skip


def class_table(names: tuple[str, ...], f1: np.ndarray) -> pd.DataFrame:
    table = pd.DataFrame({"class": names, "support": 40, "roc_auc": 0.99, "average_precision": 0.95})
    for name in ("precision", "recall", "f1"):
        table = table.assign(**{name: f1, f"{name}_low": f1 - 0.05, f"{name}_high": np.minimum(f1 + 0.05, 1)})
    return table


def measured() -> EvaluationContent:
    """Return ten classes with scores, curves and tables; the first class is the weakest."""
    confusion = np.diag(np.full(10, 36))
    confusion[:, 1] += 4
    steps = np.linspace(0, 1, 11)
    curves = dict.fromkeys(NAMES, (steps, steps**0.2))
    bins = pd.DataFrame({"confidence": [0.6, 0.9], "accuracy": [0.5, 0.95], "low": 0.4, "high": 1.0, "pictures": 200})
    promise = Promise(0.95, 0.947, 1.2, 0.2, 0.97)
    history = pd.DataFrame({"epoch": [1, 2], "network": 1, "loss": [2.0, 0.4], "accuracy": [0.3, 0.9]})
    return EvaluationContent(
        FACTS,
        dict.fromkeys(("train", "validation", "test"), SCORES),
        NAMES,
        confusion,
        class_table(NAMES, np.linspace(0.7, 1, 10)),
        intervals={"test": {"accuracy": (0.87, 0.926), "f1_macro": (0.86, 0.92)}},
        curves=Curves(curves, curves, (steps, steps), (steps, steps)),
        calibration=Calibration(1.3, 0.08, (0.0, 0.05), bins, (steps, 1 - steps / 9), promise),
        unfamiliar=Unfamiliar(0.05, "photographs", 0.998),
        history=history.assign(validation_loss=[1.9, 0.5], validation_accuracy=[0.4, 0.88], kept=[False, True]),
        cost=Cost(93_322, 2_418_560, 391_224),
    )


def full() -> EvaluationContent:
    """Return `measured` with pictures, and with what is found by looking where it fails."""
    kinds = pd.DataFrame({"kind": ["fog", "fog", "jpeg", "jpeg"], "severity": [1, 2, 1, 2], "accuracy": 0.8})
    nearest = Neighbour("b", "train/b.png", "1", 0.94)
    issue = {"image_id": "d", "path": "a,b.png", "label": HOSTILE, "suggested": "1", "confidence": 0.02}
    slices = pd.DataFrame(
        [("format", "PNG", 300, 0.93, 0.9, 0.96, False), ("blur", "sharpness to 3.1", 100, 0.71, 0.62, 0.8, True)],
        columns=["slice", "value", "pictures", "accuracy", "low", "high", "worse"],
    )
    return replace(
        measured(),
        error_count=40,
        errors=(ErrorPicture("a", "test/a.png", HOSTILE, "1", 0.98, 0.01, PIXEL, PIXEL, nearest),),
        uncertain=(UncertainPicture("c", "test/c.png", "1", "1", 0.41, "2", 0.4),),
        pairs=(ConfusedPair(HOSTILE, "1", 4, (Example("a", "test/a.png"),)),),
        changed=(ChangedPicture("e", "test/e.png", "2", "2", "3"),),
        label_issues=pd.DataFrame([issue]),
        slices=slices,
        robustness=Robustness(0.92, 0.6, 0.65, kinds, 0.4, 0.9),
        faithfulness=FAITHFUL,
        feature_maps=PIXEL,
        champion=COMPARED,
    )


def bare() -> EvaluationContent:
    """Return two classes without an error, and nothing that need not be measured."""
    classes = class_table(("cat", "dog"), np.ones(2))
    scores = {"test": {"accuracy": 1.0, "f1_macro": 1.0, "log_loss": float("nan"), "pictures": 40}}
    return EvaluationContent(FACTS, scores, ("cat", "dog"), np.diag([20, 20]), classes)
