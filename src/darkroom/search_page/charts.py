"""The pictures of the search report."""

from typing import Literal

import numpy as np
from markupsafe import Markup

from darkroom.pages.dot_rows import DotRow, dot_rows
from darkroom.pages.elements import Bar
from darkroom.pages.scales import Scale, linear_scale, log_scale
from darkroom.pages.scatter_charts import Series, scatter_chart
from darkroom.search_page.study import Curve, KeyValues, Study
from darkroom.search_page.texts import capital, cost_name, number, quantity

TONES = {"pruned": "faint", "failed": "bad", "refused": "warn"}
WIDE = 10  # times the smallest cost: from there on the axis is logarithmic


def history_chart(study: Study) -> Markup:
    """Return the score of each trial by its number, and the best so far; those without a score stand at the edge."""
    y = score_scale(study)
    edge = y.high if study.lower_is_better else y.low
    parts = [
        Series("best so far", study.numbers, study.best_so_far, ["best so far"], "c2", "step"),
        Series("complete", study.numbers, study.scores, score_texts(study), "mark"),
    ]
    for state, tone in TONES.items():
        trials = study.of_state(state)
        x = np.array([trial.number for trial in trials], float)
        texts = [f"trial {trial.number}, {state}: {trial.reason}" for trial in trials]
        parts += [Series(state, x, np.full(len(x), edge), texts, tone, "cross")] if trials else []
    numbers = np.array([trial.number for trial in study.found.trials], float)
    summary = f"{len(study.complete)} of {len(numbers)} trials have a score"
    return scatter_chart(
        [*parts, _chosen(study, study.numbers)], "History", linear_scale(numbers, "trial", True), y, summary
    )


def curves_chart(study: Study) -> Markup:
    """Return the log loss of each trial by epoch; a pruned one ends early. A line of one epoch is a dot."""
    curves, chosen = study.curves, study.found.choice.number
    parts = []
    for name, tone in (("not complete", "faint thin"), ("complete", "mark thin")):
        members = [curve for curve in curves if (curve.state == "complete") == (name == "complete")]
        for place, curve in enumerate(members):
            text = [f"trial {curve.number}, {curve.state}"]
            parts.append(Series("" if place else name, curve.epochs, curve.losses, text, tone, _line_or_dot(curve)))
    parts += [
        Series("chosen", curve.epochs, curve.losses, [f"trial {chosen}, chosen"], "warn", _line_or_dot(curve))
        for curve in curves
        if curve.number == chosen
    ]
    epochs = linear_scale(np.concatenate([curve.epochs for curve in curves]), "epoch", True)
    losses = linear_scale(study.shown_losses, "log loss on validation, lower is better")
    return scatter_chart(parts, "Learning curves", epochs, losses, f"{len(curves)} trials")


def _line_or_dot(curve: Curve) -> Literal["line", "dot"]:
    return "line" if len(curve.losses) > 1 else "dot"


def importance_bars(shares: dict[str, float]) -> list[Bar]:
    """Return a bar for each key."""
    bar = Markup(
        '<svg class="bar" role="img" aria-label="{0}: {1}"><rect class="mark" width="{2:.2f}%" height="100%">'
        "<title>{0}: {1}</title></rect></svg>"
    )
    largest = max(shares.values(), default=1.0) or 1.0
    return [
        Bar(name, bar.format(name, f"{share:.0%}", 100 * share / largest), f"{share:.0%}")
        for name, share in shares.items()
    ]


def slice_charts(study: Study) -> list[Markup]:
    """Return the score against each key: points, then rows of points for the keys with choices."""
    slices = study.slices
    points = [_points_of_numbers(study, values) for values in slices if not values.choices]
    return points + [_rows_of_choices(study, values) for values in slices if values.choices]


def _points_of_numbers(study: Study, values: KeyValues) -> Markup:
    x = number_scale(values)
    dots = Series("", values.numbers, study.scores, score_texts(study, values.texts), "mark soft")
    chart = [dots, _chosen(study, values.numbers)]
    return scatter_chart(chart, values.name, x, score_scale(study), f"{len(study.scores)} trials")


