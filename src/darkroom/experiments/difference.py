"""Two runs beside each other: parameters, data, metrics, and the paired difference on the same test pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from darkroom.core.errors import UserError
from darkroom.core.suggestions import nearest
from darkroom.experiments.rows import MODEL, SEARCH, Row, differing_params
from darkroom.scoring.paired import metric_difference, paired_difference
from darkroom.tracking.champion import answers_of, recorded_answers
from darkroom.tracking.headlines import HEADLINES, LOWER_IS_BETTER

SPLIT = "test"
DIGITS = 6  # of a run's id, at least
ABSENT = "(not recorded)"
COUNTS = ("train", "validation", "test", "classes")  # of a DataSet
Change = tuple[str, str, str]  # what differs, in the first run, in the second


@dataclass(frozen=True)
class Gain:
    """A metric of the second run less that of the first, with the paired 95 % interval."""

    metric: str
    difference: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """Return in words what the interval says of the second run: "better", "worse", "not significant"."""
        if self.low <= 0 <= self.high:
            return "not significant"
        return "better" if (self.low > 0) != (self.metric in LOWER_IS_BETTER) else "worse"


@dataclass(frozen=True)
class Pairing:
    """What was found on the same test pictures: their number, the groups they form, the gains by metric.

    `problem` says why nothing was. `groups` is 0 where it is not known which pictures belong together; each then counts
    as independent.
    """

    pictures: int = 0
    groups: int = 0
    gains: Mapping[str, Gain] = field(default_factory=dict)
    problem: str = ""


def find_row(text: str, rows: Sequence[Row], model: str) -> Row:
    """Return the row that `text` means: a run's name, the beginning of its id, a version of `model` or its alias.

    Raises UserError when no row is meant, or several.
    """
    found = [row for row in rows if _is_meant(text, row, model)]
    if not found:
        names = dict.fromkeys(row.facts["name"] for row in rows)
        raise UserError(f"no run has the name, id, version or alias {text!r}{nearest(text, names)}")
    if len(found) > 1:
        ids = ", ".join(row.facts["id"][:8] for row in found[:8]) + (", ..." if len(found) > 8 else "")
        raise UserError(f"{text!r} means {len(found)} runs; give the id of one: {ids}")
    return found[0]


def _is_meant(text: str, row: Row, model: str) -> bool:
    facts = row.facts
    if text == facts["name"] or (len(text) >= DIGITS and facts["id"].startswith(text.lower())):
        return True
    own = row.params.get(MODEL) == model and facts["version"] != ""
    return own and (text in facts["alias"].split() or text.removeprefix("v") == facts["version"])


def changed_params(first: Row, second: Row) -> list[Change]:
    """Return the parameters that differ, in the order of their names, those of the search last."""
    keys = sorted(differing_params([first, second]), key=lambda key: (key.startswith(SEARCH), key))
    return [(key, first.params.get(key, ABSENT), second.params.get(key, ABSENT)) for key in keys]


def changed_data(first: Row, second: Row) -> list[Change]:
    """Return what differs in the data: its source, the digest of pictures and splits, the counts."""
    facts = [
        {"source": data.source, "digest": data.digest} | {key: str(data.counts.get(key, "")) for key in COUNTS}
        for data in (first.data, second.data)
    ]
    found = [(name, old, facts[1][name]) for name, old in facts[0].items()]
    return [(name, old or ABSENT, new or ABSENT) for name, old, new in found if old != new]


def compare_answers(first: Row, second: Row, curated: Path) -> Pairing:
    """Compare the recorded answers of two runs on test; `curated` is a table that groups pictures, if it is there.

    A Pairing with a problem when a run has no answers, or they are about other pictures or labels.
    """
    tables = [answers_of(row.facts["id"]) for row in (first, second)]
    missing = [row.facts["name"] for row, table in zip((first, second), tables, strict=True) if table is None]
    if tables[0] is None or tables[1] is None:
        return Pairing(problem=f"no answers are recorded for {' and '.join(missing)}")
    own = tables[0][tables[0]["split"] == SPLIT]
    ids, labels = own["image_id"].to_numpy(), own["label"].to_numpy()
    other = recorded_answers(tables[1], SPLIT, ids, labels)
    if other is None or not len(ids):
        return Pairing(problem=_other_pictures(own, tables[1][tables[1]["split"] == SPLIT]))
    groups = _groups(ids, curated)
    classes = sorted({name for table in tables if table is not None for name in table["label"]})
    gains = _gains(other, own, classes, np.arange(len(ids)) if groups is None else groups)
    return Pairing(len(ids), 0 if groups is None else len(np.unique(groups)), {gain.metric: gain for gain in gains})


def _other_pictures(first: pd.DataFrame, second: pd.DataFrame) -> str:
    """Return why the answers on test cannot be paired."""
    both = first.merge(second, on="image_id")
    if len(both) < max(len(first), len(second)):
        return f"they were tested on other pictures: {len(first)} and {len(second)}, of which {len(both)} are the same"
    changed = int((both["label_x"] != both["label_y"]).sum())
    return f"{changed} of the {len(both)} test pictures had other labels"


def _groups(ids: np.ndarray, curated: Path) -> np.ndarray | None:
    """Return the group of each picture (n,); None when the workspace does not have all of them."""
    if not curated.is_file():
        return None
    known = pd.read_parquet(curated, columns=["image_id", "group_id"]).set_index("image_id")["group_id"]
    return np.asarray(known.loc[ids]) if pd.Index(ids).isin(known.index).all() else None


def _gains(own: pd.DataFrame, other: pd.DataFrame, classes: list[str], groups: np.ndarray) -> list[Gain]:
    """Return the gains of `own` over `other`, of all test metrics where the probabilities are those of `classes`."""
    correct, before = (table["predicted"].to_numpy() == table["label"].to_numpy() for table in (own, other))
    difference, (low, high) = paired_difference(correct, before, groups)
    found = [Gain("test_accuracy", difference, low, high)]
    rows, rows_before = (table["probabilities"].tolist() for table in (own, other))
    if any(len(row) != len(classes) for row in [*rows, *rows_before]):
        return found
    probabilities, earlier = np.stack(rows), np.stack(rows_before)
    labels = pd.Index(classes).get_indexer(pd.Index(own["label"]))
    for name, (split, metric) in HEADLINES.items():
        if split == SPLIT and metric != "accuracy":
            difference, (low, high) = metric_difference(metric, labels, probabilities, earlier, groups)
            found.append(Gain(name, difference, low, high))
    return [gain for gain in found if np.isfinite([gain.difference, gain.low, gain.high]).all()]
