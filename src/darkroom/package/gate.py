"""Whether a model takes the champion's place."""

from dataclasses import dataclass
from typing import Any

from darkroom.core.metrics import METRICS
from darkroom.params.schema import Package


@dataclass(frozen=True)
class Verdict:
    """`released`: the model becomes champion; `reasons`: why, or why not, in words."""

    released: bool
    reasons: list[str]


@dataclass(frozen=True)
class Candidate:
    """What the gate knows of a model: its classes, {split: {metric: value}}, and three digests.

    `content` is that of all that is served, `network` that of the weights, `data` that of the pictures that
    validated it, with their labels.
    """

    content: str
    network: str
    classes: list[str]
    data: str
    scores: dict[str, dict[str, Any]]


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")


def judge(candidate: Candidate, champion: Candidate | None, params: Package) -> Verdict:
    """Compare on `package.metric` of the validation split; a first model, or one of other classes, is released."""
    if champion is None:
        return Verdict(True, ["it is the first"])
    if candidate.content == champion.content:
        return Verdict(True, ["it is the champion already"])
    if candidate.classes != champion.classes:
        return Verdict(True, [f"the champion knows other classes ({_few(champion.classes)})"])
    if candidate.network == champion.network:
        return Verdict(True, ["it is the champion's network with other serving code"])
    ours, theirs = (one.scores["validation"][params.metric] for one in (candidate, champion))
    what = f"validation {params.metric}"
    if ours is None or theirs is None:
        return Verdict(False, [f"{what} is not defined for both"])
    better = METRICS[params.metric].is_better(ours, theirs)
    comparison = "better than" if better else "not better than"
    reasons = [f"{what} {ours:.4f} is {comparison} the champion's {theirs:.4f}"]
    if candidate.data != champion.data:
        reasons.append("the two were measured on different pictures")
    return Verdict(better, reasons)
