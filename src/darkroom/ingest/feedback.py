"""Feedback: pictures in data/feedback/ with the label that a person gave them are further pictures of the source."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import normalize

from darkroom.core.errors import UserError, first_line
from darkroom.core.paths import ARTEFACTS
from darkroom.core.suggestions import nearest
from darkroom.ingest.layout import Entry, as_text, is_system_file
from darkroom.ingest.sources import Folder, Reader

WHERE = ARTEFACTS["feedback"]
LIST = "feedback.csv"  # path below the folder, label, and what the model had answered


class Sent(NamedTuple):
    """The location of a picture in the folder of feedback."""

    path: str


@dataclass(frozen=True)
class WithFeedback:
    """A source and the folder of feedback, read as one."""

    source: Reader
    folder: Folder

    def read(self, location: Any) -> bytes:
        """Return the bytes of the entry with this location; raises OSError."""
        return self.folder.read(location.path) if isinstance(location, Sent) else self.source.read(location)


def list_feedback(folder: Path, known: list[Entry]) -> list[Entry]:
    """Return an entry for each picture in the folders of `folder`, sorted by path; `known` are those of the source.

    feedback.csv says the label; of a picture that it does not name, the folder does. Raises UserError for a label that
    no picture of the source has.
    """
    listed, found = _listed_labels(folder / LIST), []
    labels = {entry.label for entry in known if entry.label is not None and not entry.error}
    for entry in sorted(Folder(folder).walk(), key=lambda entry: entry.path):
        top, below, _ = entry.path.partition("/")
        if not below or is_system_file(entry.path):
            continue
        label = normalize("NFC", listed.get(as_text(entry.path), top))
        if label not in labels:
            raise UserError(
                f"{WHERE}/{as_text(entry.path)}: has the label {label!r}, which no picture of the source has"
                f"{nearest(label, sorted(labels))}; move or delete the file, or add the class to the source"
            )
        entry.label, entry.feedback, entry.location = label, True, Sent(entry.path)
        entry.path = f"{WHERE}/{entry.path}"
        found.append(entry)
    return found


def _listed_labels(file: Path) -> dict[str, str]:
    """Return {path: label} as feedback.csv says; of several lines about a path, the last one counts."""
    if not file.exists():
        return {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = list(csv.DictReader(text))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{WHERE}/{LIST} cannot be read as a table in UTF-8: {first_line(error)}") from None
    return {row["path"]: row["label"] for row in rows if row.get("path") and row.get("label")}
