"""`darkroom recipe`: set the network and training, on request the data too, as a recipe says."""

from textwrap import shorten
from typing import Any

from darkroom.core.errors import UserError
from darkroom.core.paths import workspace
from darkroom.params.editing import edit_params
from darkroom.params.recipes import NETWORK, REFERENCE, default_sections, read_recipe, recipe_files

BEGIN = "`darkroom begin PATH` looks at your pictures and chooses"
DATA = ("dedupe.filter", "balance", "split")  # reset with --data only; labels and groups are the user's in any case


def list_recipes() -> int:
    """Print the name and first line of each recipe, after the command that needs none; return the exit status."""
    files = recipe_files(workspace())
    if not files:
        raise UserError(f"no recipes in {workspace().name}/recipes/; run this in the repository")
    width = max(len(name) for name in files)
    print(f"{'begin':{width}}  Not a recipe but a command, and where to begin: {BEGIN}")
    heading = "\nNetworks of other systems, for comparison:"
    for name, file in files.items():
        if heading and file.parent.name == REFERENCE:
            print(heading)
            heading = ""
        print(f"{name:{width}}  {file.read_text(encoding='utf-8').splitlines()[0].removeprefix('# ')}")
    return 0


def apply_recipe(name: str, with_data: bool) -> int:
    """Write the recipe into params.yaml and print what changed; return the exit status.

    The recipe's own key `data` holds the sections about data; without `with_data` it is left out.
    """
    recipe, file = read_recipe(workspace(), name), workspace() / "params.yaml"
    data = recipe.pop("data", None)
    if with_data and data is None and "ingest" not in recipe:
        raise UserError(f"recipe {name} has no data settings of its own; leave out --data")
    parts = [default_sections(workspace(), NETWORK), recipe]
    parts += [default_sections(workspace(), DATA), data or {}] if with_data else []
    changes = edit_params(file, parts, str(recipe_files(workspace())[name].relative_to(workspace())))
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
