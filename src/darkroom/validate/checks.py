"""Data validation: Great Expectations on the manifest."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.tables import LEFT_OUT, MANIFEST
from darkroom.params.data import Validate
from darkroom.validate.expectations import TABLES, Expectation, column_expectations, limit_expectations
from darkroom.validate.outcome import Check, describe, read_result


def check_manifest(manifest: pd.DataFrame, limits: Validate, custom: Sequence[Expectation] = ()) -> list[Check]:
    """Return a Check for each expectation, built-in ones first; one that cannot be evaluated counts as failed.

    When columns of the manifest are missing, only the columns are checked.
    """
    expectations = column_expectations()
    if set(MANIFEST) <= set(manifest.columns):
        manifest = manifest.assign(unreadable=manifest["error"].notna().astype(float))
        expectations += [*limit_expectations(limits, _known_labels(manifest)), *custom]
    return _evaluate(manifest, expectations)


def require_success(checks: list[Check]) -> None:
    """Raise UserError listing the failed expectations of severity fail, with example paths."""
    failed = [check for check in checks if not check["success"] and check["severity"] == "fail"]
    if failed:
        advice = "fix the data, the limits in params.yaml: validate, or expectations.yaml"
        lines = [f"{len(failed)} of {len(checks)} expectations failed; {advice}"]
        raise UserError("\n".join(lines + [f"  {describe(check)}" for check in failed]), status=1)


def warnings_of(checks: list[Check]) -> list[str]:
    """Return a line for each failed expectation of severity warn."""
    return [describe(check) for check in checks if not check["success"] and check["severity"] == "warn"]


def summarise(checks: list[Check]) -> dict[str, Any]:
    """Return the report: success, counts, warnings and observed values.

    It leaves out the limits of expectations that passed: after a change of limits that the data meets too, the later
    stages are still up to date. So a passed expectation shows only a measure of the data itself (such as a mean),
    not what was counted against a limit.
    """
    failed = sum(not check["success"] and check["severity"] == "fail" for check in checks)
    warnings = warnings_of(checks)
    counts = {"expectations": len(checks), "failed": failed, "warned": len(warnings)}
    return {"success": not failed, **counts, "warnings": warnings, "checks": [_reported(check) for check in checks]}


def _reported(check: Check) -> dict[str, object]:
    """Return a check's entry in the report."""
    measure = isinstance(check["observed"], float) and check["name"].endswith("_to_be_between")
    return {
        "name": check["name"],
        "about": check["about"],
        "severity": check["severity"],
        "success": check["success"],
        "observed": check["observed"] if measure or not check["success"] else None,
    }


def _known_labels(manifest: pd.DataFrame) -> list[str]:
    """Return the labels that occur in training; a given validation or test split may contain no others."""
    trainable = manifest["error"].isna() & ~manifest["given_split"].isin(["validation", "test"])
    return sorted(manifest.loc[trainable, "label"].dropna().unique())


def _evaluate(manifest: pd.DataFrame, expectations: list[Expectation]) -> list[Check]:
    """Evaluate one expectation at a time, on only the rows and columns it needs, to limit memory."""
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("manifest").add_dataframe_asset("manifest")
    batches = source.add_batch_definition_whole_dataframe("manifest")
    return [_evaluate_one(batches, expectation, _table(manifest, expectation)) for expectation in expectations]


def _evaluate_one(batches: Any, expectation: Expectation, table: pd.DataFrame) -> Check:
    """Evaluate one expectation. Great Expectations hashes all columns it gets, so those for examples are left out."""
    try:
        batch = batches.get_batch(batch_parameters={"dataframe": table[expectation.columns or list(table.columns)]})
        result = batch.validate(expectation.rule, result_format={"result_format": "COMPLETE"})
    except Exception as error:  # most errors are in the result; a rule that cannot even start raises
        return read_result(expectation, table, None, error)
    return read_result(expectation, table, result, None)


def _table(manifest: pd.DataFrame, expectation: Expectation) -> pd.DataFrame:
    """Return the rows that an expectation is about, with the columns it reads and those that identify an example.

    A rule about the columns of a table gets all of them and no rows; one about its length, one almost empty column.
    """
    about, rule = expectation.about, expectation.rule.expectation_type
    if about == "classes":
        return _class_table(manifest)
    if not expectation.columns and "row_count" not in rule:
        return manifest.head(0)[[column for column in TABLES[about] if column in manifest]]
    columns = ["path", "error", *expectation.columns] if expectation.columns else ["error"]
    rows = manifest["error"].isna() if about == "pictures" else manifest["error"] != LEFT_OUT
    return manifest.loc[rows, list(dict.fromkeys(columns))].reset_index(drop=True)


def _class_table(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return one row per class: label, readable pictures, and how many times larger the largest class is.

    A folder without a readable picture is not a class; its files count towards the share of unreadable ones.
    """
    counts = manifest[manifest["error"].isna()]["label"].value_counts().sort_index()
    ratio = counts.max() / counts
    return pd.DataFrame({"label": counts.index, "pictures": counts.to_numpy(), "imbalance": ratio.to_numpy()})
