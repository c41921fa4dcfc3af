"""Running the trainings of a comparison, side by side; each that ends is kept, so that it is never done twice."""

import logging
import math
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from darkroom.core.errors import UserError
from darkroom.core.files import read_value, replacing, write_value
from darkroom.examples.metrics import Diverged
from darkroom.execution.tasks import Task, reason_of, retry_if_died, side_by_side
from darkroom.experiments.comparison_data import Training, load_jobs
from darkroom.train.jobs import Job, parallel_trainings, prepare_processes, training_processes
from darkroom.train.measuring import Measured, measure_in_process

Measure = Callable[[Job, int | None], Measured]  # a training, and the share of the GPUs that it gets
Ended = tuple[int, "TrainingResult"]  # the number of a training
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingResult:
    """What is known of a training: its scores on each split, or the reason why there are none."""

    scores: dict[str, dict[str, float]] = field(default_factory=dict)
    seconds: float = math.nan
    parameters: float = math.nan
    reason: str = ""
    lasting: bool = True  # it would be the same again


def run_trainings(
    root: Path, trainings: Sequence[Training], names: tuple[str, ...], kept: Path, metric: str
) -> list[TrainingResult]:
    """Return the result of each training, scored on the splits `names`; those found in the folder `kept` are not run.

    A variant that diverges or is refused has results with a reason, and the others go on. When the work is
    interrupted, the processes end, and what has ended before is kept.
    """
    found = [read_result(kept, training, names) for training in trainings]
    missing = [number for number, result in enumerate(found) if result is None]
    if known := len(trainings) - len(missing):
        logger.info("%d of %d trainings are known from before", known, len(trainings))
    if missing:
        prepare_processes()
        jobs = load_jobs(root, [trainings[number] for number in missing], ("train", *names))
        variants = {number: trainings[number].variant for number in missing}
        with closing(_train(variants, jobs, names)) as ended:  # wherever Ctrl-C comes, the processes end
            for done, (number, result) in enumerate(ended, start=known + 1):
                found[number] = result
                if result.lasting:
                    _keep(kept, trainings[number], result)
                logger.info("%d of %d: %s", done, len(trainings), _sentence(trainings[number], result, metric))
    return [result for result in found if result is not None]


def _train(variants: dict[int, str], jobs: Sequence[Job], names: tuple[str, ...]) -> Generator[Ended, None, None]:
    """Train the jobs of the numbered variants, as many side by side as the machines allow; yield each that ends."""
    with training_processes(jobs[0].params.train) as processes:
        slots = parallel_trainings(processes, jobs[0].params.train)

        def measure(job: Job, share: int | None) -> Measured:
            return measure_in_process(processes, job, names, device=share if slots > 1 else None)

        yield from side_by_side(_tasks(variants, jobs, measure), slots)


def _tasks(variants: dict[int, str], jobs: Sequence[Job], measure: Measure) -> Iterator[Task[Ended]]:
    """Yield what runs each training, by its number; a variant that was refused is not tried with further seeds."""
    refused: dict[str, TrainingResult] = {}

    def task(number: int, job: Job, slot: int) -> Ended:
        variant = variants[number]
        result = refused.get(variant) or train_and_score(job, slot, measure)
        if not result.lasting:
            refused[variant] = result
        return number, result

    for number, job in zip(variants, jobs, strict=True):
        yield partial(task, number, job)


def train_and_score(job: Job, slot: int, measure: Measure) -> TrainingResult:
    """Train and score; once more when the process is killed. What the variant or the machine lacks is a reason."""
    try:
        found = retry_if_died(lambda: measure(job, slot))
    except Diverged as error:
        return TrainingResult(reason=str(error))
    except UserError as error:  # killed twice; refused, such as weights that cannot be had; or TensorFlow has failed
        return TrainingResult(reason=reason_of(error), lasting=False)
    return TrainingResult(found.scores, found.seconds, found.costs["parameters"])


def _sentence(training: Training, result: TrainingResult, metric: str) -> str:
    score = f"no result: {result.reason}"
    if not result.reason:
        score = f"validation {metric.replace('_', ' ')} {result.scores['validation'][metric]:.3f}"
    return f"{training.variant}, seed {training.seed}: {score}"


def _keep(kept: Path, training: Training, result: TrainingResult) -> None:
    with replacing(kept / f"{training.key}.json") as unfinished:
        write_value(unfinished, asdict(result), ".json")


def read_result(kept: Path, training: Training, names: tuple[str, ...]) -> TrainingResult | None:
    """Return what was kept of a training, if it was scored on all splits `names` or cannot be."""
    file = kept / f"{training.key}.json"
    if not file.is_file():
        return None
    found = read_value(file)
    if not found["reason"] and not set(names) <= set(found["scores"]):
        return None
    scores = {split: {name: _number(of) for name, of in row.items()} for split, row in found["scores"].items()}
    return TrainingResult(scores, _number(found["seconds"]), _number(found["parameters"]), found["reason"])


def _number(value: float | None) -> float:
    return math.nan if value is None else value
