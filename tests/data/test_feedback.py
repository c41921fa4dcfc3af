"""Feedback joins train and validation; the source's own pictures stay as and where they are."""

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from darkroom.core.errors import UserError
from darkroom.core.tables import CORRECTED, CURATED
from darkroom.curation.pictures import to_names
from darkroom.dedupe.curate import curate_pictures
from darkroom.dedupe.feedback import add_feedback
from darkroom.ingest.feedback import WithFeedback, list_feedback
from darkroom.ingest.layout import Entry
from darkroom.ingest.listing import list_entries, open_source
from darkroom.ingest.sources import Folder
from darkroom.params.data import Balance, Split
from darkroom.split.split_summary import summarise
from darkroom.split.splits import assign_splits, require_no_leak, to_table
from defaults import default_params
from pictures import (
    ANY,
    class_files,
    encode,
    manifest_of,
    noise,
    numbered,
    packed,
    pictures_of,
    write_files,
)

DEDUPE = default_params().dedupe
EVEN = Balance(method="none", scope="train", cap=0, seed=0)
KNOWN = [Entry("cat/1.png", label="cat"), Entry("dog/1.png", label="dog")]
SENT: dict[str, Any] = {"feedback": True}


def split_of(folds: int = 0) -> Split:
    return Split(validation=0.2, test=0.2, folds=folds, fold=0, seed=0)


def curated_of(manifest: pd.DataFrame, pairs: list[tuple[int, int]]) -> pd.DataFrame:
    """Return the curated table; `pairs` of rows look alike."""
    near, places = np.array(pairs, np.int64).reshape(-1, 2), manifest.index[~manifest["feedback"]]
    known = places.get_indexer(pd.Index(near.ravel())).reshape(-1, 2)
    own, pictures = pictures_of(manifest, feedback=False), pictures_of(manifest)
    table = curate_pictures(own, known[(known >= 0).all(axis=1)], DEDUPE, EVEN)
    return to_names(add_feedback(table, pictures, near, DEDUPE), pictures.texts("image_id"))


def test_pictures_in_the_folder_of_feedback_are_pictures_of_the_source(tmp_path: Path) -> None:
    sent = {"cat/a.png": encode(noise("a")), "dog/b.png": encode(noise("b"))}
    sent |= {".gitkeep": b"", "feedback.csv": b"", "cat/c.png.partial": b"half"}
    folder = write_files(tmp_path / "feedback", sent)
    pets = write_files(tmp_path / "pets", class_files("cat", "dog"))
    with open_source(pets, "test") as source, ThreadPoolExecutor(1) as pool:
        entries, _ = list_entries(source, ANY)
        entries += list_feedback(folder, entries)
        reader = WithFeedback(source, Folder(folder))
        manifest = packed(reader, entries, tmp_path / "images", tmp_path / "cache", pool)
    new = manifest[manifest["feedback"]].set_index("path")
    assert new["label"].to_dict() == {"data/feedback/cat/a.png": "cat", "data/feedback/dog/b.png": "dog"}
    assert new["error"].isna().all() and (~manifest["feedback"]).sum() == len(entries) - 2


def test_a_label_that_the_source_does_not_have_is_named(tmp_path: Path) -> None:
    folder = write_files(tmp_path / "feedback", {"dig/a.png": b"x"})
    with pytest.raises(
        UserError, match=r"data/feedback/dig/a\.png: has the label 'dig', which no picture of the source has"
    ):
        list_feedback(folder, KNOWN)


def test_an_experiment_in_a_copy_without_the_feedback_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, copy = tmp_path / "data/feedback", write_files(tmp_path / "copy", {"dvc.yaml": b"", "feedback/.gitkeep": b""})
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.chdir(copy)
    assert list_feedback(copy / "feedback", KNOWN) == []
    write_files(own, {"cat/a.png": b"x", ".gitkeep": b""})
    with pytest.raises(UserError, match=r"is empty in the experiment's own folder.*-C data/feedback/cat \.\.\."):
        list_feedback(copy / "feedback", KNOWN)
    write_files(copy / "feedback", {"cat/a.png": b"x"})
    assert len(list_feedback(copy / "feedback", KNOWN)) == 1


def test_feedback_repeats_corrects_or_adds() -> None:
    source = [{"label": "ab"[number % 2], "sha256": f"s{number}"} for number in range(8)]
    known, wrong, other = ({**SENT, "sha256": "s0"}, {**SENT, "sha256": "s2", "label": "b"}, {**SENT, "label": "b"})
    near, bridge, again = ({**SENT, "label": "b"}, {**SENT}, {**SENT, "label": "b"})
    manifest = manifest_of([*source, known, wrong, other, near, bridge, again])
    table = curated_of(manifest, [(11, 4), (12, 0), (12, 1), (13, 10)]).astype(object)
    reasons = table["reason"].where(table["reason"].notna(), None).tolist()
    assert reasons[:8] == [None] * 8
    assert reasons[8:] == ["exact duplicate", None, None, None, "near duplicate", "near duplicate"]
    assert table["group_id"].tolist()[9] == table["image_id"][2] and table["group_id"][11] == table["image_id"][4]


