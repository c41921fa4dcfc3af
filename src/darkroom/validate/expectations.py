"""What is expected of the data: the limits of params.yaml, and the team's own list in expectations.yaml."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from darkroom.core.errors import UserError, first_line
from darkroom.core.suggestions import nearest
from darkroom.core.tables import MANIFEST, SPLIT_NAMES
from darkroom.params.load import read_yaml
from darkroom.params.schema import Validate

TABLES = {
    "files": (*MANIFEST, "unreadable"),  # a row a file; unreadable: 1 for no picture, else 0
    "pictures": tuple(MANIFEST),
    "classes": ("label", "pictures", "imbalance"),  # imbalance: how many times larger the largest class is
}
SEVERITIES = ("fail", "warn")
NAMES_NO_DATA = {"expect_column_to_exist", "expect_table_columns_to_match_ordered_list"}  # a column need not be there
OF_DATABASES = {"ExpectQueryResultsToMatchComparison", "ExpectTableRowCountToEqualOtherTable"}
NOT_FOR_USERS = {"batch_id", "condition_parser", "library_metadata", "row_condition"}


@dataclass(frozen=True)
class Expectation:
    """A Great Expectations rule about one of TABLES; `severity` says what its failure does."""

    about: str
    severity: str
    rule: Any

    @property
    def columns(self) -> list[str]:
        """Return the columns that the rule looks into; none for a rule about the table."""
        if self.rule.expectation_type in NAMES_NO_DATA:
            return []
        named = [getattr(self.rule, key, None) for key in ("column", "column_A", "column_B")]
        return list(dict.fromkeys([*filter(None, named), *(getattr(self.rule, "column_list", None) or [])]))


def column_expectations() -> list[Expectation]:
    """Return what must hold before anything else can be asked."""
    import great_expectations.expectations as gxe

    return [Expectation("files", "fail", gxe.ExpectColumnToExist(column=column)) for column in MANIFEST]


def limit_expectations(limits: Validate, labels: Sequence[str]) -> list[Expectation]:
    """Return the expectations that params.yaml sets limits for; `labels` are those that can be trained on."""
    import great_expectations.expectations as gxe

    sides = {"min_value": limits.min_side, "max_value": limits.max_side}
    rules = {
        "files": [
            gxe.ExpectColumnValuesToBeUnique(column="image_id"),
            gxe.ExpectColumnValuesToNotBeNull(column="path"),
            gxe.ExpectColumnMeanToBeBetween(column="unreadable", max_value=limits.max_unreadable),
        ],
        "pictures": [
            gxe.ExpectColumnValuesToNotBeNull(column="label"),
            gxe.ExpectColumnValuesToBeInSet(column="label", value_set=list(labels)),
            gxe.ExpectColumnValuesToBeInSet(column="given_split", value_set=list(SPLIT_NAMES)),
            gxe.ExpectColumnValuesToBeBetween(column="width", **sides),
            gxe.ExpectColumnValuesToBeBetween(column="height", **sides),
        ],
        "classes": [
            gxe.ExpectColumnValuesToBeBetween(column="pictures", min_value=limits.min_per_class),
            gxe.ExpectColumnValuesToBeBetween(column="imbalance", max_value=limits.max_imbalance),
        ],
    }
    return [Expectation(about, "fail", rule) for about, some in rules.items() for rule in some]


def read_expectations(path: Path) -> list[Expectation]:
    """Read the team's list; raises UserError of one line: file, number of the entry, key, nearest known one."""
    try:
        entries = read_yaml(path)
    except (ValueError, RecursionError) as error:  # a date like 2024-13-01, or brackets without end
        raise UserError(f"{path.name}: is not valid YAML: {first_line(error)}") from None
    if not isinstance(entries, list | None):
        raise UserError(f"{path.name}: must be a list; each entry begins with `- expect:`")
    found = []
    for number, entry in enumerate(entries or [], 1):
        try:
            found.append(_expectation(entry))
        except ValueError as error:
            line = textwrap.shorten(f"{path.name}: entry {number}: {error}", 400, placeholder=" ...")
            raise UserError(line) from None
    return found


def _expectation(entry: Any) -> Expectation:
    """Return one entry as an expectation; raises ValueError saying what is wrong with which key."""
    if not isinstance(entry, dict) or not all(isinstance(key, str) for key in entry):
        raise ValueError("must hold keys: expect, about, severity and what the expectation takes")
    about = _one_of(entry, "about", list(TABLES))
    severity = _one_of(entry, "severity", list(SEVERITIES))
    rules = _known_rules()
    rule = rules[_one_of(entry, "expect", list(rules))]
    arguments = {key: value for key, value in entry.items() if key not in ("expect", "about", "severity")}
    expectation = Expectation(about, severity, _build(rule, arguments))
    unknown = [column for column in expectation.columns if column not in TABLES[about]]
    if unknown:
        raise ValueError(f"{unknown[0]!r}: no column of {about}{nearest(unknown[0], list(TABLES[about]))}")
    return expectation


def _one_of(entry: dict[str, Any], key: str, known: list[str]) -> str:
    """Return the value of a key that must be one of a few; case and underscores do not count."""
    if key not in entry:
        near = nearest(key, sorted(entry)) if entry else ""
        raise ValueError(f"{key}: missing{near if 'did you mean' in near else ''}; give one of {', '.join(known[:3])}")
    value = entry[key]
    if isinstance(value, str):
        for name in known:
            if _plain_name(value) == _plain_name(name):
                return name
    raise ValueError(f"{key} = {value!r}: unknown{nearest(str(value), known)}")


def _plain_name(name: str) -> str:
    return name.replace("_", "").lower().removeprefix("expect")


def _known_rules() -> dict[str, Any]:
    """Return Great Expectations' rules that can be asked of a table in memory, by snake_case name without expect_."""
    import great_expectations.expectations as gxe

    names = [name for name in dir(gxe) if name.startswith("Expect") and name != "Expectation"]
    rules = [getattr(gxe, name) for name in names if name not in OF_DATABASES]
    return {rule.expectation_type.removeprefix("expect_"): rule for rule in rules}


def _build(rule: Any, arguments: dict[str, Any]) -> Any:
    """Return a rule with its arguments; raises ValueError naming the first that does not fit."""
    import great_expectations.expectations as gxe

    known = sorted(set(rule.__fields__) - set(gxe.Expectation.__fields__) - NOT_FOR_USERS)
    for key in arguments:
        if key not in known:
            raise ValueError(f"{key!r}: unknown argument of {rule.expectation_type}{nearest(key, known)}")
    ends = [end for end in ("min_value", "max_value") if end in known and rule.expectation_type.endswith("_be_between")]
    if ends and all(arguments.get(end) is None for end in ends):  # that would hold whatever the data is
        raise ValueError("min_value and max_value: both missing; give one")
    try:
        return rule(**arguments)
    except Exception as error:  # pydantic's, or whatever a check of Great Expectations' own stumbles over
        raise ValueError(_explain(error, arguments)) from None


def _explain(error: Exception, arguments: dict[str, Any]) -> str:
    if not hasattr(error, "errors"):
        return first_line(error)
    first = error.errors()[0]
    key = first["loc"][0]
    if key not in arguments:
        return first["msg"] if key == "__root__" else f"{key}: missing"
    return f"{key} = {arguments[key]!r}: {first['msg']}"
