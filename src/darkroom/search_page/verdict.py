"""The summary of the search report: tiles, and sentences that say what was found and how far to trust it."""

from typing import NamedTuple

from darkroom.pages.elements import Tile
from darkroom.search_page.study import Study, overlay_texts
from darkroom.search_page.texts import capital, cost_name, count, listed, number, quantity

REPEATS = "The same search finds the same again."


class Statement(NamedTuple):
    """A sentence; `state` is "passed", "warning" or "plain"."""

    text: str
    state: str = "plain"


def tiles(study: Study) -> list[Tile]:
    """Return the headline numbers."""
    choice, metric = study.found.choice, study.metric
    pruned, trials = len(study.of_state("pruned")), study.found.trials
    afresh = f"mean over {count(study.tune.fresh_seeds, 'seed')}" if choice.fresh else "there were none"
    return [
        Tile(f"trial {choice.number}", "chosen", "the values of params.yaml" if choice.number == 0 else "", "plain"),
        Tile(number(choice.fresh_score), f"{metric}, fresh seeds", afresh, "good"),
        Tile(number(choice.search_score), f"{metric}, search", _searched(study), "plain"),
        Tile(f"{len(trials):,}", "trials", f"{len(study.complete):,} complete, {pruned:,} pruned", "plain"),
    ]


def statements(study: Study) -> list[Statement]:
    """Return the sentences of the summary."""
    choice = study.found.choice
    values = listed(overlay_texts(study.chosen))
    what = "The values of params.yaml are chosen" if choice.number == 0 else f"Trial {choice.number} is chosen"
    found = [Statement(f"{what}: {values}."), *_costs(study), _flattered(study), *_own(study), _ended(study)]
    obstacle = study.found.obstacle or "The same search may find something else."
    repeats = Statement(REPEATS, "passed") if study.found.repeatable else Statement(obstacle, "warning")
    return [one for one in (*found, repeats) if one.text]


def _searched(study: Study) -> str:
    """Return how the chosen trial came to its score in the search."""
    if study.found.choice.search_score is None:
        return f"pruned after {count(len(study.chosen.curve), 'epoch')}, taken up again"
    return "of the trial that was chosen"


def _flattered(study: Study) -> Statement:
    """Return what the search promised and what fresh seeds gave."""
    choice, metric = study.found.choice, capital(study.metric)
    if choice.search_score is None:
        seeds = f"{number(choice.fresh_score)} on {count(len(choice.fresh[choice.number]), 'fresh seed')}"
        return Statement(f"{metric} {seeds}; the search had pruned it after {count(len(study.chosen.curve), 'epoch')}.")
    if choice.fresh_score is None:
        promise = f"{metric} {number(choice.search_score)} is the score of the search (tune.finalists is 0)"
        if len(study.complete) == 1:
            return Statement(f"{promise}.")
        return Statement(f"{promise}: the best score of {count(len(study.complete), 'trial')} is flattered.", "warning")
    lead = choice.search_score - choice.fresh_score
    lead = -lead if study.lower_is_better else lead
    seeds = count(len(choice.fresh[choice.number]), "fresh seed")
    scores = f"{metric} {number(choice.search_score)} in the search, {number(choice.fresh_score)} on {seeds}"
    if lead > 0:
        return Statement(f"{scores}: the search flattered it by {number(lead)}; rely on the second.")
    return Statement(f"{scores}: the search did not flatter it.", "passed")


def _own(study: Study) -> list[Statement]:
    """Return how the values of params.yaml did beside the choice, on the same seeds where there are some."""
    choice, metric = study.found.choice, study.metric
    if choice.number == 0 or 0 not in study.numbers:
        return []
    afresh = choice.fresh.get(0)
    if afresh:
        mean = sum(afresh) / len(afresh)
        return [Statement(f"The values of params.yaml (trial 0) have {metric} {number(mean)} on the same seeds.")]
    own = study.complete[0].scores[study.tune.metric]
    return [Statement(f"The values of params.yaml (trial 0) have {metric} {number(own)} in the search.")]


def _costs(study: Study) -> list[Statement]:
    """Return by which rule one point of the Pareto front is chosen."""
    costs, metric = study.tune.costs, study.metric
    if not costs:
        return []
    has = " and ".join(f"{quantity(study.chosen.scores[cost])} {cost_name(cost)}" for cost in costs)
    rule = f"of those at most {study.tune.tolerance:g} worse in {metric} than the best, the one of least {costs[0]}"
    front = f"{len(study.front)} of {count(len(study.complete), 'trial')} are on the Pareto front"
    return [Statement(f"It has {has}: {rule.replace('_', ' ')}; {front}.")]


def _ended(study: Study) -> Statement:
    """Return how the trials ended."""
    states = ("complete", "pruned", "failed", "refused")
    ended = ", ".join(f"{len(study.of_state(state)):,} {state}" for state in states)
    failed = study.of_state("failed")
    return Statement(f"{count(len(study.found.trials), 'trial')}: {ended}.", "warning" if failed else "plain")
