"""Filters by format, mode, shape and size."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.suggestions import nearest
from darkroom.images.decode import FORMATS
from darkroom.params.data import Filter


def passes_filter(pictures: pd.DataFrame, params: Filter) -> pd.Series:
    """Return whether each picture (a row of the manifest) passes the filter.

    Raises UserError for an unknown format or mode that no picture has either.
    """
    from PIL import Image

    width, height = (pictures[name].astype("int64") for name in ("width", "height"))
    shapes = {"any": width > 0, "landscape": width > height, "portrait": width < height, "square": width == height}
    shorter, longer = np.minimum(width, height), np.maximum(width, height)
    passes = shapes[params.shape] & (shorter >= params.min_side) & (longer <= params.max_side)
    for column, wanted, known in (("format", params.formats, FORMATS), ("mode", params.modes, Image.MODES)):
        if wanted:
            _require_known(wanted, {*known, *pictures[column].dropna().unique()}, f"dedupe.filter.{column}s")
            passes &= pictures[column].isin(wanted)
    return passes


def _require_known(wanted: Iterable[str], known: set[str], where: str) -> None:
    for name in wanted:
        if name not in known:
            raise UserError(f"params.yaml: {where}: unknown {name!r}{nearest(name.upper(), sorted(known))}")
