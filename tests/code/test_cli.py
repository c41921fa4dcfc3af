"""The `darkroom` command: exit statuses, help and completion."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from commands import run
from darkroom.cli import doctor, show
from pictures import ROOT, inside

COMMANDS = ["begin", "recipe", "params", "accept", "rates", "runs", "diff", "compare", "predict", "app", "ab"]
COMMANDS += ["watch", "versions", "promote", "rollback", "export", "shrink", "doctor"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["recip"], "No such command 'recip'. Did you mean 'recipe'?"),
        (["doctor", "--fixx"], "No such option: --fixx"),
        (["params", "train", "epochs"], "unexpected extra argument"),
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words) == 2
    output = capsys.readouterr()
    assert message in output.err and output.out == ""


def test_the_help_lists_every_command_in_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    text = capsys.readouterr().out
    lines = {line.split()[0]: line for line in text.split("Commands:")[1].splitlines() if line}
    assert list(lines) == COMMANDS and not any(line.endswith("...") for line in lines.values())
    assert "--install-completion" in text


@pytest.mark.parametrize(
    "command",
    ["begin", "recipe", "params", "runs", "diff", "compare", "predict", "app", "ab", "promote", "export", "shrink"],
)
def test_help_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(command, "-h") == 0
    examples = capsys.readouterr().out.split("Examples:\n")[1].split("\n\n")[0].splitlines()
    assert len(examples) >= 3 and all(line.strip().startswith(f"darkroom {command}") for line in examples)


def test_a_user_error_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    with inside(tmp_path):
        assert (run("params"), run("recipe")) == (2, 2)
    params, recipe = capsys.readouterr().err.splitlines()
    assert params.startswith("darkroom params: params.yaml: not found") and recipe.endswith("in the repository")


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_stop_ends_with_its_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], number: int, name: str
) -> None:
    monkeypatch.setattr(show, "show_params", lambda _: signal.raise_signal(number))
    assert run("params") == 128 + number
    assert capsys.readouterr().err == f"darkroom params: stopped by {name}; nothing half-written is left\n"


def test_a_full_disk_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(show, "show_params", lambda _: Path("/dev/full").write_text("x"))
    assert run("params") == 1
    assert "No space left on device; free some space" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("darkroom recipe cifar10-c", ["cifar10-cnn"]), ("darkroom params train.ep", ["train.epochs"])],
)
def test_names_are_completed(typed: str, expected: list[str]) -> None:
    code = "from darkroom.cli.main import main; main()"
    asked = {"_DARKROOM_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": "2", "PYTHONPATH": "src"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ | asked, capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == expected, done.stderr


def test_the_doctor_reports_a_failed_check_and_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> doctor.Finding:
        raise OSError("no space left\nat all")

    for check in ("_store", "_champion", "_devices", "_training_step"):  # the slow ones
        monkeypatch.setattr(doctor, check, lambda: doctor.Finding(True, "well"))
    monkeypatch.setattr(doctor, "_params", broken)
    with inside(ROOT):
        assert run("doctor") == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 8 and "FAIL OSError: no space left" in lines and lines[-1] == "ok   well"
