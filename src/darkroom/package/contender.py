"""A registered version before the gate: how it is judged against a champion, and where the verdict is written."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.gate.comparison import Validation, compare
from darkroom.gate.criteria import examine
from darkroom.gate.promotion import Contender
from darkroom.gate.verdict import Candidate, Verdict, judge, settled
from darkroom.gate.versions import ROLLED_BACK, number_of, read_candidate
from darkroom.package.measured import measure
from darkroom.package.registry import describe_version
from darkroom.params.release import Package
from darkroom.tracking.champion import champion_of
from darkroom.tracking.logger import RunLogger
from darkroom.tracking.results import Report

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

NOTE_TAG = "mlflow.note.content"  # MLflow shows it, as Markdown, at the top of a run
READABLE_VERDICT_TAG = "verdict"


@dataclass(frozen=True)
class ReleaseInputs:
    """What is released: the folder of the bundle, an example picture as PNG, the model card once there is a verdict.

    It is judged by evaluate's report, `evaluated`, and by its answers on validation.
    """

    bundle: Path
    example: Path
    card: Callable[[Verdict], str]
    evaluated: Report
    validation: Validation


def contender(
    client: "MlflowClient",
    version: "ModelVersion",
    run_id: str,
    known: Candidate,
    goods: ReleaseInputs,
    package: Package,
) -> Contender:
    """Return a version of the pipeline run `run_id` as one that is judged, as often as the champion changes."""
    criteria = examine(measure(goods.bundle, goods.example, goods.evaluated, package.gate), package.gate)
    candidate = replace(known, rolled_back=bool(version.tags.get(ROLLED_BACK)))

    def judge_against(champion: "ModelVersion | None") -> Verdict:
        other, found = read_candidate(champion) if champion else None, None
        if champion and settled(candidate, other, criteria) is None:
            found = compare(goods.validation, champion_of(champion, package.name), package.metric)
        return judge(candidate, other, criteria, found)

    def describe(verdict: Verdict) -> None:
        _describe(client, version, run_id, verdict, goods.card(verdict))

    return Contender(number_of(version), known, judge_against, describe)


def _describe(client: "MlflowClient", version: "ModelVersion", run_id: str, verdict: Verdict, card: str) -> None:
    """Write on the pipeline's run, and on the version, what people read there."""
    log, number = RunLogger(client, run_id), number_of(version)
    log.set_tag(NOTE_TAG, card)
    log.set_tag("darkroom.version", f"{version.name}/{number}")
    log.set_tag(READABLE_VERDICT_TAG, readable(verdict))
    describe_version(client, version.name, number, card)


def readable(verdict: Verdict) -> str:
    """Return the verdict in one line: what the model became, and why."""
    return f"{'champion' if verdict.released else 'not released'}: {'; '.join(verdict.reasons)}"
