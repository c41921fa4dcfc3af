"""The sizes of students: what a user names, as parameters of a network."""

from dataclasses import dataclass
from typing import Any

from darkroom.core.errors import UserError
from darkroom.models.backbone_table import WIDE
from darkroom.params.declared import DeclaredParams
from darkroom.params.load import with_overlay
from darkroom.params.schema import ImageParams, Params

SECTIONS = ["train", "model", "augment", "image", "finetune", "evaluate", "package"]


@dataclass(frozen=True)
class Size:
    """A student: its `name`, and the keys of the section model that differ from the champion's."""

    name: str
    model: dict[str, Any]


def parse_filters(text: str, params: Params) -> Size:
    """Return the size that --filters names, such as 16,32,64; raises UserError.

    A student of a backbone is a convolutional network; others keep their architecture.
    """
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) for part in parts):
        raise UserError(f"--filters {text}: must be whole numbers with commas between them, such as 16,32,64")
    kept = "conv" if params.model.is_backbone else params.model.architecture
    return Size("-".join(parts), {"architecture": kept, "filters": [int(part) for part in parts], "width": 1.0})


def parse_width(width: float, params: Params) -> Size:
    """Return the size that --width names; raises UserError for an architecture that has no width."""
    model = params.model
    if model.architecture not in WIDE:
        raise UserError(f"--width {width:g}: works with {' and '.join(WIDE)}; name --filters for {model.architecture}")
    weights = model.weights if model.weights == "imagenet" else "none"  # a file in data/weights/ is of one width
    return Size(f"width-{width:g}", {"width": width, "weights": weights})


def student_params(params: Params, size: Size, image: ImageParams, epochs: int | None) -> DeclaredParams:
    """Return the parameters that a student is trained with: those of the workspace, with its size; raises UserError.

    The epoch with the best accuracy is kept: the loss against softened targets cannot be compared with that of labels.
    """
    train: dict[str, Any] = {"small_epochs": 0, "devices": 1, "keep": "accuracy"}
    if epochs:
        train["epochs"] = epochs
    changes = {"model": {**size.model, "average": "none"}, "image": image.model_dump(), "train": train}
    return DeclaredParams(with_overlay(params, changes, f"the student {size.name}"), SECTIONS, "shrink")
