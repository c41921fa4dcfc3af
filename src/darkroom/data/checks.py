"""Whether the data may be trained on: a Great Expectations suite over the manifest."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from darkroom.errors import UserError
from darkroom.params.schema import Validate
from darkroom.tables import LEFT_OUT, MANIFEST, SPLIT_NAMES

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite

EXAMPLES = 3
Check = dict[str, Any]


def check_manifest(manifest: pd.DataFrame, limits: Validate) -> list[Check]:
    """Return a row for each expectation: name, what it is about, expected, success, observed, examples (paths)."""
    if not set(MANIFEST) <= set(manifest.columns):  # without its columns nothing else can be asked of it
        return _run_suite("files", manifest, _column_suite())
    wanted = manifest[manifest["error"] != LEFT_OUT]
    files = wanted.assign(unreadable=wanted["error"].notna().astype(float)).reset_index(drop=True)
    pictures = files[files["error"].isna()].reset_index(drop=True)
    return [
        *_run_suite("files", files, [*_column_suite(), *_file_suite(limits)]),
        *_run_suite("pictures", pictures, _picture_suite(limits, _known_labels(pictures))),
        *_run_suite("classes", _class_table(manifest), _class_suite(limits)),
    ]


def require_success(checks: list[Check]) -> None:
    """Raise UserError listing the failed expectations with example paths."""
    failed = [check for check in checks if not check["success"]]
    if failed:
        lines = [
            f"{len(failed)} of {len(checks)} expectations failed; mend the data, or the limits in params.yaml: validate"
        ]
        lines += [f"  {_describe(check)}" for check in failed]
        raise UserError("\n".join(lines), status=1)


def summarise(checks: list[Check]) -> dict[str, Any]:
    """Return the report: success, counts, and what was observed.

    The limits are not in it: when the data meets other limits too, the later stages are still up to date.
    """
    failed = [check for check in checks if not check["success"]]
    observed = [{key: check[key] for key in ("name", "about", "success", "observed")} for check in checks]
    return {"success": not failed, "expectations": len(checks), "failed": len(failed), "checks": observed}


def _describe(check: Check) -> str:
    text = f"{check['about']}: expected {check['expected']}"
    if check["observed"] is not None:
        text += f", found {check['observed']}"
    return text + (f"; for example {', '.join(check['examples'])}" if check["examples"] else "")


def _known_labels(pictures: pd.DataFrame) -> list[str]:
    """Return the labels that can be trained on: a given validation or test split may have no others."""
    trainable = pictures[~pictures["given_split"].isin(["validation", "test"])]
    return sorted(trainable["label"].dropna().unique())


def _class_table(manifest: pd.DataFrame) -> pd.DataFrame:
    """Return a row a class: label, its readable pictures, and how many times larger the largest class is.

    A folder without one readable picture is no class; its files count in the share of unreadable ones.
    """
    counts = manifest[manifest["error"].isna()]["label"].value_counts().sort_index()
    ratio = counts.max() / counts
    return pd.DataFrame({"label": counts.index, "pictures": counts.to_numpy(), "imbalance": ratio.to_numpy()})


def _column_suite() -> list[Any]:
    import great_expectations.expectations as gxe

    return [gxe.ExpectColumnToExist(column=column) for column in MANIFEST]


def _file_suite(limits: Validate) -> list[Any]:
    import great_expectations.expectations as gxe

    return [
        gxe.ExpectColumnValuesToBeUnique(column="image_id"),
        gxe.ExpectColumnValuesToNotBeNull(column="path"),
        gxe.ExpectColumnMeanToBeBetween(column="unreadable", max_value=limits.max_unreadable),
    ]


def _picture_suite(limits: Validate, labels: list[str]) -> list[Any]:
    import great_expectations.expectations as gxe

    sides = {"min_value": limits.min_side, "max_value": limits.max_side}
    return [
        gxe.ExpectColumnValuesToNotBeNull(column="label"),
        gxe.ExpectColumnValuesToBeInSet(column="label", value_set=labels),
        gxe.ExpectColumnValuesToBeInSet(column="given_split", value_set=list(SPLIT_NAMES)),
        gxe.ExpectColumnValuesToBeBetween(column="width", **sides),
        gxe.ExpectColumnValuesToBeBetween(column="height", **sides),
    ]


def _class_suite(limits: Validate) -> list[Any]:
    import great_expectations.expectations as gxe

    return [
        gxe.ExpectColumnValuesToBeBetween(column="pictures", min_value=limits.min_per_class),
        gxe.ExpectColumnValuesToBeBetween(column="imbalance", max_value=limits.max_imbalance),
    ]


def _run_suite(name: str, table: pd.DataFrame, expectations: list[Any]) -> list[Check]:
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = context.data_sources.add_pandas(name).add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
    suite: ExpectationSuite = gx.ExpectationSuite(name=name, expectations=expectations)
    result = batch.get_batch(batch_parameters={"dataframe": table}).validate(
        suite, result_format={"result_format": "COMPLETE"}
    )
    return [_read_result(name, table, one) for one in result.results]


def _read_result(name: str, table: pd.DataFrame, result: Any) -> Check:
    """Return one expectation's outcome, with the first paths (or labels) that broke it."""
    config = result.expectation_config
    column = config.kwargs["column"]
    details = result.result
    observed = details.get("observed_value")
    wrong = table.iloc[details.get("unexpected_index_list") or []]
    if observed is None and details.get("unexpected_count"):
        observed = f"{details['unexpected_count']} of {details['element_count']} otherwise"
    if column == "unreadable":
        wrong = table[table["unreadable"] > 0]
    shown = "path" if "path" in table else "label"
    examples = wrong.sort_values(shown).head(EXAMPLES)
    return {
        "name": config.type,
        "about": f"{column} of {name}",
        "expected": _expected(config.type, config.kwargs),
        "success": bool(result.success),
        "observed": observed if isinstance(observed, str) or observed is None else round(float(observed), 6),
        "examples": [_example(row, shown, column) for _, row in examples.iterrows()],
    }


def _example(row: pd.Series, shown: str, column: str) -> str:
    value = row["error"] if column == "unreadable" else row[column]
    return f"{row[shown]} ({value})"


def _expected(kind: str, limits: dict[str, Any]) -> str:
    """Return an expectation in words."""
    if kind == "expect_column_values_to_be_in_set":
        return "one of " + ", ".join(map(str, limits["value_set"][:10]))
    low, high = limits.get("min_value"), limits.get("max_value")
    if low is not None and high is not None:
        return f"{low:.10g} to {high:.10g}"
    if low is not None:
        return f"at least {low:.10g}"
    if high is not None:
        return f"at most {high:.10g}"
    return {
        "expect_column_to_exist": "the column",
        "expect_column_values_to_be_unique": "no value twice",
        "expect_column_values_to_not_be_null": "no value missing",
    }[kind]