def number_scale(values: KeyValues) -> Scale:
    """Return the axis of a key that has numbers."""
    known, label = values.numbers[np.isfinite(values.numbers)], values.name.split(".", 1)[1]
    return log_scale(known, label) if values.log else linear_scale(known, label, bool((known == known.round()).all()))


def _rows_of_choices(study: Study, values: KeyValues) -> Markup:
    rows = []
    for place, choice in enumerate(values.choices):
        members = np.flatnonzero(values.numbers == place)
        scores = study.scores[members]
        texts = [f"trial {study.numbers[member]}: {number(study.scores[member])}" for member in members]
        median = float(np.median(scores)) if len(members) else None
        text = f"{number(median)} ({len(members)})" if len(members) else "not tried"
        rows.append(DotRow(choice, text, median, values=scores, texts=texts))
    return dot_rows(rows, values.name, linear_scale(study.shown_scores, ""))


def trade_off_charts(study: Study) -> list[Markup]:
    """Return the score against each cost, with the trials that no other one beats in the metric and all costs."""
    return [_trade_off(study, cost) for cost in study.tune.costs]


def _trade_off(study: Study, cost: str) -> Markup:
    costs, front = study.measured(cost), study.front
    order = front[np.argsort(costs[front], kind="stable")]
    texts = score_texts(study, [f"{quantity(value)} {cost_name(cost)}" for value in costs])
    best = (costs[order], study.scores[order])
    parts = [Series("dominated", costs, study.scores, texts, "mark soft")]
    parts += [Series("", *best, ["Pareto front"], "c2", "step")] if len(study.tune.costs) == 1 else []
    parts += [Series("Pareto front", *best, [texts[place] for place in order], "c2"), _chosen(study, costs)]
    summary = f"{len(front)} of {len(costs)} trials are on the Pareto front"
    title = capital(cost.replace("multiply_adds", "multiply-adds"))
    return scatter_chart(parts, title, cost_scale(cost, costs), score_scale(study), summary)


def cost_scale(cost: str, costs: np.ndarray) -> Scale:
    """Return the axis of a cost, logarithmic where the costs are far apart."""
    wide = costs.min() > 0 and costs.max() > WIDE * costs.min()
    return (log_scale if wide else linear_scale)(costs, cost_name(cost))


def finalist_chart(study: Study) -> Markup:
    """Return a row for each finalist: its fresh scores, and its score of the search as a ring."""
    known = dict(zip(study.numbers.tolist(), study.scores.tolist(), strict=True))
    rows = []
    for finalist in study.finalists:
        scores = study.found.choice.fresh[finalist]
        mean = float(np.mean(scores)) if scores else None
        name = f"trial {finalist}" + (", chosen" if finalist == study.found.choice.number else "")
        texts = [number(value) for value in scores]
        rows.append(DotRow(name, number(mean), mean, values=scores, texts=texts, ring=known.get(finalist)))
    return dot_rows(rows, study.metric)


def score_scale(study: Study) -> Scale:
    """Return the axis of the metric."""
    better = "lower" if study.lower_is_better else "higher"
    return linear_scale(study.shown_scores, f"{study.metric} on validation, {better} is better")


def score_texts(study: Study, more: list[str] | None = None) -> list[str]:
    """Return number and score of each complete trial, and what else there is to say of it."""
    texts = [f"trial {trial}: {number(score)}" for trial, score in zip(study.numbers, study.scores, strict=True)]
    return texts if more is None else [f"{text}, {detail}" for text, detail in zip(texts, more, strict=True)]


def _chosen(study: Study, x: np.ndarray) -> Series:
    """Return the ring around the chosen trial; one that was pruned has no place."""
    chosen, texts = study.is_chosen, [f"trial {study.chosen.number}, chosen"]
    name, texts = ("chosen", texts) if chosen.any() else ("", [])
    return Series(name, x[chosen], study.scores[chosen], texts, "warn", "ring")
