"""Whether a model takes the champion's place."""

from dataclasses import dataclass
from typing import Any

from darkroom.params.schema import Package

LOWER_IS_BETTER = {"log_loss"}


@dataclass(frozen=True)
class Verdict:
    """`released`: the model becomes champion; `reasons`: why, or why not, in words."""

    released: bool
    reasons: list[str]


@dataclass(frozen=True)
class Candidate:
    """What the gate knows of a model: digests of its content and its network, classes, {split: {metric: value}}."""

    content: str
    network: str
    classes: list[str]
    scores: dict[str, dict[str, Any]]


def judge(candidate: Candidate, champion: Candidate | None, params: Package) -> Verdict:
    """Compare on `package.metric` of `package.split`; a first model, or one of other classes, is released."""
    if champion is None:
        return Verdict(True, ["it is the first"])
    if candidate.content == champion.content:
        return Verdict(True, ["it is the champion already"])
    if candidate.classes != champion.classes:
        return Verdict(True, [f"the champion knows other classes ({', '.join(champion.classes[:5])})"])
    if candidate.network == champion.network:
        return Verdict(True, ["it is the champion's network with newer serving code"])
    ours, theirs = (one.scores[params.split][params.metric] for one in (candidate, champion))
    what = f"{params.split} {params.metric}"
    if ours is None or theirs is None:
        return Verdict(False, [f"{what} is not defined for both"])
    better = ours < theirs if params.metric in LOWER_IS_BETTER else ours > theirs
    comparison = "better than" if better else "not better than"
    return Verdict(better, [f"{what} {ours:.4f} is {comparison} the champion's {theirs:.4f}"])
