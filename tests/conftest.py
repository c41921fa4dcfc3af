"""Before any library is imported: no telemetry, no start-up noise, and no writing to a store that a user has set."""

import os
import resource
from collections import defaultdict
from collections.abc import Generator

import pytest
from hypothesis import settings

from darkroom.execution.quiet import silence_libraries

silence_libraries()
for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT"):
    os.environ.pop(name, None)

settings.register_profile("darkroom", deadline=None, derandomize=True)  # the same examples on every machine
settings.load_profile("darkroom")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one worker of xdist run the tests of a file, which share fixtures, and one all tests of whole pipelines."""
    for item in items:
        folder = item.path.parent
        item.add_marker(pytest.mark.xdist_group(folder.name if folder.name == "e2e" else item.path.stem))


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
