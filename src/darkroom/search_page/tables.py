"""The tables of the search report."""

from darkroom.search_page.study import Study, overlay_texts
from darkroom.search_page.texts import capital, cost_name, number
from darkroom.tune.trial import Trial

Cell = str | int | float


def trial_table(study: Study) -> tuple[list[str], list[list[Cell]]]:
    """Return the names of the columns, and a row for each trial; a column that would be empty is left out."""
    tune = study.tune
    names = [study.metric, *map(cost_name, tune.costs)]
    columns = ["trial", "state", *names, "epochs", *study.keys, "reason"]
    rows = [_trial_row(trial, study) for trial in study.found.trials]
    kept = [place for place in range(len(columns)) if any(row[place] != "" for row in rows)]
    return [_heading(columns[place]) for place in kept], [[row[place] for place in kept] for row in rows]


def _heading(name: str) -> str:
    return name if "." in name else capital(name)


def _trial_row(trial: Trial, study: Study) -> list[Cell]:
    """Return the cells of a trial; an empty text where it has no value."""
    values, scores, metric = overlay_texts(trial), trial.scores, study.tune.metric
    score = round(scores[metric], 4) if metric in scores else ""
    costs: list[Cell] = [_cost(scores[cost]) if cost in scores else "" for cost in study.tune.costs]
    state = f"{trial.state}, chosen" if trial.number == study.found.choice.number else trial.state
    keys: list[Cell] = [_plain(values.get(key, "")) for key in study.keys]
    return [trial.number, state, score, *costs, len(trial.curve), *keys, trial.reason]


def _cost(value: float) -> Cell:
    return int(value) if value == int(value) else round(value, 3)


def _plain(text: str) -> Cell:
    """Return a number as a number, so that the column is sorted by it."""
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text


def finalist_table(study: Study) -> tuple[list[str], list[list[str]]]:
    """Return the names of the columns, and a row for each finalist, the best mean first; every fresh seed's score."""
    choice, fresh = study.found.choice, study.found.choice.fresh
    seeds = sorted({run.seed for run in study.found.fresh_runs})
    known = {(run.number, run.seed): run.scores for run in study.found.fresh_runs}
    searched = dict(zip(study.numbers.tolist(), study.scores.tolist(), strict=True))
    means = {finalist: sum(scores) / len(scores) for finalist, scores in fresh.items() if scores}
    sign, rows = -1 if study.lower_is_better else 1, []
    for finalist in study.finalists:
        scores = [known.get((finalist, seed), {}).get(study.tune.metric) for seed in seeds]
        name = f"{finalist}, chosen" if finalist == choice.number else f"{finalist}"
        cells = [number(searched.get(finalist)), *map(number, scores), number(means.get(finalist))]
        rows.append([name, *cells, _lead(searched.get(finalist), means.get(finalist), sign)])
    names = ["Trial", "Search", *(f"Seed {seed}" for seed in seeds), "Mean", "Flattered by"]
    return names, rows


def _lead(searched: float | None, mean: float | None, sign: int) -> str:
    return number(None) if searched is None or mean is None else f"{sign * (searched - mean):+.4f}"
