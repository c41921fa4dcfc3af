"""A look at a data set that takes seconds: what ingest would list, headers of a sample, pixels of a smaller one."""

from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np

from darkroom.begin.class_names import propose_for_classes
from darkroom.begin.facts import Facts, Proposal
from darkroom.begin.group_pattern import propose_groups
from darkroom.begin.sample import Header, look_at_pixels, read_headers
from darkroom.begin.table_names import find_columns, group_column
from darkroom.core.errors import UserError
from darkroom.core.paths import ARTEFACTS
from darkroom.core.tables import LEFT_OUT
from darkroom.ingest.layout import Entry, as_text, relabel
from darkroom.ingest.listing import is_table, list_files, open_ingest_source, open_path
from darkroom.ingest.sources import Source
from darkroom.params.data import Columns, Ingest
from darkroom.params.load import load_params

BUILT_IN = "digits"
SMALL_CLASS = 30  # files: of a smaller class each header is read, so that its count is exact
MAX_UNREADABLE = 0.05  # share of the files: validate.max_unreadable
PLAIN = Columns(path="path", label="label", split="", group="", attributes=[])
Sampled = list[tuple[Entry, Header]]


def look(root: Path, source: str, path: Path | None = None) -> tuple[Facts, list[Proposal]]:
    """Look at `source`, a value of ingest.source in the project `root`; return its facts and what they suggest.

    `path` is where the source lies if it is not below data/raw/ yet. Raises UserError, with status 2, when there are no
    pictures of two classes or more, or one class has only one.
    """
    if source == BUILT_IN:
        params = Ingest(source=source, labels={}, columns=PLAIN, feedback=False)
        with open_ingest_source(params, root / ARTEFACTS["raw"]) as opened:
            return _look(root, opened, source, Path(source), {})
    path = path or root / ARTEFACTS["raw"] / source.removeprefix(f"{ARTEFACTS['raw']}/")
    columns = find_columns(path) if is_table(path) else PLAIN
    raw = root.absolute() / ARTEFACTS["raw"]
    top = raw if raw in path.absolute().parents else Path(path.absolute().anchor)
    with open_path(path.absolute(), top, columns, str(path)) as opened:
        facts, found = _look(root, opened, source, path, columns.model_dump() if is_table(path) else {})
    if is_table(path) and (group := group_column(path)):
        found = [proposal for proposal in found if proposal.key != "dedupe.group_by"]
        found.append(Proposal("ingest.columns.group", group, "pictures of equal value there must stay in one split"))
    return facts, found


def _look(root: Path, source: Source, name: str, path: Path, columns: dict[str, Any]) -> tuple[Facts, list[Proposal]]:
    labels, allowed = _decided(root, name)
    listed = [entry for entry in relabel(list_files(source, str(path))[0], labels) if entry.error != LEFT_OUT]
    labelled = [entry for entry in listed if entry.label is not None and not entry.error]
    if not labelled:
        raise UserError(_why_nothing(path, listed))
    even = read_headers(source, labelled)
    sampled = even + _of_small_classes(source, labelled, {entry.path for entry, _ in even})
    readable = [(entry, header) for entry, header in sampled if not header.error]
    if not readable:
        first, header = sampled[0]
        raise UserError(f"{path}: none of its {len(labelled):,} files is a picture ({first.path}: {header.error})")
    counts = _counts(pictures := _pictures(labelled, sampled))
    _check_classes(path, counts["classes"])
    grey, errors = look_at_pixels(source, readable)
    good = np.mean([not header.error for _, header in even]) * len(grey) / max(len(grey) + len(errors), 1)
    facts = Facts(
        source=name,
        grey=float(np.mean(grey)) if grey else 0.0,
        unreadable=float(1 - good * len(labelled) / len(listed)),
        unreadable_because=_usual_reason(listed, sampled, errors),
        columns=columns,
        **counts,
        **_shapes(readable),
    )
    return facts, _proposals(facts, pictures, allowed) + _feedback(root / ARTEFACTS["feedback"], facts.classes)


def _decided(root: Path, source: str) -> tuple[dict[str, str | None], float]:
    """Return labels and largest share of unreadable files of params.yaml, if they are for `source`; else defaults."""
    file = root / "params.yaml"
    params = load_params(file) if file.exists() else None
    if params is None or params.ingest.source != source:
        return {}, MAX_UNREADABLE
    return params.ingest.labels, params.validate.max_unreadable


