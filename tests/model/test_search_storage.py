"""A search whose trials are kept in a database."""

import logging
import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from optuna.exceptions import StorageInternalError

from cheap_search import failing, run, told, train_cheaply
from darkroom.core.errors import UserError
from darkroom.examples.metrics import Diverged
from darkroom.params.declared import DeclaredParams
from darkroom.train.epochs import OnEpoch
from darkroom.train.measuring import Measured
from darkroom.tune.storage import open_storage, reported_errors
from postgres import running_server

VARIABLE = "DARKROOM_TUNE_STORAGE"


def check_that_it_resumes(folder: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _ = run(folder / "file", batch=2, pruner="median")
    monkeypatch.setenv(VARIABLE, address)
    with pytest.raises(KeyboardInterrupt):
        run(folder / "database", failing(KeyboardInterrupt(), 4), batch=2, pruner="median")
    trials, tried = run(folder / "database", batch=2, pruner="median")
    assert told(trials) == told(whole) and tried == [4, 5, 6, 7]
    assert run(folder / "elsewhere", batch=2, pruner="median") == (trials, [])
    assert run(folder / "elsewhere", batch=2, pruner="median", seed=1)[1] == list(range(8))  # a study of its own
    assert not list(folder.glob("database/*.journal"))


def test_a_search_in_a_database_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    check_that_it_resumes(tmp_path, f"sqlite:///{tmp_path / 'search.db'}", monkeypatch)


@pytest.mark.slow
def test_a_search_on_a_server_of_postgresql_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with running_server() as address:
        check_that_it_resumes(tmp_path, address, monkeypatch)
        monkeypatch.setenv(VARIABLE, address.replace("s3cret", "wr0ng"))
        with pytest.raises(UserError, match=f"the database of {VARIABLE} cannot be used: .*authentication") as error:
            run(tmp_path)
    assert "wr0ng" not in str(error.value) and "s3cret" not in caplog.text + str(error.value)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("no address", "is not the address of a database"),
        ("sqlite:////no/such/folder/search.db", "unable to open database file; check the address"),
        ("nosuch://anna:s3cret@host/search", "is not the address of a database"),
        ("postgresql://anna:s3cret@127.0.0.1:1/search", "connection refused|Connection refused"),
        ("postgresql://anna:no@s3cret@127.0.0.1:1/search", "holds more than one @; .* is written %40"),
        ("postgresql://anna:no@s3cret:s3cret@127.0.0.1:1/search", "holds more than one @; .* is written %40"),
        ("postgresql://anna:no@s3cret/s3cret?a@127.0.0.1:1/search", "holds more than one @; .* is written %40"),
        ("postgresql://anna:s3cret/search", "is not the address of a database"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, message: str
) -> None:
    monkeypatch.setenv(VARIABLE, address)
    with pytest.raises(UserError, match=message) as error:
        run(tmp_path)
    assert VARIABLE in str(error.value) and "s3cret" not in str(error.value) and "\n" not in str(error.value)


def test_a_drivers_message_is_shown_without_the_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "postgresql://anna:s3%40cret@host/search")
    for said in ("no password s3@cret", "in s3%40cret@host", "postgresql://anna:s3%40cret@host"):
        with pytest.raises(UserError, match=r"\*\*\*") as error, reported_errors():
            raise StorageInternalError(said)
        assert "cret" not in str(error.value)


def test_an_at_sign_in_the_path_of_a_file_is_none_of_a_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder := tmp_path / "a@b@c").mkdir()
    monkeypatch.setenv(VARIABLE, f"sqlite:///{folder / 'search.db'}")
    assert open_storage(tmp_path / "none").get_all_studies() == []


def test_a_database_of_another_optuna_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, f"sqlite:///{tmp_path / 'search.db'}")
    open_storage(tmp_path / "none")
    with closing(sqlite3.connect(tmp_path / "search.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = 'v3.0.0.a'")
        database.commit()
    with pytest.raises(UserError) as error:
        open_storage(tmp_path / "none")
    assert str(error.value) == (
        f"the database of {VARIABLE} was made by another version of Optuna; upgrade it with "
        f'`optuna storage upgrade --storage "${VARIABLE}"`, or name another database'
    )


def test_a_database_that_is_damaged_meanwhile_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "search.db"

    def damage(
        candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None
    ) -> Measured:
        file.write_bytes(b"no database" * 1000)
        return train_cheaply(candidate, on_epoch, gpu, checkpoint)

    monkeypatch.setenv(VARIABLE, f"sqlite:///{file}")
    with pytest.raises(UserError, match="file is not a database"):
        run(tmp_path, damage)


def test_a_trial_that_diverged_keeps_the_epochs_that_it_had(tmp_path: Path) -> None:
    calls: list[int] = []

    def train(
        candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None
    ) -> Measured:
        calls.append(len(calls))
        if calls[-1] == 1 and on_epoch:
            on_epoch(1, {"epoch": 1, "validation_log_loss": 0.7})
            on_epoch(2, {"epoch": 2, "validation_log_loss": math.nan})
            raise Diverged("the network diverged")
        measured = train_cheaply(candidate, on_epoch, gpu, checkpoint)
        return replace(measured, scores={"validation": {**measured.scores["validation"], "roc_auc": math.nan}})

    trials, resumed = run(tmp_path, train, trials=2)[0], run(tmp_path, train, trials=2)[0]
    for trial in (trials[1], resumed[1]):
        assert (trial.state, str(trial.curve[1]["validation_log_loss"])) == ("failed", "nan")
    assert str(trials[0].scores) == str(resumed[0].scores) and trials[1].curve[0] == resumed[1].curve[0]
    assert "NaN" not in next(tmp_path.glob("*.journal")).read_text()  # no JSON for a dashboard
