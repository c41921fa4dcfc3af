import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from darkroom.evaluation_page.content import Champion, Curves, EvaluationContent, Promise
from darkroom.evaluation_page.page import pictures_shown, write_evaluation
from evaluation_content import COMPARED, FAITHFUL, HOSTILE, PIXEL, bare, class_table, full
from page_reader import Reader, read_page


def read(path: Path, content: EvaluationContent) -> tuple[Reader, str]:
    """Return the page and its text."""
    write_evaluation(path, content, dict.fromkeys(pictures_shown(content), PIXEL))
    reader = read_page(path)
    return reader, " ".join(" ".join(reader.texts).split())


@pytest.mark.parametrize("content", [full(), bare()], ids=["full", "bare"])
def test_page_needs_nothing_else_and_its_links_lead_somewhere(content: EvaluationContent, tmp_path: Path) -> None:
    reader, _ = read(tmp_path / "page.html", content)
    page = (tmp_path / "page.html").read_text("utf-8")
    anchors = {link[1:] for link in reader.links if link.startswith("#")}
    assert anchors == set(re.findall(r'<section id="(\w+)"', page))
    assert all(link.startswith(("#", "data:image/png;base64,")) or not link for link in reader.links)
    assert not re.search(r"https?://|@import|url\(", page)
    assert {"link", "iframe", "object"}.isdisjoint(reader.tags)
    assert not reader.handlers


def test_a_class_named_like_markup_is_text(tmp_path: Path) -> None:
    reader, text = read(tmp_path / "page.html", full())
    assert f"The weakest class is “{HOSTILE}”: F1 0.700 (0.650\u20130.750)" in text
    assert f"<bdi>{HOSTILE}" not in (tmp_path / "page.html").read_text("utf-8")
    assert reader.tags.count("script") == 1


def test_each_small_picture_is_drawn_pixel_by_pixel(tmp_path: Path) -> None:
    read(tmp_path / "page.html", full())
    page = (tmp_path / "page.html").read_text("utf-8")
    assert page.count(f'<img src="{PIXEL}" class="tiny"') == page.count(f'<img src="{PIXEL}"') - 1  # the feature maps


def test_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        read(tmp_path / name, full())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_summary_says_how_good_how_sure_and_where_not(tmp_path: Path) -> None:
    _, text = read(tmp_path / "page.html", full())
    for sentence in (
        "90 % of the 400 test pictures are answered right; of pictures like these it would be 87.0 to 92.6 %",
        "Naming the largest class always would reach 10 %.",
        "+1.2 points of accuracy (\u22120.4 to +3.1) against the champion: no more than chance makes of two equal",
        "The probabilities are off by 0.080; a calibrated model would show 0.000\u20130.050.",
        "holds the right one for 94.7 % of the pictures (95 % were promised)",
        f"“{HOSTILE}” is taken for “1”: 4 of 36 errors.",
        "Significantly worse: blur “sharpness to 3.1”, 71 % right of 100 pictures.",
        "1 label may be wrong",
        "The heat maps explain more than pixels in random order and than a spot in the middle would.",
    ):
        assert sentence in text


def test_the_cost_is_said_in_words(tmp_path: Path) -> None:
    _, text = read(tmp_path / "page.html", full())
    assert "Parameters 93.3 thousand 93,322" in text and "File 391.2 kB of the network" in text


def test_corrections_can_be_copied_as_they_are(tmp_path: Path) -> None:
    read(tmp_path / "page.html", full())
    block = re.search(r'<pre class="copy">(.*?)</pre>', (tmp_path / "page.html").read_text("utf-8"), re.DOTALL)
    assert block is not None
    assert block[1] == "path,label\n&#34;a,b.png&#34;,1\n"


def test_what_was_not_measured_has_no_section(tmp_path: Path) -> None:
    _, text = read(tmp_path / "page.html", bare())
    assert "Not one test picture is answered wrong." in text
    assert "weakest class" not in text
    for word in ("nan", "None", "Calibration", "Errors", "Slices", "Robustness", "Champion", "Learning", "Cost"):
        assert word not in text


def test_a_lost_promise_and_maps_that_explain_nothing_are_said(tmp_path: Path) -> None:
    content = full()
    assert content.calibration is not None
    small = Promise(0.95, 1.0, 10, 1.0, None, "validation has 9 pictures; a promise of 0.95 needs at least 19")
    calibration = replace(content.calibration, promise=small)
    champion = Champion(False, reason="the test pictures differ")
    maps = FAITHFUL | {"insertion": 0.6}
    _, text = read(
        tmp_path / "page.html", replace(content, calibration=calibration, champion=champion, faithfulness=maps)
    )
    assert text.count("Validation has 9 pictures; a promise of 0.95 needs at least 19.") == 2
    assert "The champion is not compared: the test pictures differ." in text
    assert "The heat maps explain no more than a spot in the middle would: do not rely on them." in text


@pytest.mark.parametrize(
    ("champion", "sentence"),
    [
        (replace(COMPARED, interval=(0.004, 0.02), p=0.2), "(+0.4 to +2.0) against the champion: better."),
        (replace(COMPARED, difference=-0.01, interval=(-0.02, -0.001)), "against the champion: worse."),
        (replace(COMPARED, measured=True), "The champion may have learnt some of them"),
        (Champion(True, same=True, difference=0.0, interval=(0.0, 0.0), p=1.0), "champion's network: equal answers."),
        (Champion(False, "MLflow could not be asked"), "Not compared: MLflow could not be asked."),
    ],
)
def test_the_champion_is_judged_by_the_interval(champion: Champion, sentence: str, tmp_path: Path) -> None:
    _, text = read(tmp_path / "page.html", replace(full(), champion=champion))
    assert sentence in text
    assert champion.measured == ("run anew" in text)
    assert "+0.0" not in text


def test_without_heat_maps_the_page_does_not_speak_of_them(tmp_path: Path) -> None:
    errors = tuple(replace(one, heat_map=None, occlusion=None) for one in full().errors)
    content = replace(full(), errors=errors, faithfulness=None, feature_maps=None)
    _, text = read(tmp_path / "page.html", content)
    assert "heat map" not in text.lower()


def test_many_classes_draw_the_weakest_curves_only(tmp_path: Path) -> None:
    names = tuple(f"class {number:03}" for number in range(100))
    steps = np.linspace(0, 1, 5)
    curves = dict.fromkeys(names, (steps, steps))
    content = replace(bare(), class_names=names, confusion=np.eye(100, dtype=int), curves=Curves(curves, curves))
    content = replace(content, classes=class_table(names, np.linspace(1, 0.5, 100)))
    _, text = read(tmp_path / "page.html", content)
    assert "The 7 classes of the 100 with the lowest F1" in text
    page = (tmp_path / "page.html").read_text("utf-8")
    assert re.findall(r'polyline class="line c\d" [^>]*><title>([^<]*)', page)[:7] == list(names[:92:-1])
