"""A temporary copy of the repository in which the benchmarks run; and how their results are put in order."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cost import Cost, measure
from joblib import cpu_count

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class WorkingCopy:
    """A folder, and the environment that an activated .venv gives to commands in it."""

    root: Path
    env: dict[str, str]

    def measure(self, *command: str, sampled: bool = False) -> Cost:
        """Run a command in the folder and return its cost; exits when it fails."""
        return measure(list(command), self.root, self.env, sampled)

    def set(self, changes: dict[str, Any]) -> None:
        """Change values of params.yaml, given as {"section.key": value}."""
        from ruamel.yaml import YAML

        editor, file = YAML(), self.root / "params.yaml"
        document = editor.load(file)
        for key, value in changes.items():
            section, name = key.split(".", 1)
            document[section][name] = value
        editor.dump(document, file)


@contextmanager
def empty_folder() -> Iterator[WorkingCopy]:
    """Yield an empty folder; it is deleted afterwards, with what commands left among temporary files."""
    with tempfile.TemporaryDirectory(prefix="darkroom-benchmark-") as name:
        root, scratch = Path(name, "copy").resolve(), Path(name, "tmp").resolve()
        root.mkdir()
        scratch.mkdir()
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "DVC_", "PYTHON"))}
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "TMPDIR": str(scratch), "DVC_SITE_CACHE_DIR": str(scratch / "dvc")}
        yield WorkingCopy(root, kept | own)


@contextmanager
def working_copy() -> Iterator[WorkingCopy]:
    """Yield a copy of the working tree as git sees it, less what a run left, committed to a repository of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-coz", "--exclude-standard"], cwd=ROOT, capture_output=True, check=True
    )
    with empty_folder() as copy:
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (ROOT / name).is_file() and name != "dvc.lock" and not name.startswith("reports/"):
                (copy.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy.root / name)
        author = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org"]
        for command in (["init", "--quiet"], ["add", "--all"], [*author, "commit", "--quiet", "--message", "copy"]):
            subprocess.run(["git", *command], cwd=copy.root, env=copy.env, check=True)
        yield copy


def alternate(rounds: int, *jobs: Callable[[], Any]) -> list[list[Any]]:
    """Run the jobs in turn, A B A B, and return the results of each: what slows the machine slows all of them."""
    results = [[job() for job in jobs] for _ in range(rounds)]
    return [list(column) for column in zip(*results, strict=True)]


def middle(costs: list[Cost], figure: str = "wall") -> float:
    """Return the median of one figure of the costs."""
    return median(getattr(cost, figure) for cost in costs)


def print_table(header: list[str], *rows: list[Any]) -> None:
    """Print rows below a header, numbers with two decimals, and how busy the machine was."""
    texts = [[f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for first, *others in texts:
        cells = [f"{text:>{width}}" for text, width in zip(others, widths[1:], strict=True)]
        print("  ".join([f"{first:<{widths[0]}}", *cells]).rstrip())
    print(f"load in the last minute: {os.getloadavg()[0]:.1f} on {cpu_count()} cores")
