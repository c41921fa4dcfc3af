"""The result of an expectation in words: expected, observed, examples."""

import textwrap
from typing import Any, TypedDict

import numpy as np
import pandas as pd

from darkroom.core.errors import first_line
from darkroom.core.files import DECIMALS, rounded
from darkroom.validate.expectations import Expectation

EXAMPLES = 3
WORDS = {
    "expect_column_to_exist": "the column to exist",
    "expect_column_values_to_be_unique": "unique values",
    "expect_column_values_to_not_be_null": "no missing values",
}


class Check(TypedDict):
    """The result of one expectation; `observed` is a measure, a text or None, `examples` are "path (value)"."""

    name: str
    about: str
    expected: str
    severity: str
    success: bool
    observed: int | float | str | None
    examples: list[str]


def describe(check: Check) -> str:
    """Return a failed check in one line."""
    text = f"{check['about']}: expected {check['expected']}"
    if check["observed"] is not None:
        text += f", found {check['observed']}"
    return text + (f"; for example {', '.join(check['examples'])}" if check["examples"] else "")


def read_result(expectation: Expectation, table: pd.DataFrame, result: Any, error: Exception | None) -> Check:
    """Return the Check of what Great Expectations found in `table`, or why it failed (`error`, or in the result)."""
    details = result.result if result else {}
    reason = first_line(error) if error else _exception_in(result)
    success = bool(result and result.success) and reason is None
    arguments = expectation.rule.dict(exclude_unset=True)
    columns = ", ".join(filter(None, expectation.columns or [arguments.get("column")]))
    return {
        "name": expectation.rule.expectation_type,
        "about": f"{columns} of {expectation.about}" if columns else expectation.about,
        "expected": _expected(expectation.rule.expectation_type, arguments),
        "severity": expectation.severity,
        "success": success,
        "observed": f"nothing: cannot be evaluated: {_short(reason)}" if reason else _observed(details, success),
        "examples": [] if success else _examples(expectation, table, details.get("unexpected_index_list") or []),
    }


def _exception_in(result: Any) -> str | None:
    """Return the error message in a result, at the top level or of one of its metrics; None without an error."""
    found = result.exception_info or {}
    for entry in [found, *(value for value in found.values() if isinstance(value, dict))]:
        if entry.get("raised_exception"):
            return first_line(Exception(entry.get("exception_message") or "Great Expectations gave no reason"))
    return None


def _observed(details: dict[str, Any], success: bool) -> int | float | str | None:
    """Return a measure rounded to 6 places, the number of unexpected rows, or any other observed value as text."""
    found = details.get("observed_value")
    if found is None and details.get("unexpected_count"):
        if "element_count" in details:
            return f"{details['unexpected_count']} of {details['element_count']} unexpected"
        return ", ".join(sorted(map(_format, details.get("partial_unexpected_list", [])))[:EXAMPLES])
    if found is None:
        return "no value" if "observed_value" in details and not success else None
    if isinstance(found, int):
        return found
    if isinstance(found, float | np.number):
        return round(float(found), DECIMALS)
    return found if isinstance(found, str) else _short(str(rounded(found)))


def _examples(expectation: Expectation, table: pd.DataFrame, wrong: list[int]) -> list[str]:
    """Return the first paths (or labels) that do not meet an expectation, with their values."""
    name = "label" if expectation.about == "classes" else "path"
    values = expectation.columns
    if not values:
        return []
    if values == ["unreadable"]:
        values = ["error"]
        wrong = table.index[table["unreadable"] > 0].tolist()
    first = table[name].iloc[wrong].sort_values(kind="stable").head(EXAMPLES).index
    return [
        f"{_format(row[name])} ({', '.join(_format(row[column]) for column in values)})"
        for _, row in table.loc[first].iterrows()
    ]


def _format(value: Any) -> str:
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _short(text: str) -> str:
    return textwrap.shorten(text, 200, placeholder=" ...")


def _expected(name: str, arguments: dict[str, Any]) -> str:
    """Return an expectation in words."""
    rest = {key: value for key, value in arguments.items() if not key.startswith("column")}
    mostly = rest.pop("mostly", 1)
    words = WORDS.get(name) or _words(name, rest)
    return _short(words + (f" in {100 * mostly:.6g} %" if mostly != 1 else ""))


def _words(name: str, arguments: dict[str, Any]) -> str:
    """Return a range or a set in words; any other expectation as its name and arguments."""
    subject = name.removeprefix("expect_").removeprefix("column_")
    low, high = arguments.get("min_value"), arguments.get("max_value")
    if set(arguments) == {"value_set"} and subject == "values_to_be_in_set":
        return "one of " + ", ".join(map(str, arguments["value_set"][:10]))
    if not subject.endswith("_to_be_between") or not set(arguments) <= {"min_value", "max_value"}:
        values = ", ".join(f"{key} {value}" for key, value in sorted(arguments.items()))
        return subject.replace("_", " ") + (f" ({values})" if values else "")
    what = subject.removesuffix("_to_be_between").removeprefix("values").replace("_", " ")
    return f"{what} {_range(low, high)}".strip()


def _range(low: object, high: object) -> str:
    ends = [f"{end:.10g}" if isinstance(end, int | float) else str(end) for end in (low, high) if end is not None]
    if len(ends) == 2:
        return " to ".join(ends)
    return ("at most " if low is None else "at least ") + "".join(ends)
