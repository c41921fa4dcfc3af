"""The sections of params.yaml about what follows the pipeline: the app, exports, live comparison, watching."""

from typing import Annotated, Literal

from pydantic import Field

from darkroom.params.section import Count, Section, Seed


class App(Section):
    """What `darkroom app` allows."""

    body_bytes: Count
    connections: Count
    feedback_bytes: Count


class Export(Section):
    """What `darkroom export` refuses."""

    max_loss: Annotated[float, Field(ge=0, lt=1)]


class Ab(Section):
    """How the app compares the challenger with the champion."""

    mode: Literal["none", "split", "shadow"]
    share: Annotated[float, Field(ge=0, le=1)]
    alpha: Annotated[float, Field(gt=0, lt=0.5)]
    difference: Annotated[float, Field(gt=0, lt=1)]
    log_rows: Count
    log_pictures: Annotated[int, Field(ge=0)]


class Watch(Section):
    """When the traffic counts as drifted."""

    pictures: Annotated[int, Field(ge=50, le=2000)]
    false_alarms: Annotated[float, Field(ge=0.002, lt=0.5)]
    seed: Seed
