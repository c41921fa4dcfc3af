"""What `darkroom diff` prints."""

from collections.abc import Sequence

from darkroom.core.errors import UserError
from darkroom.core.paths import ARTEFACTS, workspace
from darkroom.experiments.difference import Change, Pairing, changed_data, changed_params, compare_answers, find_row
from darkroom.experiments.rows import REMEDY, Row, read_rows
from darkroom.experiments.table import aligned
from darkroom.params.load import load_params
from darkroom.tracking.headlines import HEADLINES
from darkroom.tracking.store import existing_store


def print_difference(a: str, b: str) -> int:
    """Print how run `b` differs from run `a`; return 0. Raises UserError."""
    model = load_params(workspace() / "params.yaml").package.name
    with existing_store("reading its runs", REMEDY) as client:
        rows = read_rows(client)
    first, second = (find_row(text, rows, model) for text in (a, b))
    if first is second:
        raise UserError(f"{a} and {b} are the same run, {first.facts['name']}")
    pairing = compare_answers(first, second, workspace() / ARTEFACTS["curated"])
    print("\n".join(difference_lines(first, second, pairing)))
    return 0


def difference_lines(first: Row, second: Row, pairing: Pairing) -> list[str]:
    """Return the report: the two runs, what differs in parameters and data, metrics and their intervals."""
    params, data = changed_params(first, second), changed_data(first, second)
    return [
        *aligned([("A", *_facts(first)), ("B", *_facts(second))]),
        *_changes("Parameters", params),
        *_changes("Data", data),
        "",
        *aligned(_metrics(first, second, pairing)),
        "",
        _remark(pairing),
    ]


def _facts(row: Row) -> list[str]:
    facts = row.facts
    version = f"version {facts['version']} {facts['alias']}".strip() if facts["version"] else "not registered"
    return [facts["name"], facts["id"][:8], f"{facts['started'][:16]} UTC", facts["commit"][:8], version]


def _changes(title: str, changes: list[Change]) -> list[str]:
    if not changes:
        return ["", f"{title}: the same"]
    return ["", title, *aligned([(f"  {name}", old or "''", "->", new or "''") for name, old, new in changes])]


def _metrics(first: Row, second: Row, pairing: Pairing) -> list[Sequence[str]]:
    """Return the cells of the table of metrics; an interval stands where both answered the same pictures."""
    lines: list[Sequence[str]] = [("Metrics", "A", "B", "B - A", "95 % interval" if pairing.gains else "")]
    for name in HEADLINES:
        values = [row.metrics.get(name) for row in (first, second)]
        if all(value is None for value in values):
            continue
        cells = ["" if value is None else f"{value:.4f}" for value in values]
        gain, change = pairing.gains.get(name), ""
        if values[0] is not None and values[1] is not None:
            change = f"{values[1] - values[0]:+.4f}"
        interval = [f"{gain.low:+.4f} to {gain.high:+.4f}", gain.verdict] if gain else []
        lines.append([f"  {name.replace('_', ' ')}", *cells, change, *interval])
    return lines


def _remark(pairing: Pairing) -> str:
    if pairing.problem:
        return f"No interval can be given: {pairing.problem}."
    if pairing.groups:
        grouped = (
            f" in {pairing.groups:,} groups of duplicates and relatives" if pairing.groups < pairing.pictures else ""
        )
        return f"Both answered the same {pairing.pictures:,} test pictures{grouped}; the intervals are paired."
    return (
        f"Both answered the same {pairing.pictures:,} test pictures; the intervals are paired. Which pictures belong "
        "together is not known here, so each counts as independent, and intervals may be too narrow."
    )
