"""Parallel coordinates: each trial as a line through its values, to its score."""

import numpy as np
from markupsafe import Markup

from darkroom.pages.parallel_chart import Dimension, parallel_chart
from darkroom.search_page.charts import number_scale, score_scale, score_texts
from darkroom.search_page.study import KeyValues, Study


def coordinates(study: Study) -> Markup:
    """Return the parallel coordinates of all complete trials."""
    chosen = int(study.is_chosen.argmax()) if study.is_chosen.any() else None
    return parallel_chart(dimensions(study), shades(study), score_texts(study), chosen, "Parallel coordinates")


def dimensions(study: Study) -> list[Dimension]:
    """Return an axis for each key, and the score as the last one."""
    scale = score_scale(study)
    score = Dimension(study.metric, scale.places(study.scores, 0, 1), scale.tick_places(0, 1))
    return [*(_dimension(study.values(name, study.complete)) for name in study.keys), score]


def shades(study: Study) -> np.ndarray:
    """Return the rank of each complete trial as a number from 0, the worst, to 1, the best; (n,) float."""
    ranks = np.argsort(np.argsort(study.scores if study.lower_is_better else -study.scores, kind="stable"))
    better: np.ndarray = 1 - ranks / max(len(ranks) - 1, 1)
    return better


def _dimension(values: KeyValues) -> Dimension:
    if values.choices:
        most = max(len(values.choices) - 1, 1)
        return Dimension(
            values.name, values.numbers / most, [(n / most, text) for n, text in enumerate(values.choices)]
        )
    if not np.isfinite(values.numbers).any():
        return Dimension(values.name, values.numbers, [])
    scale = number_scale(values)
    places = np.where(np.isfinite(values.numbers), scale.places(values.numbers, 0, 1), np.nan)
    return Dimension(values.name, places, scale.tick_places(0, 1))
