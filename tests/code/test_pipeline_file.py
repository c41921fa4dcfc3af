"""dvc.yaml against the code: what a stage names is what it uses, no more and no less."""

import ast
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from dvc_data.hashfile.meta import Meta

from darkroom.core.paths import ARTEFACTS
from darkroom.package.bundle import PREDICTOR, serving_code
from darkroom.params.load import leaves, read_yaml
from darkroom.params.schema import AFTERWARDS, Params
from import_graph import LIBRARY, ROOT, imported_modules
from rooms import ORDER, RERUNS

STAGES: dict[str, dict[str, Any]] = read_yaml(ROOT / "dvc.yaml")["stages"]
CODE = ("src/", "pipeline/")
# what only checks, carries or records work changes no output; test_executors.py proves it of execution/
EXEMPT = {"cli", "execution", "params", "stage.py", "tracking"}
HEAVY = {"tensorflow", "keras", "mlflow", "great_expectations", "optuna", "sklearn", "matplotlib", "scipy"}
HEAVY |= {"onnx", "onnxruntime", "tf2onnx", "openvino", "ai_edge_litert", "sqlalchemy", "starlette", "uvicorn"}
HEAVY_ALLOWED = {  # themselves imported in functions
    **{f"app/{name}.py": {"starlette"} for name in ("application", "guard", "page", "programs", "replies")},
    "app/connection.py": {"uvicorn"},
    "app/serve.py": {"starlette", "uvicorn"},
    "models/fused_normalisation.py": {"keras", "tensorflow"},
    "package/predictor.py": {"mlflow"},
    "train/callbacks.py": {"keras", "tensorflow"},
    "train/muon.py": {"keras"},
    "train/rate_table.py": {"keras"},
}


def script(stage: str) -> Path:
    return ROOT / "pipeline" / f"{stage}.py"


def modules(stage: str, closed: Collection[str] = ()) -> set[str]:
    found = imported_modules(script(stage), closed)
    if stage == "package":  # what MLflow loads as code, and what that loads
        served = [PREDICTOR, *(LIBRARY / name for name in serving_code(LIBRARY))]
        found |= {path.relative_to(ROOT).as_posix() for path in served}
    return found


def paths(entries: list[str | dict[str, Any]]) -> set[str]:
    return {entry if isinstance(entry, str) else next(iter(entry)) for entry in entries}


