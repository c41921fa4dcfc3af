"""The metrics of the run of a whole pipeline: few, and comparable between runs."""

from collections.abc import Mapping
from typing import Any

HEADLINES = {  # name of the metric -> where evaluate's report has it
    "test_accuracy": ("test", "accuracy"),
    "test_f1_macro": ("test", "f1_macro"),
    "test_roc_auc": ("test", "roc_auc"),
    "test_log_loss": ("test", "log_loss"),
    "validation_accuracy": ("validation", "accuracy"),
    "train_accuracy": ("train", "accuracy"),
    "calibration_error": ("calibration", "error"),
    "robustness": ("robustness", "relative"),  # accuracy on corrupted pictures relative to that on clean ones
}
LOWER_IS_BETTER = {"test_log_loss", "calibration_error"}  # of HEADLINES
CURVES = ("loss", "accuracy", "validation_loss", "validation_accuracy")  # columns of the training's history
CURVE_PREFIX = "epoch/"  # keeps the curve of validation_accuracy apart from the headline


def headline_metrics(evaluate: Mapping[str, Any]) -> dict[str, float]:
    """Return the headlines that evaluate's report has a number for."""
    found = {name: (evaluate.get(section) or {}).get(key) for name, (section, key) in HEADLINES.items()}
    return {name: float(value) for name, value in found.items() if value is not None}
