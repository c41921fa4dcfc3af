"""The main pictures of a search, as PNG, drawn from the numbers that the page shows."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from darkroom.pages.parallel_chart import shortened
from darkroom.pages.scales import Scale
from darkroom.search_page.charts import TONES, cost_scale, number_scale, score_scale
from darkroom.search_page.coordinates import dimensions, shades
from darkroom.search_page.importance import importances
from darkroom.search_page.study import KeyValues, Study
from darkroom.search_page.texts import cost_name
from darkroom.tune.choice import Found

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, GREY, RED = "#2f6db5", "#d9772b", "#2e8b57", "#9a9a9a", "#b3261e"
COLOURS = {"faint": GREY, "bad": RED, "warn": ORANGE}
COLUMNS = 3  # of slices side by side
TEXT = 24  # characters of a choice, at most


def draw_plots(folder: Path, found: Found) -> None:
    """Write PNGs of a search into `folder`, made if missing; those that would be empty are left out."""
    from matplotlib import pyplot as plt
    from matplotlib import style

    folder.mkdir(parents=True, exist_ok=True)
    study, shares = Study(found), importances(Study(found))
    with style.context(["default", {"text.parse_math": False}]):  # not the user's own; and a label is no formula
        for name, (there, draw) in _drawings(study, shares).items():
            if there:
                figure = draw()
                figure.savefig(folder / f"{name}.png", format="png", dpi=110, metadata={"Software": None})
                plt.close(figure)


def _drawings(study: Study, shares: dict[str, float]) -> "dict[str, tuple[bool, Callable[[], Figure]]]":
    """Return for each picture whether there is something to draw, and what draws it."""
    return {
        "history": (True, lambda: history(study)),
        "learning_curves": (bool(study.curves), lambda: learning_curves(study)),
        "importance": (bool(shares), lambda: importance(shares)),
        "slices": (bool(study.slices), lambda: slices(study)),
        "trade_off": (bool(study.tune.costs), lambda: trade_off(study)),
        "parallel_coordinates": (True, lambda: parallel_coordinates(study)),
    }


def history(study: Study) -> "Figure":
    """Return the score of each trial by its number, and the best so far; those without a score stand at the edge."""
    figure, [axis] = _figure(1, (7, 4))
    axis.step(study.numbers, study.best_so_far, where="post", color=GREEN, label="best so far")
    axis.plot(study.numbers, study.scores, "o", color=BLUE, markersize=4, label="complete")
    edge = score_scale(study).high if study.lower_is_better else score_scale(study).low
    for state, tone in TONES.items():
        trials = [trial.number for trial in study.of_state(state)]
        if trials:
            axis.plot(trials, [edge] * len(trials), "x", color=COLOURS[tone], label=state, clip_on=False)
    _mark_chosen(axis, study, study.numbers)
    axis.set_xlabel("trial")
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend(frameon=False, ncols=6, loc="lower center", bbox_to_anchor=(0.5, 1), columnspacing=1, handletextpad=0.4)
    return figure


def learning_curves(study: Study) -> "Figure":
    """Return the log loss of each trial by epoch; a pruned one ends early."""
    figure, [axis] = _figure(1, (7, 4))
    for curve in study.curves:
        axis.plot(curve.epochs, curve.losses, color=BLUE if curve.state == "complete" else GREY, linewidth=0.7)
        if curve.number == study.found.choice.number:
            axis.plot(curve.epochs, curve.losses, color=ORANGE, linewidth=2, zorder=3, label="chosen")
    axis.set(xlabel="epoch", ylabel="log loss on validation", ylim=(None, 1.05 * study.shown_losses.max(initial=0.01)))
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend(frameon=False)
    return figure


def importance(shares: dict[str, float]) -> "Figure":
    """Return a bar for each key."""
    figure, [axis] = _figure(1, (7, 0.8 + 0.3 * len(shares)))
    axis.barh(list(shares)[::-1], list(shares.values())[::-1], color=BLUE)
    axis.set_xlabel("importance by PED-ANOVA")
    return figure


def slices(study: Study) -> "Figure":
    """Return the score against each key."""
    figure, axes = _figure(len(study.slices), (3.6, 3.2))
    for axis, values in zip(axes, study.slices, strict=True):
        axis.plot(values.numbers, study.scores, "o", color=BLUE, alpha=0.6, markersize=4)
        _set_key(axis, values)
        _mark_chosen(axis, study, values.numbers)
    return figure


def _set_key(axis: "Axes", values: KeyValues) -> None:
    axis.set_xlabel(values.name)
    if values.choices:
        texts = [shortened(text, TEXT) for text in values.choices]
        axis.set_xticks(range(len(texts)), texts, rotation=90 if sum(map(len, texts)) > TEXT else 0)
    else:
        _set_scale(axis, number_scale(values))


def trade_off(study: Study) -> "Figure":
    """Return the score against each cost, the Pareto front in green."""
    figure, axes = _figure(len(study.tune.costs), (4.6, 3.8))
    for axis, cost in zip(axes, study.tune.costs, strict=True):
        costs = study.measured(cost)
        axis.plot(costs, study.scores, "o", color=BLUE, alpha=0.6, markersize=4, label="dominated")
        axis.plot(costs[study.front], study.scores[study.front], "o", color=GREEN, markersize=5, label="Pareto front")
        _mark_chosen(axis, study, costs)
        _set_scale(axis, cost_scale(cost, costs))
        axis.set_xlabel(cost_name(cost))
        axis.legend(frameon=False)
    return figure


def parallel_coordinates(study: Study) -> "Figure":
    """Return a line for each complete trial, the stronger the better; where a key was not used it runs below."""
    shown = dimensions(study)
    figure, [axis] = _figure(1, (1.5 * len(shown) + 1, 4.6))
    places = np.array([dimension.places for dimension in shown])
    places = np.where(np.isfinite(places), places, -0.1)
    for row, shade in enumerate(shades(study).tolist()):
        chosen = bool(study.is_chosen[row])
        look: dict[str, Any] = (
            {"color": ORANGE, "zorder": 3} if chosen else {"color": BLUE, "alpha": 0.06 + 0.6 * shade**2}
        )
        axis.plot(places[:, row], linewidth=2 if chosen else 1, **look)
    for number, dimension in enumerate(shown):
        axis.axvline(number, color=GREY, linewidth=0.8)
        for place, text in dimension.ticks:
            axis.text(number + 0.03, place, shortened(text, TEXT // 2), fontsize=7)
    axis.set_xticks(range(len(shown)), [dimension.name.replace(".", ".\n") for dimension in shown], fontsize=8)
    axis.set_yticks([])
    axis.spines[["left", "bottom"]].set_visible(False)
    return figure


def _mark_chosen(axis: "Axes", study: Study, x: np.ndarray) -> None:
    """Ring the chosen trial, unless pruned, and name the axis of the score, whose worst ones may be beyond it."""
    chosen, scale = study.is_chosen, score_scale(study)
    ring: dict[str, Any] = {"fillstyle": "none", "markersize": 10, "label": "chosen" if chosen.any() else None}
    axis.plot(x[chosen], study.scores[chosen], "o", color=ORANGE, **ring)
    axis.set(ylabel=f"{study.metric} on validation", ylim=(scale.low, scale.high))


def _set_scale(axis: "Axes", scale: Scale) -> None:
    """Give the horizontal axis the ticks of the page."""
    if scale.log:
        axis.set_xscale("log")
    axis.set_xticks([value for value, _ in scale.ticks], [text for _, text in scale.ticks], fontsize=8)
    axis.minorticks_off()


def _figure(many: int, size: tuple[float, float]) -> "tuple[Figure, list[Any]]":
    """Return a figure with so many axes, each of the given size in inches, at most `COLUMNS` side by side."""
    from matplotlib import pyplot as plt

    columns = min(many, COLUMNS)
    rows = -(-many // columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False, layout="constrained"
    )
    axes = grid.ravel().tolist()
    for unused in axes[many:]:
        unused.remove()
    for axis in axes[:many]:
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes[:many]
