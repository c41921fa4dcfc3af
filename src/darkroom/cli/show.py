"""`darkroom params`: what holds, fully resolved."""

import sys

from darkroom.core.errors import UserError
from darkroom.core.paths import workspace
from darkroom.core.suggestions import nearest
from darkroom.params.load import flatten, load_params


def show_params(key: str | None) -> int:
    """Check params.yaml and print all of it, a section or one value; return the exit status."""
    params = load_params(workspace() / "params.yaml")
    document = params.model_dump()
    for part in key.split(".") if key else []:
        if not isinstance(document, dict) or part not in document:
            raise UserError(f"params.yaml: {key}: unknown key{nearest(str(key), list(flatten(params)))}")
        document = document[part]
    if not isinstance(document, dict):
        print(document)
        return 0
    document = {key: document} if key else document
    from ruamel.yaml import YAML

    printer = YAML()
    printer.default_flow_style = None
    printer.dump(document, sys.stdout)
    return 0
