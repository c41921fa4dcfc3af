"""How much each searched key mattered, by PED-ANOVA."""

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.search_page.study import KeyValues, Study

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

ENOUGH = 20  # complete trials; the best 5 of fewer would be more than a quarter of them
BEST = 5  # trials, at least, that are compared with all: fewer would not be stable, as Optuna's documentation says
SHARE = 0.1  # of the trials, where that is more


def importances(study: Study) -> dict[str, float]:
    """Return the importance of each key, summing to 1, the largest first; {} for fewer than `ENOUGH` complete trials.

    It measures how far the values of the best tenth (at least five) lie from those of all trials that were run. A key
    that depends on another counts where it was used.
    Watanabe et al., PED-ANOVA, IJCAI 2023, and its conditional form (KDD 2026), as Optuna implements them.
    """
    import optuna
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    known = np.flatnonzero(np.isfinite(study.scores)).tolist()
    varied = study.slices
    if len(known) < ENOUGH or not varied:
        return {}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    table = optuna.create_study(direction="minimize" if study.lower_is_better else "maximize")
    for place in known:
        given = {one.name: _entry(one, place) for one in varied if np.isfinite(one.numbers[place])}
        drawn, distributions = ({name: entry[part] for name, entry in given.items()} for part in (0, 1))
        score = float(study.scores[place])
        table.add_trial(optuna.trial.create_trial(params=drawn, distributions=distributions, value=score))
    evaluator = PedAnovaImportanceEvaluator(target_quantile=max(SHARE, BEST / len(known)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna warns of keys that few trials have
        return dict(get_param_importances(table, evaluator=evaluator))


def _entry(values: KeyValues, place: int) -> "tuple[Any, BaseDistribution]":
    """Return the value of a key in a trial, and its distribution, whose range is that of all trials."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    number = float(values.numbers[place])
    if values.choices:
        return int(number), CategoricalDistribution(range(len(values.choices)))
    low, high = float(np.nanmin(values.numbers)), float(np.nanmax(values.numbers))
    return number, FloatDistribution(low, high, log=values.log and low > 0)
