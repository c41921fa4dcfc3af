"""Before any library is imported: no telemetry, no start-up noise, and no writing to a store that a user has set."""

import os
import resource
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

from darkroom.execution.quiet import silence_libraries

silence_libraries()
for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT", "DARKROOM_TUNE_STORAGE", "RAY_ADDRESS"):
    os.environ.pop(name, None)

settings.register_profile("darkroom", deadline=None, derandomize=True)  # the same examples on every machine
settings.load_profile("darkroom")


class ByFile(LoadScopeScheduling):
    """Lets one worker of xdist run the tests of a file, which share fixtures, and one all tests of whole pipelines."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return "e2e" if file.startswith("tests/e2e/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(scope="session")
def new_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an MLflow store with nothing in it, to be copied: making its tables takes a second."""
    from mlflow import MlflowClient

    file = tmp_path_factory.mktemp("store") / "mlflow.db"
    MlflowClient(f"sqlite:///{file}").search_experiments()
    return file


SLOWEST = int(os.environ.get("SLOWEST", "10"))  # tests named at the end


def cpu_seconds() -> float:
    """Return what this process and its finished children have used so far."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


cpu_before = cpu_seconds()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note what each phase used; the report carries it from a worker of xdist to the process that prints."""
    global cpu_before
    report = yield
    now = cpu_seconds()
    report.user_properties.append(("cpu_seconds", now - cpu_before))
    cpu_before = now
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the tests that used the most CPU seconds, fixtures and child processes included."""
    used: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                used[report.nodeid] += sum(float(str(x)) for name, x in report.user_properties if name == "cpu_seconds")
    terminalreporter.section(f"CPU seconds: {sum(used.values()):.0f}, most of them in")
    for test in sorted(used, key=lambda name: -used[name])[:SLOWEST]:
        terminalreporter.line(f"{used[test]:7.1f} {test}")
