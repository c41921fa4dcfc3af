"""What the evaluation page says in sentences: how good, how sure and where not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from darkroom.evaluation_page.content import Champion, EvaluationContent
from darkroom.evaluation_page.texts import count, known, number, percent, percent_span, points, sentence, span

SLIGHT = 0.05  # a temperature so near to 1 changes next to nothing


@dataclass(frozen=True)
class Statement:
    """A sentence with the id of the section that shows more; `state` is "passed", "warning" or "plain"."""

    text: str
    section: str
    state: str = "plain"


def statements(content: EvaluationContent) -> list[Statement]:
    """Return what the page says in words, in the order of a reader's questions."""
    parts: tuple[Callable[[EvaluationContent], Statement | None], ...]
    parts = (_how_good, _champion, _calibration, _promise, _weakest_class, _confused, _slices, _robustness)
    parts += (_labels, _unfamiliar)
    return [statement for part in parts if (statement := part(content))]


def _how_good(content: EvaluationContent) -> Statement:
    accuracy, interval = content.scores["test"].get("accuracy"), content.intervals.get("test", {}).get("accuracy")
    pictures = content.confusion.sum()
    text = f"{percent(accuracy)} of the {count(int(pictures), 'test picture')} are answered right"
    if interval:
        text += f"; of pictures like these it would be {percent_span(interval)} (95\u00a0% interval)"
    largest = content.confusion.sum(axis=1).max() / max(pictures, 1)
    return Statement(f"{text}. Naming the largest class always would reach {percent(float(largest))}.", "metrics")


def _champion(content: EvaluationContent) -> Statement | None:
    champion = content.champion
    if champion is None:
        return None
    if champion.same:
        return Statement("This is the champion's network: equal answers.", "champion")
    if champion.difference is None or champion.interval is None:
        return Statement(f"The champion is not compared: {champion.reason}.", "champion", "warning")
    interval, word = " to ".join(map(points, champion.interval)), beyond_chance(champion)
    again = ", which was run anew on these pictures" if champion.measured else ""
    again += f" without {champion.refused} that it refuses" if champion.refused else ""
    text = f"{points(champion.difference)} points of accuracy ({interval}) against the champion{again}"
    state = {"better": "passed", "worse": "warning", "": "plain"}[word]
    return Statement(f"{text}: {word or 'no more than chance makes of two equal models'}.", "champion", state)


def beyond_chance(champion: Champion) -> str:
    """Return "better" or "worse", nothing when equal models might differ as much.

    The interval decides, which draws groups of pictures; McNemar's p takes each picture for independent.
    """
    low, high = champion.interval or (0.0, 0.0)
    return "better" if low > 0 else "worse" if high < 0 else ""


def _calibration(content: EvaluationContent) -> Statement | None:
    if content.calibration is None:
        return None
    error, band = content.calibration.error, content.calibration.band
    if error <= band[1]:
        text = f"Nothing speaks against the probabilities: on as many pictures a calibrated model shows {span(band)}"
        return Statement(f"{text}, this one {number(error)}.", "calibration", "passed")
    text = f"The probabilities are off by {number(error)}; a calibrated model would show {span(band)}."
    return Statement(text, "calibration", "warning")


def _promise(content: EvaluationContent) -> Statement | None:
    if content.calibration is None:
        return None
    promise = content.calibration.promise
    if promise.too_small:
        return Statement(sentence(promise.too_small), "calibration", "warning")
    text = f"The set of classes in an answer holds the right one for {percent(promise.coverage)} of the pictures"
    return Statement(
        f"{text} ({percent(promise.level)} were promised); it has {promise.set_size:.2f} classes on average.",
        "calibration",
    )


def _weakest_class(content: EvaluationContent) -> Statement | None:
    classes = content.classes[(content.classes["f1"] < 1) & (content.classes["support"] > 0)]
    if classes.empty:
        return None
    row = classes.sort_values(["f1", "class"], kind="stable").iloc[0]
    sure = span((row.get("f1_low"), row.get("f1_high")))
    detail = f"recall {number(row['recall'])}, precision {number(row['precision'])}"
    text = f"The weakest class is “{row['class']}”: F1 {number(row['f1'])}{f' ({sure})' if sure else ''}, {detail}"
    return Statement(f"{text} on {count(int(row['support']))}.", "classes")


