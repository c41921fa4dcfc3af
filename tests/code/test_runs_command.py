"""`darkroom runs` and `darkroom diff` on a real store."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from commands import run
from darkroom.core.errors import UserError
from darkroom.experiments.chosen import chosen_rows
from darkroom.experiments.difference import Gain, Pairing, compare_answers, find_row
from darkroom.experiments.rows import DataSet, Row, read_rows
from darkroom.experiments.runs_page import write_page
from darkroom.experiments.table import print_fitted
from darkroom.scoring.paired import metric_difference, paired_difference
from darkroom.tracking.results import STAGE_TAG
from page_reader import read_page
from pictures import ROOT, inside
from recorded_runs import MODEL, add_run, answers

IDS = [f"i{number:03}" for number in range(60)]
OTHERS = [f"o{name}" for name in IDS]
LABELS = np.repeat(["cat", "dog"], 30)


def answered(wrong: int, ids: list[str] = IDS) -> pd.DataFrame:
    """Return answers on the test pictures, and on one of validation."""
    table = answers(wrong, ids, "test")
    return pd.concat([table, table[:1].assign(split="validation", image_id="v")])


@pytest.fixture(scope="module")
def ids(empty_store: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The ids of the runs in the store, by name; `twice` has two."""
    client, folder = MlflowClient(empty_store, empty_store), tmp_path_factory.mktemp("runs")
    found = {
        "first": add_run(client, folder, "first", answered(20), train__learning_rate=0.001),
        "better": add_run(client, folder, "better", answered(2), train__learning_rate=0.002, model__norm="batch"),
        "other": add_run(client, folder, "other", answered(0, OTHERS), train__learning_rate=0.001),
        "twice": add_run(client, folder, "twice", None, train__learning_rate=0.001),
        "again": add_run(client, folder, "twice", None, train__learning_rate=0.001),
    }
    experiment = client.get_experiment_by_name("runs").experiment_id
    client.create_run(experiment, tags={STAGE_TAG: "train"}, run_name="train")
    client.delete_run(add_run(client, folder, "deleted", None))
    client.create_registered_model(MODEL)
    for name in ("first", "better"):
        client.create_model_version(MODEL, "file:///nowhere", found[name])
    client.set_registered_model_alias(MODEL, "champion", "2")
    return found


@pytest.fixture
def workspace(uri: str, ids: dict[str, str], tmp_path: Path) -> Iterator[Path]:  # noqa: ARG001 - the store of commands
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text.replace("  name: darkroom ", f"  name: {MODEL} "), encoding="utf-8")
    (tmp_path / "dvc.yaml").touch()
    with inside(tmp_path):
        yield tmp_path


@pytest.fixture
def rows(workspace: Path, client: MlflowClient) -> list[Row]:  # noqa: ARG001 - in which the store is
    return read_rows(client)


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(*words) == 0
    return capsys.readouterr().out


def test_the_rows_are_those_of_mlflow(rows: list[Row], ids: dict[str, str], client: MlflowClient) -> None:
    assert [row.facts["name"] for row in rows] == ["twice", "twice", "other", "better", "first"]
    for row in rows:
        recorded = client.get_run(row.facts["id"]).data
        assert row.params == recorded.params
        assert row.metrics == {name: value for name, value in recorded.metrics.items() if "/" not in name}
    better = rows[3]
    assert (better.facts["id"], better.facts["version"], better.facts["alias"]) == (ids["better"], "2", "champion")
    assert better.data == DataSet("pets", "01234567", {"train": 9, "validation": 1, "test": 60, "classes": 2})


