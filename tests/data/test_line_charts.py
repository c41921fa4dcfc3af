import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from darkroom.pages.axes import BOTTOM, LEFT, RIGHT, TOP, log_ticks, round_ticks
from darkroom.pages.line_charts import Line, line_chart, matrix_chart


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (0.31, 0.44, ["0.3", "0.35", "0.4", "0.45"]),
        (-3, 4200, ["-1,000", "0", "1,000", "2,000", "3,000", "4,000", "5,000"]),
        (7, 7, ["6", "8"]),
    ],
)
def test_ticks_are_round_and_cover_the_range(low: float, high: float, texts: list[str]) -> None:
    ticks = round_ticks(low, high)
    assert [text for _, text in ticks] == texts
    assert ticks[0][0] <= low <= high <= ticks[-1][0]


def test_ticks_of_a_logarithmic_axis_are_the_named_ones_where_there_are_some() -> None:
    named = [(1.0, "1:1"), (2.0, "2:1"), (1.01, "too near"), (9.0, "outside")]
    assert log_ticks(0.5, 4, named) == [(0.0, "1:1"), (1.0, "2:1")]
    assert [text for _, text in log_ticks(1.12, 1.28, named)] == ["1.15", "1.2", "1.25"]


def test_a_curve_runs_from_corner_to_corner_with_its_band_and_a_title_for_each_point() -> None:
    x, name = np.array([0, 0.5, np.nan, 1]), "cat & <dog>"
    drawing = line_chart([Line(name, x, x, "test", x - 0.1, x + 0.1)], "Reliability", "confidence", "accuracy")
    root = ElementTree.fromstring(drawing)
    points = root.find(".//polyline").get("points").split()  # type: ignore[union-attr]
    assert points[0] == f"{LEFT:.1f},{BOTTOM:.1f}" and points[-1] == f"{RIGHT:.1f},{TOP:.1f}"
    assert len(root.find(".//polygon").get("points").split()) == 6  # type: ignore[union-attr]
    titles = [element.text for element in root.iter("title")]
    assert titles == [name, f"{name}: 0, 0", f"{name}: 0.5, 0.5", f"{name}: 1, 1"]
    assert root.find("p").find("span").find("i").get("class") == "line test"  # type: ignore[union-attr]


def test_a_long_curve_is_thinned_and_the_reference_has_no_points() -> None:
    x = np.linspace(0, 1, 10_000)
    drawing = line_chart(
        [Line("roc", x, x**0.1, "c0"), Line("chance", x[[0, -1]], x[[0, -1]], "reference")], "", "", ""
    )
    assert "<circle" not in drawing and len(drawing) < 8000


@pytest.mark.parametrize("classes", [2, 25, 100])
def test_a_matrix_has_a_mark_for_each_count_and_numbers_while_they_fit(classes: int) -> None:
    counts = np.diag(np.arange(1, classes + 1))
    counts[0, 1] = 3
    names = [f"<{number}> class of a long name" for number in range(classes)]
    root = ElementTree.fromstring(matrix_chart(names, counts, "Test"))
    marks = [element for element in root.iter("rect") if element.get("class") != "empty"]
    assert len(marks) == classes + 1
    assert {mark.get("class") for mark in marks} == {"right", "wrong"}
    wrong = next(mark for mark in marks if mark.get("class") == "wrong")
    assert wrong.findtext("title") == f"{names[0]}, predicted {names[1]}: 3 (75.0%)"
    numbers = [element.text for element in root.iter("text") if element.get("class")]
    assert len(numbers) == (classes + 1 if classes <= 25 else 0)
    side = float(root.find(".//svg").get("width"))  # type: ignore[union-attr,arg-type]
    assert all(float(mark.get("x", 0)) + float(mark.get("width", 0)) <= side for mark in marks)
