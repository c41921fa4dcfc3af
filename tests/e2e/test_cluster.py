"""On two nodes the outputs are those of one machine, also when a worker, a node or the driver is killed."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from ray_cluster import ADDRESSES, NEEDS_RAY, Cluster, kill, name_of, printed, two_nodes, wait_until, without_address

pytestmark = [pytest.mark.slow, NEEDS_RAY]
PICTURES, SIDE = 8000, 32  # some 16 packs
IMPORTS = """
import os, signal, time
from contextlib import suppress
from functools import partial
from darkroom.execution.exits import reported_errors
from darkroom.execution.tasks import in_order
from darkroom.execution.workers import worker_pool
"""
DEADLY = """
with reported_errors("ingest"), worker_pool() as pool:
    list(in_order(pool, [partial(os._exit, 1)]))
"""
CANCELLING = """
with reported_errors("cancelling"), worker_pool() as pool:
    for number in range(300):
        results, wanted = in_order(pool, (partial(len, "four") for _ in range(100))), 1 + number % 5
        assert [next(results) for _ in range(wanted)] == [4] * wanted
        time.sleep(number % 10 * 0.0003)
        results.close()
"""
BESIDE = """
with reported_errors("beside"), worker_pool() as pool:
    slow = pool.submit(time.sleep, 2)
    with suppress(ValueError), worker_pool() as another:
        list(in_order(another, [partial(int, "x"), partial(time.sleep, 2)]))
    assert slow.result() is None and pool.submit(int, "1").result() == 1
    with suppress(ValueError), worker_pool() as another:  # whose last tasks still run when the process ends
        list(in_order(another, [partial(time.sleep, 1), partial(int, "x"), *[partial(time.sleep, 600)] * 3]))
"""
AGAIN = """
with reported_errors("again"), worker_pool() as pool:
    import ray
    disconnect = ray.shutdown
    ray.shutdown = lambda: (signal.raise_signal(signal.SIGINT), disconnect())
    results = in_order(pool, [partial(int, "1"), *[partial(time.sleep, 600)] * 3])
    next(results)
    signal.raise_signal(signal.SIGINT)
"""
KILLED = "a worker process was killed; it probably ran out of memory: use a machine with more memory"
PROGRAM = Path(__file__).parents[1] / "cluster_digests.py"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with (
        tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder,
        two_nodes(Path(folder)) as nodes,
    ):
        yield nodes


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise of two classes, every tenth picture twice."""
    chance, head, folder = random.Random(0), BytesIO(), tmp_path_factory.mktemp("noise")
    Image.new("RGB", (SIDE, SIDE)).save(head, "BMP")
    size = SIDE * SIDE * 3
    for label in "ab":
        (folder / label).mkdir()
    for number in range(PICTURES):
        pixels = chance.randbytes(size) if number % 10 else bytes(size - 1) + bytes([number // 10 % 256])
        (folder / "ab"[number % 2] / f"{number}.bmp").write_bytes(head.getvalue()[:-size] + pixels)
    return folder


class Run:
    """The program in a process of its own, with a folder to work in, which a later run may share."""

    def __init__(self, source: Path, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(source), str(folder)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def after(self, packs: int) -> "Run":
        """Wait until some packs are finished."""
        wait_until(lambda: len(list(self.folder.glob("cache/packs/*/*.facts"))) >= packs, self.process)
        return self


@pytest.fixture(scope="module")
def local(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    found = printed(Run(source, tmp_path_factory.mktemp("local"), without_address()).process)
    assert sum(name.startswith("images/") for name in found) > 8
    return found


@pytest.fixture
def start(cluster: Cluster, source: Path, tmp_path: Path) -> Callable[[], Run]:
    return lambda: Run(source, tmp_path, cluster.environment())


def test_two_nodes_give_what_one_machine_gives(start: Callable[[], Run], local: dict[str, str]) -> None:
    assert printed(start().process) == local


def test_a_killed_worker_changes_nothing(cluster: Cluster, start: Callable[[], Run], local: dict[str, str]) -> None:
    run = start().after(2)
    kill(wait_until(cluster.busy_workers, run.process)[:1])
    assert printed(run.process) == local


def test_a_killed_node_changes_nothing(cluster: Cluster, start: Callable[[], Run], local: dict[str, str]) -> None:
    run = start().after(2)
    cluster.kill_node()
    try:
        assert printed(run.process) == local
    finally:
        cluster.add_node()


def test_a_run_after_a_killed_driver_resumes_after_its_packs(start: Callable[[], Run], local: dict[str, str]) -> None:
    run = start().after(3)
    run.process.kill()
    run.process.communicate()
    for folder in (run.folder / "images", run.folder / "images.manifest"):
        shutil.rmtree(folder, ignore_errors=True)
    again = start()
    assert printed(again.process) == local


def test_doctor_names_the_nodes(cluster: Cluster, tmp_path: Path) -> None:
    for name in ("dvc.yaml", "params.yaml", "requirements.txt"):
        shutil.copy(PROGRAM.parents[1] / name, tmp_path)
    command = [sys.executable, "-c", "from darkroom.cli.main import main; main()", "doctor"]
    said = subprocess.run(command, env=cluster.environment(), cwd=tmp_path, capture_output=True, text=True).stdout
    nodes = [f"ok   node {address}: 1 CPU, 0 GPU, same versions, sees this folder" for address in ADDRESSES]
    assert [line for line in said.splitlines() if line.startswith("ok ")][-3:] == [
        f"ok   cluster: {cluster.address}, 2 nodes",
        *nodes,
    ]


@pytest.mark.parametrize(
    ("program", "ending"),
    [
        (DEADLY, (1, f"ingest: {KILLED}\n")),
        (CANCELLING, (0, "")),
        (BESIDE, (0, "")),
        (AGAIN, (130, "again: stopped by Ctrl-C; nothing half-written is left\n")),
    ],
    ids=["killed each time", "tasks end while they are cancelled", "another executor goes on", "a second Ctrl-C"],
)
def test_it_ends_well(cluster: Cluster, program: str, ending: tuple[int, str]) -> None:
    command = [sys.executable, "-c", IMPORTS + program]
    ended = subprocess.run(command, env=cluster.environment(), capture_output=True, text=True, timeout=240)
    assert (ended.returncode, ended.stderr) == ending


@pytest.mark.parametrize(("number", "name"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_stop_leaves_no_process(cluster: Cluster, start: Callable[[], Run], number: int, name: str) -> None:
    run = start().after(1)
    os.kill(run.process.pid, number)
    _, err = run.process.communicate(timeout=240)
    message = f"digests: stopped by {name}; nothing half-written is left"
    assert (run.process.returncode, err.splitlines()[-1:]) == (128 + number, [message]), err[-3000:]
    assert "Traceback" not in err
    end = time.monotonic() + 120
    while (left := list(map(name_of, cluster.workers()))) and time.monotonic() < end:
        time.sleep(0.5)
    assert left == []
