"""What a request may ask for beside its pictures: MLflow calls it the request's params."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from numbers import Integral, Real


@dataclass(frozen=True)
class Options:
    """How a request wants its answers.

    `top`: how many classes `probabilities` holds, the most probable first (None: all, in the order of the classes).
    `threshold`: an answer with a lower score abstains. `coverage`: the share of sets that are to hold the right class
    (None: what evaluate promised). `explain`: adds `heat_map`, a PNG in base64 of what the network has looked at.
    `until` is no param: the time.monotonic() from which on pictures are not begun any more.
    """

    top: int | None = None
    threshold: float = 0.0
    coverage: float | None = None
    explain: bool = False
    until: float = inf


DEFAULT = Options()
PARAMS = {"top", "threshold", "coverage", "explain"}


def read_options(params: Mapping[str, object] | None) -> Options:
    """Return the options in a request's params; None, or a missing one, is its default.

    Raises ValueError, in one line that does not quote the value.
    """
    given = {name: value for name, value in (params or {}).items() if value is not None}
    if given.keys() - PARAMS:
        raise ValueError("params: there are only top, threshold, coverage and explain")
    top, threshold, coverage = given.get("top"), given.get("threshold", 0.0), given.get("coverage")
    explain = given.get("explain", False)
    if top is not None and not (_is(top, Integral) and top >= 1):  # type: ignore[operator]
        raise ValueError("params: top must be a whole number, 1 or more")
    if not (_is(threshold, Real) and 0 <= threshold <= 1):  # type: ignore[operator]
        raise ValueError("params: threshold must be a number from 0 to 1")
    if coverage is not None and not (_is(coverage, Real) and 0 < coverage < 1):  # type: ignore[operator]
        raise ValueError("params: coverage must be a number between 0 and 1, such as 0.95")
    if not isinstance(explain, bool):
        raise ValueError("params: explain must be true or false")
    return Options(
        None if top is None else int(top),  # type: ignore[call-overload]
        float(threshold),  # type: ignore[arg-type]
        None if coverage is None else float(coverage),  # type: ignore[arg-type]
        explain,
    )


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)
