"""`darkroom predict` on a Ray cluster: the rows of one machine, also when an actor is killed or the command stopped."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.execution.cluster import Node
from darkroom.serving.cluster import actors
from pictures import write_files, write_zip
from predicting import FILES
from ray_cluster import NEEDS_RAY, Cluster, kill, name_of, two_nodes, wait_until

PICTURES = 12_000
OF_RAY = re.compile(r"\[.* [EW] \d+ \d+\] \w+\.cc:")  # a line of its core, about an actor that died or starts late
INPUTS = ["photos", "some.zip", "list.csv", "photos/*.png"]


def test_the_actors_take_the_whole_cpus_of_the_nodes() -> None:
    assert actors([Node("a", "10.0.0.1", 0, 0), Node("b", "10.0.0.2", 0.5, 1), Node("c", "10.0.0.3", 7.5, 1)]) == 7
    assert actors([Node("a", "10.0.0.1", 1, 0)] * 2) == 2 and actors([Node("a", "10.0.0.1", 0.9, 0)] * 2) == 0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    with two_nodes(folder) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def inputs(photo_folder: Path) -> Path:
    """A folder and an archive with a file that is no picture, and a table of many, some of which do not exist."""
    write_files(photo_folder / "some", {"b/green.png": FILES["green.png"], "a.png": FILES["red.png"], "c.png": b"x"})
    write_zip(photo_folder / "some", photo_folder / "some.zip")
    names = [f"photos/{('red', 'blue', 'grey', 'gone')[number % 4]}.png" for number in range(PICTURES)]
    Path("list.csv").write_text("\n".join(["path", *names]))
    return photo_folder


def start(output: str, cluster: Cluster | None = None) -> subprocess.Popen[str]:
    """Start the command, on the cluster if there is one."""
    words = ["predict", "--model", "models", "--top", "2", "--output", output, *INPUTS]
    program = [sys.executable, "-c", "from darkroom.cli.main import main; main()", *words]
    environment = cluster.environment() if cluster else dict(os.environ)
    return subprocess.Popen(program, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_rows(output: str, number: int, process: subprocess.Popen[str]) -> None:
    partial = Path(f"{output}.partial.jsonl")
    wait_until(lambda: partial.exists() and partial.read_bytes().count(b"\n") > number, process)


def actors_of(cluster: Cluster) -> list[int]:
    return [pid for pid in cluster.workers() if "MapWorker" in name_of(pid)]


@NEEDS_RAY
@pytest.mark.slow
@pytest.mark.usefixtures("inputs")
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_the_rows_are_those_of_one_machine_though_an_actor_is_killed(cluster: Cluster, suffix: str) -> None:
    assert start(f"one{suffix}").wait() == 1
    running = start(f"many{suffix}", cluster)
    wait_for_rows(f"many{suffix}", 300, running)
    kill(wait_until(lambda: actors_of(cluster), running)[:1])
    _, errors = running.communicate(timeout=240)
    assert running.returncode == 1, errors
    assert Path(f"many{suffix}").read_bytes() == Path(f"one{suffix}").read_bytes()
    ours = [line for line in errors.splitlines() if not OF_RAY.match(line)]
    assert all(line.startswith("darkroom predict: ") for line in ours), errors
    assert "up to 2 processes of the cluster answer, one for each CPU" in errors


@NEEDS_RAY
@pytest.mark.slow
@pytest.mark.usefixtures("inputs")
def test_ctrl_c_leaves_no_actor_and_the_next_run_goes_on_on_one_machine(cluster: Cluster) -> None:
    assert start("one.csv").wait() == 1
    running = start("many.csv", cluster)
    wait_for_rows("many.csv", 1000, running)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=240)
    assert running.returncode == 130 and "the same command goes on from there" in errors
    end = time.monotonic() + 120
    while actors_of(cluster):
        assert time.monotonic() < end
        time.sleep(0.1)
    rest = start("many.csv")
    _, errors = rest.communicate(timeout=240)
    assert rest.returncode == 1 and "resumes after" in errors
    assert Path("many.csv").read_bytes() == Path("one.csv").read_bytes()


DEADLY = """
import os
from functools import partial
from pathlib import Path
from darkroom.execution.exits import reported_errors
from darkroom.serving.cluster import predicted_on_cluster
from darkroom.serving.inputs import Picture
with reported_errors("predict"):
    list(predicted_on_cluster([Picture("a.png", partial(os._exit, 1))], Path("models"), 32, 1, 1))
"""


@NEEDS_RAY
@pytest.mark.slow
@pytest.mark.usefixtures("inputs")
def test_a_picture_that_kills_each_process_ends_in_one_line(cluster: Cluster) -> None:
    command = [sys.executable, "-c", DEADLY]
    ended = subprocess.run(command, env=cluster.environment(), capture_output=True, text=True, timeout=240)
    said = "predict: a worker process was killed; it probably ran out of memory"
    assert (ended.returncode, ended.stderr.splitlines()[-1]) == (1, said)
    assert "Traceback" not in ended.stderr