def test_a_pipe_gets_every_column_and_no_colour(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heading, *lines = said(capsys, "runs", "--sort", "test accuracy", "--csv", "out/runs.csv").splitlines()
    columns = ["name", "started", "version", "alias", "test_accuracy"]
    assert heading.split() == [*columns, "train.learning_rate", "model.norm", "commit", "id"]
    assert len(lines) == 5 and "\x1b" not in "".join(lines)
    assert lines[0].split()[0] == "other" and lines[0].split()[3:5] == ["1.0000", "0.001"]
    with (workspace / "out" / "runs.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert list(table[0]) == heading.split()
    assert [row["test_accuracy"] for row in table] == ["1.0", str(58 / 60), str(40 / 60), "", ""]
    assert said(capsys, "runs", "--where", "name = nobody") == "none of the 5 runs matches\n"


def test_a_terminal_gets_the_columns_that_fit(rows: list[Row]) -> None:
    found, out = chosen_rows(rows, "", "commit"), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "56")
        hidden = print_fitted(found.rows, found.columns, found.asked, out)
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= 56 and len(lines) == 2 + 5
    assert lines[1].split() == ["name", "version", "alias", "accuracy", "norm", "commit"]
    assert hidden == ["started", "train.learning_rate", "id"] and "c0ffee00" in lines[2]


def test_the_page_needs_nothing_else(rows: list[Row], tmp_path: Path) -> None:
    write_page(tmp_path / "runs.html", chosen_rows(rows, "train.epochs < 4", ""), "train.epochs < 4")
    page = read_page(tmp_path / "runs.html")
    text = " ".join(page.texts)
    assert "train.epochs < 4" in text and "0.9667" in text and "version 2" in text
    assert all(link.startswith("#") for link in page.links) and page.tags.count("tr") == 6 and not page.handlers
    write_page(tmp_path / "none.html", chosen_rows(rows, "train.epochs > 4", ""), "")
    assert "No run matches." in read_page(tmp_path / "none.html").texts


def test_the_difference_has_the_paired_interval_of_groups(rows: list[Row], tmp_path: Path) -> None:
    first, better = find_row("first", rows, MODEL), find_row("champion", rows, MODEL)
    alone = compare_answers(first, better, tmp_path / "curated.parquet")
    assert (alone.pictures, alone.groups, alone.problem) == (60, 0, "")
    groups = np.arange(60) // 3
    pd.DataFrame({"image_id": IDS, "group_id": [f"g{number}" for number in groups]}).to_parquet(
        tmp_path / "curated.parquet"
    )
    found = compare_answers(first, better, tmp_path / "curated.parquet")
    own, other = (answered(wrong)[:60] for wrong in (2, 20))
    right, before = (table["predicted"].to_numpy() == LABELS for table in (own, other))
    difference, (low, high) = paired_difference(right, before, groups)
    assert found.gains["test_accuracy"] == Gain("test_accuracy", difference, low, high)
    assert difference == pytest.approx(0.3) and found.groups == 20 and found.gains["test_accuracy"].verdict == "better"
    scores, earlier = (np.stack(table["probabilities"].tolist()) for table in (own, other))
    difference, (low, high) = metric_difference("log_loss", (LABELS == "dog").astype(int), scores, earlier, groups)
    assert found.gains["test_log_loss"] == Gain("test_log_loss", difference, low, high)
    assert difference < 0 and found.gains["test_log_loss"].verdict == "better"
    turned = compare_answers(better, first, tmp_path / "curated.parquet").gains
    assert (turned["test_accuracy"].verdict, turned["test_log_loss"].verdict) == ("worse", "worse")


def test_diff_prints_what_differs(workspace: Path, ids: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    pd.DataFrame({"image_id": IDS, "group_id": IDS}).to_parquet(workspace / "curated.parquet")
    text = said(capsys, "diff", "v1", ids["better"][:8].upper())
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "model.norm (not recorded) -> batch" in lines and "train.learning_rate 0.001 -> 0.002" in lines
    assert "Data: the same" in lines and "train.epochs" not in text
    (measured,) = [line for line in lines if line.startswith("test accuracy")]
    assert measured.startswith("test accuracy 0.6667 0.9667 +0.3000 +0.1") and measured.endswith("better")
    assert "each counts as independent" in lines[-1]
    assert said(capsys, "diff", "first", "other").splitlines()[-1] == (
        "No interval can be given: they were tested on other pictures: 60 and 60, of which 0 are the same."
    )
    assert run("diff", "champion", "2") == 2
    assert capsys.readouterr().err == "darkroom diff: champion and 2 are the same run, better\n"
    assert said(capsys, "diff", "2", ids["twice"]).endswith("given: no answers are recorded for twice.\n")


def test_labels_that_were_corrected_are_told(client: MlflowClient, rows: list[Row], tmp_path: Path) -> None:
    corrected = answered(2).assign(label="dog")
    run_id = add_run(client, tmp_path, "corrected", corrected)
    (row,) = [row for row in read_rows(client) if row.facts["id"] == run_id]
    client.delete_run(run_id)
    found = compare_answers(rows[-1], row, tmp_path / "none")
    assert found == Pairing(problem="30 of the 60 test pictures had other labels")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("bettr", "no run has the name, id, version or alias 'bettr'; did you mean better?"),
        ("3", "no run has the name, id, version or alias '3'; known: twice, other, better, first"),
        ("twice", "'twice' means 2 runs; give the id of one: "),
    ],
)
def test_a_run_that_is_not_known_is_one_line(rows: list[Row], text: str, message: str) -> None:
    with pytest.raises(UserError) as raised:
        find_row(text, rows, MODEL)
    assert str(raised.value).startswith(message)
    with pytest.raises(UserError, match="no run has the name, id, version or alias 'champion'"):
        find_row("champion", rows, "another-model")


def test_without_a_run_one_line_says_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "dvc.yaml").touch()
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with inside(tmp_path):
        assert run("runs") == 1
    assert capsys.readouterr().err.endswith("mlflow.db; `make repro` makes one\n")
