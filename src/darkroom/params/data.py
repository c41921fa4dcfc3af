"""The sections of params.yaml about the data, from the source to the split."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from darkroom.params.section import Count, Section, Seed, Share

Name = Annotated[str, Field(min_length=1, max_length=500)]
Above = Annotated[float, Field(gt=0)]
AtLeast1 = Annotated[float, Field(ge=1)]
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")  # the beginning of an address
# store, bucket; or container, host of an Azure account; path
BUCKET = re.compile(r"(?i:(s3|gs)://([^/@:]+)|(?:az|abfss?)://([^/@:]+)(?:@([^/@:]+))?)(?:/(.*))?", re.DOTALL)
NO_BUCKET = (
    "is no address like s3://bucket/folder, gs://bucket/folder or az://container/folder; "
    "credentials belong in the environment, not in the address"
)


def _one_group(expression: str) -> str:
    try:
        groups = re.compile(expression).groups
    except re.error as error:
        raise ValueError(f"{expression!r} is not a regular expression: {error}") from None
    if expression and groups != 1:
        raise ValueError(
            f"{expression!r} has {groups} groups in parentheses; it needs exactly one, around the shared text"
        )
    return expression


def _path_or_bucket(source: str) -> str:
    if not ("://" in source or SCHEME.match(source)) or BUCKET.fullmatch(source):
        return source
    if re.match("(?i:https?):", source):
        advice = "set it to digits, then let `darkroom begin ADDRESS` download the pictures"
        raise ValueError(f"only s3, gs and az addresses are read in place; {advice}")
    raise ValueError(NO_BUCKET)


class Columns(Section):
    """The columns of a table of pictures."""

    path: Name
    label: Name
    split: str
    group: str
    attributes: list[Name]


class Ingest(Section):
    """Where the pictures come from."""

    source: Annotated[Name, AfterValidator(_path_or_bucket)]
    labels: dict[str, Annotated[str, Field(min_length=1)] | None]
    columns: Columns
    feedback: bool


class Drift(Section):
    """How far the data may move from the accepted data before `validate` warns."""

    share: Share
    size: AtLeast1
    brightness: Share


class Validate(Section):
    """Limits beyond which the data is not good enough to train on."""

    min_per_class: Annotated[int, Field(ge=2)]
    max_unreadable: Share
    min_side: Count
    max_side: Count
    max_imbalance: AtLeast1
    drift: Drift

    @model_validator(mode="after")
    def _sides_in_order(self) -> Self:
        if self.min_side > self.max_side:
            raise ValueError(f"min_side ({self.min_side}) must not be above max_side ({self.max_side})")
        return self


class Issues(Section):
    """Limits beyond which a picture is flagged."""

    dark: Share
    bright: Share
    blurred: Annotated[float, Field(ge=0)]
    low_information: Annotated[float, Field(ge=0, le=8)]
    odd_size: AtLeast1
    odd_aspect: AtLeast1
    greyscale: Share


class Filter(Section):
    """Which pictures are used; the others are left out."""

    formats: list[Name]
    modes: list[Name]
    shape: Literal["any", "landscape", "portrait", "square"]
    min_side: Count
    max_side: Count

    @model_validator(mode="after")
    def _sides_in_order(self) -> Self:
        if self.min_side > self.max_side:
            raise ValueError(f"min_side ({self.min_side}) must not be above max_side ({self.max_side})")
        return self


class Dedupe(Section):
    """Which pictures are left out, and which belong together."""

    near: bool
    radius: Annotated[int, Field(ge=0, le=32)]
    similarity: Annotated[float, Field(gt=0, le=1)]
    keep: Literal["largest", "first"]
    conflicts: Literal["drop", "keep", "fail"]
    across_splits: Literal["drop", "fail"]
    group_by: Annotated[str, AfterValidator(_one_group)]
    filter: Filter
    issues: Issues


class Balance(Section):
    """How many pictures of each class are used, and how much each counts."""

    method: Literal["none", "undersample", "oversample", "class_weight"]
    scope: Literal["train", "all"]
    cap: Annotated[int, Field(ge=0)]
    seed: Seed

    @model_validator(mode="after")
    def _scope_suits_method(self) -> Self:
        if self.scope == "all" and self.method in ("oversample", "class_weight"):
            raise ValueError(f"method {self.method} works on training pictures only; set scope to train")
        return self


class Split(Section):
    """How the pictures are divided into train, validation and test."""

    validation: Annotated[float, Field(gt=0, lt=1)]
    test: Annotated[float, Field(gt=0, lt=1)]
    folds: Annotated[int, Field(ge=0, le=100)]
    fold: Annotated[int, Field(ge=0)]
    seed: Seed

    @model_validator(mode="after")
    def _shares_and_folds_fit(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError(f"validation + test is {self.validation + self.test:g}: nothing is left to train on")
        if self.folds == 1:
            raise ValueError("folds must be 0 (none) or at least 2, not 1")
        if self.folds and self.fold >= self.folds:
            raise ValueError(f"fold ({self.fold}) must be 0 to {self.folds - 1}")
        return self
