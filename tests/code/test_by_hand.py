"""`darkroom versions`, `promote` and `rollback` on a real store, and what a verdict leaves there."""

import json
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient

from commands import run
from darkroom.gate.verdict import Verdict
from darkroom.gate.versions import aliases_of, get_champion, record_verdict
from darkroom.params.load import read_yaml
from pictures import ROOT, inside
from registry import add_version, release


@pytest.fixture
def name(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a registered model, that of params.yaml in the workspace."""
    name = str(request.node.name).replace("[", "-").replace("]", "")
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    (tmp_path / "params.yaml").write_text(text.replace("  name: darkroom ", f"  name: {name} "), encoding="utf-8")
    (tmp_path / "dvc.yaml").touch()
    assert read_yaml(tmp_path / "params.yaml")["package"]["name"] == name
    with inside(tmp_path):
        yield name


def said(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return the one line with which a command fails, without the command's name."""
    assert run(*words) == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line.removeprefix(f"darkroom {words[0]}: ")


def test_a_version_that_waits_is_confirmed_and_one_that_failed_is_forced(
    client: MlflowClient, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client.create_registered_model(name)
    release(client, name, *add_version(client, name, 0.8))
    release(client, name, *add_version(client, name, 0.9, classes=["a", "b"]))
    release(client, name, *add_version(client, name, 0.3))
    assert aliases_of(client, name) == {"champion": "1", "challenger": "3"}
    assert said(capsys, "promote", "3").endswith(
        "on the same 100 pictures); `darkroom promote 3 --force` releases it all the same"
    )
    assert run("promote", "2") == 0
    assert capsys.readouterr().out == f"version 2 of {name} is the champion now; version 1 is the previous one\n"
    assert run("promote", "3", "--force") == 0
    assert aliases_of(client, name) == {"champion": "3", "previous": "2"}
    two, three = (client.get_model_version(name, number).tags for number in "23")
    assert (two["darkroom.gate.promoted"], three["darkroom.gate.promoted"]) == ("confirmed", "forced")
    assert three["darkroom.gate.promoted.by"] and three["darkroom.gate.promoted.at"].endswith("+00:00")
    assert said(capsys, "promote", "3") == f"version 3 of {name} is the champion already"


def test_a_rollback_lasts_until_somebody_promotes(
    client: MlflowClient, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client.create_registered_model(name)
    first, second = add_version(client, name, 0.8), add_version(client, name, 0.9)
    release(client, name, *first)
    assert said(capsys, "rollback").startswith(f"{name} has no previous version to go back to")
    release(client, name, *second)
    assert run("rollback") == 0
    assert "version 1" in capsys.readouterr().out
    assert aliases_of(client, name) == {"champion": "1", "previous": "2"}
    tags = client.get_model_version(name, "2").tags
    assert tags["darkroom.gate.rolled_back"] == "true" and tags["darkroom.gate.rolled_back.by"]
    assert get_champion(client, name)[1] == first[1]
    third = add_version(client, name, 0.85)  # the claim of version 2 counts no more
    assert release(client, name, *third).released and aliases_of(client, name)["champion"] == "3"
    assert run("promote", "2") == 0
    assert not client.get_model_version(name, "2").tags["darkroom.gate.rolled_back"]


def test_a_rollback_without_a_champion_leaves_no_previous_one(
    client: MlflowClient, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    client.create_registered_model(name)
    client.set_registered_model_alias(name, "previous", add_version(client, name, 0.8)[0])
    assert run("rollback") == 0
    assert capsys.readouterr().out == f"version 1 of {name} is the champion again\n"
    assert aliases_of(client, name) == {"champion": "1"}


def test_the_table_fits_a_terminal(client: MlflowClient, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    client.create_registered_model(name)
    release(client, name, *add_version(client, name, 0.8))
    release(client, name, *add_version(client, name, 0.9, classes=["a", "b"], data="0123456789abcdef"))
    client.set_model_version_tag(name, "1", "darkroom.gate.by", "someone.with.a.very.long.name@example.org")
    assert run("versions") == 0
    heading, second, first, question = capsys.readouterr().out.splitlines()
    assert heading.split() == ["version", "alias", "registered", "by", "verdict", "accuracy", "classes", "data"]
    assert all(len(line) <= 80 for line in (heading, first, second))
    assert second.split()[:2] == ["2", "challenger"] and second.split()[-4:] == ["waits", "0.9000", "2", "01234567"]
    assert first.split()[:2] == ["1", "champion"] and "…" in first and "released" in first
    assert (
        question == "version 2 is the challenger: the champion has other classes (a); `darkroom promote 2` confirms it"
    )
    assert run("versions", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["version"], row["verdict"]) for row in rows] == [("2", "waits"), ("1", "released")]


def test_mistakes_are_one_line(
    client: MlflowClient, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said(capsys, "versions").startswith(f"{name} has no version in this MLflow store")
    assert said(capsys, "rollback").startswith(f"{name} has no previous version")
    client.create_registered_model(name)
    number, _ = add_version(client, name, 0.9)
    assert said(capsys, "promote", "7") == f"{name} has no version 7; there are: 1"
    assert said(capsys, "promote", number).startswith(f"version 1 of {name} was never judged by the gate; ")
    number, _ = add_version(client, name, 0.9, debug=True)
    assert said(capsys, "promote", number, "--force").endswith("comes from a debug run, which is never released")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///nowhere.db")
    assert said(capsys, "versions").startswith("there is no MLflow store yet at ")


def test_a_verdict_stands_on_the_version_with_who_when_data_and_commit(
    client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.create_registered_model("nobody")
    number, candidate = add_version(client, "nobody", 0.5)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", unknown)  # a user without an entry in passwd is recorded by number
    record_verdict(client, "nobody", number, candidate, Verdict(False, ["why", "more"], manual=True))
    tags = {
        key.removeprefix("darkroom.gate."): value
        for key, value in client.get_model_version("nobody", number).tags.items()
    }
    assert (tags["released"], tags["reasons"], tags["by"]) == ("false", "why; more", str(os.getuid()))
    assert (tags["data"], tags["promote"], len(tags["commit"])) == ("d", f"darkroom promote {number}", 40)
    assert tags["at"].endswith("+00:00")
