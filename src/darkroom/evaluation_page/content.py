"""What the evaluation page shows. What is None, or empty, has no section."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from darkroom.evaluation_page.pictures import ChangedPicture, ConfusedPair, ErrorPicture, UncertainPicture

Interval = tuple[float, float]  # low, high
Curve = tuple[np.ndarray, np.ndarray]  # x, y, both (points,) float


@dataclass(frozen=True)
class Facts:
    """What was measured: the name of the data, and the digest of the pictures and their splits."""

    data: str
    digest: str


@dataclass(frozen=True)
class Promise:
    """Sets of classes (conformal): shares of the test pictures, from 0 to 1, beside the promised `level`.

    `coverage`: the set holds the right class; `abstains`: no single class is left, or the picture is unfamiliar;
    `accuracy`: of the other answers, None without any. `too_small` says why validation cannot keep the promise, if so.
    """

    level: float
    coverage: float
    set_size: float
    abstains: float
    accuracy: float | None
    too_small: str | None = None


@dataclass(frozen=True)
class Calibration:
    """How far the probabilities can be believed.

    `error` is the debiased L2 error, `band` what a calibrated model would show. `reliability` has a row for each bin:
    confidence, accuracy, low, high, pictures. `answered` is the accuracy (y) of the share (x) of surest answers.
    """

    temperature: float
    error: float
    band: Interval
    reliability: pd.DataFrame
    answered: Curve
    promise: Promise


@dataclass(frozen=True)
class Unfamiliar:
    """Pictures unlike those of train: the share of test that is flagged, ROC AUC against the pictures of `other`."""

    flagged: float
    other: str | None = None
    roc_auc: float | None = None


@dataclass(frozen=True)
class Curves:
    """ROC (false, true positive rate) and precision against recall, of each class against the rest, and their mean.

    Of two classes only the second is needed.
    """

    roc: Mapping[str, Curve]
    precision_recall: Mapping[str, Curve]
    roc_macro: Curve | None = None
    precision_recall_macro: Curve | None = None


@dataclass(frozen=True)
class Robustness:
    """Accuracy on `clean` pictures, the `mean` on corrupted ones, and `relative`, the mean as a share of clean.

    `corruptions` has kind, severity (1 to 5), accuracy; without any kind it is empty, and `mean` and `relative` are
    None. `flip` and `shift` are the shares of answers that stay the same when a picture is mirrored or moved.
    """

    clean: float
    mean: float | None
    relative: float | None
    corruptions: pd.DataFrame
    flip: float
    shift: float


@dataclass(frozen=True)
class Champion:
    """The served model on the same test pictures; `reason` says why it is not `compared`.

    `difference` is this model's accuracy less the champion's, with its paired 95 % interval, `p` that of McNemar's
    exact test; None when not compared. `wins` pictures are right only here, `losses` only with the champion.
    `measured`: the champion was run anew, for it was tested on other pictures, and `refused` some; `same`: it gives
    exactly these answers.
    """

    compared: bool
    reason: str = ""
    measured: bool = False
    refused: int = 0
    same: bool = False
    difference: float | None = None
    interval: Interval | None = None
    p: float | None = None
    wins: int = 0
    losses: int = 0


@dataclass(frozen=True)
class Cost:
    """What the model takes: numbers of parameters and of multiply-adds for one picture, bytes of its file."""

    parameters: int
    multiply_adds: int
    file_bytes: int


@dataclass(frozen=True)
class EvaluationContent:
    """All that the page shows.

    `scores` and `intervals` map split -> metric -> value and (low, high); a missing metric, None and NaN are left out.
    `classes`: class, support and precision, recall, f1, each with _low and _high, roc_auc, average_precision.
    `confusion`: (n, n) int, actual by predicted, in the order of `class_names`. `error_count` counts all errors,
    `errors` are the worst. `label_issues`: image_id, path, label, suggested, confidence, lowest first.
    `slices`: slice, value, pictures, accuracy, low, high, worse. `history`: as models/history.csv.
    `faithfulness`: deletion, insertion, and both with _random and _centre. `feature_maps` is a data URL.
    """

    facts: Facts
    scores: Mapping[str, Mapping[str, float | None]]
    class_names: tuple[str, ...]
    confusion: np.ndarray
    classes: pd.DataFrame
    intervals: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)
    error_count: int = 0
    errors: tuple[ErrorPicture, ...] = ()
    uncertain: tuple[UncertainPicture, ...] = ()
    pairs: tuple[ConfusedPair, ...] = ()
    changed: tuple[ChangedPicture, ...] = ()
    curves: Curves | None = None
    calibration: Calibration | None = None
    unfamiliar: Unfamiliar | None = None
    label_issues: pd.DataFrame | None = None
    slices: pd.DataFrame | None = None
    robustness: Robustness | None = None
    faithfulness: Mapping[str, float] | None = None
    feature_maps: str | None = None
    champion: Champion | None = None
    history: pd.DataFrame | None = None
    cost: Cost | None = None
