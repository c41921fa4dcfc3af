"""Numbers and names as the evaluation page says them."""

import math
import re
from typing import TypeGuard

from darkroom.evaluation_page.content import Interval

GROUPS = {  # of the table of metrics: heading -> the metrics in order; others follow
    "Right answers": ("accuracy", "balanced_accuracy", "top_k_accuracy"),
    "Each class counts alike": ("precision_macro", "recall_macro", "f1_macro"),
    "Each picture counts alike": ("precision_weighted", "recall_weighted", "f1_weighted"),
    "Order of the probabilities": ("roc_auc", "average_precision"),
    "Size of the probabilities": ("log_loss", "brier"),
    "Beyond chance": ("cohen_kappa", "mcc"),
}
NAMES = {
    "precision_macro": "Precision, macro",
    "precision_weighted": "Precision, weighted",
    "recall_macro": "Recall, macro",
    "recall_weighted": "Recall, weighted",
    "f1_macro": "F1, macro",
    "f1_weighted": "F1, weighted",
    "roc_auc": "ROC AUC",
    "brier": "Brier score",
    "cohen_kappa": "Cohen's kappa",
    "mcc": "Matthews correlation",
}
NOTES = {
    "accuracy": "share of right answers",
    "balanced_accuracy": "mean over the classes",
    "top_k_accuracy": "the label is among the most probable",
    "precision_macro": "how many answers of a class are right",
    "recall_macro": "how many pictures of a class are found",
    "f1_macro": "harmonic mean of both",
    "roc_auc": "0.5 is chance",
    "average_precision": "area under precision against recall",
    "log_loss": "lower is better",
    "brier": "squared error, lower is better",
    "cohen_kappa": "0 is chance, 1 is perfect",
    "mcc": "0 is chance, 1 is perfect",
}
MISSING = DASH = "\u2013"  # between the ends of an interval, too
MINUS = "\u2212"


def family(metric: str) -> str:
    """Return the key of a metric in NAMES, NOTES and GROUPS: top_3_accuracy belongs to top_k_accuracy."""
    return re.sub(r"top_\d+_", "top_k_", metric)


def metric_name(metric: str) -> str:
    """Return the name of a metric as the page shows it."""
    words = re.sub(r"top_(\d+)_", r"top-\1 ", metric)
    return NAMES.get(metric, sentence_case(words))


def sentence_case(name: object) -> str:
    """Return a name with a capital at its start and spaces for underscores."""
    words = str(name).replace("_", " ")
    return words[:1].upper() + words[1:]


def sentence(text: str) -> str:
    """Return a clause as a sentence: a capital at its start, a full stop at its end."""
    return text[:1].upper() + text[1:].removesuffix(".") + "."


def known(value: float | None) -> TypeGuard[float]:
    """Return whether there is a number."""
    return value is not None and math.isfinite(value)


def number(value: float | None, digits: int = 3) -> str:
    """Return a score with three digits after the point, fewer when it is large."""
    if not known(value):
        return MISSING
    return f"{value:,.{digits if abs(value) < 10 else 1}f}"


def percent(value: float | None) -> str:
    """Return a share as per cent; one that is only nearly all does not read 100 %."""
    if not known(value):
        return MISSING
    share = 100 * value
    digits = 0 if abs(share - round(share)) < 1e-9 else 2 if 99.95 <= share < 100 else 1
    return f"{share:.{digits}f}\u00a0%"


def span(interval: tuple[float | None, float | None] | None) -> str:
    """Return an interval of scores, empty when there is none."""
    return (
        "" if interval is None or not all(map(known, interval)) else f"{number(interval[0])}{DASH}{number(interval[1])}"
    )


def percent_span(interval: Interval) -> str:
    """Return an interval of shares."""
    return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f}\u00a0%"


def points(difference: float) -> str:
    """Return a difference of shares in percentage points with its sign."""
    return f"{100 * difference:+.1f}".replace("-", MINUS)


def p_value(value: float) -> str:
    """Return the probability of a test."""
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def count(value: int, noun: str = "picture", plural: str | None = None) -> str:
    """Return a number of things; the plural ends in s unless it is given."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def magnitude(value: float) -> str:
    """Return a large number in words."""
    for size, word in ((1e9, " billion"), (1e6, " million"), (1e3, " thousand")):
        if value >= size:
            return f"{value / size:.3g}{word}"
    return f"{value:.0f}"
