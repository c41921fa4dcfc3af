"""Scores with intervals: each weighted score is scikit-learn's, and whole groups are drawn."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.examples.metrics import score
from darkroom.scoring import scores as scores_module
from darkroom.scoring.bootstrap import group_weights
from darkroom.scoring.class_scores import class_scores
from darkroom.scoring.intervals import all_or_none_interval, percentile_interval, wilson_interval
from darkroom.scoring.scores import score_with_intervals, weighted_scores


def answers(count: int, classes: int, seed: int, strength: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities, many of them equal: they are multiples of 1/8, scaled."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(classes, size=count)
    logits = generator.normal(size=(count, classes))
    logits[np.arange(count), labels] += strength
    steps = np.round(8 * np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)) + 0.125
    return labels, np.asarray(steps / steps.sum(axis=1, keepdims=True), np.float32)


def reference(labels: np.ndarray, probabilities: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Return scikit-learn's scores of the pictures that have a weight."""
    from sklearn import metrics

    drawn = weights > 0
    labels, probabilities, given = labels[drawn], probabilities[drawn], {"sample_weight": weights[drawn]}
    predicted, classes = probabilities.argmax(axis=1), np.arange(probabilities.shape[1])
    normal = probabilities / probabilities.sum(axis=1, dtype=np.float64, keepdims=True)
    found = {
        "accuracy": metrics.accuracy_score(labels, predicted, **given),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted, **given),
        "cohen_kappa": metrics.cohen_kappa_score(labels, predicted, **given),
        "mcc": metrics.matthews_corrcoef(labels, predicted, **given),
        "log_loss": metrics.log_loss(labels, normal, labels=classes, **given),
        "brier": metrics.brier_score_loss(labels, normal, labels=classes, scale_by_half=False, **given)
        if len(classes) > 2
        else 2 * metrics.brier_score_loss(labels, normal[:, 1], pos_label=1, labels=classes, **given),
    }
    if len(classes) > 3:
        found["top_3_accuracy"] = metrics.top_k_accuracy_score(labels, probabilities, k=3, labels=classes, **given)
    for average in ("macro", "weighted"):
        values = metrics.precision_recall_fscore_support(labels, predicted, average=average, zero_division=0, **given)
        found |= dict(zip((f"precision_{average}", f"recall_{average}", f"f1_{average}"), values[:3], strict=True))
    present = [] if len(np.unique(labels)) < 2 else [1] if len(classes) == 2 else np.unique(labels)
    for name, function in (("roc_auc", metrics.roc_auc_score), ("average_precision", metrics.average_precision_score)):
        each = [function(labels == column, probabilities[:, column], **given) for column in present]
        found[name] = np.mean(each) if each else np.nan
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 5), st.integers(0, 10**6), st.lists(st.integers(0, 3), min_size=6, max_size=30))
def test_each_weighted_score_is_that_of_scikit_learn(classes: int, seed: int, drawn: list[int]) -> None:
    weights = np.array([*drawn, 1.0])
    labels, probabilities = answers(len(weights), classes, seed)
    found = weighted_scores(labels, probabilities, group_weights(np.arange(len(weights)), 1, 0)).scores(
        weights[:, None]
    )
    with warnings.catch_warnings(action="ignore"):  # of classes that do not occur
        wanted = reference(labels, probabilities, weights)
    assert {name: float(value[0]) for name, value in found.items()} == pytest.approx(wanted, nan_ok=True, abs=1e-12)


@pytest.mark.parametrize("classes", [2, 7])
def test_values_are_those_of_training(classes: int) -> None:
    labels, probabilities = answers(300, classes, seed=1)
    values = score_with_intervals(labels, probabilities, np.arange(300), draws=2).values
    wanted = score(labels, probabilities)
    assert {name: values[name] for name in wanted} == pytest.approx(wanted, abs=1e-12)


