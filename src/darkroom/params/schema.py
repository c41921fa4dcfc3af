"""What params.yaml may say: every section, key, type and range. No value has a default here; the file has them all."""

import warnings
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from darkroom.params.data import Balance, Dedupe, Ingest, Split, Validate
from darkroom.params.section import Count, Section, Seed

Width = Annotated[int, Field(ge=1, le=65536)]
Metric = Literal["accuracy", "f1_macro", "roc_auc", "log_loss"]


def _known_colour(name: str) -> str:
    from PIL import ImageColor

    try:
        ImageColor.getrgb(name)
    except ValueError:
        raise ValueError(f"{name!r} is no colour; give a name like white, or #rrggbb") from None
    return name


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
        balance: Balance
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
