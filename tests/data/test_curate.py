from typing import Any

import pandas as pd
import pytest

from darkroom.data.curate import curate_pictures, summarise
from darkroom.params.schema import Dedupe
from darkroom.tables import CURATED
from pictures import manifest_of

ALL = Dedupe(balance="none", seed=0)
SAME, TWICE = {"sha256": "same"}, {"sha256": "twice"}


def curated(rows: list[dict[str, Any]], balance: str = "none", seed: int = 0) -> pd.DataFrame:
    return curate_pictures(manifest_of(rows), Dedupe(balance=balance, seed=seed))


def kept(rows: list[dict[str, Any]], **options: Any) -> list[int]:
    """Return the numbers of the rows that are kept."""
    table = curated(rows, **options)
    return [int(name, 16) for name in table[table["keep"]]["image_id"]]


def test_the_table_has_its_columns_and_only_pictures():
    table = curated([{}, {"error": "is empty"}, {"label": "b"}])
    assert dict(table.dtypes.astype(str)) == CURATED
    assert table["image_id"].is_monotonic_increasing and len(table) == 2
    assert table["keep"].all() and table["reason"].isna().all() and (table["weight"] == 1).all()


def test_of_copies_the_first_path_stays():
    rows = [{**SAME, "path": "c.png"}, {**SAME, "path": "a.png"}, {}, {**SAME, "path": "b.png"}]
    table = curated(rows)
    assert kept(rows) == [1, 2]
    assert table["reason"].tolist()[0] == table["reason"].tolist()[3] == "exact duplicate"
    groups = table["group_id"].tolist()
    assert groups[0] == groups[1] == groups[3] == table["image_id"][0] and groups[2] == table["image_id"][2]


@pytest.mark.parametrize(
    ("splits", "stays"),
    [(["train", "test"], 1), (["train", "validation"], 1), (["validation", "test"], 1), ([None, "train"], 0)],
)
def test_a_given_test_picture_stays_before_its_copies(splits, stays):
    rows = [{**SAME, "path": f"{n}.png", "given_split": split} for n, split in enumerate(splits)]
    assert kept(rows) == [stays]
    assert kept(rows[::-1]) == [1 - stays]


def test_one_picture_under_two_labels_goes_with_all_its_copies():
    rows = [{**SAME, "label": "a"}, {**SAME, "label": "a"}, {**SAME, "label": "b", "given_split": "test"}, {}]
    table = curated(rows)
    assert kept(rows) == [3]
    assert table["reason"].tolist()[:3] == ["label conflict"] * 3
    report = summarise(table, manifest_of(rows))
    assert report["conflicts"] == 1
    assert report["conflict_paths"] == [["0.png", "1.png", "2.png"]]


def test_the_report_counts_every_reason():
    rows = [{**SAME}, {**SAME}, {**TWICE, "label": "a"}, {**TWICE, "label": "b"}, {"label": "b"}, {"error": "torn"}]
    report = summarise(curated(rows), manifest_of(rows))
    assert (report["exact_duplicates"], report["conflicts"], report["filtered"], report["kept"]) == (1, 1, 3, 2)
    assert report["kept_per_class"] == {"a": 1, "b": 1}
    assert report["dropped_because"] == {"exact duplicate": 1, "label conflict": 2}


ROWS = [{"label": "a"}] * 9 + [{"label": "b"}] * 4 + [{"label": "a", "given_split": "test"}] * 5 + [SAME, SAME]


def test_undersampling_brings_every_class_to_the_smallest():
    table = curated(ROWS, balance="undersample")
    given = table["image_id"].map(manifest_of(ROWS).set_index("image_id")["given_split"])
    counts = table[table["keep"] & given.isna()]["label"].value_counts().to_dict()
    assert counts == {"a": 4, "b": 4}
    assert table[given == "test"]["keep"].all()
    assert set(table["reason"].dropna()) == {"undersampled", "exact duplicate"}


def test_the_seed_decides_what_undersampling_keeps():
    assert kept(ROWS, balance="undersample", seed=1) == kept(ROWS, balance="undersample", seed=1)
    assert kept(ROWS, balance="undersample", seed=1) != kept(ROWS, balance="undersample", seed=2)


def test_undersampling_does_not_depend_on_the_order_of_rows():
    manifest = manifest_of(ROWS)
    params = Dedupe(balance="undersample", seed=3)
    shuffled = manifest.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(curate_pictures(manifest, params), curate_pictures(shuffled, params))
