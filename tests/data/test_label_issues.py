import numpy as np
import pandas as pd

from darkroom.evaluate.label_issues import label_issues

CLASSES = ["cat", "dog", "eel"]  # no eel has been seen


def issues(labels: list[int], probabilities: list[list[float]]) -> pd.DataFrame:
    names = np.array([f"id{number}" for number in range(len(labels))])
    paths = pd.Series({name: f"{name}.png" for name in reversed(names)})
    return label_issues(names, np.array(labels), np.array(probabilities, np.float32), CLASSES, paths)


def test_a_picture_is_suspected_when_another_class_is_as_sure_as_on_its_own_pictures() -> None:
    cats, dogs = [[0.9, 0.1, 0.0]] * 3 + [[0.2, 0.8, 0.0]], [[0.1, 0.9, 0.0]] * 3 + [[0.72, 0.28, 0.0]]
    found = issues([0, 0, 0, 0, 1, 1, 1, 1], cats + dogs)  # a cat is 0.725 sure in the mean, a dog 0.745
    assert found.drop(columns="confidence").to_numpy().tolist() == [["id3", "id3.png", "cat", "dog"]]
    assert np.allclose(found["confidence"], 0.2)


def test_the_least_believed_label_comes_first_and_a_class_without_pictures_is_never_suggested() -> None:
    unsure = [[0.1, 0.8, 0.1], [0.3, 0.7, 0.0], [0.0, 0.1, 0.9]]
    found = issues([0] * 10 + [1] * 9, [[0.9, 0.1, 0.0]] * 7 + unsure + [[0.4, 0.6, 0.0]] * 9)
    assert found["image_id"].tolist() == ["id7", "id8"]
    assert found["confidence"].is_monotonic_increasing and set(found["suggested"]) == {"dog"}


def test_nothing_is_suspected_of_a_sure_model() -> None:
    found = issues([0, 1, 1], [[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.3, 0.7, 0.0]])
    assert found.empty and list(found) == ["image_id", "path", "label", "suggested", "confidence"]
