"""The evaluation page: one self-contained file that says how good a model is, how sure that is, where it fails, why."""

import base64
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from darkroom.core.files import replacing
from darkroom.evaluation_page import charts
from darkroom.evaluation_page import tables
from darkroom.evaluation_page import texts
from darkroom.evaluation_page.content import EvaluationContent
from darkroom.evaluation_page.verdict import faithful, statements, tiles
from darkroom.pages.line_charts import matrix_chart
from darkroom.pages.render import render

TEMPLATE = Path(__file__).with_name("evaluation.html.j2")
CRISP = 64  # pixels of the longer side up to which a picture is drawn with hard edges


def write_evaluation(path: Path, content: EvaluationContent, thumbnails: Mapping[str, str]) -> None:
    """Write the page, UTF-8 HTML; the same bytes for the same content.

    `thumbnails` maps image_id -> data URL, at least of the pictures that `pictures_shown` names.
    """
    page = render(TEMPLATE, _values(content) | {"content": content, "thumbnails": thumbnails, "crisp": _crisp})
    with replacing(path) as temporary:
        temporary.write_bytes(page)


def pictures_shown(content: EvaluationContent) -> list[str]:
    """Return the image_ids of the pictures on the page, sorted."""
    ids = {one.image_id for one in (*content.errors, *content.uncertain, *content.changed)}
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
    champion = content.champion
    return {
        "texts": texts,
        "sections": _sections(content),
        "tiles": tiles(content),
        "statements": statements(content),
        **{"splits": splits, "metrics": metrics},
        "curves": charts.curve_charts(content.curves, order) if content.curves else [],
        "curves_shown": min(len(content.curves.roc), charts.COLOURS) if content.curves else 0,
        "class_charts": charts.class_charts(content.classes, test),
        "class_rows": tables.class_rows(content.classes),
        "confusion": matrix_chart(content.class_names, content.confusion, "Test pictures"),
        "pairs": tables.pair_sheets(content.pairs),
        "uncertain": tables.uncertain_sheet(content.uncertain),
        "changed": tables.changed_sheets(content.changed, champion.wins, champion.losses) if champion else [],
        **_optional(content),
    }


def _optional(content: EvaluationContent) -> dict[str, object]:
    """Return what has a section only where it was measured."""
    accuracy = content.scores["test"].get("accuracy")
    has_slices = content.slices is not None and len(content.slices)
    worse, slices = charts.slice_charts(content.slices, accuracy) if has_slices else (None, [])
    issues = content.label_issues
    shown = [] if issues is None else issues[tables.ISSUE_COLUMNS].head(tables.ISSUES).to_dict("records")
    severities, corruptions = tables.corruption_table(content.robustness.corruptions if content.robustness else None)
    return {
        "calibration_charts": charts.calibration_charts(content.calibration) if content.calibration else [],
        **{"worse_slices": worse, "slice_charts": slices},
        **{"issues": shown, "issue_count": 0 if issues is None else len(issues)},
        "corrections": tables.corrections(issues),
        **{"severities": severities, "corruptions": corruptions},
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


def _crisp(url: str) -> bool:
    """Return whether a picture, a data URL, is so small that it is drawn with hard edges."""
    from PIL import Image

    with Image.open(BytesIO(base64.b64decode(url.partition(",")[2]))) as image:
        return max(image.size) <= CRISP
