from typing import Any

import pytest

from darkroom.core.errors import UserError
from darkroom.dedupe.filters import passes_filter
from darkroom.params.data import Filter
from pictures import manifest_of

ALL = {"formats": [], "modes": [], "shape": "any", "min_side": 1, "max_side": 1000}
ROWS: list[dict[str, Any]] = [
    {"width": 30, "height": 20},
    {"width": 20, "height": 30, "format": "JPEG"},
    {"width": 25, "height": 25, "mode": "L"},
    {"width": 400, "height": 4, "format": "MPO", "mode": "CMYK"},
]


@pytest.mark.parametrize(
    ("params", "passing"),
    [
        ({}, [0, 1, 2, 3]),
        ({"formats": ["PNG"]}, [0, 2]),
        ({"formats": ["JPEG", "MPO"]}, [1, 3]),
        ({"formats": ["GIF"]}, []),
        ({"modes": ["L", "CMYK"]}, [2, 3]),
        ({"shape": "landscape"}, [0, 3]),
        ({"shape": "portrait"}, [1]),
        ({"shape": "square"}, [2]),
        ({"min_side": 20}, [0, 1, 2]),
        ({"min_side": 21}, [2]),
        ({"max_side": 30}, [0, 1, 2]),
        ({"max_side": 29, "min_side": 25}, [2]),
        ({"shape": "landscape", "formats": ["PNG"], "max_side": 399}, [0]),
    ],
)
def test_what_passes(params: dict[str, Any], passing: list[Any]) -> None:
    passes = passes_filter(manifest_of(ROWS), Filter(**{**ALL, **params}))
    assert passes[passes].index.tolist() == passing


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"formats": ["PNG", "JPG"]}, r"dedupe.filter.formats: unknown 'JPG'; did you mean JPEG\?"),
        ({"formats": ["mpo"]}, "did you mean MPO"),
        ({"formats": ["♥"]}, "known: AVIF, BMP"),
        ({"modes": ["rgb"]}, r"dedupe.filter.modes: unknown 'rgb'; did you mean RGB\?"),
    ],
)
def test_an_unknown_name_is_refused_with_a_suggestion(params: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        passes_filter(manifest_of(ROWS), Filter(**{**ALL, **params}))
