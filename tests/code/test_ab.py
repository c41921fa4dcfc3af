"""Champion and challenger on the traffic: what is counted and decided, and `darkroom ab --apply` in a real store."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from PIL import Image

from commands import run
from darkroom.core.errors import UserError
from darkroom.gate.verdict import Criterion, Verdict
from darkroom.gate.versions import VERDICT
from darkroom.params.serving import Ab
from darkroom.traffic.comparison import COMPARED, compare
from darkroom.traffic.live_comparison import compare_versions, print_waiting
from darkroom.traffic.log import TrafficLog, open_log
from darkroom.traffic.record import Role
from darkroom.traffic.report import report_lines, waiting_requests
from darkroom.traffic.routing import goes_to_challenger
from defaults import default_params
from pictures import ROOT, encode
from records import RECORD

PICTURE = encode(Image.new("RGB", (4, 3)))
CHOSEN: Ab = default_params().ab
Row = tuple[str, str, str, str | None, str | None]  # as COMPARED


def table(rows: Sequence[Row]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(COMPARED))


def shadowed(count: int, label: str | None, other: str | None, outcome: str | None, start: int = 0) -> list[Row]:
    """Return requests that champion (label) and challenger (other) have both answered."""
    rows: list[Row] = []
    for number in range(start, start + count):
        rows.append((f"r{number}", "1", "champion", label, outcome))
        rows.append((f"r{number}", "2", "shadow", other, outcome))
    return rows


def test_pairs_count_what_one_alone_has_right() -> None:
    rows = shadowed(60, "cat", "cat", "cat") + shadowed(30, "cat", "dog", "dog", 100)
    rows += (
        shadowed(2, "cat", "dog", "cat", 200) + shadowed(5, "cat", None, "cow", 300) + shadowed(9, None, None, "x", 400)
    )
    found = compare(table(rows), "1", "2", CHOSEN)
    assert found.pairs and (found.pairs.differ, found.pairs.known) == (37, 37)
    assert (found.pairs.wins, found.pairs.losses, found.counted) == (30, 2, 106)
    assert found.difference == pytest.approx(28 / 106) and found.decision == "promote"
    assert found.challenger.right == 90 and found.champion.right == 62 and found.champion.outcomes == 106


def test_outcomes_are_needed_only_where_they_differ() -> None:
    apart = shadowed(20, "cat", "dog", "dog", 1000) + shadowed(20, "dog", "cat", "dog", 2000)
    of_all = compare(table(shadowed(960, "cat", "cat", "cat") + apart), "1", "2", CHOSEN)
    only = compare(table(shadowed(960, "cat", "cat", None) + apart), "1", "2", CHOSEN)
    assert (of_all.difference, of_all.interval, of_all.counted) == (only.difference, only.interval, only.counted)
    half = compare(
        table(shadowed(960, "cat", "cat", None) + apart + shadowed(40, "a", "b", None, 3000)), "1", "2", CHOSEN
    )
    noted = [any(line.startswith("note") for line in report_lines(found, CHOSEN)) for found in (of_all, only)]
    assert noted == [False, True]
    assert half.counted == 520 and half.needed and half.needed > of_all.counted


def test_a_challenger_that_is_no_better_is_stopped() -> None:
    rows = shadowed(6000, "cat", "cat", "cat") + shadowed(100, "a", "b", "a", 7000) + shadowed(100, "a", "b", "b", 8000)
    found = compare(table(rows), "1", "2", CHOSEN)
    assert (found.decision, found.reason) == ("stop", "the challenger is not better by 2 points")
    assert found.interval and found.interval[0] < 0 < found.interval[1] < 0.02


def test_without_outcomes_it_says_what_agrees_and_what_to_post() -> None:
    answers = table(shadowed(90, "cat", "cat", None) + shadowed(10, "cat", "dog", None, 100))
    found = compare(answers, "1", "2", CHOSEN)
    lines = report_lines(found, CHOSEN)
    assert found.decision == "go on" and found.needed and found.difference is None
    assert "both        100 requests, the same answer on 90 (90.0 %)" in lines
    assert "/outcomes" in lines[-1] and "0 of about" in lines[-3]
    waiting = waiting_requests(answers, "1", "2")
    assert waiting.iloc[0].tolist() == ["r100", "cat", "dog"] and len(waiting) == 10
    nothing = compare(answers.iloc[:0], "1", "2", CHOSEN)
    assert nothing.needed is None and len(report_lines(nothing, CHOSEN)) == 4


def test_a_share_of_the_traffic_is_compared_from_the_challengers_first_answer_on() -> None:
    generator = np.random.default_rng(0)
    rows: list[Row] = [(f"early{number}", "1", "champion", "cat", "dog") for number in range(500)]
    for number in range(4000):
        version, role, chance = "1", "champion", 0.8
        if goes_to_challenger(f"r{number}", 0.5):
            version, role, chance = "2", "challenger", 0.95
        rows.append((f"r{number}", version, role, "cat" if generator.random() < chance else "dog", "cat"))
    found = compare(table(rows), "1", "2", CHOSEN)
    assert found.pairs is None and 3980 < found.champion.requests + found.challenger.requests <= 4000
    assert found.champion.rate == pytest.approx(0.8, abs=0.03) and found.decision == "promote"
    assert len(waiting_requests(table([(*row[:4], None) for row in rows]), "1", "2")) == 4500


@pytest.fixture
def client(tmp_path: Path, new_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MlflowClient]:
    """Return the store of a repository with a champion, version 1, and a challenger, version 2."""
    for file in (ROOT / "params.yaml", ROOT / "dvc.yaml", new_store):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}", f"sqlite:///{tmp_path / 'mlflow.db'}")
    client.create_registered_model("darkroom")
    for _ in range(2):
        client.create_model_version("darkroom", (tmp_path / "model").as_uri())
    client.set_registered_model_alias("darkroom", "champion", "1")
    yield client


def aliases(client: MlflowClient) -> dict[str, str]:
    return {name: str(number) for name, number in client.get_registered_model("darkroom").aliases.items()}


def check_waiting(capsys: pytest.CaptureFixture[str]) -> None:
    """Check what is printed and saved of the requests that log_pairs logged, of which the last two have a picture."""
    assert print_waiting(Path("pictures")) == 0
    lines = capsys.readouterr().out.splitlines()
    (saved,) = Path("pictures").iterdir()  # both have the same
    assert lines[:2] == ["request,champion,challenger,picture", "r0,cat,dog,"]
    assert lines[-1] == f"r39,cat,dog,{saved.name}" and saved.suffix == ".png" and saved.read_bytes() == PICTURE


def test_the_command_decides_and_acts(
    client: MlflowClient, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UserError, match="no version of darkroom is the challenger"):
        compare_versions(apply=True)
    client.set_registered_model_alias("darkroom", "challenger", "2")
    log = open_log(CHOSEN.model_copy(update={"log_pictures": 3}))
    log_pairs(log, 40)
    check_waiting(capsys)
    assert compare_versions(apply=True) == 0 and "go on" in capsys.readouterr().out
    assert log.record_outcomes([(f"r{number}", "dog") for number in range(40)]) == 40
    assert compare_versions(apply=False) == 0 and "decision    promote" in capsys.readouterr().out
    with monkeypatch.context() as patched:
        patched.setattr(TrafficLog, "has_cut_off", lambda *_: True)
        assert compare_versions(apply=True) == 0 and "go on: answers of this challenger" in capsys.readouterr().out
    slow = Criterion("latency", "at most 5 ms", None, False, "it takes more than 5 ms")
    client.set_model_version_tag("darkroom", "2", VERDICT, Verdict(reasons=[slow.reason], criteria=[slow]).to_json())
    with pytest.raises(UserError, match=r"2 of darkroom wins, but failed the gate \(it takes more than 5 ms\)"):
        compare_versions(apply=True)
    assert aliases(client) == {"champion": "1", "challenger": "2"}
    client.delete_model_version_tag("darkroom", "2", VERDICT)
    assert compare_versions(apply=True) == 0 and "version 2 of darkroom is the champion now" in capsys.readouterr().out
    assert aliases(client) == {"champion": "2", "previous": "1"}
    tags = client.get_model_version("darkroom", "2").tags
    assert json.loads(tags["darkroom.ab.figures"])["pairs"]["wins"] == 40
    client.set_registered_model_alias("darkroom", "challenger", "1")
    log_pairs(log, 10, swapped=True)
    assert compare_versions(apply=True) == 0 and "no longer the challenger" in capsys.readouterr().out
    assert "challenger" not in aliases(client)


@pytest.mark.parametrize("words", [["--waiting", "--apply"], ["--pictures", "out"]])
def test_options_that_exclude_each_other_are_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("ab", *words) == 2 and capsys.readouterr().err.startswith(f"darkroom ab: {words[0]} ")


def log_pairs(log: TrafficLog, count: int, swapped: bool = False) -> None:
    """Log requests that champion and challenger answer differently; swapped, with an outcome."""
    roles: tuple[Role, Role] = ("shadow", "champion") if swapped else ("champion", "shadow")
    for number in range(count):
        record = replace(RECORD, picture=PICTURE, request=f"{'s' if swapped else 'r'}{number}")
        log.add([replace(record, version="1", role=roles[0]), replace(record, version="2", role=roles[1], label="dog")])
        if swapped:
            log.record_outcomes([(record.request, "dog")])
