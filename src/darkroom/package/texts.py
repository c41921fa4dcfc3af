"""The summary of a finished pipeline on the terminal."""

from typing import Any

from darkroom.package.release import Release
from darkroom.params.release import Package

Reports = dict[str, dict[str, Any]]


def terminal_summary(reports: Reports, done: Release, name: str) -> str:
    """Return the last lines of `dvc repro`: the score, what was released, where to look, what to type next."""
    test = reports["evaluate"]["test"]
    promote = [f"  confirm it      `darkroom promote {done.version}`"] if done.verdict.manual else []
    became = "is the champion" if done.verdict.released else "is registered, not released"
    if done.verdict.released and done.champion != done.version:
        became = f"was released before; version {done.champion} is the champion now"
    serve = "`make app`; or " if done.verdict.released else ""
    return "\n".join(
        [
            "",
            f"  test accuracy   {_accuracy(test)} of {test['pictures']} pictures, macro F1 {test['f1_macro']:.3f}",
            f"  model           {name} version {done.version} {became}: {'; '.join(done.verdict.reasons)}",
            *promote,
            "  reports         reports/evaluation.html, reports/data.html, reports/MODEL_CARD.md, `make ui`",
            f"  next            {serve}edit params.yaml and `make repro`",
            "",
        ]
    )


def _accuracy(scores: dict[str, Any]) -> str:
    """Return the accuracy, with its 95 % interval in brackets when that was measured."""
    low, high = scores.get("interval", {}).get("accuracy") or (None, None)
    return f"{scores['accuracy']:.2%}" + (f" ({low:.1%} to {high:.1%})" if None not in (low, high) else "")


def refusal(done: Release, package: Package) -> str:
    """Return the line with which the stage fails, "" when it does not: a rejected model and `on_reject: fail`."""
    if done.verdict.released or package.on_reject == "continue":
        return ""
    return (
        f"{package.name} version {done.version} is not released: {'; '.join(done.verdict.reasons)}; "
        "package.on_reject in params.yaml is fail"
    )
