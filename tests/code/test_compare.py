"""`darkroom compare` with a training that takes no time: what is kept, tabled, drawn and recorded."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from cheap_comparison import Trainings, change, table_of, write_workspace
from commands import run
from darkroom.core.errors import UserError
from darkroom.core.files import file_digest
from darkroom.examples.metrics import Diverged
from darkroom.execution.processes import Killed
from darkroom.experiments import comparing
from darkroom.experiments.comparing import compare
from darkroom.experiments.comparison_record import record_comparison
from darkroom.experiments.comparison_table import COLUMNS, holm, paired_t
from darkroom.tracking import store
from page_reader import read_page
from pictures import inside


@pytest.fixture
def root(tmp_path: Path, uri: str) -> Iterator[Path]:  # noqa: ARG001 - the store
    write_workspace(tmp_path)
    with inside(tmp_path):
        yield tmp_path


@pytest.fixture
def trainings(root: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Trainings:
    found = Trainings(root)
    if "client" not in request.fixturenames:  # recording takes a second each time
        monkeypatch.setattr(comparing, "record_comparison", lambda _: None)
    found.install(monkeypatch)
    return found


def test_the_table_has_the_paired_differences_and_the_verdicts(trainings: Trainings) -> None:
    assert compare("mine", None, False) == 0
    table = pd.read_csv(trainings.root / "reports/comparisons/mine.csv")
    assert list(table)[: len(COLUMNS)] == COLUMNS and list(table["variant"]) == ["base", "better", "same"]
    base, better, same = (table[[f"seed_{seed}" for seed in range(5)]].to_numpy()[row] for row in range(3))
    found = table.iloc[1]
    assert found["mean"] == pytest.approx(better.mean()) and found["deviation"] == pytest.approx(better.std(ddof=1))
    assert found["difference"] == pytest.approx((better - base).mean())
    half = 2.776445 * (better - base).std(ddof=1) / 5**0.5  # the quantile of t with 4 degrees of freedom
    assert (found["low"], found["high"]) == pytest.approx((found["difference"] - half, found["difference"] + half))
    assert list(table["verdict"].fillna("")) == ["", "better", "no difference shown"]
    assert (found["seconds"], found["parameters"], found["metric"]) == (2.0, 9, "accuracy")
    assert abs((same - base).mean()) < 0.01 and len(trainings.jobs) == 15


def test_without_test_no_test_picture_is_read(trainings: Trainings) -> None:
    compare("mine", 1, False)  # the test picture is not even there
    assert all(set(job.data) == {"train", "validation"} for job in trainings.jobs)
    with pytest.raises(UserError, match="data/images lacks 1 of the pictures"):
        compare("mine", 1, True)


def test_what_is_known_is_not_trained_again(trainings: Trainings) -> None:
    compare("mine", 2, False)
    first, counts = file_digest(trainings.root / "reports/comparisons/mine.csv"), []
    for changed, seeds in (("", 2), ("", 3), ("  new: {model.dropout: 0.3}\n", 3)):
        (trainings.root / "comparisons/mine.yaml").open("a").write(changed)
        before = len(trainings.jobs)
        compare("mine", seeds, False)
        counts.append(len(trainings.jobs) - before)
        assert seeds > 2 or file_digest(trainings.root / "reports/comparisons/mine.csv") == first
    assert counts == [0, 3, 3]


def test_an_interrupted_comparison_keeps_what_has_ended(trainings: Trainings) -> None:
    trainings.fails[0.1] = [KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        compare("mine", 2, False)
    assert not (trainings.root / "reports/comparisons/mine.csv").exists()
    known, trainings.fails = len(list((trainings.root / ".cache/compare").glob("*.json"))), {}
    before = len(trainings.jobs)
    compare("mine", 2, False)
    assert known and len(trainings.jobs) - before == 6 - known


def test_fewer_seeds_give_no_verdict(trainings: Trainings) -> None:
    compare("mine", 3, False)
    assert list(table_of(trainings.root)["verdict"][1:]) == ["no verdict: 2 more seeds needed"] * 2


def test_a_variant_that_diverges_is_a_row_with_its_reason(trainings: Trainings) -> None:
    trainings.fails[0.5] = [Diverged("the network diverged")]
    compare("mine", 5, False)
    row = table_of(trainings.root).loc["better"]
    assert (row["seeds"], row["reason"]) == (0, "5 of 5 seeds without a result: the network diverged")
    assert np.isnan(row["mean"]) and row["verdict"] == "no verdict: seeds without a result"
    before = len(trainings.jobs)
    compare("mine", 5, False)
    assert len(trainings.jobs) == before  # it would diverge again


def test_a_variant_that_is_refused_is_not_tried_with_every_seed(trainings: Trainings) -> None:
    trainings.fails[0.5] = [UserError("the weights could not be downloaded")]
    compare("mine", 5, False)
    tried = [job for job in trainings.jobs if job.params.model.dropout == 0.5]
    assert len(tried) <= 2 and "could not be downloaded" in str(table_of(trainings.root).loc["better", "reason"])
    trainings.fails = {}
    compare("mine", 5, False)
    assert table_of(trainings.root).loc["better", "seeds"] == 5


def test_a_training_whose_process_is_killed_is_tried_again(trainings: Trainings) -> None:
    trainings.fails[0.5] = [Killed("killed")]
    compare("mine", 1, False)
    assert len([job for job in trainings.jobs if job.params.model.dropout == 0.5]) == 2
    assert "killed twice" in str(table_of(trainings.root).loc["better", "reason"])


def test_a_filter_changes_the_training_pictures_alone(trainings: Trainings) -> None:
    change(trainings.root, "better: {", "better: {dedupe.filter.shape: square, ")
    compare("mine", 1, False)
    sizes = {job.params.model.dropout: [len(job.data[n]) for n in ("train", "validation")] for job in trainings.jobs}
    assert sizes == {0.2: [6, 4], 0.5: [5, 4], 0.1: [6, 4]}
    change(trainings.root, "shape: square", "shape: portrait")
    place = r"^comparisons/mine.yaml: variants.better: dedupe.filter"
    with pytest.raises(UserError, match=f"{place}: leaves no training picture of 'cat'; let more pass$"):
        compare("mine", 1, False)
    change(trainings.root, "shape: portrait", "formats: [PGN]")
    with pytest.raises(UserError, match=f"{place}.formats: unknown 'PGN'; did you mean PNG"):
        compare("mine", 1, False)


def test_every_seed_is_a_dot_on_a_page_of_its_own(trainings: Trainings) -> None:
    trainings.fails[0.1] = [Diverged("the network diverged")]
    change(trainings.root, "base: {}", "set: {train: {threads: 1}}")  # without a base: params.yaml
    compare("mine", 5, False)
    page = read_page(trainings.root / "reports/comparisons/mine.html")
    assert "params.yaml, 30 epochs at most; set for all: " in page.texts and "train.threads: 1" in page.texts
    assert page.tags.count("circle") == (5 + 1) * 3  # the scores of two variants, the differences of one
    assert all(link.startswith("#") for link in page.links) and not page.handlers
    assert {"better", "model.dropout: 0.5", "5 of 5 seeds without a result: the network diverged"} <= set(page.texts)


def give_test_pictures(root: Path) -> None:
    """Make half of the validation pictures those of test, in place of the one that is not there."""
    splits = pd.read_parquet(root / "data/splits.parquet")
    splits.loc[splits["split"] == "validation", "split"] = ["validation", "test", "validation", "test"]
    splits[splits["image_id"] != "f" * 20].to_parquet(root / "data/splits.parquet")


def looks_of(client: MlflowClient) -> list[float]:
    """Return what the runs in the newest experiment say of the looks at test."""
    experiment = client.search_experiments(order_by=["experiment_id DESC"])[0]
    metrics = [run.data.metrics for run in client.search_runs([experiment.experiment_id])]
    return [found["test/looks"] for found in metrics if "test/looks" in found]


def runs_of(client: MlflowClient) -> dict[str, Any]:
    """Return the runs in the newest experiment, by name."""
    experiment = client.search_experiments(order_by=["experiment_id DESC"])[0]
    runs = client.search_runs([experiment.experiment_id])
    assert len({run.info.run_name for run in runs}) == len(runs)
    return {run.info.run_name: run for run in runs}


def test_each_variant_is_one_run_in_mlflow(trainings: Trainings, client: MlflowClient) -> None:
    compare("mine", 4, False)
    first = runs_of(client)
    better = first["mine: better"]
    assert better.data.params == {"variant": "better", "seeds": "4", "model.dropout": "0.5"}
    assert better.data.metrics["difference"] == pytest.approx(table_of(trainings.root).loc["better", "difference"])
    assert [point.step for point in client.get_metric_history(better.info.run_id, "seed/accuracy")] == [0, 1, 2, 3]
    compare("mine", 4, False)
    assert {name: run.info.run_id for name, run in runs_of(client).items()} == {
        name: run.info.run_id for name, run in first.items()
    }
    compare("mine", 5, False)
    assert {run.data.params["seeds"] for run in runs_of(client).values()} == {"5"} and len(trainings.jobs) == 15


def test_fewer_seeds_leave_the_rows_that_say_more(trainings: Trainings, client: MlflowClient) -> None:
    seeds = []
    for number in (3, 2, 4):
        compare("mine", number, False)
        experiment = client.search_experiments(order_by=["experiment_id DESC"])[0].experiment_id
        seeds.append(sorted(run.data.params["seeds"] for run in client.search_runs([experiment])))
    assert seeds == [["3"] * 3, ["2"] * 3 + ["3"] * 3, ["4"] * 3] and trainings.jobs


def test_with_test_the_whole_table_is_one_look(trainings: Trainings, client: MlflowClient) -> None:
    give_test_pictures(trainings.root)
    compare("mine", 5, False)
    compare("mine", 5, True)
    assert len(trainings.jobs) == 30 and set(trainings.jobs[-1].data) == {"train", "validation", "test"}
    table = table_of(trainings.root)
    assert table.loc["better", "test_difference"] == pytest.approx(table.loc["better", "difference"])
    assert "Test" in read_page(trainings.root / "reports/comparisons/mine.html").texts
    compare("mine", 5, True)
    assert len(trainings.jobs) == 30
    assert looks_of(client) == [1.0]
    compare("mine", 5, False)  # its rows stand beside those with test
    assert looks_of(client) == [1.0]
    (trainings.root / "comparisons/mine.yaml").open("a").write("  new: {model.dropout: 0.3}\n")
    compare("mine", 5, True)
    assert looks_of(client) == [2.0] and len(runs_of(client)) == 4


def test_a_look_that_cannot_be_counted_is_not_shown(trainings: Trainings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no space left")

    give_test_pictures(trainings.root)
    monkeypatch.setattr(comparing, "record_comparison", record_comparison)
    monkeypatch.setattr(store, "connect", fail)
    with pytest.raises(UserError, match="this look at the test split could not be counted"):
        compare("mine", 1, True)
    assert not (trainings.root / "reports/comparisons").exists()
    compare("mine", 1, False)
    assert len(table_of(trainings.root)) == 3


def test_holm_s_correction() -> None:
    p = np.array([np.nan, 0.01, 0.04, 0.03, 0.005])
    assert holm(p) == pytest.approx([np.nan, 0.03, 0.06, 0.06, 0.02], nan_ok=True)


def test_equal_differences_have_no_interval() -> None:
    assert paired_t(np.array([1.1 - 1, -0.1]))[0] == 0  # not 4e-17
    assert paired_t(np.full(5, 0.25)) == pytest.approx((0.25, np.nan, np.nan, np.nan), nan_ok=True)
    assert paired_t(np.array([0.1, 0.2, 0.3]))[3] == pytest.approx(0.0741799)


def test_the_command_lists_what_there_is(root: Path, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: ARG001
    for words, status in (([], 0), (["--test"], 2), (["min"], 2)):
        assert run("compare", *words) == status
    output = capsys.readouterr()
    assert output.out == "mine  base: {}\n" and "did you mean mine?" in output.err


@pytest.mark.slow
def test_real_trainings_repeat(root: Path) -> None:
    scores = []
    for _ in range(2):
        shutil.rmtree(root / ".cache/compare", ignore_errors=True)
        compare("mine", 2, False)
        scores.append(table_of(root)[["seed_0", "seed_1", "parameters"]])
    assert scores[0].equals(scores[1]) and scores[0].notna().all(axis=None)
