"""A whole search with real trainings."""

from pathlib import Path

import pytest

from darkroom.execution.processes import call_in_process
from darkroom.params.declared import DeclaredParams
from darkroom.train.jobs import Job
from darkroom.tune.choice import Found, fresh_seeds
from darkroom.tune.report import summarise
from darkroom.tune.tuning import run_search
from easy import data, small_params

SPACE = {"train": {"learning_rate": {"choices": [0.01, 0.02, 0.03]}}, "model": {"average": {"choices": ["flip"]}}}
TUNE = {"enabled": True, "trials": 3, "epochs": 2, "finalists": 2, "fresh_seeds": 2, "space": SPACE}


def params() -> DeclaredParams:
    return small_params(tune=TUNE, train={"epochs": 2}, model={"average": "flip"})


def searched(cache: Path) -> Found:
    return run_search(params(), lambda _: data(), cache / "weights", cache, "content", lambda _: None)


@pytest.mark.slow
def test_the_choice_rests_on_trainings_with_fresh_seeds_and_repeats(tmp_path: Path) -> None:
    first, again = searched(tmp_path / "first"), searched(tmp_path / "again")
    assert summarise(first, params().tune) == summarise(again, params().tune) and first.repeatable
    seeds = fresh_seeds(params().tune, params().train)
    assert len(first.fresh_runs) == 4 and {run.seed for run in first.fresh_runs} == {*seeds}
    assert 0 in first.choice.fresh and first.choice.number in first.choice.fresh
    chosen = params().overlaid(first.choice.overlay, "test").overlaid({"train": {"seed": seeds[0]}}, "test")
    apart = call_in_process(measure_here, Job(chosen, data(), tmp_path))
    assert first.choice.fresh[first.choice.number][0] == apart


def measure_here(job: Job) -> float:
    """Train in a process of its own, as served: averaged with the mirror image."""
    from darkroom.examples.runtime import start_tensorflow
    from darkroom.train.measuring import measure

    start_tensorflow(job.params.train.threads)
    return measure(job, ("validation",)).scores["validation"]["log_loss"]
