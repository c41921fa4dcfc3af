"""The evaluation page: one self-contained file that says how good a model is, how sure that is, where it fails, why."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from darkroom.core.files import replacing
from darkroom.core.sizes import size_text
from darkroom.evaluation_page import charts, tables, texts
from darkroom.evaluation_page.content import EvaluationContent
from darkroom.evaluation_page.tiles import tiles
from darkroom.evaluation_page.verdict import faithful, statements, temperature
from darkroom.pages.elements import TINY, Sheet
from darkroom.pages.line_charts import matrix_chart
from darkroom.pages.render import render

TEMPLATE = Path(__file__).with_name("evaluation.html.j2")


def write_evaluation(path: Path, content: EvaluationContent, thumbnails: Mapping[str, str]) -> None:
    """Write the page, UTF-8 HTML; the same bytes for the same content.

    `thumbnails` maps image_id -> data URL, at least of the pictures that `pictures_shown` names.
    """
    sheets = {name: [_sized(sheet, thumbnails) for sheet in shown] for name, shown in _sheets(content).items()}
    given = {"content": content, "thumbnails": thumbnails, "texts": texts, "size_text": size_text, "tiny": _tiny}
    page = render(TEMPLATE, {**given, **_values(content), **_optional(content), **sheets})
    with replacing(path) as temporary:
        temporary.write_bytes(page)


def pictures_shown(content: EvaluationContent) -> list[str]:
    """Return the image_ids of the pictures on the page, sorted."""
    ids = {one.image_id for one in content.errors} | {one.image_id for one in content.uncertain}
    ids |= {one.image_id for one in content.changed}
    ids |= {one.nearest.image_id for one in content.errors if one.nearest}
    ids |= {example.image_id for pair in content.pairs for example in pair.examples}
    if content.label_issues is not None:
        ids |= set(content.label_issues["image_id"].head(tables.ISSUES))
    return sorted(ids)


def _values(content: EvaluationContent) -> dict[str, object]:
    """Return the texts, tables and charts of the page."""
    test = content.scores["test"]
    splits, metrics = tables.metric_table(content)
    order = content.classes.sort_values(["f1", "class"], kind="stable")["class"].astype(str).tolist()
    return {
        "sections": _sections(content),
        "tiles": tiles(content),
        "statements": statements(content),
        "splits": splits,
        "metrics": metrics,
        "curves": charts.curve_charts(content.curves, order) if content.curves else [],
        "curves_shown": min(len(content.curves.roc), charts.COLOURS) if content.curves else 0,
        "class_charts": charts.class_charts(content.classes, test),
        "class_rows": tables.class_rows(content.classes),
        "confusion": matrix_chart(content.class_names, content.confusion, "Test pictures"),
    }


def _sheets(content: EvaluationContent) -> dict[str, list[Sheet]]:
    """Return the sheets of pictures."""
    champion = content.champion
    return {
        "pairs": tables.pair_sheets(content.pairs),
        "uncertain": [tables.uncertain_sheet(content.uncertain)] if content.uncertain else [],
        "changed": tables.changed_sheets(content.changed, champion.wins, champion.losses) if champion else [],
    }


def _optional(content: EvaluationContent) -> dict[str, object]:
    """Return what has a section only where it was measured."""
    accuracy = content.scores["test"].get("accuracy")
    worse, slices = (None, []) if content.slices is None else charts.slice_charts(content.slices, accuracy)
    issues = content.label_issues
    shown = [] if issues is None else issues[tables.ISSUE_COLUMNS].head(tables.ISSUES).to_dict("records")
    robustness = content.robustness
    severities, corruptions = tables.corruption_table(robustness.corruptions) if robustness else ([], [])
    return {
        "temperature": temperature(content.calibration.temperature) if content.calibration else "",
        "calibration_charts": charts.calibration_charts(content.calibration) if content.calibration else [],
        "worse_slices": worse,
        "slice_charts": slices,
        "issues": shown,
        "issue_count": 0 if issues is None else len(issues),
        "corrections": tables.corrections(issues),
        "severities": severities,
        "corruptions": corruptions,
        "faithful": faithful(content.faithfulness) if content.faithfulness else None,
        "kept": charts.kept_epochs(content.history) if content.history is not None else "",
        "learning_charts": charts.learning_charts(content.history) if content.history is not None else [],
    }


def _sections(content: EvaluationContent) -> list[tuple[str, str]]:
    """Return (id, name) of the sections that have content, in order."""
    maps = content.faithfulness or content.feature_maps
    parts = [
        ("summary", "Summary", True),
        ("metrics", "Metrics", True),
        ("classes", "Classes", True),
        ("confusion", "Confusion", True),
        ("calibration", "Calibration", content.calibration or content.unfamiliar),
        ("errors", "Errors", content.errors),
        ("uncertain", "Uncertain", content.uncertain),
        ("labels", "Labels", content.label_issues is not None and len(content.label_issues)),
        ("slices", "Slices", content.slices is not None and len(content.slices)),
        ("robustness", "Robustness", content.robustness),
        ("attention", "Heat maps", maps),
        ("champion", "Champion", content.champion),
        ("learning", "Learning", content.history is not None),
        ("cost", "Cost", content.cost),
        ("method", "Method", True),
    ]
    return [(id_, name) for id_, name, there in parts if there]


def _sized(sheet: Sheet, thumbnails: Mapping[str, str]) -> Sheet:
    """Return the sheet with the sizes of its pictures."""
    sizes = [_size(thumbnails[card.image_id]) for card in sheet.cards]
    cards = (replace(card, width=size[0], height=size[1]) for card, size in zip(sheet.cards, sizes, strict=True))
    return replace(sheet, cards=tuple(cards))


def _tiny(url: str) -> bool:
    """Return whether each pixel of a picture, a data URL, is shown as a square."""
    return max(_size(url)) <= TINY


def _size(url: str) -> tuple[int, int]:
    """Return width and height of a picture, a data URL, from its head."""
    from PIL import Image

    with Image.open(BytesIO(base64.b64decode(url.partition(",")[2]))) as image:
        return image.size
