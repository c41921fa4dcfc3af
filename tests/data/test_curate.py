from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkroom.core.errors import UserError
from darkroom.core.tables import CURATED, REASONS
from darkroom.curation.duplicates import PRECEDENCE, split_precedence
from darkroom.curation.pictures import to_names
from darkroom.dedupe.curate import curate_pictures, headline, summarise
from darkroom.params.data import Balance, Dedupe
from defaults import default_params
from pictures import manifest_of, pictures_of

PARAMS = default_params().dedupe
SAME: dict[str, Any] = {"sha256": "same"}
TWICE: dict[str, Any] = {"sha256": "twice"}
Pairs = list[tuple[int, int]]


def numbered(
    rows: list[dict[str, Any]], pairs: Pairs | None = None, balance: dict[str, Any] | None = None, **dedupe: Any
) -> pd.DataFrame:
    """Return the curated pictures; `pairs` look alike, `dedupe` and `balance` differ from the default's."""
    even = Balance(**{"method": "none", "scope": "train", "cap": 0, "seed": 0, **(balance or {})})
    near = np.array(pairs or [], np.int64).reshape(-1, 2)
    return curate_pictures(pictures_of(manifest_of(rows)), near, changed(**dedupe), even)


def curated(rows: list[dict[str, Any]], *pairs: Any, **options: Any) -> pd.DataFrame:
    """Return the table CURATED."""
    return to_names(numbered(rows, *pairs, **options), pictures_of(manifest_of(rows)).texts("image_id"))


def report_of(rows: list[dict[str, Any]], *pairs: Any, **options: Any) -> dict[str, Any]:
    return summarise(numbered(rows, *pairs, **options), pictures_of(manifest_of(rows)))


def changed(**dedupe: Any) -> Dedupe:
    inner = {**PARAMS.filter.model_dump(), **dedupe.pop("filter", {})}
    return Dedupe(**{**PARAMS.model_dump(), **dedupe, "filter": inner})


def kept(rows: list[dict[str, Any]], pairs: Pairs | None = None, **options: Any) -> list[int]:
    """Return the numbers of the rows that are kept."""
    return curated(rows, pairs, **options).query("keep").index.tolist()


def reasons(rows: list[dict[str, Any]], pairs: Pairs | None = None, **options: Any) -> list[str | None]:
    return [None if pd.isna(one) else one for one in curated(rows, pairs, **options)["reason"]]


def test_the_table_has_its_columns_and_only_pictures() -> None:
    table = curated([{}, {"error": "is empty"}, {"label": "b"}])
    assert dict(table.dtypes.astype(str)) == CURATED
    assert table["image_id"].is_monotonic_increasing and len(table) == 2
    assert table["keep"].all() and table["reason"].isna().all() and (table["weight"] == 1).all()


def test_of_copies_the_largest_stays_or_the_first_path() -> None:
    rows = [{**SAME, "path": "c.png"}, {**SAME, "path": "a.png"}, {}, {**SAME, "path": "b.png"}]
    table = curated(rows)
    assert kept(rows) == kept(rows, keep="first") == [1, 2]
    assert table["duplicate_id"].tolist() == table["group_id"].tolist() == table["image_id"][[0, 0, 2, 0]].tolist()
    sizes = [{"width": 20}, {"width": 40, "bytes": 90}, {"width": 40, "bytes": 95}, {"width": 40, "bytes": 95}]
    assert kept(sizes, [(0, 1), (1, 2), (2, 3)]) == [2]
    assert kept(sizes, [(0, 1), (1, 2), (2, 3)], keep="first") == [0]


def test_a_copy_is_exact_when_its_content_was_listed_before_else_near() -> None:
    rows: list[dict[str, Any]] = [{**SAME, "width": 40}, SAME, TWICE, TWICE, {"sha256": "other"}]
    found = [None, "exact duplicate", "near duplicate", "exact duplicate", "near duplicate"]
    assert reasons(rows, [(0, 2), (3, 4)]) == found
    report = report_of(rows, [(0, 2), (3, 4)])
    assert (report["exact_duplicates"], report["near_duplicates"], report["kept"]) == (2, 2, 1)


@pytest.mark.parametrize("keep", ["first", "largest"])
def test_a_given_test_split_stays_whole(keep: str) -> None:
    rows = [{**SAME, "given_split": "test"}, {**SAME, "given_split": "test"}, SAME, {"given_split": "test"}]
    assert kept(rows, [(0, 3)], keep=keep) == [0, 1, 3]


