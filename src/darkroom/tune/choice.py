"""Which trial is chosen: the best few are trained again with fresh seeds, and these scores alone decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count

import numpy as np

from darkroom.core.errors import UserError
from darkroom.core.metrics import METRICS
from darkroom.params.load import Overlay
from darkroom.params.search import Tune
from darkroom.params.training import Train
from darkroom.tune.trial import FreshRun, Trial

ROUNDING = 1e-12  # so that 0.9 lies within 0.1 of 1.0
Scores = Mapping[str, float]


@dataclass(frozen=True)
class Choice:
    """The trial that was chosen: its number, its values as an overlay, tune.metric in the search and afresh.

    `search_score` is None for a trial that was pruned, and taken up again as a finalist. `fresh_score` is the mean over
    the fresh seeds, None without finalists. `fresh` has the scores of each finalist by its number, in the order of the
    seeds; [] where a training with a fresh seed gave no model.
    """

    number: int
    overlay: Overlay
    search_score: float | None
    fresh_score: float | None
    fresh: dict[int, list[float]]


@dataclass(frozen=True)
class Found:
    """All that a search found: trials by number, the trainings with fresh seeds, the choice.

    `repeatable`: whether the same search finds the same again; `obstacle` is the sentence that says why not.
    """

    trials: Sequence[Trial]
    fresh_runs: Sequence[FreshRun]
    choice: Choice
    tune: Tune
    repeatable: bool
    obstacle: str = ""


def pareto_front(trials: Sequence[Trial], tune: Tune) -> list[Trial]:
    """Return the complete trials that no other one beats: as good in the metric and all costs, and better in one.

    Without costs these are the trials with the best metric.
    """
    complete = [trial for trial in trials if trial.state == "complete"]
    return [complete[place] for place in _front([trial.scores for trial in complete], tune)]


def finalists(trials: Sequence[Trial], tune: Tune) -> list[Trial]:
    """Return the `tune.finalists` trials that promise most, the first of them the best in the metric.

    With costs they come from the front: first those that the rule of `choose` could take, the cheapest first; then
    from the front of the others. Of two or more, trial 0, which has the values of params.yaml, takes the last place
    where it is not among them: so a search can say that it found nothing better. Where too few are complete, those
    that were pruned follow, by their last log loss.
    """
    rest = [trial for trial in trials if trial.state == "complete"]
    own = [trial for trial in rest if trial.number == 0]
    ranked: list[Trial] = []
    while rest and len(ranked) < tune.finalists:
        front = _by_promise(pareto_front(rest, tune), tune)
        ranked += front
        taken = {trial.number for trial in front}
        rest = [trial for trial in rest if trial.number not in taken]
    chosen = [*ranked, *_pruned_by_promise(trials)][: tune.finalists]
    if own and own[0] not in chosen and tune.finalists > 1:
        chosen[-1] = own[0]
    return chosen


def fresh_seeds(tune: Tune, train: Train) -> list[int]:
    """Return the seeds of the finalists' trainings, the same for all; none is train.seed, that of the search."""
    seeds = {train.seed: None}
    for place in count():
        if len(seeds) > tune.fresh_seeds:
            break
        seeds[int(sha256(f"fresh {tune.seed} {place}".encode()).hexdigest()[:7], 16)] = None
    return list(seeds)[1:]


def choose(trials: Sequence[Trial], runs: Sequence[FreshRun], tune: Tune) -> Choice:
    """Return the choice between the settings that were trained with fresh seeds; without any, between all trials.

    Without costs the best mean of tune.metric is chosen; with costs, of the settings that no other one beats, the one
    of least first cost among those whose mean is at most `tune.tolerance` worse than the best. A tie goes to the better
    mean, then to the lower number. Raises UserError when each setting failed with a fresh seed.
    """
    by_number = {trial.number: trial for trial in trials}
    afresh: dict[int, list[Scores]] = {}
    for run in sorted(runs, key=lambda run: run.number):
        afresh.setdefault(run.number, []).append(run.scores)
    means = {number: _mean(scores) for number, scores in afresh.items() if all(scores)}
    if runs and not means:
        raise UserError(
            f"each of the {len(afresh)} finalists failed with a fresh seed; lower the learning rates in tune.space, "
            "or free memory and start again",
            1,
        )
    number = _pick(means or {trial.number: trial.scores for trial in trials if trial.state == "complete"}, tune)
    return Choice(
        number,
        by_number[number].drawn.overlay,
        by_number[number].scores.get(tune.metric),
        means[number][tune.metric] if means else None,
        {one: [each[tune.metric] for each in scores if all(scores)] for one, scores in afresh.items()},
    )


def _pick(scores: Mapping[int, Scores], tune: Tune) -> int:
    """Return the number that the rule takes."""
    numbers = sorted(scores)
    front = [numbers[place] for place in _front([scores[number] for number in numbers], tune)]
    limit = min(_loss(scores[number], tune) for number in front) + _tolerance(tune)
    near = [number for number in front if _loss(scores[number], tune) <= limit]
    return min(near, key=lambda number: (*_first_cost(scores[number], tune), _loss(scores[number], tune), number))


def _by_promise(front: list[Trial], tune: Tune) -> list[Trial]:
    """Return the best in the metric, then those that the rule could take, the cheapest first, then the others."""
    best = min(front, key=lambda trial: (_loss(trial.scores, tune), trial.number))
    limit = _loss(best.scores, tune) + _tolerance(tune)

    def key(trial: Trial) -> tuple[float, ...]:
        loss = _loss(trial.scores, tune)
        cost = _first_cost(trial.scores, tune) if loss <= limit else ()
        return (trial is not best, loss > limit, *cost, loss, trial.number)

    return sorted(front, key=key)


def _pruned_by_promise(trials: Sequence[Trial]) -> list[Trial]:
    """Return the pruned trials by their last log loss on validation, which falls: whoever went on for long is first."""
    pruned = [trial for trial in trials if trial.state == "pruned"]
    return sorted(pruned, key=lambda one: (one.curve[-1]["validation_log_loss"], one.number))


def _front(scores: Sequence[Scores], tune: Tune) -> list[int]:
    """Return the places of the scores that no other ones beat."""
    points = np.array([[_loss(one, tune), *(one[cost] for cost in tune.costs)] for one in scores])
    beaten = [bool(((points <= one).all(axis=1) & (points < one).any(axis=1)).any()) for one in points]
    return [place for place, lost in enumerate(beaten) if not lost]


def _loss(scores: Scores, tune: Tune) -> float:
    """Return the metric so that lower is better."""
    return scores[tune.metric] if METRICS[tune.metric].lower_is_better else -scores[tune.metric]


def _first_cost(scores: Scores, tune: Tune) -> tuple[float, ...]:
    return tuple(scores[cost] for cost in tune.costs[:1])


def _tolerance(tune: Tune) -> float:
    return (tune.tolerance if tune.costs else 0.0) + ROUNDING


def _mean(scores: Sequence[Scores]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in scores])) for name in scores[0]}
