"""Reading params.yaml; a mistake in it is reported in one line."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from darkroom.core.errors import UserError
from darkroom.core.suggestions import nearest
from darkroom.params.schema import Params
from darkroom.params.search import SEARCHED, Choices, Range
from darkroom.params.section import Section
from darkroom.params.space import check_space

# what pydantic puts between the keys: the types of value that were tried
NOT_KEYS = {"Range", "Choices", "float", "int", "str", "[key]", "constrained-int", "list[constrained-int]"}
Overlay = dict[str, dict[str, Any]]


def load_params(path: Path) -> Params:
    """Read and check all of params.yaml; raises UserError naming key, value, file and the nearest valid key."""
    raw = read_yaml(path)
    if not isinstance(raw, dict):
        raise UserError(f"{path.name}: has no sections; restore it with `git checkout {path.name}`")
    return check_params(raw, path.name)


def read_yaml(path: Path) -> Any:
    """Read YAML 1.2 (so 1e-3 is a number) with DVC's parser; raises UserError with line and column of a mistake."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{path.name}: not found in {path.parent.name}/; run this in the repository") from None
    except UnicodeDecodeError:
        raise UserError(f"{path.name}: is not UTF-8 text") from None
    try:
        return YAML(typ="safe").load(text)
    except YAMLError as error:
        raise yaml_mistake(path.name, "is not valid YAML", text, error) from None


def yaml_mistake(file: str, what: str, text: str, error: YAMLError) -> UserError:
    """Return a parser's error in one line: file, place, what that means, and what was found in `text`."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    if mark and "".join(text.splitlines()[mark.line : mark.line + 1])[mark.column :].startswith("\t"):
        problem = "found a tab; use spaces"
    place = f" line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    return UserError(f"{file}:{place} {what}: {' '.join(problem.split())}")


def check_params(raw: dict[str, Any], file: str) -> Params:
    """Return `raw` as parameters, the search space included; raises UserError for the first mistake."""
    params = _validated(raw, file)
    check_space(params, file)
    return params


def with_overlay(params: Params, overlay: Overlay, file: str) -> Params:
    """Return `params` with the values of `overlay` ({section: {key: value}}), checked again, but not the space."""
    raw = params.model_dump(exclude_unset=True)
    for section, values in overlay.items():
        if not isinstance(values, dict) or section not in raw:
            raise UserError(f"{file}: {section}: unknown section{nearest(section, list(raw))}")
        raw[section] = {**raw[section], **values}
    return _validated(raw, file)


def flatten(params: Params) -> dict[str, Any]:
    """Return {"section.key": value}, mappings below a key flattened too, but for the conditions of a search."""
    space = params.tune.space.items()
    conditions = [
        f"tune.space.{section}.{key}.when" for section, keys in space for key, values in keys.items() if values.when
    ]
    return leaves(params.model_dump(exclude_unset=True), conditions)


def leaves(tree: dict[str, Any], whole: Collection[str] = (), prefix: str = "") -> dict[str, Any]:
    """Return {"section.key": value}; a mapping that is named in `whole` is one value."""
    found: dict[str, Any] = {}
    for key, value in tree.items():
        name = f"{prefix}{key}"
        nested = isinstance(value, dict) and name not in whole
        found |= leaves(value, whole, f"{name}.") if nested else {name: value}
    return found


def _validated(raw: dict[str, Any], file: str) -> Params:
    try:
        return Params.model_validate(raw)
    except ValidationError as error:
        raise UserError(f"{file}: {_explain(error)}") from None


def _explain(error: ValidationError) -> str:
    """Return the first problem as `key = value: what is wrong; the remedy`."""
    problems = error.errors()
    for problem in problems:
        if problem["loc"][:2] == ("tune", "space") and problem["loc"][3:] == ("[key]",):
            return _unknown_section(str(problem["loc"][2]))
    # an unknown key tells more than the missing one that it was meant to be
    # of a value that may be of several types, the one that matches furthest tells most
    first = min(problems, key=lambda problem: (problem["type"] != "extra_forbidden", -len(problem["loc"])))
    parts = [str(part) for part in first["loc"] if part not in NOT_KEYS]
    key = ".".join(parts)
    if first["type"] == "extra_forbidden":
        return f"{key}: unknown key{nearest(key, _keys_beside(parts))}"
    if first["type"] == "missing":
        return f"{key}: missing; every key must be there, `git diff params.yaml` shows what was changed"
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "value_error":  # of several keys together; the message names them
        return f"{key}: {message}" if parts else message
    if first["type"] == "too_short":
        message = f"needs at least {first['ctx']['min_length']}"
    if first["type"] in ("model_type", "dict_type"):
        message = "must hold keys"
    return f"{key} = {first['input']!r}: {message[0].lower()}{message[1:]}"


def _unknown_section(name: str) -> str:
    """Return the message about a name in tune.space that is no section: often a key whose section was forgotten."""
    fields: dict[str, Any] = {section: Params.model_fields[section].annotation for section in SEARCHED}
    section, _, key = name.rpartition(".")
    owners = [section] if section in fields else [one for one, kind in fields.items() if name in kind.model_fields]
    if owners:
        return f"tune.space.{name}: stands below its section; write {owners[0]}: {{{key}: ...}}"
    return f"tune.space.{name}: no section that can be searched{nearest(name, SEARCHED)}"


def _keys_beside(parts: list[str]) -> list[str]:
    """Return the keys that may stand where an unknown one stands."""
    if parts[:2] == ["tune", "space"]:
        return [".".join([*parts[:-1], key]) for model in (Range, Choices) for key in model.model_fields]
    return _leaves_of_schema()


def _leaves_of_schema() -> list[str]:
    return list(_names_below(Params, ""))


def _names_below(section: type[Section], prefix: str) -> Iterator[str]:
    """Yield the names of the keys of a section, those of sections in it too."""
    for key, field in section.model_fields.items():
        yield prefix + key
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _names_below(field.annotation, f"{prefix}{key}.")
