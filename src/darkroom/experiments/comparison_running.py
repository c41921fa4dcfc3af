"""Running the trainings of a comparison, side by side; each that ends is kept, so that it is never done twice."""

import logging
import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import SimpleQueue

from darkroom.core.errors import UserError, first_line
from darkroom.core.files import read_value, replacing, write_value
from darkroom.examples.metrics import Diverged
from darkroom.execution.processes import Killed, Processes
from darkroom.experiments.comparison_data import Training, load_jobs
from darkroom.train.jobs import Job
from darkroom.train.measuring import Measured, gpu_count, measure_in_process, parallel_trainings, prepare_processes

ATTEMPTS = 2  # of a training whose process is killed
Measure = Callable[[Job, tuple[str, ...]], Measured]
Report = Callable[[int, Training, "Outcome"], None]
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What is known of a training: its scores on each split, or the reason why there are none."""

    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    seconds: float = math.nan
    parameters: float = math.nan
    reason: str = ""
    lasting: bool = True  # it would be the same again


def run_trainings(
    root: Path, trainings: Sequence[Training], names: tuple[str, ...], kept: Path, metric: str
) -> list[Outcome]:
    """Return the outcome of each training, scored on the splits `names`; those found in the folder `kept` are not run.

    A variant that diverges or is refused has outcomes with a reason, and the others go on. When the work is
    interrupted, the processes end, and what has ended before is kept.
    """
    found = [read_outcome(kept, training, names) for training in trainings]
    missing = [number for number, outcome in enumerate(found) if outcome is None]
    if known := len(trainings) - len(missing):
        logger.info("%d of %d trainings are known from before", known, len(trainings))
    if missing:
        prepare_processes()
        chosen = [trainings[number] for number in missing]
        jobs = load_jobs(root, chosen, names)

        def report(done: int, training: Training, outcome: Outcome) -> None:
            logger.info("%d of %d: %s", known + done, len(trainings), _sentence(training, outcome, metric))

        at_once = min(parallel_trainings(training.params.train) for training in chosen)
        new = run_all(chosen, jobs, names, kept, in_processes(at_once), at_once, report)
        for number, outcome in zip(missing, new, strict=True):
            found[number] = outcome
    return [outcome for outcome in found if outcome is not None]


@contextmanager
def in_processes(at_once: int) -> Iterator[Measure]:
    """Yield a way to measure in a process of its own, with a GPU of its own where there are as many."""
    free: SimpleQueue[int | None] = SimpleQueue()
    for place in range(at_once):
        free.put(place if gpu_count() == at_once else None)
    with Processes() as processes:

        def measure(job: Job, names: tuple[str, ...]) -> Measured:
            device = free.get()
            try:
                return measure_in_process(processes, job, names, device=device)
            finally:
                free.put(device)

        yield measure


def run_all(
    trainings: Sequence[Training],
    jobs: Sequence[Job],
    names: tuple[str, ...],
    kept: Path,
    measuring: AbstractContextManager[Measure],
    at_once: int,
    report: Report,
) -> list[Outcome]:
    """Return the outcomes of the trainings, of which `at_once` run side by side; `report` is told of each that ends.

    A variant that was refused is not tried with further seeds.
    """
    refused: dict[str, str] = {}

    def run(training: Training, job: Job) -> Outcome:
        if training.variant in refused:
            return Outcome(reason=refused[training.variant], lasting=False)
        outcome = _attempt(job, names, measure)
        if outcome.lasting:
            _keep(kept, training, outcome)
        else:
            refused[training.variant] = outcome.reason
        return outcome

    # the processes are ended before the threads are waited for, which wait for them
    with ThreadPoolExecutor(at_once) as threads, measuring as measure:
        futures = [threads.submit(run, *pair) for pair in zip(trainings, jobs, strict=True)]
        try:
            _report_each(futures, trainings, report)
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _report_each(futures: "Sequence[Future[Outcome]]", trainings: Sequence[Training], report: Report) -> None:
    places = {future: number for number, future in enumerate(futures)}
    for done, future in enumerate(as_completed(futures), start=1):
        report(done, trainings[places[future]], future.result())


def _attempt(job: Job, names: tuple[str, ...], measure: Measure) -> Outcome:
    """Measure a training; one whose process is killed is tried once more."""
    for _ in range(ATTEMPTS):
        try:
            found = measure(job, names)
        except Killed:
            continue
        except Diverged as error:
            return Outcome(reason=str(error))
        except UserError as error:
            return Outcome(reason=str(error), lasting=False)
        except Exception as error:
            if not _is_of_tensorflow(error):
                raise
            return Outcome(reason=f"{type(error).__name__}: {first_line(error)}", lasting=False)
        return Outcome(found.scores, found.seconds, found.costs["parameters"])
    return Outcome(reason="its process was killed twice; it probably ran out of memory", lasting=False)


def _is_of_tensorflow(error: Exception) -> bool:
    """Return whether an operation of a training failed, as for want of memory; it may have travelled as its text."""
    return isinstance(error, RuntimeError | MemoryError) or type(error).__module__.startswith("tensorflow")


def _sentence(training: Training, outcome: Outcome, metric: str) -> str:
    score = f"no result: {outcome.reason}"
    if not outcome.reason:
        score = f"validation {metric.replace('_', ' ')} {outcome.scores['validation'][metric]:.3f}"
    return f"{training.variant}, seed {training.seed}: {score}"


def _keep(kept: Path, training: Training, outcome: Outcome) -> None:
    with replacing(kept / f"{training.key}.json") as unfinished:
        write_value(unfinished, asdict(outcome), ".json")


def read_outcome(kept: Path, training: Training, names: tuple[str, ...]) -> Outcome | None:
    """Return what was kept of a training, if it was scored on all splits `names` or cannot be."""
    file = kept / f"{training.key}.json"
    if not file.is_file():
        return None
    found = read_value(file)
    if not found["reason"] and not set(names) <= set(found["scores"]):
        return None
    scores = {split: {name: _number(of) for name, of in row.items()} for split, row in found["scores"].items()}
    return Outcome(scores, _number(found["seconds"]), _number(found["parameters"]), found["reason"])


def _number(value: float | None) -> float:
    return math.nan if value is None else value
