"""What people read about a finished pipeline: the model card and the summary on the terminal."""

from typing import Any

from darkroom.package.registry import PROMOTE
from darkroom.package.release import Release
from darkroom.params.declared import DeclaredParams

Reports = dict[str, dict[str, Any]]
CARD = """\
# {params.package.name}: an image classifier

Classes: {classes}.

## Data

Source `{params.ingest.source}`: {ingest[pictures]} pictures; {ingest[unreadable]} files could not be read.
Left out before the split: {dropped}.
Split: {split[train]} train, {split[validation]} validation, {split[test]} test; {split[straddling_groups]} groups
of duplicates straddle it.

## Training

Networks: {train[networks]}, with {train[parameters]:,} weights and {train[epochs]} epochs in all; kept: {kept}.
The test split was read once, after training.

## Measurements

| | train | validation | test |
|---|---|---|---|
{rows}

Gate: {gate}; {reasons}.

## Limits

Every picture is brought to {params.image.size}x{params.image.size} pixels ({params.image.resize}) and gets one of
the classes above, even when it shows something else. The numbers hold for pictures like those of the source.
"""
SHOWN = ("accuracy", "f1_macro", "precision_macro", "recall_macro", "roc_auc", "log_loss")


def model_card(reports: Reports, params: DeclaredParams, verdict: dict[str, Any]) -> str:
    """Return the model card in Markdown: data, training, measurements, limits."""
    reasons = reports["dedupe"]["dropped_because"]
    splits = [reports["evaluate"][name] for name in ("train", "validation", "test")]
    return CARD.format(
        **reports,
        params=params,
        classes=", ".join(reports["train"]["classes"]),
        dropped=", ".join(f"{count} {reason}" for reason, count in reasons.items()) or "none",
        kept=_kept_epochs(reports["train"]["best_epochs"], params.train.keep),
        rows="\n".join(f"| {name} | {' | '.join(_number(scores[name]) for scores in splits)} |" for name in SHOWN),
        gate="released" if verdict["released"] else "not released",
        reasons="; ".join(verdict["reasons"]),
    )


def terminal_summary(reports: Reports, done: Release, name: str) -> str:
    """Return the last lines of `dvc repro`: the score, what was released, where to look, what to type next."""
    test = reports["evaluate"]["test"]
    promote = [f"  promote         {PROMOTE.format(name=name, version=done.version)}"] if done.verdict.manual else []
    became = "is the champion" if done.verdict.released else "is registered, not released"
    if done.verdict.released and done.champion != done.version:
        became = f"was released before; version {done.champion} is the champion now"
    return "\n".join(
        [
            "",
            f"  test accuracy   {test['accuracy']:.2%} of {test['pictures']} pictures, macro F1 {test['f1_macro']:.3f}",
            f"  model           {name} version {done.version} {became}: {'; '.join(done.verdict.reasons)}",
            *promote,
            "  reports         reports/plots/, reports/MODEL_CARD.md, `make ui`",
            "  next            `make serve`, then the curl line of the README; or edit params.yaml and `make repro`",
            "",
        ]
    )


def _kept_epochs(epochs: list[int], keep: str) -> str:
    which = "the last" if keep == "last" else f"the best validation {keep}"
    return f"epoch {', '.join(map(str, epochs))}, {which}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
