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
    ("params", "said"),
    [
        ({"formats": ["PNG", "JPG"]}, r"dedupe.filter.formats: 'JPG' is not known; did you mean JPEG\?"),
        ({"formats": ["mpo"]}, "did you mean MPO"),
        ({"formats": ["♥"]}, "known are AVIF, BMP"),
        ({"modes": ["rgb"]}, r"dedupe.filter.modes: 'rgb' is not known; did you mean RGB\?"),
    ],
)
def test_what_is_not_known_is_said(params: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        passes_filter(manifest_of(ROWS), Filter(**{**ALL, **params}))
