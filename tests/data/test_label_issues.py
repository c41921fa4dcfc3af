import numpy as np
import pandas as pd

from darkroom.scoring.label_issues import label_issues

CLASSES = ["cat", "dog", "eel"]


def issues(labels: list[int], probabilities: list[list[float]]) -> pd.DataFrame:
    names = np.array([f"id{number}" for number in range(len(labels))])
    paths = pd.Series({name: f"{name}.png" for name in reversed(names)})
    return label_issues(names, np.array(labels), np.array(probabilities, np.float32), CLASSES, paths)


def test_labels_that_are_hardly_believed_are_listed_the_least_believed_first() -> None:
    sure, doubted, rejected = [0.9, 0.1, 0.0], [0.2, 0.7, 0.1], [0.0, 0.1, 0.9]
    found = issues([0, 0, 0, 1], [sure, doubted, rejected, sure])
    assert found.drop(columns="confidence").to_numpy().tolist() == [
        ["id2", "id2.png", "cat", "eel"],
        ["id3", "id3.png", "dog", "cat"],
        ["id1", "id1.png", "cat", "dog"],
    ]
    assert np.allclose(found["confidence"], [0.0, 0.1, 0.2])


def test_a_close_call_is_no_suspicion() -> None:
    found = issues([0, 0], [[0.4, 0.6, 0.0], [0.34, 0.33, 0.33]])
    assert found.empty and list(found) == ["image_id", "path", "label", "suggested", "confidence"]
