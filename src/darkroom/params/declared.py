"""The parameters that a stage may read."""

from typing import Any

from darkroom.params.load import Overlay, flatten, with_overlay
from darkroom.params.schema import Params


class DeclaredParams:
    """The sections that dvc.yaml names for a stage, as attributes; any other one raises AttributeError.

    A stage that read more would be called up to date by DVC when it is not.
    """

    def __init__(self, params: Params, sections: list[str], stage: str) -> None:
        self._params = params
        self._sections = sections
        self._stage = stage

    def __getattr__(self, section: str) -> Any:
        """Return a declared section."""
        if section not in self._sections:
            raise AttributeError(f"dvc.yaml does not name the section {section!r} below {self._stage}: params")
        return getattr(self._params, section)

    def flat(self, sections: list[str] | None = None) -> dict[str, Any]:
        """Return the declared sections, or the given ones among them, as {"section.key": value}."""
        chosen = self._sections if sections is None else [name for name in sections if name in self._sections]
        return {key: value for key, value in flatten(self._params).items() if key.split(".")[0] in chosen}

    def differences(self, other: "DeclaredParams") -> dict[str, Any]:
        """Return the declared values that differ from those of `other`, as {"section.key": value}."""
        before = other.flat()
        return {key: value for key, value in self.flat().items() if value != before.get(key)}

    def overlaid(self, overlay: Overlay, file: str) -> "DeclaredParams":
        """Return the parameters with the values of `overlay`, checked; `file` is named in errors."""
        return DeclaredParams(with_overlay(self._params, overlay, file), self._sections, self._stage)
