"""What the time allows: how many epochs, and how much of the evaluation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.begin.choice import Choice
from darkroom.begin.data_rules import split_sizes
from darkroom.begin.facts import Facts
from darkroom.begin.plans import Case
from darkroom.begin.speed import Speed

# seconds of plain Python on the reference machine, see benchmarks/begin_time.py
STAGES = 48.0  # all eight, from their start to their end, without what is counted for each picture
PICTURE = 0.00025  # ingest to split, for each picture
READ = 5.0  # times that a picture is decoded until it is trained on, on one core
CORRUPT, CORRUPT_PIXEL = 6e-5, 2.2e-8  # for each corrupted picture, for each of its pixels
CORRUPTED = 35  # pictures that evaluate makes of one: seven kinds, five severities
ROBUST = CORRUPTED + 3  # answers for it, with those to the mirrored and the shifted picture
MEASURED = 10_000  # pictures of train that train and evaluate answer, at most
JUDGED, JUDGED_PIXELS, JUDGEMENTS = (6, 48), 32_000, 110  # heat maps that are judged, answers for each of them
VIEWS = {"none": 1, "flip": 2, "flip_shift": 6}  # of a picture, for each answer that is averaged
ROBUST_TIME = 0.1  # share of the time that robustness may take
PICTURES = (50, 1000)  # of robustness, at least and at most


@dataclass(frozen=True)
class Timed:
    """Choices that depend on the time; the epochs that it allows; the seconds that all stages take."""

    choices: list[Choice]
    epochs: int
    seconds: float


def fit_epochs(case: Case, speed: Speed, settings: Mapping[str, Any]) -> Timed:
    """Return the epochs that fit into the minutes of all stages; `settings` are those of the plan, by "section.key"."""
    robust = _robustness(case, speed)
    fixed = _other_seconds(case, speed, settings) + robust.value * _robustness_seconds(speed, case.plan.size)
    small, whole, tuned = _epoch_seconds(case.facts, speed, settings)
    if settings["finetune.epochs"] and settings["model.weights"] != "none":
        fixed += settings["train.epochs"] * whole
        each, epoch_choices = tuned, _finetuning_epochs
    else:
        share = settings["train.small_epochs"] / settings["train.epochs"]
        each, epoch_choices = share * small + (1 - share) * whole, _training_epochs
    epochs = min(max(int((60 * case.minutes - fixed) / each), 1), case.plan.max_epochs)
    choices = epoch_choices(epochs, settings, _reason(epochs, each, fixed, case))
    return Timed([robust, *choices], epochs, fixed + epochs * each)


def _robustness(case: Case, speed: Speed) -> Choice:
    """Return how many test pictures are corrupted: as many as a share of the time allows."""
    each, (least, most) = _robustness_seconds(speed, case.plan.size), PICTURES
    count = min(max(int(ROBUST_TIME * 60 * case.minutes / each) // 10 * 10, least), most)
    tested = min(count, split_sizes(case.facts)["test"])
    reason = f"{tested} test pictures, each in {CORRUPTED} ways: {tested * each:.0f} s here"
    return Choice("evaluate.robustness.pictures", tested, reason)


def _other_seconds(case: Case, speed: Speed, settings: Mapping[str, Any]) -> float:
    """Return the seconds that everything but epochs and robustness takes."""
    sizes, (least, most) = split_sizes(case.facts), JUDGED
    judged = min(max(JUDGED_PIXELS // case.plan.size**2, least), most) * JUDGEMENTS
    answers = 2.0 * (min(sizes["train"], MEASURED) + sizes["validation"]) + sizes["test"] + judged
    if settings["model.weights"] != "none":
        answers += sizes["train"] * max(settings["finetune.passes"], 1) / VIEWS[settings["model.average"]]
    data = case.facts.pictures * (PICTURE * speed.python + READ * speed.decode / case.machine.cores)
    return STAGES * speed.python + speed.start + data + answers * speed.answer


def _epoch_seconds(facts: Facts, speed: Speed, settings: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return the seconds of an epoch on smaller pictures, on whole ones, and of fine-tuning.

    Validation asks the network once for each picture; with features that are kept, not even that.
    """
    sizes, kept = split_sizes(facts), settings["model.weights"] != "none" and settings["finetune.passes"] > 0
    validated = sizes["validation"] * speed.answer / VIEWS[settings["model.average"]]
    small, whole, tuned = (sizes["train"] * each + speed.epoch for each in (speed.small, speed.whole, speed.tuned))
    return small + validated, whole if kept else whole + validated, tuned + validated


def _robustness_seconds(speed: Speed, size: int) -> float:
    """Return the seconds that robustness takes for one picture."""
    return ROBUST * speed.answer + CORRUPTED * (CORRUPT + CORRUPT_PIXEL * size**2) * speed.python


def _training_epochs(epochs: int, settings: Mapping[str, Any], reason: str) -> list[Choice]:
    """Return the epochs, and in proportion what the recipe counts in epochs."""
    before = settings["train.epochs"]
    found = [Choice("train.epochs", epochs, reason)]
    if settings["train.small_epochs"]:
        small = round(settings["train.small_epochs"] / before * epochs) if epochs > 1 else 0
        found.append(Choice("train.small_epochs", min(small, epochs - 1), f"{small / epochs:.0%} of the epochs"))
    steps = settings["train.step_epochs"]
    if settings["train.schedule"] == "step" and steps:
        scaled = sorted({max(round(step / before * epochs), 1) for step in steps})
        found.append(Choice("train.step_epochs", scaled, "in proportion to the epochs"))
    return found


def _finetuning_epochs(epochs: int, settings: Mapping[str, Any], reason: str) -> list[Choice]:  # noqa: ARG001
    return [Choice("finetune.epochs", epochs, reason)]


def _reason(epochs: int, each: float, fixed: float, case: Case) -> str:
    spent, total = f"{each:.3g} s each here, {fixed:.0f} s for all else", (fixed + epochs * each) / 60
    if total > 1.1 * case.minutes:
        return f"{spent}: {total:.1f} minutes, more than the {case.minutes:g} that were asked for"
    more = "; more epochs were never tested" if epochs == case.plan.max_epochs else ""
    return f"{spent}: {total:.1f} of {case.minutes:g} minutes{more}"
