"""The section of params.yaml about releasing and serving a model."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from darkroom.core.suggestions import nearest
from darkroom.params.section import Count, Section, Share
from darkroom.scoring.scores import LOSSES, RANKED, SHARES

Metric = Literal["accuracy", "f1_macro", "roc_auc", "log_loss"]
MEASURED = (*SHARES, *RANKED, *LOSSES)


def _limits_of_metrics(limits: dict[str, float]) -> dict[str, float]:
    """Refuse what evaluate does not measure, and what no model or every model reaches."""
    for metric, limit in limits.items():
        if metric not in MEASURED:
            raise ValueError(f"evaluate measures no {metric!r}{nearest(metric, MEASURED)}")
        if limit < 0:
            raise ValueError(f"{metric} {limit:g}: must be at least 0")
        if metric not in LOSSES and limit > 1:
            raise ValueError(f"{metric} {limit:g}: no model reaches more than 1")
    return limits


MetricLimits = Annotated[dict[str, float], AfterValidator(_limits_of_metrics)]


class Limits(Section):
    """The most that one request to the served model may contain."""

    rows: Count
    bytes: Count
    picture_bytes: Count
    pixels: Count


class Gate(Section):
    """What a model must reach on validation to be released."""

    minimum: MetricLimits
    minimum_low: MetricLimits
    class_recall: Share
    calibration_error: Annotated[float, Field(gt=0, le=1)]
    slice_gap: Annotated[float, Field(gt=0, le=1)]
    latency: Annotated[float, Field(ge=0)]
    kilobytes: Annotated[float, Field(ge=0)]


class Package(Section):
    """When and under which name the model is released, what runs it, and how much one request may ask of it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=200)]
    metric: Metric
    gate: Gate
    on_reject: Literal["continue", "fail"]
    runtime: Literal["auto", "keras"]
    limits: Limits
