"""expectations.yaml: what it may say, and that a mistake in it is one line. Great Expectations checks the arguments."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkroom.core.errors import UserError
from darkroom.params.data import Validate
from darkroom.validate.checks import check_manifest, summarise
from darkroom.validate.expectations import read_expectations
from defaults import default_params
from pictures import ROOT, manifest_of

GOOD = {
    "expect": "column_max_to_be_between",
    "about": "pictures",
    "column": "width",
    "max_value": 9,
    "severity": "warn",
}
MISTAKES: list[tuple[dict[str, Any], list[str]]] = [
    ({"expect": "column_maxx_to_be_between"}, ["expect = 'column_maxx", "did you mean column_max_to_be_between?"]),
    ({"expect": 3}, ["expect = 3"]),
    ({"about": "picture"}, ["about = 'picture'", "did you mean pictures?"]),
    ({"severity": None}, ["severity = None", "fail, warn"]),
    ({"column": "widht"}, ["'widht': not a column of pictures", "did you mean width?"]),
    ({"column": 7}, ["column = 7: str type expected"]),
    ({"max_valu": 3}, ["'max_valu': unknown argument", "did you mean max_value?"]),
    ({"max_value": "much"}, ["max_value = 'much': value is not a valid float"]),
    ({"max_value": None}, ["min_value and max_value: both missing"]),
    ({"meta": {"a": 1}}, ["'meta': unknown argument"]),
    ({"expect": "query_results_to_match_comparison"}, ["unknown"]),
]
TEXTS = {
    "expect: column_to_exist": "must be a list",
    "- 3": "entry 1: must be a mapping",
    "- {3: a}": "entry 1: must be a mapping",
    "- [": "not valid YAML",
    "- 2024-13-41": "YAML",
    "- {}": "entry 1: about: missing",
}


def limits() -> Validate:
    return default_params().validate


def mistake(folder: Path, text: str) -> str:
    (folder / "expectations.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_expectations(folder / "expectations.yaml")
    assert caught.value.status == 2 and "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("change", "said"), MISTAKES, ids=[str(change) for change, _ in MISTAKES])
def test_a_mistake_names_file_entry_key_and_the_nearest_known_one(tmp_path: Path, change: Any, said: Any) -> None:
    line = mistake(tmp_path, yaml.safe_dump([GOOD, GOOD | change]))
    assert line.startswith("expectations.yaml: entry 2: ")
    assert [part for part in said if part not in line] == [], line


@pytest.mark.parametrize("key", ["expect", "about", "severity", "column"])
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    entry = {name: value for name, value in GOOD.items() if name != key}
    assert f"entry 1: {key}: missing" in mistake(tmp_path, yaml.safe_dump([entry]))


@pytest.mark.parametrize("text", TEXTS)
def test_a_file_that_is_no_list_of_entries_is_refused(tmp_path: Path, text: str) -> None:
    assert TEXTS[text] in mistake(tmp_path, text)


@pytest.mark.parametrize("text", ["", "[]", "# nothing"])
def test_nothing_more_may_be_expected(tmp_path: Path, text: str) -> None:
    (tmp_path / "expectations.yaml").write_text(text)
    assert read_expectations(tmp_path / "expectations.yaml") == []


@pytest.mark.parametrize(
    "name", ["column_max_to_be_between", "expect_column_max_to_be_between", "ColumnMaxToBeBetween"]
)
def test_a_name_may_be_written_in_any_of_its_ways(tmp_path: Path, name: str) -> None:
    (tmp_path / "expectations.yaml").write_text(yaml.safe_dump([GOOD | {"expect": name}]))
    [found] = read_expectations(tmp_path / "expectations.yaml")
    assert found.rule.expectation_type == "expect_column_max_to_be_between"
    assert (found.about, found.severity, found.columns) == ("pictures", "warn", ["width"])


def test_the_shipped_list_holds_on_ordinary_data_and_warns_of_blank_pictures() -> None:
    own = read_expectations(ROOT / "expectations.yaml")
    facts = {"brightness": 0.5, "contrast": 0.2, "entropy": 7.0, "greyscale": False}
    rows = [{"label": "ab"[number % 2], **facts} for number in range(100)]
    assert summarise(check_manifest(manifest_of(rows), limits(), own))["warnings"] == []
    blank = [row | {"contrast": 0.0, "entropy": 0.0} for row in rows]
    about = [line.split(":")[0] for line in summarise(check_manifest(manifest_of(blank), limits(), own))["warnings"]]
    assert about == ["contrast of pictures", "entropy of pictures"]


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), st.dates(), st.just({"$PARAMETER": "x"}),
    st.lists(st.sampled_from(["width", "label", 1, None]), max_size=3),
)  # fmt: skip
ENTRIES = st.fixed_dictionaries(
    {
        "expect": st.sampled_from(
            ["column_values_to_be_between", "column_values_to_be_in_set", "column_mean_to_be_between",
             "column_values_to_match_regex", "compound_columns_to_be_unique", "table_row_count_to_equal",
             "column_values_to_be_in_type_list", "column_quantile_values_to_be_between"]
        ),
        "about": st.sampled_from(["files", "pictures", "classes"]),
        "severity": st.sampled_from(["fail", "warn"]),
    },
    optional={"column": st.sampled_from(["label", "width", "greyscale", "pictures"]), "min_value": VALUES,
              "mostly": VALUES, "value_set": VALUES, "regex": st.text(max_size=5), "value": VALUES,
              "column_list": VALUES, "type_list": VALUES},
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(), st.lists(ENTRIES, max_size=2).map(lambda entries: yaml.safe_dump(entries))))
def test_whatever_it_holds_there_is_a_list_of_checks_or_one_line(tmp_path: Path, text: Any) -> None:
    file = tmp_path / "expectations.yaml"
    file.write_bytes(text.encode("utf-8", "replace"))
    try:
        own = read_expectations(file)
    except UserError as error:
        assert len(str(error).splitlines()) == 1
        return
    checks = check_manifest(manifest_of([{}, {"label": "b"}]), limits(), own)
    assert len(summarise(checks)["checks"]) == len(checks)
    assert [type(check["success"]) for check in checks] == [bool] * len(checks)
