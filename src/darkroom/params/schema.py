"""What params.yaml may say: every section, key, type and range. No value has a default here; the file has them all."""

import warnings
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, ValidationError, model_validator

from darkroom.models.backbone_table import BACKBONES
from darkroom.params.data import Balance, Dedupe, Ingest, Split, Validate
from darkroom.params.model import Augment, Debug, Ensemble, Finetune, Model
from darkroom.params.section import Count, Section, Seed
from darkroom.params.training import Train

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


class Evaluate(Section):
    """How the model is measured."""

    batch_size: Count


class Limits(Section):
    """What one request to the served model may hold."""

    rows: Count
    bytes: Count
    pixels: Count


class Package(Section):
    """When the model is released, and what it answers."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=200)]
    metric: Metric
    limits: Limits


class Image(Section):
    """What the network sees of a picture."""

    size: Annotated[int, Field(ge=4, le=1024)]
    resize: Literal["squash", "crop", "pad"]
    background: Annotated[str, AfterValidator(_known_colour)]
    depth: Literal["auto"] | Annotated[int, Field(ge=8, le=31)]


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
        finetune: Finetune
        ensemble: Ensemble
        debug: Debug
        tracking: Tracking

        @model_validator(mode="after")
        def _folds_exist(self) -> Self:
            if self.ensemble.folds and not self.split.folds:
                raise ValueError("ensemble.folds needs parts of the data; set split.folds to 2 or more")
            return self

        @model_validator(mode="after")
        def _small_pictures_fit(self) -> Self:
            small, least = self.train.small_size, self.model.smallest_side()
            if not self.train.small_epochs:
                return self
            if self.train.small_epochs >= self.train.epochs:
                raise ValueError(f"train.small_epochs = {self.train.small_epochs}: give less than train.epochs")
            if self.model.head == "flatten":
                raise ValueError("train.small_epochs: set model.head to average or max; flatten takes one size only")
            if not least <= small < self.image.size:
                raise ValueError(f"train.small_size = {small}: give {least} to {self.image.size - 1}, below image.size")
            return self

        @model_validator(mode="after")
        def _picture_fits(self) -> Self:
            name, least = self.model.architecture, self.model.smallest_side()
            advice = "" if name in BACKBONES else " or fewer model.filters, each block makes it smaller"
            if self.image.size < least:
                raise ValueError(
                    f"image.size = {self.image.size} is too small for model.architecture {name}; "
                    f"give image.size at least {least}{advice}"
                )
            return self

        @model_validator(mode="after")
        def _members_fit(self) -> Self:
            raw, names = self.model_dump(), self.ensemble.architectures
            self._one_for_all([name for name in names if name in BACKBONES])
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(f"ensemble.architectures names {name} twice; for more of one set ensemble.seeds")
                model = {**raw["model"], "architecture": name}
                try:
                    Params.model_validate({**raw, "model": model, "ensemble": {**raw["ensemble"], "architectures": []}})
                except ValidationError as error:
                    problem = error.errors()[0]["msg"].removeprefix("Value error, ")
                    raise ValueError(f"ensemble.architectures: {name}: {problem}") from None
            return self

        def _one_for_all(self, backbones: list[str]) -> None:
            if len(backbones) > 1 and self.model.weights not in ("imagenet", "none"):
                raise ValueError(
                    f"model.weights = {self.model.weights}: fits one of {backbones}; give imagenet or none"
                )
            if len(backbones) > 1 and self.finetune.epochs and isinstance(self.finetune.layers, str):
                raise ValueError(
                    f"finetune.layers = {self.finetune.layers}: give a number, which suits all of {backbones}"
                )
