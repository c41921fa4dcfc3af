"""The frame that every stage runs in: parameters checked, run recorded, outputs whole, mistakes in one line."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from darkroom.core.errors import UserError
from darkroom.core.files import commit, digest, file_digest, partial, read_value, rounded, write_value
from darkroom.core.paths import ARTEFACTS, report_path, workspace
from darkroom.execution.quiet import silence_libraries
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import load_params, read_yaml
from darkroom.params.schema import Params
from darkroom.tracking.runs import Report, StageResult, StageRun

LIBRARIES = ("keras", "numpy", "optuna", "tensorflow")


class Stage:
    """What a stage may read and must write, as dvc.yaml says it.

    Names are those of `paths.ARTEFACTS`; `run` records in MLflow while the stage works.
    """

    def __init__(self, name: str, root: Path, pipeline: dict[str, dict[str, Any]], params: Params) -> None:
        declared = pipeline[name]
        self.name = name
        self.root = root
        self.pipeline = pipeline
        self.params = DeclaredParams(params, declared.get("params", []), name)
        self.deps = set(declared.get("deps", []))
        self.outs = [_path_of(out) for out in declared.get("outs", []) + declared.get("plots", [])]
        self.run = StageRun(name, params.tracking.experiment)
        self.held = ExitStack()  # what is let go when the outputs have their names

    def input(self, name: str) -> Path:
        """Return the path of a declared input."""
        if ARTEFACTS[name] not in self.deps:
            raise KeyError(f"dvc.yaml does not name {ARTEFACTS[name]} below {self.name}: deps")
        return self._present(ARTEFACTS[name])

    def read(self, name: str, columns: list[str] | None = None) -> Any:
        """Return a declared input: a mapping, or a DataFrame, of which some columns may do."""
        return read_value(self.input(name), columns)

    def read_results(self) -> list[StageResult]:
        """Return what the earlier stages, whose reports are declared inputs, decided and with which parameters."""
        return [
            StageResult(name, self.params.flat(declared["params"]), self.read_report(name))
            for name, declared in self.pipeline.items()
            if report_path(name) in self.deps
        ]

    def read_report(self, stage: str) -> Report:
        """Return the report of an earlier stage, a declared input."""
        if report_path(stage) not in self.deps:
            raise KeyError(f"dvc.yaml does not name {report_path(stage)} below {self.name}: deps")
        return read_value(self._present(report_path(stage)))

    def _present(self, name: str) -> Path:
        if not (self.root / name).exists():  # a stage forced to run alone
            raise UserError(f"{name} is missing; run the stages before with `dvc repro {self.name}`")
        return self.root / name

    def code_digest(self) -> str:
        """Return the digest of the code in the folders that the stage declares, and of the libraries that compute.

        A cache keyed by it ends when one of them changes.
        """
        code = {path.relative_to(self.root).as_posix(): file_digest(path) for path in self._modules()}
        return digest([code, *map(version, LIBRARIES)])

    def _modules(self) -> Iterator[Path]:
        for dep in map(self.root.joinpath, self.deps):
            found = dep.rglob("*.py") if dep.is_dir() else [dep] if dep.suffix == ".py" else []
            yield from (path for path in found if not path.name.startswith("."))  # .#x.py is an editor's lock

    def output(self, name: str) -> Path:
        """Return the temporary path to write a declared output to; it gets its name when the stage succeeds."""
        if ARTEFACTS[name] not in self.outs:
            raise KeyError(f"dvc.yaml does not name {ARTEFACTS[name]} below {self.name}: outs")
        return partial(self.root / ARTEFACTS[name])

    def save(self, name: str, value: Any) -> None:
        """Write a table, mapping or text as a declared output."""
        write_value(self.output(name), value, Path(ARTEFACTS[name]).suffix)

    def commit(self, report: Report) -> list[Path]:
        """Give all outputs and the report their names; return their paths."""
        report_file = report_path(self.name)
        write_value(partial(self.root / report_file), report, ".json")
        paths = [self.root / name for name in (*self.outs, report_file)]
        for path in paths:
            commit(path)
        return paths

    @contextmanager
    def whole_or_nothing(self) -> Iterator[None]:
        """Delete what was written and has no name yet when the block raises."""
        try:
            yield
        except BaseException:
            for name in (*self.outs, report_path(self.name)):
                partial(self.root / name)
            raise


def run_stage(work: Callable[[Stage], Report]) -> None:
    """Run `work` as the stage of dvc.yaml that has its name; ends the process with 1 or 2 on a user's error."""
    silence_libraries()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite kill ends like Ctrl-C: tidied up
    try:
        stage = _open_stage(work.__name__)
        with stage.run.recording(stage.params.flat()), stage.whole_or_nothing(), stage.held:
            report = rounded(work(stage))
            stage.run.finish(report, stage.commit(report))
    except UserError as error:
        print(f"{work.__name__}: {error}", file=sys.stderr)
        sys.exit(error.status)
    except KeyboardInterrupt:
        print(f"{work.__name__}: stopped; nothing half-written is left", file=sys.stderr)
        sys.exit(130)


def _open_stage(name: str) -> Stage:
    root = workspace()
    params = load_params(root / "params.yaml")
    return Stage(name, root, read_yaml(root / "dvc.yaml")["stages"], params)


def _path_of(out: str | dict[str, Any]) -> str:
    """Return the path of an entry of dvc.yaml, which is a text or {path: options}."""
    return out if isinstance(out, str) else next(iter(out))
