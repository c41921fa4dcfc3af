"""`darkroom recipe`: write the differences of a recipe into params.yaml, its comments kept."""

from pathlib import Path
from statistics import mode
from typing import Any

from ruamel.yaml import YAML

from darkroom.errors import UserError
from darkroom.files import commit, partial
from darkroom.params.load import check_params, load_params, nearest, read_yaml
from darkroom.paths import workspace

REPLACED = {"tune.space", "ingest.labels"}


def list_recipes() -> int:
    """Print the names of the recipes and the first line of each; return the exit status."""
    for path in sorted(_folder().glob("*.yaml")):
        print(f"{path.stem:14} {path.read_text(encoding='utf-8').splitlines()[0].removeprefix('# ')}")
    return 0


def apply_recipe(name: str) -> int:
    """Write recipes/<name>.yaml into params.yaml and print what changed; return the exit status."""
    known = [path.stem for path in _folder().glob("*.yaml")]
    if name not in known:
        raise UserError(f"no recipe {name!r}{nearest(name, sorted(known))}")
    file = workspace() / "params.yaml"
    load_params(file)
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 200
    document = editor.load(file.read_text(encoding="utf-8"))
    changes = overlay(document, read_yaml(_folder() / f"{name}.yaml"))
    check_params(_plain(document), f"recipes/{name}.yaml")
    if changes:
        with partial(file).open("w", encoding="utf-8") as target:
            editor.dump(document, target)
        commit(file)
    print("\n".join(changes) or f"params.yaml already says all of {name}")
    return 0


def overlay(document: Any, recipe: dict[str, Any], prefix: str = "") -> list[str]:
    """Change `document` (ruamel's, with comments) where `recipe` differs; return a line for each change.

    A mapping with keys of the user's own (REPLACED) replaces the one that is there.
    """
    changes = []
    for key, value in recipe.items():
        where = f"{prefix}{key}"
        if isinstance(value, dict) and where not in REPLACED:
            if key not in document:
                raise UserError(f"the recipe's section {where} is not in params.yaml")
            changes += overlay(document[key], value, f"{where}.")
        elif key not in document or _plain(document[key]) != value:
            changes.append(f"{where}: {_plain(document.get(key))} -> {value}")
            document[key] = _written(value)
            _align_comments(document)
    return changes


def _align_comments(section: Any) -> None:
    """Put the comments of a section in one column, from which a long value may have pushed one."""
    tokens = [entry[2] for entry in section.ca.items.values() if entry[2] and entry[2].value.startswith("#")]
    if tokens:
        column = mode(token.start_mark.column for token in tokens)
        for token in tokens:
            token.start_mark.column = column


def _written(new: Any) -> Any:
    """Return `new` as it is written by hand: lists and innermost mappings in one line."""
    from ruamel.yaml.comments import CommentedSeq

    if isinstance(new, list):
        sequence = CommentedSeq(new)
        sequence.fa.set_flow_style()
        return sequence
    return _flow_leaves(new) if isinstance(new, dict) else new


def _flow_leaves(tree: dict[str, Any]) -> Any:
    from ruamel.yaml.comments import CommentedMap

    mapping = CommentedMap(
        {key: _flow_leaves(value) if isinstance(value, dict) else value for key, value in tree.items()}
    )
    if not any(isinstance(value, dict) for value in tree.values()):
        mapping.fa.set_flow_style()
    return mapping


def _plain(value: Any) -> Any:
    """Return ruamel's value as plain dicts and lists."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _folder() -> Path:
    return workspace() / "recipes"
