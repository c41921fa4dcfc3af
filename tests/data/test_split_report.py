from typing import Any

import pandas as pd
import pytest

from darkroom.core.tables import CURATED
from darkroom.params.data import Balance, Split
from darkroom.split.split_summary import headline, naive_leak, summarise
from darkroom.split.splits import assign_splits
from pictures import numbered

EVEN = Balance(method="none", scope="train", cap=0, seed=0)
PARAMS = Split(validation=0.2, test=0.2, folds=0, fold=0, seed=0)


def curated_of(group_of: list[int], keep: list[bool] | None = None) -> pd.DataFrame:
    """Return a table with a picture for each group in `group_of`, of the classes a and b in turn."""
    rows = pd.DataFrame({"image_id": [f"{number:04}" for number in range(len(group_of))], "weight": 1.0})
    groups = [f"{group:04}" for group in group_of]
    rows = rows.assign(label=["ab"[group % 2] for group in group_of], group_id=groups, duplicate_id=groups)
    kept = pd.Series(keep or [True] * len(rows))
    reason = pd.Series("near duplicate", rows.index, dtype="str").where(~kept)
    return rows.assign(keep=kept, reason=reason)[list(CURATED)].astype(CURATED)


def split_up(curated: pd.DataFrame, given: pd.Series | None = None, params: Split = PARAMS) -> pd.DataFrame:
    return assign_splits(numbered(curated, given), curated["image_id"], params, EVEN)


def report_of(
    curated: pd.DataFrame, splits: pd.DataFrame, given: pd.Series | None = None, params: Split = PARAMS
) -> dict[str, Any]:
    return summarise(numbered(curated, given), splits, curated["image_id"], params)


def leak_of(curated: pd.DataFrame, given: pd.Series | None = None) -> int:
    return naive_leak(numbered(curated, given), curated["image_id"], PARAMS)


def test_the_report_says_how_near_the_shares_are() -> None:
    curated = curated_of(list(range(1000)))
    splits = split_up(curated)
    report = report_of(curated, splits)
    assert (report["train"], report["validation"], report["test"]) == (600, 200, 200)
    assert report["shares"] == pytest.approx({"train": 0.6, "validation": 0.2, "test": 0.2})
    assert report["deviation"] == report["class_deviation"] == pytest.approx(0)
    assert report["straddling_groups"] == report["naive_leak"] == 0 and report["folds"] == []
    assert report["per_class"]["a"] == {"train": 300, "validation": 100, "test": 100}
    assert headline(report).startswith("split: 600 train, 200 validation, 200 test; shares met within 0.0%; no group")
    moved = splits.assign(split=splits["split"].mask(splits.index < 50, "test"))
    off = report_of(curated, moved)
    assert off["deviation"] == pytest.approx((moved["split"] == "test").sum() / 1000 - 0.2)
    assert off["digest"] != report["digest"] and off["validation_digest"] != report["validation_digest"]
    heavier = report_of(curated, splits.assign(weight=2.0))
    assert heavier["digest"] != report["digest"] and heavier["validation_digest"] == report["validation_digest"]


def test_a_given_split_is_as_it_should_be_and_folds_are_counted() -> None:
    curated = curated_of(list(range(100)))
    given = pd.Series(["test"] * 50 + ["train"] * 50, curated["image_id"])
    for folds, validation in ((0, 10), (5, 10)):
        params = PARAMS.model_copy(update={"folds": folds})
        report = report_of(curated, split_up(curated, given, params), given, params)
        assert (report["test"], report["validation"], report["folds"]) == (50, validation, [10] * folds)
        assert report["deviation"] == pytest.approx(0)


def test_a_naive_split_leaks_what_is_there_twice() -> None:
    twice = curated_of([number // 2 for number in range(2000)], [True, False] * 1000)
    assert leak_of(twice) == pytest.approx(400 * 0.6, abs=40)
    filtered = twice.assign(reason=twice["reason"].mask(~twice["keep"], "filtered"))
    assert leak_of(filtered) == 0


def test_a_given_test_split_is_judged_as_it_is_given() -> None:
    curated = curated_of([0, 0, 1, 1, 2, 2, 3])
    given = pd.Series(["test", "train", "test", "validation", "train", "train", "test"], curated["image_id"])
    assert leak_of(curated, given) == 1
