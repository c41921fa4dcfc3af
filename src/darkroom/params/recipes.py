"""The recipes: named sets of parameters, each written as its differences from the recipe `digits`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from darkroom.core.errors import UserError
from darkroom.core.suggestions import nearest
from darkroom.params.load import Overlay, read_yaml

DEFAULT = "digits"
ORDER = ("photos", "photos-scratch", "small", "small-strong", "tiny", DEFAULT)  # as people look for them
REFERENCE = "reference"  # the folder of those that repeat other systems' networks
TRAINING = ("train", "augment", "model", "finetune")  # sections that a recipe decides as a whole
# a recipe is written as differences from DEFAULT: these are reset first, so that nothing of the previous recipe stays
NETWORK = ("tune", *TRAINING, "ensemble")


def recipe_files(root: Path) -> dict[str, Path]:
    """Return the files of all recipes of the workspace `root` by name, those of the reference systems last."""
    rank = {name: number for number, name in enumerate(ORDER)}
    files = (root / "recipes").glob("*.yaml")
    own = {file.stem: file for file in sorted(files, key=lambda file: (rank.get(file.stem, len(rank)), file.stem))}
    reference = sorted((root / "recipes" / REFERENCE).glob("*.yaml"))
    return own | {file.stem: file for file in reference if file.stem not in own}


def read_recipe(root: Path, name: str) -> dict[str, Any]:
    """Return the sections of a recipe, and its key `data`, as written; raises UserError for an unknown name."""
    if name not in (files := recipe_files(root)):
        raise UserError(f"no recipe {name!r}{nearest(name, files)}")
    recipe: dict[str, Any] = read_yaml(files[name])
    return recipe


def recipe_network(root: Path, name: str) -> Overlay:
    """Return what a recipe says of the network and its training, whatever params.yaml says; raises UserError."""
    default, recipe = read_recipe(root, DEFAULT), read_recipe(root, name)
    whole = {section: {**default[section], **recipe.get(section, {})} for section in TRAINING}
    return whole | {"image": recipe.get("image", {})}


def default_sections(root: Path, sections: Iterable[str]) -> Overlay:
    """Return the defaults of sections, or of keys of sections ("dedupe.filter")."""
    default = read_recipe(root, DEFAULT)
    chosen: Overlay = {}
    for where in sections:
        section, _, key = where.partition(".")
        chosen.setdefault(section, {}).update({key: default[section][key]} if key else default[section])
    return chosen