def test_copies_in_a_group_add_nothing_and_copies_taken_for_new_pictures_do() -> None:
    labels, probabilities = answers(200, 5, seed=2)
    once = score_with_intervals(labels, probabilities, np.arange(200), draws=300)
    copied, ids = (np.repeat(labels, 3), np.repeat(probabilities, 3, axis=0)), np.repeat(np.arange(200), 3)
    grouped = score_with_intervals(*copied, np.array([f"group {number}" for number in ids]), draws=300)
    ungrouped = score_with_intervals(*copied, np.arange(600), draws=300)
    for name, value in once.values.items():
        assert grouped.values[name] == pytest.approx(value)
        assert grouped.intervals[name] == pytest.approx(once.intervals[name])
        assert once.intervals[name][0] < value < once.intervals[name][1]
        assert np.ptp(ungrouped.intervals[name]) == pytest.approx(np.ptp(once.intervals[name]) / 3**0.5, rel=0.25)


def test_a_draw_takes_as_many_groups_as_there_are_the_same_at_each_call() -> None:
    resamples = group_weights(np.array(["b", "a", "b", "c"]), draws=150, seed=3)
    weights = np.concatenate(list(resamples.blocks()), axis=1)
    assert weights.shape == (3, 150) and (weights.sum(axis=0) == 3).all() and weights.std() > 0.5
    assert (weights == np.concatenate(list(resamples.blocks()), axis=1)).all()
    assert (weights[resamples.group][0] == weights[resamples.group][2]).all()


def test_without_an_error_accuracy_has_the_exact_interval() -> None:
    from scipy.stats import binomtest

    right, wrong = np.eye(4, dtype=np.float32)[[0, 1, 2, 3] * 5], np.eye(4, dtype=np.float32)[[1, 2, 3, 0] * 5]
    labels, groups = np.array([0, 1, 2, 3] * 5), np.repeat(np.arange(10), 2)
    best, worst = (score_with_intervals(labels, each, groups, draws=10) for each in (right, wrong))
    assert best.intervals["accuracy"] == pytest.approx(tuple(binomtest(10, 10).proportion_ci()))
    assert best.intervals["top_3_accuracy"] == best.intervals["recall_weighted"] == best.intervals["accuracy"]
    assert worst.intervals["accuracy"] == pytest.approx(tuple(binomtest(0, 10).proportion_ci()))


def test_macro_f1_of_few_pictures_a_class_is_not_taken_for_lower_than_it_is() -> None:
    middles = []
    for seed in range(10):
        generator, labels = np.random.default_rng(seed), np.arange(300) % 50
        predicted = np.where(generator.random(300) < 0.7, labels, generator.integers(50, size=300))
        found = score_with_intervals(labels, np.eye(50, dtype=np.float32)[predicted], np.arange(300), draws=128)
        middles.append(np.mean(found.intervals["f1_macro"]))
    assert np.mean(middles) == pytest.approx(0.7 + 0.3 / 50, abs=0.01)  # plain percentiles: 0.669


def test_where_one_class_is_all_there_is_ranking_is_undefined() -> None:
    found = score_with_intervals(np.zeros(6, int), answers(6, 3, seed=4)[1], np.arange(6), draws=10)
    for name in ("roc_auc", "average_precision"):
        assert np.isnan([found.values[name], *found.intervals[name]]).all()
    assert np.isfinite(found.intervals["log_loss"]).all()


