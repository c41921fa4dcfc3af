"""Feedback: pictures in data/feedback/ with the label that a person gave them are further pictures of the source."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from unicodedata import normalize

from darkroom.core.errors import UserError
from darkroom.core.paths import ARTEFACTS, project_root, workspace
from darkroom.core.suggestions import nearest
from darkroom.ingest.layout import Entry, as_text, is_system_file
from darkroom.ingest.sources import Folder, Reader

WHERE = ARTEFACTS["feedback"]
PARTIAL = ".partial"  # of a picture that is being saved, see core.files


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

    The folder is the label; feedback.csv, which records what the model had answered, is not needed. Raises UserError
    for a label that no picture of the source has, and when an experiment's copy of the repository lacks the feedback.
    """
    if not _labels_in(folder) and workspace() != project_root():  # dvc exp run --temp, or the queue
        _require_none_at(project_root() / WHERE)
    found = []
    labels = {entry.label for entry in known if entry.label is not None and not entry.error}
    for entry in sorted(Folder(folder).walk(), key=lambda entry: entry.path):
        top, below, _ = entry.path.partition("/")
        if not below or is_system_file(entry.path) or entry.path.endswith(PARTIAL):
            continue
        label = normalize("NFC", top)
        if label not in labels:
            raise UserError(
                f"{WHERE}/{as_text(entry.path)}: has the label {label!r}, which no picture of the source has"
                f"{nearest(label, sorted(labels))}; move or delete the file, or add the class to the source"
            )
        entry.label, entry.feedback, entry.location = label, True, Sent(entry.path)
        entry.path = f"{WHERE}/{entry.path}"
        found.append(entry)
    return found


def _labels_in(folder: Path) -> list[str]:
    """Return the names of the folders, sorted, in which there are files."""
    return sorted({file.parent.name for file in folder.glob("[!.]*/*")})


def _require_none_at(own: Path) -> None:
    """Raise UserError when the repository has feedback: read from there, DVC would not know that it has changed."""
    if labels := _labels_in(own):
        copied = " ".join(f"-C {shlex.quote(f'{WHERE}/{label}')}" for label in labels)
        raise UserError(
            f"{WHERE}: is empty in the experiment's own folder; name the folders to copy, `dvc exp run {copied} ...`, "
            "or set ingest.feedback to false"
        )
