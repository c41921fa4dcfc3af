"""The model card: what stands in it when everything was measured, and when hardly anything was."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from darkroom.gate.verdict import Verdict
from darkroom.package.model_card import model_card, plain
from darkroom.package.row import Results
from darkroom.params.declared import DeclaredParams
from darkroom.tracking.results import StageResult
from defaults import default_params

SCORES: dict[str, Any] = {"accuracy": 0.9, "f1_macro": 0.8, "roc_auc": None, "pictures": 60}
REPORTS: dict[str, dict[str, Any]] = {
    "ingest": {"pictures": 300, "unreadable": 1, "classes": 2},
    "dedupe": {"dropped_because": {"exact duplicate": 4}, "exact_duplicates": 4, "near_duplicates": 0},
    "split": {"train": 180, "validation": 60, "test": 60, "straddling_groups": 0, "digest": "d" * 64},
    "tune": {
        "enabled": True,
        "trials": 5,
        "refused": 1,
        "costs": [],
        "tolerance": 0.01,
        "best": {"model": {"dropout": 0.3}},
        "chosen": 2,
        "metric": "log_loss",
        "search_score": 0.1,
        "fresh_score": 0.12,
    },
    "train": {
        "classes": ["a|b", "c"],
        "networks": 1,
        "parameters": 1234567,
        "epochs": 9,
        "best_epochs": [7],
        "digest": "e" * 64,
    },
    "evaluate": {"train": SCORES, "validation": SCORES, "test": SCORES},
}
MEASURED: dict[str, Any] = {
    "test": {**SCORES, "interval": {"accuracy": [0.81, 0.96], "roc_auc": [None, None]}},
    "calibration": {"temperature": 1.25, "error": 0.031, "band": [0.0, 0.05]},
    "coverage": {"level": 0.95, "test": 0.94, "set_size": 1.1, "too_small": None},
    "robustness": {"clean": 0.9, "mean": 0.6, "relative": 0.6667},
    "champion": {
        "compared": True,
        "measured": True,
        "refused": 2,
        "same": False,
        "difference": 0.02,
        "interval": [-0.01, 0.05],
        "p": 0.25,
    },
    "cost": {"parameters": 1234567, "multiply_adds": 5000, "file_bytes": 9000},
}
PER_CLASS = pd.DataFrame({"class": ["a|b", "c"], "f1": [1.0, 0.7], "support": [30, 30]})
SLICES = pd.DataFrame(
    {
        "slice": ["blur", "size"],
        "value": ["blurred", "small"],
        "pictures": [12, 30],
        "accuracy": [0.5, 0.9],
        "low": [0.2, 0.8],
        "high": [0.7, 0.95],
        "worse": [True, False],
    }
)


def card(measured: dict[str, Any], tables: dict[str, pd.DataFrame]) -> str:
    reports = REPORTS | {"evaluate": REPORTS["evaluate"] | measured}
    results = Results([StageResult(name, {}, report) for name, report in reports.items()], SLICES, Path(), [], tables)
    params = default_params()
    declared = DeclaredParams(params, list(params.model_dump()), "package")
    return model_card(results, declared, "f" * 64, Verdict(True, ["it is the first"]), looks=3)


def test_the_card_tells_what_was_measured() -> None:
    text = card(MEASURED, {"per_class": PER_CLASS, "slices": SLICES})
    for expected in (
        "Released: it is the first.",
        "one of 2 classes: a\\|b, c.",
        "Left out before the split: 4 exact duplicate.",
        "1,234,567 weights and 9 epochs in all; kept: epoch 7",
        "A search of 4 trials chose model.dropout = 0.3: log_loss on validation 0.1000\n",
        "\nin the search, 0.1200 with fresh seeds, which decided.\n",
        "| accuracy | 0.9000 | 0.9000 | 0.9000 (0.8100 to 0.9600) |",
        "| ROC AUC | - | - | - |",
        "less the earlier champion's: +0.0200 (-0.0100 to 0.0500),\np = 0.25",
        "it was run anew, and may have learnt some of these.",
        "Calibration error 0.0310; a calibrated model would show (0.0000 to 0.0500)",
        "in 95.0% of the cases; on test it did\nin 94.0%",
        "- c: F1 0.7000 on 30 test pictures",
        "- blur blurred: accuracy 0.5000 (0.2000 to 0.7000) on 12 pictures",
        "clean 0.9000: 66.7% is left.",
        "all else that was found out: `reports/evaluation.html`",
        "3 different models have been measured on this test split",
        "tensorflow 2.",
    ):
        assert expected in text
    assert "small" not in text and "a\\|b: F1" not in text  # nothing is wrong with these
    assert "\n\n\n" not in text


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"fresh_score": None}, "0.1000\nin the search, which flatters it as the best of many.\n"),
        (
            {"search_score": None},
            "not known\nin the search, which had pruned it, 0.1200 with fresh seeds, which decided.\n",
        ),
        ({"costs": ["kilobytes"]}, "seeds; of those at most 0.01 worse than the best, the one of least kilobytes.\n"),
        ({"chosen": 0}, "A search of 4 trials found nothing better than model.dropout = 0.3: log_loss"),
    ],
)
def test_the_card_is_honest_about_the_search(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], expected: str
) -> None:
    monkeypatch.setitem(REPORTS, "tune", REPORTS["tune"] | changes)
    assert expected in card({}, {})


@pytest.mark.parametrize("nothing", [{}, dict.fromkeys(MEASURED.keys() - {"test"})])
def test_what_was_not_measured_is_left_out(nothing: dict[str, Any]) -> None:
    text = card(nothing, {})
    assert "| accuracy | 0.9000 | 0.9000 | 0.9000 |" in text
    for absent in ("### ", "In brackets", "champion's", "multiply-adds", "None"):
        assert absent not in text
    assert "\n\n\n" not in text


def test_a_promise_that_cannot_be_kept_and_corruptions_that_were_not_tried_are_not_praised() -> None:
    few = "validation has 9 pictures; a promise of 0.95 needs at least 19"
    untried = {"clean": 0.9, "mean": None, "relative": None}
    text = card(MEASURED | {"coverage": MEASURED["coverage"] | {"too_small": few}, "robustness": untried}, {})
    assert f"keeps no promise: {few}.\n" in text
    assert "is made to hold" not in text and "orrupt" not in text


def test_the_champion_packaged_again_is_not_compared_with_itself() -> None:
    text = card({"champion": MEASURED["champion"] | {"same": True}}, {})
    assert "This is the earlier champion's network: equal answers." in text and "McNemar" not in text


def test_names_from_the_data_are_no_markdown() -> None:
    assert plain("a *b*\n# <c>|") == "a \\*b\\* \\# \\<c\\>\\|"
