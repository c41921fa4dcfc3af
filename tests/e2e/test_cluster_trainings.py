"""Trainings as tasks on two nodes give what they give on one machine, with workers, nodes or the driver killed too."""

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ray_cluster import NEEDS_RAY, Cluster, kill, name_of, printed, two_nodes, wait_until, without_address

pytestmark = [pytest.mark.slow, NEEDS_RAY]
PROGRAM = Path(__file__).parents[1] / "cluster_trainings.py"
TRIAL, NETWORK = "search/tune/*/trial*/last.npz", "ensemble/network*/last.npz"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with (
        tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder,
        two_nodes(Path(folder)) as nodes,
    ):
        yield nodes


def start(folder: Path, environment: dict[str, str], *works: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(PROGRAM), str(folder), *works]
    return subprocess.Popen(command, env=environment, stdout=-1, stderr=-1, text=True, start_new_session=True)


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return printed(start(tmp_path_factory.mktemp("local"), without_address()))


def test_killed_processes_change_nothing(cluster: Cluster, tmp_path: Path, local: dict[str, str]) -> None:
    """A worker of Ray in the middle of a trial; what one has started in the middle of a network of the ensemble."""
    process = start(tmp_path, cluster.environment())
    wait_until(lambda: list(tmp_path.glob(TRIAL)), process)
    kill(wait_until(cluster.busy_workers, process)[:1])
    wait_until(lambda: list(tmp_path.glob(NETWORK)), process)
    kill(wait_until(cluster.trainings, process)[:1])
    assert printed(process) == local


@pytest.mark.parametrize(("work", "checkpoint"), [("search", TRIAL), ("ensemble", NETWORK)])
def test_a_killed_node_changes_nothing(
    cluster: Cluster, tmp_path: Path, local: dict[str, str], work: str, checkpoint: str
) -> None:
    """It is killed in the middle of a training; another comes instead."""
    process = start(tmp_path, cluster.environment(), work)
    wait_until(lambda: list(tmp_path.glob(checkpoint)), process)
    wait_until(cluster.second_is_busy, process)
    cluster.kill_node()
    cluster.add_node()
    assert printed(process) == {work: local[work]}


def test_a_killed_driver_goes_on(cluster: Cluster, tmp_path: Path, local: dict[str, str]) -> None:
    process = start(tmp_path, cluster.environment())
    wait_until(lambda: list(tmp_path.glob(TRIAL)), process)
    process.kill()
    process.communicate()
    again = start(tmp_path, cluster.environment())
    assert printed(again) == local
    assert not list(tmp_path.glob("search/tune/*/trial*"))  # the checkpoints of trials go with them


def test_ctrl_c_ends_the_tasks(cluster: Cluster, tmp_path: Path) -> None:
    process = start(tmp_path, cluster.environment())
    wait_until(lambda: list(tmp_path.glob(TRIAL)), process)
    trainings = wait_until(cluster.trainings, process)
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=240)[1]
    assert process.returncode == 130 and "Traceback" not in err
    end = time.monotonic() + 120
    while (left := [*cluster.workers(), *filter(name_of, trainings)]) and time.monotonic() < end:
        time.sleep(0.5)
    assert left == []
