"""What a search costs beyond its trainings: time of a trial of one step, memory of the search, two workers over one.

The pictures are noise in two colours, the network is that of params.yaml. CPU seconds are those of the process that
drives, and of the trials' processes.
"""

import argparse
import os
import resource
import tempfile
import time
from multiprocessing import forkserver
from pathlib import Path

import numpy as np
from working_copy import print_table

from darkroom.examples.pixels import Examples
from darkroom.execution.processes import Processes
from darkroom.execution.quiet import silence_libraries
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import Overlay, load_params, with_overlay
from darkroom.train.epochs import OnEpoch
from darkroom.train.jobs import prepare_processes
from darkroom.train.measuring import Measured
from darkroom.tune.attempts import Trainer, trainer
from darkroom.tune.search import search
from darkroom.tune.store import open_store
from darkroom.tune.trial import Trial

PARAMS = Path(__file__).parents[1] / "params.yaml"
SECTIONS = ["image", "augment", "model", "finetune", "train", "tune", "debug"]
BATCH = 32


def parameters(trials: int, epochs: int, batch: int) -> DeclaredParams:
    """Return params.yaml with a search of so many trials, one thread each."""
    tune = {"enabled": True, "trials": trials, "epochs": epochs, "batch": batch, "sampler": "tpe", "pruner": "none"}
    train = {"threads": 1, "batch_size": BATCH, "epochs": epochs, "patience": 0, "schedule": "constant"}
    changes: Overlay = {"tune": tune, "train": {**train, "step_epochs": []}, "image": {"size": 32}}
    return DeclaredParams(with_overlay(load_params(PARAMS), changes, "params.yaml"), SECTIONS, "tune")


def pictures(count: int) -> dict[str, Examples]:
    """Return noise, every other picture reddish."""
    random = np.random.default_rng(0)
    labels = (np.arange(count) % 2).astype(np.int32)
    pixels = random.integers(0, 200, (count, 32, 32, 3)).astype(np.uint8)
    pixels[labels == 1, :, :, 0] += 40
    examples = Examples(pixels, np.arange(count), labels, ("other", "red"))
    return {"train": examples, "validation": examples}


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of all trials that ended, whose parent is the fork server."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    fields = Path(f"/proc/{forkserver._forkserver._forkserver_pid}/stat").read_text().rpartition(")")[2].split()
    return own.ru_utime + own.ru_stime + sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")


def megabytes() -> float:
    """Return the memory of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


class Watched:
    """A search, with the time and the memory after each of its trials."""

    def __init__(self, params: DeclaredParams, data: dict[str, Examples], slots: int) -> None:
        self.trainings: list[float] = []
        self.ends: list[tuple[float, float, float]] = []  # seconds, CPU seconds, megabytes
        with tempfile.TemporaryDirectory() as folder, Processes() as processes:
            real = trainer(processes, lambda _: data, Path(folder), params).train

            def train(
                candidate: DeclaredParams, on_epoch: OnEpoch | None, gpu: int | None, checkpoint: Path | None
            ) -> Measured:
                measured = real(candidate, on_epoch, gpu, checkpoint)
                self.trainings.append(measured.seconds)
                return measured

            with open_store(Path(folder), "search", params.tune) as store:
                self._note(None)
                search(params, Trainer(train, slots), store, self._note)

    def _note(self, _: Trial | None) -> None:
        self.ends.append((time.monotonic(), cpu_seconds(), megabytes()))


def print_overhead(trials: int) -> None:
    """Print what trials of one step take, and how the memory of the search grows."""
    watched = Watched(parameters(trials, 1, 1), pictures(BATCH), 1)
    ends = np.array(watched.ends)
    seconds, cpu = np.diff(ends[:, 0]), np.diff(ends[:, 1])
    beyond = seconds - watched.trainings
    print_table(
        ["a trial of one step", "seconds", "of these beyond training", "CPU seconds"],
        ["the first", seconds[0], beyond[0], cpu[0]],
        ["later ones, median", *map(float, map(np.median, (seconds[1:], beyond[1:], cpu[1:])))],
        ["later ones, most", seconds[1:].max(), beyond[1:].max(), cpu[1:].max()],
    )
    first, last = ends[min(5, trials), 2], ends[-1, 2]
    print_table(["memory of the search", "MB"], ["after 5 trials", first], [f"after {trials}", last])
    print(f"growth: {100 * (last / first - 1):.1f} %")


def print_workers(trials: int, epochs: int, count: int) -> None:
    """Print the time of the same search with one worker and with two."""
    taken = {}
    for slots in (1, 2):
        ends = Watched(parameters(trials, epochs, 2), pictures(count), slots).ends
        taken[slots] = ends[-1][0] - ends[0][0]
    print_table(["workers", "seconds"], *([slots, seconds] for slots, seconds in taken.items()))
    print(f"two over one: {taken[1] / taken[2]:.2f} times as fast")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100, help="of one step; 0: none")
    parser.add_argument("--workers", type=int, default=8, help="trials with one worker, then with two; 0: none")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--pictures", type=int, default=1000)
    chosen = parser.parse_args()
    silence_libraries()
    prepare_processes()
    if chosen.trials:
        print_overhead(chosen.trials)
    if chosen.workers:
        print_workers(chosen.workers, chosen.epochs, chosen.pictures)


if __name__ == "__main__":
    main()
