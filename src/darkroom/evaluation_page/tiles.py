"""The headline numbers of the evaluation page."""

from darkroom.evaluation_page.content import EvaluationContent
from darkroom.evaluation_page.texts import count, number, percent, points, span
from darkroom.evaluation_page.verdict import beyond_chance
from darkroom.pages.elements import Tile


def tiles(content: EvaluationContent) -> list[Tile]:
    """Return the headline numbers of the test split; the last four only where there is something to say."""
    test, calibration = content.scores["test"], content.calibration
    shown = [
        Tile(percent(test.get("accuracy")), "test accuracy", _sure(content, "accuracy"), "plain"),
        Tile(number(test.get("f1_macro")), "macro F1", _sure(content, "f1_macro"), "plain"),
        Tile(number(test.get("log_loss")), "log loss", _sure(content, "log_loss"), "plain"),
    ]
    if calibration:
        tone = "good" if calibration.error <= calibration.band[1] else "warn"
        about = f"calibrated models show up to {number(calibration.band[1])}"
        shown.append(Tile(number(calibration.error), "calibration error", about, tone))
    return shown + _more_tiles(content)


def _sure(content: EvaluationContent, metric: str) -> str:
    interval = content.intervals.get("test", {}).get(metric)
    return f"95\u00a0% interval {span(interval)}" if span(interval) else f"on {count(int(content.confusion.sum()))}"


def _more_tiles(content: EvaluationContent) -> list[Tile]:
    shown, champion, robustness = [], content.champion, content.robustness
    if content.calibration:
        promise = content.calibration.promise
        about = f"of the sets hold the right class; promised: {percent(promise.level)}"
        shown.append(Tile(percent(promise.coverage), "coverage", about, "warn" if promise.too_small else "plain"))
    if robustness and robustness.relative is not None:
        shown.append(Tile(percent(robustness.relative), "robustness", "of the clean accuracy when corrupted", "plain"))
    if champion and champion.difference is not None and not champion.same:
        tone = {"better": "good", "worse": "warn", "": "plain"}[beyond_chance(champion)]
        shown.append(Tile(points(champion.difference), "against the champion", "points of accuracy", tone))
    if content.label_issues is not None and len(content.label_issues):
        shown.append(Tile(f"{len(content.label_issues):,}", "suspected labels", "to look at, worst first", "warn"))
    return shown
