"""Expectations of the data: the limits of params.yaml and the team's own list in expectations.yaml."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.core.errors import UserError, first_line
from darkroom.core.suggestions import nearest
from darkroom.core.tables import MANIFEST, SPLIT_NAMES
from darkroom.params.data import Validate
from darkroom.params.load import read_yaml

TABLES = {
    "files": (*MANIFEST, "unreadable"),  # one row per file; unreadable: 1 or 0
    "pictures": tuple(MANIFEST),
    "classes": ("label", "pictures", "imbalance"),  # imbalance: how many times larger the largest class is
}
SEVERITIES = ("fail", "warn")
ABOUT_COLUMN_NAMES = {"expect_column_to_exist", "expect_table_columns_to_match_ordered_list"}  # which may be missing
DATABASE_ONLY = {"ExpectQueryResultsToMatchComparison", "ExpectTableRowCountToEqualOtherTable"}
INTERNAL_ARGUMENTS = {"batch_id", "condition_parser", "library_metadata", "row_condition"}


@dataclass(frozen=True)
class Expectation:
    """A Great Expectations rule about one of TABLES; `severity` (SEVERITIES) is what a failure does."""

    about: str
    severity: str
    rule: Any

    @property
    def columns(self) -> list[str]:
        """Return the columns whose values the rule reads; none for a rule about the table."""
        if self.rule.expectation_type in ABOUT_COLUMN_NAMES:
            return []
        named = [getattr(self.rule, key, None) for key in ("column", "column_A", "column_B")]
        return list(dict.fromkeys([*filter(None, named), *(getattr(self.rule, "column_list", None) or [])]))


def column_expectations() -> list[Expectation]:
    """Return the expectations that must hold before any other can be evaluated."""
    import great_expectations.expectations as gxe

    return [Expectation("files", "fail", gxe.ExpectColumnToExist(column=column)) for column in MANIFEST]


def limit_expectations(limits: Validate, labels: Sequence[str]) -> list[Expectation]:
    """Return the expectations that params.yaml sets limits for; `labels` are those that occur in training."""
    import great_expectations.expectations as gxe

    rules = {
        "files": [
            gxe.ExpectColumnValuesToBeUnique(column="image_id"),
            gxe.ExpectColumnValuesToNotBeNull(column="path"),
            gxe.ExpectColumnMeanToBeBetween(column="unreadable", max_value=limits.max_unreadable),
        ],
        "pictures": _picture_rules(limits, labels),
        "classes": [
            gxe.ExpectColumnValuesToBeBetween(column="pictures", min_value=limits.min_per_class),
            gxe.ExpectColumnValuesToBeBetween(column="imbalance", max_value=limits.max_imbalance),
        ],
    }
    return [Expectation(about, "fail", rule) for about, some in rules.items() for rule in some]


def _picture_rules(limits: Validate, labels: Sequence[str]) -> list[Any]:
    import great_expectations.expectations as gxe

    sides = {"min_value": limits.min_side, "max_value": limits.max_side}
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="label"),
        gxe.ExpectColumnValuesToBeInSet(column="label", value_set=list(labels)),
        gxe.ExpectColumnValuesToBeInSet(column="given_split", value_set=list(SPLIT_NAMES)),
        gxe.ExpectColumnValuesToBeBetween(column="width", **sides),
        gxe.ExpectColumnValuesToBeBetween(column="height", **sides),
    ]


def read_expectations(path: Path) -> list[Expectation]:
    """Read the team's list. Raises UserError, one line: file, number of the entry, key, nearest known name."""
    try:
        entries = read_yaml(path)
    except (ValueError, RecursionError) as error:  # a date like 2024-13-01, or endlessly nested brackets
        raise UserError(f"{path.name}: not valid YAML: {first_line(error)}") from None
    if not isinstance(entries, list | None):
        raise UserError(f"{path.name}: must be a list; each entry starts with `- expect:`")
    expectations = []
    for number, entry in enumerate(entries or [], 1):
        try:
            expectations.append(_expectation(entry))
        except ValueError as error:
            line = textwrap.shorten(f"{path.name}: entry {number}: {error}", 400, placeholder=" ...")
            raise UserError(line) from None
    return expectations


def _expectation(entry: object) -> Expectation:
    """Return one entry as an expectation. Raises ValueError naming the key and what is wrong with it."""
    if not isinstance(entry, dict) or not all(isinstance(key, str) for key in entry):
        raise ValueError("must be a mapping with expect, about, severity and the arguments of the expectation")
    about = _one_of(entry, "about", list(TABLES))
    severity = _one_of(entry, "severity", list(SEVERITIES))
    rules = _known_rules()
    rule = rules[_one_of(entry, "expect", list(rules))]
    arguments = {key: value for key, value in entry.items() if key not in ("expect", "about", "severity")}
    expectation = Expectation(about, severity, _build(rule, arguments))
    unknown = [column for column in expectation.columns if column not in TABLES[about]]
    if unknown:
        raise ValueError(f"{unknown[0]!r}: not a column of {about}{nearest(unknown[0], list(TABLES[about]))}")
    return expectation


def _one_of(entry: dict[str, Any], key: str, known: list[str]) -> str:
    """Return the value of a key that must be one of the `known` ones; case and underscores do not matter."""
    if key not in entry:
        near = nearest(key, sorted(entry)) if entry else ""
        raise ValueError(f"{key}: missing{near if 'did you mean' in near else ''}; give one of {', '.join(known[:3])}")
    value = entry[key]
    if isinstance(value, str):
        for name in known:
            if _normalised(value) == _normalised(name):
                return name
    raise ValueError(f"{key} = {value!r}: unknown{nearest(str(value), known)}")


def _normalised(name: str) -> str:
    return name.replace("_", "").lower().removeprefix("expect")


def _known_rules() -> dict[str, Any]:
    """Return the rules of Great Expectations for tables in memory, by snake_case name without expect_."""
    import great_expectations.expectations as gxe

    names = [name for name in dir(gxe) if name.startswith("Expect") and name != "Expectation"]
    rules = [getattr(gxe, name) for name in names if name not in DATABASE_ONLY]
    return {rule.expectation_type.removeprefix("expect_"): rule for rule in rules}


def _build(rule: Any, arguments: dict[str, Any]) -> Any:
    """Return a rule with its arguments. Raises ValueError naming the first that is not valid."""
    import great_expectations.expectations as gxe

    known = sorted(set(rule.__fields__) - set(gxe.Expectation.__fields__) - INTERNAL_ARGUMENTS)
    for key in arguments:
        if key not in known:
            raise ValueError(f"{key!r}: unknown argument of {rule.expectation_type}{nearest(key, known)}")
    ends = [end for end in ("min_value", "max_value") if end in known and rule.expectation_type.endswith("_be_between")]
    if ends and all(arguments.get(end) is None for end in ends):  # it would pass on any data
        raise ValueError("min_value and max_value: both missing; give at least one")
    try:
        return rule(**arguments)
    except Exception as error:  # pydantic's, or any that Great Expectations' own checks raise
        raise ValueError(_explain(error, arguments)) from None


def _explain(error: Exception, arguments: dict[str, Any]) -> str:
    """Return the first error of a rule's validation as `key = value: reason`."""
    if not hasattr(error, "errors"):
        return first_line(error)
    first = error.errors()[0]
    key, message = str(first["loc"][0]), str(first["msg"])
    if key not in arguments:
        return message if key == "__root__" else f"{key}: missing"
    return f"{key} = {arguments[key]!r}: {message}"
