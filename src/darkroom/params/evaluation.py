"""The section of params.yaml about evaluation."""

from typing import Annotated, Literal

from pydantic import Field

from darkroom.params.section import Count, Section

Corruption = Literal[
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "defocus_blur",
    "glass_blur",
    "motion_blur",
    "zoom_blur",
    "snow",
    "fog",
    "brightness",
    "contrast",
    "elastic",
    "pixelate",
    "jpeg",
]


class Robustness(Section):
    """Which corruptions the model is measured under."""

    pictures: Annotated[int, Field(ge=0)]
    kinds: list[Corruption]


class Evaluate(Section):
    """How the model is measured."""

    batch_size: Count
    coverage: Annotated[float, Field(ge=0.5, lt=1)]
    heat_maps: Annotated[int, Field(ge=0, le=100)]
    occlusion: bool
    robustness: Robustness
    champion: bool
    other_data: str