def _confused(content: EvaluationContent) -> Statement:
    wrong = content.confusion.copy()
    np.fill_diagonal(wrong, 0)
    if not wrong.any():
        return Statement("Not one test picture is answered wrong.", "confusion", "passed")
    actual, predicted = np.unravel_index(wrong.argmax(), wrong.shape)
    names = content.class_names
    often = "Most often " if (wrong == wrong.max()).sum() == 1 else "As often as any other, "
    text = f"{often}“{names[actual]}” is taken for “{names[predicted]}”"
    return Statement(f"{text}: {int(wrong.max()):,} of {count(int(wrong.sum()), 'error')}.", "confusion")


def _slices(content: EvaluationContent) -> Statement | None:
    if content.slices is None or content.slices.empty:
        return None
    worse = content.slices[content.slices["worse"]].sort_values("accuracy", kind="stable")
    if worse.empty:
        text = f"None of the {count(len(content.slices), 'slice')} is significantly worse than the rest."
        return Statement(text, "slices", "passed")
    row = worse.iloc[0]
    others = f", and {count(len(worse) - 1, 'other slice')}" if len(worse) > 1 else ""
    text = f"Significantly worse: {row['slice']} “{row['value']}”, {percent(row['accuracy'])} right"
    return Statement(f"{text} of {count(int(row['pictures']))}{others}.", "slices", "warning")


def _robustness(content: EvaluationContent) -> Statement | None:
    if content.robustness is None or content.robustness.corruptions.empty:
        return None
    means = content.robustness.corruptions.groupby("kind")["accuracy"].mean().sort_index()
    kind = str(means.idxmin()).replace("_", " ")
    text = f"Of the corruptions, {kind} hurts most: {percent(float(means.min()))} right on average"
    return Statement(f"{text}, {percent(content.robustness.clean)} on the same pictures as they are.", "robustness")


def _labels(content: EvaluationContent) -> Statement | None:
    issues = 0 if content.label_issues is None else len(content.label_issues)
    text = f"{count(issues, 'label')} may be wrong; the less accurate the model, the more of these are its own errors."
    return Statement(text, "labels", "warning") if issues else None


def _unfamiliar(content: EvaluationContent) -> Statement | None:
    found = content.unfamiliar
    if found is None or found.roc_auc is None or not known(found.roc_auc):
        return None
    text = f"Unfamiliar pictures ({found.other}) are told from familiar ones with ROC AUC {number(found.roc_auc)}."
    return Statement(text, "calibration")


def temperature(value: float) -> str:
    """Return what a temperature of the probabilities means."""
    if abs(value - 1) < SLIGHT:
        return "next to nothing had to be corrected"
    return "the network was too sure of itself" if value > 1 else "the network was not sure enough of itself"


def faithful(scores: Mapping[str, float]) -> Statement:
    """Return whether the heat maps explain more than chance, and than a spot in the middle, would.

    `scores`: deletion (the mean probability while the marked pixels are removed, lower is better), insertion (while
    they are added, higher is better), and both with _random and _centre (V. Petsiuk et al., 2018, arXiv:1806.07421).
    """
    rivals = {"random": "pixels in random order", "centre": "a spot in the middle"}
    beaten = [
        words
        for name, words in rivals.items()
        if scores["deletion"] < scores[f"deletion_{name}"] and scores["insertion"] > scores[f"insertion_{name}"]
    ]
    if len(beaten) == len(rivals):
        return Statement(f"The heat maps explain more than {' and than '.join(beaten)} would.", "attention", "passed")
    lost = [words for words in rivals.values() if words not in beaten]
    text = f"The heat maps explain no more than {' or '.join(lost)} would: do not rely on them."
    return Statement(text, "attention", "warning")
