"""Charts of the distribution of facts about the pictures."""

import numpy as np
import pandas as pd
from markupsafe import Markup

from darkroom.pages.charts import Ticks, histogram, size_map

SHARES: Ticks = [(share, f"{share:g}") for share in (0, 0.25, 0.5, 0.75, 1)]
SCALES: dict[str, tuple[str, str, float, Ticks]] = {  # fact -> title, unit, top of the scale, ticks
    "brightness": ("Brightness", "mean luma, 0 black to 1 white", 1.0, SHARES),
    "contrast": ("Contrast", "standard deviation of luma", 0.5, [(x, f"{x:g}") for x in (0, 0.1, 0.2, 0.3, 0.4, 0.5)]),
    "entropy": ("Information", "entropy, bits per pixel", 8.0, [(x, f"{x}") for x in range(0, 9, 2)]),
}
ASPECTS = ((1 / 4, "1:4"), (1 / 2, "1:2"), (1.0, "1:1"), (2.0, "2:1"), (4.0, "4:1"))


def fact_charts(pictures: pd.DataFrame) -> list[Markup]:
    """Return the charts of sizes, aspect ratios and the facts about pixels that are known."""
    width, height, sharpness = (_numbers(pictures[name]) for name in ("width", "height", "sharpness"))
    if not len(pictures):
        return []
    charts = [size_map(width, height, "Width and height")]
    ticks: Ticks = [(float(np.log2(ratio)), text) for ratio, text in ASPECTS]
    shape = np.log2(width / height)
    charts.append(histogram(shape, np.linspace(-2.1, 2.1, 43), "Shape", "width to height", ticks))
    for name, (title, unit, top, ticks) in SCALES.items():
        values = _numbers(pictures[name])
        if np.isfinite(values).any():
            charts.append(histogram(values, np.linspace(0, top, 41), title, unit, ticks))
    if np.isfinite(sharpness).any():
        ticks = [(float(power), text) for power, text in enumerate(("1", "10", "100", "1k", "10k", "100k", "1M"))]
        values = np.log10(np.maximum(sharpness, 1))
        charts.append(histogram(values, np.linspace(0, 6, 43), "Sharpness", "variance of the Laplacian", ticks))
    return charts


def _numbers(column: pd.Series) -> np.ndarray:
    return column.to_numpy(float, na_value=np.nan)