def sections_read(file: Path) -> set[str]:
    """Return the sections that stand as `params.<section>` or `<anything>.params.<section>`."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            owner = getattr(node.value, "id", getattr(node.value, "attr", None))
            if owner in ("params", "candidate") and node.attr in Params.model_fields:
                found.add(node.attr)
    return found


def artefacts_named(stage: str, methods: set[str]) -> set[str]:
    """Return the paths of the artefacts that a script reaches through one of the methods of its stage."""
    calls = [node for node in ast.walk(ast.parse(script(stage).read_text())) if isinstance(node, ast.Call)]
    return {ARTEFACTS[ast.literal_eval(call.args[0])] for call in calls if getattr(call.func, "attr", None) in methods}


def test_the_stages_run_in_this_order_and_say_what_they_do() -> None:
    assert list(STAGES) == ORDER
    assert all(stage.get("desc") for stage in STAGES.values())
    for name, stage in STAGES.items():
        assert stage["cmd"].endswith(f"python -P pipeline/{name}.py")
        assert paths(stage["metrics"]) == {f"reports/{name}.json"}


def rooms(stage: str) -> set[str]:
    """Return the folders of the library that a stage declares."""
    prefix = "src/darkroom/"
    return {path.removeprefix(prefix) for path in STAGES[stage]["deps"] if path.startswith(prefix)}


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_declares_the_rooms_that_it_imports_from_and_no_other(stage: str) -> None:
    exempt = EXEMPT - {"tracking"} if stage == "package" else EXEMPT
    imported = {Path(path).relative_to("src/darkroom").parts[0] for path in modules(stage, exempt)}
    assert rooms(stage) == imported - exempt
    assert f"pipeline/{stage}.py" in STAGES[stage]["deps"]


def test_an_edit_in_a_room_runs_these_stages_again() -> None:
    there = {path.name for path in LIBRARY.iterdir() if (path / "__init__.py").exists()}
    assert there == RERUNS.keys()
    assert {room: {stage for stage in ORDER if room in rooms(stage)} for room in there} == RERUNS


@pytest.mark.parametrize("stage", ORDER)
def test_params_are_the_sections_read(stage: str) -> None:
    if stage == "package":  # its row carries every parameter of the pipeline
        sections = {entry for entry in STAGES[stage]["params"] if "." not in entry}
        assert sections == set(Params.model_fields) - set(AFTERWARDS)
        return
    files = [path for path in modules(stage) if not path.startswith("src/darkroom/params/")]
    read = set().union(*(sections_read(ROOT / path) for path in [*files, f"pipeline/{stage}.py"]))
    assert {entry.split(".")[0] for entry in STAGES[stage]["params"]} == read | {"tracking"}


@pytest.mark.parametrize("stage", ORDER)
def test_keys_that_dvc_leaves_out_of_its_run_cache_stand_alone(stage: str) -> None:
    params, declared = leaves(read_yaml(ROOT / "params.yaml")), STAGES[stage]["params"]
    unseen = [key for key in params if key.rpartition(".")[2] in (Meta.PARAM_SIZE, Meta.PARAM_NFILES)]
    sections = [entry for entry in declared if entry not in unseen]
    assert unseen and all(key in declared for key in unseen if any(key.startswith(f"{one}.") for one in sections))


def test_a_search_is_not_restored_by_a_key_that_lacks_the_sizes_of_its_space() -> None:
    assert {"models/tune/best.yaml": {"persist": True}} in STAGES["tune"]["outs"]


@pytest.mark.parametrize("stage", ORDER)
def test_artefacts_are_those_that_the_script_reads_and_writes(stage: str) -> None:
    data = {path for path in STAGES[stage]["deps"] if not path.startswith(CODE)}
    reports = {f"reports/{name}.json" for name in ORDER}  # read by name, or there for the order of the stages
    assert data - reports == artefacts_named(stage, {"input", "read"})
    outs = paths(STAGES[stage].get("outs", []) + STAGES[stage].get("plots", []))
    assert outs == artefacts_named(stage, {"output", "save"})


def test_every_artefact_is_used() -> None:
    assert {path for stage in ORDER for path in artefacts_named(stage, {"input", "read", "output", "save"})} == set(
        ARTEFACTS.values()
    )


@pytest.mark.parametrize("stage", ORDER)
def test_a_script_is_short_and_has_one_function_with_its_name(stage: str) -> None:
    text = script(stage).read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    assert [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)] == [stage]


def test_params_yaml_can_be_reached_by_dvc() -> None:
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    from ruamel.yaml import YAML

    tokens = {type(token).__name__ for token in YAML().scan(text)}
    assert not tokens & {"AnchorToken", "AliasToken"}
    assert not list(lists_with_mappings(read_yaml(ROOT / "params.yaml")))


def lists_with_mappings(value: Any) -> list[Any]:
    if isinstance(value, list):
        return [value] if any(isinstance(item, dict) for item in value) else []
    return [found for item in value.values() for found in lists_with_mappings(item)] if isinstance(value, dict) else []


@pytest.mark.parametrize("file", sorted(LIBRARY.rglob("*.py")), ids=lambda file: file.relative_to(LIBRARY).as_posix())
def test_heavy_libraries_are_imported_in_functions(file: Path) -> None:
    top = ast.parse(file.read_text(encoding="utf-8")).body
    names = [alias.name for node in top if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in top if isinstance(node, ast.ImportFrom)]
    heavy = {name.split(".")[0] for name in names} & HEAVY
    assert heavy <= HEAVY_ALLOWED.get(file.relative_to(LIBRARY).as_posix(), set())


def test_the_first_four_stages_start_without_tensorflow() -> None:
    code = (
        "import sys, ingest, validate, dedupe, split; print(sorted({'tensorflow', 'keras', 'mlflow'} & {*sys.modules}))"
    )
    folders = f"{ROOT / 'pipeline'}:{ROOT / 'src'}"
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": folders}, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


EDITORS_FILES = [
    ".#fit.py",
    ".fit.py.swp",
    "fit.py~",
    "#fit.py#",
    "fit.py.orig",
    "fit.py.rej",
    "fit.py.bak",
    ".DS_Store",
]


def test_what_editors_leave_beside_the_code_reruns_no_stage(tmp_path: Path) -> None:
    from dvc.fs import LocalFileSystem
    from dvc.ignore import DvcIgnoreFilter

    (tmp_path / ".dvcignore").write_bytes((ROOT / ".dvcignore").read_bytes())
    ignored = DvcIgnoreFilter(LocalFileSystem(), str(tmp_path))
    for room in (tmp_path / "src" / "darkroom", tmp_path / "src" / "darkroom" / "train"):
        room.mkdir(parents=True)
        files = [room / name for name in [*EDITORS_FILES, "fit.py"]]
        for file in files:
            file.touch()
        assert [file.name for file in files if not ignored.is_ignored_file(str(file))] == ["fit.py"]


@pytest.mark.parametrize("stage", ["evaluate", "validate"])
def test_a_stage_hides_no_installed_module_of_its_name(stage: str, tmp_path: Path) -> None:
    """`evaluate` and `validate` are names of packages; a script's own folder is no place to import from."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / f"{stage}.py").write_text("print('installed')")
    command = STAGES[stage]["cmd"].replace("PYTHONPATH=src python", sys.executable)
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / f"{stage}.py").write_text(f"import {stage}")
    done = subprocess.run(
        command.split(), cwd=tmp_path, env={"PYTHONPATH": str(tmp_path / "site")}, capture_output=True, text=True
    )
    assert done.stdout == "installed\n"
