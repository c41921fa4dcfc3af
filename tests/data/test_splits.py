from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.core.errors import UserError
from darkroom.core.tables import CURATED, SPLITS
from darkroom.params.data import Balance, Split
from darkroom.split.splits import assign_splits, require_no_leak, require_usable, to_table
from darkroom.split.stratify import MAX_BORROWED
from pictures import numbered

# a class is a list of groups, a group a list of pictures, each kept or not
GROUPS = st.lists(st.lists(st.booleans(), min_size=1, max_size=3).filter(any), min_size=1, max_size=25)
CLASSES = st.dictionaries(st.sampled_from("abcd"), GROUPS, min_size=1)
SHARES = st.tuples(st.floats(0.01, 0.49), st.floats(0.01, 0.49), st.integers(0, 3))
FEW = settings(max_examples=30, deadline=None)  # pandas takes its time
NOTHING = pd.Series({}, dtype="str")
EVEN = Balance(method="none", scope="train", cap=0, seed=0)


def curated_of(classes: dict[str, list[list[bool]]]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for label, groups in classes.items():
        for number, group in enumerate(groups):
            names = [f"{label}{number:03}{place}" for place in range(len(group))]
            rows += [
                {"image_id": name, "label": label, "duplicate_id": names[0], "group_id": names[0], "keep": keep}
                for name, keep in zip(names, group, strict=True)
            ]
    table = pd.DataFrame(rows, columns=list(CURATED)).assign(weight=1.0)
    return table.astype(CURATED).sort_values("image_id", ignore_index=True)


def params_of(shares: tuple[float, float, int], folds: int = 0, fold: int = 0) -> Split:
    return Split(validation=shares[0], test=shares[1], seed=shares[2], folds=folds, fold=fold)


def split_up(
    curated: pd.DataFrame,
    params: Split,
    given_split: pd.Series = NOTHING,
    balance: Balance = EVEN,
    feedback: pd.Series = NOTHING,
) -> pd.DataFrame:
    """Return the table SPLITS."""
    ids = curated["image_id"]
    return to_table(assign_splits(numbered(curated, given_split, feedback), ids, params, balance), ids)


def check_leak(curated: pd.DataFrame, splits: pd.DataFrame, contents: np.ndarray | None = None) -> None:
    """Check the table SPLITS; without `contents` every group has its own."""
    own, rows = numbered(curated), pd.Index(curated["image_id"]).get_indexer(pd.Index(splits["image_id"]))
    require_no_leak(own, splits.set_index(rows), own["group_id"].to_numpy() if contents is None else contents)


@FEW
@given(CLASSES, SHARES)
def test_every_kept_picture_is_in_one_split_no_group_in_two_and_each_class_is_divided_as_asked(
    classes: Any, shares: Any
) -> None:
    curated, params = curated_of(classes), params_of(shares)
    splits = split_up(curated, params)
    assert dict(splits.dtypes.astype(str)) == SPLITS
    assert splits["image_id"].tolist() == sorted(curated[curated["keep"]]["image_id"])
    assert set(splits["split"]) <= {"train", "validation", "test"}
    assert set(splits[splits["split"] == "train"]["label"]) == set(classes)
    check_leak(curated, splits)
    check_shares(classes, params, splits)


def check_shares(classes: dict[str, list[list[bool]]], params: Split, splits: pd.DataFrame) -> None:
    """Check that each class is divided as asked, within one group."""
    for label, groups in classes.items():
        sizes = [sum(group) for group in groups]
        found = splits[splits["label"] == label]["split"].value_counts()
        for name, share in (("test", params.test), ("validation", params.validation)):
            lent = 1 + 3 * MAX_BORROWED * sum(sizes)  # to mend what other classes left uneven
            assert abs(found.get(name, 0) - share * sum(sizes)) <= max(sizes) + lent


@FEW
@given(CLASSES, SHARES, st.data())
def test_given_splits_are_taken_as_they_are(classes: Any, shares: Any, data: Any) -> None:
    curated = curated_of(classes)
    choice = data.draw(st.sampled_from([("train", "test"), ("train", "validation", "test"), ("train", "validation")]))
    drawn = {group: data.draw(st.sampled_from(choice)) for group in sorted(set(curated["group_id"]))}
    drawn |= {f"{label}0000": "train" for label in classes}
    given_split = pd.Series(curated["group_id"].map(drawn).to_numpy(), curated["image_id"])
    splits = split_up(curated, params_of(shares), given_split).set_index("image_id")["split"]
    asked = given_split[splits.index]
    present = set(asked)
    for name in {"test", "validation"} & present:
        assert set(splits[splits == name].index) == set(asked[asked == name].index)
    if {"test", "validation"} <= present:
        assert (splits == asked).all()


def test_a_seed_is_another_division() -> None:
    curated = curated_of({"a": [[True]] * 40, "b": [[True]] * 40})
    tables = [split_up(curated, params_of((0.2, 0.2, seed))) for seed in (0, 0, 1)]
    assert tables[0].equals(tables[1]) and not tables[0].equals(tables[2])
    assert sorted(tables[0]["split"]) == sorted(tables[2]["split"])


def test_more_pictures_move_few_others() -> None:
    small = split_up(curated_of({"a": [[True]] * 90}), params_of((0.2, 0.2, 0))).set_index("image_id")
    large = split_up(curated_of({"a": [[True]] * 100}), params_of((0.2, 0.2, 0))).set_index("image_id")
    assert (small["split"] != large["split"][small.index]).sum() <= 10


def test_a_class_that_is_all_test_is_said() -> None:
    curated = curated_of({"a": [[True]] * 3, "b": [[True]] * 3})
    given_split = pd.Series(["train"] * 3 + ["test"] * 3, curated["image_id"])
    with pytest.raises(UserError, match="class 'b' has no training pictures"):
        split_up(curated, params_of((0.2, 0.2, 0)), given_split)


def test_a_leak_is_seen_and_said() -> None:
    curated = curated_of({"a": [[True, True]], "b": [[True]]})
    splits = pd.DataFrame({"image_id": curated["image_id"], "label": "a", "split": ["train", "test", "test"]})
    with pytest.raises(UserError, match="1 groups of pictures are in two splits"):
        check_leak(curated, splits)
    same = splits.assign(image_id="a0000", split="train")
    with pytest.raises(UserError):
        check_leak(curated, same)
    together = splits.assign(split=["train", "train", "test"])
    check_leak(curated, together)
    with pytest.raises(UserError, match="1 files of equal content are in two splits"):
        check_leak(curated, together, np.zeros(3, np.int64))


@pytest.mark.parametrize(
    ("labels", "splits", "message"),
    [
        (["a", "a", "a"], ["train", "validation", "test"], "only class 'a' is left after filters, duplicates"),
        ([], [], "no pictures are left"),
        (["a", "b"], ["train", "test"], "the validation split is empty: 2 pictures in 1 groups are left"),
    ],
)
def test_splits_that_cannot_be_used_are_said(labels: list[Any], splits: list[Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        require_usable(*usable_frames(labels, splits))


def usable_frames(labels: list[str], splits: list[str]) -> tuple[pd.DataFrame, pd.Series]:
    """Return a table of splits and its groups, of which there is one."""
    names = [f"picture{number}" for number in range(len(labels))]
    return pd.DataFrame({"image_id": names, "label": labels, "split": splits}), pd.Series("g", range(len(names)))


def test_three_pictures_a_class_fill_every_split() -> None:
    curated = curated_of({"a": [[True]] * 3, "b": [[True]] * 3})
    splits = split_up(curated, params_of((0.15, 0.2, 0)))
    require_usable(splits, curated["group_id"])
    assert sorted(splits["split"]) == ["test", "test", "train", "train", "validation", "validation"]


@FEW
@given(st.dictionaries(st.sampled_from("abcd"), GROUPS, min_size=1), st.integers(2, 6), st.integers(0, 3))
def test_folds_are_even_and_whole(classes: Any, folds: Any, seed: Any) -> None:
    curated = curated_of({label: [*groups, [True], [True], [True], [True]] for label, groups in classes.items()})
    tables = []
    for fold in {0, folds - 1}:
        splits = split_up(curated, params_of((0.2, 0.2, seed), folds, fold))
        check_leak(curated, splits)
        assert splits[splits["split"] == "test"]["fold"].isna().all()
        rest = splits[splits["split"] != "test"]
        assert set(rest["fold"]) <= set(range(folds))
        assert ((rest["split"] == "validation") == (rest["fold"] == fold)).all()
        tables.append(splits)
    pd.testing.assert_series_equal(tables[1]["fold"], tables[0]["fold"])
    sizes = tables[0]["fold"].value_counts().reindex(range(folds), fill_value=0)
    assert sizes.max() - sizes.min() <= 3 + len(curated["label"].unique())


def test_folds_take_a_given_validation_split_and_leave_a_given_test_split() -> None:
    curated = curated_of({"a": [[True]] * 30, "b": [[True]] * 30})
    given_split = pd.Series(["train", "validation", "test"] * 20, curated["image_id"])
    splits = split_up(curated, params_of((0.2, 0.2, 0), 4, 1), given_split).set_index("image_id")
    assert set(splits[splits["split"] == "test"].index) == set(given_split[given_split == "test"].index)
    assert splits["fold"].value_counts().to_dict() == dict.fromkeys(range(4), 10)


def test_a_fold_that_takes_a_whole_class_is_said() -> None:
    curated = curated_of({"a": [[True]] * 9, "b": [[True]]})
    messages = []
    for fold in range(3):
        try:
            split_up(curated, params_of((0.2, 0.2, 0), 3, fold))
        except UserError as error:
            messages.append(str(error))
    assert len(messages) == 1 and "class 'b' has no training pictures in fold" in messages[0]


def test_only_training_pictures_are_balanced() -> None:
    curated = curated_of({"a": [[True]] * 60, "b": [[True]] * 20})
    plain = split_up(curated, params_of((0.2, 0.2, 0)))
    assert (plain["weight"] == 1).all() and (plain["copies"] == 1).all()
    for method, column in (("oversample", "copies"), ("undersample", "copies"), ("class_weight", "weight")):
        splits = split_up(curated, params_of((0.2, 0.2, 0)), balance=EVEN.model_copy(update={"method": method}))
        assert dict(splits.dtypes.astype(str)) == SPLITS and splits["split"].equals(plain["split"])
        assert (splits[splits["split"] != "train"][column] == 1).all()
        train = splits[splits["split"] == "train"]
        sums = (train["weight"] * train["copies"]).groupby(train["label"]).sum()
        assert sums["a"] == pytest.approx(sums["b"])
