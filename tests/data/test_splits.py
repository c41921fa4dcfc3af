from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.data.splits import assign_splits, require_no_leak, require_usable, straddling_groups, summarise
from darkroom.errors import UserError
from darkroom.params.schema import Split
from darkroom.tables import CURATED, SPLITS

# a class is a list of groups, a group a list of pictures, each kept or not
GROUPS = st.lists(st.lists(st.booleans(), min_size=1, max_size=3).filter(any), min_size=1, max_size=25)
CLASSES = st.dictionaries(st.sampled_from("abcd"), GROUPS, min_size=1)
SHARES = st.tuples(st.floats(0.01, 0.49), st.floats(0.01, 0.49), st.integers(0, 3))
FEW = settings(max_examples=30)  # pandas takes its time
NOTHING = pd.Series({}, dtype="str")


def curated_of(classes: dict[str, list[list[bool]]]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for label, groups in classes.items():
        for number, group in enumerate(groups):
            names = [f"{label}{number:03}{place}" for place in range(len(group))]
            rows += [
                {"image_id": name, "label": label, "group_id": names[0], "keep": keep}
                for name, keep in zip(names, group, strict=True)
            ]
    table = pd.DataFrame(rows, columns=list(CURATED)).assign(weight=1.0)
    return table.astype(CURATED).sort_values("image_id", ignore_index=True)


def params_of(shares: tuple[float, float, int]) -> Split:
    return Split(validation=shares[0], test=shares[1], seed=shares[2])


@FEW
@given(CLASSES, SHARES)
def test_every_kept_picture_is_in_one_split_and_no_group_in_two(classes, shares):
    curated = curated_of(classes)
    splits = assign_splits(curated, NOTHING, params_of(shares))
    assert dict(splits.dtypes.astype(str)) == SPLITS
    assert splits["image_id"].tolist() == sorted(curated[curated["keep"]]["image_id"])
    assert set(splits["split"]) <= {"train", "validation", "test"}
    assert straddling_groups(curated, splits) == 0
    assert set(splits[splits["split"] == "train"]["label"]) == set(classes)
    require_no_leak(curated, splits)


@FEW
@given(CLASSES, SHARES)
def test_each_class_is_divided_as_asked_within_one_group(classes, shares):
    curated = curated_of(classes)
    params = params_of(shares)
    splits = assign_splits(curated, NOTHING, params)
    for label, groups in classes.items():
        sizes = [sum(group) for group in groups]
        found = splits[splits["label"] == label]["split"].value_counts()
        for name, share in (("test", params.test), ("validation", params.validation)):
            assert abs(found.get(name, 0) - round(share * sum(sizes))) <= max(sizes)


@FEW
@given(CLASSES, SHARES, st.integers(0, 5))
def test_the_order_of_rows_changes_nothing(classes, shares, order):
    curated = curated_of(classes)
    splits = assign_splits(curated, NOTHING, params_of(shares))
    shuffled = curated.sample(frac=1, random_state=order)
    pd.testing.assert_frame_equal(assign_splits(shuffled, NOTHING, params_of(shares)), splits)


@FEW
@given(CLASSES, SHARES, st.data())
def test_given_splits_are_taken_as_they_are(classes, shares, data):
    curated = curated_of(classes)
    choice = data.draw(st.sampled_from([("train", "test"), ("train", "validation", "test"), ("train", "validation")]))
    drawn = {group: data.draw(st.sampled_from(choice)) for group in sorted(set(curated["group_id"]))}
    drawn |= {f"{label}0000": "train" for label in classes}
    given_split = pd.Series(curated["group_id"].map(drawn).to_numpy(), curated["image_id"])
    splits = assign_splits(curated, given_split, params_of(shares)).set_index("image_id")["split"]
    asked = given_split[splits.index]
    present = set(asked)
    for name in {"test", "validation"} & present:
        assert set(splits[splits == name].index) == set(asked[asked == name].index)
    if {"test", "validation"} <= present:
        assert (splits == asked).all()


def test_a_seed_is_another_division():
    curated = curated_of({"a": [[True]] * 40, "b": [[True]] * 40})
    tables = [assign_splits(curated, NOTHING, params_of((0.2, 0.2, seed))) for seed in (0, 0, 1)]
    assert tables[0].equals(tables[1]) and not tables[0].equals(tables[2])
    assert sorted(tables[0]["split"]) == sorted(tables[2]["split"])


def test_more_pictures_move_few_others():
    small = assign_splits(curated_of({"a": [[True]] * 90}), NOTHING, params_of((0.2, 0.2, 0))).set_index("image_id")
    large = assign_splits(curated_of({"a": [[True]] * 100}), NOTHING, params_of((0.2, 0.2, 0))).set_index("image_id")
    assert (small["split"] != large["split"][small.index]).sum() <= 10


def test_a_class_that_is_all_test_is_said():
    curated = curated_of({"a": [[True]] * 3, "b": [[True]] * 3})
    given_split = pd.Series(["train"] * 3 + ["test"] * 3, curated["image_id"])
    with pytest.raises(UserError, match="class 'b' has no picture to train on"):
        assign_splits(curated, given_split, params_of((0.2, 0.2, 0)))


def test_a_leak_is_seen_and_said():
    curated = curated_of({"a": [[True, True]]})
    splits = pd.DataFrame({"image_id": curated["image_id"], "label": "a", "split": ["train", "test"]}).astype(SPLITS)
    assert straddling_groups(curated, splits) == summarise(curated, splits)["straddling_groups"] == 1
    with pytest.raises(UserError, match="1 groups of duplicates are in two splits"):
        require_no_leak(curated, splits)
    same = pd.DataFrame({"image_id": ["a0000"] * 2, "label": "a", "split": "train"}).astype(SPLITS)
    with pytest.raises(UserError):
        require_no_leak(curated, same)


@pytest.mark.parametrize(
    ("labels", "splits", "said"),
    [
        (["a", "a", "a"], ["train", "validation", "test"], "only class 'a' is left"),
        ([], [], "no picture is left"),
        (["a", "b"], ["train", "test"], "the validation split is empty"),
    ],
)
def test_splits_that_cannot_be_used_are_said(labels, splits, said):
    with pytest.raises(UserError, match=said):
        require_usable(pd.DataFrame({"label": labels, "split": splits}))


def test_three_pictures_a_class_fill_every_split():
    curated = curated_of({"a": [[True]] * 3, "b": [[True]] * 3})
    splits = assign_splits(curated, NOTHING, params_of((0.15, 0.2, 0)))
    require_usable(splits)
    assert sorted(splits["split"]) == ["test", "test", "train", "train", "validation", "validation"]
