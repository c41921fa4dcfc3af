"""From finished stages to a row in MLflow and a registered version, judged by the gate."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from darkroom.core.paths import cache_folder
from darkroom.execution.locks import locked
from darkroom.package.bundle import bundle_digest
from darkroom.package.gate import Candidate, Verdict, judge
from darkroom.package.pipeline_run import VERDICT_TAG, find_or_make_row
from darkroom.package.registry import apply_verdict, find_version, get_champion, register
from darkroom.params.declared import DeclaredParams
from darkroom.tracking.runs import PARENT_TAG, StageResult, as_user_error
from darkroom.tracking.store import connect

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run


@dataclass(frozen=True)
class Release:
    """What became of the model: its version, the champion's now, the gate's verdict, the run_id of the row."""

    version: str
    champion: str
    verdict: Verdict
    run_id: str


def release(params: DeclaredParams, results: list[StageResult], bundle: Path, example: Path, own_run: str) -> Release:
    """Record the pipeline, register the bundle and let the gate decide; `own_run` is the run of the stage at work.

    Doing it again changes nothing: row, version and verdict are found. One process at a time does it.
    Raises UserError when MLflow fails, since without it there is no release.
    """
    reports = {result.stage: result.report for result in results}
    scores = {split: reports["evaluate"][split] for split in ("validation", "test")}
    train = reports["train"]
    measured_on = reports["split"]["validation_digest"]
    candidate = Candidate(bundle_digest(bundle), train["digest"], train["classes"], measured_on, scores)
    try:
        client = connect()
        with locked(cache_folder() / "release.lock"):
            row = find_or_make_row(client, params.tracking.experiment, params.flat(), results)
            with _closing(client, row):
                done = _release_row(client, row, params, candidate, bundle, example)
                if own_run:
                    client.set_tag(own_run, PARENT_TAG, done.run_id)
        return done
    except OSError as error:
        raise as_user_error(error, "releasing the model") from error
    except Exception as error:
        if type(error).__module__.split(".")[0] not in ("mlflow", "requests", "sqlalchemy"):
            raise
        raise as_user_error(error, "releasing the model") from error


@contextmanager
def _closing(client: "MlflowClient", row: "Run") -> Iterator[None]:
    """Close the row when the block is done: FINISHED, or FAILED when it raises; one closed before stays as it is."""
    try:
        yield
    except BaseException:
        client.set_terminated(row.info.run_id, "FAILED")
        raise
    if row.info.status != "FINISHED":
        client.set_terminated(row.info.run_id, "FINISHED")


def _release_row(
    client: "MlflowClient",
    row: "Run",
    params: DeclaredParams,
    candidate: Candidate,
    bundle: Path,
    example: Path,
) -> Release:
    """Register the row's model unless it is, and judge it unless it was."""
    name, run_id = params.package.name, row.info.run_id
    version = find_version(client, name, candidate.content)
    current, champion = get_champion(client, name)
    if version and current and VERDICT_TAG in row.data.tags:
        verdict = Verdict(**json.loads(row.data.tags[VERDICT_TAG]))
        return Release(str(version.version), str(current.version), verdict, run_id)
    version = version or register(client, name, run_id, bundle, example, candidate)
    number = str(version.version)
    verdict = judge(candidate, champion, params.package)
    if params.debug.mode != "none" or params.debug.fraction < 1:
        verdict = Verdict(False, ["a debug run (params.yaml: debug) is never released"])
    elif current and not champion:  # somebody set the alias by hand on a model from elsewhere
        verdict = Verdict(False, [f"the champion, version {current.version}, carries no measurements to compare with"])
    apply_verdict(client, name, number, current, verdict)
    client.set_tag(run_id, VERDICT_TAG, json.dumps(asdict(verdict)))
    client.log_metric(run_id, "package/released", float(verdict.released))
    client.set_tag(run_id, "darkroom.version", f"{name}/{number}")
    champion_now = number if verdict.released else str(current.version) if current else "none"
    return Release(number, champion_now, verdict, run_id)


def summarise(done: Release, params: DeclaredParams, content: str) -> dict[str, Any]:
    """Return the report. It holds no version and no run: they count what a store happened to see before."""
    return {
        "released": done.verdict.released,
        "reasons": done.verdict.reasons,
        "model": params.package.name,
        "digest": content,
    }
