"""From finished stages to a pipeline run in MLflow and a registered version, judged by the gate."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from darkroom.core.paths import cache_folder
from darkroom.execution.locks import locked
from darkroom.gate.promotion import promote
from darkroom.gate.verdict import Candidate, Criterion, Verdict
from darkroom.gate.versions import get_champion, number_of
from darkroom.package.bundle import bundle_digest
from darkroom.package.contender import ReleaseInputs, contender
from darkroom.package.pipeline_run import VERDICT_TAG, find_or_create_pipeline_run
from darkroom.package.registry import find_version, register
from darkroom.package.row import Results
from darkroom.params.declared import DeclaredParams
from darkroom.tracking.results import PARENT_TAG, Report
from darkroom.tracking.store import connect, is_of_the_store, store_error

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


@dataclass(frozen=True)
class Release:
    """What became of the model: its version, the champion's now ("none"), the gate's verdict, the pipeline run."""

    version: str
    champion: str
    verdict: Verdict
    run_id: str


def release(params: DeclaredParams, results: Results, goods: ReleaseInputs, own_run: str) -> Release:
    """Record the pipeline, register the bundle and let the gate decide; `own_run` is the run_id of this stage.

    Doing it again changes nothing: pipeline run, version and verdict are found. In one checkout one process at a time
    does it. Raises UserError when MLflow fails, since without it there is no release.
    """
    candidate = describe(params, results.reports, bundle_digest(goods.bundle))
    try:
        client = connect()
        with locked(cache_folder() / "release.lock"):
            run = find_or_create_pipeline_run(client, params.tracking.experiment, params.flat(), results)
            with closing(client, run):
                done = _release_run(client, run, params, candidate, goods)
                if own_run:
                    client.set_tag(own_run, PARENT_TAG, done.run_id)
        return done
    except Exception as error:
        if not (isinstance(error, OSError) or is_of_the_store(error)):
            raise
        raise store_error(error, "releasing the model") from error


def describe(params: DeclaredParams, reports: dict[str, Report], content: str) -> Candidate:
    """Return what the gate must know of the model; with folds, all pictures but those of test have validated it."""
    split, train = reports["split"], reports["train"]
    return Candidate(
        content=content,
        network=train["digest"],
        classes=train["classes"],
        data=f"folds of {split['digest']}" if params.ensemble.folds else split["validation_digest"],
        scores={name: reports["evaluate"][name] for name in ("validation", "test")},
        debug=params.debug.mode != "none" or params.debug.fraction < 1,
    )


@contextmanager
def closing(client: "MlflowClient", run: "Run") -> Iterator[None]:
    """Close the run when the block is done: FINISHED, or FAILED when it raises; one closed before stays as it is."""
    try:
        yield
    except BaseException:
        if run.info.status != "FINISHED":
            client.set_terminated(run.info.run_id, "FAILED")
        raise
    if run.info.status != "FINISHED":
        client.set_terminated(run.info.run_id, "FINISHED")


def _release_run(
    client: "MlflowClient", run: "Run", params: DeclaredParams, candidate: Candidate, goods: ReleaseInputs
) -> Release:
    """Register the model of a pipeline run unless it is, and judge it unless it was."""
    name, run_id = params.package.name, run.info.run_id
    version = find_version(client, name, candidate.content)
    current, _ = get_champion(client, name)
    if version and current and VERDICT_TAG in run.data.tags:
        verdict = Verdict.from_json(run.data.tags[VERDICT_TAG])
        if verdict.released or number_of(version) != number_of(current):  # else a person has promoted it since
            return Release(number_of(version), number_of(current), verdict, run_id)
    version = version or register(client, name, run_id, goods.bundle, goods.example, candidate)
    judged = contender(client, version, run_id, candidate, goods, params.package)
    verdict = promote(client, name, judged, params.package.metric)
    current, _ = get_champion(client, name)
    client.set_tag(run_id, VERDICT_TAG, verdict.to_json())  # last: it marks the release as complete
    return Release(judged.number, number_of(current) or "none", verdict, run_id)


def summarise(done: Release, params: DeclaredParams, content: str) -> Report:
    """Return the report. It has no version and no run_id: those depend on what the store has seen before."""
    return {
        "released": done.verdict.released,
        "reasons": done.verdict.reasons,
        "criteria": [_reported(row) for row in done.verdict.criteria],
        "model": params.package.name,
        "digest": content,
    }


def _reported(row: Criterion) -> dict[str, Any]:
    """Return name, wanted, found and met; how long a picture takes is in MLflow alone, for it differs each time."""
    found = None if row.name == "latency" else row.found
    return {"name": row.name, "wanted": row.wanted, "found": found, "met": row.met}
