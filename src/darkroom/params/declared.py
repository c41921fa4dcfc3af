"""The parameters that a stage may read."""

from typing import Any, Generic, TypeVar

from darkroom.params.data import Balance, Dedupe, Ingest, Split, Validate
from darkroom.params.evaluation import Evaluate
from darkroom.params.load import Overlay, flatten, with_overlay
from darkroom.params.model import Augment, Debug, Ensemble, Finetune, Model
from darkroom.params.release import Package
from darkroom.params.schema import ImageParams, Params, Tracking
from darkroom.params.search import Tune
from darkroom.params.section import Section
from darkroom.params.training import Train

S = TypeVar("S", bound=Section)


class _Declared(Generic[S]):
    """One section as an attribute; reading it raises AttributeError unless the stage declares it."""

    def __init__(self, section: type[S]) -> None:
        self.section = section

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, params: "DeclaredParams", owner: type) -> S:
        section: S = getattr(params.require(self.name), self.name)
        keys = params.declared_keys(self.name)
        return (
            section if keys is None else type(section).model_construct(**{key: getattr(section, key) for key in keys})
        )


class DeclaredParams:
    """The sections that dvc.yaml names for a stage, as attributes; any other one raises AttributeError.

    Of a section that is named by single keys, like image.depth, only these can be read. A stage that read more would
    be called up to date by DVC when it is not.
    """

    ingest = _Declared(Ingest)
    validate = _Declared(Validate)
    dedupe = _Declared(Dedupe)
    split = _Declared(Split)
    tune = _Declared(Tune)
    train = _Declared(Train)
    evaluate = _Declared(Evaluate)
    package = _Declared(Package)
    balance = _Declared(Balance)
    image = _Declared(ImageParams)
    augment = _Declared(Augment)
    model = _Declared(Model)
    finetune = _Declared(Finetune)
    ensemble = _Declared(Ensemble)
    debug = _Declared(Debug)
    tracking = _Declared(Tracking)

    def __init__(self, params: Params, sections: list[str], stage: str) -> None:
        self._params = params
        self._sections = sections
        self._stage = stage

    def require(self, section: str) -> Params:
        """Return all parameters when the stage declares `section`; raises AttributeError otherwise."""
        if self.declared_keys(section) == []:
            raise AttributeError(f"dvc.yaml does not name the section {section!r} below {self._stage}: params")
        return self._params

    def declared_keys(self, section: str) -> list[str] | None:
        """Return the keys that the stage declares of a section; None for all of them."""
        if section in self._sections:
            return None
        return [entry.removeprefix(f"{section}.") for entry in self._sections if entry.startswith(f"{section}.")]

    def flat(self, sections: list[str] | None = None) -> dict[str, Any]:
        """Return the declared parameters, or those of `sections` among them, as {"section.key": value}."""
        chosen = self._sections if sections is None else sections
        return {
            key: value
            for key, value in flatten(self._params).items()
            if _is_below(key, self._sections) and _is_below(key, chosen)
        }

    def differences(self, other: "DeclaredParams") -> dict[str, Any]:
        """Return the declared values that differ from those of `other`, as {"section.key": value}."""
        before = other.flat()
        return {key: value for key, value in self.flat().items() if value != before.get(key)}

    def overlaid(self, overlay: Overlay, file: str) -> "DeclaredParams":
        """Return the parameters with the values of `overlay`, checked; `file` is named in errors."""
        return DeclaredParams(with_overlay(self._params, overlay, file), self._sections, self._stage)


def _is_below(key: str, entries: list[str]) -> bool:
    """Tell whether `key` is one of the entries, which are sections or keys, or a key below one."""
    return any(key == entry or key.startswith(f"{entry}.") for entry in entries)
