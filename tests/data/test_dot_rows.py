"""Rows of dots: their scale, values that stand on each other, and what a row may lack."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np

from darkroom.pages.dot_rows import DotRow, dot_rows
from darkroom.pages.scales import linear_scale


def test_rows_share_one_scale_that_covers_them() -> None:
    rows = [DotRow("a & b", "0.90", 0.9, (0.8, 1.0)), DotRow("c", "0.70", 0.7, (0.6, 0.75))]
    drawing = dot_rows(rows, "F1", line=0.8)
    root = ElementTree.fromstring(drawing)
    assert [cell.text for cell in root.findall("./tbody/tr/td[2]")] == ["0.90", "0.70"]
    ends = re.findall(r'class="whisker" x1="([\d.]+)%" x2="([\d.]+)%"', drawing)
    assert ends == [("50.00", "98.00"), ("2.00", "38.00")]  # of a scale from 0.6 to 1
    assert drawing.count('class="mean"') == 2 and 'y="72%"' not in drawing


def test_values_at_the_same_place_stand_on_each_other_and_say_what_they_are() -> None:
    texts = ["seed 1", "seed 2", "<seed 3>"]
    drawing = dot_rows([DotRow("base", "0.5", 0.5, values=[0.5, 0.5, 0.7], texts=texts, ring=0.6)], "Scores")
    places = re.findall(r'class="dot value" cx="([\d.]+)%" cy="(\d+)%" r="4"><title>(.*?)</title>', drawing)
    assert [(x == places[0][0], y, text) for x, y, text in places] == [
        (True, "38", "seed 1"),
        (True, "28", "seed 2"),
        (False, "38", "&lt;seed 3&gt;"),
    ]
    assert drawing.count('class="ring"') == drawing.count('cy="72%"') == 1


def test_what_a_row_lacks_is_not_drawn_and_what_lies_beyond_the_scale_stands_at_its_end() -> None:
    scale = linear_scale(np.array([0.0, 1.0]), "")
    drawing = dot_rows([DotRow("none", "not tried"), DotRow("far", "9", values=[9.0], texts=["9"])], "Key", scale)
    assert re.findall(r'<circle class="([a-z ]+)" cx="([\d.]+)%"', drawing) == [("dot value", "98.00")]


def test_no_rows_are_an_empty_table() -> None:
    assert "<tbody></tbody>" in dot_rows([], "F1")
