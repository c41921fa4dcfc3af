import re
from pathlib import Path

import numpy as np
import pytest
from jinja2 import UndefinedError

from darkroom.pages.charts import histogram, size_map, stacked_bar
from darkroom.pages.elements import Bar, Card, Sheet, Tile
from darkroom.pages.render import render
from page_reader import read_page

TEMPLATE = """{% extends "base.html.j2" %}
{% from "elements.html.j2" import bars_of, sheet_of, tiles_of with context %}
{% set title = "Small report" %}
{% set sections = [("scores", "Scores")] %}
{% block content %}
{{ tiles_of(tiles) }}
<section id="scores">{{ bars_of("Classes", bars) }}{{ sheet_of(sheet, true) }}</section>
{% endblock %}
"""


def test_a_template_of_another_room_becomes_a_whole_page(tmp_path: Path) -> None:
    (tmp_path / "small.html.j2").write_text(TEMPLATE)
    card = Card("1", "<b>/1.png", "8 x 8", "PNG", ("wrong",), "bad", 8, 8)
    content = {
        "tiles": [
            Tile("97 %", "accuracy", "of the test split", "good"),
            Tile("0", "leaks", "of test", "good"),
            Tile("0", "answered", "with one class", "warn"),
        ],
        "bars": [Bar("cat & dog", stacked_bar([("mark", 3)], 4), "3")],
        "sheet": Sheet("cats", "3 wrong", (card,), more=2),
        "thumbnails": {"1": "data:image/webp;base64,AA"},
    }
    page = render(tmp_path / "small.html.j2", content)
    (tmp_path / "small.html").write_bytes(page)
    reader = read_page(tmp_path / "small.html")
    text = " ".join(" ".join(reader.texts).split())
    for part in (
        "darkroom: small report",
        "Small report",
        "97 %",
        "cat & dog",
        "<b>/1.png",
        "and 2 more",
        "0 answered with one class None: leaks",
    ):
        assert part in text
    assert reader.links == ["#scores", "data:image/webp;base64,AA"]
    assert b'id="table"' not in page and page.count(b'<div class="tile ') == 2
    assert b' class="tiny" width="8" height="8"' in page
    assert page == render(tmp_path / "small.html.j2", content)


def test_a_name_that_the_content_lacks_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "small.html.j2").write_text(TEMPLATE)
    with pytest.raises(UndefinedError, match="tiles"):
        render(tmp_path / "small.html.j2", {"bars": [], "sheet": Sheet("", "", ()), "thumbnails": {}})


def test_bars_fill_their_share_of_the_width() -> None:
    drawing = stacked_bar([("train", 60), ("test", 20), ("dropped", 0)], 160)
    assert re.findall(r'class="(\w+)" x="([\d.]+)%" y="0" width="([\d.]+)%"', drawing) == [
        ("train", "0.000", "37.500"),
        ("test", "37.500", "12.500"),
    ]


def test_histogram_counts_every_finite_value_once() -> None:
    drawing = histogram(np.array([0.1, 0.1, 0.9, 5.0, np.nan]), np.linspace(0, 1, 3), "Title", "unit", [(0.5, "half")])
    assert re.findall(r"<title>(\d+) pictures", drawing) == ["2", "2"]
    assert 'aria-label="Title: 4 pictures"' in drawing


def test_numbers_of_a_table_are_aligned_and_its_texts_escaped(tmp_path: Path) -> None:
    (tmp_path / "table.html.j2").write_text(
        '{% from "elements.html.j2" import searchable_table with context %}'
        '{{ searchable_table(["Name", "Bytes", "Score"], [["<b>", "", 0.5], ["c", 12345, 1.0]], "a name") }}'
    )
    page = render(tmp_path / "table.html.j2", {}).decode()
    assert '<th scope="col">Name</th><th scope="col" class="n">Bytes</th><th scope="col" class="n">Score</th>' in page
    assert '<td>&lt;b&gt;</td><td></td><td class="n">0.5</td>' in page
    assert '<td>c</td><td class="n">12,345</td>' in page


@pytest.mark.parametrize("widths", [[32, 32, 32], [1, 50, 10000]])
def test_size_map_places_every_picture_inside(widths: list[int]) -> None:
    drawing = size_map(np.array(widths, float), np.array([32, 32, 32], float), "Sizes")
    assert sum(map(int, re.findall(r"<title>(\d+) pictures", drawing))) == 3
    assert all(0 <= float(x) <= 400 for x in re.findall(r' x="([\d.]+)"', drawing))
