"""The combinations of a search, drawn by Optuna's samplers: what comes next depends on what has ended, and on no clock.

Each call builds a study of its own in memory, so that nothing is left of trials that a kill cut short.
"""

import math
import warnings
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from darkroom.core.metrics import METRICS
from darkroom.params.load import Overlay
from darkroom.params.search import Tune
from darkroom.params.space import in_order
from darkroom.tune.grid import grid
from darkroom.tune.space import distribution, drawn_from, recorded_overlay, suggest
from darkroom.tune.trial import Drawn, Trial

if TYPE_CHECKING:
    import optuna
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

RANDOM_TRIALS = 5  # of TPE, before it learns from them
POPULATION = 10  # of NSGA-II; Optuna's 50 would make a search of 50 trials a random one
ATTEMPTS = 10  # to draw something new
FIRST = {"NSGAIISampler:generation": 0}  # else NSGA-II would leave out what it has not drawn itself
UNLEARNED = ("random", "qmc", "grid")  # samplers to which it is nothing how earlier trials ended
Values = dict[str, Any]  # by "section.key"


def draw(
    tune: Tune, own: Values, trials: Sequence[Trial], numbers: Sequence[int], running: Sequence[Drawn] = ()
) -> list[Drawn]:
    """Return the combinations with these numbers, drawn together; number 0 is `own`, the values of params.yaml.

    `own` is all parameters by "section.key"; `trials` are those that ended, in any order, and `running` those that
    have not. Samplers are seeded by tune.seed and the number, so the same call gives the same. A grid that has come to
    its end gives fewer.
    """
    fixed = {0: drawn_from(tune, own)}
    if tune.sampler == "grid":
        fixed |= dict(enumerate(grid(tune, own), start=1))
        numbers = [number for number in numbers if number in fixed]
    study = _study(tune, trials, running, min(numbers, default=0))
    known = [drawn.overlay for drawn in (*(trial.drawn for trial in trials), *running)]
    together: list[Drawn] = []
    for number in numbers:
        given = number in fixed
        drawn = _place(study, tune, own, number, fixed[number]) if given else _ask(study, tune, own, number, known)
        together.append(drawn)
        known.append(drawn.overlay)
    return together


def combinations(tune: Tune, own: Values) -> int | None:
    """Return how many trials a grid has, with that of `own`, the values of params.yaml; None for other samplers."""
    return 1 + len(grid(tune, own)) if tune.sampler == "grid" else None


def _place(study: "optuna.Study", tune: Tune, own: Values, number: int, values: Values) -> Drawn:
    """Return given values as if drawn, those of `own` if there are none; the siblings shall keep away from them."""
    distributions = {name: distribution(space) for name, space in in_order(tune) if name in values}
    outside: Overlay = {part: {key: own[f"{part}.{key}"] for key in keys} for part, keys in tune.space.items()}
    overlay = recorded_overlay(values, tune) if values else outside
    notes = dict(FIRST) if values and tune.sampler == "nsga2" else {}
    drawn = Drawn(number, overlay, values, distributions, notes)
    study.add_trial(_running(drawn, tune))
    return drawn


def _ask(study: "optuna.Study", tune: Tune, own: Values, number: int, known: Sequence[Overlay]) -> Drawn:
    """Return a combination that is not known, if the sampler finds one: trained again, it would give the same.

    What it draws in vain stays in the study as running, so that TPE looks elsewhere.
    """
    for attempt in range(ATTEMPTS):
        study.sampler = sampler(tune, number, attempt)
        trial = study.ask()
        overlay = suggest(trial, tune, own)
        if overlay not in known or tune.sampler == "qmc":  # which draws the points of a sequence
            break
    asked = study.get_trials(deepcopy=False)[trial.number]
    return Drawn(number, overlay, asked.params, asked.distributions, dict(asked.system_attrs))


