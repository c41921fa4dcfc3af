"""`darkroom params`: what holds, fully resolved."""

import sys

from darkroom.errors import UserError
from darkroom.params.load import flatten, load_params, nearest
from darkroom.paths import workspace


def show_params(key: str | None) -> int:
    """Check params.yaml and print all of it, a section or one value; return the exit status."""
    params = load_params(workspace() / "params.yaml")
    document = params.model_dump()
    if key in document:
        document = {key: document[key]}
    elif key is not None:
        values = flatten(params)
        if key not in values:
            raise UserError(f"params.yaml: {key}: unknown key{nearest(key, list(values))}")
        print(values[key])
        return 0
    from ruamel.yaml import YAML

    printer = YAML()
    printer.default_flow_style = None
    printer.dump(document, sys.stdout)
    return 0
