import numpy as np
import pytest
from sklearn import metrics as sk

from darkroom.examples.metrics import Diverged, predict, score
from darkroom.examples.pixels import Examples
from darkroom.models.architecture import build_network
from easy import model_params

# four pictures of three classes; predicted 0, 1, 1, 2
LABELS = np.array([0, 1, 0, 2])
ANSWERS = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.6, 0.1], [0.2, 0.2, 0.6]], np.float32)


def test_scores_by_hand() -> None:
    scores = score(LABELS, ANSWERS)
    assert scores["accuracy"] == 3 / 4
    # precision 1, 1/2, 1; recall 1/2, 1, 1; F1 2/3, 2/3, 1; two pictures of class 0, one of each other
    assert scores["precision_macro"] == pytest.approx(2.5 / 3)
    assert scores["recall_macro"] == pytest.approx(2.5 / 3)
    assert scores["f1_macro"] == pytest.approx((2 / 3 + 2 / 3 + 1) / 3)
    assert scores["precision_weighted"] == pytest.approx((2 * 1 + 0.5 + 1) / 4)
    assert scores["recall_weighted"] == pytest.approx(3 / 4)
    assert scores["f1_weighted"] == pytest.approx((2 * 2 / 3 + 2 / 3 + 1) / 4)
    assert scores["log_loss"] == pytest.approx(-np.log([0.7, 0.8, 0.3, 0.6]).mean(), rel=1e-6)
    assert scores["roc_auc"] == 1.0


def random_answers(count: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(count)
    answers = random.dirichlet(np.ones(classes), count).astype(np.float32)
    return random.integers(0, classes, count), answers


@pytest.mark.parametrize(("count", "classes"), [(200, 2), (200, 3), (501, 10)])
def test_scores_are_those_of_scikit_learn(count: int, classes: int) -> None:
    labels, answers = random_answers(count, classes)
    predicted = answers.argmax(axis=1)
    scores = score(labels, answers)
    assert scores["accuracy"] == pytest.approx(sk.accuracy_score(labels, predicted))
    assert scores["f1_macro"] == pytest.approx(sk.f1_score(labels, predicted, average="macro"))
    normal = answers.astype(np.float64) / answers.astype(np.float64).sum(axis=1, keepdims=True)
    assert scores["log_loss"] == pytest.approx(sk.log_loss(labels, normal), rel=1e-9)
    expected = sk.roc_auc_score(labels, normal[:, 1] if classes == 2 else normal, multi_class="ovr")
    assert scores["roc_auc"] == pytest.approx(expected, rel=1e-6)


def test_two_classes_have_the_auc_of_the_second() -> None:
    labels = np.array([0, 0, 1, 1])
    second = np.array([0.1, 0.4, 0.35, 0.8])
    assert score(labels, np.stack([1 - second, second], axis=1))["roc_auc"] == 0.75  # 3 of 4 pairs in order


def test_a_class_that_is_missing_in_a_split_is_left_out_of_the_auc() -> None:
    labels = np.array([0, 1, 0, 1])
    scores = score(labels, ANSWERS)
    expected = np.mean([sk.roc_auc_score(labels == label, ANSWERS[:, label]) for label in (0, 1)])
    assert scores["roc_auc"] == pytest.approx(expected)
    assert scores["log_loss"] == pytest.approx(-np.log([0.7, 0.8, 0.3, 0.2]).mean(), rel=1e-6)


def test_one_class_alone_has_no_auc() -> None:
    scores = score(np.zeros(4, int), ANSWERS)
    assert np.isnan(scores["roc_auc"]) and scores["accuracy"] == 0.25


def test_perfect_answers() -> None:
    scores = score(np.array([0, 1, 2]), np.eye(3, dtype=np.float32))
    assert scores["log_loss"] == pytest.approx(0, abs=1e-6)
    assert {name for name, value in scores.items() if value != 1} == {"log_loss"}


def test_a_diverged_network_is_an_error_and_not_measured() -> None:
    network = build_network(model_params(dense=[]), 8, 2)
    network.set_weights([weights * np.nan for weights in network.get_weights()])
    pictures = Examples(np.zeros((4, 8, 8, 3), np.uint8), np.arange(4), np.zeros(4, np.int32), ("a", "b"))
    with pytest.raises(Diverged, match="learning_rate"):
        predict(network, pictures, 2)
