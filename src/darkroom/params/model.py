"""The sections of params.yaml about the network: its architecture, and how training pictures are varied."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from darkroom.core.suggestions import nearest
from darkroom.models.backbone_table import BACKBONES, SMALLEST, SMALLEST_SIDE, WIDE
from darkroom.params.section import Count, Section, Share

Width = Annotated[int, Field(ge=1, le=65536)]
Pixels = Annotated[int, Field(ge=1, le=31)]
ForEachBlock = Pixels | Annotated[list[Pixels], Field(min_length=1)]
Dropped = Annotated[float, Field(ge=0, le=0.9)]


def known_architecture(name: str) -> str:
    """Return `name`; raises ValueError that names the nearest known architecture."""
    known = ["conv", "residual", *BACKBONES]
    if name not in known:
        raise ValueError(f"{name!r} is not an architecture{nearest(name, known)}")
    return name


Architecture = Annotated[str, AfterValidator(known_architecture)]


class Model(Section):
    """The network."""

    architecture: Architecture
    filters: Annotated[list[Width], Field(min_length=1, max_length=30)]
    kernel: ForEachBlock
    stride: ForEachBlock
    padding: Literal["same", "valid"]
    pool: ForEachBlock
    norm: Literal["none", "before_pool", "after_pool"]
    block_dropout: Dropped
    drop_maps: bool
    depth: Annotated[int, Field(ge=1, le=10)]
    width: Annotated[float, Field(ge=0.05, le=2)]
    weights: Annotated[str, Field(min_length=1)]
    head: Literal["flatten", "average", "max"]
    dense: list[Width]
    dense_norm: bool
    dropout: Dropped
    output: Literal["softmax", "sigmoid"]
    average: Literal["none", "flip", "flip_shift"]

    @property
    def is_backbone(self) -> bool:
        """Whether the network is one of keras.applications."""
        return self.architecture in BACKBONES

    @property
    def is_pretrained(self) -> bool:
        """Whether the network starts from given weights."""
        return self.is_backbone and self.weights != "none"

    def for_blocks(self, value: int | list[int]) -> list[int]:
        """Return a number for each block, from one for all or a list."""
        return value if isinstance(value, list) else [value] * len(self.filters)

    @model_validator(mode="after")
    def _blocks_fit(self) -> Self:
        for name in ("kernel", "stride", "pool"):
            value = getattr(self, name)
            if isinstance(value, list) and len(value) != len(self.filters):
                raise ValueError(f"{name} {value} has {len(value)} numbers for {len(self.filters)} filters; one each")
        if self.width != 1 and self.is_backbone and self.architecture not in WIDE:
            raise ValueError(f"width ({self.width:g}) is for {' and '.join(WIDE)} only; set it to 1")
        return self

    @model_validator(mode="after")
    def _weights_are_spelt(self) -> Self:
        if self.weights.lower() in ("imagenet", "none") and not self.weights.islower():
            raise ValueError(f"weights = {self.weights!r}: did you mean {self.weights.lower()}?")
        if Path(self.weights).name != self.weights:
            raise ValueError(f"weights = {self.weights!r}: give the name of a file in data/weights/ alone, no folders")
        return self

    def smallest_side(self) -> int:
        """Return the smallest image.size of which the network leaves something."""
        if self.is_backbone:
            return SMALLEST.get(self.architecture, SMALLEST_SIDE)
        if self.architecture == "residual":
            return 2 ** len(self.filters) + 1
        side, rows = 1, zip(*(self.for_blocks(value) for value in (self.kernel, self.stride, self.pool)), strict=True)
        for kernel, stride, pool in reversed(list(rows)):
            side = (side * pool - 1) * stride + (1 if self.padding == "same" else kernel)
        return side


class Augment(Section):
    """How training pictures are varied."""

    horizontal_flip: bool
    vertical_flip: bool
    rotation: Annotated[float, Field(ge=0, le=180)]
    shift: Annotated[float, Field(ge=0, le=0.5)]
    zoom: Annotated[float, Field(ge=0, le=0.9)]
    shear: Annotated[float, Field(ge=0, le=60)]
    crop: Annotated[float, Field(gt=0, le=1)]
    fill: Literal["nearest", "reflect", "constant"]
    brightness: Share
    contrast: Share
    rand_augment: Annotated[int, Field(ge=0, le=5)]
    magnitude: Annotated[float, Field(ge=0, le=10)]
    erase: Share
    mixup: Annotated[float, Field(ge=0, le=10)]
    cutmix: Annotated[float, Field(ge=0, le=10)]


class Finetune(Section):
    """The second part of a training that starts from given weights."""

    epochs: Annotated[int, Field(ge=0)]
    layers: Count | str
    learning_rate: Annotated[float, Field(gt=0, le=100)]


class Ensemble(Section):
    """How many networks are averaged to one model."""

    seeds: Count
    architectures: list[Architecture]
    folds: bool


class Debug(Section):
    """Quick runs that find mistakes."""

    mode: Literal["none", "step", "overfit"]
    fraction: Annotated[float, Field(gt=0, le=1)]