@pytest.mark.parametrize(
    ("splits", "stays"),
    [(["train", "test"], 1), (["train", "validation"], 1), (["validation", "test"], 1), ([None, "train"], 0)],
)
@pytest.mark.parametrize("keep", ["first", "largest"])
def test_a_given_test_picture_stays_before_its_copies(splits: list[Any], stays: int, keep: str) -> None:
    rows = [{**SAME, "path": f"{n}.png", "given_split": split} for n, split in enumerate(splits)]
    assert kept(rows, keep=keep) == [stays]
    assert kept(rows[::-1], keep=keep) == [1 - stays]
    if splits[0]:
        rows[stays] |= {"width": 5, "path": "z.png"}
        assert kept(rows, keep=keep) == [stays]


CONFLICT = [{**SAME, "label": "a"}, {**SAME, "label": "a"}, {**SAME, "label": "b", "given_split": "test"}, {}]


def test_one_picture_under_two_labels_goes_with_all_its_copies_but_a_given_test_split_stays_whole() -> None:
    assert reasons([*CONFLICT[:2], {**SAME, "label": "b"}, {}]) == ["label conflict"] * 3 + [None]
    assert reasons(CONFLICT) == ["label conflict"] * 2 + [None] * 2
    assert reasons([*CONFLICT, {**SAME, "label": "a", "given_split": "test"}]) == [
        *["label conflict"] * 3,
        None,
        "label conflict",
    ]
    report = report_of(CONFLICT)
    assert report["conflicts"] == 1
    assert report["conflict_paths"] == [["0.png", "1.png", "2.png"]]
    assert "reports/dedupe.json lists the paths" in headline(report)


def test_a_conflict_can_keep_one_of_each_label_in_one_group() -> None:
    rows = [*CONFLICT[:2], {**SAME, "label": "b"}, {}]
    table = curated(rows, conflicts="keep")
    assert reasons(rows, conflicts="keep") == [None, "exact duplicate", None, None]
    assert table["group_id"].nunique() == 2 and table["group_id"][0] == table["group_id"][2]
    assert reasons(CONFLICT, conflicts="keep") == ["shared group", "exact duplicate", None, None]


def test_a_conflict_can_end_the_run() -> None:
    with pytest.raises(UserError, match=r"two labels: 0.png = 1.png = 2.png; .*dedupe.conflicts") as caught:
        curated(CONFLICT, conflicts="fail")
    assert caught.value.status == 1
    assert kept(CONFLICT[1:2] + CONFLICT[3:], conflicts="fail") == [0, 1]


ACROSS = [
    {"path": "train/p1_a.png", "given_split": "train"},
    {"path": "test/p1_b.png", "given_split": "test"},
    {"path": "train/p2_a.png", "given_split": "train", **SAME},
    {"path": "test/p2_b.png", "given_split": "test", **SAME},
    {"path": "val/p3_a.png", "given_split": "validation"},
    {"path": "train/p3_b.png", "given_split": "train"},
    {"path": "train/p4_a.png", "given_split": "train"},
]


def test_what_crosses_a_given_border_is_taken_from_the_training_side() -> None:
    grouped = ["shared group", None, "exact duplicate", None, None, "shared group", None]
    assert reasons(ACROSS) == [None, None, "exact duplicate", None, None, None, None]
    assert reasons(ACROSS, group_by=r"/(p\d)_") == grouped
    by_source = [{**row, "group": row["path"].split("/")[1][:2]} for row in ACROSS]
    assert reasons(by_source) == grouped
    report = report_of(ACROSS)
    assert report["across_splits"] == 1
    assert report["across_splits_paths"] == [["test/p2_b.png", "train/p2_a.png"]]


@pytest.mark.parametrize(("options", "said"), [({}, "p2_b"), ({"group_by": r"/(p\d)_"}, "p1_b")])
def test_what_crosses_a_given_border_can_end_the_run(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=f"{said}.*dedupe.across_splits") as caught:
        curated(ACROSS, across_splits="fail", **options)
    assert caught.value.status == 1
    assert kept(ACROSS[4:], across_splits="fail") == [0, 1, 2]


def test_filters_come_before_everything() -> None:
    rows = [{**SAME, "width": 900}, SAME, {"width": 5, "given_split": "test"}, {**TWICE, "label": "b", "width": 900}]
    found = reasons([*rows, TWICE], filter={"min_side": 6, "max_side": 800})
    assert found == ["filtered", None, "filtered", "filtered", None]
    report = report_of(rows, filter={"min_side": 6, "max_side": 800})
    assert (report["filtered"], report["conflicts"], report["kept"]) == (3, 0, 1)


