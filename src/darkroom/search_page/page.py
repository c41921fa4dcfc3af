"""The search report: one self-contained file with what was tried, what was chosen, and how far to trust it."""

from pathlib import Path

from darkroom.core.files import replacing
from darkroom.pages.render import render
from darkroom.search_page import charts, tables
from darkroom.search_page.coordinates import coordinates
from darkroom.search_page.importance import BEST, ENOUGH, importances
from darkroom.search_page.study import Study
from darkroom.search_page.verdict import statements, tiles
from darkroom.tune.choice import Found

TEMPLATE = Path(__file__).with_name("search.html.j2")


def write_page(path: Path, found: Found | None) -> None:
    """Write the page, UTF-8 HTML; the same bytes for the same trials. Without a search it says that there was none."""
    content = {"sections": [("summary", "Summary")], "study": None} if found is None else _content(Study(found))
    with replacing(path) as temporary:
        temporary.write_bytes(render(TEMPLATE, content))


def _content(study: Study) -> dict[str, object]:
    """Return the texts, tables and charts of the page."""
    names, rows = tables.trial_table(study)
    seeds, finalists = tables.finalist_table(study)
    content: dict[str, object] = {
        "study": study,
        "tiles": tiles(study),
        "statements": statements(study),
        "columns": names,
        "rows": rows,
        "seeds": seeds,
        "finalists": finalists,
        "finalist_chart": charts.finalist_chart(study) if finalists else "",
        "history": charts.history_chart(study),
        "curves": charts.curves_chart(study) if study.curves else "",
        "importances": charts.importance_bars(importances(study)),
        "enough": ENOUGH,
        "best": BEST,
        "slices": charts.slice_charts(study),
        "coordinates": coordinates(study),
        "trade_offs": charts.trade_off_charts(study),
    }
    return {**content, "sections": _sections(content)}


def _sections(content: dict[str, object]) -> list[tuple[str, str]]:
    """Return (id, name) of the sections that have content, in order."""
    parts = [
        ("summary", "Summary", True),
        ("finalists", "Finalists", content["finalists"]),
        ("course", "Course", True),
        ("trade-off", "Trade-off", content["trade_offs"]),
        ("importance", "Importance", True),
        ("by-key", "Slices", content["slices"]),
        ("together", "Together", True),
        ("trials", "Trials", True),
    ]
    return [(id_, name) for id_, name, there in parts if there]
