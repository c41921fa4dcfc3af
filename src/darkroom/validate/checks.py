"""Whether the data may be trained on: Great Expectations over the manifest."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.tables import LEFT_OUT, MANIFEST
from darkroom.params.data import Validate
from darkroom.validate.expectations import TABLES, Expectation, column_expectations, limit_expectations
from darkroom.validate.outcome import Check, describe, read_result


def check_manifest(manifest: pd.DataFrame, limits: Validate, own: Sequence[Expectation] = ()) -> list[Check]:
    """Return a Check for each expectation, built-in ones first; one that cannot be evaluated has failed.

    Without the manifest's columns nothing else can be evaluated, and only they are checked.
    """
    expectations = column_expectations()
    if set(MANIFEST) <= set(manifest.columns):
        manifest = manifest.assign(unreadable=manifest["error"].notna().astype(float))
        expectations += [*limit_expectations(limits, _known_labels(manifest)), *own]
    return _evaluate(manifest, expectations)


def require_success(checks: list[Check]) -> None:
    """Raise UserError listing the failed expectations of severity fail, with example paths."""
    failed = [check for check in checks if not check["success"] and check["severity"] == "fail"]
    if failed:
        remedy = "fix the data, or change the limits in params.yaml: validate, or in expectations.yaml"
        lines = [f"{len(failed)} of {len(checks)} expectations failed; {remedy}"]
        raise UserError("\n".join(lines + [f"  {describe(check)}" for check in failed]), status=1)


def warnings_of(checks: list[Check]) -> list[str]:
    """Return a line for each failed expectation of severity warn."""
    return [describe(check) for check in checks if not check["success"] and check["severity"] == "warn"]


def summarise(checks: list[Check]) -> dict[str, Any]:
    """Return the report: success, counts, warnings, and what was observed.

    The limits that are met are not in it: when the data meets changed limits too, the later stages stay up to date.
    So of an expectation that is met only a measure of the data itself is shown (like a mean), nothing that is counted
    against a limit.
    """
    failed = sum(not check["success"] and check["severity"] == "fail" for check in checks)
    warnings = warnings_of(checks)
    counts = {"expectations": len(checks), "failed": failed, "warned": len(warnings)}
    return {"success": not failed, **counts, "warnings": warnings, "checks": [_reported(check) for check in checks]}


def _reported(check: Check) -> Check:
    measure = isinstance(check["observed"], float) and check["name"].endswith("_to_be_between")
    row = {key: check[key] for key in ("name", "about", "severity", "success", "observed")}
    return row if measure or not check["success"] else row | {"observed": None}


def _known_labels(manifest: pd.DataFrame) -> list[str]:
    """Return the labels that can be trained on: a given validation or test split may have no others."""
    trainable = manifest["error"].isna() & ~manifest["given_split"].isin(["validation", "test"])
    return sorted(manifest.loc[trainable, "label"].dropna().unique())


def _evaluate(manifest: pd.DataFrame, expectations: list[Expectation]) -> list[Check]:
    """Evaluate one at a time with the rows and columns that it needs, so that many take no more memory than one."""
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("manifest").add_dataframe_asset("manifest")
    batches = source.add_batch_definition_whole_dataframe("manifest")
    return [_evaluate_one(batches, expectation, _table(manifest, expectation)) for expectation in expectations]


def _evaluate_one(batches: Any, expectation: Expectation, table: pd.DataFrame) -> Check:
    """Evaluate one expectation. Great Expectations hashes its table, so the columns for the examples stay out of it."""
    try:
        batch = batches.get_batch(batch_parameters={"dataframe": table[expectation.columns or list(table.columns)]})
        result = batch.validate(expectation.rule, result_format={"result_format": "COMPLETE"})
    except Exception as error:  # most are in the result; a rule that cannot even begin raises
        return read_result(expectation, table, None, error)
    return read_result(expectation, table, result, None)


def _table(manifest: pd.DataFrame, expectation: Expectation) -> pd.DataFrame:
    """Return the rows that an expectation is about: the columns that it looks into and those that name an example.

    A rule about the columns of a table gets all of them without rows, one about its length an almost empty column.
    """
    about, rule = expectation.about, expectation.rule.expectation_type
    if about == "classes":
        return _class_table(manifest)
    if not expectation.columns and "row_count" not in rule:
        return manifest.head(0)[[column for column in TABLES[about] if column in manifest]]
    shown = ["path", "error", *expectation.columns] if expectation.columns else ["error"]
    rows = manifest["error"].isna() if about == "pictures" else manifest["error"] != LEFT_OUT
    return manifest.loc[rows, list(dict.fromkeys(shown))].reset_index(drop=True)


def _class_table(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return one row per class: label, its readable pictures, and how many times larger the largest class is.

    A folder without one readable picture is not a class; its files count in the share of unreadable ones.
    """
    counts = manifest[manifest["error"].isna()]["label"].value_counts().sort_index()
    ratio = counts.max() / counts
    return pd.DataFrame({"label": counts.index, "pictures": counts.to_numpy(), "imbalance": ratio.to_numpy()})
