"""The model card: what the model is for, what it was made of, how good it is, where it fails."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from darkroom.gate.verdict import Verdict
from darkroom.package.bundle import REQUIREMENTS
from darkroom.package.row import Results
from darkroom.params.declared import DeclaredParams

TEMPLATE = Path(__file__).with_name("model_card.md.j2")
LIBRARIES = sorted({*REQUIREMENTS["keras"], *REQUIREMENTS["onnx"]})  # that a served model may need
CLASSES_SHOWN = 50
WEAKEST_SHOWN = 5
SHOWN = {  # metric -> what the card calls it; those that evaluate has not measured are left out
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1_macro": "F1, macro",
    "precision_macro": "precision, macro",
    "recall_macro": "recall, macro",
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "log_loss": "log loss",
    "brier": "Brier score",
}


def model_card(results: Results, params: DeclaredParams, content: str, verdict: Verdict, looks: int = 0) -> str:
    """Return the model card in Markdown; parts of evaluate's report that are missing or null are left out.

    `content` is the digest of all that is served, `looks` the number of models measured on this test split, 0 when it
    is not known.
    """
    reports = results.reports
    classes = reports["train"]["classes"]
    return _render(
        **reports,
        **_findings(results),
        name=params.package.name,
        source=params.ingest.source,
        image=params.image,
        content=content,
        looks=looks,
        verdict=verdict_sentence(verdict),
        classes=classes,
        class_names=_some([plain(name) for name in classes]),
        dropped=_counts(reports["dedupe"]["dropped_because"]),
        kept=_kept_epochs(reports["train"]["best_epochs"], params.train.keep),
        tuned=_tuned(reports["tune"]["best"]),
        versions=", ".join(f"{library} {version(library)}" for library in LIBRARIES),
    )


def _findings(results: Results) -> dict[str, Any]:
    """Return the table of scores, and where they are low."""
    splits = [results.reports["evaluate"][name] for name in ("train", "validation", "test")]
    return {
        "rows": [[title, *(_score(one, name) for one in splits)] for name, title in SHOWN.items() if name in splits[2]],
        "intervals": bool(splits[2].get("interval")),
        "weakest": weakest_classes(results.tables.get("per_class")),
        "slices": worse_slices(results.tables.get("slices")),
    }


def verdict_sentence(verdict: Verdict) -> str:
    """Return whether the model was released, and why."""
    return f"{'Released' if verdict.released else 'Not released'}: {'; '.join(map(plain, verdict.reasons))}"


def weakest_classes(per_class: pd.DataFrame | None) -> list[dict[str, Any]]:
    """Return the rows of the classes with the lowest F1 below 1, the worst first; none without a table."""
    if per_class is None:
        return []
    found = per_class[(per_class["support"] > 0) & (per_class["f1"] < 1)]
    return _rows(found.sort_values(["f1", "class"])[:WEAKEST_SHOWN])


def worse_slices(slices: pd.DataFrame | None) -> list[dict[str, Any]] | None:
    """Return the rows of the slices that are significantly worse, the worst first; None without a table."""
    if slices is None:
        return None
    return _rows(slices[slices["worse"].astype(bool)].sort_values(["accuracy", "slice", "value"])[:WEAKEST_SHOWN])


def plain(text: object) -> str:
    """Return a text from the data without effect in Markdown: in one line, its special characters escaped."""
    line = " ".join(str(text).split())
    return "".join(f"\\{char}" if char in "\\`*_{}[]<>#|" else char for char in line)


def _render(**content: Any) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATE.parent),
        autoescape=False,  # Markdown
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = plain
    helpers = {"number": _number, "percent": _percent, "signed": "{:+.4f}".format, "range": _range}
    empty = dict.fromkeys(("calibration", "coverage", "robustness", "champion", "cost"))
    content["evaluate"] = empty | content["evaluate"]
    return environment.get_template(TEMPLATE.name).render(**helpers, **content)


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _score(scores: dict[str, Any], name: str) -> str:
    return _number(scores.get(name)) + _range((scores.get("interval") or {}).get(name), 4)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _range(interval: Any, decimals: int) -> str:
    """Return " (low to high)"; nothing when it is not known."""
    if not interval or None in interval:
        return ""
    return f" ({interval[0]:.{decimals}f} to {interval[1]:.{decimals}f})"


def _counts(reasons: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in reasons.items()) or "none"


def _some(names: list[str]) -> str:
    more = len(names) - CLASSES_SHOWN
    return ", ".join(names[:CLASSES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _tuned(best: dict[str, dict[str, Any]]) -> str:
    return ", ".join(f"{section}.{key} = {value}" for section, keys in best.items() for key, value in keys.items())


def _kept_epochs(epochs: list[int], keep: str) -> str:
    which = "the last" if keep == "last" else f"the best validation {keep}"
    return f"epoch {', '.join(map(str, epochs))}, {which}"
