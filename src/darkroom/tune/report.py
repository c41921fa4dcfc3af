"""What a search reports: the summary of reports/tune.json and the table of its trials."""

from collections import Counter
from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

import pandas as pd

from darkroom.params.load import leaves
from darkroom.params.search import Tune
from darkroom.tune.choice import Found, pareto_front
from darkroom.tune.trial import State, Trial

STATES: tuple[State, ...] = ("pruned", "failed", "refused")  # of trials without a score


def summarise(found: Found | None, tune: Tune) -> dict[str, Any]:
    """Return the report; None stands for a search that is off."""
    if found is None:
        nothing = dict.fromkeys(("search_score", "fresh_score"))
        return {"enabled": False, "trials": 0, **dict.fromkeys(STATES, 0), "best": {}, **nothing}
    choice, states = found.choice, Counter(trial.state for trial in found.trials)
    fresh = choice.fresh.get(choice.number, [])
    return {
        "enabled": True,
        "trials": len(found.trials),
        **{state: states[state] for state in STATES},
        "best": choice.overlay,
        "chosen": choice.number,
        "metric": tune.metric,
        "search_score": choice.search_score,
        "fresh_score": choice.fresh_score,
        "fresh_deviation": stdev(fresh) if len(fresh) > 1 else None,
        "fresh_scores": {str(number): mean(scores) if scores else None for number, scores in choice.fresh.items()},
        "costs": tune.costs,
        "tolerance": tune.tolerance,
        "front": [trial.number for trial in pareto_front(found.trials, tune)] if tune.costs else [],
        "sampler": tune.sampler,
        "pruner": tune.pruner,
        "repeatable": found.repeatable,
        "note": _note(found),
    }


def _note(found: Found) -> str:
    """Return what must be known of the scores and of another search, in sentences."""
    alone = sum(trial.state == "complete" for trial in found.trials) == 1
    flattered = (
        ""
        if found.choice.fresh or alone
        else (
            "The score is the best of many, and so flattered: no trial was trained again with fresh seeds "
            "(tune.finalists is 0)."
        )
    )
    return " ".join(filter(None, [flattered, found.obstacle]))


def obstacle(tune: Tune, workers: int) -> str:
    """Return why the same search may find something else the next time; nothing when it repeats exactly.

    `workers` is how many trials may run side by side.
    """
    reasons = []
    if tune.minutes:
        reasons.append("its time is limited (tune.minutes), so the number of its trials differs")
    if "latency" in tune.costs:
        reasons.append("latency is measured, and no two measurements agree")
    if not tune.batch and workers > 1:
        reasons.append(f"tune.batch is 0 and {workers} trials ran side by side, so what ends first differs")
    return f"The search does not repeat exactly: {'; '.join(reasons)}." if reasons else ""


def trial_table(found: Found | None, tune: Tune) -> pd.DataFrame:
    """Return a row for each trial by number; none when the search is off.

    Columns: number, state, the metric and the costs (empty unless complete), epochs, seconds, one for each searched key
    (empty where it was not drawn), fresh (the mean of the metric over the fresh seeds) and reason.
    """
    keys = [f"{section}.{key}" for section, space in sorted(tune.space.items()) for key in sorted(space)]
    columns = ["number", "state", tune.metric, *tune.costs, "epochs", "seconds", *keys, "fresh", "reason"]
    rows = [] if found is None else _rows(found.trials, found.choice.fresh)
    table = pd.DataFrame(rows, columns=columns, dtype=object).infer_objects()
    numbers = [tune.metric, *tune.costs, "seconds", "fresh"]
    return table.astype(dict.fromkeys(numbers, float))


def _rows(trials: Sequence[Trial], fresh: dict[int, list[float]]) -> list[dict[str, Any]]:
    return [
        {
            **trial.scores,
            **leaves(trial.drawn.overlay),
            "number": trial.number,
            "state": trial.state,
            "epochs": len(trial.curve),
            "seconds": round(trial.seconds, 1),
            "fresh": mean(fresh[trial.number]) if fresh.get(trial.number) else None,
            "reason": trial.reason or None,
        }
        for trial in sorted(trials, key=lambda trial: trial.number)
    ]
