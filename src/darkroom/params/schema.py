"""The schema of params.yaml: every section, key, type and range. There are no defaults; the file has every value."""

import warnings
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from darkroom.models.backbone_table import BACKBONES
from darkroom.params.data import Balance, Dedupe, Ingest, Split, Validate
from darkroom.params.evaluation import Evaluate
from darkroom.params.model import Augment, Debug, Ensemble, Finetune, Model
from darkroom.params.release import Package
from darkroom.params.search import Tune
from darkroom.params.section import Section
from darkroom.params.serving import Ab, App, Export, Watch
from darkroom.params.training import Train

AFTERWARDS = ("app", "export", "ab", "watch")  # sections that no stage reads


def _known_colour(name: str) -> str:
    from PIL import ImageColor

    try:
        ImageColor.getrgb(name)
    except ValueError:
        raise ValueError(f"{name!r} is not a colour; give a name such as white, or #rrggbb") from None
    return name


class ImageParams(Section):
    """How pictures are decoded for the network."""

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
        """All sections of params.yaml."""

        ingest: Ingest
        validate: Validate  # type: ignore[assignment]
        dedupe: Dedupe
        split: Split
        tune: Tune
        train: Train
        evaluate: Evaluate
        package: Package
        balance: Balance
        image: ImageParams
        augment: Augment
        model: Model
        finetune: Finetune
        ensemble: Ensemble
        debug: Debug
        tracking: Tracking
        app: App
        export: Export
        ab: Ab
        watch: Watch

        @model_validator(mode="after")
        def _folds_exist(self) -> Self:
            if self.ensemble.folds and not self.split.folds:
                raise ValueError("ensemble.folds needs folds in the data; set split.folds to 2 or more")
            return self

        @model_validator(mode="after")
        def _small_pictures_fit(self) -> Self:
            small, least = self.train.small_size, self.model.smallest_side()
            if not self.train.small_epochs:
                return self
            if self.train.small_epochs >= self.train.epochs:
                raise ValueError(f"train.small_epochs = {self.train.small_epochs}: must be below train.epochs")
            if self.model.head == "flatten":
                raise ValueError("train.small_epochs: set model.head to average or max; flatten takes one size only")
            if not least <= small < self.image.size:
                most = self.image.size - 1
                raise ValueError(f"train.small_size = {small}: must be {least} to {most}, which is below image.size")
            return self

        @model_validator(mode="after")
        def _picture_is_large_enough(self) -> Self:
            name, least = self.model.architecture, self.model.smallest_side()
            advice = "" if name in BACKBONES else " or fewer model.filters: each block makes the picture smaller"
            if self.image.size < least:
                raise ValueError(
                    f"image.size = {self.image.size} is too small for model.architecture {name}; "
                    f"give image.size at least {least}{advice}"
                )
            return self

        @model_validator(mode="after")
        def _ensemble_members_are_valid(self) -> Self:
            names = self.ensemble.architectures
            self._settings_suit_all([name for name in names if name in BACKBONES])
            for name in names:
                if names.count(name) > 1:
                    raise ValueError(
                        f"ensemble.architectures names {name} twice; for several of one, use ensemble.seeds"
                    )
                try:
                    self._check_member(name)
                except ValidationError as error:
                    problem = error.errors()[0]["msg"].removeprefix("Value error, ")
                    raise ValueError(f"ensemble.architectures: {name}: {problem}") from None
            return self

        def _check_member(self, architecture: str) -> None:
            """Check the parameters as if `architecture` were the only one; raises pydantic's ValidationError."""
            raw = self.model_dump()
            raw["model"]["architecture"] = architecture
            raw["ensemble"]["architectures"] = []
            Params.model_validate(raw)

        def _settings_suit_all(self, backbones: list[str]) -> None:
            """Refuse weights and layers that exist in only one of several backbones."""
            if len(backbones) < 2:
                return
            weights, layers = self.model.weights, self.finetune.layers
            if weights not in ("imagenet", "none"):
                raise ValueError(f"model.weights = {weights}: fits only one of {backbones}; give imagenet or none")
            if self.finetune.epochs and isinstance(layers, str):
                raise ValueError(f"finetune.layers = {layers}: give a number, which suits all of {backbones}")
