"""comparisons/NAME.yaml: a base and named differences from it, read and checked."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from darkroom.core.errors import UserError
from darkroom.core.suggestions import nearest
from darkroom.params.data import Filter
from darkroom.params.load import Overlay, check_params, flatten, leaves, load_params, read_yaml
from darkroom.params.recipes import recipe_network
from darkroom.params.release import Metric
from darkroom.params.schema import Params
from darkroom.params.search import SEARCHED
from darkroom.params.section import Count, Section
from darkroom.params.space import NOT_SEARCHED

FOLDER, BASE = "comparisons", "base"
RECIPE, FILTER = "recipe", "dedupe"  # what a variant may name beside the sections that training reads
COMMON = ("train.seed", "train.threads", "train.devices")  # the same for all variants
EARLIER = "image.depth"  # by which the pictures of the workspace were made
ALIKE = 0.75  # of 1: how much a mistyped section resembles the one that was meant
ALONE = {"tune": {"enabled": False, "space": {}}, "ensemble": {"seeds": 1, "architectures": [], "folds": False}}
Differences = dict[str, Any]
Network = Callable[[str], Overlay]  # what a recipe says of the network and its training


@dataclass(frozen=True)
class Variant:
    """One row of a comparison.

    `differences` are the values that differ from the base, as {"section.key": value}. `filter` is what its training
    pictures must pass where that is not what `dedupe` has asked already.
    """

    name: str
    params: Params
    differences: Mapping[str, Any]
    filter: Filter | None = None

    def values(self) -> dict[str, Any]:
        """Return all parameters as {"section.key": value}."""
        return flatten(self.params)


@dataclass(frozen=True)
class Comparison:
    """What is compared, the base first, by which metric, over how many seeds counting up from the base's train.seed.

    `recipe` is that of the base, empty for params.yaml; `shared` what is set for all, as {"section.key": value}.
    """

    name: str
    metric: str
    seeds: int
    variants: tuple[Variant, ...]
    recipe: str
    shared: Mapping[str, Any]


class _File(Section):
    base: Annotated[str, BeforeValidator(lambda value: value or "")] = ""  # {}: params.yaml as it is
    shared: Differences = Field(alias="set", default_factory=dict)
    seeds: Count = 5
    metric: Metric | None = None
    variants: Annotated[dict[str, Differences], Field(min_length=1)]


NO_VARIANT = "name at least one, with what it changes, as in `more dropout: {model.dropout: 0.5}`"
PROBLEMS = {  # what pydantic says less plainly
    "dict_type": "must hold keys with values, as in `model.dropout: 0.5`",
    "string_type": "must be text; put it in quotes",
}
KEYS = [field.alias or name for name, field in _File.model_fields.items()]


def comparison_names(root: Path) -> list[str]:
    """Return the names of the files in comparisons/ of the workspace `root`, sorted."""
    return sorted(path.stem for path in (root / FOLDER).glob("*.yaml"))


def read_comparison(root: Path, name: str, seeds: int | None = None) -> Comparison:
    """Read and check comparisons/<name>.yaml; `seeds` stands in for its number.

    Raises UserError, one line with the file, the variant, the key and the nearest known one.
    """
    if name not in (known := comparison_names(root)):
        raise UserError(f"no comparison {name!r} in {FOLDER}/{nearest(name, known)}")
    where = f"{FOLDER}/{name}.yaml"
    own, file = load_params(root / "params.yaml"), _read(root, where)
    start, network = _merged(own.model_dump(), ALONE), cache(partial(recipe_network, root))
    shared = _shared(file, where)
    base = _params(network, file.base, start, shared, f"{where}: base")
    _require_same(base, own, [EARLIER], f"{where}: {'set' if EARLIER in leaves(shared) else 'base'}", file.base)
    rows = [_variant(BASE, base, base, own)]
    for variant, differences in file.variants.items():
        at = f"{where}: variants.{variant}"
        own_sections = _sections(differences, at)
        recipe = own_sections.pop(RECIPE, file.base)
        params = _params(network, recipe, start, _merged(shared, own_sections), at)
        _require_same(params, base, [*COMMON, EARLIER], at, recipe if recipe != file.base else "")
        rows.append(_variant(variant, params, base, own))
        if not rows[-1].differences:
            raise UserError(f"{at}: changes nothing in the base; say what differs, or remove it")
    return Comparison(
        name, file.metric or own.package.metric, seeds or file.seeds, tuple(rows), file.base, leaves(shared)
    )


def _read(root: Path, where: str) -> _File:
    try:
        raw = read_yaml(root / where)
    except UserError as error:  # names the file without its folder
        raise UserError(f"{FOLDER}/{error}") from None
    try:
        return _File.model_validate(raw if isinstance(raw, dict) else {})
    except ValidationError as error:
        first = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
        key = ".".join(str(part) for part in first["loc"] if part != "[key]")
        if first["type"] == "extra_forbidden":
            raise UserError(f"{where}: {key}: unknown key{nearest(key, KEYS)}") from None
        message = PROBLEMS.get(first["type"], f"{first['msg'][0].lower()}{first['msg'][1:]}")
        message = NO_VARIANT if key == "variants" else message
        raise UserError(f"{where}: {key}: {message}") from None


def _shared(file: _File, where: str) -> dict[str, Any]:
    """Return the sections that are set for all; raises UserError for a name that means the base."""
    if BASE in file.variants:
        raise UserError(f"{where}: variants.{BASE}: is the name of what the others are compared with; choose another")
    shared = _sections(file.shared, f"{where}: set")
    if RECIPE in shared:
        raise UserError(f"{where}: set.{RECIPE}: name the recipe of all as `base`")
    return shared


def _sections(differences: Differences, where: str) -> dict[str, Any]:
    """Return {"section.key": value} and {section: {key: value}} alike as the latter; raises UserError."""
    found: dict[str, Any] = {}
    for name, value in differences.items():
        section, *keys = name.split(".")
        if section == RECIPE and not keys and isinstance(value, str):
            found[RECIPE] = value
            continue
        if section not in (*SEARCHED, FILTER):
            known = f"{', '.join(SEARCHED)}, {FILTER}.filter and {RECIPE}"
            meant = "".join(f"; did you mean {found}?" for found in get_close_matches(section, SEARCHED, 1, ALIKE))
            raise UserError(f"{where}: {name}: a comparison may change {known} only{meant}")
        for key in reversed(keys):
            value = {key: value}
        if not isinstance(value, dict):
            raise UserError(f"{where}: {name}: must hold keys")
        if section == FILTER and set(value) - {"filter"}:
            raise UserError(f"{where}: {name}: of {FILTER}, a comparison may change filter only")
        found[section] = _merged(found.get(section, {}), value)
    return found


def _require_same(params: Params, other: Params, keys: Sequence[str], where: str, recipe: str) -> None:
    """Raise UserError for the first of `keys` with another value than in `other`; `recipe`: where it may come from."""
    values, wanted = flatten(params), flatten(other)
    for key in keys:
        if values[key] != wanted[key]:
            given = f"{where}: {key} = {values[key]!r}{f' (of the recipe {recipe})' if recipe else ''}"
            if key == EARLIER:
                raise UserError(
                    f"{given}: cannot be compared ({NOT_SEARCHED[key]}); in params.yaml it is {wanted[key]!r}"
                )
            raise UserError(f"{given}: is the same for all variants; put it under `set`")


def _params(network: Network, recipe: str, start: dict[str, Any], sections: dict[str, Any], where: str) -> Params:
    """Return `start` with a recipe and then the values of `sections`, checked; raises UserError that begins `where`."""
    try:
        named = network(recipe) if recipe else {}
    except UserError as error:
        raise UserError(f"{where}: {error}") from None
    return check_params(_merged(_merged(start, named), sections), where)


def _variant(name: str, params: Params, base: Params, own: Params) -> Variant:
    before = flatten(base)
    differences = {key: value for key, value in flatten(params).items() if value != before.get(key)}
    wanted = params.dedupe.filter
    return Variant(name, params, differences, None if wanted == own.dedupe.filter else wanted)


def _merged(tree: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return `tree` with `values` laid over it, mappings within mappings too; a space to search is replaced."""
    merged = dict(tree)
    for key, value in values.items():
        deep = isinstance(value, dict) and isinstance(merged.get(key), dict) and bool(value)
        merged[key] = _merged(merged[key], value) if deep else value
    return merged
