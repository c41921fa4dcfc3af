"""Parallel coordinates: each trial as a line through its values, to its score."""

import numpy as np
from markupsafe import Markup

from darkroom.pages.parallel_chart import Dimension, parallel_chart
from darkroom.pages.scales import Scale
from darkroom.search_page.charts import number_scale, score_scale, score_texts
from darkroom.search_page.study import KeyValues, Study
from darkroom.search_page.texts import metric_name


def coordinates(study: Study) -> Markup:
    """Return the parallel coordinates of all complete trials, the score as the last axis."""
    dimensions = [_dimension(study.values(name, study.complete)) for name in study.keys]
    y = score_scale(study)
    dimensions.append(Dimension(metric_name(study.tune.metric), y.places(study.scores, 0, 1), _places(y)))
    ranks = np.argsort(np.argsort(study.scores if study.lower_is_better else -study.scores, kind="stable"))
    shades = 1 - ranks / max(len(ranks) - 1, 1)
    chosen = np.flatnonzero(study.numbers == study.found.choice.number)
    place = int(chosen[0]) if len(chosen) else None
    return parallel_chart(dimensions, shades, score_texts(study), place, "Parallel coordinates")


def _dimension(values: KeyValues) -> Dimension:
    if values.choices:
        most = max(len(values.choices) - 1, 1)
        return Dimension(values.name, values.numbers / most, [(n / most, text) for n, text in enumerate(values.choices)])
    if not np.isfinite(values.numbers).any():
        return Dimension(values.name, values.numbers, [])
    scale = number_scale(values)
    places = np.where(np.isfinite(values.numbers), scale.places(values.numbers, 0, 1), np.nan)
    return Dimension(values.name, places, _places(scale))


def _places(scale: Scale) -> list[tuple[float, str]]:
    return scale.tick_places(0, 1)