def _feedback(folder: Path, classes: Collection[str]) -> list[Proposal]:
    """Propose to leave out feedback with which `ingest` would stop: on classes that the source has not."""
    labels = {normalize("NFC", as_text(file.parent.name)) for file in folder.glob("[!.]*/[!.]*")}
    if not (others := sorted(labels.difference(classes))):
        return []
    reason = f"data/feedback has pictures of {', '.join(others[:3])}, no class here, with which ingest would stop"
    return [Proposal("ingest.feedback", "false", reason)]


def _counts(pictures: list[Entry]) -> dict[str, Any]:
    return {
        "classes": dict(sorted(Counter(_label(entry) for entry in pictures).items())),
        "splits": dict(sorted(Counter(entry.given_split for entry in pictures if entry.given_split).items())),
    }


def _proposals(facts: Facts, pictures: list[Entry], allowed: float) -> list[Proposal]:
    found = propose_for_classes(facts.classes)
    groups = propose_groups([as_text(entry.path) for entry in pictures], list(map(_label, pictures)))
    found += [groups] if groups else []
    if facts.unreadable > allowed:
        reason = (
            f"about {facts.unreadable:.0%} of the files are no pictures ({facts.unreadable_because}), and validate "
            f"stops above {allowed:.0%}; move them out of the folder, or allow it"
        )
        found.append(Proposal("validate.max_unreadable", f"{min(1.0, facts.unreadable + 0.01):.2f}", reason))
    return found


def _of_small_classes(source: Source, entries: list[Entry], read: set[str]) -> Sampled:
    """Return the headers of all files of small classes that were not `read` yet."""
    counts = Counter(entry.label for entry in entries)
    return read_headers(source, [e for e in entries if counts[e.label] < SMALL_CLASS and e.path not in read])


def _pictures(entries: list[Entry], sampled: Sampled) -> list[Entry]:
    """Return the entries without those that are no pictures, and without suffixes of which no sampled file is one."""
    good = {_suffix(entry) for entry, header in sampled if not header.error}
    bad = {_suffix(entry) for entry, header in sampled} - good
    known = {entry.path for entry, header in sampled if header.error}
    return [entry for entry in entries if entry.path not in known and _suffix(entry) not in bad]


def _label(entry: Entry) -> str:
    return as_text(entry.label or "")


def _suffix(entry: Entry) -> str:
    return entry.path.rpartition("/")[2].rpartition(".")[2].lower()


def _shapes(readable: Sampled) -> dict[str, Any]:
    sides = np.array([(header.width, header.height) for _, header in readable])
    low, middle, high = np.percentile(sides.min(axis=1), (10, 50, 90)).round().astype(int).tolist()
    return {
        "short_sides": (low, middle, high),
        "smallest_side": int(sides.min()),
        "aspect": float(np.median(sides.max(axis=1) / sides.min(axis=1))),
    }


def _usual_reason(listed: list[Entry], sampled: Sampled, errors: list[str]) -> str:
    """Return the most frequent reason why files are no pictures; "" for none."""
    found = [entry.error for entry in listed if entry.error]
    found += [f".{_suffix(entry)}: {header.error}" for entry, header in sampled if header.error]
    return max(Counter(found + errors).items(), key=lambda item: item[1], default=("", 0))[0]


def _why_nothing(path: Path, listed: list[Entry]) -> str:
    """Return the message for a source without a labelled file; names a table or an archive in it that may be meant."""
    if not listed:
        return f"{path} holds no files; put a folder of pictures for each class there"
    if is_table(path):
        return f"{path}: none of its {len(listed):,} files can be used ({listed[0].path}: {listed[0].error})"
    inside = [entry.path for entry in listed if entry.path.lower().endswith((".csv", ".parquet", ".zip", ".tar", "gz"))]
    hint = f"begin with {path}/{inside[0]}" if inside else "put the pictures of each class into a folder of its name"
    return f"{path}: none of its {len(listed):,} files can be used ({listed[0].path}: {listed[0].error}); {hint}"


def _check_classes(path: Path, classes: dict[str, int]) -> None:
    """Raise UserError where ingest would: fewer than two classes, or one with a single picture."""
    if len(classes) < 2:
        only = f"only one class, {next(iter(classes))!r}" if classes else "no class"
        raise UserError(f"{path} has {only}; a classifier needs a folder for each of two or more")
    for name, count in classes.items():
        if count == 1:
            raise UserError(
                f"{path}: class {name!r} has only one picture; add more, or leave the class out (ingest.labels)"
            )
