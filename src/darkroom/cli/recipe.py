"""`darkroom recipe`: set the network and training, on request the data too, as a recipe says."""

from pathlib import Path
from textwrap import shorten
from typing import Any

from darkroom.core.errors import UserError
from darkroom.core.paths import workspace
from darkroom.params.editing import edit_params
from darkroom.params.recipes import NETWORK, default_sections, read_recipe, recipe_names

DATA = ("dedupe.filter", "balance", "split")  # reset with --data only; labels and groups are the user's in any case


def list_recipes() -> int:
    """Print the name and first line of each recipe; return the exit status."""
    names = recipe_names(workspace())
    if not names:
        raise UserError(f"no recipes in {_folder().parent.name}/recipes/; run this in the repository")
    width = max(len(name) for name in names)
    for name in names:
        title = (_folder() / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        print(f"{name:{width}}  {title}")
    return 0


def apply_recipe(name: str, with_data: bool) -> int:
    """Write recipes/<name>.yaml into params.yaml and print what changed; return the exit status.

    The recipe's own key `data` holds the sections about data; without `with_data` it is left out.
    """
    recipe, file = read_recipe(workspace(), name), workspace() / "params.yaml"
    data = recipe.pop("data", None)
    if with_data and data is None and "ingest" not in recipe:
        raise UserError(f"recipe {name} has no data settings of its own; leave out --data")
    parts = [default_sections(workspace(), NETWORK), recipe]
    parts += [default_sections(workspace(), DATA), data or {}] if with_data else []
    changes = edit_params(file, parts, f"recipes/{name}.yaml")
    lines = [f"{key}: {_shortened(old)} -> {_shortened(new)}" for key, (old, new) in changes.items()]
    print("\n".join(lines) or f"params.yaml already has all settings of {name}")
    if data is not None:
        print(_advice(name, data, with_data))
    return 0


def _advice(name: str, data: dict[str, Any], with_data: bool) -> str:
    source = data.get("ingest", {}).get("source", "other data")
    if with_data:
        return f"next: put {source} into data/raw/, or name another file or folder there in ingest.source"
    return f"your data settings are unchanged; `darkroom recipe {name} --data` sets those for {source}"


def _shortened(value: Any) -> str:
    return shorten(str(value), 100, placeholder=" ...")


def _folder() -> Path:
    return workspace() / "recipes"
