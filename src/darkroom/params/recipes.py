"""The recipes: named sets of parameters, each written as its differences from the recipe `digits`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from darkroom.core.errors import UserError
from darkroom.core.suggestions import nearest
from darkroom.params.load import Overlay, read_yaml

DEFAULT = "digits"
TRAINING = ("train", "augment", "model", "finetune")  # sections that a recipe decides as a whole
# a recipe is written as differences from DEFAULT: these are reset first, so that nothing of the previous recipe stays
NETWORK = ("tune", *TRAINING, "ensemble")


def recipe_names(root: Path) -> list[str]:
    """Return the names of the files in recipes/ of the workspace `root`, sorted."""
    return sorted(path.stem for path in (root / "recipes").glob("*.yaml"))


def read_recipe(root: Path, name: str) -> dict[str, Any]:
    """Return the sections of a recipe, and its key `data`, as written; raises UserError for an unknown name."""
    if name not in (known := recipe_names(root)):
        raise UserError(f"no recipe {name!r}{nearest(name, known)}")
    recipe: dict[str, Any] = read_yaml(root / "recipes" / f"{name}.yaml")
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