def test_nothing_left_is_no_error_here() -> None:
    rows = [{"label": "a"}, {"label": "b"}]
    for method in ("none", "undersample"):
        table = curated(rows, filter={"min_side": 500}, balance={"method": method, "scope": "all", "cap": 1})
        assert table["reason"].tolist() == ["filtered"] * 2


def test_the_report_counts_every_reason() -> None:
    rows = [{**SAME}, {**SAME}, {**TWICE, "label": "a"}, {**TWICE, "label": "b"}, {"label": "b"}, {"error": "torn"}]
    report = report_of(rows)
    assert (report["exact_duplicates"], report["conflicts"], report["filtered"], report["kept"]) == (1, 1, 0, 2)
    assert report["kept_per_class"] == {"a": 1, "b": 1}
    assert report["dropped_because"] == {"exact duplicate": 1, "label conflict": 2}
    assert headline(report).startswith("dedupe: 2 pictures kept; 1 dropped: exact duplicate; 2 dropped: label conflict")


ROWS = [{"label": "a"}] * 9 + [{"label": "b"}] * 4 + [{"label": "a", "given_split": "test"}] * 5 + [SAME, SAME]
ALL = {"method": "undersample", "scope": "all"}


def test_balance_before_the_split_leaves_the_given_test_split_alone() -> None:
    table = curated(ROWS, balance=ALL)
    given_split = manifest_of(ROWS)["given_split"]
    assert table[table["keep"] & given_split.isna()]["label"].value_counts().to_dict() == {"a": 4, "b": 4}
    assert table[given_split == "test"]["keep"].all()
    assert set(table["reason"].dropna()) == {"undersampled", "exact duplicate"}
    capped = curated(ROWS, balance={"scope": "all", "cap": 3})
    assert capped["reason"].value_counts().to_dict() == {"over the cap": 8, "exact duplicate": 1}


def test_class_weights_are_those_of_the_pictures_that_may_train() -> None:
    table = curated(ROWS, balance={"method": "class_weight"})
    free = table["keep"] & manifest_of(ROWS)["given_split"].isna()
    assert table[free].groupby("label")["weight"].first().to_dict() == pytest.approx({"a": 14 / 20, "b": 14 / 8})
    assert table[free]["weight"].mean() == pytest.approx(1)
    assert (table[~free]["weight"] == 1).all()


def test_the_seed_decides_what_balance_keeps() -> None:
    one, again, other = (kept(ROWS, balance={**ALL, "seed": seed}) for seed in (1, 1, 2))
    assert one == again != other


PICTURE = st.fixed_dictionaries(
    {
        "sha256": st.sampled_from("uvwxyz"),
        "label": st.sampled_from("ab"),
        "given_split": st.sampled_from([None, "train", "validation", "test"]),
        "group": st.sampled_from([None, None, "p", "q"]),
        "width": st.sampled_from([3, 20, 40]),
    }
)


@settings(max_examples=30, deadline=None)
@given(st.lists(PICTURE, min_size=1, max_size=14), st.sampled_from(["drop", "keep"]), st.data())
def test_whatever_comes_in_no_leak_goes_out(rows: Any, conflicts: Any, data: Any) -> None:
    number = st.integers(0, len(rows) - 1)
    pairs = data.draw(st.lists(st.tuples(number, number), max_size=3))
    options: dict[str, Any] = {"conflicts": conflicts, "filter": {"min_side": 5}, "balance": {**ALL, "cap": 3}}
    manifest, table = manifest_of(rows), curated(rows, pairs, **options)
    assert set(table["reason"].dropna()) <= set(REASONS) and (table["keep"] == table["reason"].isna()).all()
    left = table.assign(side=split_precedence(manifest["given_split"]))[table["keep"]]
    alike = ["duplicate_id", "label"] if conflicts == "keep" else ["duplicate_id"]
    assert (left[left.duplicated(alike, keep=False)]["side"] == PRECEDENCE["test"]).all()
    assert (left.groupby("group_id")["side"].nunique() <= 1).all()
    assert (table.groupby("duplicate_id")["group_id"].nunique() == 1).all()
    shuffled = pictures_of(manifest.sample(frac=1, random_state=0, ignore_index=True))
    even = Balance(**{"seed": 0, **options.pop("balance")})
    again = curate_pictures(shuffled, np.array(pairs, np.int64).reshape(-1, 2), changed(**options), even)
    pd.testing.assert_frame_equal(to_names(again, shuffled.texts("image_id")), table)
