"""`darkroom params`: the effective values of params.yaml."""

import sys
from typing import Any

from darkroom.core.errors import UserError
from darkroom.core.paths import workspace
from darkroom.core.suggestions import nearest
from darkroom.params.load import flatten, load_params
from darkroom.params.schema import Params


def show_params(key: str | None) -> int:
    """Check params.yaml and print all of it, a section or one value; return the exit status."""
    params = load_params(workspace() / "params.yaml")
    value = _find(params, key) if key else params.model_dump(exclude_unset=True)
    if not isinstance(value, dict):
        print(value)
        return 0
    from ruamel.yaml import YAML

    printer = YAML()
    printer.default_flow_style = None
    printer.dump({key: value} if key else value, sys.stdout)
    return 0


def parameter_keys() -> list[str]:
    """Return the sections and "section.key" names of params.yaml."""
    params = load_params(workspace() / "params.yaml")
    return [*params.model_dump(exclude_unset=True), *flatten(params)]


def _find(params: Params, key: str) -> Any:
    value: Any = params.model_dump(exclude_unset=True)
    for part in key.split("."):
        if not isinstance(value, dict) or part not in value:
            raise UserError(f"params.yaml: {key}: unknown key{nearest(key, list(flatten(params)))}")
        value = value[part]
    return value
