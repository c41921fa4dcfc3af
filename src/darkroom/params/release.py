"""The section of params.yaml about releasing and serving a model."""

from typing import Annotated, Literal

from pydantic import Field

from darkroom.params.section import Count, Section

Metric = Literal["accuracy", "f1_macro", "roc_auc", "log_loss"]


class Limits(Section):
    """The most that one request to the served model may contain."""

    rows: Count
    bytes: Count
    picture_bytes: Count
    pixels: Count


class Gate(Section):
    """What a model must reach on validation to be released."""

    minimum: dict[str, float]
    minimum_low: dict[str, float]
    class_recall: Annotated[float, Field(ge=0, le=1)]
    calibration_error: Annotated[float, Field(gt=0, le=1)]
    slice_gap: Annotated[float, Field(gt=0, le=1)]
    latency: Annotated[float, Field(ge=0)]
    kilobytes: Annotated[int, Field(ge=0)]


class Package(Section):
    """When and under which name the model is released, what runs it, and how much one request may ask of it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=200)]
    metric: Metric
    gate: Gate
    on_reject: Literal["continue", "fail"]
    runtime: Literal["auto", "keras"]
    limits: Limits