def test_many_classes_have_fewer_draws_for_ranking(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, probabilities = answers(100, 5, seed=5)
    monkeypatch.setattr(scores_module, "RANKED_WORK", 1)
    few = score_with_intervals(labels, probabilities, np.arange(100), draws=640)
    first = score_with_intervals(labels, probabilities, np.arange(100), draws=64)
    assert few.intervals["roc_auc"] == first.intervals["roc_auc"]
    assert few.intervals["accuracy"] != first.intervals["accuracy"]


def test_each_class_has_the_scores_of_scikit_learn_and_intervals() -> None:
    from sklearn import metrics

    labels, probabilities = answers(400, 4, seed=6)
    labels[labels == 3] = 2  # the class d is predicted, and never right
    predicted = probabilities.argmax(axis=1)
    table = class_scores(labels, probabilities, np.arange(400) // 2, "abcd", draws=200).set_index("class")
    wanted = np.array(metrics.precision_recall_fscore_support(labels, predicted, labels=range(4), zero_division=0))
    assert np.allclose(table[["precision", "recall", "f1", "support"]].T, wanted)
    for name, function in (("roc_auc", metrics.roc_auc_score), ("average_precision", metrics.average_precision_score)):
        assert np.allclose(table[name][:3], [function(labels == row, probabilities[:, row]) for row in range(3)])
    for name in ("precision", "recall", "f1"):
        low, value, high = (table[name + end][:3] for end in ("_low", "", "_high"))
        assert ((low < value) & (value < high) & (high - low < 0.3)).all()
    never = table.loc["d"].astype(float)
    assert never[["recall_low", "recall_high", "roc_auc"]].isna().all()
    assert never["precision_low"] == 0 and 0 < never["precision_high"] < 0.2


def test_a_class_without_an_error_is_not_certain() -> None:
    labels = np.array([0] * 4 + [1] * 30)
    table = class_scores(labels, np.eye(2, dtype=np.float32)[labels], np.arange(34), "ab", draws=10)
    assert table["recall_low"].tolist() == pytest.approx([0.025 ** (1 / 4), 0.025 ** (1 / 30)])
    assert (table["recall_low"] < table["f1_low"]).all() and (table["f1_low"] < 1).all()
    assert (table["f1_high"] == 1).all()


def test_fewer_errors_never_make_an_interval_lower() -> None:
    labels, low = np.arange(360) % 4, []
    for errors in (12, 6, 3, 1, 0):
        predicted = np.where(np.arange(360) < errors, (labels + 1) % 4, labels)
        found = score_with_intervals(labels, np.eye(4, dtype=np.float32)[predicted], np.arange(360), draws=400)
        for name in ("accuracy", "f1_macro", "cohen_kappa"):
            assert found.intervals[name][0] < found.values[name] <= found.intervals[name][1] <= 1
        low.append(found.intervals["accuracy"][0])
    assert low == sorted(low) and low[-1] < 0.991


@pytest.mark.parametrize(("right", "pictures", "copies"), [(0.99, 360, 1), (0.98, 110, 4), (0.9, 36, 1)])
def test_intervals_near_1_hold_the_truth(right: float, pictures: int, copies: int) -> None:
    held, groups = [], np.repeat(np.arange(pictures), copies)
    for seed in range(100):
        correct = np.repeat(np.random.default_rng(seed).random(pictures) < right, copies)
        answers = np.eye(2, dtype=np.float32)[correct.astype(int)]
        low, high = score_with_intervals(np.ones(len(groups), int), answers, groups, draws=150).intervals["accuracy"]
        held.append(low <= right <= high)
    assert np.mean(held) >= 0.91


def test_quantiles_leave_out_what_is_undefined() -> None:
    values = np.random.default_rng(7).normal(size=41)
    values[::2] = np.nan
    assert percentile_interval(values) == pytest.approx(np.nanquantile(values, [0.025, 0.975]))
    assert np.isnan(percentile_interval(np.full(5, np.nan))).all()


@pytest.mark.parametrize(("right", "trials"), [(0, 3), (3, 3), (7, 20)])
def test_intervals_of_shares_are_those_of_scipy(right: int, trials: int) -> None:
    from scipy.stats import binomtest

    known = binomtest(right, trials)
    assert wilson_interval(np.array(right), np.array(trials)) == pytest.approx(
        tuple(known.proportion_ci(method="wilson"))
    )
    if right in (0, trials):
        exact = all_or_none_interval(np.array(right / trials), np.array(trials))
        assert exact == pytest.approx(tuple(known.proportion_ci(method="exact")))
