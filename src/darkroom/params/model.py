"""The sections of params.yaml about the network: architecture, augmentation, fine-tuning, ensembles."""

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
        raise ValueError(f"unknown architecture {name!r}{nearest(name, known)}")
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
    stem: Literal[1, 2, 4]
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

    @model_validator(mode="after")
    def _blocks_fit(self) -> Self:
        for name in ("kernel", "stride", "pool"):
            value = getattr(self, name)
            if isinstance(value, list) and len(value) != len(self.filters):
                raise ValueError(
                    f"{name} {value} has {len(value)} numbers for {len(self.filters)} filters; give one each"
                )
        if self.width != 1 and self.is_backbone and self.architecture not in WIDE:
            raise ValueError(f"width ({self.width:g}) works with {' and '.join(WIDE)} only; set it to 1")
        return self

    @model_validator(mode="after")
    def _weights_name_a_file(self) -> Self:
        if self.weights.lower() in ("imagenet", "none") and not self.weights.islower():
            raise ValueError(f"weights = {self.weights!r}: did you mean {self.weights.lower()}?")
        if Path(self.weights).name != self.weights:
            raise ValueError(f"weights = {self.weights!r}: give only the name of a file in data/weights/, no folders")
        return self

    def smallest_side(self) -> int:
        """Return the smallest image.size, in pixels, that the network does not shrink to nothing."""
        if self.is_backbone:
            return SMALLEST.get(self.architecture, SMALLEST_SIDE)
        if self.architecture == "residual":
            return int(self.stem * (2 ** len(self.filters) + 1))
        side: int = 1
        numbers = (self.kernel, self.stride, self.pool)
        blocks = zip(*(n if isinstance(n, list) else [n] * len(self.filters) for n in numbers), strict=True)
        for kernel, stride, pool in reversed(list(blocks)):
            side = (side * pool - 1) * stride + (1 if self.padding == "same" else kernel)
        return side


class Augment(Section):
    """How training pictures are augmented."""

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
    """The second phase of a training that starts from pretrained weights."""

    passes: Annotated[int, Field(ge=0, le=100)]
    epochs: Annotated[int, Field(ge=0)]
    layers: Count | str
    learning_rate: Annotated[float, Field(gt=0, le=100)]


class Ensemble(Section):
    """Which networks are averaged into one model."""

    seeds: Count
    architectures: list[Architecture]
    folds: bool


class Debug(Section):
    """Quick runs that reveal mistakes."""

    mode: Literal["none", "step", "overfit"]
    fraction: Annotated[float, Field(gt=0, le=1)]
