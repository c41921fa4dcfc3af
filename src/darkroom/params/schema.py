"""What params.yaml may say: every section, key, type and range. No value has a default here; the file has them all."""

import warnings
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Count = Annotated[int, Field(ge=1)]
Width = Annotated[int, Field(ge=1, le=65536)]
Metric = Literal["accuracy", "f1_macro", "roc_auc", "log_loss"]


def _known_colour(name: str) -> str:
    from PIL import ImageColor

    try:
        ImageColor.getrgb(name)
    except ValueError:
        raise ValueError(f"{name!r} is no colour; give a name like white, or #rrggbb") from None
    return name


class Section(BaseModel):
    """A locked group of keys: unknown, missing and mistyped ones are errors."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Ingest(Section):
    """Where the pictures come from."""

    source: Annotated[str, Field(min_length=1, max_length=500)]
    labels: dict[str, Annotated[str, Field(min_length=1)] | None]


class Validate(Section):
    """When the data is too poor to train on."""

    min_per_class: Annotated[int, Field(ge=2)]
    max_unreadable: Annotated[float, Field(ge=0, le=1)]
    min_side: Count
    max_side: Count
    max_imbalance: Annotated[float, Field(ge=1)]

    @model_validator(mode="after")
    def _sides(self) -> Self:
        if self.min_side > self.max_side:
            raise ValueError(f"min_side ({self.min_side}) is above max_side ({self.max_side})")
        return self


class Dedupe(Section):
    """Which pictures are left out."""

    balance: Literal["none", "undersample"]
    seed: Seed


class Split(Section):
    """How many pictures train, choose and measure the model."""

    validation: Annotated[float, Field(gt=0, lt=1)]
    test: Annotated[float, Field(gt=0, lt=1)]
    seed: Seed

    @model_validator(mode="after")
    def _something_left(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(f"validation + test is {self.validation + self.test:g}: nothing is left to train on")
        return self


class Range(Section):
    """A number between `low` and `high`."""

    low: float | int
    high: float | int
    log: bool = False
    step: float | int | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) is not below high ({self.high})")
        if self.log and (self.low <= 0 or self.step is not None):
            raise ValueError("log needs low above 0 and no step")
        if self.step is not None and self.step <= 0:
            raise ValueError(f"step ({self.step}) is not above 0")
        return self


class Choices(Section):
    """One of the listed values."""

    choices: Annotated[list[Any], Field(min_length=1)]


def _kind_of_space(value: Any) -> str:
    """Tell which of the two a user meant, so that a mistake in it is said of that one."""
    return "Choices" if isinstance(value, Choices) or (isinstance(value, dict) and "choices" in value) else "Range"


Space = Annotated[Annotated[Range, Tag("Range")] | Annotated[Choices, Tag("Choices")], Discriminator(_kind_of_space)]


class Tune(Section):
    """The search for better hyper-parameters."""

    enabled: bool
    trials: Count
    epochs: Count
    metric: Metric
    seed: Seed
    space: dict[Literal["model", "train", "augment"], dict[str, Space]]


class Train(Section):
    """How the network learns."""

    epochs: Count
    batch_size: Count
    optimizer: Literal["adam", "sgd"]
    learning_rate: Annotated[float, Field(gt=0, le=100)]
    schedule: Literal["constant", "step"]
    step_epochs: list[Count]
    step_factor: Annotated[float, Field(gt=0, lt=1)]
    patience: Annotated[int, Field(ge=0)]
    seed: Seed
    threads: Annotated[int, Field(ge=1, le=1024)]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if sorted(set(self.step_epochs)) != self.step_epochs:
            raise ValueError(f"step_epochs {self.step_epochs} do not rise")
        return self


class Evaluate(Section):
    """How the model is measured."""

    batch_size: Count


class Package(Section):
    """When the model is released."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=200)]
    metric: Metric


class Image(Section):
    """What the network sees of a picture."""

    size: Annotated[int, Field(ge=4, le=1024)]
    resize: Literal["squash", "crop", "pad"]
    background: Annotated[str, AfterValidator(_known_colour)]


class Augment(Section):
    """How training pictures are varied."""

    rotation: Annotated[float, Field(ge=0, le=180)]
    shift: Annotated[float, Field(ge=0, le=0.5)]
    horizontal_flip: bool


class Model(Section):
    """The network."""

    filters: Annotated[list[Width], Field(min_length=1)]
    kernel: Annotated[int, Field(ge=1, le=31)]
    dense: list[Width]
    dropout: Annotated[float, Field(ge=0, le=0.9)]

    @model_validator(mode="after")
    def _odd(self) -> Self:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel ({self.kernel}) is even; a kernel has a middle pixel")
        return self


class Tracking(Section):
    """Where MLflow records the runs."""

    experiment: Annotated[str, Field(pattern=r"\S", max_length=250)]


with warnings.catch_warnings():  # a section is named after its stage, and pydantic had a method `validate` once
    warnings.filterwarnings("ignore", 'Field name "validate"', UserWarning)

    class Params(Section):
        """The whole of params.yaml."""

        ingest: Ingest
        validate: Validate  # type: ignore[assignment]
        dedupe: Dedupe
        split: Split
        tune: Tune
        train: Train
        evaluate: Evaluate
        package: Package
        image: Image
        augment: Augment
        model: Model
        tracking: Tracking

        @model_validator(mode="after")
        def _pooling_fits(self) -> Self:
            blocks = len(self.model.filters)
            if self.image.size < 2**blocks:
                raise ValueError(
                    f"image.size = {self.image.size} is too small for model.filters: each of its {blocks} blocks "
                    f"halves the side; give image.size at least {2**blocks} or fewer filters"
                )
            return self
