"""The table of a comparison: mean and spread over the seeds, and the paired difference to the base."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from darkroom.core.metrics import METRICS
from darkroom.experiments.comparison_data import Training
from darkroom.experiments.comparison_file import BASE, Comparison
from darkroom.experiments.comparison_running import TrainingResult

ENOUGH = 5  # seeds for a verdict
ALPHA = 0.05  # of all verdicts of a table together
COLUMNS = ["variant", "seeds", "mean", "deviation", "difference", "low", "high", "p", "seconds", "parameters"]
ON_TEST = ["mean", "deviation", "difference", "low", "high", "p"]
NUMBERS = [*ON_TEST, "seconds", "parameters"]
DECIMALS = 12  # of a difference that mean anything
SAME = 10.0**-DECIMALS  # differences of scores that are closer are equal


@dataclass(frozen=True)
class VariantRow:
    """A variant over the seeds that gave a score; NaN where there is no figure.

    `deviation` is that between seeds. `difference` is the mean over the seeds of the score less that of the base with
    the same seed, `low` and `high` its 95 % interval (paired t test), `p` is corrected for the number of variants.
    `seconds` are those of one training. `scores` has the score, `differences` the difference of each seed.
    """

    variant: str
    seeds: int
    mean: float
    deviation: float
    difference: float
    low: float
    high: float
    p: float
    seconds: float
    parameters: float
    metric: str
    verdict: str
    reason: str
    scores: dict[int, float]
    differences: dict[int, float]


@dataclass(frozen=True)
class Compared:
    """A comparison that has run: trainings with their results, a row a variant; `on_test` is empty unless asked."""

    comparison: Comparison
    trainings: Sequence[Training]
    results: Sequence[TrainingResult]
    rows: Sequence[VariantRow]
    on_test: Sequence[VariantRow]


def variant_rows(
    comparison: Comparison, trainings: Sequence[Training], results: Sequence[TrainingResult], split: str
) -> list[VariantRow]:
    """Return a row for each variant, the base first, about the scores on a split."""
    ended: dict[str, dict[int, TrainingResult]] = {variant.name: {} for variant in comparison.variants}
    for training, result in zip(trainings, results, strict=True):
        ended[training.variant][training.seed - comparison.variants[0].params.train.seed] = result
    scores = {name: _scores(found, comparison.metric, split) for name, found in ended.items()}
    rows = [_row(name, ended[name], scores[name], scores[BASE], comparison.metric) for name in ended]
    corrected = holm(np.array([row.p for row in rows]))
    rows = [replace(row, p=float(p)) for row, p in zip(rows, corrected, strict=True)]
    return [replace(row, verdict=_verdict(row, comparison.seeds)) for row in rows]


def _scores(found: dict[int, TrainingResult], metric: str, split: str) -> dict[int, float]:
    scores = {seed: result.scores[split][metric] for seed, result in found.items() if not result.reason}
    return {seed: score for seed, score in scores.items() if np.isfinite(score)}


def _row(
    name: str, found: dict[int, TrainingResult], scores: dict[int, float], base: dict[int, float], metric: str
) -> VariantRow:
    values = np.array(list(scores.values()))
    compared = name != BASE
    differences = {seed: exact(score - base[seed]) for seed, score in scores.items() if compared and seed in base}
    difference, low, high, p = paired_t(np.array(list(differences.values())))
    good = [found[seed] for seed in scores]
    return VariantRow(
        variant=name,
        seeds=len(scores),
        mean=float(values.mean()) if len(values) else np.nan,
        deviation=exact(float(values.std(ddof=1))) if len(values) > 1 else np.nan,
        difference=difference,
        low=low,
        high=high,
        p=p,
        seconds=float(np.mean([result.seconds for result in good])) if good else np.nan,
        parameters=good[0].parameters if good else np.nan,
        metric=metric,
        verdict="",
        reason=_reason(found, scores),
        scores=scores,
        differences=differences,
    )


def _reason(found: dict[int, TrainingResult], scores: dict[int, float]) -> str:
    """Return why seeds are missing: how many, and the reason of the first."""
    missing = [result.reason for seed, result in found.items() if seed not in scores]
    why = next(iter(missing), "") or "the score is not a number"
    return f"{len(missing)} of {len(found)} seeds without a result: {why}" if missing else ""


def exact(value: float) -> float:
    """Return a value without the error of the last digits, by which sums of equal scores differ; 0 is never -0."""
    return round(value, DECIMALS) + 0.0


def paired_t(differences: np.ndarray) -> tuple[float, float, float, float]:
    """Return the mean of paired differences (n,) float, its 95 % interval, and p of the paired t test that it is 0.

    W. S. Gosset (Student), The probable error of a mean, 1908. Interval and p are NaN for fewer than two differences,
    and where all are equal: then there is no spread to judge them by.
    """
    if not len(differences):
        return np.nan, np.nan, np.nan, np.nan
    mean = exact(float(differences.mean()))
    if len(differences) < 2 or np.ptp(differences) < SAME:
        return mean, np.nan, np.nan, np.nan
    from scipy.stats import ttest_rel

    test = ttest_rel(differences, np.zeros(len(differences)))
    low, high = test.confidence_interval(0.95)
    return mean, float(low), float(high), float(test.pvalue)


def holm(p: np.ndarray) -> np.ndarray:
    """Return p (n,) corrected for their number: all verdicts together then err as rarely as one. NaN stay NaN.

    S. Holm, A simple sequentially rejective multiple test procedure, 1979.
    """
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    corrected = np.full(len(p), np.nan)
    factors = np.arange(len(order), 0, -1)
    corrected[order] = np.minimum(np.maximum.accumulate(factors * p[order]), 1.0)
    return corrected


def _verdict(row: VariantRow, asked: int) -> str:
    if row.variant == BASE:
        return ""
    if row.seeds < asked or len(row.differences) < row.seeds:
        return "no verdict: seeds without a result"
    if row.seeds < ENOUGH:
        more = ENOUGH - row.seeds
        return f"no verdict: {more} more seed{'' if more == 1 else 's'} needed"
    if np.isfinite(row.p) and row.p < ALPHA:
        return "better" if (row.difference < 0) == METRICS[row.metric].lower_is_better else "worse"
    if not np.isfinite(row.p) and abs(row.difference) > SAME:
        return "no verdict: every seed differs by the same"
    return "no difference shown"


def frame_of(compared: Compared) -> pd.DataFrame:
    """Return the table: COLUMNS about validation, metric, verdict, reason, each seed; ON_TEST where it was opened."""
    rows, seed = compared.rows, compared.trainings[0].seed
    table = pd.DataFrame([{name: getattr(row, name) for name in COLUMNS} for row in rows])
    table["parameters"] = table["parameters"].astype("Int64")
    for name in ("metric", "verdict", "reason"):
        table[name] = [getattr(row, name) for row in rows]
    for number in range(compared.comparison.seeds):
        table[f"seed_{seed + number}"] = [row.scores.get(number, np.nan) for row in rows]
    for name in ON_TEST if compared.on_test else ():
        table[f"test_{name}"] = [getattr(row, name) for row in compared.on_test]
    return table