def test_two_people_who_disagree_teach_nothing() -> None:
    manifest = manifest_of([{}, {"label": "b"}, {**SENT, "sha256": "x"}, {**SENT, "sha256": "x", "label": "b"}])
    assert curated_of(manifest, [])["reason"].tolist()[2:] == ["label conflict"] * 2


def test_a_correction_takes_the_place_of_a_picture_unless_that_is_in_test() -> None:
    source = [{"label": "ab"[number % 2], "sha256": f"s{number}"} for number in range(40)]
    new = [{**SENT, "sha256": f"s{number}", "label": "ba"[number % 2]} for number in range(40)]
    manifest = manifest_of([*source, *new])
    curated, feedback = curated_of(manifest, []), manifest.set_index("image_id")["feedback"]
    splits = table_of(curated, feedback)
    before = table_of(curated[~manifest["feedback"]].reset_index(drop=True), feedback)
    pd.testing.assert_frame_equal(splits[splits["split"] == "test"].reset_index(drop=True), in_test(before))
    rest = splits[splits["split"] != "test"]
    assert rest["image_id"].map(feedback).sum() == (rest["reason"] == CORRECTED).sum() == len(rest) / 2
    assert (rest["copies"] == rest["reason"].isna()).all()
    rows, ids = numbered(curated, feedback=feedback), curated["image_id"]
    report = summarise(rows, assign_splits(rows, ids, split_of(), EVEN), ids, split_of())["feedback"]
    tests = len(in_test(before))
    assert (report["corrected"], report["in_test"]) == (40 - tests, tests)


def table_of(curated: pd.DataFrame, feedback: pd.Series, folds: int = 0) -> pd.DataFrame:
    """Return the table SPLITS; `feedback` (bool) is by image_id."""
    rows, ids = numbered(curated, feedback=feedback), curated["image_id"]
    splits = assign_splits(rows, ids, split_of(folds), EVEN)
    return to_table(splits, ids)


def in_test(splits: pd.DataFrame) -> pd.DataFrame:
    return splits[splits["split"] == "test"].reset_index(drop=True)


ROWS = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.booleans(), st.sampled_from([None, "p", "q"])), max_size=40
)
PAIRS = st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), max_size=12)


@settings(max_examples=8, phases=[Phase.generate])  # shrinking would take minutes
@given(ROWS, PAIRS, st.sampled_from([0, 3]), st.integers(0, 10**6))
def test_feedback_moves_no_picture_of_the_source_and_never_joins_test(
    drawn: Any, near: Any, folds: int, seed: int
) -> None:
    chance = random.Random(seed)  # which mixes the pictures of the source with the others
    ids = [f"{chance.getrandbits(80):020x}" for _ in range(len(drawn) + 10)]
    rows = [{"label": "ab"[number % 2], "image_id": name} for number, name in enumerate(ids[:10])]
    for name, (label, content, feedback, group) in zip(ids[10:], drawn, strict=True):
        row = {"label": label, "sha256": f"s{content}", "feedback": feedback, "image_id": name}
        rows.append(row | ({} if feedback else {"group": group}))
    manifest = manifest_of(rows).sort_values("image_id", ignore_index=True)
    pairs = [(a % len(rows), b % len(rows)) for a, b in near]
    curated, own = curated_of(manifest, pairs), manifest[~manifest["feedback"]]
    feedback = manifest.set_index("image_id")["feedback"]
    alone = curated[curated["image_id"].isin(own["image_id"])].reset_index(drop=True)
    inside = {number: place for place, number in enumerate(own.index)}
    known = [(inside[a], inside[b]) for a, b in pairs if a in inside and b in inside]
    expected = curated_of(own.reset_index(drop=True), known)
    pd.testing.assert_frame_equal(alone, expected)
    assert dict(curated.dtypes.astype(str)) == CURATED and len(curated) == len(manifest)
    try:
        before, splits = table_of(expected, feedback, folds), table_of(curated, feedback, folds)
    except UserError:  # a class without training pictures
        return
    is_new = splits["image_id"].map(feedback).astype(bool)
    columns = ["image_id", "label", "split", "fold"]
    pd.testing.assert_frame_equal(splits[~is_new][columns].reset_index(drop=True), before[columns])
    pd.testing.assert_frame_equal(in_test(splits), in_test(before))
    assert not splits[is_new]["split"].isin(["test"]).any()
    rows = pd.Index(curated["image_id"]).get_indexer(pd.Index(splits["image_id"]))
    require_no_leak(numbered(curated), splits.set_index(rows), pictures_of(manifest).first_equal("sha256"))
    used = splits[splits["reason"].isna()].merge(curated[["image_id", "duplicate_id"]], on="image_id")
    assert (used.groupby("duplicate_id")["label"].nunique() <= 1).all()
