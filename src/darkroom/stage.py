"""The frame that every stage runs in: parameters checked, run recorded, outputs complete, mistakes in one line."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from darkroom.core.errors import UserError
from darkroom.core.files import digest, file_digest, prepare_partial, read_value, rounded, write_value
from darkroom.core.paths import ARTEFACTS, report_path, workspace
from darkroom.core.transaction import commit, recover
from darkroom.execution.cluster import on_cluster, require_cluster
from darkroom.execution.exits import reported_errors
from darkroom.execution.interrupts import deferred_interrupts
from darkroom.execution.quiet import silence_libraries
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import load_params, read_yaml
from darkroom.params.schema import Params
from darkroom.tracking.results import Report, StageResult
from darkroom.tracking.runs import StageRun

__all__ = ["Report", "Stage", "run_stage"]

LIBRARIES = (  # whose versions change what a stage computes: pixels, numbers, the weights of a network
    "h5py",
    "keras",
    "numpy",
    "opencv-python-headless",
    "optuna",
    "pandas",
    "pillow",
    "scikit-learn",
    "simplejpeg",
    "tensorflow",
)
DRAWING = {"src/darkroom/pages", "src/darkroom/search_page"}


class Stage:
    """What a stage may read and must write, as dvc.yaml declares it.

    Names are those of `paths.ARTEFACTS`. `run` records in MLflow while the stage works; the context managers in
    `resources` are left when the outputs have their names, or when the stage fails. A stage that sets `refusal` ends
    with status 1 and that line, its outputs and its run complete: DVC runs it again next time.
    """

    def __init__(self, name: str, root: Path, pipeline: dict[str, dict[str, Any]], params: Params) -> None:
        declared = pipeline[name]
        self.name = name
        self.root = root
        self.pipeline = pipeline
        self.params = DeclaredParams(params, declared.get("params", []), name)
        self.deps = set(declared.get("deps", []))
        self.outs = [_path_of(out) for out in declared.get("outs", []) + declared.get("plots", [])]
        self.journal = root / f"reports/{name}.commit.partial"
        self.run = StageRun(name, params.tracking.experiment)
        self.resources = ExitStack()
        self.refusal = ""

    def input(self, name: str) -> Path:
        """Return the path of a declared input."""
        if ARTEFACTS[name] not in self.deps:
            raise KeyError(f"dvc.yaml does not name {ARTEFACTS[name]} below {self.name}: deps")
        return self._present(ARTEFACTS[name])

    def read(self, name: str, columns: list[str] | None = None) -> Any:
        """Return the content of a declared input: a mapping, or a DataFrame, all of its columns or the given ones."""
        return read_value(self.input(name), columns)

    def read_results(self) -> list[StageResult]:
        """Return parameters and report of each earlier stage whose report is a declared input."""
        return [
            StageResult(name, self.params.flat(declared["params"]), self.read_report(name))
            for name, declared in self.pipeline.items()
            if report_path(name) in self.deps
        ]

    def read_report(self, stage: str) -> Report:
        """Return the report of an earlier stage, a declared input."""
        if report_path(stage) not in self.deps:
            raise KeyError(f"dvc.yaml does not name {report_path(stage)} below {self.name}: deps")
        report: Report = read_value(self._present(report_path(stage)))
        return report

    def _present(self, name: str) -> Path:
        if not (self.root / name).exists():  # a stage forced to run alone
            raise UserError(f"{name} is missing; run the earlier stages too, with `dvc repro {self.name}`")
        return self.root / name

    def code_digest(self) -> str:
        """Return the digest of the code in the folders that the stage declares, and of the libraries that compute.

        A cache keyed by it is not used after one of them has changed. What only draws is left out: after an edit there
        a report is made again, from the trials of a search that are known.
        """
        code = {path.relative_to(self.root).as_posix(): file_digest(path) for path in self._modules()}
        return digest([code, *map(version, LIBRARIES)])

    def cache_key(self, params: DeclaredParams, *content: str) -> str:
        """Return the digest of all that decides a result: code, parameters, and the digests of the data in `content`.

        The section tracking is left out: where a run is recorded changes no result.
        """
        values = {key: value for key, value in params.flat().items() if not key.startswith("tracking.")}
        return digest([self.code_digest(), values, *content])

    def _modules(self) -> Iterator[Path]:
        for dep in map(self.root.joinpath, self.deps - DRAWING):
            found = dep.rglob("*.py") if dep.is_dir() else [dep] if dep.suffix == ".py" else []
            for path in found:
                if not any(part.startswith(".") for part in path.relative_to(self.root).parts):  # as in .dvcignore
                    yield path

    def output(self, name: str) -> Path:
        """Return the temporary path to write a declared output to; it gets its name when the stage succeeds."""
        if ARTEFACTS[name] not in self.outs:
            raise KeyError(f"dvc.yaml does not name {ARTEFACTS[name]} below {self.name}: outs")
        return prepare_partial(self.root / ARTEFACTS[name])

    def save(self, name: str, value: Any) -> None:
        """Write a table, mapping or text as a declared output."""
        write_value(self.output(name), value, Path(ARTEFACTS[name]).suffix)

    def commit(self, report: Report) -> list[Path]:
        """Give all outputs and the report their names, together; return their paths.

        Ctrl-C and SIGTERM wait for the end. What a killed process began, the next start of the stage completes.
        """
        write_value(prepare_partial(self.root / report_path(self.name)), report, ".json")
        with deferred_interrupts():
            commit(self._paths(), self.journal)
        return self._paths()

    def _paths(self) -> list[Path]:
        return [self.root / name for name in (*self.outs, report_path(self.name))]

    @contextmanager
    def complete_outputs(self) -> Iterator[None]:
        """Leave no unfinished output: neither of this run, when the block raises, nor of a killed one before it."""
        recover(self._paths(), self.journal)
        try:
            yield
        except BaseException:
            recover(self._paths(), self.journal)
            raise


def run_stage(work: Callable[[Stage], Report]) -> None:
    """Run `work` as the stage of dvc.yaml that has its name.

    Ends the process with 1 or 2 on a user's error, 130 on Ctrl-C and 143 on SIGTERM.
    """
    silence_libraries()
    with reported_errors(work.__name__):
        if on_cluster():
            require_cluster()  # before any work
        stage = _open_stage(work.__name__)
        with stage.run.recording(stage.params.flat()), stage.complete_outputs(), stage.resources:
            report = rounded(work(stage))
            stage.run.finish(report, stage.commit(report))
        if stage.refusal:
            raise UserError(stage.refusal, status=1)


def _open_stage(name: str) -> Stage:
    root = workspace()
    params = load_params(root / "params.yaml")
    return Stage(name, root, read_yaml(root / "dvc.yaml")["stages"], params)


def _path_of(out: str | dict[str, Any]) -> str:
    """Return the path of an entry of dvc.yaml: a string, or {path: options}."""
    return out if isinstance(out, str) else next(iter(out))
