"""What every HTML report shares."""

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from darkroom.pages.render import render

TEMPLATE = """\
{% extends "base.html.j2" %}
{% set title = "Model report" %}
{% set sections = [("scores", "Scores")] %}
{% block main %}<section id="scores">{{ text }}</section>{% endblock %}
{% block script %}{% include "enlarge.js" %}{% endblock %}
"""


def test_another_report_is_a_template_of_its_own(tmp_path: Path) -> None:
    template = tmp_path / "model.html.j2"
    template.write_text(TEMPLATE, encoding="utf-8")
    page = render(template, {"text": "<b> \udc80"}).decode()
    assert "<title>darkroom: model report</title>" in page and "<h1>Model report</h1>" in page
    assert '<a href="#scores">Scores</a>' in page and '<section id="scores">&lt;b&gt; ?</section>' in page
    assert "prefers-color-scheme" in page and "showModal" in page and 'getElementById("table")' not in page
    with pytest.raises(UndefinedError, match="text"):
        render(template, {})
