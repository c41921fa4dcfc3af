"""Whether a model takes the champion's place."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from darkroom.core.metrics import METRICS

SCHEMA = 1  # of a candidate's JSON


@dataclass(frozen=True)
class Verdict:
    """`released`: the model becomes champion; `reasons`: why, or why not; `manual`: only a person can tell."""

    released: bool = False
    reasons: list[str] = field(default_factory=list)
    manual: bool = False

    def to_json(self) -> str:
        """Return the verdict as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Verdict":
        """Read what `to_json` of any version wrote."""
        return cls(**_known(cls, text))


@dataclass(frozen=True)
class Candidate:
    """What the gate knows of a model: three digests, its classes, {split: {metric: value}}.

    `content` is the digest of all that is served, `network` of the weights, `data` of the pictures that validated it,
    with their labels. A `debug` run is one with the section debug of params.yaml switched on.
    """

    content: str = ""
    network: str = ""
    classes: list[str] = field(default_factory=list)
    data: str = ""
    scores: dict[str, dict[str, Any]] = field(default_factory=dict)
    debug: bool = False

    def score(self, metric: str) -> float | None:
        """Return the model's validation score; None when it is not defined."""
        return self.scores.get("validation", {}).get(metric)

    def to_json(self) -> str:
        """Return the candidate as JSON, with the number of its schema."""
        return json.dumps({**asdict(self), "schema": SCHEMA}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Candidate":
        """Read what `to_json` of any version wrote: what is missing has its default, what is unknown is left out."""
        return cls(**_known(cls, text))


def _known(kind: type[Verdict] | type[Candidate], text: str) -> dict[str, Any]:
    names = {known.name for known in fields(kind)}
    return {name: value for name, value in json.loads(text).items() if name in names}


@dataclass(frozen=True)
class Rule:
    """A reason to decide without comparing scores; the first rule that applies to (candidate, champion) decides."""

    applies: Callable[[Candidate, Candidate], bool]
    released: bool
    reason: str
    manual: bool = False


RULES = (
    Rule(lambda new, old: new.content == old.content, True, "it is the champion already"),
    Rule(lambda _, old: not old.scores, False, "the champion has no recorded scores to compare with", manual=True),
    Rule(lambda new, old: new.classes != old.classes, False, "the champion has other classes ({classes})", manual=True),
    Rule(lambda new, old: new.network == old.network, True, "it is the champion's network with other serving code"),
    Rule(lambda new, old: new.data != old.data, False, "the champion was validated on other pictures", manual=True),
)


def judge(candidate: Candidate, champion: Candidate | None, metric: str) -> Verdict:
    """Compare the two on `metric` of the validation split; a first model is released, a debug run never is."""
    if candidate.debug:
        return Verdict(False, ["a debug run (params.yaml: debug) is never released"])
    if champion is None:
        return Verdict(True, ["it is the first"])
    for rule in RULES:
        if rule.applies(candidate, champion):
            return Verdict(rule.released, [rule.reason.format(classes=_few(champion.classes))], rule.manual)
    return _compare(candidate.score(metric), champion.score(metric), metric)


def _compare(score: float | None, other: float | None, metric: str) -> Verdict:
    if score is None or other is None:
        return Verdict(False, [f"validation {metric} is not defined for both"], manual=True)
    better = METRICS[metric].is_better(score, other)
    comparison = "better than" if better else "not better than"
    return Verdict(better, [f"validation {metric} {score:.4f} is {comparison} the champion's {other:.4f}"])


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