def sampler(tune: Tune, number: int, attempt: int = 0) -> "BaseSampler":
    """Return the sampler of a trial, which is seeded by all three.

    TPE: Bergstra et al., NeurIPS 2011; several keys at once as in Falkner et al. (BOHB), ICML 2018; trials that run
    count as bad ones. CMA-ES: Hansen, arXiv 1604.00772. NSGA-II: Deb et al., IEEE Trans. Evol. Comput. 2002.
    """
    from optuna.exceptions import ExperimentalWarning
    from optuna.samplers import CmaEsSampler, NSGAIISampler, RandomSampler, TPESampler

    warnings.filterwarnings("ignore", category=ExperimentalWarning)  # of `group`
    seed = int(sha256(f"{tune.seed}:{number}:{attempt}".encode()).hexdigest()[:8], 16)
    match tune.sampler:
        case "tpe":  # without groups, each key that some trials lack would be drawn by itself
            conditional = any(space.when for _, space in in_order(tune))
            return TPESampler(seed=seed, n_startup_trials=RANDOM_TRIALS, group=conditional and not tune.costs)
        case "cmaes":
            return CmaEsSampler(seed=seed, warn_independent_sampling=False)
        case "nsga2":
            return NSGAIISampler(seed=seed, population_size=POPULATION)
        case "qmc":
            return _point_sampler(tune, number)
        case _:
            return RandomSampler(seed=seed)


def _point_sampler(tune: Tune, number: int) -> "BaseSampler":
    """Return a sampler that draws point `number`, from 1, of the Sobol sequence over all keys.

    Optuna's counts the points in the study, and forgets keys that do not apply to the first trial.
    """
    from optuna.samplers import QMCSampler

    keys = {name: distribution(space) for name, space in in_order(tune)}

    class PointSampler(QMCSampler):
        def infer_relative_search_space(self, *_: Any) -> "dict[str, BaseDistribution]":
            return {name: of for name, of in keys.items() if not of.single()}

        def _find_sample_id(self, *_: Any) -> int:
            return number - 1

    return PointSampler(seed=tune.seed, scramble=True)  # the first of the plain sequence is a corner of the space


def _empty_study(tune: Tune) -> "optuna.Study":
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    metric = "minimize" if METRICS[tune.metric].lower_is_better else "maximize"
    return optuna.create_study(directions=[metric, *["minimize"] * len(tune.costs)])


def _study(tune: Tune, trials: Iterable[Trial], running: Iterable[Drawn], number: int) -> "optuna.Study":
    """Return a study with each trial at its number, up to `number` at least; what teaches nothing has failed."""
    study = _empty_study(tune)
    if tune.sampler in UNLEARNED:
        return study
    known = {trial.number: _ended(trial, tune) for trial in trials}
    known |= {drawn.number: _running(drawn, tune) for drawn in running}
    for place in range(max([number, *(place + 1 for place in known)])):
        study.add_trial(known.get(place) or _frozen(tune, "FAIL", Drawn(place, {})))
    return study


def _ended(trial: Trial, tune: Tune) -> "FrozenTrial":
    """Return a trial as Optuna knows it.

    One that was refused, or failed, breaks a constraint: TPE, not told, would go on drawing where no trial has a score.
    CMA-ES knows no constraints and is not told. The log losses of a pruned one get the sign with which samplers, who
    compare them in the direction of the metric, order them well.
    """
    drawn, sign = trial.drawn, 1 if METRICS[tune.metric].lower_is_better else -1
    scores = [trial.scores.get(name, math.nan) for name in (tune.metric, *tune.costs)]
    if trial.state == "complete" and drawn.values and not any(map(math.isnan, scores)):
        return _frozen(tune, "COMPLETE", drawn, values=scores)
    if trial.state == "pruned" and drawn.values:
        curve = {epoch: sign * row["validation_log_loss"] for epoch, row in enumerate(trial.curve, start=1)}
        return _frozen(tune, "PRUNED", drawn, intermediate_values=curve)
    if drawn.values and tune.sampler != "cmaes":
        return _frozen(tune, "COMPLETE", drawn, values=[0.0] * len(scores), constraints={"gives a model": 1.0})
    return _frozen(tune, "FAIL", Drawn(trial.number, {}))


def _running(drawn: Drawn, tune: Tune) -> "FrozenTrial":
    return _frozen(tune, "RUNNING" if drawn.values else "FAIL", drawn)


def _frozen(tune: Tune, state: str, drawn: Drawn, **result: Any) -> "FrozenTrial":
    """Return a trial of Optuna; CMA-ES is shown the keys that all trials have, since it gives up when they change."""
    from optuna.trial import TrialState, create_trial

    hidden = {name for name, space in in_order(tune) if space.when} if tune.sampler == "cmaes" else set()
    return create_trial(
        state=TrialState[state],
        params={name: value for name, value in drawn.values.items() if name not in hidden},
        distributions={name: of for name, of in drawn.distributions.items() if name not in hidden},
        system_attrs=dict(drawn.notes),
        **result,
    )
