"""Scores with intervals: wanted under 5 s for 10,000 pictures of 10 classes, and 93 to 97 % of the truths inside.

Beside the time stands that of scikit-learn with `sample_weight`, a few draws in a loop, extrapolated to as many. The
truths are known: data sets are drawn from a confusion matrix, so that population accuracy, macro F1 and the difference
to another model follow exactly. Groups share their class, and mostly what is predicted. The last row takes grouped
pictures for independent ones: what the intervals would be worth without groups.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from working_copy import print_table

from darkroom.scoring.paired import paired_difference
from darkroom.scoring.scores import score_with_intervals

CLASSES, DRAWS = 10, 2000
LOOPED = 5  # draws of scikit-learn
SHARED = 0.8  # of the groups have one prediction for all their pictures
BETTER, WORSE = 0.92, 0.35  # how often another model is right where this one is, and where it is not
Model = tuple[float, float]  # how often the worst class and the best one are right
GOOD, VERY_GOOD, EXCELLENT, NEARLY_PERFECT = (0.7, 0.95), (0.97, 0.99), (0.985, 0.995), (0.994, 1.0)
SHARES = np.linspace(1, 3, CLASSES) / np.linspace(1, 3, CLASSES).sum()  # of the classes in the population


@dataclass(frozen=True)
class Drawn:
    """A data set: labels, predicted, other_correct and groups (n,)."""

    labels: np.ndarray
    predicted: np.ndarray
    other_correct: np.ndarray
    groups: np.ndarray


def confusion(model: Model) -> np.ndarray:
    """Return how often each class (rows) is taken for each (columns): where it is not right, mostly for the next."""
    right = np.linspace(*model, CLASSES)
    matrix = np.tile((1 - right[:, None]) / 2 / (CLASSES - 2), (1, CLASSES))
    matrix[np.arange(CLASSES), (np.arange(CLASSES) + 1) % CLASSES] = (1 - right) / 2
    np.fill_diagonal(matrix, right)
    return matrix


def truths(model: Model) -> dict[str, float]:
    """Return the scores of the population."""
    joint = confusion(model) * SHARES[:, None]
    hits = joint.diagonal()
    accuracy = hits.sum()
    f1 = np.mean(2 * hits / (joint.sum(axis=0) + joint.sum(axis=1)))
    return {"accuracy": accuracy, "f1_macro": f1, "difference": accuracy - BETTER * accuracy - WORSE * (1 - accuracy)}


def draw(generator: np.random.Generator, model: Model, count: int, extra: float) -> Drawn:
    """Return `count` groups of 1 + Poisson(extra) pictures."""
    sizes = 1 + generator.poisson(extra, size=count)
    groups = np.repeat(np.arange(count), sizes)
    labels = generator.choice(CLASSES, p=SHARES, size=count)[groups]
    shared = (generator.random(count) < SHARED)[groups]
    chance = np.where(shared, generator.random((2, count))[:, groups], generator.random((2, len(groups))))
    predicted = (chance[0, :, None] > confusion(model).cumsum(axis=1)[labels, :-1]).sum(axis=1)
    return Drawn(labels, predicted, chance[1] < np.where(predicted == labels, BETTER, WORSE), groups)


def covered(data: Drawn, model: Model, groups: np.ndarray, draws: int) -> list[bool]:
    """Return whether the intervals hold the truths."""
    answers = np.full((len(data.labels), CLASSES), 0.05, np.float32)
    answers[np.arange(len(data.labels)), data.predicted] = 1 - 0.05 * (CLASSES - 1)
    found = score_with_intervals(data.labels, answers, groups, draws).intervals
    correct = data.predicted == data.labels
    found["difference"] = paired_difference(correct, data.other_correct, groups, draws)[1]
    return [found[name][0] <= truth <= found[name][1] for name, truth in truths(model).items()]


def coverage(
    name: str, sets: int, draws: int, count: int, extra: float, model: Model = GOOD, ignored: bool = False
) -> list[str | float]:
    """Return a row of the table: the share of the data sets whose intervals hold the truths, in per cent."""
    held = []
    for seed in range(sets):
        data = draw(np.random.default_rng(seed), model, count, extra)
        held.append(covered(data, model, np.arange(len(data.labels)) if ignored else data.groups, draws))
    return [name, *(100 * np.mean(held, axis=0)).tolist()]


def loop(labels: np.ndarray, answers: np.ndarray, draws: np.ndarray) -> None:
    """Calculate the same scores with scikit-learn under each weights (n,) of `draws`."""
    for weights in draws:
        calculate(labels, answers, weights)


def calculate(labels: np.ndarray, answers: np.ndarray, weights: np.ndarray) -> None:
    from sklearn import metrics

    predicted, given = answers.argmax(axis=1), {"sample_weight": weights}
    for score in (metrics.accuracy_score, metrics.balanced_accuracy_score, metrics.cohen_kappa_score):
        score(labels, predicted, **given)
    metrics.matthews_corrcoef(labels, predicted, **given)
    metrics.top_k_accuracy_score(labels, answers, k=3, **given)
    for average in ("macro", "weighted"):
        metrics.precision_recall_fscore_support(labels, predicted, average=average, zero_division=0, **given)
    for ranked in (metrics.roc_auc_score, metrics.average_precision_score):
        for column in range(CLASSES):
            ranked(labels == column, answers[:, column], **given)
    metrics.log_loss(labels, answers, **given)
    metrics.brier_score_loss(labels, answers, **given)


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    start, start_cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - start, time.process_time() - start_cpu


def speed(name: str, pictures: int, groups: int) -> list[str | float]:
    """Return a row of the table: seconds of ours, seconds of scikit-learn's."""
    generator = np.random.default_rng(0)
    labels, members = generator.integers(CLASSES, size=pictures), np.arange(pictures) % groups
    logits = 1.5 * generator.normal(size=(pictures, CLASSES))
    logits[np.arange(pictures), labels] += 3
    answers = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    ours = seconds(lambda: score_with_intervals(labels, answers.astype(np.float32), members, DRAWS))
    weights = generator.multinomial(groups, np.full(groups, 1 / groups), size=LOOPED)[:, members]
    theirs = seconds(lambda: loop(labels, answers, weights))
    return [name, *ours, *(DRAWS / LOOPED * one for one in theirs), DRAWS / LOOPED * theirs[1] / ours[1]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", type=int, default=1000, help="data sets for each row of coverage")
    parser.add_argument("--draws", type=int, default=1000, help="resamples of each data set")
    chosen = parser.parse_args()
    warnings.simplefilter("ignore")  # of classes that do not occur
    loop(np.arange(CLASSES), np.eye(CLASSES), np.ones((1, CLASSES)))  # imports
    print_table(
        [f"{DRAWS} draws", "s", "CPU s", "scikit-learn s", "CPU s", "times (CPU)"],
        speed("10,000 pictures, 3,000 groups", 10_000, 3_000),
        speed("10,000 pictures, each its own", 10_000, 10_000),
    )
    amount = (chosen.sets, chosen.draws)
    print_table(
        [f"held, % of {chosen.sets}", "accuracy", "macro F1", "paired difference"],
        coverage("1,000 pictures, each its own", *amount, 1000, 0),
        coverage("1,000 groups of 3.3", *amount, 1000, 2.3),
        coverage("300 groups of 3.3", *amount, 300, 2.3),
        coverage("359 pictures, 98.2 % right", *amount, 359, 0, VERY_GOOD),
        coverage("359 pictures, 99.1 % right", *amount, 359, 0, EXCELLENT),
        coverage("359 pictures, 99.8 % right", *amount, 359, 0, NEARLY_PERFECT),
        coverage("110 groups of 3.3, 98.2 % right", *amount, 110, 2.3, VERY_GOOD),
        coverage("36 pictures", *amount, 36, 0),
        coverage("1,000 groups of 3.3, ignored", *amount, 1000, 2.3, ignored=True),
    )


if __name__ == "__main__":
    main()
