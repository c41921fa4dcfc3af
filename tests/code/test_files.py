import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.core.files import (
    canonical_json,
    digest,
    file_digest,
    read_value,
    remove,
    replacing,
    rounded,
    write_value,
)
from darkroom.core.fingerprint import code_digest
from darkroom.core.sizes import size_text

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(-1e6, 1e6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def test_an_interrupted_file_leaves_the_one_before_alone(tmp_path: Path) -> None:
    file = tmp_path / "last.npz"
    for stopped in (False, True):
        with suppress(KeyboardInterrupt), replacing(file) as unfinished:
            unfinished.write_text("half" if stopped else "whole")
            if stopped:
                raise KeyboardInterrupt
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("last.npz", "whole")]


def test_removing_a_link_leaves_what_it_names(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    (tmp_path / "link").symlink_to(target)
    remove(tmp_path / "link")
    assert target.is_dir() and not (tmp_path / "link").exists()


def test_json_is_sorted_rounded_and_has_null_for_nan() -> None:
    value = {"b": np.float32(0.1), "a": [1.23456789, float("nan"), np.int64(3)], "é": (True, None)}
    assert canonical_json(rounded(value)) == '{"a": [1.234568, null, 3], "b": 0.1, "é": [true, null]}'
    assert canonical_json({"a": float("inf")}) == '{"a": null}'


@given(st.dictionaries(st.text(), PLAIN, max_size=5))
def test_the_order_of_keys_does_not_matter(value: dict[str, Any]) -> None:
    turned = dict(reversed(value.items()))
    assert canonical_json(turned) == canonical_json(value) == canonical_json(json.loads(canonical_json(value)))
    assert digest(turned) == digest(value)


def test_digests_differ_where_values_do(tmp_path: Path) -> None:
    assert digest({"a": 1e-7}) != digest({"a": 4e-7})
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    (tmp_path / "file").write_bytes(b"abc")
    assert file_digest(tmp_path / "file").startswith("ba7816bf8f01cfea")  # FIPS 180-2, B.1


def test_the_digest_of_code_changes_with_every_edit_that_counts(tmp_path: Path) -> None:
    def edited(name: str, text: str = "edited") -> str:
        (tmp_path / name).write_text(text)
        return code_digest(tmp_path, Path(__file__), without={"drawing.py"})

    one = edited("one.py")
    assert one == edited("drawing.py") == edited(".#one.py") == edited("notes.txt")
    assert len({one, edited("one.py", "again"), edited("two.py"), code_digest(tmp_path)}) == 4


@pytest.mark.parametrize("name", ["table.parquet", "table.csv"])
def test_tables_come_back(tmp_path: Path, name: str) -> None:
    table = pd.DataFrame({"image_id": ["a", "b"], "score": [0.25, 0.5]})
    write_value(tmp_path / name, table, Path(name).suffix)
    pd.testing.assert_frame_equal(read_value(tmp_path / name), table)


@pytest.mark.parametrize("name", ["report.json", "best.yaml"])
def test_mappings_come_back_and_are_written_alike(tmp_path: Path, name: str) -> None:
    write_value(tmp_path / name, {"b": {"x": [1, 2]}, "a": "ü"}, Path(name).suffix)
    first = (tmp_path / name).read_bytes()
    write_value(tmp_path / name, {"a": "ü", "b": {"x": [1, 2]}}, Path(name).suffix)
    assert (tmp_path / name).read_bytes() == first
    assert read_value(tmp_path / name) == {"a": "ü", "b": {"x": [1, 2]}}


def test_an_error_without_a_file_name_gets_the_one_that_was_written(tmp_path: Path) -> None:
    (tmp_path / "report.json").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as full:
        write_value(tmp_path / "report.json", {"a": "b" * 100_000}, ".json")
    assert full.value.filename == str(tmp_path / "report.json")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (12_345_678, "12.3 MB"), (4 * 10**12, "4000.0 GB")],
)
def test_a_size_is_said_in_decimal_units(size: int, text: str) -> None:
    assert size_text(size) == text
