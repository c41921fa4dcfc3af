"""`darkroom accept`: what was validated becomes what later data is compared with."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from darkroom.cli.main import main
from darkroom.core.files import write_value
from darkroom.validate.drift import Profile, profile_of, read_accepted
from pictures import inside, manifest_of

ROWS: list[dict[str, Any]] = [{"label": "a", "brightness": 0.5}, {"label": "b", "brightness": 0.25}]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    for folder in ("data", "reports"):
        (tmp_path / folder).mkdir()
    (tmp_path / "data" / "accepted.json").write_text("{}\n")
    with inside(tmp_path):
        yield tmp_path


def validated(root: Path, rows: list[dict[str, Any]], success: bool = True) -> Profile:
    manifest = manifest_of(rows)
    manifest.to_parquet(root / "data" / "manifest.parquet", index=False)
    profile = profile_of(manifest)
    write_value(root / "reports" / "validate.json", {"success": success, "profile": profile.model_dump()}, ".json")
    return profile


def accept() -> int | str | None:
    with pytest.raises(SystemExit) as caught:
        main(["accept"])
    return caught.value.code


def accepted(root: Path) -> Profile | None:
    return read_accepted(root / "data" / "accepted.json")


def test_it_writes_what_was_validated_and_says_what_changed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = validated(project, ROWS)
    assert accept() == 0 and accepted(project) == first
    assert capsys.readouterr().out == "data/accepted.json: 2 pictures in 2 classes\n"
    second = validated(project, [*ROWS, {"label": "b", "brightness": 0.9}])
    assert accept() == 0 and accepted(project) == second
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  pictures: 3, accepted 2",
        "  class a: 33.33% of the pictures, accepted 50.00%",
        "  class b: 66.67% of the pictures, accepted 50.00%",
        "  mean brightness: 0.55, accepted 0.375",
    ]
    assert accept() == 0 and "this data is accepted already" in capsys.readouterr().out
    assert sorted(path.name for path in (project / "data").iterdir()) == ["accepted.json", "manifest.parquet"]


def test_a_fresh_clone_has_the_report_and_no_manifest(project: Path) -> None:
    profile = validated(project, ROWS)
    (project / "data" / "manifest.parquet").unlink()
    assert accept() == 0 and accepted(project) == profile


def refused(root: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert accept() == 1 and accepted(root) is None
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("darkroom accept: reports/validate.json") and "dvc repro" in line
    return line


def test_data_that_is_not_validated_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "is missing" in refused(project, capsys)


def test_data_that_failed_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    validated(project, ROWS, success=False)
    assert "validation failed" in refused(project, capsys)


def test_a_report_about_earlier_data_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    validated(project, ROWS)
    manifest_of(ROWS[:1]).to_parquet(project / "data" / "manifest.parquet", index=False)
    assert "earlier data" in refused(project, capsys)


@pytest.mark.parametrize("text", ["", "[]", '{"success": true}', '{"success": true, "profile": 3}'])
def test_a_report_without_a_profile_is_refused(project: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (project / "reports" / "validate.json").write_text(text)
    assert "has no profile" in refused(project, capsys)
