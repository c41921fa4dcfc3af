"""The criteria of params.yaml, `package.gate`, applied to what was measured on validation."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from darkroom.gate.verdict import Criterion
from darkroom.params.release import Gate
from darkroom.scoring.scores import LOSSES


@dataclass(frozen=True)
class Measurements:
    """What the criteria look at; None is what was not measured.

    `scores` and `details` are the sections `validation` and `validation_details` of evaluate's report; `milliseconds`
    are what the served model takes for one picture, `kilobytes` (of 1000 bytes) the size of its network.
    """

    scores: dict[str, Any]
    details: dict[str, Any]
    kilobytes: float
    milliseconds: float | None = None


def examine(measured: Measurements, gate: Gate) -> list[Criterion]:
    """Return each criterion that is switched on, with what was found."""
    return [*_of_scores(measured.scores, gate), *_of_details(measured.details, gate), *_of_cost(measured, gate)]


def _of_scores(scores: dict[str, Any], gate: Gate) -> Iterator[Criterion]:
    for metric, wanted in gate.minimum.items():
        yield _criterion(metric, f"validation {metric}", scores.get(metric), wanted, metric in LOSSES)
    for metric, wanted in gate.minimum_low.items():
        loss = metric in LOSSES
        end, ends = ("high", "upper") if loss else ("low", "lower")
        interval = (scores.get("interval") or {}).get(metric) or (None, None)
        text = f"the {ends} end of the 95 % interval of validation {metric}"
        yield _criterion(f"{metric}_{end}", text, interval[int(loss)], wanted, loss)


def _of_details(details: dict[str, Any], gate: Gate) -> Iterator[Criterion]:
    if gate.class_recall > 0:
        weakest = details.get("weakest_class") or {}
        text = f"validation recall of {weakest.get('class', 'the weakest class')}"
        yield _criterion("class_recall", text, weakest.get("recall"), gate.class_recall, at_most=False)
    if gate.calibration_error < 1:
        error = details.get("calibration_error")
        yield _criterion("calibration_error", "validation calibration error", error, gate.calibration_error)
    if gate.slice_gap < 1:
        worst = details.get("worst_slice") or {"gap": 0.0 if details else None}
        where = f" of the slice {worst['slice']} {worst['value']}" if "slice" in worst else ""
        yield _criterion("slice_gap", f"the gap{where} in validation accuracy", worst["gap"], gate.slice_gap)


def _of_cost(measured: Measurements, gate: Gate) -> Iterator[Criterion]:
    if gate.latency > 0:
        found = measured.milliseconds
        met = found is not None and found <= gate.latency
        # without the time that was found: it would be in an output, and is another one each time
        reason = "" if met else f"one picture takes more than {gate.latency:g} ms on this machine"
        yield Criterion("latency", f"at most {gate.latency:g}", found, met, reason)
    if gate.kilobytes > 0:
        yield _criterion("kilobytes", "the size of the network", measured.kilobytes, gate.kilobytes)


def _criterion(name: str, text: str, found: float | None, wanted: float, at_most: bool = True) -> Criterion:
    """Return a criterion on a number; one that is not defined is not met."""
    limit, beyond = ("at most", "above") if at_most else ("at least", "below")
    if found is None:
        return Criterion(name, f"{limit} {wanted:g}", None, False, f"{text} is not defined")
    met = found <= wanted if at_most else found >= wanted
    reason = "" if met else f"{text} {found:.4g} is {beyond} {wanted:g}"
    return Criterion(name, f"{limit} {wanted:g}", found, met, reason)
