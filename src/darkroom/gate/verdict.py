"""Whether a model takes the champion's place: a pure function of what is known of both."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from darkroom.core.metrics import METRICS

SCHEMA = 1  # of a candidate's JSON


@dataclass(frozen=True)
class Criterion:
    """One thing that a model must reach: what is `wanted`, in words, what was `found`, and whether that is enough.

    `reason` says in words why it is not met.
    """

    name: str
    wanted: str
    found: float | None
    met: bool
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """`released`: the model becomes champion; `reasons`: why, or why not; `criteria`: what it was measured by.

    `manual`: it reaches every criterion, and is released when a person confirms it.
    """

    released: bool = False
    reasons: list[str] = field(default_factory=list)
    manual: bool = False
    criteria: list[Criterion] = field(default_factory=list)

    def to_json(self) -> str:
        """Return the verdict as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Verdict":
        """Read what `to_json` of any version wrote."""
        known = _known(cls, json.loads(text))
        rows = [Criterion(**_known(Criterion, row)) for row in known.pop("criteria", [])]
        return cls(**known, criteria=rows)


@dataclass(frozen=True)
class Candidate:
    """What the gate knows of a model: three digests, its classes, {split: {metric: value}}.

    `content` is the digest of all that is served, `network` of the weights, `data` of the pictures that validated it,
    with their labels. A `debug` run is one with the section debug of params.yaml switched on; a model that was
    `rolled_back` was champion until a person took the place from it.
    """

    content: str = ""
    network: str = ""
    classes: list[str] = field(default_factory=list)
    data: str = ""
    scores: dict[str, dict[str, Any]] = field(default_factory=dict)
    debug: bool = False
    rolled_back: bool = False

    def score(self, metric: str) -> float | None:
        """Return the model's validation score; None when it is not defined."""
        return self.scores.get("validation", {}).get(metric)

    def to_json(self) -> str:
        """Return the candidate as JSON, with the number of its schema."""
        return json.dumps({**asdict(self), "schema": SCHEMA}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Candidate":
        """Read what `to_json` of any version wrote: what is missing has its default, what is unknown is left out."""
        return cls(**_known(cls, json.loads(text)))


def _known(kind: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    names = {known.name for known in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


@dataclass(frozen=True)
class Comparison:
    """The model's `metric` less the champion's on the same validation pictures, and the 95 % interval of that.

    Without a comparison `difference` is None, and `problem` says why. `measured`: the champion was run on these
    pictures now, for it was validated on others; `refused` of them it did not answer, and they count for neither.
    """

    metric: str
    pictures: int = 0
    difference: float | None = None
    interval: tuple[float, float] = (0.0, 0.0)
    measured: bool = False
    refused: int = 0
    problem: str = ""

    @property
    def outcome(self) -> int:
        """1 when the model is significantly better than the champion, -1 when it is significantly worse, else 0."""
        low, high = self.interval
        sign = (low > 0) - (high < 0)
        return -sign if METRICS[self.metric].lower_is_better else sign


def judge(
    candidate: Candidate,
    champion: Candidate | None,
    criteria: Sequence[Criterion],
    comparison: Comparison | None = None,
) -> Verdict:
    """Release a model that meets every criterion and loses nothing significant against the champion.

    `champion` is None when there is none. `comparison` is needed only where `settled` returns None.
    """
    verdict = settled(candidate, champion, criteria)
    if verdict is not None:
        return verdict
    if comparison is None or comparison.difference is None:
        problem = comparison.problem if comparison else "they were not compared"
        return Verdict(False, [f"it cannot be compared with the champion: {problem}"], True, list(criteria))
    row = _against_champion(comparison, comparison.difference)
    return Verdict(row.met, [row.reason], False, [*criteria, row])


def settled(candidate: Candidate, champion: Candidate | None, criteria: Sequence[Criterion]) -> Verdict | None:
    """Return the verdict where it does not depend on how the two answer the same pictures, else None."""
    rows, unmet = list(criteria), [row.reason for row in criteria if not row.met]
    if candidate.debug:
        return Verdict(False, ["a debug run (params.yaml: debug) is never released", *unmet], False, rows)
    if champion is not None and champion.content == candidate.content:
        return Verdict(True, ["it is the champion already", *unmet], False, rows)
    if unmet:
        return Verdict(False, unmet, False, rows)
    if candidate.rolled_back:
        return Verdict(False, ["it was champion and has been rolled back"], True, rows)
    if champion is None:
        return Verdict(True, ["it is the first"], False, rows)
    if champion.classes != candidate.classes:
        known = few(champion.classes) or "not recorded"
        return Verdict(False, [f"the champion has other classes ({known})"], True, rows)
    if champion.network == candidate.network:
        return Verdict(True, ["it is the champion's network with other serving code"], False, rows)
    return None


def _against_champion(found: Comparison, difference: float) -> Criterion:
    words = {1: "significantly better than", 0: "not significantly worse than", -1: "significantly worse than"}
    low, high = found.interval
    reason = (
        f"validation {found.metric} is {words[found.outcome]} the champion's: {difference:+.4f} "
        f"({low:+.4f} to {high:+.4f}) on the same {found.pictures} pictures"
    )
    if found.measured:
        reason += ", on which the champion was run anew"
    if found.refused:
        reason += f"; without {found.refused} that the champion refuses"
    return Criterion("champion", f"no significant loss of {found.metric}", difference, found.outcome >= 0, reason)


def few(names: Sequence[str]) -> str:
    """Return the first five names in one text."""
    return ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
