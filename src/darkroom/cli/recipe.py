"""`darkroom recipe`: write the differences of a recipe into params.yaml, its comments kept."""

from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from statistics import mode
from textwrap import shorten
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from darkroom.core.errors import UserError
from darkroom.core.files import replacing
from darkroom.core.paths import workspace
from darkroom.core.suggestions import nearest
from darkroom.params.load import check_params, load_params, read_yaml

REPLACED = {"tune.space", "ingest.labels"}
DEFAULT = "digits"
# a recipe says these as differences from DEFAULT, so that nothing of the one before stays; others are the user's own
LEARNING = ("tune", "train", "image", "augment", "model", "finetune", "ensemble")
CHOOSING = ("dedupe.filter", "balance")  # so too for a recipe that names its data; what groups pictures stays
YOUR_OWN = "ingest.source is {}: for pictures of your own name them there; look at split and train.batch_size"


def list_recipes() -> int:
    """Print the names of the recipes and the first line of each; return the exit status."""
    paths = sorted(_folder().glob("*.yaml"))
    width = max(len(path.stem) for path in paths)
    for path in paths:
        print(f"{path.stem:{width}}  {path.read_text(encoding='utf-8').splitlines()[0].removeprefix('# ')}")
    return 0


def apply_recipe(name: str) -> int:
    """Write recipes/<name>.yaml into params.yaml and print what changed; return the exit status."""
    recipe, file = _recipe(name), workspace() / "params.yaml"
    load_params(file)
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 200
    document = editor.load(file.read_text(encoding="utf-8"))
    before = dict(_leaves(_plain(document)))
    for part in (_defaults(LEARNING), _defaults(CHOOSING) if "ingest" in recipe else {}, recipe):
        overlay(document, part)
    check_params(_plain(document), f"recipes/{name}.yaml")
    if changes := _changes(before, dict(_leaves(_plain(document)))):
        with replacing(file) as unfinished:
            unfinished.write_text(_dumped(editor, document), encoding="utf-8")
    print("\n".join(changes) or f"params.yaml already says all of {name}")
    if "ingest" in recipe:
        print(YOUR_OWN.format(document["ingest"]["source"]))
    return 0


def _recipe(name: str) -> dict[str, Any]:
    """Return what a recipe says; raises UserError for a name that there is not."""
    known = sorted(path.stem for path in _folder().glob("*.yaml"))
    if name not in known:
        raise UserError(f"no recipe {name!r}{nearest(name, known)}")
    return read_yaml(_folder() / f"{name}.yaml")


def _dumped(editor: YAML, document: Any) -> str:
    """Return the document as text; raises UserError when it would not be read again as what it is."""
    text = StringIO()
    editor.dump(document, text)
    try:
        same = YAML(typ="safe", pure=True).load(text.getvalue()) == _plain(document)
    except YAMLError:
        same = False
    if not same:
        raise UserError("params.yaml: its layout cannot be edited; begin with `git checkout params.yaml`")
    return text.getvalue()


def _defaults(sections: tuple[str, ...]) -> dict[str, Any]:
    default = read_yaml(_folder() / f"{DEFAULT}.yaml")
    chosen: dict[str, Any] = {}
    for where in sections:
        section, _, key = where.partition(".")
        chosen[section] = {key: default[section][key]} if key else default[section]
    return chosen


def _leaves(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield "section.key" and its value; a mapping with keys of the user's own is one value."""
    for key, value in tree.items():
        where = f"{prefix}{key}"
        if isinstance(value, dict) and where not in REPLACED:
            yield from _leaves(value, f"{where}.")
        else:
            yield where, value


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    return [
        f"{key}: {_short(before.get(key))} -> {_short(value)}"
        for key, value in after.items()
        if before.get(key) != value
    ]


def _short(value: Any) -> str:
    return shorten(str(value), 100, placeholder=" ...")


def overlay(document: Any, recipe: dict[str, Any], prefix: str = "") -> None:
    """Change `document` (ruamel's, with comments) where `recipe` differs.

    A mapping with keys of the user's own (REPLACED) replaces the one that is there.
    """
    for key, value in recipe.items():
        where = f"{prefix}{key}"
        if isinstance(value, dict) and where not in REPLACED:
            if key not in document:
                raise UserError(f"the recipe's section {where} is not in params.yaml")
            overlay(document[key], value, f"{where}.")
        elif key not in document or _plain(document[key]) != value:
            document[key] = _written(value)
            if comment := document.ca.items.get(key):
                # where comments before the items of a block list stood; a list in one line has no such place
                comment[3:] = [None]
            _align_comments(document)


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
